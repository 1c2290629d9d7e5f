"""V5: a Python step that raises on one row of a thousand: that row is quarantined with the exception, the rest load."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.project_kit import Folder

pytestmark = pytest.mark.slow

INGEST = """
table: raw.payments
from: {source}
columns:
  id: int, key
  card: text, required
  amount: decimal(12,2)
rules:
  known_card: {{python: steps/payments.py:{function}}}
"""
STEPS = '''
import pyarrow as pa

ISSUERS = {"4": "north", "5": "south"}


def issuer(row):
    """What the step does with a row: it fails for a card that nobody issued."""
    return ISSUERS[row["card"][0]] and None


def issuers(rows: pa.Table):
    return [ISSUERS[card[0]] and None for card in rows["card"].to_pylist()]


def ratio(row):
    return 1 / row["amount"] > 0
'''
BAD = 617


def lines(count: int = 1000) -> list[tuple[int, str, str]]:
    return [(at, ("9" if at == BAD else "45"[at % 2]) + f"{at:05}", f"{at % 90 + 1}.50") for at in range(1, count + 1)]


def csv_text() -> str:
    return "id,card,amount\n" + "".join(f"{at},{card},{amount}\n" for at, card, amount in lines())


def source_of(kind: str, root: Path) -> str:
    """Writes the thousand rows as this kind of source; what stands behind `from:`."""
    (root / "data").mkdir(parents=True, exist_ok=True)
    if kind == "csv.gz":
        (root / "data" / "a.csv.gz").write_bytes(gzip.compress(csv_text().encode()))
        return "data/*.csv.gz"
    if kind == "parquet":
        ids, cards, amounts = zip(*lines(), strict=True)
        pq.write_table(pa.table({"id": ids, "card": cards, "amount": amounts}), root / "data" / "a.parquet")
        return "data/*.parquet"
    if kind == "python":
        rows = json.dumps([dict(zip(("id", "card", "amount"), line, strict=True)) for line in lines()])
        (root / "src.py").write_text(f"def rows(position):\n    if position is None:\n        yield {rows}, 1\n")
        return "{python: src.py:rows}"
    (root / "data" / "a.csv").write_text(csv_text())
    return "data/*.csv"


def refused(made: Folder) -> list[tuple[int, list[tuple[str, str | None, str]]]]:
    return [
        (one.position["record"], [(reason.rule, reason.column, reason.message) for reason in one.reasons])
        for one in made.open().quarantine("raw.payments", "open").records
    ]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "python"])
@pytest.mark.parametrize("function", ["issuer", "issuers"])
def test_one_row_of_a_thousand(tmp_path: Path, kind: str, function: str) -> None:
    source = source_of(kind, tmp_path)
    made = Folder.make(
        tmp_path, {"steps/payments.py": STEPS, "ingest/p.yml": INGEST.format(source=source, function=function)}
    )
    step = made.step("raw.payments")
    assert (step.status, step.rows_read, step.rows_loaded, step.rows_quarantined) == ("ok", 1000, 999, 1)
    assert refused(made) == [(BAD, [("known_card", None, "KeyError: '9'")])]
    assert made.rows("select count(*), sum(id) from raw.payments") == [(999, 1000 * 1001 // 2 - BAD)]
    assert made.codes() == []


def test_the_whole_row_waits_and_comes_back_when_the_step_is_mended(tmp_path: Path) -> None:
    ingest = INGEST.format(source=source_of("csv", tmp_path), function="issuer")
    made = Folder.make(tmp_path, {"steps/payments.py": STEPS, "ingest/p.yml": ingest})
    made.run()
    (record,) = made.open().quarantine("raw.payments", "open").records
    assert record.raw == f"{BAD},9{BAD:05},{BAD % 90 + 1}.50"
    assert record.position["line"] == BAD + 1
    made.write("steps/payments.py", STEPS.replace('"5": "south"', '"5": "south", "9": "west"'))
    made.open().replay(table="raw.payments")
    assert made.rows("select count(*) from raw.payments") == [(1000,)]
    assert refused(made) == []
    assert made.codes() == []


def test_a_step_that_fails_for_every_row_loads_none_and_says_so(tmp_path: Path) -> None:
    ingest = INGEST.format(source=source_of("csv", tmp_path), function="issuer") + "refuse_at_most: 1%\n"
    made = Folder.make(tmp_path, {"steps/payments.py": STEPS.replace("ISSUERS[", "{}["), "ingest/p.yml": ingest})
    step = made.step("raw.payments")
    assert (step.status, step.rows_loaded) == ("refused", 0)
    assert len(made.open().quarantine("raw.payments", "held", limit=None).records) == 1000


@pytest.mark.services
def test_on_postgresql_it_is_the_same(tmp_path: Path, postgres: str) -> None:
    ingest = INGEST.format(source=source_of("csv", tmp_path), function="ratio")
    made = Folder.make(tmp_path, {"steps/payments.py": STEPS, "ingest/p.yml": ingest})
    made.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    made.write("data/b.csv", "id,card,amount\n1001,4,0\n1002,4,-1\n1003,4,2\n1003,4,1\n1004,4,\n")
    made.run()
    assert [(reasons[0][0], reasons[0][2]) for _, reasons in refused(made)] == [
        ("known_card", "DivisionByZero: [<class 'decimal.DivisionByZero'>]"),
        ("known_card", "must pass steps/payments.py:ratio"),
        ("key", "must be unique"),
        ("known_card", "TypeError: unsupported operand type(s) for /: 'int' and 'NoneType'"),
    ]
    assert made.rows("select count(*) from raw.payments") == [(1001,)]
    assert made.codes() == []

"""What a contract does to a run: edits that don't fit, limits, warnings, conditions that fail, types from the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults
from headgate.core.errors import CommitError, ContractError, ProjectError

ORDERS = "table: raw.orders\nfrom: data/*.csv\n"
FIRST = "columns:\n  id: int, key\n  amount: int, required\n"


def orders(tmp_path: Path, contract: str = FIRST, data: str = "id,amount\n1,10\n2,20\n", **files: str) -> Folder:
    made = {"ingest/orders.yml": ORDERS + contract, "data/a.csv": data}
    return Folder.make(tmp_path, made | {f"data/{name}.csv": text for name, text in files.items()})


def edit(folder: Folder, contract: str) -> None:
    folder.write("ingest/orders.yml", ORDERS + contract)


# The table and its contract


@pytest.mark.parametrize(
    ("contract", "says"),
    [
        ("columns:\n  id: int, key\n", "not in the contract: amount"),
        ("evolution: {new: freeze}\n" + FIRST + "  note: text\n", "not in the table: note"),
        ("columns:\n  id: int, key\n  amount: decimal(12,2)\n", "amount: BIGINT in the table, DECIMAL(12,2)"),
    ],
)
def test_an_edit_that_no_longer_fits_the_table_is_refused(tmp_path: Path, contract: str, says: str) -> None:
    folder = orders(tmp_path, data="id,amount\n1,10\n2,\n")
    folder.run()
    edit(folder, "extra: ignore\n" + contract)
    before = folder.behind("SELECT * FROM raw.orders ORDER BY ALL")
    for _ in range(2):  # also with nothing new to read
        found = folder.run()
        [finding] = found.findings
        assert (found.status, finding.code) == ("failed", "contract-misfit")
        assert says in finding.what
        assert finding.fix.endswith("headgate run --full-refresh raw.orders")
        folder.write("data/b.csv", "id,amount,note\n3,30,x\n")
    with pytest.raises(CommitError) as caught:
        folder.open().replay(all=True)
    assert caught.value.finding.code == "contract-misfit"
    assert folder.behind("SELECT * FROM raw.orders ORDER BY ALL") == before
    assert folder.codes() == []
    edit(folder, "extra: ignore\n" + FIRST)
    assert folder.step("raw.orders").rows_loaded == 1


def test_an_edit_of_rules_alone_fits_and_judges_what_comes(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    edit(folder, FIRST.replace("required", "required, max(5)"))
    folder.write("data/b.csv", "id,amount\n3,30\n4,4\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 1)
    contracts = {entry.detail["contract"] for entry in folder.open().ledger("raw.orders").entries}
    assert len(contracts) == 2
    assert folder.codes() == []


def test_a_full_refresh_takes_the_edit(tmp_path: Path) -> None:
    folder = orders(tmp_path, data="id,amount,note\n1,10,x\n2,,y\n")
    edit(folder, "extra: ignore\n" + FIRST)
    folder.run()
    assert folder.refused("raw.orders") == [("a.csv", 2, [("required", "amount")])]
    edit(folder, "columns:\n  note: text\n  amount: decimal(4,1)\n  id: text\n")
    step = folder.step("raw.orders", full_refresh=True)
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("ok", 2, 0)
    assert folder.rows("SELECT note, amount, id FROM raw.orders ORDER BY 1") == [("x", "10.0", "1"), ("y", None, "2")]
    assert folder.refused("raw.orders") == []
    assert folder.refused("raw.orders", "superseded") == [("a.csv", 2, [("required", "amount")])]
    assert [entry.generation for entry in folder.open().ledger("raw.orders").entries] == [2, 1]
    assert folder.codes() == []
    assert folder.step("raw.orders").status == "skipped"


def test_a_table_that_is_gone_is_not_made_again_silently(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.behind("DROP TABLE raw.orders")
    folder.write("data/b.csv", "id,amount\n3,30\n")
    found = folder.run()
    [finding] = found.findings
    assert (found.status, finding.code, finding.where) == ("failed", "table-missing", "raw.orders")
    assert finding.fix.endswith("headgate run --full-refresh raw.orders")
    assert folder.codes() == ["table-missing"]
    assert folder.step("raw.orders", full_refresh=True).rows_loaded == 3
    assert folder.codes() == []


def test_a_table_that_somebody_else_made_is_left_alone(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.behind("CREATE SCHEMA raw", "CREATE TABLE raw.orders AS SELECT 7 AS id, 70 AS amount")
    for refresh in (False, True):
        found = folder.run(full_refresh=refresh)
        assert (found.status, found.findings[0].code) == ("failed", "table-unknown")
    assert folder.behind("SELECT * FROM raw.orders") == [(7, 70)]
    assert folder.codes() == ["table-unknown"]
    folder.behind("DROP TABLE raw.orders")
    assert folder.step("raw.orders").rows_loaded == 2
    assert folder.codes() == []


# Rules


@pytest.mark.parametrize("count", [61, 62, 63, 130])
def test_a_contract_may_have_more_rules_than_bits_in_a_word(tmp_path: Path, count: int) -> None:
    rules = "".join(f"  r{number}: x <> {number}\n" for number in range(1, count))
    data = "x,y\n" + "".join(f"{number},\n" for number in (0, 1, 60, 61, 62, 63, 123, 124, 129)) + "bad,\n5,-1\n"
    folder = orders(tmp_path, f"columns:\n  x: int, key\n  y: int, min(0)\nrules:\n{rules}", data)
    folder.run()
    reasons = {record: reasons for _, record, reasons in folder.refused("raw.orders")}
    expected = {
        record: [(f"r{x}", None)] for record, x in enumerate((0, 1, 60, 61, 62, 63, 123, 124, 129), 1) if 0 < x < count
    }
    assert reasons == expected | {10: [("type", "x")], 11: [("min", "y"), ("r5", None)]}
    details = folder.open().ledger("raw.orders").entries[0].detail["reasons"]
    assert sum(details.values()) == len(expected) + 3
    assert folder.codes() == []


def test_rules_that_only_warn_are_counted_one_by_one(tmp_path: Path) -> None:
    folder = orders(
        tmp_path,
        "columns:\n  id: int, key\n  a: int, min(0), max(9), warn\n  b: int, required, warn\n"
        "  c: int, references(raw.orders.id), min(1)\n",
        "id,a,b,c\n1,-1,1,1\n2,10,,1\n3,-5,1,\n4,x,,1\n5,5,5,0\n",
    )
    step = folder.step("raw.orders")
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("ok", 3, 2)
    told = {one.evidence["rule"]: one.evidence["rows"] for one in step.warnings if one.code == "rule-warning"}
    assert told == {"a.min": 2, "a.max": 1, "b.required": 1}
    assert folder.open().ledger("raw.orders").entries[0].detail["warnings"] == told
    assert folder.codes() == []


def test_a_table_waits_for_the_one_that_it_refers_to(tmp_path: Path) -> None:
    """Loaded alone, or before the other one's first file: it is blocked, and what does not need it goes on."""
    folder = Folder.make(
        tmp_path,
        {
            "ingest/a.yml": "table: raw.a\nfrom: data/a*.csv\ncolumns:\n  id: int\n",
            "ingest/b.yml": "table: raw.b\nfrom: data/b*.csv\ncolumns:\n  a: int, references(raw.a.id), warn\n",
            "ingest/c.yml": "table: raw.c\nfrom: data/c*.csv\ncolumns:\n  b: int, references(raw.b.a)\n",
            "ingest/d.yml": "table: raw.d\nfrom: data/b*.csv\ncolumns:\n  a: int\n",
        },
    )
    # Without any file there is nothing to wait for.
    steps = folder.run().steps
    assert [step.status for step in steps] == ["skipped"] * 4
    assert [[one.code for one in step.warnings] for step in steps] == [["nothing-to-read"]] * 4
    assert steps[0].warnings[0].where.startswith("ingest/a.yml:2:")
    folder.write("data/b.csv", "a\n1\n2\n")
    result = folder.run()
    steps = {step.id: (step.status, step.reason) for step in result.steps}
    assert (result.status, result.balanced) == ("failed", True)
    assert steps["raw.a"] == ("skipped", "no file yet")
    assert steps["raw.b"] == ("blocked", "it refers to raw.a, which has not been loaded yet")
    assert "input-missing" in [one.code for one in result.findings]
    assert (steps["raw.c"], steps["raw.d"]) == (("blocked", "raw.b did not succeed"), ("ok", "1 new file"))
    assert folder.step("raw.b", "raw.b", full_refresh=True).status == "blocked"
    assert folder.codes() == []
    folder.write("data/a.csv", "id\n1\n")
    assert folder.step("raw.b").rows_loaded == 2
    assert folder.codes() == []


def test_a_warning_speaks_of_one_row_as_of_one(tmp_path: Path) -> None:
    contract = "columns:\n  id: int, key\n  amount: int, max(15), warn\n"
    (told,) = orders(tmp_path, contract).step("raw.orders").warnings
    assert told.what == "1 loaded row breaks amount.max"


def test_a_reference_that_only_warns_loads_and_counts(tmp_path: Path) -> None:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/a.yml": "table: raw.a\nfrom: data/a.csv\ncolumns:\n  id: int\n",
            "ingest/b.yml": "table: raw.b\nfrom: data/b.csv\ncolumns:\n  a: int, references(raw.a.id), warn\n",
            "data/a.csv": "id\n1\n",
            "data/b.csv": 'a\n1\n2\n""\n3\n',
        },
    )
    step = folder.step("raw.b")
    assert (step.rows_loaded, step.rows_quarantined) == (3, 1)
    assert [one.evidence for one in step.warnings] == [{"rule": "a.references", "rows": 2}]


FAILING = [
    ("rules:\n  even: cast(note as int) % 2 = 0\n", "rule 'even'", "ingest/orders.yml:7"),
    ("skip:\n  even: cast(note as int) % 2 = 0\n", "skip 'even'", "ingest/orders.yml:7"),
    ("rules:\n  fine: id > 0\n  small: id * 9223372036854775807 < 1\n", "rule 'small'", "ingest/orders.yml:8"),
]


@pytest.mark.parametrize(("rules", "names", "where"), FAILING)
def test_a_condition_that_fails_on_a_record_is_named_and_nothing_is_committed(
    tmp_path: Path, rules: str, names: str, where: str
) -> None:
    plain = "columns:\n  id: int, key\n  note: text\n"
    folder = orders(tmp_path, plain, "id,note\n1,2\n,4\n")
    folder.run()
    edit(folder, plain + rules)
    folder.write("data/b.csv", "id,note\n5,secret\n")
    before = folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL")
    found = folder.run()
    [finding] = found.findings
    assert (found.status, finding.code) == ("refused", "rule-failed")
    assert names in finding.what
    assert where in finding.where
    assert "secret" not in finding.render()
    assert "5" not in finding.what.partition("says:")[2]
    assert folder.behind("SELECT * FROM _headgate.entry ORDER BY ALL") == before
    assert folder.codes() == []
    edit(folder, plain + rules.replace("cast(", "try_cast(").replace("id * 92", "id + 0.0 * 92"))
    assert folder.step("raw.orders").status == "ok"


def test_a_condition_that_fails_in_a_replay_is_named_too(tmp_path: Path) -> None:
    plain = "columns:\n  id: int, key\n  note: text\n"
    folder = orders(tmp_path, plain, "id,note\n1,2\n,secret\n")
    folder.run()
    edit(folder, plain + "rules:\n  even: cast(note as int) % 2 = 0\n")
    with pytest.raises(ContractError) as caught:
        folder.open().replay(all=True)
    assert caught.value.finding.code == "rule-failed"
    assert len(folder.refused("raw.orders")) == 1
    edit(folder, plain + "rules:\n  even: nothing > 0\n")
    with pytest.raises(ContractError) as caught:
        folder.open().replay(all=True)
    assert caught.value.finding.code == "unknown-column"


# Limits

TEN = "id,amount\n" + "".join(f"{number},{number}\n" for number in range(8)) + "8,\n9,\n"


@pytest.mark.parametrize(
    ("limit", "stops"),
    [("2", False), ("1", True), ("0", True), ("20%", False), ("19.9%", True), ("0%", True), ("100%", False)],
)
def test_a_limit_stops_the_load_when_more_are_refused(tmp_path: Path, limit: str, stops: bool) -> None:
    folder = orders(tmp_path, f"refuse_at_most: {limit}\n{FIRST}", TEN)
    found = folder.run()
    [step] = found.steps
    assert found.status == step.status == ("refused" if stops else "ok")
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(0 if stops else 8,)]
    assert folder.refused("raw.orders", "held" if stops else "open") == [
        ("a.csv", 9, [("required", "amount")]),
        ("a.csv", 10, [("required", "amount")]),
    ]
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (10, 0 if stops else 8, 2)
    if stops:
        assert found.findings[0].code == "refuse-limit"
        assert f"refuse_at_most: {limit}" in found.findings[0].what
    assert found.balanced
    assert folder.codes() == []


def test_a_share_is_the_decimal_that_was_written(tmp_path: Path) -> None:
    """0.29 as a double, times 100, is less than 29."""
    data = "id,amount\n" + "".join(f"{number},{'' if number < 29 else 1}\n" for number in range(100))
    folder = orders(tmp_path, f"refuse_at_most: 29%\n{FIRST}", data)
    assert folder.run().status == "ok"


def test_held_records_go_with_the_next_load(tmp_path: Path) -> None:
    folder = orders(tmp_path, f"refuse_at_most: 1\n{FIRST}", TEN)
    folder.run()
    first = {record.id for record in folder.open().quarantine("raw.orders", "held").records}
    folder.run()
    second = {record.id for record in folder.open().quarantine("raw.orders", "held").records}
    assert (len(first), len(second), first & second) == (2, 2, set())
    assert folder.open().replay(all=True).rows_read == 0
    edit(folder, f"refuse_at_most: 2\n{FIRST}")
    assert folder.run().status == "ok"
    assert folder.refused("raw.orders", "held") == []
    assert len(folder.refused("raw.orders")) == 2
    assert folder.codes() == []


def test_replace_stops_above_a_twentieth_by_default(tmp_path: Path) -> None:
    data = "id,amount\n" + "".join(f"{number},{'' if number < 2 else 1}\n" for number in range(40))
    folder = orders(tmp_path, f"load: replace\n{FIRST}", data)
    assert folder.step("raw.orders").rows_loaded == 38  # 2 of 40 is exactly 5%
    folder.write("data/a.csv", data.replace("7,1", "7,"))
    found = folder.run()
    assert (found.status, found.findings[0].code) == ("refused", "refuse-limit")
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(38,)]
    edit(folder, f"load: replace\nrefuse_at_most: 50%\n{FIRST}")
    assert folder.step("raw.orders").rows_loaded == 34  # 7, 17, 27 and 37 are refused, too
    assert folder.codes() == []


@pytest.mark.parametrize("how", ["no file", "no record"])
def test_replace_by_nothing_is_refused_unless_it_is_allowed(tmp_path: Path, how: str) -> None:
    folder = orders(tmp_path, f"load: replace\n{FIRST}")
    folder.run()
    if how == "no file":
        (tmp_path / "data" / "a.csv").unlink()
    else:
        folder.write("data/a.csv", "id,amount\n")
    for _ in range(2):
        found = folder.run()
        assert (found.status, found.findings[0].code) == ("refused", "empty-replace")
        assert folder.rows("SELECT count(*) FROM raw.orders") == [(2,)]
    edit(folder, f"load: {{replace: true, allow_empty: true}}\n{FIRST}")
    assert folder.run().status == "ok"
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(0,)]
    assert folder.step("raw.orders").status == "skipped"
    assert folder.codes() == []
    folder.write("data/a.csv", "id,amount\n5,50\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.codes() == []


# Types from the data


def types(folder: Folder) -> dict[str, str]:
    rows = folder.behind("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'orders'")
    return {name: kind for name, kind in rows if name != "_hg_load"}


def test_types_are_taken_from_the_first_load_and_kept(tmp_path: Path) -> None:
    folder = orders(
        tmp_path, "", "id,price,day,ok,note\n1,1.50,2024-01-01,yes,a\n2,20.25,2024-12-31,no,\n",
        b="id,price,day,ok,note\n3,7.5,2024-02-29,true,7\n",
    )  # fmt: skip
    assert folder.step("raw.orders").rows_loaded == 3
    made = types(folder)
    assert made == {
        "id": "BIGINT", "price": "DECIMAL(18,2)", "day": "DATE", "ok": "BOOLEAN", "note": "VARCHAR"
    }  # fmt: skip
    folder.write(
        "data/c.csv", "id,price,day,ok,note\n4,1,2024-01-02,1,x\nfive,1,2024-01-02,1,x\n6,1.234,2024-13-01,,\n"
    )
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 2)
    assert folder.refused("raw.orders") == [
        ("c.csv", 2, [("type", "id")]),
        ("c.csv", 3, [("type", "price"), ("type", "day")]),
    ]
    assert types(folder) == made
    assert folder.codes() == []


def test_types_are_taken_anew_by_a_full_refresh(tmp_path: Path) -> None:
    folder = orders(tmp_path, "", "id\n1\n")
    folder.run()
    folder.write("data/b.csv", "id\nx\n")
    assert folder.step("raw.orders").rows_quarantined == 1
    step = folder.step("raw.orders", full_refresh=True)
    assert (step.rows_loaded, step.rows_quarantined) == (2, 0)
    assert types(folder) == {"id": "VARCHAR"}
    assert folder.codes() == []


def test_types_stay_when_the_refresh_is_refused(tmp_path: Path) -> None:
    folder = orders(tmp_path, "", "id\n1\n")
    folder.run()
    (tmp_path / "data" / "a.csv").unlink()
    assert folder.run(full_refresh=True).findings[0].code == "empty-replace"
    folder.write("data/b.csv", "id\nx\n2\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 1)
    assert types(folder) == {"id": "BIGINT"}
    assert folder.codes() == []


class Killed(BaseException):
    """What a process that dies runs into."""


@pytest.mark.parametrize("point", ["before_write", "after_begin", "after_stage", "after_decide", "after_write"])
def test_types_stay_when_the_refresh_dies(tmp_path: Path, point: str) -> None:
    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    folder = orders(tmp_path, "", "id\n1\n")
    folder.run()
    folder.write("data/b.csv", "id\nx\n")
    faults.install(die)
    try:
        with pytest.raises(Killed):
            folder.run(full_refresh=True)
    finally:
        faults.install(None)
    assert folder.codes() == []
    step = folder.step("raw.orders")
    assert (step.status, step.rows_quarantined) == ("ok", 1)
    assert types(folder) == {"id": "BIGINT"}


def test_nothing_is_pinned_before_there_is_a_file(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS})
    for refresh in (False, True):
        assert folder.step("raw.orders", full_refresh=refresh).status == "skipped"
    assert folder.behind("SELECT count(*) FROM _headgate.contract") == [(0,)]
    folder.write("data/a.csv", "id\n1\n")
    assert folder.step("raw.orders").rows_loaded == 1


def test_an_upsert_without_columns_replays_by_its_key(tmp_path: Path) -> None:
    folder = orders(tmp_path, "load: {upsert: id}\n", "id,amount\n1,10\n2,20\n", b="id,amount\n3,30\n")
    folder.run()
    folder.write("data/c.csv", "id,amount\n,40\n2,21\n4,x\n")
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 2)
    again = folder.open().replay(all=True)
    assert (again.rows_read, again.rows_quarantined) == (2, 2)
    assert folder.rows("SELECT id, amount FROM raw.orders ORDER BY 1") == [(1, 10), (2, 21), (3, 30)]
    assert folder.codes() == []


def test_two_warnings_of_one_kind_are_counted_together(tmp_path: Path) -> None:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/a.yml": "table: raw.a\nfrom: data/a.csv\n"
            "columns:\n  name: text, pattern('^a'), pattern('z$'), warn\n",
            "data/a.csv": "name\nabc\nxyz\nxx\naz\n",
        },
    )
    step = folder.step("raw.a")
    assert [one.evidence for one in step.warnings] == [{"rule": "name.pattern", "rows": 4}]


def test_quarantine_of_unknown_columns_needs_known_ones(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/a.yml": "table: raw.a\nfrom: data/a.csv\nextra: quarantine\n"})
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert caught.value.finding.what == "extra: quarantine needs columns:"

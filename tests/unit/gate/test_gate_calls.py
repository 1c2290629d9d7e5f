"""Rules in Python: what a function says of a record is its reason, and nothing else about the load changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.gate import calls

INGEST = """
table: raw.t
from: data/*.csv
columns:
  id: int, key
  amount: decimal(12,2), min(0)
  on: date
  at: timestamptz
  note: json
rules:
  first: id <> 99
  second: {python: rules/t.py:judge}
"""
LINES = ("1,1.50,2024-01-02,2024-01-02 03:04+02:00,", "2,-1,,,", "3,x,,,", ",7,,,", '5,5,,,"{""a"": [1]}"')


def folder(root: Path, code: str, ingest: str = INGEST, lines: tuple[str, ...] = LINES) -> Folder:
    data = "id,amount,on,at,note\n" + "".join(line + "\n" for line in lines)
    return Folder.make(root, {"ingest/t.yml": ingest, "rules/t.py": code, "data/a.csv": data})


def told(made: Folder) -> dict[int, list[tuple[str, str | None, str]]]:
    """By record number, every reason of what is open in quarantine."""
    return {
        one.position["record"]: [(reason.rule, reason.column, reason.message) for reason in one.reasons]
        for one in made.open().quarantine("raw.t", "open").records
    }


def ours(made: Folder) -> dict[int, list[str]]:
    """By record number, what the function said."""
    said = {at: [text for rule, _, text in reasons if rule == "second"] for at, reasons in told(made).items()}
    return {at: texts for at, texts in said.items() if texts}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", None),
        ("return True", None),
        ("import numpy; return numpy.bool_(True)", None),
        ("return False", "must pass rules/t.py:judge"),
        ("import numpy; return numpy.bool_(False)", "must pass rules/t.py:judge"),
        ("return 'no good'", "no good"),
        ("return ''", "must pass rules/t.py:judge"),
        ("raise ValueError('no good')", "no good"),
        ("raise ValueError", "ValueError"),
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("raise RuntimeError", "RuntimeError"),
        ("assert record['id'] > 1, 'too small'", "AssertionError: too small"),
        ("return 'a\\x00b\\ud800'", "a\\x00b\\ud800"),
        ("return 'x' * 5000", "x" * 999 + "…"),
    ],
)
def test_what_an_answer_says(tmp_path: Path, body: str, message: str | None) -> None:
    if "numpy" in body:
        pytest.importorskip("numpy")
    made = folder(tmp_path, f"def judge(record):\n    {body}\n", lines=LINES[:1])
    step = made.step("raw.t")
    assert (step.status, step.rows_quarantined) == ("ok", 0 if message is None else 1)
    assert ours(made) == ({} if message is None else {1: [message]})
    assert made.codes() == []


def test_a_function_is_given_typed_values_of_the_contracts_columns(tmp_path: Path) -> None:
    made = folder(tmp_path, "def judge(record):\n    return repr(record)\n")
    made.run()
    assert ours(made)[1] == [
        "{'id': 1, 'amount': Decimal('1.50'), 'on': datetime.date(2024, 1, 2), "
        "'at': datetime.datetime(2024, 1, 2, 1, 4, tzinfo=datetime.timezone.utc), 'note': None}"
    ]
    assert "'note': {'a': [1]}" in ours(made)[5][0]
    assert "'amount': None" in ours(made)[3][0]


def test_reasons_are_complete_and_in_order(tmp_path: Path) -> None:
    ingest = INGEST + "  third: {python: rules/t.py:again}\n"
    made = folder(tmp_path, "def judge(record): return 'one'\ndef again(record): return 'two'\n", ingest)
    made.run()
    assert told(made)[2] == [
        ("min", "amount", "must be at least 0"), ("second", None, "one"), ("third", None, "two")
    ]  # fmt: skip
    assert told(made)[3] == [
        ("type", "amount", "expected decimal(12,2)"), ("second", None, "one"), ("third", None, "two")
    ]  # fmt: skip
    assert [rule for rule, _, _ in told(made)[4]] == ["required", "second", "third"]


def test_what_is_raised_over_a_value_that_is_not_there_is_no_reason_of_its_own(tmp_path: Path) -> None:
    made = folder(
        tmp_path, "def judge(record):\n    return record['id'] + record['amount'] < 0 or None\n", lines=LINES[1:4]
    )
    made.run()
    assert {at: [rule for rule, _, _ in reasons] for at, reasons in told(made).items()} == {
        1: ["min"], 2: ["type"], 3: ["required"]
    }  # fmt: skip
    made = folder(tmp_path / "2", "def judge(record):\n    if record['amount'] is None: raise ValueError('none')\n")
    made.run()
    assert [rule for rule, _, _ in told(made)[3]] == ["type", "second"]


def test_a_null_that_the_contract_allows_is_the_functions_business(tmp_path: Path) -> None:
    made = folder(tmp_path, "def judge(record):\n    return record['amount'] >= 0\n", lines=("1,,,,",))
    made.run()
    assert ours(made)[1][0].startswith("TypeError: ")


def test_a_rule_that_warns_is_counted_and_refuses_nothing(tmp_path: Path) -> None:
    ingest = INGEST.replace("judge}", "judge, severity: warn}")
    made = folder(tmp_path, "def judge(record):\n    return record['id'] != 1\n", ingest)
    result = made.run()
    assert result.steps[0].rows_loaded == 2
    assert [(one.code, one.evidence) for one in result.steps[0].warnings] == [
        ("rule-warning", {"rule": "second", "rows": 1})
    ]
    assert ours(made) == {}


def test_skipped_records_are_not_shown(tmp_path: Path) -> None:
    ingest = INGEST + "skip:\n  none: id = 1\n"
    code = "import pathlib\nSEEN = pathlib.Path(__file__).with_suffix('.txt')\n"
    code += "def judge(record):\n    with SEEN.open('a') as out: print(record['id'], file=out)\n    return 'seen'\n"
    made = folder(tmp_path, code, ingest)
    step = made.step("raw.t")
    assert (step.rows_skipped, step.rows_loaded) == (1, 0)
    assert (tmp_path / "rules" / "t.txt").read_text().split() == ["2", "3", "None", "5"]


def test_a_record_that_the_function_changes_loads_as_it_was(tmp_path: Path) -> None:
    ingest = INGEST + "  third: {python: rules/t.py:again}\n"
    code = "def judge(record):\n    record['id'] = 7\n    record.clear()\ndef again(record): return record['id'] == 1\n"
    made = folder(tmp_path, code, ingest, LINES[:1])
    made.run()
    assert made.rows("select id from raw.t") == [(1,)]


def test_a_refused_row_takes_no_key_across_pieces_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PIECE_ROWS", 2)
    code = "def judge(record):\n    return record['amount'] < 5\n"
    made = folder(tmp_path, code, lines=("1,9,,,", "1,1,,,", "1,2,,,", "2,9,,,", "3,9,,,"))
    made.write("data/b.csv", "id,amount,on,at,note\n2,1,,,\n3,9,,,\n3,1,,,\n")
    made.run()
    assert sorted(made.rows("select id, amount from raw.t")) == [(1, "1.00"), (2, "1.00"), (3, "1.00")]
    assert made.refused("raw.t") == [
        ("a.csv", 1, [("second", None)]), ("a.csv", 3, [("key", "id")]), ("a.csv", 4, [("second", None)]),
        ("a.csv", 5, [("second", None)]), ("b.csv", 2, [("second", None)]),
    ]  # fmt: skip
    assert made.codes() == []


TABLE = "import pyarrow as pa, pyarrow.compute as pc\ndef judge(rows: pa.Table):\n    "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return pc.less(rows['id'], 3)", {3: "must pass rules/t.py:judge", 5: "must pass rules/t.py:judge"}),
        ("return [None if one != 5 else 'five' for one in rows['id'].to_pylist()]", {5: "five"}),
        ("return pa.array([None] * rows.num_rows, pa.bool_())", {}),
        ("return None", {}),
        ("if 5 in rows['id'].to_pylist(): raise ValueError('a five')", {5: "a five"}),
        ("return rows['note'].type == pa.string() and [True] * rows.num_rows", {}),
    ],
)
@pytest.mark.parametrize("spelling", ["", "from __future__ import annotations\n"])
def test_a_function_of_tables(tmp_path: Path, body: str, expected: dict[int, str], spelling: str) -> None:
    made = folder(tmp_path, spelling + TABLE + body + "\n")
    made.run()
    assert {at: texts[0] for at, texts in ours(made).items()} == expected


@pytest.mark.parametrize(
    ("body", "code", "what"),
    [
        ("return 1", "bad-answer", "judge() of rules/t.py gave a int"),
        ("raise SystemExit(3)", "rule-stopped", "raised SystemExit"),
    ],
)
def test_what_is_no_answer_stops_the_load(tmp_path: Path, body: str, code: str, what: str) -> None:
    made = folder(tmp_path, f"def judge(record):\n    {body}\n")
    finding = made.run().findings[0]
    assert (finding.code, what in finding.what, "nothing was loaded" in finding.what) == (code, True, True)
    assert finding.where.startswith("rules/t.py:")
    assert made.open().ledger().entries == ()


def test_a_table_has_an_answer_for_each_row(tmp_path: Path) -> None:
    made = folder(tmp_path, TABLE + "return [True]\n")
    assert "gave 1 answers for 5 rows" in made.run().findings[0].what


def test_personal_data_stays_out_of_messages_that_are_ours(tmp_path: Path) -> None:
    ingest = INGEST.replace("min(0)", "min(0), pii")
    made = folder(tmp_path, "def judge(record):\n    return {}[record['amount']]\n", ingest, LINES[:1])
    made.run()
    assert ours(made) == {1: ["KeyError at rules/t.py:2"]}


def test_a_replay_asks_the_function_as_it_stands_now(tmp_path: Path) -> None:
    made = folder(tmp_path, "def judge(record):\n    return record['id'] != 1\n", lines=(LINES[0], LINES[4]))
    made.run()
    made.write("rules/t.py", "def judge(record):\n    return record['id'] != 5\n")
    assert made.step("raw.t").status == "skipped"
    result = made.open().replay(table="raw.t")
    assert made.rows("select id from raw.t order by id") == [(1,), (5,)]
    assert result is not None
    assert made.codes() == []


def test_under_upsert_a_refused_version_replaces_nothing(tmp_path: Path) -> None:
    ingest = INGEST.replace("columns:", "load: upsert\ncolumns:")
    made = folder(tmp_path, "def judge(record):\n    return record['amount'] < 5\n", ingest, ("1,1,,,",))
    made.run()
    made.write("data/b.csv", "id,amount,on,at,note\n1,2,,,\n1,9,,,\n")
    made.run()
    assert made.rows("select id, amount from raw.t") == [(1, "2.00")]


def test_what_a_function_prints_is_not_the_commands_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path, "def judge(record):\n    print('a word')\n", lines=LINES[:1]).run()
    out = capsys.readouterr()
    assert ("a word" in out.out, "a word" in out.err) == (False, True)

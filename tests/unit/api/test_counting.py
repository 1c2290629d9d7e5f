"""`check --data`: rows of tables as they stand that break their rules, completeness, duplicates; nothing is changed."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.api.results import DataCheck
from headgate.cli.main import main
from headgate.core.errors import ProjectError
from headgate.quality.counts import RuleCount, TableCount
from headgate.sql import late

ORDERS = """table: raw.orders
from: data/orders.csv
columns:
  id: int, key
  customer: int, references(raw.customers.id), pii
  code: text(3), in(a, b, abc), warn
  amount: decimal(9,2), min(0), mostly(50%)
  made: timestamp
rules:
  late: made > timestamp '2020-01-01'
  total: {sql: sum(amount), max: 100}
  fresh: {freshness: made, within: 1d}
"""
FILES = {
    "ingest/customers.yml": "table: raw.customers\nfrom: data/customers.csv\ncolumns:\n  id: int, key\n",
    "data/customers.csv": "id\n1\n2\n",
    "ingest/orders.yml": ORDERS.replace("  fresh: {freshness: made, within: 1d}\n", ""),
    "data/orders.csv": "id,customer,code,amount,made\n1,1,a,2,2026-01-01 00:00:00\n2,2,b,3.5,\n",
    "models/paid.sql": "select * from {{ ref('raw.orders') }}",
    "models/paid.yml": "models:\n  - name: paid\n    tests:\n      - expression: amount < 100\n    columns:\n"
    "      - name: id\n        tests: [unique, {not_null: {severity: warn}}]\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder.make(tmp_path_factory.mktemp("p"), FILES)
    assert folder.run().status == "ok"
    return folder


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Folder:
    return made.copy(tmp_path / "p")


def spoilt(folder: Folder) -> Folder:
    """Rows that came past the gate: a doubled id, an orphan, a long code, negative amounts, an old time."""
    row = "(3, 9, 'abcd', -1, timestamp '2019-01-01', 1)"
    folder.behind(f"INSERT INTO raw.orders VALUES {row}, {row}, (NULL, NULL, 'q', NULL, NULL, 1)")
    return folder


def table(answer: DataCheck, name: str = "raw.orders") -> TableCount:
    return next(one for one in answer.tables if one.name == name)


def rule(answer: DataCheck, name: str, table_name: str = "raw.orders", column: str | None = None) -> RuleCount:
    found = [one for one in table(answer, table_name).rules if one.rule == name and column in (None, one.column)]
    assert len(found) == 1, found
    return found[0]


def test_what_was_loaded_keeps_its_contract(folder: Folder) -> None:
    answer = folder.open().check_data()
    assert answer.ok
    assert [(one.name, one.kind, one.rows) for one in answer.tables] == [
        ("raw.customers", "table", 2), ("raw.orders", "table", 2), ("paid", "model", 2),
    ]  # fmt: skip
    assert {one.status for one in table(answer).rules} == {"ok", "skipped"}
    assert [(one.rule, one.value, one.reason) for one in table(answer).rules if one.status == "skipped"] == [
        ("total", "5.50", "it judges a load, not the table")
    ]


def test_every_row_that_breaks_a_rule_is_counted(folder: Folder) -> None:
    answer = spoilt(folder).open().check_data()
    assert not answer.ok
    columns = {one.name: (one.rows, one.filled, one.percent) for one in table(answer).columns}
    assert columns == {
        "id": (5, 4, 80.0), "customer": (5, 4, 80.0), "code": (5, 5, 100.0), "amount": (5, 4, 80.0),
        "made": (5, 3, 60.0),
    }  # fmt: skip
    found = {one.rule: (one.status, one.broken, one.counted) for one in table(answer).rules}
    assert found == {
        "type": ("error", 2, 5), "required": ("error", 1, 5), "in": ("warn", 1, 3), "min": ("warn", 2, 4),
        "late": ("error", 2, 5), "key": ("error", 2, 4), "references": ("error", 2, 4), "total": ("skipped", 0, 0),
    }  # fmt: skip
    assert rule(answer, "key").repeated == 1
    assert [(one.value, one.rows) for one in rule(answer, "key").examples] == [("3", 2)]
    assert rule(answer, "in").where == "ingest/orders.yml:6:18"


def test_tests_of_models_count_as_they_do_in_a_build(folder: Folder) -> None:
    answer = spoilt(folder).open().check_data(["paid"])
    assert [one.name for one in answer.tables] == ["paid"]
    assert [(one.origin, one.rule, one.status, one.broken, one.counted) for one in answer.tables[0].rules] == [
        ("test", "unique_paid_id", "error", 2, 5),
        ("test", "not_null_paid_id", "warn", 1, 5),
        ("test", "expression_paid_1", "ok", 0, 5),
    ]


def test_every_query_shows_the_rows_that_were_counted(folder: Folder) -> None:
    answer = spoilt(folder).open().check_data()
    asked = [one for each in answer.tables for one in each.rules if one.query]
    assert len(asked) == 8
    for one in asked:
        shown = folder.open().query(one.query)
        column = [item.name for item in shown.columns].index("_hg_rows") if one.repeated else None
        assert sum(row[column] if column is not None else 1 for row in shown.rows) == one.broken, one.query


def test_nothing_is_changed(folder: Folder) -> None:
    before = (folder.root / "w.duckdb").read_bytes()
    folder.open().check_data()
    assert (folder.root / "w.duckdb").read_bytes() == before


def test_values_of_personal_columns_are_no_examples(folder: Folder) -> None:
    folder.write("ingest/orders.yml", ORDERS.replace("id: int, key", "id: int, key, pii"))
    one = rule(spoilt(folder).open().check_data(), "key")
    assert (one.broken, one.repeated, one.examples) == (2, 1, ())


def test_mostly_fails_only_where_it_is_missed(folder: Folder) -> None:
    folder.behind("UPDATE raw.orders SET amount = -1 WHERE id = 1")
    assert (rule(folder.open().check_data(), "min").status, rule(folder.open().check_data(), "min").mostly) == (
        "warn", "50%",
    )  # fmt: skip
    folder.behind("UPDATE raw.orders SET amount = -1")
    answer = folder.open().check_data()
    assert (answer.ok, rule(answer, "min").status) == (False, "error")


def test_how_fresh_a_table_is_is_judged_at_rest_too(folder: Folder) -> None:
    folder.write("ingest/orders.yml", ORDERS)
    one = rule(folder.open().check_data(), "fresh")
    assert (one.status, one.broken) == ("error", 1)
    folder.behind("UPDATE raw.orders SET made = now()::timestamp")
    assert rule(folder.open().check_data(), "fresh").status == "ok"


def test_a_table_that_is_one_load_is_judged_as_a_whole(folder: Folder) -> None:
    folder.write("ingest/orders.yml", FILES["ingest/orders.yml"] + "load: replace\n")
    folder.run()
    assert rule(folder.open().check_data(), "total").status == "ok"
    folder.behind("UPDATE raw.orders SET amount = 200")
    one = rule(folder.open().check_data(), "total")
    assert (one.status, one.value) == ("error", "400.00")


def test_a_table_that_does_not_follow_its_contract_yet(folder: Folder) -> None:
    changed = (
        FILES["ingest/orders.yml"]
        .replace("amount: decimal(9,2)", "amount: int")
        .replace("  made:", "  more: text\n  made:")
    )
    folder.write("ingest/orders.yml", changed)
    answer = folder.open().check_data(["raw.orders"])
    assert (rule(answer, "column").column, rule(answer, "column").status) == ("more", "error")
    assert "headgate run raw.orders" in rule(answer, "column").reason
    unfit = rule(answer, "type", column="amount")
    assert (unfit.broken, unfit.counted) == (1, 2)  # 3.5 is no int
    assert (rule(answer, "min").broken, rule(answer, "min").counted) == (0, 1)


def test_only_current_versions_are_to_be_unique(tmp_path: Path) -> None:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/c.yml": "table: raw.c\nfrom: data/*.csv\nload: {scd2: id, order_by: at}\n"
            "columns:\n  id: int\n  city: text\n  at: date\n",
            "data/c.csv": "id,city,at\n1,Ulm,2026-01-01\n1,Bonn,2026-02-01\n2,Ulm,2026-01-01\n",
        },
    )
    folder.run()
    answer = folder.open().check_data()
    key = rule(answer, "key", "raw.c")
    assert (answer.ok, key.status, key.counted, answer.tables[0].rows) == (True, "ok", 2, 3)
    folder.behind("UPDATE raw.c SET is_current = true")
    key = rule(folder.open().check_data(), "key", "raw.c")
    assert (key.status, key.broken) == ("error", 2)


def test_a_reference_to_a_table_that_is_gone(folder: Folder) -> None:
    folder.behind("DROP TABLE raw.customers")
    one = rule(folder.open().check_data(), "references")
    assert (one.status, one.broken, one.counted) == ("error", 2, 2)


def test_what_only_a_load_can_judge_is_said(folder: Folder) -> None:
    folder.write("rules/orders.py", "def even(row):\n    return row['id'] % 2 == 0\n")
    folder.write("ingest/orders.yml", FILES["ingest/orders.yml"] + "  even: {python: rules/orders.py:even}\n")
    one = rule(folder.open().check_data(), "even")
    assert (one.status, one.reason) == ("skipped", "it judges records while they are loaded")


def test_a_test_that_can_not_be_counted_is_not_taken_for_kept(folder: Folder) -> None:
    folder.behind("DROP VIEW main.paid", "CREATE TABLE main.paid AS SELECT 'x' AS id")
    answer = folder.open().check_data(["paid"])
    assert [(one.status, bool(one.reason)) for one in answer.tables[0].rules] == [
        ("ok", False), ("ok", False), ("error", True),
    ]  # fmt: skip
    assert not answer.ok


def test_an_ingest_without_columns_and_one_that_never_ran(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/a.yml": "table: raw.a\nfrom: a.csv\n", "a.csv": "x,y\n1,\n2,b\n"})
    assert folder.open().check_data() == DataCheck(True, ())
    with pytest.raises(ProjectError, match="not in the warehouse yet"):
        folder.open().check_data(["raw.a"])
    folder.run()
    (found,) = folder.open().check_data().tables
    assert [(one.name, one.filled) for one in found.columns] == [("x", 2), ("y", 1)]
    assert found.rules == ()


def test_hostile_names(tmp_path: Path) -> None:
    name = "a\"b'; DROP TABLE x; --"
    folder = Folder.make(
        tmp_path,
        {
            "ingest/t.yml": f"table: raw.t\nfrom: t.csv\ncolumns:\n  {json.dumps(name)}: int, unique, min(0)\n",
            "t.csv": '"' + name.replace('"', '""') + '"\n1\n2\n',
        },
    )
    assert folder.run().status == "ok"
    folder.behind("INSERT INTO raw.t VALUES (1, 1), (-1, 1)")
    (found,) = folder.open().check_data().tables
    assert [(one.rule, one.broken) for one in found.rules] == [("min", 1), ("unique", 2)]
    for one in found.rules:
        assert folder.open().query(one.query).rows


def test_many_columns(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(310)]
    columns = "".join(f"  {name}: int, min(0)\n" for name in names)
    folder = Folder.make(
        tmp_path,
        {
            "ingest/t.yml": "table: raw.t\nfrom: t.csv\ncolumns:\n" + columns,
            "t.csv": ",".join(names) + "\n" + ",".join("7" for _ in names) + "\n",
        },
    )
    folder.run()
    folder.behind("UPDATE raw.t SET c309 = -1, c0 = NULL")
    (found,) = folder.open().check_data().tables
    assert [one.column for one in found.rules if one.broken] == ["c309"]
    assert [one.name for one in found.columns if one.filled < 1] == ["c0"]


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_are_those_of_plain_python(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    known = [1, 2, 3]
    rows = [(draw.choice([None, *range(40)]), draw.choice([None, 1, 2, 3, 4]), draw.choice([None, -1, 0, 5]))
            for _ in range(60)]  # fmt: skip
    folder = Folder.make(
        tmp_path,
        {
            "ingest/p.yml": "table: raw.p\nfrom: p.csv\ncolumns:\n  id: int, key\n",
            "p.csv": "id\n" + "".join(f"{one}\n" for one in known),
            "ingest/t.yml": "table: raw.t\nfrom: t.csv\ncolumns:\n  id: int, required, unique\n"
            "  p: int, references(raw.p.id)\n  n: int, min(0), warn\nrules:\n  sum: n + p < 8\n",
            "t.csv": "id,p,n\n",
        },
    )
    folder.run()
    with_values = ", ".join(str((*row, 1)).replace("None", "NULL") for row in rows)
    folder.behind(f"INSERT INTO raw.t VALUES {with_values}")
    ids = Counter(row[0] for row in rows if row[0] is not None)
    expected = {
        "required": sum(row[0] is None for row in rows),
        "unique": sum(number for number in ids.values() if number > 1),
        "references": sum(row[1] is not None and row[1] not in known for row in rows),
        "min": sum(row[2] is not None and row[2] < 0 for row in rows),
        "sum": sum(None not in row[1:] and row[1] + row[2] >= 8 for row in rows),  # type: ignore[operator]
    }
    answer = folder.open().check_data(["raw.t"])
    assert {one.rule: one.broken for one in answer.tables[0].rules} == expected
    assert [one.filled for one in answer.tables[0].columns] == [
        sum(v is not None for v in c) for c in zip(*rows, strict=True)
    ]


def test_the_command_says_it_and_exits_by_it(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["check", "--data", "--project", str(folder.root)]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "ok: 0 of 13 rules broken, 0 warnings, 3 tables"
    spoilt(folder)
    assert main([*words, "raw.orders"]) == 1
    out = capsys.readouterr().out
    assert "key         id        error         2   4  must be unique; 1 value stands more than once (3 x2)" in out
    assert out.splitlines()[-1] == "not ok: 5 of 8 rules broken, 2 warnings, 1 table"
    assert main([*words, "raw.orders", "--json"]) == 1
    given = json.loads(capsys.readouterr().out)
    assert DataCheck.from_json(given) == DataCheck.from_json(json.loads(json.dumps(given)))
    assert given["tables"][0]["rules"][0]["broken"] == 2


def test_on_postgres_as_well(folder: Folder, postgres: str) -> None:
    folder.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    (folder.root / "w.duckdb").unlink()
    assert folder.run().status == "ok"
    import psycopg

    with psycopg.connect(postgres) as connection:
        row = "(3, 9, 'abcd', -1, timestamp '2019-01-01', 1)"
        connection.execute("ALTER TABLE raw.orders ALTER id DROP NOT NULL")
        connection.execute(f"INSERT INTO raw.orders VALUES {row}, {row}, (NULL, NULL, 'q', NULL, NULL, 1)")
    answer = folder.open().check_data()
    found = {one.rule: (one.status, one.broken, one.counted) for one in table(answer).rules}
    assert found == {
        "type": ("error", 2, 5), "required": ("error", 1, 5), "in": ("warn", 1, 3), "min": ("warn", 2, 4),
        "late": ("error", 2, 5), "key": ("error", 2, 4), "references": ("error", 2, 4), "total": ("skipped", 0, 0),
    }  # fmt: skip
    assert [one.broken for one in table(answer, "paid").rules] == [2, 1, 0]
    for one in table(answer).rules:
        assert not one.query or folder.open().query(one.query).rows
    assert rule(answer, "key").query


@pytest.mark.parametrize("order", ["id", "hash(id)", "-id"])
def test_keys_that_grow_with_the_rows_are_counted_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """With a look at the late ones alone where there are few of them, by grouping all where not."""
    monkeypatch.setattr(late, "LEAST", 0)
    monkeypatch.setattr(late, "PROBE", 100)
    folder = Folder.make(
        tmp_path, {"ingest/t.yml": "table: raw.t\nfrom: t.csv\ncolumns:\n  id: int, unique\n", "t.csv": "id\n"}
    )
    folder.run()
    rows = "SELECT * FROM (SELECT i AS id FROM range(3000) r(i) UNION ALL SELECT 7 FROM range(3) UNION ALL SELECT 2999)"
    folder.behind(f"INSERT INTO raw.t SELECT id, 1 FROM ({rows}) ORDER BY {order}, id")
    one = rule(folder.open().check_data(), "unique", "raw.t")
    assert (one.broken, one.repeated, one.counted) == (6, 2, 3004)
    assert [(each.value, each.rows) for each in one.examples] == [("7", 4), ("2999", 2)]
    folder.behind("DELETE FROM raw.t WHERE id IN (7, 2999)")
    one = rule(folder.open().check_data(), "unique", "raw.t")
    assert (one.status, one.broken, one.counted) == ("ok", 0, 2998)

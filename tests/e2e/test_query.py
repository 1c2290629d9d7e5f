"""`headgate query`: every type, and nothing but looking."""

from __future__ import annotations

import pytest
from tests.e2e.conftest import Lab

# SQL value -> type as DuckDB spells it, value in JSON
TYPES = {
    "1::TINYINT": ("TINYINT", 1),
    "12345678901234567890123456789012345678::HUGEINT": ("HUGEINT", 12345678901234567890123456789012345678),
    "1.50::DECIMAL(12,2)": ("DECIMAL(12,2)", "1.50"),
    "0.1::DOUBLE": ("DOUBLE", 0.1),
    "'NaN'::DOUBLE": ("DOUBLE", "NaN"),
    "'-inf'::DOUBLE": ("DOUBLE", "-Infinity"),
    "true": ("BOOLEAN", True),
    "NULL::DATE": ("DATE", None),
    "DATE '2024-01-02'": ("DATE", "2024-01-02"),
    "'infinity'::DATE": ("DATE", "infinity"),
    "DATE '0044-03-15 (BC)'": ("DATE", "0044-03-15 (BC)"),
    "TIME '01:02:03.5'": ("TIME", "01:02:03.5"),
    "TIMESTAMP '2024-01-02 03:04:05.000007'": ("TIMESTAMP", "2024-01-02T03:04:05.000007"),
    "TIMESTAMP '12024-01-02 03:04:05'": ("TIMESTAMP", "12024-01-02T03:04:05"),
    "TIMESTAMP_NS '2024-01-02 03:04:05.123456789'": ("TIMESTAMP_NS", "2024-01-02T03:04:05.123456789"),
    "TIMESTAMPTZ '2024-01-02 03:04:05+02'": ("TIMESTAMP WITH TIME ZONE", "2024-01-02T01:04:05+00:00"),
    "INTERVAL '14 months 3 days 04:05:06'": ("INTERVAL", "1 year 2 months 3 days 04:05:06"),
    "UUID '6CCD780C-BABA-1026-9564-5B8C656024DB'": ("UUID", "6ccd780c-baba-1026-9564-5b8c656024db"),
    "'\\x00\\xAB'::BLOB": ("BLOB", "\\x00ab"),
    "'101'::BIT": ("BIT", "101"),
    "'x'::ENUM('x', 'y')": ("ENUM('x', 'y')", "x"),
    "'{\"a\":1}'::JSON": ("JSON", '{"a":1}'),
    "[1, NULL]": ("INTEGER[]", [1, None]),
    "[1.5::DECIMAL(3,1)]::DECIMAL(3,1)[1]": ("DECIMAL(3,1)[1]", ["1.5"]),
    "[INTERVAL 1 DAY]": ("INTERVAL[]", ["1 day"]),
    "{'a b': 1.5::DECIMAL(3,1), 'c': [TIMESTAMPTZ '2024-01-01 00:00:00+00']}": (
        'STRUCT("a b" DECIMAL(3,1), c TIMESTAMP WITH TIME ZONE[])',
        {"a b": "1.5", "c": ["2024-01-01T00:00:00+00:00"]},
    ),
    "NULL::STRUCT(a DATE)": ("STRUCT(a DATE)", None),
    "[NULL, {'a': DATE '2024-01-01'}]": ("STRUCT(a DATE)[]", [None, {"a": "2024-01-01"}]),
    "MAP {'k': ['nan'::DOUBLE]}": ("MAP(VARCHAR, DOUBLE[])", {"k": ["NaN"]}),
    "MAP {[1]: 2}": ("MAP(INTEGER[], INTEGER)", "{[1]=2}"),
    "union_value(n := 3)": ("UNION(n INTEGER)", "3"),
}


def test_every_type_has_one_form_in_json(lab: Lab) -> None:
    answer = lab.ok("query", "SELECT " + ", ".join(f"{value} AS x" for value in TYPES))
    assert answer["columns"] == [{"name": "x", "type": kind} for kind, _ in TYPES.values()]
    assert answer["rows"] == [[value for _, value in TYPES.values()]]
    assert answer["total"] == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM raw.orders ORDER BY id;",
        "select id\n  from raw.orders order by id -- the end",
        "WITH o AS (FROM raw.orders) SELECT id FROM o ORDER BY id",
        "SELECT id FROM raw.orders ORDER BY id ;; ",
    ],
)
def test_a_select_is_answered_however_it_is_written(loaded: Lab, sql: str) -> None:
    assert loaded.rows(sql) == [[1], [2]]


def test_what_describes_tables_is_answered_too(loaded: Lab) -> None:
    assert [row[:2] for row in loaded.rows("DESCRIBE raw.orders")][:2] == [
        ["id", "BIGINT"],
        ["amount", "DECIMAL(12,2)"],
    ]
    assert ["raw", "orders"] in [row[1:3] for row in loaded.rows("SHOW ALL TABLES")]
    assert loaded.rows("PIVOT (SELECT 'a' AS k) ON k USING count(*)") == [[1]]


REFUSED = {
    "DELETE FROM raw.orders": "kind DELETE",
    "INSERT INTO raw.orders VALUES (9, 9, 9)": "kind INSERT",
    "DROP TABLE raw.orders": "kind DROP",
    "CREATE TABLE x AS SELECT 1": "kind CREATE",
    "COPY raw.orders TO 'out.csv'": "kind COPY",
    "ATTACH 'other.duckdb'": "kind ATTACH",
    "INSTALL httpfs": "kind LOAD",
    "SET enable_external_access = true": "kind SET",
    "SELECT 1; DROP TABLE raw.orders": "2 statements",
    "SELECT 1) AS q; DROP TABLE raw.orders; --": 'syntax error at or near ")"',
    "SELECT * FROM read_csv('/etc/passwd')": "file system operations are disabled",
    "SELECT * FROM 'headgate.yml'": "does not exist",
    "": "no statement",
    " ;": "no statement",
    "-- nothing": "no statement",
    "SELECT ?": "parameter",
}


@pytest.mark.slow
def test_what_is_more_than_a_look_is_refused(loaded: Lab) -> None:
    before = sorted(path.name for path in loaded.root.rglob("*"))
    for sql, said in REFUSED.items():
        finding = loaded.fails(2, "query", sql)
        assert (finding["code"], said in finding["what"]) == ("query-failed", True), (sql, finding)
    assert loaded.rows("SELECT count(*) FROM raw.orders") == [[2]]
    assert sorted(path.name for path in loaded.root.rglob("*")) == before


@pytest.mark.parametrize("sql", ["SELECT * FROM read_csv('/etc/passwd')", "SELECT 1; COPY (SELECT 1) TO 'out.csv'"])
def test_a_project_without_a_warehouse_gives_no_reach_to_files_either(lab: Lab, sql: str) -> None:
    assert lab.fails(2, "query", sql)["code"] == "query-failed"
    assert not (lab.root / "out.csv").exists()


def test_a_mistake_is_shown_in_the_words_that_were_typed(loaded: Lab) -> None:
    ran = loaded.headgate("query", "selct *\nfrom raw.orders")
    assert ran.code == 2
    assert ran.out == ""
    assert "LINE 1: selct *\n          ^" in ran.err
    assert "AS q" not in ran.err
    assert "DESCRIBE" not in ran.err


def test_a_limit_says_how_many_there_are(lab: Lab) -> None:
    answer = lab.ok("query", "FROM range(7)", "--limit", "2")
    assert (answer["rows"], answer["total"]) == ([[0], [1]], 7)
    assert lab.headgate("query", "FROM range(500)").out.endswith("50 of 500 rows (--limit 0 shows all)\n")
    assert lab.headgate("query", "FROM range(500)", "--limit", "0").out.endswith("\n500 rows\n")
    assert lab.ok("query", "FROM range(500)")["total"] == 500


def test_a_warehouse_that_others_made_can_be_looked_at(lab: Lab) -> None:
    import duckdb

    with duckdb.connect(str(lab.root / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 42 AS n")
    assert lab.rows("FROM theirs") == [[42]]
    assert lab.ok("ledger") == {"total": 0, "entries": []}

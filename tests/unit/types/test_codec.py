"""The row codec gives every value back exactly, whatever its type and its column's name."""

# ruff: noqa: E501 - tables of values read best one type per line
from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.core.values import SourceColumn
from headgate.sql.quote import ident, literal
from headgate.types.codec import decode, decode_column, encode, encode_row

HOSTILE_TEXT = [
    "", " ", "'", '"', "''", '"";--', "\\", "\\x00", "a\x00b", "\x00", "null", "NULL", "[1, NULL]", "{'a': 1}", "a, b",
    "\n", "\r\n", "\t", "\x1f", "\x7f", "é", "e\u0301", "😀", "🤦🏼‍♂️", "\ufeff", "\u2028", "\uffff", "%s {} $1", "~0/~1",
]  # fmt: skip

SCALARS = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["-128", "127"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807", "0"],
    "HUGEINT": ["-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"],
    "UTINYINT": ["0", "255"],
    "USMALLINT": ["65535"],
    "UINTEGER": ["4294967295"],
    "UBIGINT": ["18446744073709551615"],
    "UHUGEINT": ["340282366920938463463374607431768211455"],
    "BIGNUM": ["-123456789012345678901234567890123456789012345678901234567890"],
    "DECIMAL(2,2)": ["0.99", "-0.01", "0.00"],
    "DECIMAL(38,38)": ["-0.00000000000000000000000000000000000001"],
    "DECIMAL(38,0)": ["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"],
    "DECIMAL(38,10)": ["-9999999999999999999999999999.9999999999", "0.0000000001"],
    "DECIMAL(4,1)": ["999.9", "-0.1"],
    "DECIMAL(18,3)": ["123456789012345.678"],
    "FLOAT": ["nan", "inf", "-inf", "-0.0", "0.1", "3.4028235e38", "1e-45", "16777217"],
    "DOUBLE": ["nan", "inf", "-inf", "-0.0", "0.1", "1.7976931348623157e308", "5e-324", "0.30000000000000004"],
    "DATE": ["infinity", "-infinity", "0044-03-15 (BC)", "0001-01-01", "9999-12-31", "5881580-07-10"],
    "TIMESTAMP": ["infinity", "-infinity", "0044-03-15 (BC) 01:02:03.000004", "294247-01-10 04:00:54.775806", "1969-12-31 23:59:59.999999"],
    "TIMESTAMP_S": ["infinity", "2024-02-29 23:59:59"],
    "TIMESTAMP_MS": ["-infinity", "2024-02-29 23:59:59.999"],
    "TIMESTAMP_NS": ["infinity", "2024-02-29 23:59:59.123456789", "1677-09-22 00:12:43.145225", "1969-12-31 23:59:59.999999999"],
    "TIMESTAMP WITH TIME ZONE": ["infinity", "2024-02-29 23:59:59.5+05:30", "0044-03-15 (BC) 10:00:00+00", "1800-01-01 00:00:00+00"],
    "TIME": ["00:00:00", "24:00:00", "23:59:59.999999"],
    "TIME_NS": ["23:59:59.123456789"],
    "TIME WITH TIME ZONE": ["10:00:00+15:59:59", "23:59:59.999999-15:59:59", "00:00:00+00"],
    "INTERVAL": ["1 year 2 months -3 days 04:05:06.789", "-00:00:00.000001", "00:00:00", "-1 month", "178956970 years 7 months -2147483648 days", "5 days -100000000:00:00"],
    "UUID": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "6B29FC40-CA47-1067-B31D-00DD010662DA"],
    "BLOB": ["\\x00", "\\xFF\\x27\\x22\\x5Cabc", ""],
    "BIT": ["0", "1", "0000000101"],
    "VARCHAR": HOSTILE_TEXT,
    "JSON": ["null", '"null"', '"a\\u0000b"', " [1, 2 ] ", '{"a": 1.0, "a": 2}', "1e400", "[NaN,]"],
    "ENUM('a', 'b''c', 'x, y)', '')": ["a", "b'c", "x, y)", ""],
}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def same(db: duckdb.DuckDBPyConnection, physical: str, value: str) -> None:
    """The value comes back, told apart by DuckDB's own text and by equality, and keeps its type."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE given AS SELECT CAST({value} AS {physical}) AS v")
    db.execute(f"CREATE OR REPLACE TEMP TABLE coded AS SELECT {encode('v', physical)} AS t FROM given")
    seen = "typeof(b) = typeof(v), b IS NOT DISTINCT FROM v, b::VARCHAR IS NOT DISTINCT FROM v::VARCHAR, typeof(t)"
    back = f"SELECT v, t, {decode('t', physical)} AS b FROM given, coded"
    row = db.execute(f"SELECT {seen}, t FROM ({back})").fetchone()
    assert row is not None
    assert row[:4] == (True, True, True, "VARCHAR"), (physical, value, row)


@pytest.mark.parametrize("physical", SCALARS)
def test_scalar_round_trip(db: duckdb.DuckDBPyConnection, physical: str) -> None:
    for text in SCALARS[physical]:
        same(db, physical, _sql(text, physical))
    same(db, physical, "NULL")


def _sql(text: str, physical: str) -> str:
    """SQL of the value that the text means; NUL cannot stand in SQL text."""
    whole = "(" + " || chr(0) || ".join(literal(part) for part in text.split("\x00")) + ")"
    return f"CAST({whole} AS {physical})"


def test_long_intervals_come_back(db: duckdb.DuckDBPyConnection) -> None:
    for micros in (9223372036854775807, -9223372036854775808, 3600000000, -1):
        same(db, "INTERVAL", f"to_months(-2147483648) + to_days(2147483647) + to_microseconds({micros})")


def test_canonical_texts(db: duckdb.DuckDBPyConnection) -> None:
    cases = {
        ("'\\x00\\xFF'", "BLOB"): "\\x00FF",
        ("0.5", "DECIMAL(2,2)"): "0.50",
        ("-0.5", "DECIMAL(2,2)"): "-0.50",
        ("'nan'", "DOUBLE"): "nan",
        ("'-inf'", "FLOAT"): "-inf",
        ("'2024-01-02 03:04:05'", "TIMESTAMP"): "2024-01-02 03:04:05",
        ("'2024-01-02 03:04:05+01'", "TIMESTAMP WITH TIME ZONE"): "2024-01-02 02:04:05+00",
        ("true", "BOOLEAN"): "true",
        ("'a b'", "VARCHAR"): "a b",
        ("[1, NULL]", "INTEGER[]"): '["1",null]',
        ("{'a': 1, 'b': NULL}", "STRUCT(a INTEGER, b VARCHAR)"): '{"a":"1","b":null}',
    }
    for (value, physical), text in cases.items():
        assert db.execute(f"SELECT {encode(f'CAST({value} AS {physical})', physical)}").fetchall() == [(text,)]


def leaf() -> st.SearchStrategy[tuple[str, str]]:
    """(type, SQL of a value)"""

    def of(physical: str) -> st.SearchStrategy[tuple[str, str]]:
        known = st.sampled_from(SCALARS[physical])
        texts = st.one_of(known, st.text(max_size=6)) if physical == "VARCHAR" else known
        values = st.one_of(texts.map(lambda text: _sql(text, physical)), st.just(f"CAST(NULL AS {physical})"))
        return values.map(lambda value: (physical, value))

    return st.sampled_from(sorted(SCALARS)).flatmap(of)


NAMES = st.one_of(
    st.sampled_from(["a", "A b", 'q"', "'", ".", "$", "*", "/", "~", "~1", "0", "[0]", "select", "é", "😀", "\n", "a,b)", "#", "\\", "\\n"]),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=5),
)  # fmt: skip


def nested(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    def listed(pair: tuple[str, str], size: int) -> tuple[str, str]:
        kind, value = pair
        items = ", ".join([value, f"CAST(NULL AS {kind})"][: size % 3])
        return f"{kind}[]", f"CAST([{items}] AS {kind}[])"

    def array(pair: tuple[str, str]) -> tuple[str, str]:
        return f"{pair[0]}[2]", f"CAST([{pair[1]}, NULL] AS {pair[0]}[2])"

    def struct(members: dict[str, tuple[str, str]]) -> tuple[str, str]:
        kind = f"STRUCT({', '.join(f'{ident(name)} {kind}' for name, (kind, _) in members.items())})"
        values = ", ".join(f"{ident(name)} := {value}" for name, (_, value) in members.items())
        return kind, f"CAST(struct_pack({values}) AS {kind})"

    def mapped(pair: tuple[str, str], key: str) -> tuple[str, str]:
        kind = f"MAP(VARCHAR, {pair[0]})"
        return kind, f"CAST(map([{_sql(key, 'VARCHAR')}, 'other'], [{pair[1]}, NULL]) AS {kind})"

    def union(pair: tuple[str, str]) -> tuple[str, str]:
        kind = f'UNION("k y" {pair[0]}, s VARCHAR)'
        return kind, f'CAST(union_value("k y" := {pair[1]}) AS {kind})'

    return st.one_of(
        st.builds(listed, inner, st.integers(0, 2)),
        inner.map(array),
        st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0].lower()).map(
            lambda pairs: struct(dict(pairs))
        ),
        st.builds(mapped, inner, st.sampled_from(HOSTILE_TEXT)),
        inner.map(union),
        inner.map(lambda pair: (f"{pair[0]}[]", f"CAST(NULL AS {pair[0]}[])")),
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=nested(st.recursive(leaf(), nested, max_leaves=3)))
def test_nested_round_trip(db: duckdb.DuckDBPyConnection, pair: tuple[str, str]) -> None:
    physical = db.execute(f"DESCRIBE SELECT {pair[1]} AS v").fetchall()[0][1]
    same(db, physical, pair[1])


def test_structs_without_names_come_back(db: duckdb.DuckDBPyConnection) -> None:
    value = "[row(1, 'a\"b', NULL), row(NULL, '', {'x': 0.5})]"
    (physical,) = db.execute(f"SELECT typeof({value})").fetchone() or ("",)
    db.execute(f"CREATE OR REPLACE TEMP TABLE coded AS SELECT {encode(value, physical)} AS t")
    assert db.execute(f"SELECT ({decode('t', physical)}) = {value} FROM coded").fetchall() == [(True,)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    members=st.lists(st.tuples(NAMES, leaf()), min_size=1, max_size=5, unique_by=lambda pair: pair[0].lower()),
)
def test_row_round_trip_with_hostile_names(
    db: duckdb.DuckDBPyConnection, members: list[tuple[str, tuple[str, str]]]
) -> None:
    select = ", ".join(f"{value} AS {ident(name)}" for name, (_, value) in members)
    columns = [SourceColumn(name, kind) for name, (kind, _) in members]
    db.execute(f"CREATE OR REPLACE TEMP TABLE r AS SELECT {select}")
    db.execute(f"CREATE OR REPLACE TEMP TABLE j AS SELECT {encode_row(columns, 'r')} AS row FROM r")
    (row,) = db.execute("SELECT row FROM j").fetchone() or ("",)
    assert list(json.loads(row)) == [column.name for column in columns]
    for column in columns:
        name = f"r.{ident(column.name)}"
        same_text = f"({decode_column('j.row', column)})::VARCHAR IS NOT DISTINCT FROM {name}::VARCHAR"
        assert db.execute(f"SELECT {same_text} FROM r, j").fetchall() == [(True,)], (column, row)


def test_names_that_differ_by_case_or_order_stay_apart(db: duckdb.DuckDBPyConnection) -> None:
    row = literal(json.dumps({"ID": "1", "id": "2", "i/d": "3", "~": "4", "": "5", "0": None}))
    for name, text in {"ID": "1", "id": "2", "i/d": "3", "~": "4", "": "5", "0": None, "gone": None}.items():
        got = db.execute(f"SELECT {decode_column(row, SourceColumn(name, 'VARCHAR'))}").fetchall()
        assert got == [(text,)], name

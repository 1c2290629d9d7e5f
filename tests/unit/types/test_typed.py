"""Typed source columns: values convert without loss, or not at all; pairs that never can are known beforehand."""

# ruff: noqa: E501 - tables of values read best one pair per line
from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.types.convert import conversion
from headgate.types.logical import parse

# (physical, logical) -> values as text, each with the text of the converted value; None: not accepted.
CHECKED: dict[tuple[str, str], dict[str, str | None]] = {
    ("UBIGINT", "bigint"): {"9223372036854775807": "9223372036854775807", "9223372036854775808": None, "18446744073709551615": None},
    ("HUGEINT", "int"): {"-9223372036854775808": "-9223372036854775808", "-9223372036854775809": None, "170141183460469231731687303715884105727": None},
    ("UHUGEINT", "int"): {"5": "5", "340282366920938463463374607431768211455": None},
    ("BIGNUM", "bigint"): {"5": "5", "99999999999999999999999999999999999999999999999": None},
    ("BIGNUM", "decimal(38,0)"): {"99999999999999999999999999999999999999": "9" * 38, "100000000000000000000000000000000000000": None},
    ("BIGINT", "decimal(12,2)"): {"9999999999": "9999999999.00", "-9999999999": "-9999999999.00", "10000000000": None},
    ("INTEGER", "decimal(5,5)"): {"0": "0.00000", "1": None},
    ("BIGINT", "double"): {"9007199254740992": "9007199254740992.0", "9007199254740993": None, "-9007199254740993": None, "9223372036854775807": None, "-9223372036854775808": "-9.223372036854775808e+18", "-5": "-5.0"},
    ("UBIGINT", "double"): {"18446744073709551615": None, "9223372036854775808": "9.223372036854775808e+18"},
    ("HUGEINT", "double"): {"-5": "-5.0", "18446744073709551616": "1.8446744073709552e+19", "18446744073709551617": None, "170141183460469231731687303715884105727": None, "-18446744073709551616": "-1.8446744073709552e+19"},
    ("DOUBLE", "bigint"): {"3.0": "3", "-0.0": "0", "3.5": None, "2.5": None, "nan": None, "inf": None, "9223372036854774784": "9223372036854774784", "9223372036854775808": None, "-9223372036854775808": "-9223372036854775808", "1e300": None, "5e-324": None},
    ("FLOAT", "int"): {"16777216": "16777216", "0.5": None, "3.4e38": None, "-inf": None},
    ("DOUBLE", "decimal(10,2)"): {"0.1": "0.10", "0.30000000000000004": None, "12.34": "12.34", "-99999999.99": "-99999999.99", "99999999.995": None, "100000000": None, "0.005": None, "nan": None, "inf": None, "1e-300": None, "-0.0": "0.00"},
    ("DOUBLE", "decimal(38,20)"): {"0.3": "0.30000000000000000000", "1e-20": "0.00000000000000000001", "1e-21": None, "123456.789": "123456.78900000000000000000", "1e17": "100000000000000000.00000000000000000000"},
    ("DOUBLE", "decimal(38,2)"): {"1e22": "10000000000000000000000.00", "9007199254740993.5": "9007199254740994.00", "1e36": None, "9e15": "9000000000000000.00", "2251799813685248.5": "2251799813685248.50"},
    ("FLOAT", "decimal(10,2)"): {"0.1": "0.10", "0.15": "0.15", "0.151": None, "1e9": None, "1e8": None, "nan": None},
    ("FLOAT", "decimal(38,0)"): {"1e37": "1" + "0" * 37, "3.4e38": None},
    ("FLOAT", "decimal(13,2)"): {"1e11": None, "1e10": "10000000000.00"},
    ("DOUBLE", "decimal(18,2)"): {"1.0000000000000002e16": None, "1e16": None, "9999999999999998": "9999999999999998.00"},
    ("DOUBLE", "decimal(38,0)"): {"1e38": None, "1.0000000000000002e38": None, "1e37": "1" + "0" * 37},
    ("DECIMAL(10,2)", "int"): {"3.00": "3", "3.50": None, "-0.01": None, "-7.00": "-7", "99999999.99": None},
    ("DECIMAL(38,0)", "bigint"): {"9223372036854775807": "9223372036854775807", "9223372036854775808": None},
    ("DECIMAL(38,10)", "bigint"): {"9223372036854775807.0000000000": "9223372036854775807", "9223372036854775807.5": None, "9999999999999999999999999999.9999999999": None},
    ("DECIMAL(10,4)", "decimal(12,2)"): {"1.2300": "1.23", "1.2301": None, "999999.9999": None, "-1.0000": "-1.00"},
    ("DECIMAL(10,2)", "decimal(9,4)"): {"99999.99": "99999.9900", "100000.00": None, "-100000.00": None},
    ("DECIMAL(38,2)", "decimal(38,10)"): {"9999999999999999999999999999.99": "9999999999999999999999999999.9900000000", "10000000000000000000000000000.00": None},
    ("DECIMAL(38,37)", "decimal(38,0)"): {"9." + "0" * 37: "9", "9." + "9" * 37: None},
    ("DECIMAL(38,20)", "double"): {"0.1": "0.1", "0.12345678901234567890": None, "0.5": "0.5"},
    ("DECIMAL(18,0)", "double"): {"9007199254740992": "9007199254740992.0", "9007199254740993": None},
    ("DATE", "timestamp"): {"2024-01-02": "2024-01-02 00:00:00", "infinity": "infinity", "5000000-01-01": None},
    ("TIMESTAMP", "date"): {"2024-01-02 00:00:00": "2024-01-02", "2024-01-02 00:00:00.000001": None, "infinity": "infinity", "1969-12-31 23:59:59.999999": None, "0044-03-15 (BC) 00:00:00": "0044-03-15 (BC)"},
    ("TIMESTAMP_S", "date"): {"2024-01-02 00:00:00": "2024-01-02", "2024-01-02 00:00:01": None},
    ("TIMESTAMP_MS", "timestamp"): {"2024-01-02 00:00:00.123": "2024-01-02 00:00:00.123", "infinity": "infinity"},
    ("TIMESTAMP_S", "timestamptz"): {"2024-01-02 03:04:05": "2024-01-02 03:04:05+00"},
    ("TIMESTAMP_NS", "timestamp"): {"2024-01-02 03:04:05.123456": "2024-01-02 03:04:05.123456", "2024-01-02 03:04:05.123456789": None, "1969-12-31 23:59:59.999999999": None, "infinity": "infinity"},
    ("TIMESTAMP_NS", "timestamptz"): {"2024-01-02 03:04:05.5": "2024-01-02 03:04:05.5+00", "2024-01-02 03:04:05.0000001": None},
    ("TIMESTAMP_NS", "date"): {"2024-01-02 00:00:00": "2024-01-02", "2024-01-02 00:00:00.000000001": None},
    ("TIME_NS", "time"): {"12:00:00.123456": "12:00:00.123456", "12:00:00.123456789": None, "23:59:59.999999999": None},
    ("INTEGER", "text(3)"): {"123": "123", "-12": "-12", "-123": None},
    ("DATE", "text(10)"): {"2024-01-02": "2024-01-02", "0044-03-15 (BC)": None},
    ("DOUBLE", "json"): {"1.5": "1.5", "-0.0": "-0.0", "nan": None, "inf": None},
    ("VARCHAR", "bigint"): {"5": "5", "5.0": None},
    ("ENUM('1', '2.5', 'x')", "int"): {"1": "1", "2.5": None, "x": None},
    ("ENUM('a', 'bcd')", "text(2)"): {"a": "a", "bcd": None},
    ("JSON", "int"): {"5": "5", "5.0": None, '"5"': None, "null": None},
    ("JSON", "json"): {" [1, 2 ] ": " [1, 2 ] ", "[1,]": None, "NaN": None},
    ("DOUBLE[]", "json"): {"[1.5, NULL]": "[1.5,null]", "[nan]": None, "[inf, 1]": None},
    ("DECIMAL(38,38)[]", "json"): {"[0.5]": None, "[]": "[]"},
    ("DECIMAL(4,4)[]", "json"): {"[0.5]": "[0.5]"},
    ("STRUCT(a FLOAT, b VARCHAR)", "json"): {"{'a': 0.5, 'b': 'nan ,]'}": '{"a":0.5,"b":"nan ,]"}', "{'a': nan, 'b': 'x'}": None},
}  # fmt: skip

# Every value fits: no check.
TOTAL: dict[tuple[str, str], dict[str, str]] = {
    ("INTEGER", "bigint"): {"-2147483648": "-2147483648"},
    ("UINTEGER", "int"): {"4294967295": "4294967295"},
    ("TINYINT", "decimal(5,2)"): {"-128": "-128.00"},
    ("UTINYINT", "double"): {"255": "255.0"},
    ("UINTEGER", "double"): {"4294967295": "4294967295.0"},
    ("DECIMAL(10,2)", "decimal(12,2)"): {"99999999.99": "99999999.99"},
    ("DECIMAL(10,2)", "decimal(12,4)"): {"-99999999.99": "-99999999.9900"},
    ("DECIMAL(18,0)", "bigint"): {"999999999999999999": "999999999999999999"},
    ("DECIMAL(15,5)", "double"): {"0.1": "0.1", "1234567890.12345": "1234567890.12345"},
    ("FLOAT", "double"): {"nan": "nan", "0.1": "0.10000000149011612"},
    ("DOUBLE", "double"): {"-0.0": "-0.0", "inf": "inf"},
    ("BOOLEAN", "bool"): {"true": "true"},
    ("DATE", "date"): {"infinity": "infinity", "0044-03-15 (BC)": "0044-03-15 (BC)"},
    ("TIMESTAMP", "timestamp"): {"2024-01-02 03:04:05.5": "2024-01-02 03:04:05.5"},
    ("TIMESTAMP", "timestamptz"): {"2024-01-02 03:04:05.5": "2024-01-02 03:04:05.5+00", "-infinity": "-infinity"},
    ("TIMESTAMP WITH TIME ZONE", "timestamptz"): {"2024-01-02 03:04:05+02": "2024-01-02 01:04:05+00"},
    ("TIME", "time"): {"24:00:00": "24:00:00"},
    ("UUID", "uuid"): {"6b29fc40-ca47-1067-b31d-00dd010662da": "6b29fc40-ca47-1067-b31d-00dd010662da"},
    ("BLOB", "binary"): {"\\x00\\xFF": "\\x00\\xFF"},
    ("VARCHAR", "text"): {" x ": " x "},
    ("ENUM('a', 'b')", "text"): {"a": "a"},
    ("JSON", "text"): {"[1, 2]": "[1, 2]"},
    ("BLOB", "text"): {"\\x00\\xFFa": "\\x00FF61"},
    ("BOOLEAN", "text"): {"false": "false"},
    ("BOOLEAN", "text(5)"): {"false": "false"},
    ("BIGINT", "text(20)"): {"-9223372036854775808": "-9223372036854775808"},
    ("HUGEINT", "text(40)"): {"-170141183460469231731687303715884105728": "-170141183460469231731687303715884105728"},
    ("DECIMAL(5,2)", "text(8)"): {"-999.99": "-999.99"},
    ("DOUBLE", "text"): {"nan": "nan", "-0.0": "-0.0", "1e300": "1e+300"},
    ("TIMESTAMP WITH TIME ZONE", "text"): {"2024-01-02 03:04:05+02": "2024-01-02 01:04:05+00"},
    ("INTERVAL", "text"): {"1 year 2 days": "1 year 2 days"},
    ("BIT", "text"): {"010": "010"},
    ("TIME WITH TIME ZONE", "text"): {"10:00:00+02": "10:00:00+02"},
    ("UUID", "text(36)"): {"6B29FC40-CA47-1067-B31D-00DD010662DA": "6b29fc40-ca47-1067-b31d-00dd010662da"},
    ("INTEGER", "json"): {"5": "5"},
    ("HUGEINT", "json"): {"170141183460469231731687303715884105727": "170141183460469231731687303715884105727"},
    ("DECIMAL(10,2)", "json"): {"1.50": "1.50", "-0.01": "-0.01"},
    ("DECIMAL(3,3)", "json"): {"0.5": "0.500"},
    ("DECIMAL(18,3)", "json"): {"123456789012345.678": "123456789012345.678"},
    ("DECIMAL(38,38)", "json"): {"0." + "1" * 38: "0." + "1" * 38},
    ("BOOLEAN", "json"): {"true": "true"},
    ("INTEGER[]", "json"): {"[1, NULL]": "[1,null]", "[]": "[]"},
    ("INTEGER[2]", "json"): {"[1, 2]": "[1,2]"},
    ('STRUCT("a b" INTEGER, c DECIMAL(5,2)[])', "json"): {"{'a b': 1, 'c': [1.50]}": '{"a b":1,"c":[1.5]}'},
    ("MAP(VARCHAR, INTEGER)", "json"): {"{a=1, b=2}": '{"a":1,"b":2}'},
}  # fmt: skip

NUMBERS = ["TINYINT", "BIGINT", "HUGEINT", "UINTEGER", "FLOAT", "DOUBLE", "DECIMAL(10,2)"]
MOMENTS = [
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_NS",
    "TIMESTAMP_S",
    "TIMESTAMP WITH TIME ZONE",
    "TIME",
    "TIME_NS",
    "INTERVAL",
]
NESTED = ["INTEGER[]", "VARCHAR[3]", "STRUCT(a INTEGER)", "MAP(VARCHAR, VARCHAR)", "UNION(a INTEGER, b VARCHAR)"]
NEVER = (
    [(kind, logical) for kind in NUMBERS for logical in ("bool", "date", "timestamp", "timestamptz", "time", "uuid", "binary")]
    + [(kind, logical) for kind in MOMENTS for logical in ("bool", "int", "decimal(10,2)", "double", "uuid", "binary", "json")]
    + [(kind, logical) for kind in NESTED for logical in ("text", "text(9)", "int", "bool", "date", "uuid", "binary", "double")]
    + [("TIMESTAMP WITH TIME ZONE", logical) for logical in ("timestamp", "date", "time")]
    + [("BOOLEAN", logical) for logical in ("int", "bigint", "decimal(5,2)", "double", "date", "uuid")]
    + [("TIME", logical) for logical in ("timestamp", "timestamptz", "date")]
    + [("TIME WITH TIME ZONE", "time"), ("TIMESTAMP", "time"), ("DATE", "time"), ("UUID", "binary"), ("BLOB", "uuid"), ("BLOB", "json")]
    + [("BLOB", "int"), ("BIT", "int"), ("BIGNUM", "bool"), ("STRUCT(INTEGER, VARCHAR)", "json"), ("GEOMETRY", "text"), ("VARIANT", "int")]
)  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def judge(
    db: duckdb.DuckDBPyConnection, physical: str, logical: str, texts: list[str | None], timezone: str = "UTC"
) -> list[tuple[str | None, bool | None]]:
    """(text of the value, ok) by one statement over all values; ok is None where there is no check."""
    found = conversion("t.x", physical, parse(logical), timezone=timezone)
    assert found is not None
    db.execute(f"CREATE OR REPLACE TEMP TABLE t AS SELECT CAST(unnest(?::VARCHAR[]) AS {physical}) AS x, unnest(range(?)) AS n", [texts, len(texts)])  # fmt: skip
    query = f"SELECT ({found.value})::VARCHAR, {found.ok or 'NULL'}, typeof({found.value}) FROM t ORDER BY n"
    rows = db.execute(query).fetchall()
    assert {row[2] for row in rows} == {parse(logical).duckdb}
    return [(row[0], row[1]) for row in rows]


def number(text: str | None) -> object:
    try:
        return float(text or "")
    except ValueError:
        return text


@pytest.mark.parametrize(("physical", "logical"), CHECKED)
def test_pairs_judged_value_by_value(db: duckdb.DuckDBPyConnection, physical: str, logical: str) -> None:
    cases = CHECKED[physical, logical]
    got = judge(db, physical, logical, [*cases, None])
    assert got[-1] == (None, True)
    for (text, expected), (value, ok) in zip(cases.items(), got, strict=False):
        same = number(value) == number(expected) if logical == "double" else _plain(value) == _plain(expected)
        assert same, (text, value)
        assert ok == (expected is not None), text


def _plain(text: str | None) -> str | None:
    return f"0{text}" if text and text.startswith(".") else text


@pytest.mark.parametrize(("physical", "logical"), TOTAL)
def test_pairs_that_always_fit_need_no_check(db: duckdb.DuckDBPyConnection, physical: str, logical: str) -> None:
    cases = TOTAL[physical, logical]
    got = judge(db, physical, logical, [*cases, None])
    assert got == [*((value, None) for value in cases.values()), (None, None)]


@pytest.mark.parametrize(("physical", "logical"), NEVER)
def test_pairs_that_never_fit(physical: str, logical: str) -> None:
    assert conversion("x", physical, parse(logical)) is None
    assert conversion("x", physical, parse("json" if physical in NESTED else "text")) is not None or physical in (
        "GEOMETRY",
        "VARIANT",
        "STRUCT(INTEGER, VARCHAR)",
    )


def test_moments_without_zone_take_the_zone_of_the_source(db: duckdb.DuckDBPyConnection) -> None:
    moments = {
        "2024-07-01 12:00:00": "2024-07-01 10:00:00+00",
        "2024-03-31 02:30:00": None,  # the clocks go from 02:00 to 03:00
        "infinity": "infinity",
        "294247-01-10 04:00:54.775806": None,  # beyond the calendar of the zone
    }
    got = judge(db, "TIMESTAMP", "timestamptz", list(moments), "Europe/Paris")
    assert got == [(value, value is not None) for value in moments.values()]
    assert judge(db, "DATE", "timestamptz", ["2024-07-01"], "Europe/Paris") == [("2024-06-30 22:00:00+00", True)]


def test_moments_beyond_the_range_of_timestamp_are_not_accepted(db: duckdb.DuckDBPyConnection) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for unit, physical in (("s", "TIMESTAMP_S"), ("ms", "TIMESTAMP_MS")):
        db.register("far", pyarrow.table({"x": pyarrow.array([2**60, -(2**60), 0, None], pyarrow.timestamp(unit))}))
        for logical in ("timestamp", "timestamptz", "date"):
            found = conversion('"x"', physical, parse(logical))
            assert found is not None
            rows = db.execute(f"SELECT {found.ok}, {found.value} IS NULL FROM far").fetchall()
            assert rows == [(False, True), (False, True), (True, False), (True, True)]
        db.unregister("far")


def test_expressions_are_taken_as_a_whole(db: duckdb.DuckDBPyConnection) -> None:
    found = conversion("'1' || '2'", "VARCHAR", parse("int"))
    assert found is not None
    assert db.execute(f"SELECT {found.value}, {found.ok}").fetchall() == [(12, True)]


def test_an_unreadable_type_is_an_error() -> None:
    for text in ("", "STRUCT(", "INTEGER)", "[]", "MAP(VARCHAR)", 'STRUCT(a "'):
        with pytest.raises(ValueError, match="cannot read the type"):
            conversion("x", text, parse("json"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(-(10**12), 10**12, places=2).map(float),
        st.decimals(-(10**17), 10**17, places=4).map(float),
        st.integers(-(10**20), 10**20).map(float),
    ),
    digits=st.sampled_from([(5, 2), (18, 2), (18, 9), (38, 2), (38, 15), (38, 16), (38, 30)]),
)
def test_doubles_become_decimals_by_their_shortest_text(
    db: duckdb.DuckDBPyConnection, number: float, digits: tuple[int, int]
) -> None:
    precision, scale = digits
    with localcontext(prec=400):
        shortest = Decimal(repr(number))
        rounded = shortest.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        fits = float(rounded) == number and abs(rounded) < 10 ** (precision - scale)
    ((value, ok),) = judge(db, "DOUBLE", f"decimal({precision},{scale})", [repr(number)])
    assert (value is not None, ok) == (fits, fits)
    if value is not None:
        assert float(value) == number
        assert Decimal(value) == rounded

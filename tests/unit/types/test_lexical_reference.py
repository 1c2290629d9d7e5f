"""The SQL of the lexical table agrees with a plain Python reading of it over generated near misses."""

# ruff: noqa: E501 - lists of patterns read best one form per line
from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.types.convert import conversion
from headgate.types.logical import LogicalType, parse

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"


def read_int(text: str) -> object:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def read_decimal(text: str, precision: int, scale: int) -> object:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text):
        return None
    whole, _, fraction = text.lstrip("+-").partition(".")
    if fraction[scale:].strip("0") or len(whole.lstrip("0")) > precision - scale:
        return None
    return Decimal(text)


def read_double(text: str) -> object:
    if re.fullmatch(r"[+-]?(nan|inf|infinity)", text, re.IGNORECASE | re.ASCII):
        return repr(abs(float(text))) if math.isnan(float(text)) else float(text)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    number = float(text)
    mantissa = re.split("[eE]", text)[0]
    if math.isinf(number) or (number == 0 and mantissa.strip("+-.0")):
        return None
    return number


def read_bool(text: str) -> object:
    words = {
        "true": 1,
        "false": 0,
        "t": 1,
        "f": 0,
        "yes": 1,
        "no": 0,
        "y": 1,
        "n": 0,
        "on": 1,
        "off": 0,
        "1": 1,
        "0": 0,
    }
    found = words.get(text.lower())
    return None if found is None else bool(found)


def read_clock(text: str) -> timedelta | None:
    match = re.fullmatch(CLOCK, text)
    if not match:
        return None
    hours, minutes, seconds, fraction = int(match[1]), int(match[2]), int(match[3] or 0), match[4] or ""
    if hours > 23 or minutes > 59 or seconds > 59 or fraction[6:].strip("0"):
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=int(fraction[:6].ljust(6, "0")))


def read_timestamp(text: str) -> datetime | None:
    match = re.fullmatch(f"({DAY})(?:[ T](.*))?", text, re.DOTALL)
    if not match:
        return None
    clock = read_clock(match[2]) if match[2] is not None else timedelta()
    try:
        day = datetime.strptime(match[1], "%Y-%m-%d")
    except ValueError:
        return None
    return None if clock is None else day + clock


def read_timestamptz(text: str) -> datetime | None:
    moment = read_timestamp(text)
    if moment is not None:
        return moment.replace(tzinfo=UTC)
    match = re.fullmatch(r"(.*)(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)", text, re.DOTALL | re.ASCII)
    moment = read_timestamp(match[1]) if match else None
    if not match or moment is None or int(match[3] or 0) > 15 or int(match[4] or 0) > 59:
        return None
    offset = timedelta(hours=int(match[3] or 0), minutes=int(match[4] or 0))
    return moment.replace(tzinfo=timezone(-offset if match[2] == "-" else offset)).astimezone(UTC)


def read_date(text: str) -> object:
    moment = read_timestamp(text) if re.fullmatch(DAY, text) else None
    return None if moment is None else moment.date()


def read_time(text: str) -> object:
    clock = read_clock(text)
    return None if clock is None else (datetime.min + clock).time()


def read_uuid(text: str) -> object:
    return text.lower() if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) else None


def read_json(text: str) -> object:
    def never(word: str) -> object:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=never)
        return text if "\ud800" not in json.dumps(json.loads(text), ensure_ascii=False) else None
    except (ValueError, RecursionError):
        return None


def read_binary(text: str) -> object:
    return bytes.fromhex(text[2:]) if re.fullmatch(r"\\x([0-9a-fA-F]{2})*", text) else None


READERS: dict[str, Callable[[str], object]] = {
    "bigint": read_int,
    "decimal(5,2)": lambda text: read_decimal(text, 5, 2),
    "decimal(18,0)": lambda text: read_decimal(text, 18, 0),
    "decimal(38,9)": lambda text: read_decimal(text, 38, 9),
    "decimal(3,3)": lambda text: read_decimal(text, 3, 3),
    "double": read_double,
    "text(3)": lambda text: text if len(text) <= 3 else None,
    "bool": read_bool,
    "date": read_date,
    "timestamp": read_timestamp,
    "timestamptz": read_timestamptz,
    "time": read_time,
    "uuid": read_uuid,
    "json": read_json,
    "binary": read_binary,
}

digit = st.sampled_from("0123456789")
digits = st.text(digit, min_size=1, max_size=5)
junk = st.sampled_from([" ", "\n", "_", "-", "+", ".", "e", "E", ":", "/", "T", "t", "Z", "z", "x", "0", "9", "\x00", "é", "٣", ",", "UTC", "(BC)", "inf", "\t", "\x0b"])  # fmt: skip


def pattern(*parts: str) -> st.SearchStrategy[str]:
    return st.one_of([st.from_regex(re.compile(part, re.ASCII), fullmatch=True) for part in parts])


DATES = pattern(
    "(0001|0999|1000|1999|2024|9999|0000)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "[0-9]{4}-[01][0-9]-[0-3][0-9]",
    "[ -]?[0-9]{1,5}[-/ ][0-9]{1,2}[-/ ][0-9]{1,2}",
)
CLOCKS = pattern(
    "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,7}0{0,3})?)?",
    "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}",
    "2[0-4]:00:00",
    "[0-9 ]{2}:[0-9 ]{2}(:[0-9 .]{2})?",
)
ZONES = pattern("Z|z|[+-](0[0-9]|1[0-6])(:?[0-6][0-9])?", "[ +-]?[0-9]{1,4}", " ?(UTC|Z)", "[+-][0-9]:[0-9]{2}", "")
MOMENTS = st.builds(
    lambda date, gap, clock, zone: date + gap + clock + zone,
    DATES,
    st.sampled_from([" ", "T", "  ", "t", ""]),
    CLOCKS,
    ZONES,
)
NUMBERS = pattern(
    r"[+-]?[0-9]{1,6}", r"[+-]?[0-9]{0,4}\.[0-9]{0,4}0{0,4}", r"[+-]?0{0,40}[0-9]{17,20}", r"[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]{1,3})?",
    r"[+-]?(nan|inf|infinity|NaN|INF|Infinit)", r"[0-9]{1,3}[_ ,][0-9]{3}", r"0[xXbBoO][0-9a-f]+", r"[+-]{2}[0-9.e]{1,4}", r"[0-9]{1,29}\.[0-9]{8,11}", r"922337203685477580[0-9]",
)  # fmt: skip
HEX = pattern(r"\\x([0-9a-fA-F]{2}){0,4}", r"\\?[xX]?[0-9a-gA-G]{0,5}")
UUIDS = pattern(
    "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "[0-9a-f{}-]{36}",
    "[0-9a-f]{7}-[0-9a-f]{5}(-[0-9a-f]{4}){2}-[0-9a-f]{12}",
)
WORDS = st.sampled_from(
    ["true", "TRUE", "False", "t", "f", "yes", "No", "on", "oFF", "1", "0", "y", "n", "tru", "null", "K"]
)
JSONS = st.one_of(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["nan", ",]", "a,}", '"', "\\", "é", "inf"])),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("a]}"), inner, max_size=2)),
        max_leaves=4,
    ).map(json.dumps),
    st.text(st.sampled_from('[]{},:" 1e.-\\nault'), max_size=8),
)  # fmt: skip


def near(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The texts, and the texts with one character put in, taken out or changed."""

    def edit(text: str, place: int, size: int, with_: str) -> str:
        place %= len(text) + 1
        return text[:place] + with_ + text[place + size :]

    edited = st.builds(edit, texts, st.integers(0, 40), st.integers(0, 1), st.one_of(junk, digit, st.just("")))
    return st.one_of(texts, edited)


FORMS = {
    "bigint": NUMBERS, "decimal": NUMBERS, "double": NUMBERS, "text": st.text(max_size=5), "bool": WORDS, "date": DATES, "timestamp": MOMENTS,
    "timestamptz": MOMENTS, "time": CLOCKS, "uuid": UUIDS, "json": JSONS, "binary": HEX,
}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
        yield connection


def shown(value: object) -> object:
    """A value so that equal means the same: NaN equals itself and 0.0 differs from -0.0."""
    return repr(value) if isinstance(value, float) else value


def seen(db: duckdb.DuckDBPyConnection, texts: list[str], logical: LogicalType) -> list[tuple[object, bool]]:
    found = conversion("x", "VARCHAR", logical)
    assert found is not None
    value = f"({found.value})::VARCHAR" if logical.name in ("uuid", "json") else found.value
    if logical.name == "double":
        value = f"CASE WHEN isnan({value}) THEN 'nan'::DOUBLE ELSE {value} END"
    query = f"SELECT {value}, {found.ok} FROM (SELECT unnest(?::VARCHAR[]) AS x)"
    return [(shown(row[0]), row[1]) for row in db.execute(query, [texts]).fetchall()]


@pytest.mark.parametrize("spelling", READERS)
def test_sql_and_python_agree(db: duckdb.DuckDBPyConnection, spelling: str) -> None:
    logical = parse(spelling)
    own = near(FORMS[logical.name])
    strategy = st.lists(st.one_of(own, own, own, near(MOMENTS), NUMBERS, WORDS), min_size=1, max_size=40)

    @settings(max_examples=60, deadline=None, database=None)
    @given(texts=strategy)
    def agree(texts: list[str]) -> None:
        # The engine keeps instants before year 1 that Python has no value for.
        texts = [text for text in texts if not (logical.name == "timestamptz" and text.startswith(("0001", "9999")))]
        for text, (value, ok) in zip(texts, seen(db, texts, logical), strict=True):
            expected = READERS[spelling](text)
            expected = float("nan") if expected == "nan" and logical.name == "double" else expected
            assert (value, ok) == (shown(expected), expected is not None), text

    agree()


GOOD = {
    "bigint": ["123", "-5", "+007", "9223372036854775807"],
    "decimal(5,2)": ["12.50", "-1.5", "999.99", ".5", "12"],
    "double": ["1.5", "-1e5", ".5", "1.", "nan", "+inf", "0.0e9"],
    "bool": ["true", "No", "off"],
    "date": ["2024-01-02", "1999-12-31", "0999-10-10"],
    "timestamp": [
        "2024-01-02 13:04:05",
        "2024-12-31T23:59:59",
        "2024-01-02 03:04",
        "2024-01-02",
        "2024-01-02T13:04:05.123456",
    ],
    "timestamptz": [
        "2024-01-02 13:04:05Z",
        "2024-01-02T03:04:05+02:30",
        "2024-12-31 23:59:59",
        "2024-01-02 03:04-05",
        "2024-01-02T13:04:05.5Z",
    ],
    "time": ["13:04:05", "03:04", "23:59:59.5"],
    "uuid": ["6b29fc40-ca47-1067-b31d-00dd010662da"],
    "binary": ["\\x00ff", "\\x"],
}


def damaged(rng: random.Random, text: str) -> str:
    """The text with one to four characters changed, dropped, added or swapped."""
    letters = list(text)
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
        place = rng.randrange(len(letters) + 1)
        letter = rng.choice("0123456789" * 2 + " -:TtZz+./_\n\t\x00eExé{}()BCif٣")
        letters[place : place + rng.choice([0, 1, 1, 1])] = rng.choice([[letter], [letter], []])
    return "".join(letters)


@pytest.mark.parametrize("spelling", GOOD)
def test_damaged_texts_are_judged_as_by_python(db: duckdb.DuckDBPyConnection, spelling: str) -> None:
    rng = random.Random(f"damage {spelling}")
    texts = sorted({damaged(rng, rng.choice(GOOD[spelling])) for _ in range(4000)})
    texts = [text for text in texts if not (spelling == "timestamptz" and text.startswith(("0001", "9999")))]
    for text, (value, ok) in zip(texts, seen(db, texts, parse(spelling)), strict=True):
        expected = READERS[spelling](text)
        expected = float("nan") if expected == "nan" and spelling == "double" else expected
        assert (value, ok) == (shown(expected), expected is not None), text

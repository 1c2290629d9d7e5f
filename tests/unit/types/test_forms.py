"""Declared forms of texts: what SQL reads is what a reader in plain Python reads, for every text."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.testing.oracle import NotAccepted, accept
from headgate.testing.oracle.forms import Form as Plain
from headgate.types import forms, logical
from headgate.types.convert import conversion
from headgate.types.forms import Form

CONNECTION = duckdb.connect()
CONNECTION.execute("SET TimeZone = 'UTC'")
PATTERNS = {
    "date": ["dd.MM.yyyy", "d/M/uuuu", "yyyyMMdd", "d MMM yyyy", "MMMM d, yyyy", "'on' dd-MM-yyyy"],
    "timestamp": [
        "dd.MM.yyyy HH:mm",
        "M/d/yyyy h:mm:ss a",
        "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "yyyyMMddHHmmss",
        "d.M.yyyy H:mm",
    ],
    "timestamptz": ["yyyy-MM-dd HH:mm:ssXXX", "dd.MM.yyyy HH:mm xx", "yyyyMMdd'T'HHmmX", "dd.MM.yyyy HH:mm"],
    "time": ["HH:mm", "hh:mm a", "HHmmss"],
}
CASES = [(kind, {"pattern": pattern}) for kind, patterns in PATTERNS.items() for pattern in patterns]
CASES += [
    (kind, {"decimal": ",", "group": group})
    for kind in ("int", "decimal(9,2)", "double")
    for group in ("", ".", " ", "’")
]
CASES += [("decimal(9,2)", {"decimal": ".", "group": ","}), ("bool", {"true": "ja", "false": "nein"})]
CASES += [
    ("int", {"nulls": ("NA", "", "-")}),
    ("text", {"nulls": ("NA",)}),
    ("bool", {"true": "1", "false": "0", "nulls": ("?",)}),
]


def read(texts: list[str | None], kind: str, form: Form) -> list[tuple[Any, bool]]:
    """Value and verdict of each text, by the SQL."""
    made = conversion("t", "VARCHAR", logical.parse(kind), form=form)
    assert made is not None
    rows = "(SELECT generate_subscripts(list, 1) AS n, unnest(list) AS t FROM (SELECT CAST(? AS VARCHAR[]) AS list))"
    found = CONNECTION.execute(f"SELECT {made.value}, {made.ok or 'true'} FROM {rows} AS r ORDER BY n", [texts])
    return found.fetchall()


def plain(text: str | None, kind: str, form: Plain) -> tuple[Any, bool]:
    if text is None or text in form.nulls:
        return None, True
    written = form.plain(text)
    try:
        return (accept(written, kind), True) if written is not None else (None, False)
    except NotAccepted:
        return None, False


PIECES = st.sampled_from(
    ["0", "1", "2", "12", "31", "99", "2024", "00", "07", ".", ",", " ", ":", "-", "/", "+", "’", "T", "Z", "AM", "PM",
     "Jan", "May", "January", "on ", "ja", "nein", "NA", "+0130", "-01:00", "123", "000", "\n", "x"]
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn, form: dict[str, Any], kind: str) -> str | None:
    """A text that fits the form, often with a fault, or a random one."""
    if draw(st.integers(0, 3)) == 2:
        return draw(st.one_of(st.none(), st.lists(PIECES, max_size=9).map("".join), st.sampled_from(["NA", "", "-"])))
    text = draw(_fitting(form, kind))
    if draw(st.integers(0, 3)) == 1:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(PIECES) + text[at + draw(st.integers(0, 1)) :]
    return text


def _fitting(form: dict[str, Any], kind: str) -> st.SearchStrategy[str]:
    if "pattern" in form:
        moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
        return moments.map(lambda moment: _written(moment, form["pattern"]))
    if "decimal" in form:
        number = st.decimals(-9_999_999, 9_999_999, places=2)
        group, decimal = form.get("group", ""), form["decimal"]
        return number.map(lambda n: f"{n:,}".replace(",", "\0").replace(".", decimal).replace("\0", group))
    return st.sampled_from(["ja", "nein", "1", "0", "a", "5"])


def _written(moment: datetime, pattern: str) -> str:
    found = ""
    for part in forms.fields(pattern):
        found += _piece(moment, part.field, part.letters) if part.field else part.regex.replace("\\", "")
    return found


def _piece(moment: datetime, field: str, letters: str) -> str:
    if field == "month" and len(letters) > 2:
        name = forms.MONTHS[moment.month - 1]
        return name if len(letters) == 4 else name[:3]
    if field == "fraction":
        return f"{moment.microsecond:06}000"[: len(letters)]
    if field == "noon":
        return "AM" if moment.hour < 12 else "PM"
    if field == "offset":
        return "+01:30" if len(letters) == 3 else "+0130"
    number = (moment.hour - 1) % 12 + 1 if field == "half" else getattr(moment, field)
    return f"{number:0{4 if field == 'year' else len(letters)}}"


@pytest.mark.parametrize(("kind", "form"), CASES, ids=str)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_sql_reads_what_plain_python_reads(kind: str, form: dict[str, Any], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(texts(form, kind), min_size=1, max_size=30))
    found = read(drawn, kind, Form(**form))
    assert found == [plain(text, kind, Plain(**form)) for text in drawn]


EARLY = datetime(2024, 1, 2, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "form", "text", "value"),
    [
        ("date", {"pattern": "dd.MM.yyyy"}, "31.01.2024", date(2024, 1, 31)),
        ("date", {"pattern": "d MMM yyyy"}, "1 May 2024", date(2024, 5, 1)),
        ("timestamp", {"pattern": "M/d/yyyy h:mm a"}, "1/2/2024 12:05 AM", datetime(2024, 1, 2, 0, 5)),
        (
            "timestamptz",
            {"pattern": "yyyy-MM-dd HH:mmXXX"},
            "2024-01-02 03:04+01:00",
            datetime(2024, 1, 2, 2, 4, tzinfo=UTC),
        ),
        ("time", {"pattern": "HHmmss"}, "235959", time(23, 59, 59)),
        ("decimal(12,2)", {"decimal": ",", "group": "."}, "-1.234.567,50", Decimal("-1234567.50")),
        ("int", {"decimal": ",", "group": "’"}, "1’000", 1000),
        ("bool", {"true": "ja", "false": "nein"}, "nein", False),
        ("int", {"nulls": ("NA",)}, "NA", None),
    ],
)
def test_examples(kind: str, form: dict[str, Any], text: str, value: Any) -> None:
    assert read([text], kind, Form(**form)) == [(value, True)]


@pytest.mark.parametrize(
    ("kind", "form", "text"),
    [
        ("date", {"pattern": "dd.MM.yyyy"}, "1.1.2024"),
        ("date", {"pattern": "dd.MM.yyyy"}, "31.02.2024"),
        ("date", {"pattern": "dd.MM.yyyy"}, "2024-01-31"),
        ("date", {"pattern": "d.M.yyyy"}, "01.1.2024"),
        ("date", {"pattern": "d MMM yyyy"}, "1 may 2024"),
        ("date", {"pattern": "dd.MM.yyyy"}, "31.01.2024\n"),
        ("timestamp", {"pattern": "dd.MM.yyyy HH:mm"}, "31.01.2024 24:00"),
        ("decimal(12,2)", {"decimal": ",", "group": "."}, "1.23,50"),
        ("decimal(12,2)", {"decimal": ",", "group": "."}, "12.50"),
        ("decimal(12,2)", {"decimal": ",", "group": "."}, "1234.567,50"),
        ("decimal(12,2)", {"decimal": ","}, "1,505"),
        ("int", {"decimal": ","}, "1,0"),
        ("double", {"decimal": ","}, "1e5"),
        ("bool", {"true": "ja", "false": "nein"}, "Ja"),
        ("bool", {"true": "ja", "false": "nein"}, "true"),
    ],
)
def test_nothing_is_guessed(kind: str, form: dict[str, Any], text: str) -> None:
    assert read([text], kind, Form(**form)) == [(None, False)]


def test_typed_values_are_not_looked_at() -> None:
    made = conversion("t", "DATE", logical.parse("date"), form=Form("dd.MM.yyyy"))
    assert made == conversion("t", "DATE", logical.parse("date"))


@pytest.mark.parametrize(
    ("pattern", "kind", "why"),
    [
        ("dd.MM.yy", "date", "the letters 'yy' are not read"),
        ("EEE dd.MM.yyyy", "date", "'EEE' are not read"),
        ("dd.MM", "date", "year, month and day"),
        ("dd.MM.yyyy HH:mm", "date", "has no time"),
        ("dd.MM.yyyy HH", "timestamp", "hours and minutes"),
        ("dd.MM.yyyy hh:mm", "timestamp", "need a"),
        ("dd.MM.yyyy HH:mm a", "timestamp", "needs hours of h"),
        ("dd.MM.yyyy HH:mm.SSS", "timestamp", "fractions need seconds"),
        ("dd.MM.yyyy HH:mmXXX", "timestamp", "has no offset"),
        ("dd.MM.yyyy", "time", "a time has no day"),
        ("dd.MM.yyyy dd", "date", "stands twice"),
        ("dd[.MM]", "date", "is not read"),
        ("dMyyyy", "date", "where d ends and M begins"),
    ],
)
def test_patterns_that_can_not_be(pattern: str, kind: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        forms.check(pattern, logical.parse(kind))

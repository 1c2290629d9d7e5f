"""The transform kit over drawn rows, against the same answer in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.models.test_models_kit import compiled

from headgate.sql import quote

SMALL = st.integers(0, 4)
MAYBE = st.none() | SMALL
TEXTS = st.none() | st.text(st.sampled_from("a:1n|é'\x00 ".replace("\x00", "")), max_size=4)


@pytest.fixture(scope="module")
def answer() -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    with duckdb.connect() as connection:
        yield lambda text, **parts: connection.execute(compiled(f"{with_parts(parts)} {text}").sql).fetchall()


def with_parts(parts: dict[str, tuple[str, Sequence[Sequence[Any]]]]) -> str:
    """The rows as parts of a query; one of NULL gives them their types, and is left out."""
    made = []
    for name, (columns, rows) in parts.items():
        cells = (", ".join(cell(one) for one in row) for row in rows)
        listed = "".join(f", ({one})" for one in cells)
        nothing = ", ".join(["NULL"] * len(columns.split(", ")))
        made.append(f"{name} as (select * from (values ({nothing}){listed}) as _given({columns}) offset 1)")
    return "with " + ", ".join(made)


def cell(value: object) -> str:
    return "NULL" if value is None else quote.literal(value) if isinstance(value, str) else str(value)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_keys_are_the_same_if_the_values_are(answer: Any, rows: list[tuple[str | None, str | None]]) -> None:
    text = "select a, b, {{ hg.surrogate_key(['cast(a as varchar)', 'cast(b as varchar)']) }} from t"
    found = answer(text, t=("a, b", rows))
    assert len({key for *_, key in found}) == len({(a, b) for a, b, _ in found}) == len(set(rows))


@given(st.lists(st.tuples(MAYBE, MAYBE, SMALL), max_size=8))
def test_of_rows_with_one_key_the_first_is_kept(answer: Any, rows: list[tuple[int | None, int | None, int]]) -> None:
    found = answer("{{ hg.deduplicate('t', by='k', order_by='v desc') }}", t=("k, v, more", rows))
    expected = {}
    for row in sorted(rows, key=lambda row: (row[1] is None, -(row[1] or 0), row[2])):
        expected.setdefault(row[0], row)
    assert sorted(found, key=str) == sorted(expected.values(), key=str)


@given(
    st.lists(st.tuples(MAYBE, MAYBE), max_size=6),
    st.lists(st.tuples(SMALL, SMALL), max_size=6, unique=True),
    st.booleans(),
)
def test_facts_find_the_version_of_their_time_and_none_is_lost_or_doubled(
    answer: Any, facts: list[tuple[int | None, int | None]], begins: list[tuple[int, int]], early: bool
) -> None:
    starts = {k: sorted(at for one, at in begins if one == k) for k, _ in begins}
    versions = [
        (k, at, ends, f"{k}/{at}")
        for k, times in starts.items()
        for at, ends in zip(times, [*times[1:], None], strict=True)
    ]
    call = "hg.lookup_version('f', 'v', on='k', at='t', take='name', early='" + ("first" if early else "unmatched")
    days = "timestamp '2024-01-01' + to_days({} :: int)"
    parts = (
        f"f as (select n, k, {days.format('t')} as t from facts), v as (select k, {days.format('b')} as valid_from, "
    )
    parts += f"{days.format('e')} as valid_to, name from versions)"
    text = f", {parts} select n, name from ({{{{ {call}') }}}}) as found"
    numbered = [(n, *one) for n, one in enumerate(facts)]
    found = answer(text, facts=("n, k, t", numbered), versions=("k, b, e, name", versions))

    def version(k: int | None, at: int | None) -> str | None:
        times = starts.get(k, []) if k is not None and at is not None else []
        past = [one for one in times if at is not None and one <= at] or (times[:1] if early else [])
        return f"{k}/{past[-1]}" if past else None

    assert sorted(found) == [(n, version(k, at)) for n, k, at in numbered]


@given(
    st.lists(st.tuples(MAYBE, MAYBE), max_size=6),
    st.lists(st.tuples(SMALL, SMALL), max_size=6, unique=True),
    st.booleans(),
)
def test_features_are_the_newest_of_the_past(
    answer: Any, labels: list[tuple[int | None, int | None]], known: list[tuple[int, int]], strict: bool
) -> None:
    call = "hg.as_of('labels', 'features', on='k', at='t', time='s', take='name', strict=" + str(strict).lower()
    features = [(k, at, f"{k}/{at}") for k, at in known]
    found = answer("{{ " + call + ") }}", labels=("k, t", labels), features=("k, s, name", features))

    def newest(k: int | None, at: int | None) -> tuple[str | None, int | None]:
        past = [s for one, s in known if one == k and at is not None and (s < at or (s == at and not strict))]
        return (f"{k}/{max(past)}", max(past)) if past else (None, None)

    assert sorted(found, key=str) == sorted(((k, at, *newest(k, at)) for k, at in labels), key=str)

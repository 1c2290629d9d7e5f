"""Written out and read again, a contract means the same: the digest is equal, for every contract of the short form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.model import Contract, Limit, RowRule
from headgate.contracts.render import conditions, limit, lines, render
from headgate.contracts.short import as_upsert, parse_lines
from headgate.core.errors import InternalError
from headgate.project import yaml
from headgate.project.fields import Notes
from headgate.project.ingest import _contract
from headgate.project.model import LoadSpec

TYPES = ("int", "decimal(9,3)", "double", "text", "text(5)", "bool", "date", "timestamptz", "uuid", "json", "binary")
ANY_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
NAMES = ANY_TEXT.filter(lambda name: bool(name) and not name.lower().startswith("_hg_"))


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@st.composite
def column_lines(draw: Any) -> str:
    kind = draw(st.sampled_from(TYPES))
    found = draw(st.lists(st.sampled_from(["key", "required", "unique", "unique(keep=none)", "pii"]), unique=True))
    found = [rule for rule in found if not (rule == "unique" and "unique(keep=none)" in found)]
    if kind in ("int", "double", "decimal(9,3)"):
        low, high = sorted((draw(st.integers(-999, 999)), draw(st.integers(-999, 999))))
        found += draw(
            st.sampled_from([[], [f"between({low}, {high})"], [f"min({low})", f"max({high})"], [f"in({low})"]])
        )
    if kind == "date":
        found += [f"min({draw(st.dates(date(1, 1, 1)))})"]
    if kind.startswith("text"):
        values = draw(st.lists(ANY_TEXT.map(lambda text: text[:5]), min_size=1, max_size=3, unique=True))
        found += draw(st.sampled_from([[], [f"in({', '.join(map(quoted, values))})"], ["length(1, 4)"], ["length(4)"]]))
        found += [f"pattern({quoted(draw(ANY_TEXT))})"]
    found += draw(st.sampled_from([[], ["references(raw.t.id)"], ["references('s.t.Order ID')", "references(t.b)"]]))
    found += draw(st.sampled_from([[], ["warn"]]))
    found += [f"from({quoted(draw(NAMES))})"] if draw(st.booleans()) else []
    return ", ".join([kind, *draw(st.permutations(found))])


LIMITS = st.one_of(
    st.none(),
    st.integers(0, 10**9).map(lambda rows: Limit(rows=rows)),
    st.integers(0, 10000).map(lambda share: Limit(share=share / 10000)),
)


@st.composite
def contracts(draw: Any) -> Contract:
    columns = draw(st.dictionaries(NAMES, column_lines(), min_size=1, max_size=4))
    folded = {name.lower() for name in columns}
    if len(folded) < len(columns):
        columns = dict([next(iter(columns.items()))])
    texts = ANY_TEXT.map(lambda text: f"a = {text!r}")
    rules = draw(st.dictionaries(NAMES.map(lambda name: "r" + name), texts, max_size=2))
    skips = draw(st.dictionaries(NAMES.map(lambda name: "s" + name), texts, max_size=2))
    return parse_lines(columns, rules, skips, draw(LIMITS))


@settings(max_examples=60, deadline=None)
@given(contracts())
def test_lines_mean_the_same(made: Contract) -> None:
    again = parse_lines(lines(made), conditions(made), dict(made.skips), made.refuse_at_most)
    assert again.digest() == made.digest()


@settings(max_examples=60, deadline=None)
@given(contracts())
def test_yaml_means_the_same(made: Contract) -> None:
    notes = Notes()
    node = yaml.read(render(made), "rendered.yml")
    assert isinstance(node, yaml.Mapping)
    again = _contract(notes, node, LoadSpec())
    assert notes.findings == []
    assert again is not None
    assert again.digest() == made.digest()


@settings(max_examples=30, deadline=None)
@given(contracts())
def test_an_upsert_means_the_same(made: Contract) -> None:
    keys = made.key or [column.name for column in made.columns][:2]
    upsert = as_upsert(made, keys)
    again = as_upsert(parse_lines(lines(upsert), conditions(upsert), dict(upsert.skips), upsert.refuse_at_most), keys)
    assert again.digest() == upsert.digest()


def test_the_text_is_what_a_person_would_write() -> None:
    made = parse_lines(
        {"id": "integer,key", "e mail": 'text,pattern("^it\'s$"), pii', "c": "string( 3 ), in('FR','D E'), warn"},
        {"r": "c <> 'x'"},
        {"s": "id < 0"},
        Limit(share=0.005),
    )
    assert render(made) == (
        "columns:\n"
        "  id: int, key\n"
        "  \"e mail\": text, pattern('^it''s$'), pii\n"
        "  c: text(3), in(FR, 'D E'), warn\n"
        "rules:\n"
        "  r: c <> 'x'\n"
        "skip:\n"
        "  s: id < 0\n"
        "refuse_at_most: 0.5%\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(Limit(rows=5), "5"), (Limit(share=0.05), "5%"), (Limit(share=1.0), "100%"), (Limit(share=0.00005), "0.005%")],
)
def test_limits(value: Limit, text: str) -> None:
    assert limit(value) == text


def test_a_rule_without_its_arguments_is_not_guessed() -> None:
    made = parse_lines({"a": "int"})
    broken = Contract(made.columns, (RowRule("min", "a", '"a" >= 0', "must be at least 0"),))
    with pytest.raises(InternalError, match="keeps no arguments"):
        lines(broken)

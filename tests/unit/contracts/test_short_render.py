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
            st.sampled_from(
                [
                    [],
                    [f"between({low}, {high}, severity=warn)"],
                    [f"min({low})", f"max({high}, mostly=95%)"],
                    [f"in({low})", f"not_in({high}, mostly=>0.5%)"],
                    [f"above({low}, severity=error)", f"below({high})"],
                ]
            )
        )
    if kind == "date":
        found += [f"min({draw(st.dates(date(1, 1, 1)))})"]
    if kind.startswith("text"):
        values = draw(st.lists(ANY_TEXT.map(lambda text: text[:5]), min_size=1, max_size=3, unique=True))
        found += draw(
            st.sampled_from(
                [[], [f"in({', '.join(map(quoted, values))})"], ["length(1, 4)"], ["length(4)"], ["length(2, *)"]]
            )
        )
        found += [f"pattern({quoted(draw(ANY_TEXT))})"]
    found += draw(st.sampled_from([[], ["references(raw.t.id)"], ["references('s.t.Order ID')", "references(t.b)"]]))
    found += draw(st.sampled_from([[], ["references(raw.u.id, unmatched=warn)", "references(raw.v.id, mostly=9%)"]]))
    found += draw(st.sampled_from([[], ["warn"], ["mostly(99.5%)"], ["mostly(95%)", "warn"]]))
    found += [f"from({quoted(draw(NAMES))})"] if draw(st.booleans()) else []
    return ", ".join([kind, *draw(st.permutations(found))])


LIMITS = st.one_of(
    st.none(),
    st.integers(0, 10**9).map(lambda rows: Limit(rows=rows)),
    st.integers(0, 10000).map(lambda share: Limit(share=share / 10000)),
)


def mappings(texts: st.SearchStrategy[str], columns: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Rules as mappings, each with some of what may stand beside."""
    severity = st.sampled_from([{}, {"severity": "warn"}])
    share = st.sampled_from([{}, {"mostly": "95%"}, {"mostly": ">0.05%"}])
    keep = st.sampled_from([{}, {"keep": "last"}])
    rows = st.sampled_from(["5..", "..5", "0..10", "7"]).map(lambda text: {"rows": text})
    multiple = st.sampled_from(["0.5x..", "..2x", "0.25x..4x"]).map(lambda text: {"rows": text, "of": "last 7"})
    bounds: list[dict[str, Any]] = [{"between": ["-1", "2.5"]}, {"equals": "0"}, {"above": "0", "max": "9"}]
    bounds += [{"min": "1"}, {"below": "-0.001"}]
    join = lambda *parts: st.tuples(*parts).map(lambda found: {k: v for one in found for k, v in one.items()})  # noqa: E731
    return st.one_of(
        join(texts.map(lambda text: {"check": text}), severity, share),
        join(texts.map(lambda text: {"when": text}), texts.map(lambda text: {"then": text}), severity, share),
        join(st.lists(st.sampled_from(columns), min_size=1, unique=True).map(lambda one: {"unique": one}), keep, share),
        join(st.one_of(rows, multiple), severity),
        join(texts.map(lambda text: {"sql": text}), st.sampled_from(bounds), severity),
    )


@st.composite
def contracts(draw: Any) -> Contract:
    columns = draw(st.dictionaries(NAMES, column_lines(), min_size=1, max_size=4))
    folded = {name.lower() for name in columns}
    if len(folded) < len(columns):
        columns = dict([next(iter(columns.items()))])
    texts = ANY_TEXT.map(lambda text: f"a = {text!r}")
    named = st.one_of(texts, mappings(texts, list(columns)))
    rules = draw(st.dictionaries(NAMES.map(lambda name: "r" + name), named, max_size=4))
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

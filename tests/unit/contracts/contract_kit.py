"""Contracts of every shape that the short form can say, for round trips."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from headgate.contracts.model import Child, Contract, Limit
from headgate.contracts.short import parse_lines

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
        found += draw(st.sampled_from([[], ["number(',', '.')"], ["comma"]]))
    if kind == "date":
        found += draw(st.sampled_from([[], ["format('dd.MM.yyyy')"], ["format('d MMM uuuu')", "null('-', '')"]]))
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
    found += draw(
        st.sampled_from(
            [
                [],
                ["references(raw.u.id, unmatched=warn)", "references(raw.v.id, mostly=9%)"],
                ["references(raw.w.id, unmatched=null)"],
            ]
        )
    )
    found += draw(st.sampled_from([[], ["warn"], ["mostly(99.5%)"], ["mostly(95%)", "warn"]]))
    found += [f"from({quoted(draw(NAMES))})"] if draw(st.booleans()) else []
    return ", ".join([kind, *draw(st.permutations(found))])


LIMITS = st.one_of(
    st.none(),
    st.integers(0, 10**9).map(lambda rows: Limit(rows=rows)),
    st.integers(0, 10000).map(lambda share: Limit(share=share / 10000)),
)


@st.composite
def pairs(draw: Any, columns: list[str], *more: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A reference of some columns to as many of another table."""
    own = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=3, unique=True))
    names = st.one_of(st.sampled_from(["id", "day", "Order ID"]), NAMES)
    to = draw(st.one_of(st.none(), st.lists(names, min_size=len(own), max_size=len(own), unique=True)))
    made = {"references": draw(st.sampled_from(["raw.t", "u"])), "columns": own} | ({"to": to} if to else {})
    for one in more:
        made |= draw(one)
    return made


def mappings(texts: st.SearchStrategy[str], columns: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Rules as mappings, each with some of what may stand beside."""
    severity = st.sampled_from([{}, {"severity": "warn"}])
    share = st.sampled_from([{}, {"mostly": "95%"}, {"mostly": ">0.05%"}])
    words = st.sampled_from([{}, {"message": "costs: 'nothing', {or} #less"}])
    keep = st.sampled_from([{}, {"keep": "last"}])
    rows = st.sampled_from(["5..", "..5", "0..10", "7"]).map(lambda text: {"rows": text})
    multiple = st.sampled_from(["0.5x..", "..2x", "0.25x..4x"]).map(lambda text: {"rows": text, "of": "last 7"})
    bounds: list[dict[str, Any]] = [{"between": ["-1", "2.5"]}, {"equals": "0"}, {"above": "0", "max": "9"}]
    bounds += [{"min": "1"}, {"below": "-0.001"}]
    join = lambda *parts: st.tuples(*parts).map(lambda found: {k: v for one in found for k, v in one.items()})  # noqa: E731
    return st.one_of(
        join(texts.map(lambda text: {"check": text}), words, severity, share),
        join(texts.map(lambda text: {"when": text}), texts.map(lambda text: {"then": text}), severity, share),
        join(st.lists(st.sampled_from(columns), min_size=1, unique=True).map(lambda one: {"unique": one}), keep, share),
        pairs(columns, st.sampled_from([{}, {"unmatched": "warn"}, {"unmatched": "null"}]), words, share),
        join(st.one_of(rows, multiple), severity),
        join(texts.map(lambda text: {"sql": text}), st.sampled_from(bounds), severity),
    )


@st.composite
def with_lists(draw: Any) -> Contract:
    """Contracts some of whose lists are tables of their own, and some of these have a list inside of their lines."""
    made = draw(contracts())
    if draw(st.booleans()):
        return made
    child = draw(lists(made, "raw.items"))
    if draw(st.booleans()):
        inner = draw(lists(child.contract, "raw.taxes"))
        child = replace(child, contract=replace(child.contract, children=(inner,)))
    return replace(made, children=(child, *([draw(lists(made, "raw.tags"))] * draw(st.integers(0, 1)))))


@st.composite
def lists(draw: Any, above: Contract, table: str) -> Child:
    """A list of objects, or of plain values, as a child."""
    line = draw(column_lines())
    if draw(st.booleans()):
        lines = parse_lines({draw(NAMES): line.split(", from(")[0] + ", from('.')"})
    else:
        rules = {"ra": "a = 1", "rb": draw(pairs(["qty"]))}
        lines = parse_lines({"sku": line, "qty": "int"}, dict(draw(st.permutations(list(rules.items())))))
    links = tuple((name, f"own {name}") for name in above.key)
    source = draw(st.sampled_from(["items", "cart.items", "a list"]))
    return Child(table, source, lines, links, draw(st.sampled_from(["position", "no"])))


@st.composite
def contracts(draw: Any) -> Contract:
    simple = st.sampled_from(["id", "day", "no", "Order-No"])
    columns = draw(st.dictionaries(st.one_of(NAMES, simple), column_lines(), min_size=1, max_size=4))
    folded = {name.lower() for name in columns}
    if len(folded) < len(columns):
        columns = dict([next(iter(columns.items()))])
    texts = ANY_TEXT.map(lambda text: f"a = {text!r}")
    named = st.one_of(texts, mappings(texts, list(columns)))
    names = st.one_of(NAMES.map(lambda name: "r" + name), st.sampled_from(["ra", "r-b", "r_c"]))
    rules = draw(st.dictionaries(names, named, max_size=4))
    skips = draw(st.dictionaries(NAMES.map(lambda name: "s" + name), texts, max_size=2))
    return parse_lines(columns, rules, skips, draw(LIMITS))

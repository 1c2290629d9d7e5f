"""The dictionary: every table with its columns, types, rules, descriptions and ways; and who reads them outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from headgate.report.markup import Markup, bdi, clipped, el, many, name, quoted, text
from headgate.report.model import Column, Exposure, Page, Table
from headgate.report.parts import CLOSING, findable, headings, opening, percent
from headgate.report.told import Telling, Told
from headgate.report.ways import OUTSIDE

SAID = 600


def dictionary(page: Page, anchors: Mapping[str, str], told: Telling) -> Iterator[str]:
    """Every table, closed until somebody opens it or follows a link to it; as pieces of HTML, for it may be large."""
    columns = sum(len(table.columns) for table in page.tables)
    yield opening("dictionary", "Dictionary", f"{many(len(page.tables), 'table')}, {many(columns, 'column')}")
    for table, one in zip(page.tables, told.tables, strict=False):
        yield _table(table, anchors, one)
    more = len(page.tables) - len(told.tables)
    if more:
        yield el("p", f"{many(more, 'more table')} are not listed here.", class_="more")
    for exposure, reads in zip(page.exposures, told.exposures, strict=True):
        yield _exposure(exposure, anchors[OUTSIDE + exposure.name], reads)
    yield CLOSING


def _table(table: Table, anchors: Mapping[str, str], told: Told) -> str:
    said = f'<p class="description">{quoted(table.description, SAID)}</p>' if table.description else ""
    return (
        f'<details id="{anchors[table.name]}" class="entry" data-find="{text(findable(table))}"><summary>'
        f'<span class="who">{bdi(table.name)}</span>'
        f'<span class="note">{quoted(table.how or table.kind)}, {many(len(table.columns), "column")}</span></summary>'
        f"{said}{_facts(table, anchors, told)}{told.drawing}{_columns(table, anchors[table.name], told)}</details>"
    )


def _exposure(one: Exposure, anchor: str, reads: str) -> Markup:
    facts: list[tuple[str, str]] = [("owner", bdi(one.owner))] if one.owner else []
    facts += [("where", el("code", clipped(one.url, 300)))] if one.url else []
    facts += [("reads", reads or "nothing that is there")]
    head = el("summary", el("span", name(one.name), class_="who"), el("span", clipped(one.kind, 40), class_="note"))
    find = clipped(f"{one.name} {one.kind}".lower(), 400)
    return el("details", head, _listed(facts), id=anchor, class_="entry", data_find=find)


def _facts(table: Table, anchors: Mapping[str, str], told: Told) -> Markup:
    facts: list[tuple[str, str]] = []
    if table.source:
        facts.append(("from", f"<code>{quoted(table.source, 200)}</code>"))
    if table.reads:
        facts.append(("made of", ", ".join(_read(one, anchors) for one in table.reads[:50])))
    facts += [("rows by", told.rows_by), ("read by", told.read_by)]
    facts += [("rule", f"<code>{quoted(rule, SAID)}</code>") for rule in table.rules[:100]]
    known = [f"{key} {percent(share)}" for key, share in table.scores.items() if share is not None]
    if known:
        facts.append(("quality", quoted(" · ".join(known))))
    if table.open:
        facts.append(("waiting", many(table.open, "refused record")))
    return _listed(facts)


def _read(one: str, anchors: Mapping[str, str]) -> str:
    anchor = anchors.get(one)
    return f'<a href="#{anchor}">{bdi(one)}</a>' if anchor is not None else bdi(one)


def _listed(facts: Sequence[tuple[str, str]]) -> Markup:
    """Terms and what is said of them as HTML, where something is."""
    parts = "".join(f"<dt>{term}</dt><dd>{said}</dd>" for term, said in facts if said)
    return Markup(f"<dl>{parts}</dl>" if parts else "")


def _columns(table: Table, anchor: str, told: Told) -> Markup:
    if not table.columns:
        return el("p", "It was not built yet: its columns are not known.", class_="empty")
    traced = any(above or below for above, below in told.columns)
    shown = enumerate(zip(table.columns, told.columns, strict=False))
    rows = "".join(
        [_column(column, f"{anchor}c{at}", _ways(*cells) if traced else "") for at, (column, cells) in shown]
    )
    more = len(table.columns) - len(told.columns)
    rest = el("p", f'{many(more, "more column")}: headgate query "describe ..."', class_="more") if more > 0 else ""
    kind = "list columns traced" if traced else "list columns"
    return Markup(f'<div><table class="{kind}">{_heads(traced)}<tbody>{rows}</tbody></table>{rest}</div>')


@cache
def _heads(traced: bool) -> Markup:
    heads = [("Column", ""), ("Type", ""), ("Rules", ""), ("Missing", "num")]
    return headings(*heads, *([("Comes from", ""), ("Used by", "")] if traced else []))


def _column(column: Column, anchor: str, ways: str) -> str:
    told = ' <span class="badge is-warn">pii</span>' if column.pii else ""
    if column.description:
        told += f'<span class="said">{quoted(column.description, SAID)}</span>'
    missing = "—" if column.missing is None else f"{column.missing:.1%}" if column.missing else "0"
    return (
        f'<tr id="{anchor}"><td class="who">{_name(column.name)}{told}</td>'
        f'<td class="type"><code>{_type(column.type)}</code></td><td class="rules">{_rules(column.rules)}</td>'
        f'<td class="num" data-label="missing">{missing}</td>{ways}</tr>'
    )


_name = lru_cache(4096)(bdi)


@lru_cache(1024)
def _type(kind: str) -> str:
    return quoted(kind, 120)


@lru_cache(1024)
def _rules(rules: tuple[str, ...]) -> str:
    return "".join(f"<code>{quoted(rule, 160)}</code>" for rule in rules[:20])


def _ways(above: str, below: str) -> str:
    """Where the column comes from and who uses it, as two cells."""
    return (
        (f'<td class="ways-cell" data-label="from">{above}</td>' if above else '<td class="ways-cell"></td>')
        + (f'<td class="ways-cell" data-label="used by">{below}</td>' if below else '<td class="ways-cell"></td>')
    )  # fmt: skip

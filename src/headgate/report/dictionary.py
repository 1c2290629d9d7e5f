"""The dictionary: every table with its columns, types, rules, descriptions and ways; and who reads them outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from headgate.report import lineage
from headgate.report.markup import Markup, bdi, clipped, el, many, name, quoted, text
from headgate.report.model import Column, Page, Table
from headgate.report.origins import COLUMNS, Places
from headgate.report.parts import CLOSING, findable, headings, opening, percent

TABLES, SAID = 1000, 600


def dictionary(page: Page, places: Places) -> Iterator[str]:
    """Every table, closed until somebody opens it or follows a link to it; as pieces of HTML, for it may be large."""
    shown = page.tables[:TABLES]
    drawn = _drawings(places, shown)
    columns = sum(len(table.columns) for table in page.tables)
    yield opening("dictionary", "Dictionary", f"{many(len(page.tables), 'table')}, {many(columns, 'column')}")
    for table in shown:
        yield _table(table, places, drawn.pop(table.name, None))
    more = len(page.tables) - len(shown)
    if more:
        yield el("p", f"{many(more, 'more table')} are not listed here.", class_="more")
    for key in places.ways.exposures:
        yield _exposure(key, places)
    yield CLOSING


def _drawings(places: Places, tables: Sequence[Table]) -> dict[str, Markup]:
    """The column lineage of as many tables as there is room for, from the end of the pipeline: what is built last is
    what most is asked about."""
    found: dict[str, Markup] = {}
    room = lineage.DRAWN
    for table in reversed(tables):
        drawn = lineage.drawing(places, table) if room > 0 else None
        if drawn is not None:
            found[table.name] = drawn
            room -= len(drawn)
    return found


def _table(table: Table, places: Places, drawn: Markup | None) -> str:
    told = f'<p class="description">{quoted(table.description, SAID)}</p>' if table.description else ""
    return (
        f'<details id="{places.anchors[table.name]}" class="entry" data-find="{text(findable(table))}"><summary>'
        f'<span class="who">{bdi(table.name)}</span>'
        f'<span class="note">{quoted(table.how or table.kind)}, {many(len(table.columns), "column")}</span></summary>'
        f"{told}{_facts(table, places)}{drawn or ''}{_columns(table, places)}</details>"
    )


def _exposure(key: str, places: Places) -> Markup:
    one = places.ways.exposures[key]
    facts: list[tuple[str, str]] = [("owner", bdi(one.owner))] if one.owner else []
    facts += [("where", el("code", clipped(one.url, 300)))] if one.url else []
    facts += [("reads", places.reads(one) or "nothing that is there")]
    head = el("summary", el("span", name(one.name), class_="who"), el("span", clipped(one.kind, 40), class_="note"))
    find = clipped(f"{one.name} {one.kind}".lower(), 400)
    return el("details", head, _listed(facts), id=places.anchors[key], class_="entry", data_find=find)


def _facts(table: Table, places: Places) -> Markup:
    facts: list[tuple[str, str]] = []
    if table.source:
        facts.append(("from", f"<code>{quoted(table.source, 200)}</code>"))
    if table.reads:
        facts.append(("made of", ", ".join(_read(one, places) for one in table.reads[:50])))
    facts += [("rows by", places.decided_by(table)), ("read by", places.readers(table))]
    facts += [("rule", f"<code>{quoted(rule, SAID)}</code>") for rule in table.rules[:100]]
    known = [f"{key} {percent(share)}" for key, share in table.scores.items() if share is not None]
    if known:
        facts.append(("quality", quoted(" · ".join(known))))
    if table.open:
        facts.append(("waiting", many(table.open, "refused record")))
    return _listed(facts)


def _read(one: str, places: Places) -> str:
    anchor = places.anchors.get(one)
    return f'<a href="#{anchor}">{bdi(one)}</a>' if anchor is not None else bdi(one)


def _listed(facts: Sequence[tuple[str, str]]) -> Markup:
    """Terms and what is said of them as HTML, where something is."""
    parts = "".join(f"<dt>{term}</dt><dd>{said}</dd>" for term, said in facts if said)
    return Markup(f"<dl>{parts}</dl>" if parts else "")


def _columns(table: Table, places: Places) -> Markup:
    if not table.columns:
        return el("p", "It was not built yet: its columns are not known.", class_="empty")
    users = places.ways.users
    traced = any(one.comes_from or users((table.name, one.name)) for one in table.columns)
    rows = "".join([_column(table, at, places, traced) for at in range(min(len(table.columns), COLUMNS))])
    more = len(table.columns) - COLUMNS
    rest = el("p", f'{many(more, "more column")}: headgate query "describe ..."', class_="more") if more > 0 else ""
    kind = "list columns traced" if traced else "list columns"
    return Markup(f'<div><table class="{kind}">{_heads(traced)}<tbody>{rows}</tbody></table>{rest}</div>')


@cache
def _heads(traced: bool) -> Markup:
    heads = [("Column", ""), ("Type", ""), ("Rules", ""), ("Missing", "num")]
    return headings(*heads, *([("Comes from", ""), ("Used by", "")] if traced else []))


def _column(table: Table, at: int, places: Places, traced: bool) -> str:
    column = table.columns[at]
    told = ' <span class="badge is-warn">pii</span>' if column.pii else ""
    if column.description:
        told += f'<span class="said">{quoted(column.description, SAID)}</span>'
    missing = "—" if column.missing is None else f"{column.missing:.1%}" if column.missing else "0"
    ways = _ways(table, column, places) if traced else ""
    return (
        f'<tr id="{places.anchors[table.name]}c{at}"><td class="who">{_name(column.name)}{told}</td>'
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


def _ways(table: Table, column: Column, places: Places) -> str:
    """Where the column comes from and who uses it, as two cells."""
    above, below = places.comes_from(column.comes_from), places.used_by((table.name, column.name))
    return (
        (f'<td class="ways-cell" data-label="from">{above}</td>' if above else '<td class="ways-cell"></td>')
        + (f'<td class="ways-cell" data-label="used by">{below}</td>' if below else '<td class="ways-cell"></td>')
    )  # fmt: skip

"""The dictionary: every table with its columns, types, rules, descriptions and ways; and who reads them outside."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.report import lineage
from headgate.report.markup import Child, Markup, clipped, el, many, name
from headgate.report.model import Page, Table
from headgate.report.origins import COLUMNS, Places
from headgate.report.parts import findable, headings, percent, section
from headgate.report.ways import Port

TABLES, SAID = 1000, 600


def dictionary(page: Page, places: Places) -> Markup:
    """Every table, closed until somebody opens it or follows a link to it."""
    shown = page.tables[:TABLES]
    drawn = _drawings(places, shown)
    items = [_table(table, places, drawn.get(table.name)) for table in shown]
    more = len(page.tables) - len(shown)
    told = el("p", f"{many(more, 'more table')} are not listed here.", class_="more") if more else None
    outside = [_exposure(key, places) for key in places.ways.exposures]
    columns = sum(len(table.columns) for table in page.tables)
    note = f"{many(len(page.tables), 'table')}, {many(columns, 'column')}"
    return section("dictionary", "Dictionary", *items, told, *outside, note=note)


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


def _table(table: Table, places: Places, drawn: Markup | None) -> Markup:
    head = el(
        "summary",
        el("span", name(table.name), class_="who"),
        el("span", f"{table.how or table.kind}, {many(len(table.columns), 'column')}", class_="note"),
    )
    return el(
        "details",
        head,
        el("p", clipped(table.description, SAID), class_="description") if table.description else None,
        _facts(table, places),
        drawn,
        _columns(table, places),
        id=places.anchors[table.name],
        class_="entry",
        data_find=findable(table),
    )


def _exposure(key: str, places: Places) -> Markup:
    one = places.ways.exposures[key]
    facts: list[tuple[str, Child]] = [("owner", name(one.owner))] if one.owner else []
    facts += [("where", el("code", clipped(one.url, 300)))] if one.url else []
    facts += [("reads", places.reads(one) or "nothing that is there")]
    head = el("summary", el("span", name(one.name), class_="who"), el("span", clipped(one.kind, 40), class_="note"))
    find = clipped(f"{one.name} {one.kind}".lower(), 400)
    return el("details", head, _listed(facts), id=places.anchors[key], class_="entry", data_find=find)


def _facts(table: Table, places: Places) -> Markup:
    facts: list[tuple[str, Child]] = []
    if table.source:
        facts.append(("from", el("code", clipped(table.source, 200))))
    if table.reads:
        links: list[Child] = []
        for one in table.reads[:50]:
            links += [", "] if links else []
            links.append(el("a", name(one), href=f"#{places.anchors[one]}") if one in places.anchors else name(one))
        facts.append(("made of", links))
    facts.append(("rows by", places.decided_by(table)))
    facts.append(("read by", places.readers(table)))
    facts += [("rule", el("code", clipped(rule, SAID))) for rule in table.rules[:100]]
    known = [f"{key} {percent(share)}" for key, share in table.scores.items() if share is not None]
    if known:
        facts.append(("quality", " · ".join(known)))
    if table.open:
        facts.append(("waiting", many(table.open, "refused record")))
    return _listed(facts)


def _listed(facts: Sequence[tuple[str, Child]]) -> Markup:
    parts = [part for term, said in facts if said is not None for part in (el("dt", term), el("dd", said))]
    return el("dl", *parts) if parts else Markup("")


def _columns(table: Table, places: Places) -> Markup:
    if not table.columns:
        return el("p", "It was not built yet: its columns are not known.", class_="empty")
    users = places.ways.users
    traced = any(one.comes_from or users(Port(table.name, one.name)) for one in table.columns)
    heads = [("Column", ""), ("Type", ""), ("Rules", ""), ("Missing", "num")]
    heads += [("Comes from", ""), ("Used by", "")] if traced else []
    rows = [_column(table, at, places, traced) for at in range(min(len(table.columns), COLUMNS))]
    more = len(table.columns) - len(rows)
    rest = el("p", f'{many(more, "more column")}: headgate query "describe ..."', class_="more") if more else None
    kind = "list columns traced" if traced else "list columns"
    return el("div", el("table", headings(*heads), el("tbody", *rows), class_=kind), rest)


def _column(table: Table, at: int, places: Places, traced: bool) -> Markup:
    column = table.columns[at]
    pii = el("span", "pii", class_="badge is-warn") if column.pii else None
    told = el("span", clipped(column.description, SAID), class_="said") if column.description else None
    missing = "—" if column.missing is None else f"{column.missing:.1%}" if column.missing else "0"
    rules = [el("code", clipped(rule, 160)) for rule in column.rules[:20]]
    cells = [
        el("td", name(column.name), " " if pii else None, pii, told, class_="who"),
        el("td", el("code", clipped(column.type, 120)), class_="type"),
        el("td", *rules, class_="rules"),
        el("td", missing, class_="num", data_label="missing"),
    ]
    if traced:
        above = places.comes_from(column.comes_from)
        below = places.used_by(Port(table.name, column.name))
        cells += [
            el("td", above, class_="ways-cell", data_label="from" if above else None),
            el("td", below, class_="ways-cell", data_label="used by" if below else None),
        ]
    return el("tr", *cells, id=f"{places.anchors[table.name]}c{at}")

"""The dictionary: every table with its columns, types, rules and descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.report.markup import Child, Markup, clipped, el, many, name
from headgate.report.model import Column, Page, Table
from headgate.report.parts import findable, headings, percent, section

TABLES, COLUMNS, SAID = 1000, 300, 600


def dictionary(page: Page, anchors: Mapping[str, str]) -> Markup:
    """Every table, closed until somebody opens it or follows a link to it."""
    shown = page.tables[:TABLES]
    items = [_table(table, anchors) for table in shown]
    more = len(page.tables) - len(shown)
    told = el("p", f"{many(more, 'more table')} are not listed here.", class_="more") if more else None
    columns = sum(len(table.columns) for table in page.tables)
    note = f"{many(len(page.tables), 'table')}, {many(columns, 'column')}"
    return section("dictionary", "Dictionary", *items, told, note=note)


def _table(table: Table, anchors: Mapping[str, str]) -> Markup:
    head = el(
        "summary",
        el("span", name(table.name), class_="who"),
        el("span", f"{table.how or table.kind}, {many(len(table.columns), 'column')}", class_="note"),
    )
    return el(
        "details",
        head,
        el("p", clipped(table.description, SAID), class_="description") if table.description else None,
        _facts(table, anchors),
        _columns(table.columns),
        id=anchors[table.name],
        class_="entry",
        data_find=findable(table),
    )


def _facts(table: Table, anchors: Mapping[str, str]) -> Markup:
    facts: list[tuple[str, Child]] = []
    if table.source:
        facts.append(("from", el("code", clipped(table.source, 200))))
    if table.reads:
        links: list[Child] = []
        for one in table.reads[:50]:
            links += [", "] if links else []
            links.append(el("a", name(one), href=f"#{anchors[one]}") if one in anchors else name(one))
        facts.append(("made of", links))
    facts += [("rule", el("code", clipped(rule, SAID))) for rule in table.rules[:100]]
    known = [f"{key} {percent(share)}" for key, share in table.scores.items() if share is not None]
    if known:
        facts.append(("quality", " · ".join(known)))
    if table.open:
        facts.append(("waiting", many(table.open, "refused record")))
    parts = [part for term, said in facts for part in (el("dt", term), el("dd", said))]
    return el("dl", *parts) if parts else Markup("")


def _columns(columns: Sequence[Column]) -> Markup:
    if not columns:
        return el("p", "It was not built yet: its columns are not known.", class_="empty")
    told = any(column.description for column in columns)
    traced = any(column.comes_from for column in columns)
    heads = [("Column", ""), ("Type", ""), ("Rules", ""), ("Missing", "num")]
    heads += [("Comes from", "")] if traced else []
    head = headings(*heads, *([("Description", "")] if told else []))
    rows = [_column(column, traced, told) for column in columns[:COLUMNS]]
    more = len(columns) - len(rows)
    rest = el("p", f'{many(more, "more column")}: headgate query "describe ..."', class_="more") if more else None
    return el("div", el("table", head, el("tbody", *rows), class_="list columns"), rest)


def _column(column: Column, traced: bool, told: bool) -> Markup:
    pii = el("span", "pii", class_="badge is-warn") if column.pii else None
    missing = "—" if column.missing is None else f"{column.missing:.1%}" if column.missing else "0"
    rules = [el("code", clipped(rule, 160)) for rule in column.rules[:20]]
    cells = [
        el("td", name(column.name), " " if pii else None, pii, class_="who"),
        el("td", el("code", clipped(column.type, 120)), class_="type"),
        el("td", *rules, class_="rules"),
        el("td", missing, class_="num", data_label="missing"),
    ]
    if traced:
        cells.append(el("td", ", ".join(clipped(one) for one in column.comes_from[:20]), class_="rules"))
    if told:
        cells.append(el("td", clipped(column.description, SAID), class_="description"))
    return el("tr", *cells)

"""The sections that say how things are: the head, tables, the graph, quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.report import charts
from headgate.report.markup import Child, Markup, clipped, count, el, many, name, quoted, text
from headgate.report.model import Check, Exposure, Page, Table
from headgate.report.parts import CELL, findable, headings, moment, percent, scrolled, section

TITLES = {
    "last-run": "Last run",
    "books": "Books",
    "freshness": "Freshness",
    "volume": "Volume",
    "nulls": "Missing values",
    "schema": "Schema",
    "quarantine": "Quarantine",
}
_GOOD = {
    "last-run": "succeeded",
    "books": "every record has one fate",
    "freshness": "everything is recent",
    "volume": "sizes are as usual",
    "nulls": "no column got emptier",
    "schema": "columns are as they were left",
    "quarantine": "no more waits than may",
}
_UNKNOWN = {
    "last-run": "nothing ran yet",
    "books": "nothing was loaded yet",
    "freshness": "too few loads to learn from",
    "volume": "too few loads to learn from",
    "nulls": "too few loads to learn from",
    "schema": "nothing to compare with yet",
    "quarantine": "nothing was loaded yet",
}
FATES = ("loaded", "quarantined", "deduplicated", "skipped")


# -- the head


def verdict(page: Page) -> Markup:
    """Whether all is well, in one line, and the answers that say so."""
    bad = [check for check in page.checks if check.status == "bad"]
    if not page.tables:
        line = "Nothing here yet."
    elif bad:
        line = f"{len(bad)} of {len(page.checks)} checks need a look."
    else:
        line = "All is well."
    tone = "quiet" if not page.tables else "bad" if bad else "ok"
    told = [el("p", _facts(page), class_="facts")]
    checks = el("ul", *map(_check, page.checks), class_="checks")
    head = el("h1", line, class_=f"verdict is-{tone}")
    return el("section", head, *told, _fates(page), checks, id="health", aria_label="Health")


def _facts(page: Page) -> list[Child]:
    rows = sum(table.rows or 0 for table in page.tables)
    facts: list[Child] = [many(len(page.tables), "table"), " · ", many(rows, "row")]
    if page.quality is not None:
        facts += [" · quality ", percent(page.quality)]
    if page.waiting:
        facts += [" · ", el("a", many(page.waiting, "record waits", "records wait"), href="#quarantine")]
    return [*facts, " · written ", moment(page.at)]


def _check(check: Check) -> Markup:
    words = {"ok": _GOOD, "unknown": _UNKNOWN}.get(check.status, {})
    bad = [remark for remark in check.remarks if remark.status == "bad"]
    said: list[Child] = [el("span", words.get(check.name, ""), class_="said")] if not bad else []
    for remark in bad[:3]:
        about = [name(remark.table, 48), ": "] if remark.table else []
        said.append(el("span", *about, clipped(remark.what, CELL), class_="said"))
    if len(bad) > 3:
        said.append(el("span", f"and {len(bad) - 3:,} more: headgate health", class_="said"))
    mark = {"ok": "ok", "bad": "bad", "unknown": "quiet"}[check.status]
    word = {"ok": "ok", "bad": "look here", "unknown": "not known yet"}[check.status]
    title = el("span", TITLES.get(check.name, check.name), el("span", f": {word}", class_="sr"), class_="check-name")
    return el("li", el("span", class_=f"dot is-{mark}", aria_hidden="true"), el("div", title, *said))


def _fates(page: Page) -> Markup | None:
    """The equation that must hold, with the numbers of all loads that there ever were."""
    every = page.fates
    if not every.since:
        return None
    parts = [(fate, getattr(every, fate)) for fate in FATES]
    terms: list[Child] = [_term(every.read, "read", "")]
    for index, (fate, number) in enumerate(parts):
        terms += [el("span", "=" if index == 0 else "+", class_="sign"), _term(number, fate, f"fate-{fate}")]
    said = el("p", "Every record that was ever read, by what became of it.", *_last(page), class_="note")
    return el("div", el("p", *terms, class_="equation"), charts.fates(parts), said, class_="balance")


def _last(page: Page) -> list[Child]:
    run = next((run for run in page.runs if run.read), None)
    if run is None:
        return []
    refused = f", {count(run.quarantined)} refused" if run.quarantined else ", none refused"
    return [" The last to come, ", moment(run.at), f": {many(run.read, 'record')}{refused}."]


def _term(number: int, word: str, tone: str) -> Markup:
    swatch = el("span", class_=f"swatch {tone}", aria_hidden="true") if tone else None
    return el("span", el("b", count(number)), " ", el("span", swatch, word, class_="word"), class_="term")


# -- tables


def tables(page: Page, anchors: Mapping[str, str]) -> Markup:
    """Every table by its layer: rows, loads, age, quality."""
    layers: dict[str, list[Table]] = {}
    for table in page.tables:
        layers.setdefault(table.layer, []).append(table)
    groups = [_layer(number, layer, some, anchors) for number, (layer, some) in enumerate(layers.items())]
    find = el(
        "input",
        type="search",
        id="find",
        placeholder="Find a table or column",
        aria_label="Find a table or column",
        hidden=True,
    )
    empty = el(
        "p",
        "The project has no table yet. ",
        el("code", "headgate run"),
        " loads what stands under ingest/.",
        class_="empty",
    )
    return section("tables", "Tables", find, *(groups or [empty]), note=many(len(page.tables), "table"))


def _layer(number: int, layer: str, some: Sequence[Table], anchors: Mapping[str, str]) -> Markup:
    head = headings(("Table", ""), ("Rows", "num"), ("Loads", "spark-cell"), ("Updated", ""), ("Quality", "num"))
    rows = el("tbody", *(_row(table, anchors[table.name]) for table in some))
    loaded = sum(table.rows or 0 for table in some)
    title = el("h3", name(layer), el("span", f" {many(len(some), 'table')}, {many(loaded, 'row')}", class_="note"))
    return el("div", title, el("table", head, rows, class_="list tables"), class_="layer", id=f"layer-{number}")


def _row(table: Table, anchor: str) -> Markup:
    tone = "bad" if table.bad else "ok" if table.at else "quiet"
    waits, stale = "", ""
    if table.open:
        waits = f'<span class="waits">{many(table.open, "refused record waits", "refused records wait")}</span>'
    if table.fresh == "bad":
        stale = ' <span class="badge is-bad">stale</span>'
    rows = "—" if table.rows is None or table.kind == "view" else count(table.rows)
    return Markup(
        f'<tr data-find="{text(findable(table))}"><td class="who">'
        f'<span class="dot is-{tone}" aria-hidden="true"></span>'
        f'<a href="#{anchor}">{name(table.name.rpartition(".")[2])}</a> '
        f'<span class="kind">{quoted(table.how or table.kind, 24)}</span>{waits}</td>'
        f'<td class="num" data-label="rows">{rows}</td>'
        f'<td class="spark-cell">{charts.spark(table.loads)}</td>'
        f'<td data-label="updated">{moment(table.at)}{stale}</td>'
        f'<td class="num" data-label="quality">{_quality(table.quality)}</td></tr>'
    )


def _quality(share: float | None) -> str:
    if share is None:
        return '<span class="quiet">—</span>'
    return f"{charts.share(share, _tone(share))} {percent(share)}"


def _tone(share: float) -> str:
    return "ok" if share >= 0.99 else "warn" if share >= 0.95 else "bad"


def scores(page: Page) -> Markup | None:
    """The mean over tables, by dimension."""
    known = {key: share for key, share in page.scores.items() if share is not None}
    if not known:
        return None
    items = [
        el(
            "li",
            el("span", key, class_="check-name"),
            el("b", percent(share)),
            charts.share(share, _tone(share)),
        )
        for key, share in known.items()
    ]
    note = "Share of judgements passed by what came in during the last 30 days, mean over tables"
    return section("quality", "Quality", el("ul", *items, class_="scores"), note=note)


def pipeline(page: Page, exposures: Mapping[str, Exposure], anchors: Mapping[str, str]) -> Markup | None:
    """The graph of tables, and of what reads them outside."""
    if not any(table.reads for table in page.tables):
        return None
    drawn = charts.graph(page.tables, exposures, anchors)
    note = (
        f"{many(len(page.tables), 'table')}, drawn by layers"
        if len(page.tables) > charts.NODES
        else "From what comes in to what is built; each leads to its columns and where they come from"
    )
    return section("pipeline", "Pipeline", scrolled(drawn, "Graph of tables", "graph-box"), note=note)

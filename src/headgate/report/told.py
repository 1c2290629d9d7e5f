"""What is told of the ways of columns, as HTML: of a large project kept from page to page while no way changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from headgate.report import lineage
from headgate.report.model import Page, Table
from headgate.report.origins import COLUMNS, Places
from headgate.report.ways import Ways

TABLES = 1000
"""So many tables stand in the dictionary."""

LEAST = 100
"""Of fewer tables it is told anew each time, which takes less than to look it up."""

VERSION = "1"
"""Part of the key of what is kept: a change of what is told, or of its HTML, is a change of it."""

_TABLE, _FIELD = "\x1e", "\x1f"
"""What stands between: no HTML of ours holds a character that is hidden."""


class Kept(Protocol):
    """Texts by key that outlive the process. Losing one costs time, nothing else."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, text: str) -> None: ...


class Told(NamedTuple):
    """Of one table: what decides its rows, who reads it, its drawing, and of each column that stands in the dictionary
    where it comes from and who uses it. "" for nothing."""

    rows_by: str
    read_by: str
    drawing: str
    columns: Sequence[tuple[str, str]]


class Telling(NamedTuple):
    """Of the tables in the order of the page, and of what each exposure reads."""

    tables: Sequence[Told]
    exposures: Sequence[str]


def telling(page: Page, anchors: Mapping[str, str], kept: Kept | None = None) -> Telling:
    """Everything that is told of ways. `anchors`: where tables and exposures stand, by their place on the page."""
    if kept is None or len(page.tables) < LEAST:
        return _told(page, anchors)
    key = _key(page)
    text = kept.get(key)
    found = _read(text, page) if text is not None else None
    if found is None:
        found = _told(page, anchors)
        kept.put(key, _written(found))
    return found


def _told(page: Page, anchors: Mapping[str, str]) -> Telling:
    places = Places(Ways(page), anchors)
    drawn = _drawings(places, page.tables[:TABLES])
    tables = [_of(places, table, drawn.get(table.name, "")) for table in page.tables[:TABLES]]
    return Telling(tables, [places.reads(one) for one in page.exposures])


def _of(places: Places, table: Table, drawing: str) -> Told:
    columns = [
        (places.comes_from(one.comes_from), places.used_by((table.name, one.name))) for one in table.columns[:COLUMNS]
    ]
    return Told(places.decided_by(table), places.readers(table), drawing, columns)


def _drawings(places: Places, tables: Sequence[Table]) -> dict[str, str]:
    """The column lineage of as many tables as there is room for, from the end of the pipeline: what is built last is
    what most is asked about."""
    found: dict[str, str] = {}
    room = lineage.DRAWN
    for table in reversed(tables):
        drawn = lineage.drawing(places, table) if room > 0 else None
        if drawn is not None:
            found[table.name] = drawn
            room -= len(drawn)
    return found


# -- as one text


def _key(page: Page) -> str:
    """A digest of everything that is told here: of what a run changes most of all, rows and times, nothing is."""
    tables = [
        (one.name, one.kind, one.rows_from, [column.name for column in one.columns],
         [column.comes_from for column in one.columns])
        for one in page.tables
    ]  # fmt: skip
    facts = json.dumps([VERSION, page.version, tables, page.exposures])
    return "page " + hashlib.sha256(facts.encode()).hexdigest()


def _written(found: Telling) -> str:
    parts = [_FIELD.join([*one[:3], *[cell for cells in one.columns for cell in cells]]) for one in found.tables]
    return _TABLE.join([*parts, _FIELD.join(found.exposures)])


def _read(text: str, page: Page) -> Telling | None:
    """None where it is not what was written for such a page."""
    shown = page.tables[:TABLES]
    *parts, last = text.split(_TABLE)
    exposures = last.split(_FIELD) if page.exposures else []
    if len(parts) != len(shown) or len(exposures) != len(page.exposures):
        return None
    tables = []
    for table, part in zip(shown, parts, strict=True):
        rows_by, read_by, drawing, *cells = part.split(_FIELD)
        if len(cells) != 2 * len(table.columns[:COLUMNS]):
            return None
        tables.append(Told(rows_by, read_by, drawing, list(zip(cells[::2], cells[1::2], strict=True))))
    return Telling(tables, exposures)

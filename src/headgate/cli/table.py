"""Aligned tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from headgate.cli.text import clip, pad, safe, width

GAP = "  "
LEAST = 8
"""A column is never made narrower than this."""

LONGEST = 200
"""Where there is no terminal to fit in, a cell is cut after this many characters."""


class Column(NamedTuple):
    """A column's heading; `right` for numbers."""

    head: str
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int | None) -> list[str]:
    """Lines of the table: headings, a rule, the rows. At most `room` cells wide, as far as columns can be cut.

    Numbers are never cut; the widest text columns are cut first. Cells are made safe to show here.
    """
    cells = [[clip(safe(cell[: 4 * LONGEST]), LONGEST) for cell in row] for row in rows]
    widths = [max(map(width, [column.head, *(row[at] for row in cells)])) for at, column in enumerate(columns)]
    if room is not None:
        widths = _narrowed(columns, widths, room)
    heads = [column.head for column in columns]
    rule = ["-" * cells for cells in widths]
    return [_line(columns, row, widths) for row in (heads, rule, *cells)]


def _narrowed(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """The widths with the widest text columns cut until everything fits or nothing more can be cut."""
    widths = list(widths)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - room
    texts = [at for at, column in enumerate(columns) if not column.right]
    while excess > 0:
        able = [at for at in texts if widths[at] > max(LEAST, width(columns[at].head))]
        if not able:
            break
        widest = max(able, key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        pad(clip(cell, cells), cells, column.right) for column, cell, cells in zip(columns, row, widths, strict=True)
    ]
    return GAP.join(cells).rstrip()

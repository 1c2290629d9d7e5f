"""Aligned tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from headgate.cli.text import clip, pad, safe, width

GAP = "  "
LEAST = 8
"""A column is never made narrower than this."""

HEAD = 24
"""A heading that is longer is cut rather than its column left out."""

LONGEST = 200
"""Where there is no terminal to fit in, columns are aligned up to this many cells; longer texts stand out, whole."""


class Column(NamedTuple):
    """A column's heading; `right` for numbers. Of several that could be left out, the one with the most `spare` is."""

    head: str
    right: bool = False
    spare: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int | None) -> list[str]:
    """Lines of the table: headings, a rule, the rows. At most `room` cells wide; None: as wide as it is.

    The widest text columns are cut first; then columns are left out, and named in a line below: those first in which
    nothing stands, then those that can be spared, then from the right. The first one stays, and numbers are never cut.
    Cells are made safe to show here.
    """
    if room is None:
        whole = [[safe(cell) for cell in row] for row in rows]
        return _lines(columns, whole, [min(LONGEST, cells) for cells in _widths(columns, whole)])
    cells = [[clip(safe(cell[: 4 * LONGEST]), LONGEST) for cell in row] for row in rows]
    kept = _kept(columns, cells, room)
    left = [column.head for at, column in enumerate(columns) if at not in kept]
    columns, cells = [columns[at] for at in kept], [[row[at] for at in kept] for row in cells]
    widths = _narrowed(columns, _widths(columns, cells), room)
    columns = [column._replace(head=clip(column.head, most)) for column, most in zip(columns, widths, strict=True)]
    shown = [[clip(cell, most) for cell, most in zip(row, widths, strict=True)] for row in cells]
    note = [clip(f"no room for: {', '.join(left)}", room)] if left else []
    return [*_lines(columns, shown, widths), *note]


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width, [column.head, *(row[at] for row in cells)])) for at, column in enumerate(columns)]


def _kept(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """The columns that have room when every text is as narrow as it may be."""
    least = [
        most if column.right else min(most, max(LEAST, min(width(column.head), HEAD)))
        for column, most in zip(columns, _widths(columns, cells), strict=True)
    ]
    empty = [not any(row[at].strip("0. ") for row in cells) for at in range(len(columns))]
    kept = list(range(len(columns)))
    while len(kept) > 1 and sum(least[at] for at in kept) + len(GAP) * (len(kept) - 1) > room:
        kept.remove(max(kept[1:], key=lambda at: (empty[at], columns[at].spare, at)))
    return kept


def _narrowed(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """The widths with the widest text columns cut until everything fits or nothing more can be cut."""
    widths = list(widths)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - room
    texts = [at for at, column in enumerate(columns) if not column.right]
    while excess > 0:
        able = [at for at in texts if widths[at] > max(LEAST, min(width(columns[at].head), HEAD))]
        if not able:
            break
        widest = max(able, key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return [min(widths[0], room)] if len(widths) == 1 else widths


def _lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    heads = [column.head for column in columns]
    rule = ["-" * cells for cells in widths]
    return [_line(columns, row, widths) for row in (heads, rule, *rows)]


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [pad(cell, cells, column.right) for column, cell, cells in zip(columns, row, widths, strict=True)]
    return GAP.join(cells).rstrip()

"""A terminal that is recorded: what was written to it, and what stands on its screen."""

from __future__ import annotations

import io
import re

from headgate.cli.text import width

_PIECE = re.compile(r"\x1b\[(\d*)([A-Zm])|([\r\n])|([^\x1b\r\n]+)")


class Terminal(io.StringIO):
    """So wide and so high, as `size` of the screen asks; may be resized, which breaks long lines anew."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        super().__init__()
        self.columns, self.lines = columns, lines
        self.rows: list[str] = [""]
        self.row = self.column = 0
        self.frames: list[str] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.frames.append(text)
        at = 0
        while at < len(text):
            piece = _PIECE.match(text, at)
            assert piece is not None, f"not understood: {text[at : at + 20]!r}"
            self._take(piece)
            at = piece.end()
        return super().write(text)

    def _take(self, piece: re.Match[str]) -> None:
        number, letter, move, plain = piece.groups()
        if plain:
            self._put(plain)
        elif move == "\r":
            self.column = 0
        elif move == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [""] * (self.row + 1 - len(self.rows))
        elif letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif letter == "J":
            self.rows[self.row] = self.rows[self.row][: self.column]
            del self.rows[self.row + 1 :]
        elif letter != "m":  # a colour
            raise AssertionError(f"not understood: {piece[0]!r}")

    def _put(self, text: str) -> None:
        assert self.column + width(text) <= self.columns, f"wider than the terminal: {text!r}"
        line = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)

    def resize(self, columns: int) -> None:
        """Breaks every line anew, the cursor at the end of the last one."""
        broken = [row[at : at + columns] for row in self.rows for at in range(0, max(1, len(row)), columns)]
        self.columns, self.rows = columns, broken
        self.row, self.column = len(broken) - 1, len(broken[-1])

    def shown(self) -> list[str]:
        """What stands on it, without empty lines at the end."""
        rows = [row.rstrip() for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows

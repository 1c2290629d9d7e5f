"""Excel workbooks as a source: one sheet, whose rows are written as CSV and then read as CSV is.

A cell's value is what the workbook keeps of it: of a formula, the value that was computed last.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from headgate.adapters.files.compress import digest
from headgate.adapters.files.csv import CsvSource
from headgate.adapters.files.options import csv_format
from headgate.adapters.files.origin import corrupt, opened
from headgate.adapters.files.spool import PLAIN
from headgate.adapters.files.text import Format, Spool, Text, write
from headgate.core.errors import AdapterError, HeadgateError, ProjectError, nearest
from headgate.core.records import dataclass

_RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]*)(?::(?:([A-Z]{1,3})([1-9][0-9]*)?))?")


@dataclass(frozen=True)
class Area:
    """Rows and columns from 0; `None` is as far as the sheet is filled."""

    top: int = 0
    left: int = 0
    bottom: int | None = None
    right: int | None = None


@dataclass(frozen=True)
class Sheet(Format):
    """`sheet`: name, or number from 1; "" is the first that is not hidden."""

    sheet: str = ""
    area: Area = Area()

    def prepare(self, origin: Path, spool: Spool) -> Text:
        path = spool("sheet")
        rows: array[int] = array("Q")
        write(path, self._lines(origin, rows))
        return Text(origin, path, digest(origin), rows[1:] if self.header else rows)

    def start(self, origin: Path) -> bytes:
        """The first rows as CSV."""
        lines = self._lines(origin, array("Q"))
        return b"".join(line for line, _ in zip(lines, range(3), strict=False))

    def _lines(self, origin: Path, numbers: array[int]) -> Iterator[bytes]:
        """Rows that are not empty, as CSV, and their numbers in the sheet from 1."""
        width = 0
        for number, cells in enumerate(_rows(origin, self.sheet), 1):
            if number <= self.area.top or (self.area.bottom is not None and number - 1 > self.area.bottom):
                continue
            right = None if self.area.right is None else self.area.right + 1
            texts = [_text(cell) for cell in cells[self.area.left : right]]
            if all(text is None for text in texts):
                continue
            if not width:
                while self.header and texts[-1] is None:
                    texts.pop()
                width = len(texts)
            # A cell beyond the last column is one too many; empty ones are not.
            while len(texts) > width and texts[-1] is None:
                texts.pop()
            texts += [None] * (width - len(texts))
            numbers.append(number)
            yield ",".join("" if text is None else _quoted(text) for text in texts).encode("utf-8", "replace") + b"\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(cell: object) -> str | None:
    """The cell's canonical text; None where it is empty."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return None if cell is None else str(cell)


def _rows(origin: Path, wanted: str) -> Iterator[Sequence[Any]]:
    """The values of every row from the first, empty rows included.

    *Errors*: AdapterError `missing-extra`, `corrupt-file`, `no-sheet`.
    """
    openpyxl = _openpyxl()
    try:
        with opened(origin) as file:
            with warnings.catch_warnings(action="ignore"):
                book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = _sheet(origin, book.worksheets, wanted)
            sheet.reset_dimensions()  # what a workbook says of its size may be wrong
            rows = sheet.iter_rows(values_only=True)
            while True:
                with warnings.catch_warnings(action="ignore"):
                    chunk = list(islice(rows, 1000))
                if not chunk:
                    break
                yield from chunk
            book.close()
    except HeadgateError:
        raise
    except Exception as error:  # of zip, XML, and numbers that are none: all of them mean damage here
        said = str(error).strip() or type(error).__name__
        raise corrupt(origin, f"this is no readable workbook: {said.splitlines()[0]}") from error


def _sheet(origin: Path, sheets: Sequence[Any], wanted: str) -> Any:
    by_name = {one.title: one for one in sheets}
    if wanted in by_name:
        return by_name[wanted]
    shown = [one for one in sheets if one.sheet_state == "visible"]
    if not wanted and shown:
        return shown[0]
    if wanted.isdecimal() and 0 < int(wanted) <= len(sheets):
        return sheets[int(wanted) - 1]
    what = f"the workbook has no sheet {wanted!r}{nearest(wanted, by_name)}" if wanted else "no sheet can be seen"
    raise AdapterError.of("no-sheet", what, origin, f"name one of: {', '.join(by_name)}")


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError as error:
        what = "Excel files need openpyxl, which is not installed"
        raise AdapterError.of("missing-extra", what, "", "pip install 'headgate[excel]'") from error
    return openpyxl


def _area(text: str | None) -> Area:
    if text is None:
        return Area()
    match = _RANGE.fullmatch(text.strip().upper())
    if match is None:
        fix = "write the first cell, and the last if there is one: range: B3, B3:F or B3:F100"
        raise ProjectError.of("bad-option", f"`range`: {text!r} is no range of cells", "", fix)
    left, top, right, bottom = match.groups()
    made = Area(int(top) - 1, _column(left), int(bottom) - 1 if bottom else None, _column(right) if right else None)
    if (made.right is not None and made.right < made.left) or (made.bottom is not None and made.bottom < made.top):
        raise ProjectError.of("bad-option", f"`range`: {text!r} ends before it begins", "", "turn it round")
    return made


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class ExcelSource(CsvSource):
    """Workbooks under `options["path"]`. `sheet`, `range`, `header` and `columns` say what of them is read.

    *Errors*: ProjectError `bad-option`; AdapterError `missing-extra`, `no-sheet`, and those of CSV.
    """

    kind = "excel"
    OPTIONS = frozenset({"path", "sheet", "range", "header", "columns", "null", "timezone", "file_column", "hive"})

    def form(self, options: Mapping[str, Any]) -> tuple[Format, tuple[bytes, ...]]:
        made, nulls = csv_format({**options, "delim": ","})
        area = _area(options.get("range"))
        return Sheet(PLAIN, "utf-8", made.header, made.names, str(options.get("sheet") or ""), area), nulls

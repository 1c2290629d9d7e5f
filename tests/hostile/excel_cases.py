"""Excel workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from tests.hostile.case import Case
from tests.hostile.xlsx import CLOCK, DATE, MOMENT, sheet, workbook

TWO = {"id": "int", "v": "text"}
HEAD = ["id", "v"]


def made(name: str, data: bytes, rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    options = rest.pop("options", "")
    source = f"{{excel: {{path: 'data/*.xlsx', {options}}}}}" if options else "data/*.xlsx"
    return Case(f"excel: {name}", {"data/a.xlsx": data}, source, rest.pop("columns", TWO), rows, **rest)


def one(rows: list[list[Any]], **rest: Any) -> bytes:
    return workbook({"Sheet1": sheet(rows, **rest)})


def cases() -> Iterator[Case]:
    yield made("plain", one([HEAD, [1, "a"], [2, "b"]]), [(1, "a"), (2, "b")])
    yield made("a header alone", one([HEAD]), [])
    yield made("an empty sheet", one([]), [], code="no-header")
    yield made(
        "empty rows and cells", one([HEAD, [], [1, None], [None, None], [None, "b"], []]), [(1, None), (None, "b")]
    )
    yield made("numbers", one([HEAD, [1.0, 1.5], [12345678901234567, 0.1], [1.5, 1e20]]),
               [(1, "1.5"), (12345678901234567, "0.1")], refused={3: {"id.type"}})  # fmt: skip
    yield made("values of every kind", one([["d", "m", "c", "b"], [[45000, DATE], [45000.25, MOMENT], [0.5, CLOCK], True]]),
               [(date(2023, 3, 15), datetime(2023, 3, 15, 6), time(12), True)],
               columns={"d": "date", "m": "timestamp", "c": "time", "b": "bool"})  # fmt: skip
    yield made("formulas have the values that were computed last", one([HEAD, [("=1+1", 2), ("=A2", 7)]]), [(2, "7")])
    yield made("errors are no values", one([HEAD, [("#", "#DIV/0!"), "a"], [2, ("#", "#N/A")]]), [(2, "#N/A")],
               refused={1: {"id.type"}})  # fmt: skip
    yield made("text in cells", one([HEAD, [1, 'a "b", c'], [2, "x\ny"], [3, " "], [4, "=1+1"], ["5", "é😀"]]),
               [(1, 'a "b", c'), (2, "x\ny"), (3, " "), (4, "=1+1"), (5, "é😀")])  # fmt: skip
    yield made("merged cells", one([HEAD, [1, "a"], [None, "b"]], merged="A2:A3"), [(1, "a"), (None, "b")])
    yield made("a cell too many", one([HEAD, [1, "a", "x"], [2, "b"]]), [(2, "b")], malformed={1: "found 3"})
    yield made("a table in the middle", one([["Report"], [], HEAD, [1, "a"], [2, "b"], ["sum", 3]], top=2, left=1), [(1, "a"), (2, "b")],
               options="range: 'B4:C6'")  # fmt: skip
    yield made("a range without an end", one([["Report"], HEAD, [1, "a"]]), [(1, "a")], options="range: A2")
    yield made("no header", one([[1, "a"], [2, "b"]]), [(1, "a"), (2, "b")], options="header: false")
    book = workbook({"Old": sheet([["x"], [9]]), "New": sheet([HEAD, [1, "a"]])}, hidden=["Old"])
    yield made("hidden sheets are passed over", book, [(1, "a")])
    yield made("a sheet by its name", book, [(9,)], options="sheet: Old", columns={"x": "int"})
    yield made("a sheet by its number", book, [(1, "a")], options="sheet: 2")
    yield made("no such sheet", book, [], options="sheet: Nwe", code="no-sheet")
    yield made("a column twice", one([["id", "ID"], [1, 2]]), [], code="bad-header")
    yield made("a column without a name", one([["id", None, "v"], [1, 2, "a"]]), [], code="bad-header")
    yield made("no workbook", b"id,v\n1,a\n", [], code="corrupt-file")
    yield made("cut short", one([HEAD, [1, "a"]])[:-40], [], code="corrupt-file")
    broken = one([HEAD, [1, "a"]]).replace(b"<sheetData>", b"<sheetDatx>")
    yield made("broken XML", broken, [], code="corrupt-file")
    yield made(
        "a number that is none", one([HEAD, [1, "a"]]).replace(b"<v>1</v>", b"<v>x</v>"), [], code="corrupt-file"
    )

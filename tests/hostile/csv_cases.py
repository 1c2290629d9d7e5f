"""CSV in every dress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.hostile.case import Case

TWO = {"id": "int", "v": "text"}


def made(name: str, data: str | bytes, rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    raw = data.encode() if isinstance(data, str) else data
    options = rest.pop("options", "")
    source = f"{{csv: {{path: 'data/*.csv', {options}}}}}" if options else "data/*.csv"
    return Case(f"csv: {name}", {"data/a.csv": raw}, source, rest.pop("columns", TWO), rows, **rest)


def shapes() -> Iterator[Case]:
    yield made("nothing at all", "", [], code="no-header")
    yield made("a header alone", "id,v\n", [])
    yield made("a header without a line end", "id,v", [])
    yield made("no last line end", "id,v\n1,a\n2,b", [(1, "a"), (2, "b")])
    yield made("blank lines", "\nid,v\n\n1,a\n\n\n2,b\n\n", [(1, "a"), (2, "b")])
    yield made("blanks only in a line", "id,v\n1,a\n  \n", [(1, "a")], malformed={2: "found 1"})
    yield made("CRLF", "id,v\r\n1,a\r\n", [(1, "a")])
    yield made("lone CR", "id,v\r1,a\r2,b\r", [(1, "a"), (2, "b")])
    yield made("LF and CRLF mixed", "id,v\n1,a\r\n2,b\n3,c\r\n", [(1, "a"), (2, "b"), (3, "c")])
    yield made("a CR inside of a field", 'id,v\n1,"a\rb"\n2,c\n', [(1, "a\rb"), (2, "c")])
    yield made("line ends inside of quotes", 'id,v\n1,"a\nb\r\nc"\n2,d\n', [(1, "a\nb\r\nc"), (2, "d")])
    yield made("ragged", "id,v\n1\n2,b\n3,c,d\n4,\n", [(2, "b"), (4, None)], malformed={1: "found 1", 3: "found 3"})
    yield made("a quote not closed", 'id,v\n1,"a\n2,b\n3,c\n', [(2, "b"), (3, "c")], malformed={1: "closing quote"})
    yield made("a quote not closed at the end", 'id,v\n1,a\n2,"b', [(1, "a")], malformed={2: "closing quote"})
    yield made("text behind a quote", 'id,v\n1,"a"b\n2,c\n', [(2, "c")], malformed={1: "closing quote"})
    yield made("a quote inside of a bare field", 'id,v\n1,a"b\n', [(1, 'a"b')])
    yield made("doubled quotes", 'id,v\n1,"a""b"\n2,""\n3,""""\n', [(1, 'a"b'), (2, ""), (3, '"')])
    yield made("NUL", b"id,v\n1,a\0b\n2,c\n", [(2, "c")], malformed={1: "NUL"})
    yield made("NUL in the header", b"id,v\0\n1,a\n", [], code="bad-header")
    yield made("all NUL", b"\0" * 5000, [], code="bad-header")
    yield made("a cell of a megabyte", "id,v\n1," + "x" * (1 << 20) + "\n2,b\n", [(1, "x" * (1 << 20)), (2, "b")])
    yield made("a quoted cell of a megabyte", 'id,v\n1,"' + "y" * ((1 << 20) - 2) + '"\n2,b\n',
               [(1, "y" * ((1 << 20) - 2)), (2, "b")])  # fmt: skip
    yield made("a quoted cell beyond a megabyte", 'id,v\n1,"' + "y" * (1 << 20) + '"\n2,b\n', [(2, "b")],
               malformed={1: "closing quote"})  # fmt: skip
    wide = [f"c{number}" for number in range(600)]
    yield made("600 columns", ",".join(wide) + "\n" + ",".join(map(str, range(600))) + "\n", [tuple(range(600))],
               columns=dict.fromkeys(wide, "int"))  # fmt: skip
    yield made("300 columns, one field short", ",".join(wide[:300]) + "\n" + ",".join(map(str, range(299))) + "\n", [],
               columns=dict.fromkeys(wide[:300], "int"), malformed={1: "found 299"})  # fmt: skip
    yield made("one column with empty lines", "v\na\n\nb\n", [("a",), ("b",)], columns={"v": "text"})
    yield made("comments", "# made by hand\nid,v\n# half\n1,a\n2,#b\n", [(1, "a"), (2, "#b")], options="comment: '#'")
    yield made("a comment with a quote", 'id,v\n# "x\n1,a\n', [(1, "a")], options="comment: '#'")
    yield made("semicolons", "id;v\n1;a,b\n", [(1, "a,b")], options="delim: ';'")
    yield made("pipes without quotes", 'id|v\n1|"a\n', [(1, '"a')], options="delim: '|', quote: ''")
    yield made("an escape of its own", 'id,v\n1,"a\\"b"\n', [(1, 'a"b')], options="escape: '\\'")
    yield made("two texts for NULL", "id,v\n1,NA\n2,\n3,\"NA\"\n", [(1, None), (2, None), (3, "NA")],
               options="null: ['', NA]")  # fmt: skip


def encodings() -> Iterator[Case]:
    yield made("UTF-8 with a mark", "\ufeffid,v\n1,é\n", [(1, "é")])
    yield made("UTF-16 little", "id,v\n1,é😀\n".encode("utf-16"), [(1, "é😀")], options="encoding: utf-16")
    yield made(
        "UTF-16 big", b"\xfe\xff" + "id,v\r\n1,é\r\n".encode("utf-16-be"), [(1, "é")], options="encoding: utf-16"
    )
    yield made(
        "UTF-16 without a mark", "id,v\n1,a\n".encode("utf-16-le"), [], options="encoding: utf-16", code="corrupt-file"
    )
    yield made("UTF-16 cut in half", "id,v\n1,a\n2,b\n".encode("utf-16")[:-3], [(1, "a")], options="encoding: utf-16",
               malformed={2: "encoding"})  # fmt: skip
    yield made("UTF-16 not said", "id,v\n1,a\n".encode("utf-16"), [], code="bad-header")
    yield made("Latin-1", "id,v\n1,é\n".encode("latin-1"), [(1, "é")], options="encoding: latin-1")
    yield made("Latin-1 not said", "id,v\n1,é\n2,b\n".encode("latin-1"), [(2, "b")], malformed={1: "encoding"})
    yield made("cp1252", "id,v\n1,€\n".encode("cp1252"), [(1, "€")], options="encoding: cp1252")
    yield made("bytes that cp1252 lacks", b"id,v\n1,\x81\n2,b\n", [(2, "b")], options="encoding: cp1252",
               malformed={1: "encoding"})  # fmt: skip
    yield made("an overlong sequence", b"id,v\n1,\xc0\xaf\n2,b\n", [(2, "b")], malformed={1: "encoding"})
    yield made("a surrogate in UTF-8", b"id,v\n1,\xed\xa0\x80\n2,b\n", [(2, "b")], malformed={1: "encoding"})
    yield made("control characters", "id,v\n1,\x01\x1b[31m\x7f\n", [(1, "\x01\x1b[31m\x7f")])
    yield made("line separators of Unicode", "id,v\n1,a\u2028b\x85c\n", [(1, "a\u2028b\x85c")])


def names() -> Iterator[Case]:
    yield made("a column twice", "id,v,id\n1,a,2\n", [], code="bad-header")
    yield made("a column twice in other letters", "id,ID\n1,2\n", [], code="bad-header")
    yield made("a column without a name", "id,,v\n1,2,a\n", [], code="bad-header")
    yield made("a broken header", 'id,"v\n1,a\n', [], code="bad-header")
    yield made("columns in another order", "v,id\na,1\n", [(1, "a")])
    yield made("columns in other letters", "ID,V\n1,a\n", [(1, "a")])
    yield made("a column missing", "id\n1\n", [], code="missing-column")
    yield made("a column unknown", "id,v,w\n1,a,b\n", [], code="unknown-column")
    yield made("hostile names", 'select,"a""b","c,d","e;drop table t;--",é\n1,2,3,4,5\n', [(1, 2, 3, 4, 5)],
               columns={"a": "int, from('select')", "b": "int, from('a\"b')", "c": "int, from('c,d')",
                        "d": "int, from('e;drop table t;--')", "e": "int, from('é')"})  # fmt: skip
    yield made("names with line ends", '"a\nb",v\n1,x\n', [(1,)], columns={"i": "int, from('a\\nb')"}, more="extra: ignore\n",
               code="missing-column")  # fmt: skip
    yield made("the reserved name", "_hg_row,id,v\n9,1,a\n", [(1, "a")])
    yield made("rowid and friends", "rowid,file_row_number,filename\n1,2,x\n", [(1, 2, "x")],
               columns={"rowid": "int", "file_row_number": "int", "filename": "text"})  # fmt: skip
    yield made("values that look like SQL", "id,v\n1,'; drop table raw.t; --\n2,${secret:X}\n3,{{ ref('x') }}\n",
               [(1, "'; drop table raw.t; --"), (2, "${secret:X}"), (3, "{{ ref('x') }}")])  # fmt: skip
    yield made("values that look like formulas", "id,v\n1,=1+1\n2,@SUM(A1)\n3,-1\n",
               [(1, "=1+1"), (2, "@SUM(A1)"), (3, "-1")])  # fmt: skip


def values() -> Iterator[Case]:
    bad = ["3.7", "1e3", "1_000", "0x1F", " 5", "5 ", "+-5", "9223372036854775808", "٣", "NaN", "--1"]
    yield made("what is no int", "id\n5\n" + "\n".join(bad) + "\n+007\n", [(5,), (7,)], columns={"id": "int"},
               refused={number: {"id.type"} for number in range(2, len(bad) + 2)})  # fmt: skip
    days = [
        "2024-02-30",
        "2024-1-2",
        "2024-01-02 junk",
        "02.01.2024",
        "0000-01-01",
        "10000-01-01",
        "infinity",
        "20240102",
    ]
    yield made("what is no date", "d\n" + "\n".join(days) + "\n", [], columns={"d": "date"},
               refused={number: {"d.type"} for number in range(1, len(days) + 1)})  # fmt: skip
    money = ["1.239", "1,50", "1e2", "12345678901.00", "1.2.3", "$5", "(5)"]
    yield made("what is no decimal", "m\n" + "\n".join(f'"{one}"' for one in money) + "\n", [], columns={"m": "decimal(12,2)"},
               refused={number: {"m.type"} for number in range(1, len(money) + 1)})  # fmt: skip


def cases() -> Iterator[Case]:
    yield from shapes()
    yield from encodings()
    yield from names()
    yield from values()

"""JSON lines and documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import Case

LINES = "data/*.ndjson"
DOCUMENT = "data/*.json"


def lines(name: str, text: str | bytes, columns: dict[str, str], rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    data = text.encode() if isinstance(text, str) else text
    return Case(f"ndjson: {name}", {"data/a.ndjson": data}, rest.pop("source", LINES), columns, rows, **rest)


def document(name: str, text: str | bytes, columns: dict[str, str], rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    data = text.encode() if isinstance(text, str) else text
    return Case(f"json: {name}", {"data/a.json": data}, rest.pop("source", DOCUMENT), columns, rows, **rest)


ID = {"id": "int"}
TWO = {"id": "int", "v": "text"}
DEEP = {"c": "text, from('customer.address.city')"}


def line_cases() -> Iterator[Case]:
    yield lines("plain", '{"id":1,"v":"a"}\n{"id":2,"v":null}\n', TWO, [(1, "a"), (2, None)])
    yield lines("no last line end", '{"id":1}\n{"id":2}', ID, [(1,), (2,)])
    yield lines("nothing at all", "", ID, [])
    yield lines("blank lines only", "\n\n \n", ID, [])
    yield lines("blank lines between", '\n{"id":1}\n\n \t\n{"id":2}\n\n', ID, [(1,), (2,)])
    yield lines("a byte order mark", b'\xef\xbb\xbf{"id":1}\n', ID, [(1,)])
    yield lines("CRLF", '{"id":1}\r\n{"id":2}\r\n', ID, [(1,), (2,)])
    yield lines("CRLF and LF mixed", '{"id":1}\r\n{"id":2}\n{"id":3}\r\n', ID, [(1,), (2,), (3,)])
    yield lines("blanks around everything", ' { "id" : 1 , "v" : "a b" } \n', TWO, [(1, "a b")])
    yield lines("UTF-16", '{"id":1,"v":"é😀"}\n'.encode("utf-16"), TWO, [(1, "é😀")],
                source="{ndjson: {path: 'data/*.ndjson', encoding: utf-16}}")  # fmt: skip
    yield lines("keys in another order", '{"id":1,"v":"a"}\n{"v":"b","id":2}\n', TWO, [(1, "a"), (2, "b")])
    yield lines("keys missing", '{"id":1}\n{"v":"b"}\n{}\n', TWO, [(1, None), (None, "b"), (None, None)])
    yield lines("a key in other letters", '{"ID":1,"v":"a"}\n{"Id":2}\n', TWO, [(1, "a"), (2, None)])
    yield lines("broken between good ones", '{"id":1}\n{"id":\n{"id":3}\n', ID, [(1,), (3,)], malformed={2: "JSON"})
    yield lines("lists and scalars as records", '{"id":1}\n[1]\n5\n"x"\nnull\n', ID, [(1,)],
                malformed={2: "found a list", 3: "a single value", 4: "a single value", 5: "found null"})  # fmt: skip
    yield lines("two objects in a line", '{"id":1}{"id":2}\n{"id":3}\n', ID, [(3,)], malformed={1: "one JSON value"})
    yield lines("an object over two lines", '{"id":\n1}\n{"id":3}\n', ID, [(3,)], malformed={1: "JSON", 2: "JSON"})
    yield lines("trailing comma", '{"id":1,}\n{"id":2}\n', ID, [(2,)], malformed={1: "JSON"})
    yield lines("single quotes", "{'id':1}\n{\"id\":2}\n", ID, [(2,)], malformed={1: "JSON"})
    yield lines("a comment", '// x\n{"id":2}\n', ID, [(2,)], malformed={1: "JSON"})
    yield lines("NaN and infinities", '{"id":NaN}\n{"id":-Infinity}\n{"id":inf}\n{"id":3}\n', {"id": "double"}, [(3.0,)],
                malformed={1: "NaN", 2: "Infinity", 3: "JSON"})  # fmt: skip
    yield lines("information is no infinity", '{"id":1,"v":": nano, inf"}\n', TWO, [(1, ": nano, inf")])
    yield lines("a key twice", '{"id":1,"id":2}\n{"id":3}\n', ID, [(3,)], malformed={1: "found one twice"})
    yield lines("a key twice in other letters", '{"id":1,"ID":2}\n', ID, [], malformed={1: "case only"})
    yield lines("an empty key", '{"":1}\n{"id":2}\n', ID, [(2,)], malformed={1: "empty key"})
    yield lines("half a surrogate pair", '{"id":1,"v":"\\ud800"}\n{"id":2,"v":"\\ud83d\\ude00"}\n', TWO, [(2, "😀")],
                malformed={1: "surrogate"})  # fmt: skip
    yield lines("NUL escaped", '{"id":1,"v":"a\\u0000b"}\n{"id":2,"v":"\\\\u0000"}\n', TWO, [(2, "\\u0000")],
                malformed={1: "NUL"})  # fmt: skip
    yield lines("NUL bytes", b'{"id":1,"v":"a\0b"}\n{"id":2}\n', TWO, [(2, None)], malformed={1: "NUL"})
    yield lines("bytes that are no text", b'{"id":1,"v":"\xff"}\n{"id":2}\n', TWO, [(2, None)], malformed={1: "text"})
    yield lines("control characters", '{"id":1,"v":"a\tb"}\n{"id":2}\n', TWO, [(2, None)], malformed={1: "JSON"})
    yield lines("escapes", '{"id":1,"v":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"}\n', TWO, [(1, '"\\/\b\f\n\r\té')])
    yield lines("nested deeper than allowed", '{"id":1,"v":' + "[" * 200 + "]" * 200 + '}\n{"id":2}\n', TWO, [(2, None)],
                malformed={1: "200 levels"})  # fmt: skip
    yield lines("as deep as allowed", '{"id":1,"v":' + "[" * 199 + "]" * 199 + "}\n",
                {"id": "int", "v": "json"}, [(1, "[" * 199 + "]" * 199)])  # fmt: skip
    yield lines("a hundred thousand brackets", '{"id":1,"v":' + "[" * 100_000 + '\n{"id":2}\n', TWO, [(2, None)],
                malformed={1: "200 levels"})  # fmt: skip
    yield lines("a value of a megabyte", json.dumps({"id": 1, "v": "x" * (1 << 20)}) + '\n{"id":2}\n', TWO,
                [(1, "x" * (1 << 20)), (2, None)])  # fmt: skip
    yield lines("numbers of any length", '{"id":1,"v":' + "9" * 5000 + '}\n{"id":2,"v":0.' + "1" * 400 + "}\n", TWO,
                [(1, "9" * 5000), (2, "0." + "1" * 400)])  # fmt: skip
    yield lines("numbers keep their text", '{"id":1,"v":1.10}\n{"id":2,"v":1e2}\n{"id":3,"v":-0}\n{"id":4,"v":1E-07}\n',
                TWO, [(1, "1.10"), (2, "1e2"), (3, "-0"), (4, "1E-07")])  # fmt: skip
    exact = "12345678901234567890.123456789012345678"
    yield lines("decimals without a detour", f'{{"id":{exact}}}\n{{"id":0.1}}\n', {"id": "decimal(38,18)"},
                [(_decimal(exact),), (_decimal("0.100000000000000000"),)])  # fmt: skip
    yield lines("integers beyond 64 bits", '{"id":9223372036854775807}\n{"id":9223372036854775808}\n', ID,
                [(9223372036854775807,)], refused={2: {"id.type"}})  # fmt: skip
    yield lines("what an int is", '{"id":"5"}\n{"id":5.0}\n{"id":5e0}\n{"id":true}\n{"id":[5]}\n{"id":" 5"}\n', ID, [(5,)],
                refused={number: {"id.type"} for number in (2, 3, 4, 5, 6)})  # fmt: skip
    yield lines("what a text is", '{"v":5}\n{"v":true}\n{"v":"x"}\n{"v":[1]}\n{"v":{"a":1}}\n{"v":""}\n', {"v": "text"},
                [("5",), ("true",), ("x",), ("",)], refused={4: {"v.type"}, 5: {"v.type"}})  # fmt: skip
    yield lines("what a bool is", '{"v":true}\n{"v":"no"}\n{"v":1}\n{"v":"x"}\n{"v":0.0}\n', {"v": "bool"},
                [(True,), (False,), (True,)], refused={4: {"v.type"}, 5: {"v.type"}})  # fmt: skip
    yield lines("what a json is", '{"v":"x"}\n{"v":1.50}\n{"v":{"a": [1.0, "b c"]}}\n{"v":null}\n{"v":true}\n',
                {"v": "json"}, [('"x"',), ("1.50",), ('{"a":[1.0,"b c"]}',), (None,), ("true",)])  # fmt: skip
    yield lines("a number too great for a double", '{"v":1e400}\n{"v":1e-400}\n{"v":1e308}\n', {"v": "double"}, [(1e308,)],
                refused={1: {"v.type"}, 2: {"v.type"}})  # fmt: skip
    yield lines("a required value that is null", '{"id":null}\n{}\n{"id":1}\n', {"id": "int, required"}, [(1,)],
                refused={1: {"id.required"}, 2: {"id.required"}})  # fmt: skip
    yield lines("an unknown key", '{"id":1}\n{"id":2,"x":3}\n', ID, [], code="unknown-column")
    yield lines("an unknown key let pass", '{"id":1}\n{"id":2,"x":3}\n', ID, [(1,), (2,)], more="extra: ignore\n")
    yield lines("names of SQL", '{"select":1,"a\\"b":2,"x; drop table t":3}\n',
                {"s": "int, from('select')", "q": "int, from('a\"b')", "d": "int, from('x; drop table t')"},
                [(1, 2, 3)])  # fmt: skip
    yield lines("keys that look like paths", '{"$.a":1,"a/b":2,"a~b":3,"*":4,"0":5}\n',
                {"a": "int, from('$.a')", "b": "int, from('a/b')", "c": "int, from('a~b')", "d": "int, from('*')",
                 "e": "int, from('0')"}, [(1, 2, 3, 4, 5)])  # fmt: skip
    yield lines("a path", '{"customer":{"address":{"city":"Bonn"}}}\n{"customer":null}\n{}\n{"customer":{}}\n', DEEP,
                [("Bonn",), (None,), (None,), (None,)])  # fmt: skip
    yield lines("a path through no object", '{"customer":"Bob"}\n{"customer":{"address":[{"city":"x"}]}}\n', DEEP, [],
                refused={1: {"c.type"}, 2: {"c.type"}})  # fmt: skip
    yield lines("a path that a key has for its name",
                '{"customer.address.city":"own","customer":{"address":{"city":"not"}}}\n', DEEP, [("own",)])  # fmt: skip
    yield lines("a path with a key twice", '{"customer":{"address":{"city":"a","city":"b"}}}\n', DEEP, [("a",)])
    yield lines("a path to a number", '{"customer":{"address":{"city":1.10}}}\n', DEEP, [("1.10",)])
    yield lines("the reserved name", '{"_hg_row":7,"id":1}\n', ID, [(1,)])
    yield lines("types from the data", '{"id":1,"w":"2024-01-02","z":1.5}\n{"id":2,"l":[1]}\n', {},
                [(1, _day("2024-01-02"), _decimal("1.5"), None), (2, None, None, "[1]")])  # fmt: skip
    yield lines("a thousand lines, some of them odd", "".join(map(_mixed, range(2000))), TWO,
                [(n, f"{n}.50" if n % 50 == 7 else f"{n}.5") for n in range(2000) if n % 50 != 3],
                malformed={n + 1: "JSON" for n in range(2000) if n % 50 == 3})  # fmt: skip
    yield lines("many keys", json.dumps({f"k{n}": n for n in range(300)}) + "\n",
                {f"k{n}": "int" for n in range(300)}, [tuple(range(300))])  # fmt: skip


def _mixed(number: int) -> str:
    if number % 50 == 3:
        return '{"id":\n'
    return f'{{"id":{number},"v":{number}.5{"0" * (number % 50 == 7)}}}\n'


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


INNER = "{json: {path: 'data/*.json', records: result.items}}"


def document_cases() -> Iterator[Case]:
    yield document("an array", '[{"id":1},\n {"id":2}]', ID, [(1,), (2,)])
    yield document("an empty array", " [ ] ", ID, [])
    yield document("an empty file", "", ID, [])
    yield document("one object", '{"id":1,\n "v":"a"}', TWO, [(1, "a")])
    yield document("objects behind each other", '{"id":1}\n{"id":2} {"id":3}', ID, [(1,), (2,), (3,)])
    yield document("a byte order mark", b'\xef\xbb\xbf[{"id":1}]', ID, [(1,)])
    yield document("elements that are no objects", '[1,{"id":2},[3],null]', ID, [(2,)],
                   malformed={1: "single value", 3: "a list", 4: "null"})  # fmt: skip
    yield document("a broken element", '[{"id":1},{"id" 2},{"id":3}]', ID, [(1,), (3,)], malformed={2: "JSON"})
    yield document("an empty element", '[{"id":1},,{"id":3},]', ID, [(1,), (3,)], malformed={2: "JSON", 4: "JSON"})
    yield document("brackets inside of strings", '[{"id":1,"v":"]}[{,\\""}]', TWO, [(1, ']}[{,"')])
    yield document("a line break inside of a string", '[{"id":1,"v":"a\nb"},{"id":2}]', TWO, [(2, None)],
                   malformed={1: "control character"})  # fmt: skip
    yield document("an array that is not closed", '[{"id":1},{"id":2}', ID, [], code="corrupt-file")
    yield document("a quote that is not closed", '[{"id":1},{"id":"x}]', ID, [], code="corrupt-file")
    yield document("a bracket too many", '[{"id":1}}]', ID, [], code="corrupt-file")
    yield document("something behind the array", '[{"id":1}] x', ID, [], code="corrupt-file")
    yield document("no JSON at all", "id,v\n1,a\n", ID, [], code="corrupt-file")
    yield document("an array inside", '{"meta":{"items":[{"id":9}]},"result":{"n":2,"items":[{"id":1}]},"z":1}', ID, [(1,)],
                   source=INNER)  # fmt: skip
    yield document("a path of no array", '{"result":{"items":{"id":1}}}', ID, [], source=INNER, code="no-records")
    yield document("a path of nothing", '{"result":{}}', ID, [], source=INNER, code="no-records")
    yield document("a path in an array", "[1]", ID, [], source=INNER, code="no-records")
    yield document("pretty printed", json.dumps([{"id": 1, "v": "a"}, {"id": 2, "v": None}], indent=4), TWO,
                   [(1, "a"), (2, None)])  # fmt: skip
    yield document("numbers keep their text", '[{"id":1,"v":1.10}]', TWO, [(1, "1.10")])


def cases() -> Iterator[Case]:
    yield from line_cases()
    yield from document_cases()

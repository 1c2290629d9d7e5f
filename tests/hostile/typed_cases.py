"""Fixed width, Avro and ORC."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
from pyarrow import orc
from tests.hostile.case import Case

TWO = {"id": "int", "v": "text"}


def fixed(name: str, data: str | bytes, rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    raw = data.encode() if isinstance(data, str) else data
    options = rest.pop("options", "")
    source = f"{{fixed: {{path: 'data/*.dat', columns: {{id: 1-3, v: 4-8}}, {options}}}}}"
    return Case(f"fixed: {name}", {"data/a.dat": raw}, source, TWO, rows, **rest)


def widths() -> Iterator[Case]:
    yield fixed("plain", "  1abcde\n 22ab   \n", [(1, "abcde"), (22, "ab")])
    yield fixed("no last line end", "  1abcde", [(1, "abcde")])
    yield fixed("nothing at all", "", [])
    yield fixed("CRLF and blank lines", "  1abcde\r\n\r\n   \r\n  2abcde\r\n", [(1, "abcde"), (2, "abcde")])
    yield fixed("blanks are NULL", "        \n   abcde\n  1     \n", [(None, "abcde"), (1, None)])
    yield fixed("lines too short and too long", "  1ab\n  2abcde\n  3abcdef\n", [(2, "abcde")],
                malformed={1: "found 5", 3: "found 9"})  # fmt: skip
    yield fixed("short lines that go on in blanks", "  1ab\n  2\n  3abcdef\n", [(1, "ab"), (2, None)], options="pad: true",
                malformed={3: "found 9"})  # fmt: skip
    yield fixed("characters, not bytes", "  1éééé😀\n", [(1, "éééé😀")])
    yield fixed("a mark", "\ufeff  1abcde\n", [(1, "abcde")])
    yield fixed("Latin-1", "  1ééééé\n".encode("latin-1"), [(1, "ééééé")], options="encoding: latin-1")
    yield fixed("bytes that are no text", b"  1abc\xffe\n  2abcde\n", [(2, "abcde")], malformed={1: "encoding"})
    yield fixed("NUL", b"  1abc\0e\n  2abcde\n", [(2, "abcde")], malformed={1: "NUL"})
    yield fixed("quotes and commas", '  1"a,b"\n', [(1, '"a,b"')])
    yield fixed("no int", " 1xabcde\n", [], refused={1: {"id.type"}})


def avro_bytes(fields: list[tuple[str, Any]], records: list[dict[str, Any]], **rest: Any) -> bytes:
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records, sync_marker=bytes(16), **rest)
    return out.getvalue()


def logical(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **rest}


SCALARS = [
    ("l", "long"),
    ("d", logical("bytes", "decimal", precision=12, scale=2)),
    ("f", {"type": "fixed", "name": "fx", "size": 8, "logicalType": "decimal", "precision": 10, "scale": 0}),
    ("day", logical("int", "date")),
    ("ts", logical("long", "timestamp-micros")),
    ("loc", logical("long", "local-timestamp-micros")),
    ("t", logical("long", "time-micros")),
    ("u", logical("string", "uuid")),
    ("b", "bytes"),
    ("e", {"type": "enum", "name": "en", "symbols": ["A", "B"]}),
    ("n", ["null", "double"]),
]
SCALAR_COLUMNS = {
    "l": "int", "d": "decimal(12,2)", "f": "decimal(10,0)", "day": "date", "ts": "timestamptz", "loc": "timestamp",
    "t": "time", "u": "uuid", "b": "binary", "e": "text", "n": "double",
}  # fmt: skip


def avro(name: str, data: bytes, columns: dict[str, str], rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    return Case(f"avro: {name}", {"data/a.avro": data}, "data/*.avro", columns, rows, **rest)


def avros() -> Iterator[Case]:
    key = uuid.UUID(int=5)
    record = {
        "l": 2**63 - 1, "d": Decimal("12345678.90"), "f": Decimal(-5), "day": date(2024, 2, 29),
        "ts": datetime(2024, 1, 2, 3, 4, 5, 678901, UTC), "loc": datetime(2024, 1, 2, 3, 4, 5, 678901),
        "t": time(3, 4, 5, 6), "u": key, "b": b"\x00\xff", "e": "B", "n": None,
    }  # fmt: skip
    data = avro_bytes(SCALARS, [record])
    yield avro("logical types", data, {**SCALAR_COLUMNS, "ts": "text, from('ts')"},
               [(*(record[name] if name != "ts" else "2024-01-02 03:04:05.678901+00" for name in SCALAR_COLUMNS),)])  # fmt: skip
    two = [("id", "long"), ("v", ["null", "string"])]
    rows = [{"id": 1, "v": "a"}, {"id": 2, "v": None}]
    for codec in ("null", "deflate", "bzip2", "xz"):
        yield avro(f"codec {codec}", avro_bytes(two, rows, codec=codec), TWO, [(1, "a"), (2, None)])
    yield avro("no records", avro_bytes(two, []), TWO, [])
    yield avro("cut short", avro_bytes(two, rows * 50)[:-10], TWO, [], code="corrupt-file")
    yield avro("no Avro", b"id,v\n", TWO, [], code="corrupt-file")
    yield avro("empty", b"", TWO, [], code="corrupt-file")
    yield avro("nested", avro_bytes([("id", "int"), ("v", {"type": "array", "items": "int"})], [{"id": 1, "v": [1, 2]}]),
               {"id": "int", "v": "json"}, [(1, "[1,2]")])  # fmt: skip
    yield avro("a union of several types", avro_bytes([("id", "int"), ("v", ["int", "string"])], [{"id": 1, "v": "x"}]), TWO,
               [], code="unreadable-type")  # fmt: skip
    node = {"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]}
    yield avro("a type that holds itself", avro_bytes([("id", "int"), ("v", node)], [{"id": 1, "v": {"next": None}}]), TWO,
               [], code="unreadable-type")  # fmt: skip
    yield avro("a column unknown", avro_bytes([*two, ("w", "int")], []), TWO, [], code="unknown-column")


def orc_bytes(**columns: Any) -> bytes:
    out = pa.BufferOutputStream()
    orc.write_table(pa.table(columns), out)
    return bytes(out.getvalue())


def orcs() -> Iterator[Case]:
    def made(name: str, data: bytes, rows: list[tuple[Any, ...]], **rest: Any) -> Case:
        return Case(f"orc: {name}", {"data/a.orc": data}, "data/*.orc", rest.pop("columns", TWO), rows, **rest)

    plain = orc_bytes(id=pa.array([1, 2]), v=pa.array(["a", None]))
    yield made("plain", plain, [(1, "a"), (2, None)])
    yield made("no rows", orc_bytes(id=pa.array([], pa.int64()), v=pa.array([], pa.string())), [])
    yield made("cut short", plain[:-10], [], code="corrupt-file")
    yield made("no ORC", b"id,v\n", [], code="corrupt-file")
    yield made("empty", b"", [], code="corrupt-file")
    exact = Decimal("12345678901234567890.1234567890")
    yield made("decimals and days", orc_bytes(id=pa.array([exact]), v=pa.array([date(2024, 2, 29)])),
               [(exact, date(2024, 2, 29))], columns={"id": "decimal(30,10)", "v": "date"})  # fmt: skip
    moments = pa.array([1_700_000_000_000_000_001, 1_700_000_000_000_001_000], pa.timestamp("ns"))
    yield made("nanoseconds", orc_bytes(id=pa.array([1, 2]), v=moments), [(2, datetime(2023, 11, 14, 22, 13, 20, 1))],
               columns={"id": "int", "v": "timestamp"}, refused={1: {"v.type"}})  # fmt: skip
    yield made("nested", orc_bytes(id=pa.array([1]), v=pa.array([[{"a": 1}]])), [(1, '[{"a":1}]')],
               columns={"id": "int", "v": "json"})  # fmt: skip


def cases() -> Iterator[Case]:
    yield from widths()
    yield from avros()
    yield from orcs()

"""What the fuzzer feeds: small well-formed files of every kind, and ways to spoil them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random

COLUMNS = """columns:
  id: int, key
  v: text(40)
  n: decimal(12,2), between(0, 1000)
  d: date
  j: json
rules:
  small: n < 900 or v is not null
extra: ignore
"""
HEAD = ["id", "v", "n", "d", "j"]
ROWS: list[list[str | None]] = [
    ["1", "a", "1.50", "2024-01-02", "[1, 2]"],
    ["2", "two\nlines", "20", None, '{"a": 1.0}'],
    ["3", 'a "quote", b', "-1", "2024-02-30", "null"],
    ["3", "é😀", "99999999999999999999", "x", "{"],
    [None, "", "1e2", "2024-01-02", "5"],
]
FIXED = "{fixed: {path: data/*.dat, columns: {id: 1-3, v: 4-10, n: 11-20, d: 21-30, j: 31-40}}}"
TABLE: list[list[str | None]] = [[*HEAD], *ROWS]
TOKENS = [
    *(b'"', b"'", b",", b"\n", b"\r\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff"),
    *(b"\xc0\xaf", b"\xed\xa0\x80"),
    *(b"{", b"}", b"[", b"]", b":", b"\\", b"\\u0000", b"\\ud800", b"NaN", b"-Infinity", b"null", b"true", b"9" * 40),
    *(b"1e400", b"-0", b"0x1F", b" ", b"\t", b"#", b";", b'""', b'"\n"', b"[" * 300, b'{"a":' * 50, b"x" * 70_000),
    *(b"id", b"ID", b"v", b"_hg_row", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"BZh9"),
    *(b"Obj\x01", b"ORC", b"&", b"*", b"!!", b"- "),
]  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A file of a kind: `source` stands behind `from:`; `name` is where the file lies under the project."""

    kind: str
    name: str
    source: str
    data: bytes
    ingest: str = COLUMNS


def seeds() -> list[Seed]:
    """One or more of each kind that this installation can read."""
    made = [
        Seed("csv", "data/a.csv", "data/*.csv", _csv()),
        Seed("csv", "data/a.csv", "{csv: {path: data/*.csv, encoding: utf-16}}", _csv().decode().encode("utf-16")),
        Seed("csv", "data/a.csv", "{csv: {path: data/*.csv, comment: '#', null: ['', NA]}}", _csv()),
        Seed("ndjson", "data/a.ndjson", "data/*.ndjson", _lines()),
        Seed("json", "data/a.json", "data/*.json", json.dumps(_objects()).encode()),
        Seed("json", "data/a.json", "{json: {path: data/*.json, records: x.y}}",
             json.dumps({"w": [1], "x": {"y": _objects()}}, indent=1).encode()),
        Seed("fixed", "data/a.dat", FIXED, _fixed()),
        Seed("parquet", "data/a.parquet", "data/*.parquet", _parquet()),
        Seed("yaml", "data/a.csv", "data/*.csv", _csv()),
    ]  # fmt: skip
    for suffix, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
        made.append(Seed("packed", f"data/a.csv.{suffix}", f"data/*.{suffix}", pack(_csv())))
    made.append(Seed("packed", "data/a.ndjson.zip", "data/*.zip", _zip(), COLUMNS))
    made += [Seed(kind, f"data/a.{kind}", f"data/*.{kind}", write()) for kind, needs, write in _EXTRAS if _has(needs)]
    return [_named(seed) for seed in made]


def _named(seed: Seed) -> Seed:
    if seed.source == "data/*.gz" or seed.source in ("data/*.bz2", "data/*.xz"):
        return Seed(seed.kind, seed.name, "data/*.csv." + seed.source.rpartition(".")[2], seed.data)
    return Seed(seed.kind, seed.name, "data/*.ndjson.zip", seed.data) if seed.source == "data/*.zip" else seed


def _has(modules: tuple[str, ...]) -> bool:
    return all(find_spec(module) for module in modules)


def _csv() -> bytes:
    def cell(text: str | None) -> str:
        return "" if text is None else '"' + text.replace('"', '""') + '"'

    return "".join(",".join(map(cell, row)) + "\n" for row in TABLE).encode()


def _objects() -> list[dict[str, object]]:
    return [dict(zip(HEAD, row, strict=True)) for row in ROWS]


def _lines() -> bytes:
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in _objects()).encode()


def _fixed() -> bytes:
    return b"  1abcdefg      1.502024-01-02[1]       \n  2             20                     5\n"


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("x.ndjson", _lines())
        made.writestr("y/z.ndjson", b"")
    return out.getvalue()


def _parquet() -> bytes:
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "x.parquet"
        columns = "i AS id, 'v' || i AS v, i / 2 AS n, date '2024-01-02' + i::INTEGER AS d, [i] AS j"
        connection.execute(f"COPY (SELECT {columns} FROM range(9) AS r(i)) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _avro() -> bytes:
    import fastavro

    text = ["null", "string"]
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": text} for name in HEAD]}
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), _objects())
    return out.getvalue()


def _orc() -> bytes:
    import pyarrow as pa
    from pyarrow import orc

    out = pa.BufferOutputStream()
    columns = zip(*ROWS, strict=True)
    orc.write_table(pa.table([pa.array(column, pa.string()) for column in columns], names=HEAD), out)
    return bytes(out.getvalue())


def _xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in [HEAD, *ROWS]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_EXTRAS: list[tuple[str, tuple[str, ...], Callable[[], bytes]]] = [
    ("avro", ("fastavro", "pyarrow"), _avro),
    ("orc", ("pyarrow",), _orc),
    ("xlsx", ("openpyxl",), _xlsx),
]


BINARY = frozenset({"avro", "orc", "parquet", "xlsx", "packed"})


def spoiled(draw: Random, data: bytes, others: list[bytes], kind: str = "") -> bytes:
    """The data with one to six changes (fewer where hardly any leaves something to read), sometimes noise."""
    if draw.random() < 0.05:
        return draw.randbytes(draw.randrange(200))
    for _ in range(draw.randint(1, 2 if kind in BINARY else 6)):
        change = _flip if kind in BINARY and draw.random() < 0.6 else draw.choice(_CHANGES)
        data = change(draw, data, others)
    return data


def _place(draw: Random, data: bytes) -> int:
    return draw.randrange(len(data) + 1)


def _flip(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _insert(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    at = _place(draw, data)
    return data[:at] + draw.choice(TOKENS) + data[at:]


def _remove(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    at = _place(draw, data)
    return data[:at] + data[at + draw.choice([1, 2, 8, 64]) :]


def _cut(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    return data[: _place(draw, data)]


def _repeat(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    start, stop = sorted((_place(draw, data), _place(draw, data)))
    return data[:stop] + data[start:stop] * draw.choice([1, 1, 3, 200]) + data[stop:] if len(data) < 1 << 20 else data


def _splice(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    other = draw.choice(others)
    return data[: _place(draw, data)] + other[_place(draw, other) :]


def _overwrite(draw: Random, data: bytes, others: list[bytes]) -> bytes:
    at = _place(draw, data)
    token = draw.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


_CHANGES = [_flip, _insert, _insert, _remove, _cut, _repeat, _splice, _overwrite]

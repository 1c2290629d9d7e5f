"""Packed files, archives, Parquet, and names of files and folders."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import zstandard
from tests.hostile.case import Case

CSV = b"id,v\n1,a\n2,b\n"
TWO = {"id": "int", "v": "text"}
ROWS = [(1, "a"), (2, "b")]
PACK = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def packed() -> Iterator[Case]:
    for suffix, pack in PACK.items():
        path, source = f"data/a.csv.{suffix}", f"data/*.csv.{suffix}"
        whole = pack(CSV)
        half = pack(CSV + b"3,c\n" * 1000)
        yield Case(f"{suffix}: whole", {path: whole}, source, TWO, ROWS)
        yield Case(f"{suffix}: two frames", {path: whole + pack(b"3,c\n")}, source, TWO, [*ROWS, (3, "c")])
        yield Case(f"{suffix}: zeros behind", {path: whole + bytes(8)}, source, TWO, ROWS)
        yield Case(f"{suffix}: cut short", {path: half[: len(half) // 2]}, source, TWO, code="corrupt-file")
        yield Case(f"{suffix}: not packed", {path: CSV}, source, TWO, code="corrupt-file")
        yield Case(f"{suffix}: empty", {path: pack(b"")}, source, TWO, code="no-header")
        yield Case(f"{suffix}: junk behind", {path: whole + b"junk"}, source, TWO, code="corrupt-file")
    flipped = bytearray(PACK["gz"](CSV * 1))
    flipped[-6] ^= 1
    yield Case("gz: a wrong checksum", {"data/a.csv.gz": bytes(flipped)}, "data/*.csv.gz", TWO, code="corrupt-file")
    lines = b'{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n'
    yield Case("xz: NDJSON", {"data/a.ndjson.xz": lzma.compress(lines)}, "data/*.ndjson.xz", TWO, ROWS)


def archive(members: Mapping[str, bytes], encrypted: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    data = out.getvalue()
    if encrypted:  # the flag in the directory and before the member is what every reader goes by
        data = data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    return data


def zipped(name: str, data: bytes, rows: list[tuple[Any, ...]], **rest: Any) -> Case:
    return Case(f"zip: {name}", {"data/a.zip": data}, "{csv: {path: 'data/*.zip'}}", TWO, rows, **rest)


def archives() -> Iterator[Case]:
    yield zipped("one member", archive({"x.csv": CSV}), ROWS)
    yield zipped("several members and others", archive(
        {"x.csv": CSV, "d/y.csv": b"id,v\n3,c\n", "read.me": b"?", "__MACOSX/._x.csv": b"?", "d/": b""}
    ), [*ROWS, (3, "c")])  # fmt: skip
    yield zipped("a packed member", archive({"x.csv.gz": gzip.compress(CSV)}), ROWS)
    yield zipped("no member of the kind", archive({"x.json": b"[]"}), [], code="bad-archive")
    yield zipped("no member at all", archive({}), [], code="bad-archive")
    yield zipped("no archive", CSV, [], code="corrupt-file")
    yield zipped("cut short", archive({"x.csv": CSV})[:-30], [], code="corrupt-file")
    yield zipped("an encrypted member", archive({"x.csv": CSV}, encrypted=True), [], code="bad-archive")
    yield zipped("an archive inside", archive({"x.csv": CSV, "y.zip": archive({"z.csv": CSV})}), [], code="bad-archive")
    yield zipped("a bomb", archive({"x.csv": b"id,v\n" + b"1,a\n" * (16 << 20)}), [], code="bad-archive")
    yield zipped("a name that leads out", archive({"../x.csv": CSV}), [], code="bad-archive")
    broken = archive({"x.csv": CSV * 50})
    at = broken.index(b"x.csv") + 12
    yield zipped("a damaged member", broken[:at] + b"\xff\xff\xff" + broken[at + 3 :], [], code="corrupt-file")
    yield Case("zip: by its name", {"data/a.csv.zip": archive({"x.csv": CSV})}, "data/*.csv.zip", TWO, ROWS)
    lines = archive({"x.jsonl": b'{"id":1,"v":"a"}\n{"id":2}\n5\n'})
    yield Case("zip: NDJSON", {"data/a.zip": lines}, "{ndjson: {path: data/a.zip}}", TWO, [(1, "a"), (2, None)],
               malformed={3: "single value"})  # fmt: skip


def parquet(query: str, options: str = "") -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "x.parquet"
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
        return path.read_bytes()


def groupless() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    schema = pa.schema([("id", pa.int64()), ("v", pa.string())])
    pq.ParquetWriter(out, schema).close()
    return bytes(out.getvalue())


def columnar(
    name: str, files: Mapping[str, bytes], columns: dict[str, str], rows: list[tuple[Any, ...]], **rest: Any
) -> Case:
    named = {f"data/{file}.parquet": data for file, data in files.items()}
    return Case(f"parquet: {name}", named, rest.pop("source", "data/*.parquet"), columns, rows, **rest)


def parquets() -> Iterator[Case]:
    two = parquet("SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b' ORDER BY 1")
    yield columnar("plain", {"a": two}, TWO, ROWS)
    yield columnar("no rows", {"a": parquet("SELECT 1 AS id, 'a' AS v WHERE false"), "b": two}, TWO, ROWS)
    yield columnar("another physical type in another file",
                   {"a": two, "b": parquet("SELECT '3' AS id, 7 AS v"), "c": parquet("SELECT 4.0::DOUBLE AS id, 'd' AS v")},
                   TWO, [*ROWS, (3, "7"), (4, "d")])  # fmt: skip
    yield columnar(
        "a column missing in some file", {"a": two, "b": parquet("SELECT 3 AS id")}, TWO, [], code="missing-column"
    )
    yield columnar(
        "a column that no value fits", {"a": parquet("SELECT true AS id, 'x' AS v")}, TWO, [], code="type-never-fits"
    )
    yield columnar(
        "text that is no int", {"a": parquet("SELECT 'x' AS id, 'a' AS v")}, TWO, [], refused={1: {"id.type"}}
    )
    yield columnar("cut short", {"a": two[:-20]}, TWO, [], code="corrupt-file")
    yield columnar("empty", {"a": b""}, TWO, [], code="corrupt-file")
    yield columnar("no Parquet", {"a": CSV}, TWO, [], code="corrupt-file")
    yield columnar("magic alone", {"a": b"PAR1PAR1"}, TWO, [], code="corrupt-file")
    yield columnar("nested as json", {"a": parquet("SELECT 1 AS id, {'a': [1, 2]} AS v")}, {"id": "int", "v": "json"},
                   [(1, '{"a":[1,2]}')])  # fmt: skip
    struct = "SELECT 1 AS id, {'b': {'c': 'x', 'D': 5}} AS a UNION ALL SELECT 2, NULL UNION ALL SELECT 3, {'b': NULL} ORDER BY 1"
    yield columnar("members of structs", {"a": parquet(struct)}, {"id": "int", "c": "text, from('a.b.c')", "d": "int, from('A.b.d')"},
                   [(1, "x", 5), (2, None, None), (3, None, None)])  # fmt: skip
    yield columnar("a member that a column has for its name", {"a": parquet("SELECT {'b': 1} AS a, 2 AS \"a.b\"")},
                   {"v": "int, from('a.b')"}, [(2,)], more="extra: ignore\n")  # fmt: skip
    yield columnar("no such member", {"a": parquet("SELECT {'b': 1} AS a")}, {"v": "int, from('a.x')"}, [],
                   more="extra: ignore\n", code="missing-column")  # fmt: skip
    yield columnar("a member of a list", {"a": parquet("SELECT [{'b': 1}] AS a")}, {"v": "int, from('a.b')"}, [],
                   more="extra: ignore\n", code="missing-column")  # fmt: skip
    yield columnar("no row groups", {"a": groupless(), "b": two}, TWO, ROWS)
    yield columnar("nested into a text", {"a": parquet("SELECT 1 AS id, [1] AS v")}, TWO, [], code="type-never-fits")
    yield columnar("hostile names", {"a": parquet('SELECT 1 AS "a""b", 2 AS "x; drop table t"')},
                   {"p": "int, from('a\"b')", "q": "int, from('x; drop table t')"}, [(1, 2)])  # fmt: skip
    yield columnar("NaN into a decimal", {"a": parquet("SELECT 'nan'::DOUBLE AS id, 'a' AS v")},
                   {"id": "decimal(9,2)", "v": "text"}, [], refused={1: {"id.type"}})  # fmt: skip


HIVE = "{csv: {path: 'data/**/*.csv', hive: true}}"


def paths() -> Iterator[Case]:
    one = b"id\n1\n"
    three = {"id": "int", "dt": "date", "region": "text"}
    yield Case(
        "hive: folders", {"data/dt=2024-01-02/region=EU/a.csv": one}, HIVE, three, [(1, _day("2024-01-02"), "EU")]
    )
    yield Case("hive: encoded, and NULL",
               {"data/dt=__HIVE_DEFAULT_PARTITION__/region=a%2Fb%20%C3%A9/a.csv": one}, HIVE, three, [(1, None, "a/b é")])  # fmt: skip
    yield Case("hive: a value that does not convert", {"data/dt=soon/region=EU/a.csv": one}, HIVE, three, [],
               refused={1: {"dt.type"}})  # fmt: skip
    yield Case(
        "hive: a key twice", {"data/dt=2024-01-02/DT=2024-01-03/region=x/a.csv": one}, HIVE, three, code="bad-path"
    )
    yield Case("hive: a key that is a column", {"data/id=5/dt=x/region=x/a.csv": one}, HIVE, three, code="bad-header")
    yield Case("hive: a folder missing", {"data/dt=2024-01-02/a.csv": one}, HIVE, three, code="missing-column")
    yield Case("hive: bytes that are no text", {"data/dt=%FF/region=x/a.csv": one}, HIVE, three, code="bad-path")
    yield Case("hive: off", {"data/dt=2024-01-02/a.csv": one}, "data/**/*.csv", {"id": "int"}, [(1,)])
    yield Case("hive: NDJSON", {"data/dt=2024-01-02/a.ndjson": b'{"id":1}\n'},
               "{ndjson: {path: 'data/*/*.ndjson', hive: true, file_column: f}}", {"id": "int", "dt": "date", "f": "text"},
               [(1, _day("2024-01-02"), "dt=2024-01-02/a.ndjson")])  # fmt: skip
    yield Case("hive: Parquet", {"data/dt=2024-01-02/a.parquet": parquet("SELECT 1 AS id")},
               "{parquet: {path: 'data/*/*.parquet', hive: true}}", {"id": "int", "dt": "date"},
               [(1, _day("2024-01-02"))])  # fmt: skip
    for name in ("a b", "é", "a'b", 'a"b', "a[1]", "a;b", "-x", "a%20b", "$HOME", "a\nb"):
        yield Case(f"file name: {name!r}", {f"data/{name}.csv": CSV}, "data/*.csv", TWO, ROWS)
        yield Case(f"file name, lines: {name!r}", {f"data/{name}.ndjson": b'{"id":1,"v":"a"}\n'}, "data/*.ndjson", TWO,
                   [(1, "a")])  # fmt: skip


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def cases() -> Iterator[Case]:
    yield from packed()
    yield from archives()
    yield from parquets()
    yield from paths()

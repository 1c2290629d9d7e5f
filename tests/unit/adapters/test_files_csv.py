from __future__ import annotations

import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from csv_reference import Row, Rules, read
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.adapters.files.csv import CsvSource
from headgate.adapters.files.spool import Table
from headgate.core.errors import AdapterError, HeadgateError, ProjectError
from headgate.core.values import Batch
from headgate.testing.source_suite import DuckSession, Seen, drain

SESSION = DuckSession()


def source(folder: Path, **options: Any) -> CsvSource:
    tmp = folder / "tmp"
    tmp.mkdir(exist_ok=True)
    return CsvSource({"path": "*.csv*", **options}, folder, tmp)


def load(made: CsvSource, max_rows: int = 1 << 40, max_bytes: int = 1 << 50) -> Seen:
    (partition,) = made.partitions({})
    reader = made.open(SESSION, partition, None)
    try:
        return drain(SESSION, reader, max_rows, max_bytes)
    finally:
        reader.close()
        assert not list(Path(partition.location).with_name("tmp").iterdir())


def put(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def text(value: tuple[bytes, bool], null: bytes = b"") -> str | None:
    return None if value[0] == null and not value[1] else value[0].decode()


def shown(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def expect(seen: Seen, rows: list[Row], null: bytes = b"") -> None:
    good = {n: tuple(text(f, null) for f in row.fields) for n, row in enumerate(rows, 1) if row.fields is not None}
    bad = {n: (row.line + 1, shown(row.raw)) for n, row in enumerate(rows, 1) if row.fields is None}
    assert seen.records == len(rows)
    assert seen.rows == good
    assert {n: row[:2] for n, row in seen.malformed.items()} == bad


PIECES = [b"a", b"1", b" ", b",", b",", b",", b"\n", b"\n", b"\n", b'"', b'""', b'"x"', b'"x,y"', b"1,2\n", b'1,"2"\n']
PIECES += [
    b"\r\n",
    b"\r",
    "é".encode(),
    b"\xff",
    b"\0",
    b'"x\ny"',
    b'"x\r\ny"',
    b'1,"a ""b"""\n',
    b",\n",
    b"NA",
    b'"NA"',
    b"#",
]
TIDY = [
    b"1,2",
    b",",
    b'"",',
    b'"x","y"',
    b'1,"a ""b"""',
    b'"l\nm",2',
    b'3,"l\r\nm"',
    b"NA,1",
    b'"NA",1',
    b" 1 , 2 ",
    b"",
    "é,ü".encode(),
]
nasty = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
tidy = st.builds(
    lambda lines, end, last: end.join(lines) + end * last,
    st.lists(st.sampled_from(TIDY), max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
)


@settings(max_examples=250, deadline=None)
@given(
    nasty | tidy,
    st.sampled_from([b"a,b\n", b"a\n", b"a,b\r\n", b'"a",b,c\n']),
    st.sampled_from(["", "NA"]),
    st.integers(1, 9),
)
def test_duckdb_and_the_splitter_see_the_same_values(data: bytes, header: bytes, null: str, max_rows: int) -> None:
    fields = header.count(b",") + 1
    with tempfile.TemporaryDirectory() as name:
        put(Path(name), header + data)
        made = source(Path(name), null=null)
        expected = read(data, fields, Rules())
        expect(load(made), expected, null.encode())
        expect(load(made, max_rows), expected, null.encode())


def test_clean_files_are_read_in_place_and_number_their_rows(tmp_path: Path) -> None:
    path = put(tmp_path, b'id,name\n1,"a, b"\n2,\n3,""\n')
    seen = load(source(tmp_path))
    (batch,) = seen.batches
    assert str(path) in batch.relation
    assert batch.row_base == 1
    assert batch.careful is not None
    assert seen.rows == {1: ("1", "a, b"), 2: ("2", None), 3: ("3", "")}


def test_the_careful_batch_equals_the_fast_one(tmp_path: Path) -> None:
    put(tmp_path, b'id,name\r\n1,"a, ""b"""\r\n2,"x"\r\n3,\r\n')
    made = source(tmp_path)
    reader = made.open(SESSION, made.partitions({})[0], None)
    batch = reader.read(10, 1 << 30)
    assert batch is not None
    assert batch.careful is not None
    careful = batch.careful()
    fast = [(number, *row) for number, row in enumerate(SESSION.execute(batch.relation), 1)]
    assert SESSION.execute(careful.relation) == fast
    assert (careful.records, careful.malformed, careful.start, careful.end) == (3, 0, batch.start, batch.end)
    reader.close()


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.6])
@pytest.mark.parametrize("quoted", [False, True])
def test_any_share_of_malformed_lines_balances(tmp_path: Path, share: float, quoted: bool) -> None:
    draw = random.Random(7)
    bad_lines = [b"%d,too,many,fields", b"%d,few", b'%d,"unclosed,1', b'%d,"a"b,1', b"%d,\xff\xfe,1", b"%d,x\0y,1"]
    lines: list[bytes] = []
    truth: dict[int, bytes] = {}
    for number in range(1, 20_001):
        if draw.random() < share:
            truth[number] = draw.choice(bad_lines) % number
            lines.append(truth[number])
        else:
            lines.append((b'%d,"text, quoted",%d' if quoted and number % 3 else b"%d,text,%d") % (number, number))
    put(tmp_path, b"id,text,n\n" + b"\n".join(lines) + b"\n")
    seen = load(source(tmp_path), 7_000)
    assert seen.records == 20_000 == len(seen.rows) + len(seen.malformed)
    assert {n: row[:2] for n, row in seen.malformed.items()} == {n: (n + 1, shown(raw)) for n, raw in truth.items()}
    assert all(row[0] == row[2] == str(number) for number, row in seen.rows.items())
    assert all(message.startswith("expected ") for _, _, message in seen.malformed.values())


def test_blanks_before_a_quote_keep_the_quote(tmp_path: Path) -> None:
    put(tmp_path, b'a,b\n1, "x"\n2, "a,b"\n')
    seen = load(source(tmp_path))
    assert seen.rows == {1: ("1", ' "x"')}
    assert seen.malformed == {2: (3, '2, "a,b"', "expected 2 fields, found 3")}


def test_a_slice_of_one_record_with_a_trailing_delimiter_is_malformed(tmp_path: Path) -> None:
    # Another record lacks what this one has too much, so that the sums of the whole block agree.
    put(tmp_path, b"a,b\n1,2,\n3\n")
    assert load(source(tmp_path), 1).rows == load(source(tmp_path)).rows == {}


def test_originals_give_line_raw_text_and_row(tmp_path: Path) -> None:
    put(tmp_path, b'id,te"xt\n1,"a ""b""\nc"\n\n2,\n3,x,y\n4,"\xc3\xa9\\"\n')
    made = source(tmp_path, file_column="file")
    reader = made.open(SESSION, made.partitions({})[0], None)
    batch = reader.read(10, 1 << 30)
    assert batch is not None
    rows = SESSION.execute(f"SELECT * FROM ({batch.originals([1, 2, 3, 4, 99])}) ORDER BY 1")
    assert [row[:3] for row in rows] == [
        (1, 2, '1,"a ""b""\nc"'),
        (2, 5, "2,"),
        (3, 6, "3,x,y"),
        (4, 7, '4,"é\\"'),
    ]
    assert [json.loads(row[3]) if row[3] else None for row in rows] == [
        {"id": "1", 'te"xt': 'a "b"\nc', "file": "a.csv"},
        {"id": "2", 'te"xt': None, "file": "a.csv"},
        None,
        {"id": "4", 'te"xt': "é\\", "file": "a.csv"},
    ]
    reader.close()


@pytest.mark.parametrize(
    ("options", "data", "rows"),
    [
        ({"delim": ";"}, b'a;b\n1;"x;y"\n', [("1", "x;y")]),
        ({"delim": "\\t"}, b"a\tb\n1\t2\n", [("1", "2")]),
        ({"quote": "'"}, b"a,b\n1,'x,''y'\n", [("1", "x,'y")]),
        ({"quote": ""}, b'a,b\n1,"x\n', [("1", '"x')]),
        ({"quote": ""}, b'a,b\n1,"x\n2,y,z\n', [("1", '"x')]),
        ({"escape": "\\"}, b'a,b\n1,"x \\"y\\" \\n"\n', [("1", 'x "y" \\n')]),
        ({"escape": "\\"}, b'a,b\n1,x\\y\n2,"z"\n', [("1", "x\\y"), ("2", "z")]),
        ({"comment": "#"}, b"# made today\na,b\n# two\n1,#2\n", [("1", "#2")]),
        ({"header": False, "columns": ["a", "b"]}, b"1,2\n3,4\n", [("1", "2"), ("3", "4")]),
        ({"header": False}, b"1,2\n3,4\n", [("1", "2"), ("3", "4")]),
        ({"header": False}, b"\xef\xbb\xbf1,2\n", [("1", "2")]),
        ({}, b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2")]),
        ({}, b'\n\n"a\nb",c\n1,2\n', [("1", "2")]),
        ({}, b"a,b\r1,2\r3,4\r", [("1", "2"), ("3", "4")]),
        ({}, b"a,b\r1,2", [("1", "2")]),
        ({}, b"a,b\r\n1,2\n3,4\r\n", [("1", "2"), ("3", "4")]),
        ({}, b"a,b\n1,x\ry\n", [("1", "x\ry")]),
        ({}, b"a\n1\n\n2\n", [("1",), ("2",)]),
        ({}, b'a\n""\n', [("",)]),
        ({}, b"a,b\n", []),
        ({}, b"a,b", []),
        ({}, b"a,b\n\n\n", []),
        ({"encoding": "latin-1"}, "a,b\n1,é\n".encode("latin-1"), [("1", "é")]),
        ({"encoding": "utf-16"}, "a,b\n1,é😀\n".encode("utf-16"), [("1", "é😀")]),
        ({"encoding": "cp1252"}, "a,b\n1,€\n".encode("cp1252"), [("1", "€")]),
        ({"null": "NA"}, b'a,b\nNA,"NA"\n,""\n', [(None, "NA"), ("", "")]),
        ({"null": ("", "NA")}, b'a,b\nNA,"NA"\n,""\n', [(None, "NA"), (None, "")]),
        ({"null": ("NA", "-", "NA")}, b'a,b\nNA,-\n,"-"\n', [(None, None), ("", "-")]),
        ({"file_column": "file"}, b"a,b\n1,2\n", [("1", "2", "a.csv")]),
    ],
)
def test_options(tmp_path: Path, options: dict[str, Any], data: bytes, rows: list[tuple[str, ...]]) -> None:
    put(tmp_path, data)
    assert list(load(source(tmp_path, **options)).rows.values()) == rows


def test_an_unclosed_quote_hides_no_line_end_of_a_file_of_lone_carriage_returns(tmp_path: Path) -> None:
    put(tmp_path, b'a,b\r"x,1\r2,y\r')
    seen = load(source(tmp_path))
    assert (seen.rows, {n: row[:2] for n, row in seen.malformed.items()}) == ({2: ("2", "y")}, {1: (2, '"x,1')})


@pytest.mark.parametrize(
    ("encoding", "data", "bad"),
    [
        ("cp1252", b"a,b\n1,\x81\n2,x\n", 1),
        ("utf-16", "a,b\n1,x\n2,".encode("utf-16") + b"\x00\xd8\n\x003\x00,\x00y\x00", 2),
        ("utf-16", "a,b\n1,x\n2,y".encode("utf-16") + b"z", 2),
    ],
)
def test_bytes_outside_the_encoding_make_a_malformed_record(
    tmp_path: Path, encoding: str, data: bytes, bad: int
) -> None:
    put(tmp_path, data)
    seen = load(source(tmp_path, encoding=encoding))
    assert list(seen.malformed) == [bad]
    assert seen.malformed[bad][2] == "expected valid text in the file's encoding"
    assert seen.records == len(seen.rows) + 1


@pytest.mark.parametrize(
    "options",
    [
        {"delim": ";;"},
        {"delim": '"'},
        {"quote": ","},
        {"escape": ","},
        {"encoding": "utf8000"},
        {"columns": ["a"]},
        {"header": "maybe"},
        {"header": False, "columns": ["a", "A"]},
        {"null": 'a"b'},
        {"null": ("NA", 'a"b')},
        {"null": ()},
    ],
)
def test_bad_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ProjectError) as caught:
        source(tmp_path, **options)
    assert caught.value.finding.code == "bad-option"
    assert caught.value.finding.fix


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-header"),
        (b"\n\n", "no-header"),
        (b"a,A\n1,2\n", "bad-header"),
        (b"a,,b\n", "bad-header"),
        (b'a,"b\n', "bad-header"),
        (b"a,\xff\n", "bad-header"),
    ],
)
def test_headers_that_cannot_be_used(tmp_path: Path, data: bytes, code: str) -> None:
    put(tmp_path, data)
    made = source(tmp_path)
    with pytest.raises(AdapterError) as caught:
        made.open(SESSION, made.partitions({})[0], None)
    assert caught.value.finding.code == code
    assert [finding.code for finding in made.check(SESSION, ["a"])] == [code]
    assert not list((tmp_path / "tmp").iterdir())


def packed(name: str, data: bytes) -> bytes:
    return gzip.compress(data) if name.endswith(".gz") else zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_compressed_files_of_several_frames(tmp_path: Path, name: str) -> None:
    put(tmp_path, packed(name, b"a,b\n1,2\n") + packed(name, b'3,"4"x\n5,6\n'), name)
    seen = load(source(tmp_path))
    assert seen.rows == {1: ("1", "2"), 3: ("5", "6")}
    assert seen.malformed[2][:2] == (3, '3,"4"x')


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
@pytest.mark.parametrize("harm", ["cut", "flip", "junk"])
def test_damaged_streams_say_so(tmp_path: Path, name: str, harm: str) -> None:
    data = bytearray(packed(name, b"a,b\n" + random.Random(1).randbytes(9000).hex().encode() + b",2\n"))
    if harm == "cut":
        del data[-5:]
    elif harm == "flip":
        data[0] ^= 0xFF
    else:
        data += b"junk"
    put(tmp_path, bytes(data), name)
    made = source(tmp_path)
    with pytest.raises(AdapterError) as caught:
        made.open(SESSION, made.partitions({})[0], None)
    assert caught.value.finding.code == "corrupt-file"
    assert name in caught.value.finding.where
    assert not list((tmp_path / "tmp").iterdir())


def test_a_file_that_changes_while_read_stops_the_load(tmp_path: Path) -> None:
    path = put(tmp_path, b"a,b\n1,2\n3,4\n")
    made = source(tmp_path)
    reader = made.open(SESSION, made.partitions({})[0], None)
    batch = reader.read(1, 1 << 30)
    assert batch is not None
    assert batch.verify is not None
    batch.verify()
    path.write_bytes(b"a,b\n1,2\n3,4\n5,6\n")
    for action in (batch.verify, lambda: reader.read(1, 1)):
        with pytest.raises(AdapterError) as caught:
            action()
        assert caught.value.finding.code == "file-changed"
    reader.close()


def test_check_names_missing_and_unknown_columns(tmp_path: Path) -> None:
    put(tmp_path, b"Id,emial,extra\n")
    findings = source(tmp_path).check(SESSION, ["id", "email"])
    assert [(f.code, f.level) for f in findings] == [
        ("missing-column", "error"),
        ("unknown-column", "error"),
        ("unknown-column", "error"),
    ]
    assert "did you mean 'emial'?" in findings[0].what
    assert findings[0].where.endswith("a.csv:1")


@pytest.mark.parametrize(
    ("data", "options", "fields"),
    [
        (b"1,2,3\n4,5\n", {}, 3),
        (b"1;2\n", {}, 1),
        (b'"1,2,3\n1,2,3,4\n', {}, 4),
        (b"1,2\n1,2,3\n", {}, None),
        (b"1,2\n", {"file_column": "f"}, None),
        (b"", {}, None),
    ],
    ids=["more", "another delimiter", "behind a malformed one", "equal", "file's name beside", "empty"],
)
def test_check_counts_the_fields_where_columns_go_by_position(
    tmp_path: Path, data: bytes, options: dict[str, Any], fields: int | None
) -> None:
    path = put(tmp_path, data)
    made = source(tmp_path, header=False, columns=("a", "b"), **options)
    findings = made.check(SESSION, ["a", "b", *options.values()])
    assert [(f.code, f.level, f.what, f.where) for f in findings] == (
        [("field-count", "warning", f"the first record has {fields} fields, and 2 columns are named", str(path))]
        if fields
        else []
    )


def test_utf_16_without_its_mark_is_no_text(tmp_path: Path) -> None:
    path = put(tmp_path, b"id\n1\n")
    made = source(tmp_path, encoding="utf-16")
    (checked,) = made.check(SESSION, ["id"])
    with pytest.raises(AdapterError) as caught:
        load(made)
    assert caught.value.finding == checked
    assert (checked.code, checked.where) == ("corrupt-file", str(path))
    assert checked.what == "the file is not utf-16, or lacks its byte order mark"
    assert checked.fix == "correct `encoding:`, or have it delivered with a byte order mark"


def test_check_without_any_file(tmp_path: Path) -> None:
    (finding,) = source(tmp_path, path="nothing/*.csv").check(SESSION, ["id"])
    assert finding.code == "no-files"


def test_a_column_with_the_name_of_the_record_number_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, b"_hg_row,a\n7,1\n8,2,3\n")
    seen = load(source(tmp_path))
    assert seen.rows == {1: ("1",)}
    assert [column.name for column in seen.batches[0].columns] == ["a"]


def test_hostile_names_of_columns_and_files(tmp_path: Path) -> None:
    put(tmp_path, b'"a"" \'b",filename,c0,rowid\n1,2,3,4\n', "odd [1]* 'x'.csv")
    seen = load(source(tmp_path, file_column="File"))
    assert seen.rows == {1: ("1", "2", "3", "4", "odd [1]* 'x'.csv")}
    assert [column.name for column in seen.batches[0].columns] == ["a\" 'b", "filename", "c0", "rowid", "File"]


def test_long_records_pass(tmp_path: Path) -> None:
    wide = b"x" * (5 << 20)
    put(tmp_path, b"a,b\n1," + wide + b"\n2,y\n3\n")
    seen = load(source(tmp_path))
    assert seen.rows == {1: ("1", wide.decode()), 2: ("2", "y")}
    assert seen.malformed[3][1] == "3"


def batches(made: CsvSource, max_rows: int) -> list[Batch]:
    reader = made.open(SESSION, made.partitions({})[0], None)
    return drain(SESSION, reader, max_rows).batches


def test_the_end_position_says_what_was_read(tmp_path: Path) -> None:
    path = put(tmp_path, b"a,b\n1,2\n\n3,4\n")
    first, second = batches(source(tmp_path), 1)
    assert first.end == second.start
    assert (first.end["records"], first.end["done"]) == (1, False)
    assert (second.end["records"], second.end["done"], second.end["offset"]) == (2, True, path.stat().st_size)
    assert str(second.end["digest"]).startswith("sha256:")


def test_an_error_carries_what_where_and_fix(tmp_path: Path) -> None:
    put(tmp_path, b"")
    made = source(tmp_path)
    with pytest.raises(HeadgateError) as caught:
        made.open(SESSION, made.partitions({})[0], None)
    assert all((caught.value.finding.what, caught.value.finding.where, caught.value.finding.fix))


CELLS = [b"1,2", b",", b"x,", b" 1 , 2 ", "é,ü".encode(), b"some longer text,with more"]
QUOTED = [b'"",', b'"x","y"', b'1,"a ""b"""', b'"a,b,c",",,"', b'"""",""""""', b'"1,2",3', b'"l\nm",2', b'"1,2\n1,2",4']


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("lines", [CELLS, [*CELLS, b""], [*CELLS, *QUOTED], [*CELLS, *QUOTED, b""]])
def test_values_are_right_where_the_buffers_of_duckdb_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[bytes], newline: bytes
) -> None:
    read_csv = Table.read
    draw = random.Random(3)
    for _ in range(12):
        small = f"max_line_size = 200, buffer_size = {draw.choice([400, 1000, 3000])}"
        monkeypatch.setattr(
            Table, "read", lambda table, small=small: read_csv(table).replace("max_line_size = 2097152", small)
        )
        data = newline.join(draw.choice(lines) for _ in range(600)) + newline
        put(tmp_path, b"a,b" + newline + data)
        expected = [row.fields for row in read(data, 2, Rules())]
        seen = load(source(tmp_path))
        assert seen.rows == {n: tuple(map(text, fields or ())) for n, fields in enumerate(expected, 1)}

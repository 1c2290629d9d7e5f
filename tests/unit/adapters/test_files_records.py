from __future__ import annotations

import io

import pytest
from csv_reference import Rules, read, record
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.adapters.files import records
from headgate.adapters.files.records import Dialect, Splitter

PIECES = [
    b"a",
    b"1",
    b",",
    b",",
    b",",
    b'"',
    b'"',
    b'""',
    b'","',
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"#",
    b"\\",
    b"\0",
]
PIECES += [b"\xff", "é".encode(), b'"a"', b"1,2\n", b'1,"2"\n', b'"x\ny",2\n', b"1,2\r\n"]
nasty = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
DIALECTS = [
    (Dialect(), Rules()),
    (Dialect(comment=b"#"), Rules(comment=ord("#"))),
    (Dialect(escape=b"\\"), Rules(escape=ord("\\"))),
    (Dialect(quote=b"", escape=b""), Rules(quote=None, escape=None)),
]


def split(data: bytes, splitter: Splitter) -> list[tuple[bytes, object, int]]:
    rows, last, line = [], 0, 1
    for start, stop, _, problem in splitter.extents(data):
        line += splitter.newlines(data, last, start)
        last = start
        if problem is None:
            continue
        fields = None
        if not problem:
            walked = splitter.walk(data, start)
            assert isinstance(walked, tuple)
            fields = tuple(splitter.values(data, walked[0]))
        rows.append((data[start:stop], fields, line))
    return rows


@settings(max_examples=1500, deadline=None)
@given(nasty, st.integers(1, 3), st.sampled_from(DIALECTS), st.booleans())
def test_extents_agree_with_the_reference(data: bytes, fields: int, pair: tuple[Dialect, Rules], lone_cr: bool) -> None:
    dialect, rules = pair
    rules = Rules(rules.delim, rules.quote, rules.escape, rules.comment, lone_cr)
    expected = [(row.raw, row.fields, row.line) for row in read(data, fields, rules)]
    assert split(data, Splitter(dialect, fields, lone_cr)) == expected


@settings(max_examples=1500, deadline=None)
@given(nasty, st.integers(1, 3), st.sampled_from(DIALECTS))
def test_a_tally_agrees_with_the_reference_or_gives_up(data: bytes, fields: int, pair: tuple[Dialect, Rules]) -> None:
    tally = Splitter(pair[0], fields).tally(data) if data else None
    if tally is not None:
        rows = read(data, fields, pair[1])
        assert tally.records == len(rows)
        assert tally.lines == data.count(b"\n")
        if tally.strict and any(row.fields is None for row in rows):
            # Too many fields here made up for by too few there: the strict parser refuses the latter.
            counts = [len(found[0]) for row in rows if (found := record(row.raw, 0, pair[1]))]
            assert min(counts) < fields < max(counts)


@settings(max_examples=600, deadline=None)
@given(nasty, st.integers(1, 3), st.sampled_from(DIALECTS), st.booleans(), st.integers(1, 60))
def test_blocks_of_any_size_cut_at_record_boundaries(
    data: bytes, fields: int, pair: tuple[Dialect, Rules], lone_cr: bool, size: int
) -> None:
    splitter = Splitter(pair[0], fields, lone_cr)
    whole = split(data, splitter)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", size)
        blocks = list(splitter.blocks(io.BytesIO(data).read))
    parts = [data[block.offset : block.offset + block.size] for block in blocks]
    assert b"".join(parts) == data
    assert sum(block.tally.records for block in blocks) == len(whole)
    assert [row[:2] for part in parts for row in split(part, splitter)] == [row[:2] for row in whole]
    assert sum(block.tally.lines for block in blocks) == splitter.newlines(data)


def test_usual_blocks_are_tallied_without_a_walk() -> None:
    splitter = Splitter(Dialect(), 3)
    assert splitter.tally(b'1,"a ""b"", c",\n2,"",x\n') == records.Tally(2, 2, True, "lf", False, True)
    assert splitter.tally(b'1,"a\nb",\r\n2,"",x\r\n') == records.Tally(2, 3, True, "crlf", True, True)
    assert splitter.tally(b"1,2,3\n1,,\n") == records.Tally(2, 2, True, "lf")
    assert splitter.tally(b"1,2,3\n\n") == records.Tally(1, 2, True, "lf", serial=True)
    assert splitter.tally(b"1,2,3\n1,2\n") == records.Tally(2, 2, False, "lf", False)


@pytest.mark.parametrize(
    "block", [b'1, "a",2\n', b'1,"a" ,2\n', b'1,a"b,2\n', b'1,"a,2\n', b'1,"a"b,2\n', b"1,2,3\r1,2,3\n"]
)
def test_suspicious_blocks_are_left_to_the_walk(block: bytes) -> None:
    assert Splitter(Dialect(), 3).tally(block) is None


def test_a_trailing_delimiter_is_one_field_too_many() -> None:
    (_, _, _, problem), *rest = Splitter(Dialect(), 2).extents(b"1,2,\n3,4\n")
    assert problem == "expected 2 fields, found 3"
    assert [extent[3] for extent in rest] == [""]


@pytest.mark.parametrize(("length", "good"), [(records.LIMIT, True), (records.LIMIT + 1, False)])
def test_a_quoted_field_is_bounded(length: int, good: bool) -> None:
    field = b'"' + b"x\n" * ((length - 2) // 2) + b"x" * (length % 2) + b'"'
    assert len(field) == length
    data = b"1," + field + b"\n3,4\n"
    blocks = list(Splitter(Dialect(), 2).blocks(io.BytesIO(data).read))
    total = sum(block.tally.records for block in blocks)
    assert total == (2 if good else len(field.split(b"\n")) + 1)


def test_an_unclosed_quote_costs_one_line() -> None:
    data = b'1,"abc\n2,"x"\n3,y\n'
    found = list(Splitter(Dialect(), 2).extents(data))
    assert [problem for *_, problem in found] == [records.BROKEN, "", ""]


def test_a_long_text_over_many_blocks_stays_one_record() -> None:
    text = b"line of text, with a comma\n" * 30_000
    data = b"".join(b'%d,"%b"\n' % (number, text) for number in range(4))
    blocks = list(Splitter(Dialect(), 2).blocks(io.BytesIO(data).read))
    assert sum(block.tally.records for block in blocks) == 4
    assert all(block.tally.strict for block in blocks)

"""What every source must keep, as tests: bind `SourceSuite` to a source by a `kit` fixture.

class TestMySource(SourceSuite):
    @pytest.fixture
    def kit(self, tmp_path): return MyKit(tmp_path)
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from headgate.core.errors import AdapterError
from headgate.core.protocols import Engine, Reader, Session, Source
from headgate.core.values import Batch, Partition, Position
from headgate.sql.quote import ident
from headgate.types.convert import conversion
from headgate.types.jsonvalue import PHYSICAL
from headgate.types.logical import LogicalType

ALL_ROWS = 1 << 40
ALL_BYTES = 1 << 50

Rows = Sequence[tuple[str | None, str | None]]


class DuckSession:
    """A private DuckDB in memory, set as Headgate sets it: UTC, nothing loaded or installed by itself."""

    def __init__(self) -> None:
        options: dict[str, str | bool | int | float | list[str]] = {
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
        }
        self._connection = duckdb.connect(config=options)
        self._connection.execute("SET TimeZone = 'UTC'")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(params)).fetchall()

    def register(self, name: str, rows: Any) -> None:
        self._connection.register(name, rows)

    def unregister(self, name: str) -> None:
        self._connection.unregister(name)

    def close(self) -> None:
        self._connection.close()


class SourceKit(Protocol):
    """What the suite needs of a source under test. Its partitions have the columns `a` and `b`, both text."""

    session: Engine
    tmp: Path

    def put(self, name: str, rows: Rows) -> None:
        """Writes (or overwrites) the partition `name`. The same rows give the same content."""
        ...

    def partition(self, name: str) -> str:
        """What the source calls the partition `name`."""
        ...

    def source(self) -> Source:
        """A new source over everything written so far; its temporary files go under `tmp`."""
        ...


@dataclass
class Seen:
    """Everything a reader gave: rows and malformed records by record number, the count, the batches."""

    rows: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    malformed: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    records: int = 0
    batches: list[Batch] = field(default_factory=list)


def drain(session: Session, reader: Reader, max_rows: int = ALL_ROWS, max_bytes: int = ALL_BYTES) -> Seen:
    """Reads to the end, as the gate does. AssertionError where a batch disagrees with what it says of itself."""
    seen = Seen()
    while (batch := reader.read(max_rows, max_bytes)) is not None:
        take(session, batch, seen)
    return seen


def take(session: Session, batch: Batch, seen: Seen) -> None:
    """Adds a batch with all its pieces: read the fast way, or the careful way where that fails or its count is off."""
    following = batch.first_record
    for piece in batch.pieces:
        assert (piece.start, piece.end, piece.also) == (batch.start, batch.end, batch.also if piece is batch else ())
        assert piece.first_record == following or not batch.also
        following += piece.records
    for piece in batch.pieces:
        _take_piece(session, piece, seen)
    seen.batches.append(batch)


def _take_piece(session: Session, batch: Batch, seen: Seen) -> None:
    rows = _fast(session, batch)
    if rows is None:
        assert batch.careful is not None, "the count of rows differs from the count of records"
        batch = batch.careful()
        rows = _fast(session, batch)
    assert rows is not None, "the careful batch, too, has another count of rows than of records"
    numbers = [row[0] for row in rows]
    assert numbers == sorted(set(numbers)), "record numbers ascend"
    assert all(len(row) == len(batch.columns) + 1 for row in rows)
    numbered = [] if batch.row_base is not None else ["_hg_row"]
    named = [name for name, *_ in session.execute(f"DESCRIBE {batch.relation}")]
    assert named == [*numbered, *(column.name for column in batch.columns)]
    bad = session.execute(batch.malformed_relation) if batch.malformed_relation else []
    assert len(bad) == batch.malformed
    assert not seen.rows.keys() & set(numbers)
    seen.rows |= {row[0]: row[1:] for row in rows}
    seen.malformed |= {row[0]: row[1:] for row in bad}
    seen.records += batch.records
    if batch.verify is not None:
        batch.verify()


def _shown(batch: Batch) -> str:
    """The batch's rows; of JSON values, the text that the gate would make of them."""
    if all(column.physical != PHYSICAL for column in batch.columns):
        return batch.relation
    texts = []
    for column in batch.columns:
        made = conversion(f"src.{ident(column.name)}", column.physical, LogicalType("text"))
        assert made is not None
        texts.append(f"{made.value} AS {ident(column.name)}")
    number = ["src._hg_row"] if batch.row_base is None else []
    return f"SELECT {', '.join([*number, *texts])} FROM ({batch.relation}) AS src"


def _fast(session: Session, batch: Batch) -> list[tuple[Any, ...]] | None:
    try:
        rows = session.execute(_shown(batch))
    except duckdb.Error:
        if batch.careful is None:
            raise
        return None
    if batch.row_base is not None:
        rows = [(batch.row_base + number, *row) for number, row in enumerate(rows)]
    return rows if len(rows) == batch.records - batch.malformed else None


def _rows(count: int) -> list[tuple[str | None, str | None]]:
    texts = ["plain", "", None, "with, comma", 'a "quote"', "two\nlines", " blanks ", "é😀"]
    return [(str(number), texts[number % len(texts)]) for number in range(count)]


def _one(source: Source, known: dict[str, Position] | None = None) -> Partition:
    (partition,) = source.partitions(known or {})
    return partition


def _read(kit: SourceKit, source: Source, at: Position | None = None, max_rows: int = ALL_ROWS) -> Seen:
    with closing(source.open(kit.session, _one(source), at)) as reader:
        return drain(kit.session, reader, max_rows)


@dataclass(frozen=True)
class Traits:
    """What a source knows of its partitions. Where it does not, the suite asks that it does not claim to.

    `twins`: whose content is the same; `watches`: that one changes while it is read; `columns`: their names before it
    is read; `nothing`: the code of the finding for a source without a partition.
    """

    twins: bool = True
    watches: bool = True
    columns: bool = True
    nothing: str = "no-files"


class SourceSuite:
    """The tests. A subclass gives the `kit`, and `traits` where it differs from files."""

    traits = Traits()

    @pytest.fixture
    def kit(self) -> SourceKit:
        raise NotImplementedError("give the suite a `kit` fixture")

    def test_every_row_is_given_once_and_counted(self, kit: SourceKit) -> None:
        rows = _rows(50)
        kit.put("one", rows)
        seen = _read(kit, kit.source())
        assert seen.rows == dict(enumerate(rows, 1))
        assert seen.records == len(rows)

    def test_columns_carry_the_names_of_the_source(self, kit: SourceKit) -> None:
        kit.put("one", _rows(3))
        source = kit.source()
        with closing(source.open(kit.session, _one(source), None)) as reader:
            batch = reader.read(ALL_ROWS, ALL_BYTES)
            assert batch is not None
            described = kit.session.execute(f"DESCRIBE {batch.relation}")
        assert [column.name for column in batch.columns] == ["a", "b"]
        names = [name for name, *_ in described]
        assert names == (["a", "b"] if batch.row_base is not None else ["_hg_row", "a", "b"])

    def test_the_same_position_gives_the_same_rows(self, kit: SourceKit) -> None:
        kit.put("one", _rows(40))
        first = _read(kit, kit.source(), None, 15)
        again = _read(kit, kit.source(), first.batches[0].start, 15)
        if kit.source().replay == "stable":
            assert again.rows == first.rows
            assert [batch.end for batch in again.batches] == [batch.end for batch in first.batches]

    @pytest.mark.parametrize("max_rows", [1, 2, 7, 50, 51])
    def test_any_slicing_gives_the_same_rows(self, kit: SourceKit, max_rows: int) -> None:
        rows = _rows(50)
        kit.put("one", rows)
        seen = _read(kit, kit.source(), None, max_rows)
        assert seen.rows == dict(enumerate(rows, 1))
        assert all(batch.total <= max_rows for batch in seen.batches)
        starts = [batch.start for batch in seen.batches[1:]]
        assert starts == [batch.end for batch in seen.batches[:-1]]

    def test_slices_are_bounded_by_bytes(self, kit: SourceKit) -> None:
        rows = _rows(500)
        kit.put("one", rows)
        source = kit.source()
        partition = _one(source)
        with closing(source.open(kit.session, partition, None)) as reader:
            seen = drain(kit.session, reader, ALL_ROWS, max(partition.size // 5, 1))
        assert seen.rows == dict(enumerate(rows, 1))
        assert len(seen.batches) > 1

    def test_every_end_position_resumes_with_the_rest(self, kit: SourceKit) -> None:
        rows = _rows(30)
        kit.put("one", rows)
        done = 0
        for batch in _read(kit, kit.source(), None, 8).batches:
            done += batch.total
            rest = _read(kit, kit.source(), batch.end)
            assert rest.rows == dict(list(enumerate(rows, 1))[done:])

    def test_a_reader_at_the_end_gives_nothing(self, kit: SourceKit) -> None:
        kit.put("one", _rows(4))
        end = _read(kit, kit.source()).batches[-1].end
        assert _read(kit, kit.source(), end).batches == []

    def test_a_partition_without_rows_moves_the_position(self, kit: SourceKit) -> None:
        kit.put("one", [])
        (batch,) = _read(kit, kit.source()).batches
        assert (batch.records, batch.malformed) == (0, 0)
        assert _one(kit.source(), {kit.partition("one"): batch.end}).status == "unchanged"

    def test_originals_name_the_rows_asked_for(self, kit: SourceKit) -> None:
        pytest.importorskip("headgate.types.codec")
        kit.put("one", _rows(30))
        source = kit.source()
        with closing(source.open(kit.session, _one(source), None)) as reader:
            batch = reader.read(ALL_ROWS, ALL_BYTES)
            assert batch is not None
            sql = f"SELECT _hg_row, json_extract_string(\"row\", '$.b') FROM ({batch.originals([3, 11, 30])})"
            found = dict(kit.session.execute(sql))
        expected = dict(enumerate((b for _, b in _rows(30)), 1))
        assert {number: found[number] for number in (3, 11, 30)} == {n: expected[n] for n in (3, 11, 30)}

    def test_closing_releases_temporary_files(self, kit: SourceKit) -> None:
        kit.put("one", _rows(30))
        source = kit.source()
        reader = source.open(kit.session, _one(source), None)
        while (batch := reader.read(7, ALL_BYTES)) is not None:
            take(kit.session, batch, Seen())
            if batch.careful is not None:
                batch.careful()
        reader.close()
        reader.close()
        assert list(kit.tmp.iterdir()) == []

    def test_partitions_come_in_name_order(self, kit: SourceKit) -> None:
        for name in ("b", "a", "c"):
            kit.put(name, [(name, name)])
        assert [p.name for p in kit.source().partitions({})] == [kit.partition(name) for name in "abc"]

    def test_states_against_known_positions(self, kit: SourceKit) -> None:
        kit.put("one", _rows(20))
        assert _one(kit.source()).status == "new"
        batches = _read(kit, kit.source(), None, 8).batches
        assert _one(kit.source(), {kit.partition("one"): batches[0].end}).status == "partial"
        assert _one(kit.source(), {kit.partition("one"): batches[-1].end}).status == "unchanged"
        kit.put("one", _rows(20))
        assert _one(kit.source(), {kit.partition("one"): batches[-1].end}).status == "unchanged"
        kit.put("one", _rows(21))
        assert _one(kit.source(), {kit.partition("one"): batches[-1].end}).status == "changed"
        assert _one(kit.source(), {kit.partition("one"): batches[0].end}).status == "changed"

    def test_the_same_content_under_another_name_is_a_twin(self, kit: SourceKit) -> None:
        kit.put("one", _rows(20))
        end = _read(kit, kit.source()).batches[-1].end
        kit.put("two", _rows(20))
        kit.put("zoo", _rows(20))
        one, two = kit.partition("one"), kit.partition("two")
        found = kit.source().partitions({})
        if not self.traits.twins:
            assert [(p.status, p.twin_of) for p in found] == [("new", "")] * 3
            return
        assert [(p.status, p.twin_of) for p in found] == [("new", ""), ("twin", one), ("twin", one)]
        found = kit.source().partitions({kit.partition("two"): end})
        assert [(p.status, p.twin_of) for p in found] == [("twin", two), ("unchanged", ""), ("twin", two)]

    def test_a_change_under_the_reader_is_an_error(self, kit: SourceKit) -> None:
        kit.put("one", _rows(20))
        source = kit.source()
        with closing(source.open(kit.session, _one(source), None)) as reader:
            reader.read(5, ALL_BYTES)
            kit.put("one", _rows(25))
            if not self.traits.watches:
                self._goes_on(kit, reader, source)
                return
            with pytest.raises(AdapterError) as caught:
                reader.read(5, ALL_BYTES)
        assert caught.value.finding.code == "file-changed"

    def _goes_on(self, kit: SourceKit, reader: Reader, source: Source) -> None:
        """A reader that does not see a change: what it ends in must still count as changed in the next run."""
        rest = drain(kit.session, reader)
        assert len(rest.rows) in (15, 20)
        known = {kit.partition("one"): rest.batches[-1].end}
        assert _one(kit.source(), known).status in ("changed", "open")

    def test_a_position_in_other_content_is_refused(self, kit: SourceKit) -> None:
        kit.put("one", _rows(20))
        at = _read(kit, kit.source(), None, 5).batches[0].end
        kit.put("one", _rows(25))
        source = kit.source()
        with pytest.raises(AdapterError):
            source.open(kit.session, _one(source), at)
        assert list(kit.tmp.iterdir()) == []

    def test_check_tells_missing_and_unknown_columns(self, kit: SourceKit) -> None:
        kit.put("one", _rows(3))
        source = kit.source()
        assert source.check(kit.session, ["a", "b"]) == []
        findings = source.check(kit.session, ["a", "c"])
        if not self.traits.columns:
            assert findings == []
            return
        assert [finding.code for finding in findings] == ["missing-column", "unknown-column"]
        assert all(finding.fix and finding.where for finding in findings)

    def test_check_tells_that_there_is_nothing(self, kit: SourceKit) -> None:
        assert kit.source().partitions({}) == []
        assert [finding.code for finding in kit.source().check(kit.session, ["a"])] == [self.traits.nothing]

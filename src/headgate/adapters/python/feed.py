"""What the user's function gives, as chunks: tables of records, records that could not be read, and positions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from inspect import CO_GENERATOR, isgenerator
from typing import Any

from headgate.adapters.python.arrow import batches, exact, is_arrow
from headgate.adapters.python.cells import CellRows
from headgate.adapters.python.code import Code, frames
from headgate.adapters.python.text import TextRows
from headgate.core import stop
from headgate.core.errors import PASSING, AdapterError, HeadgateError
from headgate.core.records import dataclass

FAILURES_IN_A_ROW = 10_000
FIRST_ROWS, MOST_ROWS, CHUNK_BYTES = 1_000, 20_000, 16 << 20
_LONGEST_MESSAGE = 1_000


@dataclass(frozen=True)
class Chunk:
    """`records` of them: the rows of `table` and, at their places (from 0), those `refused`, with the reason.

    `marks`: positions that the function gave, each with the number of records of the chunk before it.
    `text`: the records were dicts, so a column that the table lacks is NULL.
    """

    records: int
    table: Any
    refused: dict[int, str] = field(default_factory=dict)
    marks: tuple[tuple[int, Any], ...] = ()
    text: bool = False


@dataclass(frozen=True)
class _Upto:
    position: Any


class Feed:
    """Reads one call of the function to its end.

    *Errors*: AdapterError `source-raised`, `too-many-failures`, `not-rows`, `bad-position`, and those of `exact`.
    """

    def __init__(self, code: Code, function: Callable[..., Any], given: dict[str, Any], cells: bool = False) -> None:
        self._code, self._function, self._given = code, function, given
        self._rows: TextRows = CellRows() if cells else TextRows()
        self._marks: list[tuple[int, Any]] = []
        self._most = FIRST_ROWS

    def chunks(self) -> Iterator[Chunk]:
        """Chunks in source order. What the function gave is never held back longer than a chunk takes to fill."""
        for leaf in self._all_leaves():
            if isinstance(leaf, HeadgateError):
                yield from self._flushed()
                raise leaf
            if isinstance(leaf, _Upto):
                self._marks.append((len(self._rows), leaf.position))
                if not self._rows:
                    yield from self._flushed()
            elif type(leaf) is dict or isinstance(leaf, Mapping):
                self._rows.add(leaf)
            elif isinstance(leaf, BaseException):
                self._rows.refuse(message(leaf))
            else:
                yield from self._flushed()
                made = exact(leaf, self._code.file)
                yield Chunk(leaf.num_rows, made.table, made.refused)
            if len(self._rows) >= self._most:
                yield from self._flushed()
        yield from self._flushed()

    def _all_leaves(self) -> Iterator[Any]:
        """Every leaf; where no more can come, the error is the last one, so that what came before is not lost."""
        try:
            yield from self._leaves(self._code.call(self._function, self._given))
        except HeadgateError as error:
            yield error

    def _flushed(self) -> Iterator[Chunk]:
        if not self._rows and not self._marks:
            return
        records, marks = len(self._rows), tuple(self._marks)
        made = self._rows.table()
        self._marks = []
        if records:
            size = max(made.table.nbytes // records, 1)
            self._most = max(1, min(MOST_ROWS, CHUNK_BYTES // size, 4 * self._most))
        yield Chunk(records, made.table, made.refused, marks, text=True)

    def _leaves(self, made: Any) -> Iterator[Any]:
        """Dicts, exceptions, record batches and positions, out of any mixture."""
        if made is None:
            return
        if isinstance(made, Mapping | BaseException):
            yield made
        elif isinstance(made, tuple) and len(made) == 2:
            yield from self._leaves(made[0])
            yield _Upto(self._json(made[1]))
        elif is_arrow(made):
            yield from self._pulled(batches(made))
        elif isinstance(made, str | bytes | bytearray) or not isinstance(made, Iterable) or _is_row(made):
            raise self._not_rows(made)
        else:
            for one in self._pulled(self._started(made)):
                if isinstance(one, dict):
                    yield one
                else:
                    yield from self._leaves(one) if one is not None else self._nothing()

    def _started(self, made: Iterable[Any]) -> Iterator[Any]:
        try:
            return iter(made)
        except (Exception, SystemExit) as error:
            raise self._code.raised(self._function, error) from error

    def _pulled(self, items: Iterator[Any]) -> Iterator[Any]:
        """The items. Where one can't be had but the next can, the exception stands in its place."""
        failures = 0
        while failures < FAILURES_IN_A_ROW:
            stop.check()
            try:
                item = next(items)
            except StopIteration:
                return
            except HeadgateError:
                raise
            except (Exception, SystemExit) as error:
                if is_fatal(items, error):
                    raise self._code.raised(self._function, error) from error
                failures += 1
                item = error
            else:
                failures = 0
            yield item
        what = f"{self._code.name_of(self._function)} failed for {failures:,} records in a row"
        fix = "see that it goes on behind a record that it can't read, and comes to an end"
        raise AdapterError.of("too-many-failures", what, self._code.line_of(self._function), fix)

    def _nothing(self) -> Iterator[Any]:
        raise self._not_rows(None)

    def _not_rows(self, made: object) -> HeadgateError:
        size = f" of {len(made)}" if isinstance(made, tuple) else ""
        what = f"{self._code.name_of(self._function)} gave a {type(made).__name__}{size}, which is no row"
        fix = "give dicts, lists of dicts, Arrow tables, DataFrames, or a pair: (any of these, position)"
        return AdapterError.of("not-rows", what, self._code.line_of(self._function), fix)

    def _json(self, position: Any) -> Any:
        """The position as JSON keeps it."""
        try:
            kept = json.loads(json.dumps(position, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise self._bad_position(f"is no JSON ({type(error).__name__})") from None
        if kept is None:
            raise self._bad_position("is None, where the first run begins")
        return kept

    def _bad_position(self, why: str) -> HeadgateError:
        what = f"a position that {self._code.name_of(self._function)} gave {why}"
        fix = "give text, a number, or lists and dicts of them, e.g. updated_at.isoformat()"
        return AdapterError.of("bad-position", what, self._code.line_of(self._function), fix)


def _is_row(made: object) -> bool:
    """A tuple with values: the row of a database cursor, whose columns have no names."""
    return isinstance(made, tuple) and len(made) > 0


def is_fatal(items: Iterator[Any], error: BaseException) -> bool:
    """Whether nothing more, or not all, can come behind the exception.

    A generator that raised is at its end; one inside of a C iterator such as `map` says so by the first frame of the
    traceback. Where reading itself fails, what was lost is more than one record.
    """
    if isgenerator(items) or isinstance(error, (*PASSING, OSError, MemoryError, SystemExit, RecursionError)):
        return True
    inside = [frame.f_code for frame, _ in frames(error.__traceback__)][1:]
    while inside and inside[0].co_name == "__next__":
        inside.pop(0)
    if not inside:
        return isinstance(error, UnicodeError)
    return bool(inside[0].co_flags & CO_GENERATOR)


def message(error: BaseException) -> str:
    """The exception in one line: `ValueError: no number`."""
    said = str(error).strip().splitlines()
    return (f"{type(error).__name__}: {said[0]}" if said else type(error).__name__)[:_LONGEST_MESSAGE]

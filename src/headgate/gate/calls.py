"""Rules in Python: every record that is not skipped goes once to each function, in pieces, and what it says is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from headgate.adapters.python.code import Code
from headgate.contracts.calls import Callee, callee
from headgate.contracts.model import CallRule, ContractColumn
from headgate.core import stop
from headgate.core.errors import PASSING, ContractError, Finding, HeadgateError
from headgate.core.protocols import Engine
from headgate.core.records import dataclass
from headgate.gate.bits import Reason
from headgate.gate.scan import Scan
from headgate.gate.told import WARNING, Told, Word, message_of, plain
from headgate.gate.verdict import SKIPPED, Verdict
from headgate.sql.quote import ident

PIECE_ROWS = 20_000
Answers = list[tuple[int, str]]
"""Place in the piece, and what is said of the record there."""


def judge(verdict: Verdict, told: Told) -> bool:
    """Calls every function of the contract for the records; True where one refuses a record, as `told` then knows.

    A record that a model refused, or that is skipped, is not shown to them.
    *Errors*: those of `contracts.calls.callee`; ContractError `bad-answer`, `rule-stopped`.
    """
    scan = verdict.scan
    if not scan.contract.calls or scan.empty:
        return False
    bits = {rule.code: bit for rule, bit in scan.bits.call_bits}
    callees = [callee(rule) for rule in scan.contract.calls]
    private = any(column.pii for column in scan.contract.columns)
    for piece in _pieces(verdict):
        stop.check()
        for one in callees:
            bit = bits.get(one.rule.code, WARNING)
            with one.rule.program.running():
                found = (_table_answers if one.whole else _record_answers)(one, piece, private)
            told.add([
                Word(piece.ids[at], piece.parts[at], bit, 0, Reason(one.rule.code, None, said)) for at, said in found
            ])  # fmt: skip
    return bool(told.table)


@dataclass(frozen=True)
class _Piece:
    """Some records, in source order. `blank`: a column of the record has no value although it should have one."""

    columns: tuple[ContractColumn, ...]
    ids: list[int]
    parts: list[int]
    blank: list[bool]
    table: Any

    def records(self) -> Iterator[dict[str, Any]]:
        """A new dict for each record."""
        names = [column.name for column in self.columns]
        values = [_values(column, self.table.column(at)) for at, column in enumerate(self.columns)]
        return (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))


def _pieces(verdict: Verdict) -> Iterator[_Piece]:
    scan = verdict.scan
    engine: Engine = scan.session  # type: ignore[assignment]
    relation, first, last = _numbered(scan)
    ours = ["_hg_id", "_hg_part", "_hg_blank"]
    for start in range(first, last + 1, PIECE_ROWS):
        table = engine.arrow(_select(verdict, relation, start, min(start + PIECE_ROWS, last + 1) - 1))
        ids, parts, blank = (table.column(name).to_pylist() for name in ours)
        if ids:
            yield _Piece(scan.contract.columns, ids, parts, blank, table.drop_columns(ours))


def _numbered(scan: Scan) -> tuple[str, int, int]:
    """A relation of the records with `_hg_at`, a number that it is cheap to read some records by; the numbers' range.

    The stage has such numbers; what is read in place is copied, for to read it anew for each piece would cost more.
    """
    if scan.bits.model_bit is None and not any(span.batch.rescan for span in scan.spans):
        first = min(span.first_id for span in scan.spans if span.extent)
        last = max(span.first_id + span.extent for span in scan.spans if span.extent) - 1
        return f"SELECT *, _hg_id AS _hg_at FROM ({scan.sql})", first, last
    copy = scan.temp.keep("called", scan.sql)
    # Rows of a table that the open transaction made are not numbered from 0.
    first, last = scan.session.execute(f"SELECT coalesce(min(rowid), 0), coalesce(max(rowid), -1) FROM {copy}")[0]
    return f"SELECT *, rowid AS _hg_at FROM {copy}", int(first), int(last)


def _select(verdict: Verdict, relation: str, start: int, end: int) -> str:
    scan = verdict.scan
    columns = ", ".join(_given(column) for column in scan.contract.columns)
    blank = scan.bits.any_of(scan.bits.blank_bits, "v")
    hidden = [] if scan.bits.model_bit is None else [f"NOT ({scan.bits.any_of([scan.bits.model_bit], 'v')})"]
    shown = " AND ".join(["v.fate <> " + str(SKIPPED), *hidden])
    return f"""SELECT s._hg_id, s._hg_part, coalesce({blank}, false) AS _hg_blank, {columns}
        FROM ({relation}) AS s LEFT JOIN {verdict.table} AS v ON v._hg_id = s._hg_id
        WHERE s._hg_at BETWEEN {start} AND {end} AND (v._hg_id IS NULL OR ({shown})) ORDER BY s._hg_at"""


def _given(column: ContractColumn) -> str:
    """The column as Arrow carries it."""
    name = f"s.{ident(column.name)}"
    return f"CAST({name} AS VARCHAR) AS {ident(column.name)}" if column.type.name in ("json", "uuid") else name


def _values(column: ContractColumn, array: Any) -> list[Any]:
    """The column's values as Python has them."""
    values: list[Any] = array.to_pylist()
    make = _MAKE.get(column.type.name)
    return values if make is None else [None if value is None else make(value) for value in values]


_MAKE: dict[str, Callable[[Any], Any]] = {
    "json": json.loads,
    "uuid": UUID,
    "timestamptz": lambda value: value.replace(tzinfo=UTC),
}


def _record_answers(one: Callee, piece: _Piece, private: bool) -> Answers:
    found: Answers = []
    function = one.function
    for at, record in enumerate(piece.records()):
        try:
            answer = function(record)
        except (Exception, SystemExit) as error:
            said = _raised(one, error, piece.blank[at], private)
        else:
            if answer is None or answer is True:
                continue
            said = _said(one, answer)
        if said is not None:
            found.append((at, said))
    return found


def _raised(one: Callee, error: BaseException, blank: bool, private: bool) -> str | None:
    """What the exception says of the record; None where it says nothing.

    Where a value did not convert or a required one is missing, the function got None for it: what it raises besides a
    ValueError is about that, and the record has its reason already.
    """
    if isinstance(error, _ENDING):
        raise _stopped(one, error) from error
    if blank and not isinstance(error, ValueError):
        return None
    place = str(one.rule.program.place_of(error, one.function)) if private else ""
    return message_of(error, place)


def _said(one: Callee, answer: Any) -> str | None:
    """What an answer other than None and True says; None where the record is good."""
    if answer is False:
        return one.rule.message
    if isinstance(answer, str):
        return plain(answer) if answer.strip() else one.rule.message
    if type(answer).__module__ == "numpy" and type(answer).__name__ in ("bool", "bool_"):
        return None if answer else one.rule.message
    raise _bad_answer(one, f"gave a {type(answer).__name__}", "return None or True for a good row, False or a message")


def _table_answers(one: Callee, piece: _Piece, private: bool) -> Answers:
    """The answers for a whole table; where the function raises, for its halves, down to the records that it is."""
    found: Answers = []
    waiting = [(0, len(piece.ids))]
    while waiting:
        first, behind = waiting.pop()
        table = piece.table.slice(first, behind - first)
        try:
            answers = one.function(table)
        except (Exception, SystemExit) as error:
            if isinstance(error, _ENDING):
                raise _stopped(one, error) from error
            if behind - first > 1:
                middle = (first + behind) // 2
                waiting += [(middle, behind), (first, middle)]
            elif (said := _raised(one, error, piece.blank[first], private)) is not None:
                found.append((first, said))
            continue
        found += _listed(one, answers, first, behind - first)
    return found


def _listed(one: Callee, answers: Any, first: int, rows: int) -> Answers:
    fix = "return as many answers as the table has rows: booleans (true for a good row), or messages and None"
    if answers is None:
        return []
    listed = _as_list(answers)
    if listed is None:
        raise _bad_answer(one, f"gave a {type(answers).__name__}", fix)
    if len(listed) != rows:
        raise _bad_answer(one, f"gave {len(listed)} answers for {rows} rows", fix)
    said = ((at, _said(one, answer)) for at, answer in enumerate(listed) if answer is not None and answer is not True)
    return [(first + at, text) for at, text in said if text is not None]


def _as_list(answers: Any) -> Sequence[Any] | None:
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(answers, name):
            made = getattr(answers, name)()
            return made if isinstance(made, list) else None
    return answers if isinstance(answers, list | tuple) else None


_ENDING = (SystemExit, MemoryError, *PASSING)
"""What is about no record, whichever one was at hand."""


def _stopped(one: Callee, error: BaseException) -> HeadgateError:
    code: Code = one.rule.program
    if isinstance(error, PASSING):
        return code.passing(one.function, error)
    what = f"rule {one.rule.code!r}: {code.name_of(one.function)} raised {type(error).__name__}; nothing was loaded"
    where = str(code.place_of(error, one.function))
    return ContractError(Finding("rule-stopped", "error", what, where, "raise ValueError for a bad row"))


def _bad_answer(one: Callee, how: str, fix: str) -> ContractError:
    rule: CallRule = one.rule
    what = f"rule {rule.code!r}: {rule.program.name_of(one.function)} {how}; nothing was loaded"
    return ContractError(Finding("bad-answer", "error", what, str(one.location), fix, {"rule": rule.code}))

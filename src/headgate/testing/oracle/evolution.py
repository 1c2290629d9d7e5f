"""A table follows an edit of its contract: which edits it may follow, and what becomes of every value."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from headgate.testing.oracle.commits import add_entry
from headgate.testing.oracle.model import WHOLE, Column, Contract, Flow, Row, State
from headgate.testing.oracle.values import NotAccepted, Value, accept, spelling, written

DEFAULTS = {"new": "evolve", "missing": "freeze", "widened": "evolve", "narrowed": "freeze", "renamed": "evolve"}


class Kept(Exception):
    """The table may not follow, and stays as it was. `code`: frozen | required | lossy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def evolve(state: State, flow: Flow, had: Contract) -> State:
    """The state whose table, made for `had`, follows the flow's contract: one entry, every row and position as it was.

    Raises Kept where the flow's words hold a change back, a required column is new to rows, or a value would be lost.
    """
    words = {**DEFAULTS, **dict(flow.evolution)}
    old = {column.name: column for column in had.columns}
    fed = {column.name: _former(column, old, flow.contract) for column in flow.contract.columns}
    cases = {_case(column, old[name]) for column in flow.contract.columns if (name := fed[column.name]) in old}
    cases |= {"renamed" for name, former in fed.items() if former not in ("", name)}
    cases |= {"new" for former in fed.values() if former == ""}
    cases |= {"missing" for name in old if name not in fed.values()}
    cases.discard("")
    if not cases:
        return state
    if any(words[case] == "freeze" for case in cases) or not _possible(flow.contract, fed, old):
        raise Kept("frozen")
    if state.rows(flow.table) and any(
        fed[c.name] == "" and (c.key or c.required == "error") for c in flow.contract.columns
    ):
        raise Kept("required")
    after = state.copy()
    after.tables[flow.table] = [_row(row, flow.contract, fed, old) for row in state.rows(flow.table)]
    add_entry(
        after, flow.table, WHOLE, "evolve", None, generation=after.generation(flow.table), why=", ".join(sorted(cases))
    )
    after.versions[flow.table] = after.versions.get(flow.table, 0) + 1
    return after


def _former(column: Column, old: dict[str, Column], contract: Contract) -> str:
    """The column of the table that becomes this one; "" for a new one."""
    now = {other.name for other in contract.columns}
    return next(
        (name for name in (column.name, *column.was) if name in old and (name == column.name or name not in now)), ""
    )


def _physical(kind: str) -> tuple[str, tuple[int, ...]]:
    """What a table keeps of a type: texts of any length, one size of integer."""
    name, numbers = spelling(kind)
    return ("int" if name == "bigint" else name), (numbers if name == "decimal" else ())


def _case(column: Column, old: Column) -> str:
    (before, had), (after, has) = _physical(old.type), _physical(column.type)
    if (before, had) == (after, has):
        return ""
    whole = {"int": 19, "decimal": had[0] - had[1] if had else 0}
    room = {"int": 18, "decimal": has[0] - has[1] if has else 0}
    if before in whole and after in room:
        scale = had[1] if had else 0
        fits = whole[before] <= room[after] and scale <= (has[1] if has else 0)
        return "widened" if fits else "narrowed"
    return "widened" if (before, after) == ("date", "timestamp") else "narrowed"


def _possible(contract: Contract, fed: dict[str, str], old: dict[str, Column]) -> bool:
    """Whether some value of each changed type could follow."""
    for column in contract.columns:
        if fed[column.name]:
            before, after = _physical(old[fed[column.name]].type)[0], _physical(column.type)[0]
            if before != after and (before, after) not in WAYS and before != "text" and after != "text":
                return False
    return True


def _row(row: Row, contract: Contract, fed: dict[str, str], old: dict[str, Column]) -> Row:
    made: Row = {"_hg_load": row["_hg_load"]}
    for column in contract.columns:
        former = fed[column.name]
        value = row.get(former) if former else None
        changed = bool(former) and _physical(old[former].type) != _physical(column.type)
        made[column.name] = convert(value, column.type) if changed and value is not None else value
    return made


def convert(value: Value, kind: str) -> Value:
    """The value as the other type. Raises Kept `lossy` where it would be another value."""
    before, after = _name_of(value), _physical(kind)[0]
    try:
        made = value if "text" in (before, after) else WAYS[before, after](value)
        return accept(written(made), kind)
    except (NotAccepted, ValueError, OverflowError):
        raise Kept("lossy") from None


def _name_of(value: Value) -> str:
    kinds = {bool: "bool", int: "int", Decimal: "decimal", float: "double", date: "date", str: "text", time: "time"}
    if isinstance(value, datetime):
        return "timestamp" if value.tzinfo is None else "timestamptz"
    return kinds.get(type(value), "")


def _whole(value: Decimal | float) -> int:
    if not math.isfinite(value) or int(value) != value:
        raise ValueError
    return int(value)


def _midnight(value: datetime) -> date:
    if value.time() != time():
        raise ValueError
    return value.date()


WAYS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("int", "decimal"): Decimal,
    ("decimal", "decimal"): lambda value: value.normalize() if value else Decimal(0),
    ("decimal", "int"): _whole,
    ("date", "timestamp"): lambda value: datetime(value.year, value.month, value.day),
    ("timestamp", "date"): _midnight,
    ("timestamp", "timestamptz"): lambda value: value.replace(tzinfo=UTC),
    ("date", "timestamptz"): lambda value: datetime(value.year, value.month, value.day, tzinfo=UTC),
}
"""By the names of the types: how a value that is no text becomes another type."""

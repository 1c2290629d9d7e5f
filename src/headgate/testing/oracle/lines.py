"""The lines of a record: rows of child tables that come and go with the row of their record.

A record is loaded with all its lines or not at all. So its row carries them (under LINES), and whatever happens to the
row happens to them; child tables are what the rows of the parent's table carry.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from headgate.testing.oracle.model import Child, Column, CrossRule, Reason, Rule
from headgate.testing.oracle.rules import message, passes
from headgate.testing.oracle.values import NotAccepted, Value, accept, rank, written

LINES = "_hg_lines"
"""In the row of a record: a tuple of Line."""


class Line(NamedTuple):
    """A row of a child table without the columns that repeat its record's key: its places, outermost first, and its
    columns with their values as canonical text."""

    table: str
    places: tuple[int, ...]
    values: tuple[tuple[str, str | None], ...]


@dataclass
class Seen:
    """What the lists of one record hold. `broken`: (order of the rule, rule, column, line), in order of sight."""

    lines: list[Line] = field(default_factory=list)
    broken: list[tuple[tuple[int, int], Reason]] = field(default_factory=list)
    warnings: int = 0
    tables: int = 0

    def reasons(self) -> tuple[Reason, ...]:
        """Every reason once, in the order of tables and rules, for its first line."""
        found: dict[tuple[int, int], Reason] = {}
        for order, reason in self.broken:
            found.setdefault(order, reason)
        return tuple(found[order] for order in sorted(found))


def look_at_lines(record: dict[str, str | None], children: tuple[Child, ...], timezone: str) -> Seen:
    """The lines of a record whose lists are JSON texts."""
    seen = Seen()
    numbers = _numbered(children)
    for child in children:
        text = record.get(child.source)
        _list(seen, child, None if text is None else _parsed(text), (), (numbers, timezone))
    return seen


def _numbered(children: tuple[Child, ...]) -> dict[str, int]:
    """Table -> its place among all, a list before the lists inside of its lines."""
    found: dict[str, int] = {}
    todo = list(children)
    while todo:
        child = todo.pop(0)
        found[child.table] = len(found)
        todo = [*child.children, *todo]
    return found


_NO_JSON = object()


class _Number(str):
    """A number as it was written."""


class _Twice(dict[str, Any]):
    """An object in which a key stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(pairs)


def _parsed(text: str) -> Any:
    def no_number(word: str) -> Any:
        raise ValueError(word)

    try:
        return json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=no_number, object_pairs_hook=_object
        )
    except ValueError:
        return _NO_JSON


def _list(seen: Seen, child: Child, value: Any, outer: tuple[int, ...], how: tuple[dict[str, int], str]) -> None:
    table = how[0][child.table]
    if value is None:
        return
    if not isinstance(value, list):
        at = f"line {_path(outer)}: " if outer else ""
        seen.broken.append(((table, -1), Reason("type", child.table, f"{at}expected a list")))
        return
    rows = [_line(seen, child, element, (*outer, place), how) for place, element in enumerate(value, 1)]
    _unique(seen, child, rows, outer, table)


def _line(
    seen: Seen, child: Child, element: Any, places: tuple[int, ...], how: tuple[dict[str, int], str]
) -> dict[str, Value]:
    """The line's values; what is wrong with it is noted."""
    rules = _Rules(seen, child, how[0][child.table], places)
    scalar = all(column.read_as == "." for column in child.columns) and not child.children
    if not scalar and not isinstance(element, dict):
        rules.broken(_SHAPE, "type", None, "expected an object")
        return {}
    if isinstance(element, _Twice):
        rules.broken(_SHAPE + 1, "record", None, "expected every key once, found one twice")
    row: dict[str, Value] = {}
    for column in child.columns:
        received = element if column.read_as == "." else element.get(column.read_as)
        row[column.name] = rules.column(column, received, how[1])
    for number, cross in enumerate(child.rules):
        rules.condition(number, cross, row)
    values = tuple((name, written(value)) for name, value in row.items())
    seen.lines.append(Line(child.table, places, values))
    for inner in child.children:
        _list(seen, inner, element.get(inner.source), places, how)
    return row


def _unique(seen: Seen, child: Child, rows: list[dict[str, Value]], outer: tuple[int, ...], table: int) -> None:
    """Among the lines of one list, key and unique values stand once; NULL does not count."""
    key = tuple(column.name for column in child.columns if column.key)
    wanted = [("unique", (name,)) for name in child.unique] + ([("key", key)] if key else [])
    for number, (code, columns) in enumerate(wanted):
        values = [tuple(rank(row[one]) for one in columns) if _full(row, columns) else None for row in rows]
        counts = Counter(value for value in values if value is not None)
        for place, value in enumerate(values, 1):
            if value is not None and counts[value] > 1:
                rules = _Rules(seen, child, table, (*outer, place))
                order = _UNIQUE + (0 if code == "key" else 1 + number)
                rules.broken(order, code, ", ".join(columns), "must be unique")


def _full(row: dict[str, Value], columns: tuple[str, ...]) -> bool:
    return all(row.get(one) is not None for one in columns)


def _path(places: tuple[int, ...]) -> str:
    return ".".join(map(str, places))


_CROSS, _UNIQUE, _SHAPE = 5_000, 6_000, 7_000
"""Behind the rules of columns: conditions, what must be unique, the shape of the line."""


@dataclass
class _Rules:
    """Notes what is wrong with one line."""

    seen: Seen
    child: Child
    table: int
    places: tuple[int, ...]

    def broken(self, order: int, rule: str, columns: str | None, message: str) -> None:
        named = ", ".join(f"{self.child.table}.{one}" for one in columns.split(", ")) if columns else self.child.table
        reason = Reason(rule, named, f"line {_path(self.places)}: {message}")
        self.seen.broken.append(((self.table, order), reason))

    def column(self, column: Column, received: Any, timezone: str) -> Value:
        """The value, None where it does not convert."""
        first = 100 * self.child.columns.index(column)
        try:
            value = _accepted(received, column.type, timezone)
        except NotAccepted as refused:
            self.broken(first, "type", column.name, str(refused))
            return None
        if received is None and (column.key or column.required == "error"):
            self.broken(first + 1, "required", column.name, "required")
        for number, rule in enumerate(column.rules, 2):
            if value is not None and not passes(rule, value, column.type):
                self._rule(first + number, rule, column, message(rule))
        return value

    def _rule(self, order: int, rule: Rule, column: Column, said: str) -> None:
        if rule.severity == "error":
            self.broken(order, rule.code, column.name, said)
        else:
            self.seen.warnings += 1

    def condition(self, number: int, rule: CrossRule, row: dict[str, Value]) -> None:
        if rule.check(row) is False:
            self.broken(_CROSS + number, rule.name, None, f"must satisfy {rule.sql}")


def _accepted(received: Any, kind: str, timezone: str) -> Value:
    """A JSON value as the type: a string by its text, a number or word by its own; lists and objects are none."""
    if received is None:
        return None
    if isinstance(received, bool):
        return accept("true" if received else "false", kind, timezone)
    if isinstance(received, str):
        return accept(str(received), kind, timezone)
    raise NotAccepted(f"expected {kind}")


def child_rows(key: dict[str, Value], lines: tuple[Line, ...], child: Child, above: tuple[str, ...]) -> list[Any]:
    """The rows of a child's table that one record has: sorted pairs of column and canonical text.

    `above`: the columns here that repeat the places of the lines that the list is in.
    """
    names = (*above, child.position)
    return [
        tuple(
            sorted(
                [
                    *((name, written(key[of])) for of, name in child.links),
                    *((name, str(place)) for name, place in zip(names, line.places, strict=True)),
                    *line.values,
                ]
            )
        )
        for line in lines
        if line.table == child.table
    ]

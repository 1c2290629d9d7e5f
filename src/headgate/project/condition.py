"""Conditions of steps: a small language of values and comparisons, read from Python's grammar and evaluated here.

No code runs: there are no attributes of objects, no methods, no names but those below, and no calls but of `FUNCTIONS`.
A condition that does not touch results of steps can be decided before the run; one that does may still be false early.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from headgate.core.errors import Location, ProjectError, nearest
from headgate.core.records import dataclass

LONGEST = 1000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CALENDAR = (
    *("year", "month", "day", "hour", "minute", "weekday", "date"),
    *("first_day_of_month", "last_day_of_month"),
)
STATUSES = ("ok", "skipped", "refused", "failed", "blocked", "absent")
ROWS = ("rows_read", "rows_loaded", "rows_quarantined", "rows_deduplicated", "rows_skipped")
RESULT = ("status", *ROWS, "result")
"""What `needs.NAME` has. Its status is `absent` where the step is no part of this run."""
CONSTANTS = {"true": True, "false": False, "null": None}
FIX = "write for example: needs['raw.orders'].rows_loaded > 0 and weekday == 'monday'"
_SHOWN = 40


class Unanswered(Exception):
    """The value can't be computed; the text says why."""


class Undecided(Exception):
    """The value depends on what a step of this run will do."""


@dataclass(frozen=True)
class Condition:
    """An expression as written, and the zone in which it tells the time."""

    text: str
    where: Location
    timezone: str = "UTC"

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps whose results it speaks of."""
        return tuple(dict.fromkeys(_need(node) for node in ast.walk(_tree(self.text)) if _is_need(node)))

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that it can't do without."""
        calls = (node for node in ast.walk(_tree(self.text)) if isinstance(node, ast.Call))
        asked = (call.args for call in calls if _name(call.func) == "var")
        return tuple(name for given in asked if len(given) == 1 for name in _texts(given[0]))


@dataclass
class Scope:
    """What an expression may ask. `needs`: by step, the mapping of `RESULT`; None while that is still to come.

    `seen` fills with what was asked for, by how it is written.
    """

    at: datetime
    variables: Mapping[str, object] = field(default_factory=dict)
    needs: Mapping[str, Mapping[str, object]] | None = None
    seen: dict[str, object] = field(default_factory=dict)


def condition(text: str, where: Location, timezone: str = "UTC") -> Condition:
    """The expression. *Errors*: ProjectError `bad-condition`."""
    try:
        _check(_tree(text))
    except Unanswered as error:
        raise ProjectError.of("bad-condition", f"{_cut(text, 80)!r} {error}", where, FIX) from None
    except RecursionError:
        raise ProjectError.of("bad-condition", "the condition is nested too deeply", where, FIX) from None
    return Condition(text, where, timezone)


def evaluate(asked: Condition, scope: Scope) -> object:
    """Its value. Raises Unanswered, Undecided."""
    try:
        return _value(_tree(asked.text).body, scope)
    except RecursionError:
        raise Unanswered("is nested too deeply") from None


def holds(asked: Condition, scope: Scope) -> bool:
    """Whether it is true. Raises Unanswered (also for a value that is neither true nor false), Undecided."""
    found = evaluate(asked, scope)
    if not isinstance(found, bool):
        raise Unanswered(f"is {shown(found)}, neither true nor false")
    return found


def because(asked: Condition, scope: Scope) -> str:
    """The condition with the values that decided it."""
    values = ", ".join(f"{name} is {shown(value)}" for name, value in scope.seen.items())
    return f"when: {_cut(asked.text, 120)}" + (f" ({values})" if values else "")


def shown(value: object) -> str:
    """The value in the language's own spelling, not longer than a message can bear."""
    word = next((name for name, one in CONSTANTS.items() if one is value), None)
    return word or _cut(repr(value), _SHOWN)


def calendar(at: datetime) -> dict[str, object]:
    """What `CALENDAR` says at this moment, which has a zone."""
    return {
        "year": at.year,
        "month": at.month,
        "day": at.day,
        "hour": at.hour,
        "minute": at.minute,
        "weekday": WEEKDAYS[at.weekday()],
        "date": at.date().isoformat(),
        "first_day_of_month": at.day == 1,
        "last_day_of_month": (at.date() + timedelta(days=1)).day == 1,
    }


def in_zone(at: datetime, timezone: str) -> datetime:
    """The moment as clocks of that zone show it."""
    if timezone == "UTC":
        return at.astimezone(UTC)
    from zoneinfo import ZoneInfo  # reads a configuration that most projects don't need

    return at.astimezone(ZoneInfo(timezone))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


# -- reading ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _tree(text: str) -> ast.Expression:
    if len(text) > LONGEST:
        raise Unanswered(f"has more than {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError) as error:
        said = getattr(error, "msg", None) or "it can't be read"
        raise Unanswered(f"is no condition: {said}") from None


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_REACH: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "var": (1, 2, lambda *given: None),  # answered by the scope
    "len": (1, 1, len),
    "lower": (1, 1, lambda text: _text(text).lower()),
    "abs": (1, 1, abs),
    "min": (1, 20, min),
    "max": (1, 20, max),
}
"""By name: how many values it takes at least and at most, and what it does."""


def _check(tree: ast.Expression) -> None:
    """Raises Unanswered for whatever is not of the language."""
    _check_node(tree.body)


def _check_node(node: ast.expr) -> None:
    if _is_need(node):
        return
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, str | int | float):
            return
        case ast.Name(id=name):
            _check_name(name)
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            _check_all(parts)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=one):
            _check_node(one)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _REACH:
            _check_all([left, right])
        case ast.Compare(left=left, ops=ops, comparators=others):
            if not all(type(op) in _COMPARE for op in ops):
                raise Unanswered("compares by `is`: write == or !=")
            _check_all([left, *others])
            _check_words([left, *others])
        case ast.Attribute(value=inner):
            _check_path(node, inner)
        case ast.Subscript(value=inner, slice=key):
            _check_path(node, inner)
            _check_node(key)
        case ast.Call():
            _check_call(node)
        case _:
            raise Unanswered(f"holds {ast.unparse(node)!r}, which a condition can't say")


def _check_all(nodes: Sequence[ast.expr]) -> None:
    for node in nodes:
        _check_node(node)


def _check_name(name: str) -> None:
    if name == "needs":
        raise Unanswered("does not say of which step: write needs['raw.orders'].rows_loaded")
    if name not in CALENDAR and name not in CONSTANTS:
        known = ("needs", *CALENDAR, *CONSTANTS, *FUNCTIONS)
        hint = nearest(name, known)
        raise Unanswered(f"names {name!r}, which it does not know{hint}: there are {', '.join(known[:-6])}, var('x')")


def _check_path(node: ast.expr, inner: ast.expr) -> None:
    """Something of a result: only what a step has, and what a task returned below it."""
    if _is_need(inner):
        key = _key(node)
        if key not in RESULT:
            raise Unanswered(f"asks {ast.unparse(node)!r}{nearest(str(key), RESULT)}: a step has {', '.join(RESULT)}")
        return
    if isinstance(inner, ast.Name) and inner.id not in ("needs", *CALENDAR, *CONSTANTS) and _key(node) in RESULT:
        raise Unanswered(f"asks {ast.unparse(node)!r} of no step: write needs.{ast.unparse(node)}")
    _check_node(inner)


def _check_call(node: ast.Call) -> None:
    name = _name(node.func)
    if name not in FUNCTIONS:
        hint = nearest(name, FUNCTIONS)
        raise Unanswered(f"calls {ast.unparse(node.func)!r}{hint}: there are {', '.join(FUNCTIONS)}")
    least, most, _ = FUNCTIONS[name]
    if node.keywords or not least <= len(node.args) <= most or any(isinstance(one, ast.Starred) for one in node.args):
        raise Unanswered(f"gives {name}() too few or too many values")
    if name == "var" and not (isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
        raise Unanswered("does not say which variable: write var('name')")
    _check_all(node.args)


def _check_words(sides: Sequence[ast.expr]) -> None:
    """A text that a weekday or a status can never be is a mistake, not false."""
    for side in sides:
        words = WEEKDAYS if _name(side) == "weekday" else STATUSES if _is_status(side) else ()
        for text in (text for other in sides for text in _texts(other)) if words else ():
            if text not in words:
                hint = nearest(text, words) or f": it is one of {', '.join(words)}"
                raise Unanswered(f"compares {ast.unparse(side)} with {text!r}{hint}")


def _texts(node: ast.expr) -> list[str]:
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _is_status(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Subscript) and _is_need(node.value) and _key(node) == "status"


def _is_need(node: ast.AST) -> bool:
    """`needs.name`, `needs['name']`."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or _name(node.value) != "needs":
        return False
    return isinstance(_key(node), str)


def _need(node: ast.AST) -> str:
    return str(_key(node))


def _key(node: ast.AST) -> object:
    """What an attribute or a subscript asks for, where it is written down."""
    if isinstance(node, ast.Attribute):
        return node.attr
    part = node.slice if isinstance(node, ast.Subscript) else None
    return part.value if isinstance(part, ast.Constant) else None


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


# -- evaluating ------------------------------------------------------------------------------------------------------


def _value(node: ast.expr, scope: Scope) -> Any:
    if _is_need(node):
        return _result(node, scope)
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return CONSTANTS[name] if name in CONSTANTS else _noted(scope, name, calendar(scope.at)[name])
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, scope) for part in parts]
        case ast.BoolOp(op=op, values=parts):
            return _joined(parts, isinstance(op, ast.Or), scope)
        case ast.UnaryOp(op=ast.Not(), operand=one):
            return not _flag(_value(one, scope), one)
        case ast.UnaryOp(operand=one):
            return -_number(_value(one, scope))
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(_REACH[type(op)], _number(_value(left, scope)), _number(_value(right, scope)))
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _compared(left, ops, others, scope)
        case ast.Attribute(value=inner):
            return _part(node, inner, node.attr, scope)
        case ast.Subscript(value=inner, slice=key):
            return _part(node, inner, _value(key, scope), scope)
        case ast.Call(func=function, args=args):
            return _called(_name(function), [_value(one, scope) for one in args], scope)
    raise Unanswered(f"holds {ast.unparse(node)!r}, which a condition can't say")


def _joined(parts: Sequence[ast.expr], wanted: bool, scope: Scope) -> bool:
    """`or` (wanted: true) and `and` from left to right. What can't be decided yet does not hide a part that can."""
    undecided = None
    for part in parts:
        try:
            if _flag(_value(part, scope), part) is wanted:
                return wanted
        except Undecided as error:
            undecided = error
    if undecided is not None:
        raise undecided
    return not wanted


def _compared(left: ast.expr, ops: Sequence[ast.cmpop], others: Sequence[ast.expr], scope: Scope) -> bool:
    one = _value(left, scope)
    for op, other in zip(ops, others, strict=True):
        two = _value(other, scope)
        try:
            if not _COMPARE[type(op)](one, two):
                return False
        except TypeError:
            raise Unanswered(f"can't compare {shown(one)} with {shown(two)}") from None
        one = two
    return True


def _result(node: ast.expr, scope: Scope) -> Mapping[str, object]:
    if scope.needs is None:
        raise Undecided
    return scope.needs[_need(node)]


def _part(node: ast.expr, inner: ast.expr, key: object, scope: Scope) -> object:
    """What a mapping has under the key, or a list at the place."""
    holder = _value(inner, scope)
    try:
        if isinstance(holder, Mapping | list):
            found: object = holder[key]  # type: ignore[call-overload]  # what does not fit raises TypeError
            return found if isinstance(found, Mapping | list) else _noted(scope, ast.unparse(node), found)
    except (KeyError, IndexError, TypeError):
        known = [str(one) for one in holder] if isinstance(holder, Mapping) else []
        raise Unanswered(f"asks {ast.unparse(node)!r}, which is not there{nearest(str(key), known)}") from None
    raise Unanswered(f"asks {ast.unparse(node)!r}, but {ast.unparse(inner)} is {shown(holder)}")


def _called(name: str, given: Sequence[Any], scope: Scope) -> object:
    if name == "var":
        if given[0] not in scope.variables and len(given) == 1:
            raise Unanswered(f"asks var({given[0]!r}), which is not set{nearest(given[0], scope.variables)}")
        return _noted(scope, f"var({given[0]!r})", scope.variables.get(given[0], given[-1]))
    try:
        return FUNCTIONS[name][2](*given)
    except (TypeError, ValueError):
        raise Unanswered(f"can't take {name}() of {', '.join(map(shown, given))}") from None


def _computed(reach: Callable[[Any, Any], Any], left: object, right: object) -> object:
    try:
        return reach(left, right)
    except (ArithmeticError, ValueError):
        raise Unanswered(f"can't compute with {shown(left)} and {shown(right)}") from None


def _noted(scope: Scope, written: str, value: object) -> object:
    scope.seen[written] = value
    return value


def _flag(value: object, node: ast.expr) -> bool:
    if isinstance(value, bool):
        return value
    raise Unanswered(f"takes {ast.unparse(node)!r} for true or false, but it is {shown(value)}")


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Unanswered(f"computes with {shown(value)}, which is no number")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError

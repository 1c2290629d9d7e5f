"""The rules of the short form: each turns its arguments into a rule of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from headgate.contracts import bounds, literals
from headgate.contracts.batch import Share
from headgate.contracts.grammar import Arg, Item, Mistake, PlacedText
from headgate.contracts.model import ContractColumn, Keep, ReferenceRule, RowRule, UniqueRule
from headgate.core.errors import Location
from headgate.core.values import TableRef
from headgate.sql.quote import ident, literal
from headgate.types import forms
from headgate.types.forms import Form
from headgate.types.logical import LogicalType

ORDERED = ("int", "bigint", "decimal", "double", "date", "timestamp", "timestamptz", "time")
MOMENTS = ("date", "timestamp", "timestamptz", "time")
NUMBERS = ("int", "bigint", "decimal", "double")
EXACT = ("int", "bigint", "decimal")
LISTED = (*ORDERED, "text", "bool", "uuid")
SHOWN = 10
"""So many values of `in(...)` are listed in its message."""

Rule = TypeVar("Rule", RowRule, ReferenceRule)


@dataclass
class Draft:
    """A column while its line is read."""

    text: PlacedText
    name: str
    type: LogicalType
    source: str
    where: Location
    required: Location | None = None
    key: bool = False
    pii: bool = False
    warn: bool = False
    form: Form | None = None
    mostly: Share | None = None
    settled: set[tuple[str, int]] = field(default_factory=set)
    """Rules that say their own severity: (`rows` or `references`, index)."""
    rows: list[RowRule] = field(default_factory=list)
    uniques: list[UniqueRule] = field(default_factory=list)
    references: list[ReferenceRule] = field(default_factory=list)
    was: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        return ident(self.name)

    def row(self, item: Item, sql: str, message: str, args: tuple[str, ...], at: int | None = None) -> None:
        """Add a row rule that NULL passes."""
        where = self.text.at(item.start if at is None else at)
        sql = f"{self.sql} IS NULL OR {sql}"
        self.rows.append(RowRule(item.name, self.name, sql, message, where=where, args=args))

    def require(self, where: Location) -> None:
        """NULL is refused; asked for twice (`key, required`) it is one rule, at the first place."""
        if self.required is None:
            self.required = where
            self.rows.append(required_rule(self.name, where))

    def column(self) -> ContractColumn:
        strict = any(rule.code == "required" and rule.severity == "error" for rule in self.row_rules())
        return ContractColumn(
            self.name, self.type, self.source, strict, self.key, self.pii, self.where, self.was, self.form
        )

    def row_rules(self) -> list[RowRule]:
        """The row rules with what the column says for all of them; the `required` of a key stays as it is."""
        return [
            rule if rule.code == "required" and self.key else self._said("rows", number, rule)
            for number, rule in enumerate(self.rows)
        ]

    def reference_rules(self) -> list[ReferenceRule]:
        return [self._said("references", number, rule) for number, rule in enumerate(self.references)]

    def unique_rules(self) -> list[UniqueRule]:
        return [replace(rule, mostly=rule.mostly or self.mostly) for rule in self.uniques]

    def _said(self, group: str, number: int, rule: Rule) -> Rule:
        severity = "warn" if self.warn and (group, number) not in self.settled else rule.severity
        return replace(rule, severity=severity, mostly=rule.mostly or self.mostly)


def required_rule(column: str, where: Location | None) -> RowRule:
    return RowRule("required", column, f"{ident(column)} IS NOT NULL", "required", where=where)


def _required(draft: Draft, item: Item) -> None:
    _bare(item)
    draft.require(draft.text.at(item.start))


def _key(draft: Draft, item: Item) -> None:
    _bare(item)
    draft.key = True
    draft.require(draft.text.at(item.start))


def _pii(draft: Draft, item: Item) -> None:
    _bare(item)
    draft.pii = True


def _warn(draft: Draft, item: Item) -> None:
    _bare(item)
    draft.warn = True


def _mostly(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "mostly(95%)")
    draft.mostly = share_of(arg, arg.value)


def _unique(draft: Draft, item: Item) -> None:
    keep: Keep = "first"
    for arg in _counted(item, 0, 1, "unique or unique(keep=first)"):
        match = re.fullmatch(r"keep\s*=\s*(first|last|none)", arg.value)
        if match is None or arg.quoted:
            raise Mistake("rule-syntax", f"unique takes no {arg.value!r}", arg.start, "write keep=first, last or none")
        keep = match[1]  # type: ignore[assignment]
    draft.uniques.append(UniqueRule("unique", (draft.name,), keep, "must be unique", draft.text.at(item.start)))


def _min(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "min(0)")
    bound = _bound(draft, item, arg)
    sql = f"{draft.sql} >= {bound.sql}"
    # The engine counts NaN as the greatest number; no bound lets it pass here.
    sql = f"({sql} AND NOT isnan({draft.sql}))" if draft.type.name == "double" else sql
    draft.row(item, sql, f"must be at least {bound.text}", (bound.text,))


def _max(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "max(100)")
    bound = _bound(draft, item, arg)
    draft.row(item, f"{draft.sql} <= {bound.sql}", f"must be at most {bound.text}", (bound.text,))


def _above(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "above(0)")
    bound = _bound(draft, item, arg)
    sql = f"{draft.sql} > {bound.sql}"
    sql = f"({sql} AND NOT isnan({draft.sql}))" if draft.type.name == "double" else sql
    draft.row(item, sql, f"must be above {bound.text}", (bound.text,))


def _below(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "below(100)")
    bound = _bound(draft, item, arg)
    draft.row(item, f"{draft.sql} < {bound.sql}", f"must be below {bound.text}", (bound.text,))


def _multiple_of(draft: Draft, item: Item) -> None:
    _only(draft, item, EXACT, "use it on int, bigint or decimal: binary fractions have no exact multiples")
    (arg,) = _counted(item, 1, 1, "multiple_of(5)")
    step = _read(draft, arg)
    if step.value <= 0:
        raise Mistake("bad-literal", f"{arg.value!r} is not above 0", arg.start, "write multiple_of(5)")
    draft.row(item, f"{draft.sql} % {step.sql} = 0", f"must be a multiple of {step.text}", (step.text,))


def _between(draft: Draft, item: Item) -> None:
    first, last = _counted(item, 2, 2, "between(0, 100)")
    low, high = _bound(draft, item, first), _bound(draft, item, last)
    if low.value > high.value:
        raise Mistake("bad-literal", f"no value is between {low.text} and {high.text}", first.start, "swap the bounds")
    sql = f"{draft.sql} BETWEEN {low.sql} AND {high.sql}"
    draft.row(item, sql, f"must be between {low.text} and {high.text}", (low.text, high.text))


def _length(draft: Draft, item: Item) -> None:
    _only(draft, item, ("text",), "measure numbers and dates with min, max or between")
    args = _counted(item, 1, 2, "length(2, 5), length(5) for at most 5, or length(2, *) for at least 2")
    if len(args) == 2 and args[1].value == "*" and not args[1].quoted:
        return _longer(draft, item, args[0])
    low, high = ((0,) if len(args) == 1 else ()) + tuple(_characters(arg) for arg in args)
    if low > high:
        raise Mistake("bad-literal", f"no text has {low} to {high} characters", args[0].start, "swap the bounds")
    if draft.type.length is not None and low > draft.type.length:
        raise Mistake("bad-literal", f"no {draft.type} has {low} characters", args[0].start, "widen the type")
    if len(args) == 1:
        return draft.row(item, f"length({draft.sql}) <= {high}", f"must have at most {high} characters", (str(high),))
    message = f"must have {low} to {high} characters" if low != high else f"must have {low} characters"
    return draft.row(item, f"length({draft.sql}) BETWEEN {low} AND {high}", message, (str(low), str(high)))


def _longer(draft: Draft, item: Item, arg: Arg) -> None:
    least = _characters(arg)
    if draft.type.length is not None and least > draft.type.length:
        raise Mistake("bad-literal", f"no {draft.type} has {least} characters", arg.start, "widen the type")
    draft.row(item, f"length({draft.sql}) >= {least}", f"must have at least {least} characters", (str(least), "*"))


def _pattern(draft: Draft, item: Item) -> None:
    _only(draft, item, ("text",), "a pattern needs a text column")
    (arg,) = _counted(item, 1, 1, "pattern('^[A-Z]+$')")
    if not arg.quoted:
        raise Mistake("rule-syntax", "the pattern is not in quotes", arg.start, f"write pattern('{arg.value}')")
    if "\x00" in arg.value:
        raise Mistake("bad-literal", "the pattern holds a NUL character", arg.start, "remove it")
    sql = f"regexp_matches({draft.sql}, {literal(arg.value)})"
    draft.row(item, sql, f"must match {literal(arg.value)}", (arg.value,), arg.start)


def _in(draft: Draft, item: Item) -> None:
    values = _listed(draft, item, "in(a, b)")
    draft.row(item, f"{draft.sql} IN ({', '.join(values.values())})", f"must be one of {_shown(values)}", tuple(values))


def _not_in(draft: Draft, item: Item) -> None:
    values = _listed(draft, item, "not_in(a, b)")
    sql = f"{draft.sql} NOT IN ({', '.join(values.values())})"
    draft.row(item, sql, f"must be none of {_shown(values)}", tuple(values))


def _listed(draft: Draft, item: Item, example: str) -> dict[str, str]:
    """The values of a list, canonical text -> SQL."""
    _only(draft, item, LISTED, "list values of a simple type")
    values: dict[str, str] = {}
    for arg in _counted(item, 1, None, example):
        value = _read(draft, arg)
        if value.text in values:
            raise Mistake("bad-literal", f"{arg.value!r} is listed twice", arg.start, "remove one of the two")
        values[value.text] = value.sql
    return values


def _shown(values: Mapping[str, str]) -> str:
    more = f", ... ({len(values)} values)" if len(values) > SHOWN else ""
    return ", ".join(text or "''" for text in list(values)[:SHOWN]) + more


def _references(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "references(raw.customers.id)")
    table, _, column = arg.value.rpartition(".")
    if not table or not column or table.count(".") > 1 or not all(table.split(".")):
        fix = "write references(table.column) or references(schema.table.column)"
        raise Mistake("rule-syntax", f"{arg.value!r} does not name a column of a table", arg.start, fix)
    to = str(TableRef.parse(table))
    where = draft.text.at(arg.start)
    rule = ReferenceRule((draft.name,), to, (column,), f"must stand in {to}.{column}", where=where)
    draft.references.append(rule)


def _from(draft: Draft, item: Item) -> None:
    (arg,) = _counted(item, 1, 1, "from('Order ID')")
    if not arg.value:
        raise Mistake("rule-syntax", "the name in the source is empty", arg.start, "write from('Order ID')")
    draft.source = arg.value


def _was(draft: Draft, item: Item) -> None:
    args = _counted(item, 1, None, "was(old_name)")
    names = tuple(arg.value for arg in args)
    if draft.name in names or len(set(names)) < len(names) or "" in names:
        twice = "its own name" if draft.name in names else "no name" if "" in names else "a name twice"
        raise Mistake("rule-syntax", f"was names {twice}", args[0].start, "name what the column was called before")
    draft.was = names


def _format(draft: Draft, item: Item) -> None:
    _only(draft, item, MOMENTS, "write it on a date, timestamp, timestamptz or time")
    (arg,) = _counted(item, 1, 1, "format('dd.MM.yyyy')")
    try:
        forms.check(arg.value, draft.type)
    except ValueError as error:
        raise Mistake("bad-literal", str(error), arg.start, "write format('dd.MM.yyyy')") from error
    _formed(draft, item, pattern=arg.value)


def _number(draft: Draft, item: Item) -> None:
    _only(draft, item, NUMBERS, "write it on a number")
    args = _counted(item, 1, 2, "number(',', '.')")
    decimal, group = args[0], args[1] if len(args) == 2 else None
    if decimal.value not in forms.DECIMAL_MARKS:
        raise Mistake("bad-literal", f"{decimal.value!r} is no decimal mark", decimal.start, "write number(',', '.')")
    if group is not None and (group.value not in forms.GROUP_MARKS or group.value == decimal.value):
        fix = "write '.', ',', ' ' or an apostrophe, other than the decimal mark"
        raise Mistake("bad-literal", f"{group.value!r} does not part thousands", group.start, fix)
    _formed(draft, item, decimal=decimal.value, group=group.value if group is not None else "")


def _comma(draft: Draft, item: Item) -> None:
    _bare(item)
    _only(draft, item, NUMBERS, "write it on a number")
    _formed(draft, item, decimal=",")


def _words(draft: Draft, item: Item) -> None:
    _only(draft, item, ("bool",), "write it on a bool")
    true, false = _counted(item, 2, 2, "words('ja', 'nein')")
    if true.value == false.value or not true.value:
        raise Mistake(
            "bad-literal", "the words for true and false must differ", true.start, "write words('ja', 'nein')"
        )
    _formed(draft, item, true=true.value, false=false.value)


def _null(draft: Draft, item: Item) -> None:
    values = tuple(arg.value for arg in _counted(item, 1, None, "null('NA', '-')"))
    _formed(draft, item, nulls=tuple(dict.fromkeys(values)))


def _formed(draft: Draft, item: Item, **said: Any) -> None:
    """Add to the column's form; number and comma say the same."""
    form = draft.form or Form()
    if "decimal" in said and form.decimal:
        raise Mistake("duplicate-rule", "the marks of numbers are said twice", item.start, "remove one of the two")
    draft.form = replace(form, **said)


RULES: dict[str, Callable[[Draft, Item], None]] = {
    "required": _required,
    "key": _key,
    "unique": _unique,
    "min": _min,
    "max": _max,
    "above": _above,
    "below": _below,
    "between": _between,
    "multiple_of": _multiple_of,
    "length": _length,
    "pattern": _pattern,
    "in": _in,
    "not_in": _not_in,
    "references": _references,
    "from": _from,
    "was": _was,
    "pii": _pii,
    "warn": _warn,
    "mostly": _mostly,
    "format": _format,
    "number": _number,
    "comma": _comma,
    "words": _words,
    "null": _null,
}
"""Every rule of the short form."""

ONCE = (
    "required",
    "key",
    "unique",
    "from",
    "was",
    "pii",
    "warn",
    "mostly",
    "format",
    "number",
    "comma",
    "words",
    "null",
)
"""Said once per column; every other rule may come again with other arguments."""

SYNONYMS = {
    "not_null": "required",
    "notnull": "required",
    "mandatory": "required",
    "primary_key": "key",
    "pk": "key",
    "regex": "pattern",
    "match": "pattern",
    "matches": "pattern",
    "enum": "in",
    "one_of": "in",
    "values": "in",
    "accepted_values": "in",
    "range": "between",
    "exclusive_min": "above",
    "gt": "above",
    "exclusive_max": "below",
    "lt": "below",
    "gte": "min",
    "lte": "max",
    "multipleof": "multiple_of",
    "step": "multiple_of",
    "notin": "not_in",
    "min_length": "length",
    "max_length": "length",
    "foreign_key": "references",
    "fk": "references",
    "relationships": "references",
    "source": "from",
    "alias": "from",
    "personal": "pii",
    "warning": "warn",
}
"""What other tools call these rules."""


def share_of(arg: Arg, text: str) -> Share:
    try:
        return bounds.share(text)
    except ValueError as error:
        raise Mistake("bad-literal", str(error), arg.start, "write mostly(95%)") from error


def _bare(item: Item) -> None:
    if item.args is not None:
        at = item.start + len(item.name)
        raise Mistake("rule-syntax", f"{item.name} takes no arguments", at, f"write {item.name}")


def _counted(item: Item, least: int, most: int | None, example: str) -> tuple[Arg, ...]:
    args = item.args or ()
    if len(args) < least or (most is not None and len(args) > most):
        number = str(least) if least == most else f"{least} to {most}" if most is not None else f"at least {least}"
        what = f"{item.name} takes {number} argument{'' if number.endswith('1') else 's'}, not {len(args)}"
        raise Mistake("rule-syntax", what, item.start, f"write {example}")
    return args


def _only(draft: Draft, item: Item, names: tuple[str, ...], fix: str) -> None:
    if draft.type.name not in names:
        raise Mistake("rule-mismatch", f"{item.name} does not fit a column of type {draft.type}", item.start, fix)


def _bound(draft: Draft, item: Item, arg: Arg) -> literals.Literal:
    _only(draft, item, ORDERED, "use length(...) for texts" if draft.type.name == "text" else "remove the rule")
    return _read(draft, arg)


def _read(draft: Draft, arg: Arg) -> literals.Literal:
    try:
        return literals.read(draft.type, arg.value)
    except ValueError as error:
        fix = f"write a value that a column of type {draft.type} can hold"
        raise Mistake("bad-literal", str(error), arg.start, fix) from error


def _characters(arg: Arg) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", arg.value):
        raise Mistake("bad-literal", f"{arg.value!r} is not a number of characters", arg.start, "write length(2, 5)")
    return int(arg.value)

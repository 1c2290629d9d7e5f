"""A suite with the types of the data: a Contract.

Types are those that every value of the data fits, except where an expectation says otherwise: of a column whose bounds
are numbers or days, a value that is none is refused for its type instead of making the column text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from headgate.contracts import bounds, literals
from headgate.contracts.assembly import Assembly, Line, quoted, word
from headgate.contracts.document import Document
from headgate.contracts.ecma import Untranslatable
from headgate.contracts.great_expectations.conditions import CONDITIONS, finds, said
from headgate.contracts.great_expectations.regex import to_re2
from headgate.contracts.great_expectations.suite import Expectation, Suite, Unfit, is_number
from headgate.contracts.model import Contract
from headgate.contracts.rules import ONCE, ORDERED
from headgate.core.errors import ContractError, Finding, nearest
from headgate.sql.quote import ident
from headgate.types.logical import LogicalType, parse

_NUMERIC = ("int", "bigint", "decimal", "double")
_NAMED = {
    "int": "bigint", "int64": "bigint", "int32": "bigint", "integer": "bigint", "bigint": "bigint",
    "float": "double", "float64": "double", "double": "double", "str": "text", "string": "text", "varchar": "text",
    "bool": "bool", "boolean": "bool", "date": "date", "datetime": "timestamp", "datetime64": "timestamp",
    "timestamp": "timestamp",
}  # fmt: skip
"""What `expect_column_values_to_be_of_type` calls our types. `object` and others say nothing."""

_TOTALS = {
    "expect_column_sum_to_be_between": "sum({})",
    "expect_column_mean_to_be_between": "avg({})",
    "expect_column_median_to_be_between": "median({})",
    "expect_column_stdev_to_be_between": "stddev_samp({})",
    "expect_column_max_to_be_between": "max({})",
    "expect_column_min_to_be_between": "min({})",
    "expect_column_unique_value_count_to_be_between": "count(DISTINCT {})",
    "expect_column_proportion_of_unique_values_to_be_between": "count(DISTINCT {}) / count({})",
}


def bind(suite: Suite, known: Contract) -> Contract:
    """The contract of the suite for columns of the types of `known`, which has no rules.

    *Errors*: ContractError `missing-column` for expected columns that the data does not have; those of `short.parse`.
    """
    binding = _Binding(suite, known)
    made = suite.beside.joined(binding.contract())
    return replace(made, notes=(*suite.notes, *made.notes))


class _Binding:
    def __init__(self, suite: Suite, known: Contract) -> None:
        self.suite = suite
        self.made = Assembly(Document(None, suite.where.path))
        self.names = {column.name: column for column in known.columns}
        self.made.lines = [Line(one.name, suite.where, str(one.type)) for one in known.columns]
        for line, column in zip(self.made.lines, known.columns, strict=True):
            if column.source != column.name:
                line.call("from", [quoted(column.source)], suite.where)

    def contract(self) -> Contract:
        missing = self._missing()
        if missing:
            raise ContractError(*missing)
        for one in self.suite.expectations:
            self._type(one)
        for one in self.suite.expectations:
            self._add(one)
        return self.made.contract()

    def _missing(self) -> list[Finding]:
        """A finding for each column that is not there, at its first mention."""
        found, told = [], set(self.names)
        for one in self.suite.expectations:
            for name in _columns(one):
                if name not in told:
                    told.add(name)
                    what = f"the suite expects column {name!r}, which the data does not have{nearest(name, self.names)}"
                    fix = "mend the data, or take the expectations of this column out of the suite"
                    evidence = {"columns": list(self.names)}
                    found.append(Finding("missing-column", "error", what, str(one.where), fix, evidence))
        return found

    def unenforced(self, one: Expectation, why: str) -> None:
        what = f"{one.type} is not checked"
        self.made.notes.append(Finding("not-enforced", "warning", what, str(one.where), why))

    def typed(self, name: str) -> str:
        """The type of a column that is there."""
        line = self.made.line(name)
        assert line is not None
        return line.type

    def _line(self, one: Expectation) -> Line:
        line = self.made.line(str(one.kwargs["column"]))
        assert line is not None
        return line

    def _type(self, one: Expectation) -> None:
        """What the expectation says about a type."""
        if "column" not in one.kwargs or one.type not in _OF_TYPES:
            return
        line = self._line(one)
        if one.type == "expect_column_values_to_be_between":
            ends = [one.kwargs[key] for key in ("min_value", "max_value") if one.kwargs.get(key) is not None]
            if line.type.partition("(")[0] not in ORDERED and ends:
                kinds = ("double",) if all(map(is_number, ends)) else ("date", "timestamp", "timestamptz", "time")
                line.type = next((kind for kind in kinds if all(_reads(kind, _text(end)) for end in ends)), line.type)
            return
        line.type = self.named_type(one.kwargs.get("type_list", [one.kwargs.get("type_")])) or line.type

    @staticmethod
    def named_type(listed: Any) -> str | None:
        """The one type that the list names."""
        names = listed if isinstance(listed, list) else [listed]
        found = {_NAMED.get(str(name).lower().partition("(")[0]) for name in names}
        return next(iter(found)) if len(found) == 1 else None

    def _add(self, one: Expectation) -> None:
        make = _MAKERS.get(one.type)
        share = _share(one.kwargs.get("mostly"))
        if not is_known(one.type):
            return self.unenforced(one, "write it as a condition under rules:, or leave it out")
        if one.kwargs.get("row_condition") is not None:
            return self.unenforced(one, "write its row_condition under rules: as {when: ..., then: ...}")
        if share is None:
            return self.unenforced(one, "mostly is a share between 0 and 1")
        try:
            if one.type in CONDITIONS:
                return self.named(one, {"check": CONDITIONS[one.type](one, self.typed), "message": said(one)}, share)
            return make(self, one, share) if make is not None else self._total(one)
        except (Unfit, Untranslatable) as error:
            return self.unenforced(one, str(error))
        except KeyError as error:
            return self.unenforced(one, f"its argument {error} is missing")

    def said(self, one: Expectation, share: str, *, severity: bool = True) -> list[str]:
        """What a rule of a column says of itself."""
        warn = ["severity=warn"] if one.severity == "warn" and severity else []
        return warn + ([f"mostly={share}"] if share else [])

    def rule(self, one: Expectation, share: str, rule: str, args: list[str]) -> None:
        line = self._line(one)
        if rule in ONCE and any(piece.partition("(")[0] == rule for piece, _ in line.pieces):
            raise Unfit(f"the suite says {rule} of this column before")
        line.call(rule, args + self.said(one, share), one.where)

    def named(self, one: Expectation, entry: Mapping[str, Any], share: str = "") -> None:
        """A rule under a name of its own: the expectation's without its first word."""
        more = {"severity": "warn"} if one.severity == "warn" and "unique" not in entry else {}
        name = one.type.removeprefix("expect_").removeprefix("column_")
        name = f"{one.kwargs['column']}_{name}" if "column" in one.kwargs else name
        self.made.rule(name, {**entry, **more, **({"mostly": share} if share else {})}, one.where)

    def _total(self, one: Expectation) -> None:
        line = self._line(one)
        kind = line.type.partition("(")[0]
        if kind not in _NUMERIC and "unique" not in one.type:
            raise Unfit(f"the column is {line.type}, not a number")
        self.named(one, {"sql": _TOTALS[one.type].replace("{}", ident(line.name)), **_between(one)})


def is_known(name: str) -> bool:
    """Whether the expectation can be a rule."""
    return name in _MAKERS or name in _TOTALS or name in CONDITIONS


def expected_columns(suite: Suite) -> list[str]:
    """The columns that the suite speaks of, in the order of their first mention."""
    return list(dict.fromkeys(name for one in suite.expectations for name in _columns(one)))


def _columns(one: Expectation) -> list[str]:
    """The columns that the expectation speaks of."""
    found: list[Any] = [one.kwargs[key] for key in ("column", "column_A", "column_B") if one.kwargs.get(key)]
    for key in ("column_list", "column_set"):
        found += list(one.kwargs.get(key) or [])
    return [str(name) for name in found]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unfit("a bound is not finite")
    return bounds.plain(Decimal(value)) if is_number(value) else str(value)


def _reads(kind: str, text: str) -> bool:
    try:
        literals.read(LogicalType(kind), text)
    except ValueError:
        return False
    return True


def _share(mostly: Any) -> str | None:
    """`mostly` as a share; "" for all rows, None where it is none."""
    if mostly is None:
        return ""
    if not is_number(mostly) or not 0 <= mostly <= 1:
        return None
    percent = Decimal(mostly) * 100
    return "" if percent == 100 else f"{bounds.plain(percent)}%"


def _between(one: Expectation) -> dict[str, str]:
    """min_value and max_value as bounds of a number."""
    found = {}
    for key, strict, words in (
        ("min_value", "strict_min", ("min", "above")),
        ("max_value", "strict_max", ("max", "below")),
    ):
        value = one.kwargs.get(key)
        if value is None:
            continue
        if not is_number(value):
            raise Unfit(f"{key} is no number")
        found[words[bool(one.kwargs.get(strict))]] = _text(value)
    if not found:
        raise Unfit("it has no bound")
    return found


def _values(binding: _Binding, one: Expectation, share: str) -> None:
    line = binding._line(one)
    kind = LogicalType(line.type) if "(" not in line.type else None
    low, high = one.kwargs.get("min_value"), one.kwargs.get("max_value")
    strict = bool(one.kwargs.get("strict_min")), bool(one.kwargs.get("strict_max"))
    if low is None and high is None:
        raise Unfit("it has no bound")
    if line.type.partition("(")[0] not in ORDERED:
        raise Unfit(f"bounds do not fit a column of type {line.type}")
    if kind is not None and kind.name in ("int", "bigint") and any(isinstance(end, Decimal) for end in (low, high)):
        line.type = "double"
    if low is not None and high is not None and strict == (False, False):
        return binding.rule(one, share, "between", [word(_text(low)), word(_text(high))])
    for end, rule in ((low, "above" if strict[0] else "min"), (high, "below" if strict[1] else "max")):
        if end is not None:
            binding.rule(one, share, rule, [word(_text(end))])
    return None


def _set(rule: str) -> Callable[[_Binding, Expectation, str], None]:
    def make(binding: _Binding, one: Expectation, share: str) -> None:
        line, listed = binding._line(one), one.kwargs.get("value_set")
        if not isinstance(listed, list) or line.type in ("json", "binary"):
            raise Unfit("value_set is no list of values")
        fitting = [text for text in map(_text, (item for item in listed if item is not None)) if _fits(line, text)]
        if fitting:
            binding.rule(one, share, rule, list(dict.fromkeys(map(quoted, fitting))))
        elif rule == "in":
            binding.named(one, {"check": f"{ident(line.name)} IS NULL"}, share)

    return make


def _fits(line: Line, text: str) -> bool:
    """Whether a column of this type could hold the value; what it can't hold is in no row."""
    try:
        literals.read(parse(line.type), text)
    except ValueError:
        return False
    return True


def _regex(binding: _Binding, one: Expectation, share: str) -> None:
    line, pattern = binding._line(one), one.kwargs.get("regex")
    if not isinstance(pattern, str):
        raise Unfit("the pattern is no text")
    if not line.type.startswith("text"):
        return binding.named(one, {"check": finds(one, binding.typed), "message": said(one)}, share)
    return binding.rule(one, share, "pattern", [quoted(to_re2(pattern))])


def _not_null(binding: _Binding, one: Expectation, share: str) -> None:
    binding.rule(one, share, "required", [])


def _unique(binding: _Binding, one: Expectation, share: str) -> None:
    if one.severity == "warn":
        raise Unfit("unique always refuses; write severity critical")
    binding.rule(one, share, "unique", ["keep=none"])


def _compound(binding: _Binding, one: Expectation, share: str) -> None:
    if one.severity == "warn":
        raise Unfit("unique always refuses; write severity critical")
    binding.named(one, {"unique": [str(name) for name in one.kwargs["column_list"]], "keep": "none"}, share)


def _lengths(binding: _Binding, one: Expectation, share: str) -> None:
    line = binding._line(one)
    if not line.type.startswith("text"):
        raise Unfit(f"a {line.type} has no length")
    exact = one.kwargs.get("value")
    low, high = (exact, exact) if exact is not None else (one.kwargs.get("min_value"), one.kwargs.get("max_value"))
    ends = [end for end in (low, high) if end is not None]
    if not ends or not all(is_number(end) and end == int(end) and end >= 0 for end in ends):
        raise Unfit("its bounds are no numbers of characters")
    binding.rule(one, share, "length", [str(int(low or 0)), "*" if high is None else str(int(high))])


def _rows(binding: _Binding, one: Expectation, share: str) -> None:
    exact = one.kwargs.get("value")
    low, high = (exact, exact) if exact is not None else (one.kwargs.get("min_value"), one.kwargs.get("max_value"))
    if (low is None and high is None) or not all(end is None or is_number(end) for end in (low, high)):
        raise Unfit("it has no number of rows as a bound")
    ends = ["" if end is None else _text(end) for end in (low, high)]
    binding.named(one, {"rows": ends[0] if exact is not None else "..".join(ends)})


def _typed(binding: _Binding, one: Expectation, share: str) -> None:
    listed = one.kwargs.get("type_list", [one.kwargs.get("type_")])
    if binding.named_type(listed) is None:
        raise Unfit("it names no type, or several; say the type in a contract of the short form")


def _nothing(binding: _Binding, one: Expectation, share: str) -> None:
    """Said by the column being there, or by its type."""


_OF_TYPES = (
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
)
_MAKERS: dict[str, Callable[[_Binding, Expectation, str], None]] = {
    "expect_column_to_exist": _nothing,
    "expect_table_columns_to_match_set": _nothing,
    "expect_table_columns_to_match_ordered_list": _nothing,
    "expect_column_values_to_be_of_type": _typed,
    "expect_column_values_to_be_in_type_list": _typed,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_unique": _unique,
    "expect_compound_columns_to_be_unique": _compound,
    "expect_column_values_to_be_between": _values,
    "expect_column_values_to_be_in_set": _set("in"),
    "expect_column_values_to_not_be_in_set": _set("not_in"),
    "expect_column_distinct_values_to_be_in_set": _set("in"),
    "expect_column_values_to_match_regex": _regex,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _lengths,
    "expect_table_row_count_to_be_between": _rows,
    "expect_table_row_count_to_equal": _rows,
}

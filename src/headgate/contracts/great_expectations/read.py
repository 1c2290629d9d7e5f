"""A suite out of its JSON, or out of Python source, which is read and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from headgate.contracts.document import Document
from headgate.contracts.great_expectations.suite import Expectation, Suite
from headgate.core.errors import ContractError, Finding, Location

POSITIONS: dict[str, tuple[str, ...]] = {
    "expect_column_values_to_be_between": ("column", "min_value", "max_value", "strict_min", "strict_max"),
    "expect_column_values_to_be_in_set": ("column", "value_set", "mostly"),
    "expect_column_values_to_not_be_in_set": ("column", "value_set", "mostly"),
    "expect_column_values_to_match_regex": ("column", "regex", "mostly"),
    "expect_column_values_to_not_match_regex": ("column", "regex", "mostly"),
    "expect_column_values_to_not_be_null": ("column", "mostly"),
    "expect_column_values_to_be_null": ("column", "mostly"),
    "expect_column_values_to_be_unique": ("column", "mostly"),
    "expect_column_values_to_be_of_type": ("column", "type_", "mostly"),
    "expect_column_values_to_be_in_type_list": ("column", "type_list", "mostly"),
    "expect_column_value_lengths_to_be_between": ("column", "min_value", "max_value", "mostly"),
    "expect_column_value_lengths_to_equal": ("column", "value", "mostly"),
    **{
        f"expect_column_{name}_to_be_between": ("column", "min_value", "max_value", "strict_min", "strict_max")
        for name in (
            "sum",
            "mean",
            "median",
            "stdev",
            "max",
            "min",
            "unique_value_count",
            "proportion_of_unique_values",
        )
    },
    "expect_column_to_exist": ("column", "column_index"),
    "expect_table_columns_to_match_ordered_list": ("column_list",),
    "expect_table_columns_to_match_set": ("column_set", "exact_match"),
    "expect_table_row_count_to_be_between": ("min_value", "max_value"),
    "expect_table_row_count_to_equal": ("value",),
    "expect_compound_columns_to_be_unique": ("column_list",),
    "expect_multicolumn_values_to_be_unique": ("column_list",),
    "expect_column_pair_values_a_to_be_greater_than_b": ("column_A", "column_B", "or_equal"),
    "expect_column_pair_values_to_be_equal": ("column_A", "column_B"),
    "expect_column_values_to_match_regex_list": ("column", "regex_list", "match_on", "mostly"),
    "expect_column_values_to_not_match_regex_list": ("column", "regex_list", "mostly"),
    "expect_column_values_to_match_strftime_format": ("column", "strftime_format", "mostly"),
    "expect_column_values_to_be_json_parseable": ("column", "mostly"),
    "expect_column_distinct_values_to_be_in_set": ("column", "value_set"),
    "expect_multicolumn_sum_to_equal": ("column_list", "sum_total"),
    "expect_select_column_values_to_be_unique_within_record": ("column_list",),
}
"""The arguments that the methods of 0.x take by position; of others all but the first (`column`) need a name."""

_UNKNOWN = object()


def of_document(document: Document) -> Suite:
    """The suite of a JSON file of 0.x (`expectation_type`) or 1.x (`type`).

    *Errors*: ContractError `suite-invalid`.
    """
    value = document.value
    listed = value.get("expectations") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        fix = "name the JSON file of one expectation suite"
        raise ContractError.of("suite-invalid", "this is no suite: it has no expectations", document.at(()), fix)
    found = []
    for number, one in enumerate(listed):
        where = document.at(("expectations", number))
        name = (one.get("expectation_type") or one.get("type")) if isinstance(one, dict) else None
        kwargs = one.get("kwargs", {}) if isinstance(one, dict) else None
        if not isinstance(name, str) or not isinstance(kwargs, dict):
            fix = "write expectation_type (1.x: type) and kwargs"
            raise ContractError.of("suite-invalid", f"expectation {number + 1} has no type or no kwargs", where, fix)
        found.append(_expectation(name, kwargs, where, one.get("severity")))
    return Suite(tuple(found), document.at(()))


def of_python(text: str, path: str) -> Suite:
    """The suite of Python source: `df.expect_...(...)`, `gx.expectations.Expect...(...)`, `ExpectationConfiguration`.

    Names that the file assigns one literal to are known. What depends on anything else is listed in `notes` by line.
    *Errors*: ContractError `suite-invalid` where it is no Python or expects nothing.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        message = getattr(error, "msg", None) or type(error).__name__
        raise ContractError.of(
            "suite-invalid", f"this is no Python: {message}", Location(path, line), "mend it"
        ) from error
    reader = _Python(path)
    reader.visit(tree)
    if not reader.found and not reader.notes:
        what = "no expectation is made in this file"
        raise ContractError.of("suite-invalid", what, Location(path, 1), "name the file that makes the suite")
    return Suite(tuple(reader.found), Location(path, 1), tuple(reader.notes))


def _expectation(name: str, kwargs: Mapping[str, Any], where: Location, severity: Any) -> Expectation:
    mild = str(severity or kwargs.get("severity", "")).lower().rpartition(".")[2] in ("warning", "info")
    return Expectation(snake(name), dict(kwargs), where, "warn" if mild else "error")


def snake(name: str) -> str:
    """`ExpectColumnValuesToBeBetween` as `expect_column_values_to_be_between`."""
    if name.startswith("expect_"):
        return name.lower()  # expect_column_pair_values_A_to_be_greater_than_B
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Python(ast.NodeVisitor):
    """Reads the calls of a file in their order. No code is run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: dict[str, Any] = {}
        self.found: list[Expectation] = []
        self.notes: list[Finding] = []

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self._value(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.names[target.id] = _UNKNOWN if target.id in self.names else value
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "ExpectationConfiguration":
            self._configured(node)
            return
        # The wrapped call of `suite.add_expectation(gx.expectations.Expect...(...))` is visited by itself.
        if re.fullmatch(r"expect_\w+|Expect[A-Z]\w+", called) and called != "ExpectationSuite":
            self._made(snake(called), node)
            return
        self.generic_visit(node)

    def _where(self, node: ast.AST) -> Location:
        return Location(self.path, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)

    def _made(self, name: str, node: ast.Call) -> None:
        positions = POSITIONS.get(name, ("column",))
        kwargs: dict[str, Any] = {}
        for number, arg in enumerate(node.args):
            key = positions[number] if number < len(positions) and not isinstance(arg, ast.Starred) else ""
            kwargs[key] = self._value(arg) if key else _UNKNOWN
        for keyword in node.keywords:
            kwargs[keyword.arg or ""] = self._value(keyword.value) if keyword.arg else _UNKNOWN
        self._keep(name, kwargs, node)

    def _configured(self, node: ast.Call) -> None:
        said = {one.arg: self._value(one.value) for one in node.keywords if one.arg}
        for number, arg in enumerate(node.args[:2]):
            said[("expectation_type", "kwargs")[number]] = self._value(arg)
        name, kwargs = said.get("expectation_type", said.get("type")), said.get("kwargs", {})
        if isinstance(name, str) and isinstance(kwargs, dict):
            self._keep(snake(name), {**kwargs, "severity": said.get("severity")}, node)
        else:
            self._note("an ExpectationConfiguration", node)

    def _keep(self, name: str, kwargs: dict[str, Any], node: ast.AST) -> None:
        kwargs = {key: value for key, value in kwargs.items() if key not in _IGNORED or value is not _UNKNOWN}
        if name not in POSITIONS:  # no rule is made of it, whatever its arguments are
            kwargs = {key: value for key, value in kwargs.items() if key and value is not _UNKNOWN}
        if any(value is _UNKNOWN for value in kwargs.values()):
            self._note(name, node)
            return
        self.found.append(_expectation(name, kwargs, self._where(node), None))

    def _note(self, name: str, node: ast.AST) -> None:
        what = f"{name} is not checked: an argument is known only when the program runs"
        fix = "write the value itself, or a name that is assigned once"
        self.notes.append(Finding("not-enforced", "warning", what, str(self._where(node)), fix))

    def _value(self, node: ast.expr) -> Any:
        """The value of a literal, or of a name that stands for one."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, _UNKNOWN)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            items = [self._value(item) for item in node.elts]
            return _UNKNOWN if any(item is _UNKNOWN for item in items) else items
        if isinstance(node, ast.Dict):
            return self._dict(node)
        if isinstance(node, ast.Attribute):
            return node.attr if node.attr in ("WARNING", "INFO", "CRITICAL") else _UNKNOWN
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return _UNKNOWN
        return Decimal(repr(value)) if isinstance(value, float) else value

    def _dict(self, node: ast.Dict) -> Any:
        keys = [self._value(key) if key is not None else _UNKNOWN for key in node.keys]
        values = [self._value(value) for value in node.values]
        if any(key is _UNKNOWN for key in keys) or any(value is _UNKNOWN for value in values):
            return _UNKNOWN
        return dict(zip(map(str, keys), values, strict=True))


_IGNORED = ("meta", "notes", "result_format", "catch_exceptions", "include_config", "id", "rendered_content")
"""Arguments that no value fails by."""

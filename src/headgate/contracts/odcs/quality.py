"""The `quality` of ODCS: metrics, SQL and our own rules, each as a rule of the contract.

A metric that tolerates nothing is a rule on every row: the rows that break it are quarantined. One that tolerates a
share of the rows is the same with `mostly`. One that tolerates a number of rows is a rule about the load as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from headgate.contracts import bounds, ecma, short
from headgate.contracts.assembly import Assembly, Line, quoted
from headgate.contracts.bounds import Span
from headgate.contracts.document import Path
from headgate.core.errors import ContractError
from headgate.core.records import dataclass
from headgate.sql.quote import ident

ENGINE = "headgate"
"""The `engine` of custom quality that is ours: `implementation` is an entry of `rules:`."""

_MILD = ("warning", "warn", "info", "information", "low", "minor")
_SELECT = re.compile(r"\s*SELECT\s+(.+?)\s+FROM\s+(\S+?)\s*(?:\bWHERE\s+(.+?))?\s*;?\s*", re.IGNORECASE | re.DOTALL)
_CALL = re.compile(r"\w+\((?:[^()]|\([^()]*\))*\)")
_OPERATORS = (
    "mustBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
)


def text(value: Any) -> str:
    """A value of the document as an argument of a rule: numbers exactly, without an exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return bounds.plain(value)
    return "" if value is None else str(value)


def listed(values: list[Any]) -> list[str]:
    """The values as arguments of `in`, each once; NULL is left out, it passes anyway."""
    return list(dict.fromkeys(quoted(text(value)) for value in values if value is not None))


@dataclass
class _Item:
    """One item of `quality`: of a column (`line`), or of the object."""

    made: Assembly
    item: Mapping[str, Any]
    path: Path
    line: Line | None

    @property
    def where(self) -> Any:
        return self.made.document.at(self.path)

    @property
    def name(self) -> str:
        given = self.item.get("name") or self.item.get("id")
        metric = re.sub(r"([A-Z])", r"_\1", str(self.item.get("metric", "check"))).lower()
        return str(given or (f"{self.line.name}_{metric}" if self.line is not None else metric))

    @property
    def warn(self) -> bool:
        return str(self.item.get("severity", "")).lower() in _MILD

    def unenforced(self, why: str = "") -> None:
        self.made.unenforced(f"quality {self.name!r}", self.path, why)

    def span(self) -> Span | None:
        """The bounds of its operator; None where it has none that is a range."""
        key = next((one for one in _OPERATORS if one in self.item), None)
        value = self.item.get(key) if key is not None else None
        if key == "mustBeBetween" and isinstance(value, list):
            low, high = (Decimal(text(one)) for one in value)
            return Span(low, high)
        if key is None or isinstance(value, bool) or not isinstance(value, int | Decimal):
            return None
        number = Decimal(value)
        low_side, high_side = "Greater" in key or key == "mustBe", "Less" in key or key == "mustBe"
        open_ = key.endswith("Than")
        return Span(
            number if low_side else None, number if high_side else None, open_ and low_side, open_ and high_side
        )

    def batch(self, kind: Mapping[str, Any]) -> None:
        """A rule about the load."""
        severity = {"severity": "warn"} if self.warn else {}
        self.made.rule(self.name, {**kind, **severity}, self.where)


def read(made: Assembly, item: Mapping[str, Any], path: Path, line: Line | None) -> None:
    """Add what one item of `quality` asks for to the assembly; note it where that can't be done."""
    one = _Item(made, item, path, line)
    kind = item.get("type", "library")
    if kind == "text":
        made.note("metadata-only", "info", f"quality {one.name!r} is text only: nothing is checked by it", path)
    elif kind == "custom":
        _custom(one)
    elif kind == "sql":
        _sql(one)
    elif item.get("metric") == "rowCount":
        _rows(one)
    else:
        _metric(one)


def _custom(one: _Item) -> None:
    implementation = one.item["implementation"]
    if str(one.item["engine"]).lower() != ENGINE:
        return one.unenforced(f"it is meant for {one.item['engine']}")
    if isinstance(implementation, dict):
        implementation = {
            key: [text(part) for part in value] if isinstance(value, list) else text(value)
            for key, value in implementation.items()
        }
    return one.made.rule(one.name, implementation, one.where)


def _rows(one: _Item) -> None:
    span = one.span()
    if span is None or one.item.get("unit", "rows") not in ("rows", "row", "count"):
        return one.unenforced("write {rows: 1000..}")
    low, high = span.low, span.high
    if low is not None and span.low_open:
        low = (low // 1) + 1
    if high is not None and span.high_open:
        high = -((-high) // 1) - 1
    written = ("" if edge is None else bounds.plain(edge) for edge in (low, high))
    return one.batch({"rows": "..".join(written) if low != high else bounds.plain(low or Decimal(0))})


def _sql(one: _Item) -> None:
    span = one.span()
    expression = aggregate(one.item["query"], one.line.name if one.line is not None else None)
    if span is None or expression is None:
        return one.unenforced("write it as one aggregate: SELECT sum(amount) FROM {object}")
    return one.batch({"sql": expression, **bounds.written(span)})


def aggregate(query: str, column: str | None) -> str | None:
    """The one aggregate over the object's rows that the query asks for; None where it asks for more."""
    match = _SELECT.fullmatch(query)
    if match is None:
        return None
    expression, relation, condition = match.groups()
    if re.search(r"\b(select|from|join|group|having|union)\b", f"{expression} {condition or ''}", re.IGNORECASE):
        return None
    if not re.fullmatch(r"\$?\{\w+\}|[\w.\"]+", relation):
        return None
    if column is not None:
        expression, condition = (
            re.sub(r"\$?\{(property|column|field)\}", lambda _: ident(column), one) if one else one
            for one in (expression, condition)
        )
    if not condition:
        return str(expression)
    return f"{expression} FILTER (WHERE {condition})" if _CALL.fullmatch(expression) else None


@dataclass(frozen=True)
class _Tolerance:
    """How many records may break the rule: none (`share` and `rows` None), a share, or a number."""

    share: str | None = None
    rows: Span | None = None


def _tolerance(one: _Item) -> _Tolerance | None:
    """What the operator and the unit tolerate; None where that is no upper bound, or nothing could keep it."""
    span, unit = one.span(), str(one.item.get("unit", "rows")).lower()
    if span is None or span.high is None or span.high < 0 or (span.high == 0 and span.high_open):
        return None
    floor = span.low is not None and (span.low > 0 or span.low_open)
    if unit in ("percent", "%", "percentage"):
        if floor or span.high > 100:
            return None
        share = f"{'>' if span.high_open else ''}{bounds.plain(100 - span.high)}%"
        return _Tolerance(share if span.high else None)
    if unit not in ("rows", "row", "count"):
        return None
    none = span.high < 1 or (span.high == 1 and span.high_open)
    return _Tolerance() if none and not floor else _Tolerance(rows=span)


def _metric(one: _Item) -> None:
    """nullValues, missingValues, invalidValues, duplicateValues."""
    tolerance = _tolerance(one)
    if tolerance is None:
        return one.unenforced("say how many may be so at most: mustBe: 0, or mustBeLessThan: 5 with unit: percent")
    if one.item["metric"] == "duplicateValues":
        return _duplicates(one, tolerance)
    if one.line is None:
        return one.unenforced("it names no column")
    pieces = _PIECES[one.item["metric"]](one)
    if pieces is None:
        return None
    for rule, args in pieces:
        _add(one, one.line, rule, args, tolerance)
    return None


def _add(one: _Item, line: Line, rule: str, args: list[str], tolerance: _Tolerance) -> None:
    """One rule of a column with what is tolerated."""
    if tolerance.rows is None:
        said = ["severity=warn"] * one.warn + [f"mostly={tolerance.share}"] * (tolerance.share is not None)
        if rule == "required" and not said and line.has("key"):
            return
        line.call(rule, args + said, one.where)
        return
    column = f"{line.type}, {rule}" + (f"({', '.join(args)})" if args else "")
    try:
        condition = short.parse_lines({line.name: column}).rows[0].sql
    except ContractError as error:
        one.unenforced(error.finding.what)
        return
    one.batch({"sql": f"count(*) FILTER (WHERE NOT ({condition}))", **bounds.written(tolerance.rows)})


def _nulls(one: _Item) -> list[tuple[str, list[str]]]:
    return [("required", [])]


def _missing(one: _Item) -> list[tuple[str, list[str]]]:
    """NULL counts as missing where it is listed, or where nothing is."""
    listed = (one.item.get("arguments") or {}).get("missingValues")
    values = [None] if listed is None else listed
    found: list[tuple[str, list[str]]] = [("required", [])] if None in values else []
    words = [quoted(text(value)) for value in values if value is not None and _fits(one, value)]
    return found + ([("not_in", words)] if words else [])


def _fits(one: _Item, value: Any) -> bool:
    """Whether the column could hold the value at all; if not, no value of it is."""
    kind = one.line.type if one.line is not None else "text"
    try:
        short.parse_lines({"a": f"{kind}, in({quoted(text(value))})"})
    except ContractError:
        return False
    return True


def _invalid(one: _Item) -> list[tuple[str, list[str]]] | None:
    arguments = one.item.get("arguments") or {}
    found: list[tuple[str, list[str]]] = []
    if "validValues" in arguments:
        found.append(("in", listed(arguments["validValues"])))
    if "pattern" in arguments:
        try:
            found.append(("pattern", [quoted(ecma.to_re2(arguments["pattern"]))]))
        except ecma.Untranslatable as error:
            one.unenforced(str(error))
    if not found:
        one.unenforced("its arguments name neither validValues nor a pattern")
    for key in arguments:
        if key not in ("validValues", "pattern"):
            one.made.unenforced(f"{key} of quality {one.name!r}", (*one.path, "arguments", key))
    return found or None


_PIECES = {"nullValues": _nulls, "missingValues": _missing, "invalidValues": _invalid}


def _duplicates(one: _Item, tolerance: _Tolerance) -> None:
    """A duplicate is every row after the first with its value; rows with a NULL are none."""
    columns = (one.item.get("arguments") or {}).get("properties") or ([one.line.name] if one.line is not None else [])
    names = [column for column in columns if one.made.line(column) or (one.line and one.line.name == column)]
    if not names or len(names) < len(columns):
        return one.unenforced("its arguments must name properties of this object")
    if tolerance.rows is not None:
        key = ", ".join(map(ident, names))
        present = " AND ".join(f"{ident(name)} IS NOT NULL" for name in names)
        sql = f"count(*) FILTER (WHERE {present}) - count(DISTINCT ({key})) FILTER (WHERE {present})"
        return one.batch({"sql": sql, **bounds.written(tolerance.rows)})
    if one.warn:
        return one.unenforced("unique always refuses; write severity: error")
    share = {"mostly": tolerance.share} if tolerance.share is not None else {}
    if (
        one.line is not None
        and names == [one.line.name]
        and not any(p.startswith("unique") for p, _ in one.line.pieces)
    ):
        return one.line.call("unique", [f"mostly={tolerance.share}"] if share else [], one.where)
    return one.made.rule(one.name, {"unique": names, **share}, one.where)

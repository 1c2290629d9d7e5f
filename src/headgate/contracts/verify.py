"""What only the engine can say about a contract: do its patterns compile, are its conditions conditions on one row.

Nothing is read: conditions are parsed and bound against a row of the contract's columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headgate.contracts.calls import verify_calls
from headgate.contracts.children import places as children_places
from headgate.contracts.grammar import TextPlace
from headgate.contracts.model import Contract, RowRule
from headgate.contracts.pydantic import verify_model
from headgate.core.errors import Edit, Finding, Location, nearest, only_match
from headgate.core.records import dataclass
from headgate.sql.quote import ident, literal

SESSION_BOUND = ("getvariable", "current_setting", "current_user", "session_user", "version")
"""Stable within one session, yet not the same for the same row tomorrow on another machine."""

OPENING = "SELECT ("

_UNKNOWN = re.compile(
    r'(?:Referenced column|column named) "([^"]+)"|Table "[^"]+" does not have a column named "([^"]+)"'
)


@dataclass(frozen=True)
class _Condition:
    """One entry of `rules:` or `skip:`. `place` is where its text begins, as far as known."""

    kind: str
    name: str
    sql: str
    place: Location | None
    total: bool = False
    """A number over many rows instead of a condition on one."""

    @property
    def form(self) -> str:
        if self.total:
            return "one SQL aggregate, such as sum(amount)"
        return "one SQL condition, true for a good row" if self.kind == "rule" else "one SQL condition"

    def finding(
        self, code: str, what: str, fix: str, offset: int | None = None, change: tuple[str, str] | None = None
    ) -> Finding:
        """`change`: what stands at the offset, and what was certainly meant."""
        edits: tuple[Edit, ...] = ()
        if change is not None and offset is not None and isinstance(self.place, TextPlace) and not self.place.offsets:
            edits = (Edit.at(self.place.at(offset), *change),)
        return Finding(code, "error", f"{self.kind} {self.name!r}: {what}", self._at(offset), fix, edits=edits)

    def _at(self, offset: int | None) -> str:
        """The place of one character where it is known, else of the whole."""
        if offset is not None and isinstance(self.place, TextPlace):
            return str(self.place.at(offset))
        return str(self.place or "")


class _Engine:
    """An empty database in memory that parses and binds."""

    def __init__(self) -> None:
        import duckdb

        config: dict[str, Any] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "threads": "1",
        }
        self.error: type[Exception] = duckdb.Error
        self._connection = duckdb.connect(":memory:", config=config)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        self._connection.close()


def verify(contract: Contract, places: Mapping[str, Location] | None = None, deleted_if: str = "") -> list[Finding]:
    """What is wrong with the contract's patterns, conditions and functions; empty where nothing is.

    `deleted_if`: the condition of that name under `load:`, which is no part of the contract.
    `places` maps `rules.<name>` and `skip.<name>` to where the condition's text begins; without it the rule's own place
    (for skips the contract's) is named. Codes: bad-pattern, condition-syntax, unknown-column, not-a-condition,
    not-a-row-condition, not-an-aggregate, volatile-condition, rule-mismatch, and those of `contracts.calls.callee`.
    Loads the engine, reads no data, runs the files of functions, takes some hundredths of a second.
    """
    found = [*verify_model(contract), *verify_calls(contract), *_verify_sql(contract, places or {}, deleted_if)]
    for child in contract.children:
        head = children_places(child.table)
        own = {name.removeprefix(head): place for name, place in (places or {}).items() if name.startswith(head)}
        found += verify(child.contract, own)
    return found


def _verify_sql(contract: Contract, places: Mapping[str, Location], deleted_if: str) -> list[Finding]:
    conditions = list(_conditions(contract, places))
    if deleted_if:
        conditions.append(_Condition("load", "deleted_if", deleted_if, places.get("load.deleted_if")))
    patterns = [rule for rule in contract.rows if rule.code == "pattern" and rule.column is not None]
    if not conditions and not patterns:
        return []
    engine = _Engine()
    try:
        findings = [finding for rule in patterns if (finding := _pattern(engine, rule))]
        if conditions:
            kinds = dict(engine.rows("SELECT lower(function_name), min(stability) FROM duckdb_functions() GROUP BY 1"))
            row = _row([(column.name, column.type.duckdb) for column in contract.columns])
            findings += [finding for entry in conditions for finding in _check(engine, contract, entry, row, kinds)]
        return findings
    finally:
        engine.close()


def _conditions(contract: Contract, places: Mapping[str, Location]) -> Iterator[_Condition]:
    for rule in contract.rows:
        if rule.column is None and rule.args:
            for key, sql in zip(("when", "then"), rule.args, strict=True):
                yield _Condition("rule", rule.code, sql, places.get(f"rules.{rule.code}.{key}", rule.where))
        elif rule.column is None:
            yield _Condition("rule", rule.code, rule.sql, places.get(f"rules.{rule.code}", rule.where))
    for batch in contract.batches:
        if batch.kind == "sql":
            place = places.get(f"rules.{batch.name}", batch.where)
            yield _Condition("rule", batch.name, batch.sql, place, total=True)
    for name, sql in contract.skips:
        yield _Condition("skip", name, sql, places.get(f"skip.{name}", contract.where))


def _pattern(engine: _Engine, rule: RowRule) -> Finding | None:
    try:
        # Against text that is no constant, so that the pattern itself is compiled whatever it is.
        engine.rows(f"SELECT regexp_matches('', {literal(rule.args[0])})")
    except engine.error as error:
        reason = str(error).strip().splitlines()[0].partition(": ")[2].removeprefix("Input Error: ")
        what = f"the pattern of {rule.column!r} is not a regular expression of RE2: {reason}"
        fix = "mend the pattern (RE2 has neither look-around nor back-references)"
        return Finding("bad-pattern", "error", what, str(rule.where or ""), fix)
    return None


def verify_values(columns: Sequence[str], values: Mapping[str, str]) -> list[Finding]:
    """What is wrong with SQL expressions over one row of texts; empty where nothing is. `values`: name -> expression.

    Codes: condition-syntax, unknown-column, not-a-row-condition, volatile-condition. Reads no data.
    """
    engine = _Engine()
    try:
        kinds = dict(engine.rows("SELECT lower(function_name), min(stability) FROM duckdb_functions() GROUP BY 1"))
        row = _row([(name, "VARCHAR") for name in columns])
        found: list[Finding] = []
        for name, sql in values.items():
            found += _check_value(
                engine, columns, _Condition("value of", name, sql, Location(f"--set {name}")), row, kinds
            )
        return found
    finally:
        engine.close()


def _check_value(
    engine: _Engine, columns: Sequence[str], entry: _Condition, row: str, kinds: Mapping[str, str]
) -> list[Finding]:
    tree, finding = _tree(engine, entry)
    if finding is not None or tree is None:
        return [finding or entry.finding("condition-syntax", "this is not one whole expression", "write one SQL value")]
    shown = list(_shown(entry, tree, kinds))
    if shown:
        return shown
    try:
        # Beside a column, so that a total is none; and bare, where `a, b` is two values and not one row.
        engine.rows(f"DESCRIBE SELECT CAST(({entry.sql}\n) AS VARCHAR), {ident(columns[0])} FROM {row}")
        values = engine.rows(f"DESCRIBE SELECT {entry.sql}\nFROM {row}")
    except engine.error as error:
        return [_unbound(columns, entry, str(error), tree)]
    if len(values) > 1:
        return [entry.finding("condition-syntax", "this is more than one value", "write one SQL value")]
    return []


def _row(columns: Sequence[tuple[str, str]]) -> str:
    """One row of these columns (names and types) under a name that no condition would use."""
    listed = ", ".join(f"CAST(NULL AS {kind}) AS {ident(name)}" for name, kind in columns)
    return f'(SELECT {listed}) AS "_hg_checked"'


def _check(
    engine: _Engine, contract: Contract, entry: _Condition, row: str, kinds: Mapping[str, str]
) -> Iterator[Finding]:
    """Syntax first; then what the syntax tree shows; then what binding shows."""
    tree, finding = _tree(engine, entry)
    if finding is not None or tree is None:
        yield finding or entry.finding("condition-syntax", "this is not one whole condition", f"write {entry.form}")
        return
    shown = list(_shown(entry, tree, kinds))
    yield from shown
    yield from _emptied(contract, entry, tree)
    if not shown:
        bound = _bound(engine, contract, entry, row, tree)
        if bound is not None:
            yield bound


def _emptied(contract: Contract, entry: _Condition, tree: dict[str, Any]) -> Iterator[Finding]:
    """A condition holds for the row that is loaded only if none of its columns is emptied behind it."""
    if entry.kind != "rule" or entry.total:
        return
    for name in dict.fromkeys(name for rule in contract.references if rule.nulls for name in rule.columns):
        offset = _mention(entry, tree, name)
        if offset is not None:
            what = f"it looks at {name!r}, which unmatched=null may empty once it was judged"
            fix = "write unmatched=warn or quarantine, or ask it of a model over the table"
            yield entry.finding("rule-mismatch", what, fix, offset)


def _tree(engine: _Engine, entry: _Condition) -> tuple[dict[str, Any] | None, Finding | None]:
    """The syntax tree of the condition; None where it is more or less than one expression.

    It must parse both bare and in parentheses: `true) or (true` does not bare, `true, true` not in parentheses.
    """
    fix = f"write {entry.form}"
    for before, after in (("SELECT ", "\nFROM t"), (OPENING, ") FROM t")):
        statement = before + entry.sql + after
        tree = json.loads(engine.rows(f"SELECT json_serialize_sql({literal(statement)})")[0][0])
        if tree["error"]:
            offset = _characters(statement, int(tree.get("position") or 0)) - len(before)
            early = offset >= len(entry.sql.rstrip())
            what = "this is not one whole condition" if early else tree["error_message"].splitlines()[0]
            return None, entry.finding("condition-syntax", what, fix, max(0, min(offset, len(entry.sql) - 1)))
    return _expression(tree), None


def _expression(tree: Mapping[str, Any]) -> dict[str, Any] | None:
    if len(tree["statements"]) != 1:
        return None
    node = tree["statements"][0]["node"]
    plain = node["type"] == "SELECT_NODE" and len(node["select_list"]) == 1 and not node["where_clause"]
    if not plain or node["from_table"].get("table_name") != "t" or node["modifiers"]:
        return None
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _shown(entry: _Condition, tree: dict[str, Any], kinds: Mapping[str, str]) -> Iterator[Finding]:
    """What is no condition on one row (no aggregate over rows) by its very syntax."""
    thing = "an aggregate" if entry.total else "a condition on one row"
    for node in _nodes(tree):
        offset = _offset(entry, node)
        if node.get("class") == "SUBQUERY":
            fix = "compare with another table by references(table.column), or in a model"
            yield entry.finding("not-a-row-condition", f"{thing} can't hold a query", fix, offset)
            return
        if node.get("class") in ("WINDOW", "STAR", "PARAMETER"):
            if entry.total and node["class"] == "STAR":
                continue
            what = f"{thing} can't hold {_WORDS[node['class']]}"
            yield entry.finding("not-a-row-condition", what, "name the columns of one row", offset)
        own = [part for part in node.get("column_names", ()) if part.lower().startswith("_hg_")]
        if own:
            yield entry.finding("unknown-column", f"unknown column {own[0]!r}", "use the contract's columns", offset)
        name = str(node.get("function_name") or "").lower()
        if kinds.get(name) == "VOLATILE" or name in SESSION_BOUND:
            what = f"{name}() does not give the same answer for the same row"
            yield entry.finding(
                "volatile-condition", what, "decide by the row's values (and now(), if time counts)", offset
            )


_WORDS = {"WINDOW": "a window function", "STAR": "a star", "PARAMETER": "a parameter"}


_NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*")


def _total(engine: _Engine, contract: Contract, entry: _Condition, row: str, tree: dict[str, Any]) -> Finding | None:
    """As `_bound`, of a number over many rows: with count(*) beside it, a column outside of an aggregate shows."""
    try:
        kind = str(engine.rows(f"DESCRIBE SELECT ({entry.sql}), count(*) FROM {row}")[0][1])
    except engine.error as error:
        if "GROUP BY" in str(error):
            fix = "put the column into an aggregate: sum(amount), count(*) FILTER (WHERE ...)"
            return entry.finding("not-an-aggregate", "a column stands outside of an aggregate", fix, 0)
        return _unbound([column.name for column in contract.columns], entry, str(error), tree)
    if not _NUMBERS.fullmatch(kind):
        what = f"this is a value of type {kind.lower()}, not a number"
        return entry.finding("not-an-aggregate", what, f"write {entry.form}", 0)
    return None


def _bound(engine: _Engine, contract: Contract, entry: _Condition, row: str, tree: dict[str, Any]) -> Finding | None:
    if entry.total:
        return _total(engine, contract, entry, row, tree)
    try:
        types = engine.rows(f"DESCRIBE SELECT ({entry.sql}) FROM {row}")
        engine.rows(f"DESCRIBE SELECT 1 FROM {row} WHERE ({entry.sql})")
    except engine.error as error:
        return _unbound([column.name for column in contract.columns], entry, str(error), tree)
    if types[0][1] != "BOOLEAN":
        what = f"this is a value of type {types[0][1].lower()}, not a condition"
        return entry.finding("not-a-condition", what, "compare it with something, e.g. amount >= 0", 0)
    return None


def _unbound(known: Sequence[str], entry: _Condition, message: str, tree: dict[str, Any]) -> Finding:
    first = message.strip().splitlines()[0].partition(": ")[2]
    missing = _UNKNOWN.search(message)
    if missing is not None:
        name = missing[1] or missing[2]
        owner = "source" if entry.kind == "value of" else "contract"
        fix = f"use the {owner}'s columns: " + ", ".join(known)
        what = f"unknown column {name!r}{nearest(name, known)}"
        sure = only_match(name, known)
        return entry.finding(
            "unknown-column", what, fix, _mention(entry, tree, name) or 0, (name, sure) if sure else None
        )
    if "aggregate" in first or "window" in first:
        fix = "name the columns of one row; totals belong into a model's test"
        return entry.finding("not-a-row-condition", "a condition on one row can't hold an aggregate", fix, 0)
    return entry.finding("condition-syntax", first, "mend the condition", 0)


def _mention(entry: _Condition, tree: dict[str, Any], name: str) -> int | None:
    """Where the condition first mentions this column; None where it does not."""
    for node in _nodes(tree):
        if node.get("class") == "COLUMN_REF" and name.lower() in (part.lower() for part in node["column_names"]):
            return _offset(entry, node) or 0
    return None


def _offset(entry: _Condition, node: Mapping[str, Any]) -> int | None:
    """The node's offset in the condition: the engine counts bytes of the whole statement."""
    at = node.get("query_location")
    if not isinstance(at, int) or at > len(entry.sql.encode()) + len(OPENING):
        return None
    return max(0, _characters(OPENING + entry.sql, at) - len(OPENING))


def _characters(text: str, at: int) -> int:
    return len(text.encode()[:at].decode(errors="ignore"))

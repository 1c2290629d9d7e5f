"""A Contract as text of the short form. Lossless: reading the text again gives a contract of the same digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from headgate.contracts.batch import BatchRule, Share
from headgate.contracts.bounds import Span, lasting, plain, written
from headgate.contracts.model import (
    COLUMN_REFERENCE,
    CallRule,
    Child,
    Contract,
    ContractColumn,
    Limit,
    ReferenceRule,
    RowRule,
    UniqueRule,
)
from headgate.contracts.named import expected, standing
from headgate.core.errors import InternalError
from headgate.core.records import dataclass
from headgate.types.forms import Form

_WORD = re.compile(r"[A-Za-z0-9_.:+-]+")
_IN_FLOW = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.%>() ]*[A-Za-z0-9_.%)])?")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lines(contract: Contract) -> dict[str, str]:
    """Column name -> its line, in the contract's order: `{"id": "int, key"}`."""
    return {column.name: _line(contract, column) for column in contract.columns}


def conditions(contract: Contract) -> dict[str, str | dict[str, Any]]:
    """Rule name -> condition or mapping, as under `rules:`. Values are text and lists of text."""
    found: dict[str, str | dict[str, Any]] = {}
    for rule in contract.rows:
        if rule.column is None:
            found[rule.code] = _condition(rule)
    for unique in contract.uniques:
        if unique.code not in ("key", "unique"):
            more = {} if unique.keep == "first" else {"keep": unique.keep}
            found[unique.code] = {"unique": list(unique.columns)} | more | _mostly(unique.mostly)
    found |= {rule.code: _referring(rule) for rule in contract.references if rule.code != COLUMN_REFERENCE}
    return found | {batch.name: _batch(batch) for batch in contract.batches}


def _condition(rule: RowRule) -> str | dict[str, Any]:
    usual = expected(rule.args[1], rule.args[0]) if rule.args else expected(rule.sql)
    more: dict[str, Any] = {"message": rule.message} if rule.message != usual else {}
    more |= ({"severity": "warn"} if rule.severity == "warn" else {}) | _mostly(rule.mostly)
    if rule.args:
        return {"when": rule.args[0], "then": rule.args[1]} | more
    return {"check": rule.sql} | more if more else rule.sql


def _referring(rule: ReferenceRule) -> dict[str, Any]:
    more: dict[str, Any] = {"to": list(rule.to_columns)} if rule.to_columns != rule.columns else {}
    more |= {"unmatched": rule.unmatched} if rule.unmatched != "quarantine" else {}
    more |= {"message": rule.message} if rule.message != standing(rule) else {}
    return {"references": rule.to_table, "columns": list(rule.columns)} | more | _mostly(rule.mostly)


def _mostly(share: Share | None) -> dict[str, Any]:
    return {"mostly": str(share)} if share is not None else {}


def _batch(rule: BatchRule) -> dict[str, Any]:
    span = Span(rule.low, rule.high, rule.low_open, rule.high_open)
    severity = {"severity": "warn"} if rule.severity == "warn" else {}
    if rule.kind == "freshness":
        return {"freshness": rule.column, "within": lasting(rule.high or Decimal(0))} | severity
    if rule.kind == "sql":
        return {"sql": rule.sql} | written(span) | severity
    mark = "" if rule.of_last is None else "x"
    low, high = ("" if one is None else plain(one) + mark for one in (rule.low, rule.high))
    last = {} if rule.of_last is None else {"of": f"last {rule.of_last}"}
    return {"rows": low if low == high else f"{low}..{high}"} | last | severity


def limit(value: Limit) -> str:
    """The limit as under `refuse_at_most:`: `5`, `0.5%`."""
    if value.share is None:
        return str(value.rows)
    percent = format(Decimal(str(value.share)) * 100, "f")
    return (percent.rstrip("0").rstrip(".") if "." in percent else percent) + "%"


def rule_text(rule: RowRule | UniqueRule | ReferenceRule, column: ContractColumn) -> str:
    """One rule of a column with all that it says: `between(0, 9, severity=warn)`."""
    said = _Said(False, None)
    if isinstance(rule, RowRule):
        return _rule(rule, column, said)
    if isinstance(rule, UniqueRule):
        return _unique(rule, said)
    return _reference(rule, said)


def form_texts(form: Form) -> list[str]:
    """What the column says about how its texts are written: `["format('dd.MM.yyyy')", "null('NA')"]`."""
    found = [f"format({_quote(form.pattern)})"] if form.pattern else []
    if form.decimal:
        found.append(_call("number", [_quote(mark) for mark in (form.decimal, form.group) if mark]))
    if form.true:
        found.append(_call("words", [_quote(form.true), _quote(form.false)]))
    return found + ([_call("null", [_quote(one) for one in form.nulls])] if form.nulls else [])


def render(contract: Contract) -> str:
    """The YAML text of `columns:`, `rules:`, `skip:`, `refuse_at_most:` and `children:`, ready for an ingest file.

    Of an upsert's contract the identity is written as `key`, so that `load: upsert` gives the same contract again.
    """
    columns: dict[str, str | dict[str, Any]] = {**lines(contract)}
    parts = [_block("columns", columns)]
    rules = {**conditions(contract), **{rule.code: _function(rule) for rule in contract.calls}}
    parts += [_block("rules", rules)] if rules else []
    parts += [_block("skip", {**dict(contract.skips)})] if contract.skips else []
    parts += [f"refuse_at_most: {limit(contract.refuse_at_most)}\n"] if contract.refuse_at_most else []
    parts += ["children:\n", *(_indented(_child(child)) for child in contract.children)] if contract.children else []
    return "".join(parts)


def _child(child: Child) -> str:
    """A child's lines under `children:`, with all names said."""
    links = ", ".join(f"{_flow(record)}: {_flow(here)}" for record, here in child.links)
    head = [f"from: {_scalar(child.source)}", f"parent: {{{links}}}", f"position: {_scalar(child.position)}"]
    body = "\n".join(head) + "\n" + render(child.contract)
    return f"{_scalar(child.table)}:\n{_indented(body)}"


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def _function(rule: CallRule) -> dict[str, Any]:
    return {"python": rule.function, "severity": rule.severity}


def was_texts(column: ContractColumn) -> list[str]:
    """The word of the names that the column had before; none where it had none."""
    return [f"was({', '.join(_quote(name) for name in column.was)})"] if column.was else []


def _block(key: str, values: Mapping[str, str | dict[str, Any]]) -> str:
    return f"{key}:\n" + "".join(f"  {_key(name)}: {_value_of(text)}\n" for name, text in values.items())


def _value_of(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return _scalar(value)
    return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"


def _flow(value: str | list[str]) -> str:
    """A value inside of braces."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if _IN_FLOW.fullmatch(value) else _quoted(value)


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else _quoted(name)


def _scalar(text: str) -> str:
    """Plain where YAML surely reads the same text back, else in double quotes."""
    plain = re.fullmatch(r"[A-Za-z(][ -~]*[A-Za-z0-9)']", text) and ": " not in text and " #" not in text
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    # JSON's escapes are YAML's, except that YAML knows no surrogate pairs and no raw DEL or C1 controls.
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() or char == " " else _escape(char) for char in escaped)


def _escape(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"


def _line(contract: Contract, column: ContractColumn) -> str:
    rows = [rule for rule in contract.rows if rule.column == column.name]
    references = contract.references_of(column.name)
    uniques = [rule for rule in contract.uniques if rule.code == "unique" and rule.columns == (column.name,)]
    free = [rule for rule in rows if not (rule.code == "required" and column.key)]
    warn = {*(rule.severity for rule in free), *(rule.severity for rule in references)} == {"warn"}
    shares = {one.mostly for group in (free, uniques, references) for one in group}
    share = next(iter(shares)) if len(shares) == 1 else None
    said = _Said(warn, share)
    parts = [str(column.type), *(_rule(rule, column, said) for rule in rows)]
    parts += [_unique(rule, said) for rule in uniques] + [_reference(rule, said) for rule in references]
    parts += [f"from({_quote(column.source)})"] if column.source != column.name else []
    parts += was_texts(column)
    parts += form_texts(column.form) if column.form is not None else []
    parts += ["pii"] if column.pii else []
    parts += ["warn"] if warn else []
    parts += [f"mostly({share})"] if share is not None else []
    return ", ".join(parts)


@dataclass(frozen=True)
class _Said:
    """What the column says for all its rules: what differs from it, a rule says by itself."""

    warn: bool
    share: Share | None

    def of(self, rule: RowRule | UniqueRule | ReferenceRule) -> list[str]:
        own = []
        if isinstance(rule, ReferenceRule) and rule.nulls:
            own.append("unmatched=null")
        elif not isinstance(rule, UniqueRule) and rule.severity == "warn" and not self.warn:
            own.append("unmatched=warn" if isinstance(rule, ReferenceRule) else "severity=warn")
        return own + ([f"mostly={rule.mostly}"] if rule.mostly is not None and self.share is None else [])


def _rule(rule: RowRule, column: ContractColumn, said: _Said) -> str:
    if rule.code == "required":
        return "key" if column.key else _call("required", said.of(rule))
    if not rule.args:
        raise InternalError.of("no-arguments", f"rule {rule.code!r} of {column.name!r} keeps no arguments to write out")
    args = [_quote(rule.args[0])] if rule.code == "pattern" else [_argument(rule, arg) for arg in rule.args]
    return _call(rule.code, args + said.of(rule))


def _unique(rule: UniqueRule, said: _Said) -> str:
    return _call("unique", [f"keep={rule.keep}"] * (rule.keep != "first") + said.of(rule))


def _reference(rule: ReferenceRule, said: _Said) -> str:
    return _call("references", [_value(rule.target), *said.of(rule)])


def _argument(rule: RowRule, text: str) -> str:
    return text if rule.code == "length" else _value(text)


def _call(name: str, args: list[str]) -> str:
    return f"{name}({', '.join(args)})" if args else name


def _value(text: str) -> str:
    return text if _WORD.fullmatch(text) else _quote(text)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

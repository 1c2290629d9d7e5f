"""A Contract as text of the short form. Lossless: reading the text again gives a contract of the same digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from headgate.contracts.model import Contract, ContractColumn, Limit, RowRule
from headgate.core.errors import InternalError

_WORD = re.compile(r"[A-Za-z0-9_.:+-]+")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lines(contract: Contract) -> dict[str, str]:
    """Column name -> its line, in the contract's order: `{"id": "int, key"}`."""
    return {column.name: _line(contract, column) for column in contract.columns}


def conditions(contract: Contract) -> dict[str, str]:
    """Rule name -> condition, as under `rules:`."""
    return {rule.code: rule.sql for rule in contract.rows if rule.column is None}


def limit(value: Limit) -> str:
    """The limit as under `refuse_at_most:`: `5`, `0.5%`."""
    if value.share is None:
        return str(value.rows)
    percent = format(Decimal(str(value.share)) * 100, "f")
    return (percent.rstrip("0").rstrip(".") if "." in percent else percent) + "%"


def render(contract: Contract) -> str:
    """The YAML text of `columns:`, `rules:`, `skip:` and `refuse_at_most:`, ready to stand in an ingest file.

    Of an upsert's contract the identity is written as `key`, so that `load: upsert` gives the same contract again.
    """
    parts = [_block("columns", lines(contract))]
    parts += [_block("rules", conditions(contract))] if conditions(contract) else []
    parts += [_block("skip", dict(contract.skips))] if contract.skips else []
    parts += [f"refuse_at_most: {limit(contract.refuse_at_most)}\n"] if contract.refuse_at_most else []
    return "".join(parts)


def _block(key: str, values: Mapping[str, str]) -> str:
    return f"{key}:\n" + "".join(f"  {_key(name)}: {_scalar(text)}\n" for name, text in values.items())


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
    references = [rule for rule in contract.references if rule.column == column.name]
    parts = [str(column.type), *(_rule(rule, column) for rule in rows)]
    for unique in contract.uniques:
        if unique.code == "unique" and unique.columns == (column.name,):
            parts.append("unique" if unique.keep == "first" else f"unique(keep={unique.keep})")
    parts += [f"references({_value(f'{rule.to_table}.{rule.to_column}')})" for rule in references]
    parts += [f"from({_quote(column.source)})"] if column.source != column.name else []
    parts += [f"was({', '.join(_quote(name) for name in column.was)})"] if column.was else []
    parts += ["pii"] if column.pii else []
    severities = {rule.severity for rule in rows} | {rule.severity for rule in references}
    parts += ["warn"] if "warn" in severities else []
    return ", ".join(parts)


def _rule(rule: RowRule, column: ContractColumn) -> str:
    if rule.code == "required":
        return "key" if column.key else "required"
    if not rule.args:
        raise InternalError.of("no-arguments", f"rule {rule.code!r} of {column.name!r} keeps no arguments to write out")
    if rule.code == "pattern":
        return f"pattern({_quote(rule.args[0])})"
    return f"{rule.code}({', '.join(_value(arg) for arg in rule.args)})"


def _value(text: str) -> str:
    return text if _WORD.fullmatch(text) else _quote(text)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

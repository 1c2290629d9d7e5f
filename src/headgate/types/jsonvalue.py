"""A value of a JSON document, kept as its own text with what it is: the physical type JSON_VALUE.

A string stays in its quotes, so that "5" and 5 differ; JSON's null is NULL. As any type but `json` a string counts by
its text and a number or word by its own, so "5" and 5 are both an `int` and both a `text`; lists and objects are `json`
only. In a quarantined row a string stands without quotes where nobody could take it for anything else.
"""

from __future__ import annotations

import json
import re

from headgate.sql.quote import literal
from headgate.types import lexical
from headgate.types.logical import LogicalType

PHYSICAL = "JSON_VALUE"
_BARE = ("int", "bigint", "decimal", "double", "bool")
_OTHER = r"(?:[\"\[{]|-?[0-9])(?s:.*)|true|false|null"
"""What a row's text must look like to be JSON; else it is a string without its quotes."""


def read(raw: str, logical: LogicalType, timezone: str) -> str:
    """SQL of type `logical.duckdb` for the value `raw` (VARCHAR, JSON text); NULL where it is not accepted."""
    if logical.name == "json":
        return lexical.strict_json(raw)
    if logical.name == "text":
        return lexical.read(_scalar(raw), logical, timezone)
    if logical.name not in _BARE:
        return lexical.read(text(raw), logical, timezone)
    # Most are no strings: nothing is taken off, and the second branch is not evaluated.
    quoted = f"CASE WHEN prefix({raw}, '\"') THEN {lexical.read(_unquoted(raw), logical, timezone)} END"
    return f"coalesce({lexical.read(raw, logical, timezone)}, {quoted})"


def text(raw: str) -> str:
    """SQL of the text that the value counts by; of a list or object its JSON."""
    return f"CASE WHEN prefix({raw}, '\"') THEN {_unquoted(raw)} ELSE {raw} END"


def is_scalar(raw: str) -> str:
    """SQL: whether the value is no list or object; NULL stays NULL."""
    return f"NOT (prefix({raw}, '{{') OR prefix({raw}, '['))"


def _scalar(raw: str) -> str:
    return f"CASE WHEN prefix({raw}, '\"') THEN {_unquoted(raw)} WHEN {is_scalar(raw)} THEN {raw} END"


def _unquoted(raw: str) -> str:
    plain = f"substr({raw}, 2, length({raw}) - 2)"
    return f"CASE WHEN contains({raw}, '\\') THEN json_extract_string({raw}, '$') ELSE {plain} END"


def encode(raw: str) -> str:
    """SQL of the text that stands for the value in a row."""
    plain = _unquoted(raw)
    return (
        f"CASE WHEN prefix({raw}, '\"') AND NOT regexp_full_match({plain}, {literal(_OTHER)}) THEN {plain} "
        f"ELSE {raw} END"
    )


def decode(shown: str) -> str:
    """SQL of the value that `encode` (or `encoded`) turned into a text of a row."""
    quoted = f"CAST(to_json({shown}) AS VARCHAR)"
    return f"CASE WHEN regexp_full_match({shown}, {literal(_OTHER)}) THEN {shown} ELSE {quoted} END"


_OTHER_HERE = re.compile(_OTHER)


def encoded(raw: str | None) -> str | None:
    """As `encode`, for one value."""
    if raw is None or not raw.startswith('"'):
        return raw
    plain = str(json.loads(raw))
    return raw if _OTHER_HERE.fullmatch(plain) else plain

"""One JSON record, read exactly: every value as the text that was received, or why it is no record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

DEPTH = 200
"""Levels of lists and objects that a record may have, itself included."""
BLOCKED = "{!"
"""What stands for a value whose path leads through something that is no object: no type takes it."""

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_MEMBER = re.compile(rf"[\s,]*({_STRING})\s*:\s*({_STRING}|[^\"\[{{,}}\s][^,}}\s]*)?")
_BETWEEN = re.compile(rf"({_STRING})|\s+")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NoRecord(Exception):
    """The text is no record; says why, without its values."""


def members(text: str) -> dict[str, str | None]:
    """Key -> the value's own text, without blanks between its parts; None for null. Raises NoRecord.

    *Guarantee*: no key is empty or there twice (upper and lower case are the same), nothing holds a NUL or half a
    surrogate pair, and nothing is nested deeper than `DEPTH`.
    """
    value = _parsed(text)
    if not isinstance(value, dict):
        raise NoRecord(f"expected a JSON object, found {_kind(value)}")
    if "\\u" in text:
        _see_escapes(text, value)
    found = _slices(text)
    if len({key.lower() for key in found}) < len(found):
        raise NoRecord("two keys differ in upper and lower case only")
    return found


def at_path(found: Mapping[str, str | None], path: str) -> str | None:
    """The value that keys with dots between lead to, the first where one stands twice; None where it is missing."""
    own = [value for key, value in found.items() if key.lower() == path.lower()]
    if own:
        return own[0]
    first, *rest = path.split(".")
    raw = found.get(first)
    for key in rest:
        if raw is None:
            return None
        if not raw.startswith("{"):
            return BLOCKED
        raw = _first(raw, key)
    return raw


def json_path(keys: Sequence[str]) -> str:
    """The pointer (RFC 6901) of keys."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _constant(word: str) -> NoReturn:
    raise NoRecord(f"expected JSON, found {word}, which is no JSON number")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_constant)
_scan = _DECODER.scan_once  # type: ignore[attr-defined]


def _parsed(text: str) -> Any:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        value, end = _scan(text, start)
    except StopIteration as stop:
        raise NoRecord(f"expected JSON, found something else at character {int(stop.value) + 1}") from None
    except json.JSONDecodeError as error:
        said = error.msg[0].lower() + error.msg[1:]
        raise NoRecord(f"expected JSON: {said}, at character {error.pos + 1}") from None
    except RecursionError:
        raise NoRecord(_too_deep()) from None
    if text[end:].strip(" \t\r\n"):
        raise NoRecord(f"expected one JSON value, found more at character {end + 1}")
    if text.count("[") + text.count("{") > DEPTH and _depth(text) > DEPTH:
        raise NoRecord(_too_deep())
    return value


def _too_deep() -> str:
    return f"expected at most {DEPTH} levels of lists and objects"


def _depth(text: str) -> int:
    deepest = depth = 0
    for mark in re.findall(rf"{_STRING}|[\[\]{{}}]", text):
        depth += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, depth)
    return deepest


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "a single value"


def _see_escapes(text: str, value: object) -> None:
    if _NUL.search(text):
        raise NoRecord("expected no NUL character")
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise NoRecord("expected text, found half a surrogate pair") from None


def _slices(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for key, raw in _members(text):
        if not key:
            raise NoRecord("expected a name, found an empty key")
        if key in found:
            raise NoRecord("expected every key once, found one twice")
        found[key] = raw
    return found


def _first(raw: str, wanted: str) -> str | None:
    return next((value for key, value in _members(raw) if key == wanted), None)


def _members(text: str) -> list[tuple[str, str | None]]:
    """Key and value of every member of an object that is known to be well-formed."""
    pos = text.index("{") + 1
    found = []
    while match := _MEMBER.match(text, pos):
        quoted, raw = match[1], match[2]
        pos = match.end()
        if raw is None:
            start, (_, pos) = pos, _scan(text, pos)
            raw = _BETWEEN.sub(r"\1", text[start:pos])
        key = json.loads(quoted) if "\\" in quoted else quoted[1:-1]
        found.append((key, None if raw == "null" else raw))
    return found

"""Requirements as packages write them (PEP 508): taken apart, and their markers evaluated as far as it is certain.

The rules are few, so that no package is needed for them. What they don't cover is None, never a guess: versions in
markers that are more than numbers and dots, order among texts, and texts that are no marker.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*")
CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,;()]+)\s*")
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<op>===|~=|==|!=|<=|>=|<|>|not\s+in\b)|(?P<word>[a-z_.]+|[()]))"""
)
NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*")
VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@cache
def environment() -> dict[str, str]:
    """The variables of PEP 508 for the Python that runs this; `extra` is empty: nothing optional is asked for."""
    implementation = sys.implementation.version
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "implementation_name": sys.implementation.name,
        "implementation_version": ".".join(str(part) for part in implementation[:3]),
        "extra": "",
    }


def parse(text: str) -> dict[str, Any]:
    """name, extras, specifier, url, extra, marker and whether it applies; `name` is None where it is no requirement."""
    named = NAME.match(text)
    rest = text[named.end() :] if named else ""
    if rest.startswith("@"):
        url, _, marker = rest[1:].strip().partition(" ;" if " ;" in rest else "; ")
        specifier: str | None = ""
    else:
        url, (written, _, marker) = "", rest.partition(";")
        specifier = _specifier(written.strip())
    extras = sorted({match[1] for match in re.finditer(r"""extra\s*==\s*["']([^"']*)["']""", marker)})
    return {
        "name": named[1] if named and specifier is not None else None,
        "extras": named[2] if named else None,
        "specifier": specifier or None,
        "url": url.strip() or None,
        "extra": ", ".join(extras) or None,
        "marker": marker.strip() or None,
        "applies": applies(marker.strip(), environment()),
    }


def _specifier(written: str) -> str | None:
    """Clauses without blanks, split by commas; None if one is none."""
    if written.startswith("(") and written.endswith(")"):
        written = written[1:-1].strip()
    clauses = [CLAUSE.fullmatch(clause) for clause in written.split(",") if clause.strip()]
    return ",".join(f"{clause[1]}{clause[2]}" for clause in clauses if clause) if all(clauses) else None


def applies(marker: str, here: dict[str, str]) -> bool | None:
    """Whether the marker holds; None where that is not certain. No marker holds always."""
    if not marker:
        return True
    try:
        tokens = _Tokens(marker)
        verdict = _any(tokens, here)
    except ValueError:
        return None
    return None if tokens.at else verdict


class _Tokens:
    """The words of a marker, one at a time; `at` is empty behind the last. *Errors*: ValueError."""

    def __init__(self, marker: str) -> None:
        self._all = self._split(marker)
        self.at = ""
        self.take()

    def take(self) -> str:
        taken, self.at = self.at, next(self._all, "")
        return taken

    def _split(self, marker: str) -> Iterator[str]:
        place = 0
        while marker[place:].strip():
            found = TOKEN.match(marker, place)
            if found is None:
                raise ValueError("no marker")
            place = found.end()
            yield " ".join(found[0].split()) if found["op"] else found[0].strip()


def _any(tokens: _Tokens, here: dict[str, str]) -> bool | None:
    verdicts = [_all(tokens, here)]
    while tokens.at == "or":
        tokens.take()
        verdicts.append(_all(tokens, here))
    return True if True in verdicts else None if None in verdicts else False


def _all(tokens: _Tokens, here: dict[str, str]) -> bool | None:
    verdicts = [_one(tokens, here)]
    while tokens.at == "and":
        tokens.take()
        verdicts.append(_one(tokens, here))
    return False if False in verdicts else None if None in verdicts else True


def _one(tokens: _Tokens, here: dict[str, str]) -> bool | None:
    if tokens.at == "(":
        tokens.take()
        verdict = _any(tokens, here)
        if tokens.take() != ")":
            raise ValueError("no marker")
        return verdict
    left, op, right = tokens.take(), tokens.take(), tokens.take()
    if not left or not right or op not in {*ORDER, "~=", "===", "in", "not in"}:
        raise ValueError("no marker")
    if (left[0] in "\"'") == (right[0] in "\"'"):  # one is a variable, the other a text
        raise ValueError("no marker")
    if op in ("in", "not in") or not {left, right} & VERSIONS:
        return _texts(_value(left, here), op, _value(right, here))
    return _versions(_value(left, here), op, _value(right, here))


def _value(token: str, here: dict[str, str]) -> str:
    if token[0] in "\"'":
        return token[1:-1]
    if token not in here:
        raise ValueError("no marker")
    return here[token]


def _texts(left: str, op: str, right: str) -> bool | None:
    if op in ("==", "!="):
        same = left == right
        plain = not (NUMBERS.match(left) and NUMBERS.match(right))  # two versions may be equal and written differently
        return same == (op == "==") if same or plain else None
    if op in ("in", "not in"):
        return (left in right) == (op == "in")
    return None


def _versions(left: str, op: str, right: str) -> bool | None:
    """Compares what is but numbers and dots; `3.*` is the same as its first numbers."""
    prefix = right.endswith(".*") and op in ("==", "!=")
    right = right.removesuffix(".*") if prefix else right
    if not NUMBERS.fullmatch(left) or not NUMBERS.fullmatch(right) or op not in ORDER:
        return None
    one, other = ([int(part) for part in text.split(".")] for text in (left, right))
    width = len(other) if prefix else max(len(one), len(other))
    one, other = ((numbers + [0] * width)[:width] for numbers in (one, other))
    return ORDER[op](one, other)

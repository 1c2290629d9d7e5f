"""SQL text cut into tokens: just enough to compare texts, cut off a semicolon, keep an expression inside.

This is no parser. It knows what hides characters from a parser (strings, quoted names, comments), as the engine does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\r\n\f\v]+|--[^\r\n]*)
    | (?P<comment>/\*)
    | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*'
        | \$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w]*)?)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@lru_cache(maxsize=8)
def _cut(sql: str) -> tuple[tuple[str, str], ...]:
    """The tokens, kept for a moment: a text is asked about several times in a row."""
    if "/*" not in sql:
        return tuple((_kind(match), match[0]) for match in _TOKEN.finditer(sql))
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None  # `other` takes any character
        kind, end = _kind(match), match.end()
        if kind == "comment":
            kind, end = _comment(sql, end)
        found.append((kind, sql[at:end]))
        at = end
    return tuple(found)


def tokens(sql: str) -> list[tuple[str, str]]:
    """(kind, text) of every token in order; joined they are `sql`.

    Kinds: blank (comments too), string, quoted, word, number, other (one character), open (a comment without an end).
    """
    return list(_cut(sql))


def _kind(match: re.Match[str]) -> str:
    kind = match.lastgroup  # the group that closed last: the outermost one
    assert kind is not None
    return kind


def _comment(sql: str, at: int) -> tuple[str, int]:
    """Kind and end of the block comment that was opened before `at`; comments nest. One without an end is `open`."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return "blank", edge.end()
    return "open", len(sql)


def normal(sql: str) -> str:
    """The SQL on one line as far as possible: comments gone, every stretch of blanks one blank.

    Texts with the same normal form mean the same. A line break between two strings is kept: it joins them.
    """
    parts: list[str] = []
    gap, last = "", "start"
    for kind, text in tokens(sql):
        if kind == "blank":
            gap += text
            continue
        if gap and last != "start":
            parts.append("\n" if last == kind == "string" and "\n" in gap else " ")
        parts.append(text)
        gap, last = "", kind
    return "".join(parts)


def statements(sql: str) -> int:
    """How many statements the text holds (empty ones do not count)."""
    count, inside = 0, False
    for kind, text in tokens(sql):
        if text == ";" and kind == "other":
            inside = False
        elif kind != "blank" and not inside:
            count, inside = count + 1, True
    return count


def without_end(sql: str) -> str:
    """The text without what follows its last token, and without the semicolons there."""
    found = tokens(sql)
    while found and (found[-1][0] == "blank" or found[-1] == ("other", ";")):
        found.pop()
    return "".join(text for _, text in found).strip("\r\n")


def encloses(expression: str) -> str:
    """Why the text cannot be one expression in parentheses; empty if nothing speaks against it."""
    depth, any_token = 0, False
    for kind, text in tokens(expression):
        any_token = any_token or kind != "blank"
        if kind == "open":
            return "has an open comment"
        if kind != "other":
            continue
        if text == ";":
            return "holds a semicolon"
        if text in "'\"":
            return "has an open quote"
        depth += {"(": 1, ")": -1}.get(text, 0)
        if depth < 0:
            return "closes a parenthesis that it did not open"
    if not any_token:
        return "is empty"
    return "leaves a parenthesis open" if depth else ""


def with_parts(sql: str, parts: Sequence[tuple[str, str]]) -> str:
    """The SELECT with common table expressions (quoted name, SELECT) before its own."""
    if not parts:
        return sql
    listed = ", ".join(f"{name} AS (\n{select}\n)" for name, select in parts)
    found = tokens(sql)
    at = _word_at(found, 0, "with")
    if at is None:
        return f"WITH {listed}\n{sql}"
    head = "WITH" if _word_at(found, at + 1, "recursive") is None else "WITH RECURSIVE"
    return f"{head} {listed}, " + behind_with(sql)


def behind_with(sql: str) -> str:
    """The SELECT from its first common table expression on; empty where it has none."""
    found = tokens(sql)
    at = _word_at(found, 0, "with")
    if at is None:
        return ""
    recursive = _word_at(found, at + 1, "recursive")
    rest = (recursive if recursive is not None else at) + 1
    return "".join(text for _, text in found[rest:]).lstrip()


def _word_at(found: Sequence[tuple[str, str]], start: int, word: str) -> int | None:
    """Where the word stands, if it is the first token from `start` on."""
    at = start
    while at < len(found) and found[at][0] == "blank":
        at += 1
    return at if at < len(found) and found[at][0] == "word" and found[at][1].lower() == word else None

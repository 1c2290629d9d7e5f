"""Patterns of ECMA-262 match the same in RE2, or are refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.ecma import Untranslatable, to_re2


def found(pattern: str, texts: list[str]) -> list[bool]:
    with duckdb.connect() as connection:
        rows = [connection.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchone() for text in texts]
    return [row is not None and row[0] for row in rows]


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{2}$",
        r"^\d{3}-\w+$",
        "a|b",
        "^(ab)+?c*$",
        r"^[^@ ]+@[^@ ]+\.[a-z]{2,}$",
        r"[\d\-]+",
        r"\\",
        r"\/x",
        r"[a\]b]",
    ],
)
def test_what_means_the_same_stays_as_it_is(pattern: str) -> None:
    assert to_re2(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^.$", ["a", "é", "😀", "\x0b"], ["\n", "\r", "\u2028", ""]),
        (r"^\s$", [" ", "\t", "\x0b", "\u00a0", "\ufeff", "\u3000"], ["a", "\u200b", "\x1f"]),
        (r"^\S$", ["a", "\u200b", "é"], ["\x0b", "\u00a0"]),
        (r"^[\s]$", ["\u00a0"], ["x"]),
        (r"^[\S]$", ["x", "\x00", "😀"], ["\u00a0", "\n", " "]),
        (r"^[^\S]$", [" ", "\u2003"], ["x"]),
        (r"^\d$", ["5"], ["٣"]),
        (r"^\w$", ["a", "_"], ["é"]),
        (r"^\u00e9$", ["é"], ["e"]),
        (r"^\uD83D\uDE00$", ["😀"], ["x"]),
        (r"^\u{1F600}$", ["😀"], ["x"]),
        (r"^[\u0041-\u0043]$", ["B"], ["D"]),
        (r"^\cJ$", ["\n"], ["J"]),
        (r"^\0$", [], ["0"]),
        (r"^[^]$", ["\n", "a"], ["ab"]),
        (r"a[]b", [], ["ab", "a[]b"]),
        (r"^[\b]$", ["\x08"], ["b"]),
        (r"^[[:alph]$", ["[", ":", "a"], ["b", "]"]),
        (r"^[\-a]$", ["-", "a"], ["b"]),
        (r"^[a-]$", ["-", "a"], ["b"]),
        (r"^(?<year>\d{4})$", ["2024"], ["x"]),
        (r"^\p{L}$", ["é", "ß"], ["1"]),
        (r"^\p{Script=Greek}$", ["α"], ["a"]),
        (r"^a$", ["a"], ["a\n"]),
        (r"\bx\b", ["a x b", "éxé"], ["axb"]),
        (r"^\{a\}$", ["{a}"], ["a"]),
    ],
)
def test_the_meaning_is_that_of_ecma(pattern: str, good: list[str], bad: list[str]) -> None:
    assert found(to_re2(pattern), good + bad) == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[[:alpha:]]", "a ] stands alone"),
        ("(?=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references"),
        (r"(?<x>a)\k<x>", "back-references"),
        ("(?i)a", "flags"),
        (r"\A", "no escape of ECMA-262"),
        (r"\Z", "no escape of ECMA-262"),
        (r"\p{Emoji}", "no counterpart"),
        ("a{1001}", "at most 1000"),
        ("a{3,2}", "out of order"),
        ("*a", "nothing stands before"),
        ("a**", "nothing stands before"),
        ("(a", "never closed"),
        ("a)", "never opened"),
        ("[a", "never closed"),
        ("[b-a]", "out of order"),
        (r"[\d-z]", "set of characters"),
        ("a{,5}", "stands alone"),
        (r"\ud83d", "surrogate"),
        ("a\\", "a backslash ends"),
    ],
)
def test_what_has_no_equal_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        to_re2(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(r"ab\-[]^(){}|.*+?$,:dwsSDu01é=<"), max_size=12))
def test_whatever_is_translated_compiles(pattern: str) -> None:
    try:
        made = to_re2(pattern)
    except Untranslatable:
        return
    assert len(found(made, ["a"])) == 1
    assert to_re2(pattern) == made

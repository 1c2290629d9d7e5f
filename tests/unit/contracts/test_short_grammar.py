"""The grammar of one line, and the places it reports."""

from __future__ import annotations

import pytest

from headgate.contracts.grammar import Arg, Item, Mistake, PlacedText, items
from headgate.core.errors import Location


def test_a_line_is_items_with_arguments_and_places() -> None:
    line = "decimal(12, 2), between (0,'1''0'), pii"
    assert items(line) == [
        Item("decimal", (Arg("12", False, 8), Arg("2", False, 12)), 0, "decimal(12, 2)"),
        Item("between", (Arg("0", False, 25), Arg("1'0", True, 27)), 16, "between (0,'1''0')"),
        Item("pii", None, 36, "pii"),
    ]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("t, in(New York , b)", ["New York", "b"]),
        ("t, in( 'a,b' , \"c)\" )", ["a,b", "c)"]),
        ("t, in('', \"\")", ["", ""]),
        ("t, in('a\"b', \"a'b\", 'a''b', \"a\"\"b\")", ['a"b', "a'b", "a'b", 'a"b']),
        ("t, in(-1, +2.5, 2024-01-01T10:00:00+02)", ["-1", "+2.5", "2024-01-01T10:00:00+02"]),
        ("t, in()", []),
        ("t, in( )", []),
    ],
)
def test_arguments(line: str, values: list[str]) -> None:
    args = items(line)[1].args
    assert args is not None
    assert [arg.value for arg in args] == values


@pytest.mark.parametrize(
    ("line", "offset", "what"),
    [
        ("", 0, "expected a type or a rule, found the end of the line"),
        ("int,", 4, "expected a type or a rule, found the end of the line"),
        ("int,, key", 4, "expected a type or a rule, found ','"),
        ("int, (3)", 5, "expected a type or a rule, found '('"),
        ("int) key", 3, "expected a comma or an opening parenthesis, found ')'"),
        ("int, min(3) max(4)", 12, "expected a comma, found 'm'"),
        ("int, min(3", 8, "the parenthesis is never closed"),
        ("int, in(a, ", 7, "an argument is empty"),
        ("int, in(a,,b)", 10, "an argument is empty"),
        ("text, pattern('a)", 14, "the quote ' is never closed"),
        ("text, pattern(^(a)$)", 15, "unexpected '(' in an argument"),
        ("text, in(it's)", 11, 'unexpected "\'" in an argument'),
        ("text, in('a' b)", 13, "unexpected 'b' in an argument"),
    ],
)
def test_mistakes_stand_where_they_are(line: str, offset: int, what: str) -> None:
    with pytest.raises(Mistake) as caught:
        items(line)
    if line == "int, in(a, ":
        # The end comes first: the parenthesis that is open is what must be closed.
        assert (caught.value.offset, caught.value.what) == (7, "the parenthesis is never closed")
        return
    assert (caught.value.offset, caught.value.what) == (offset, what)


def test_places_of_characters() -> None:
    straight = PlacedText("abc", "f", 3, 10)
    assert [straight.at(n) for n in (0, 2, 9)] == [Location("f", 3, 10), Location("f", 3, 12), Location("f", 3, 13)]
    folded = PlacedText("ab", "f", 3, 10, ((3, 10), (4, 2)))
    assert [str(folded.at(n)) for n in (0, 1, 9)] == ["f:3:10", "f:4:2", "f:4:2"]
    assert str(folded.place(1).at(0)) == "f:4:2"

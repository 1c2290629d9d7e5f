"""Text that may be hostile, and tables that must fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.cli.table import Column, table
from headgate.cli.text import clip, count, many, pad, safe, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich 北京", "Zürich 北京"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("gp\u202exe.jpg", "gp\\u202exe.jpg"),
        ("\ud800", "\\ud800"),
        ("\u2028\u200b", "\\u2028\\u200b"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_would_move_or_hide_is_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(st.text(), st.integers(1, 20))
def test_clipped_text_fits_and_whole_text_stays(text: str, cells: int) -> None:
    shown = safe(text)
    cut = clip(shown, cells)
    assert width(cut) <= cells
    assert cut == shown or (cut.endswith("…") and shown.startswith(cut[:-1]))
    assert (cut == shown) == (width(shown) <= cells)
    assert width(pad(cut, cells)) == cells


def test_wide_and_combining_characters_are_measured() -> None:
    assert width("北京") == 4
    assert width("e\u0301") == 1
    assert clip("北京市", 4) == "北…"


def test_counts() -> None:
    assert count(1234567) == "1,234,567"
    assert [many(number, "row") for number in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert many(2, "entry", "entries") == "2 entries"


COLUMNS = (Column("name"), Column("rows", right=True), Column("why"))


def test_a_table_is_aligned() -> None:
    assert table(COLUMNS, [["a", "1", "new"], ["long name", "1,000", ""]], None) == [
        "name        rows  why",
        "---------  -----  ---",
        "a              1  new",
        "long name  1,000",
    ]


def test_the_widest_text_is_cut_to_fit_and_numbers_never() -> None:
    lines = table(COLUMNS, [["raw.orders", "1,234,567", "because " * 10]], 40)
    assert max(map(len, lines)) == 40
    assert lines[2] == "raw.orders  1,234,567  because because …"


SPARED = (*COLUMNS, Column("kind"), Column("none", right=True), Column("much", right=True, spare=1))
ROW = ["raw.orders", "1,234,567", "because of it", "load", "0", "9,999"]


@pytest.mark.parametrize(
    ("room", "left"),
    [(60, ""), (46, "none"), (40, "none, much"), (30, "kind, none, much"), (25, "why, kind, none, much"), (5, "…")],
)
def test_columns_are_left_out_where_nothing_stands_then_what_can_be_spared(room: int, left: str) -> None:
    lines = table(SPARED, [ROW], room)
    assert max(map(width, lines)) <= room
    if room > 5:
        assert lines[3:] == ([clip(f"no room for: {left}", room)] if left else [])
        assert "1,234,567" in lines[2]
    else:
        assert lines[2] == "raw.…"


def test_a_number_is_left_out_rather_than_cut() -> None:
    assert table(SPARED, [ROW], 18)[2:] == ["raw.orders", "no room for: rows…"]


def test_where_there_is_no_terminal_texts_are_whole_and_columns_of_bearable_width() -> None:
    lines = table((Column("a"), Column("b")), [["x" * 1_000_000, "1"], ["y", "2"]], None)
    assert lines[2] == "x" * 1_000_000 + "  1"
    assert len(lines[3]) == 203


def test_a_long_heading_takes_no_column_away() -> None:
    lines = table((Column("id", right=True), Column("a" * 60)), [["1", "x"]], 40)
    assert lines[0] == "id  " + "a" * 35 + "…"


@pytest.mark.parametrize(
    ("text", "cells"),
    [("価格", 4), ("e\u0301", 1), ("👍🏽", 2), ("\u1112\u1161\u11ab", 2), ("ﬁ", 1), ("❤️", 1), ("가", 2)],
)
def test_wide_and_joined_characters_are_counted_as_terminals_do(text: str, cells: int) -> None:
    assert width(text) == cells


def test_cells_are_shown_safely() -> None:
    assert table((Column("a"),), [["\x1b]0;title\x07"]], None)[2] == "\\x1b]0;title\\x07"


@given(st.lists(st.lists(st.text(max_size=30), min_size=2, max_size=2), max_size=5), st.integers(1, 60))
def test_a_table_fits_whatever_it_holds(rows: list[list[str]], room: int) -> None:
    for line in table((Column("one"), Column("two")), rows, room):
        assert width(line) <= room
        assert "\n" not in line

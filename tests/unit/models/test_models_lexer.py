from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.models import lexer

PIECES = st.sampled_from(
    ["'", '"', "$$", "$a$", "/*", "*/", "--", "\n", " ", ";", "(", ")", "e'", "\\", "a", "1", ".", "é"]
)


@given(st.lists(PIECES).map("".join))
def test_tokens_joined_are_the_text(sql: str) -> None:
    assert "".join(text for _, text in lexer.tokens(sql)) == sql


@given(st.lists(PIECES).map("".join))
def test_the_normal_form_is_its_own_normal_form(sql: str) -> None:
    once = lexer.normal(sql)
    assert lexer.normal(once) == once


@given(st.lists(st.sampled_from(["'", '"', "\n", " ", "\t", ";", "(", "e", "date", "1", ".", "é", "-"])).map("".join))
def test_a_comment_at_the_end_changes_nothing(sql: str) -> None:
    """A line comment is a blank."""
    told = sql + " --"
    assert lexer.normal(sql) == lexer.normal(told)
    assert lexer.statements(sql) == lexer.statements(told)
    assert lexer.without_end(sql) == lexer.without_end(told)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select  1", "select\n\t1"),
        ("select 1 -- why\n, 2", "select 1 , 2"),
        ("/* a /* nested */ b */ select 1", "select 1"),
        ("select/**/1", "select 1"),
        ("select 'a' -- c\n 'b'", "select 'a'\n'b'"),
    ],
)
def test_comments_and_layout_do_not_count(one: str, other: str) -> None:
    assert lexer.normal(one) == lexer.normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select 'a  b'", "select 'a b'"),
        ("select '--x'", "select ''"),
        ('select "a  b"', 'select "a b"'),
        ("select $$ -- x $$", "select $$ $$"),
        ("select e'a\\'  b'", "select e'a\\' b'"),
        ("select 'a'\n'b'", "select 'a' 'b'"),
        ("select 1 - -1", "select 1 --1"),
        ("select A", "select a"),
    ],
)
def test_what_may_change_the_rows_counts(one: str, other: str) -> None:
    assert lexer.normal(one) != lexer.normal(other)


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("", 0),
        (" ; -- nothing\n;", 0),
        ("select 1", 1),
        ("select 1;;", 1),
        ("select ';', \";\", $$;$$, e'\\';' -- ;\n /* ; */", 1),
        ("select 1; drop table t", 2),
        ("select 1 /* /* */ ; */ ; select 2", 2),
    ],
)
def test_statements_are_counted_as_the_engine_counts_them(sql: str, count: int) -> None:
    assert lexer.statements(sql) == count


def test_the_end_is_cut_off_after_the_last_token() -> None:
    assert lexer.without_end("\nselect 1 -- one\n, 2 ; -- end\n") == "select 1 -- one\n, 2"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("a > 0 -- always", ""),
        ("f(a) or (b = ')')", ""),
        ("a) or (b", "closes a parenthesis"),
        ("(a", "leaves a parenthesis open"),
        ("a; drop table t", "semicolon"),
        ("a = 'x", "open quote"),
        ("a /* x", "open comment"),
        (" -- nothing", "is empty"),
    ],
)
def test_an_expression_stays_inside_its_parentheses(expression: str, problem: str) -> None:
    found = lexer.encloses(expression)
    assert problem in found
    assert bool(problem) == bool(found)

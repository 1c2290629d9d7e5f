"""Where what the engine says of a model's SQL stands in the files that it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.models.build import check_models
from headgate.models.compile import compile_models
from headgate.models.model import ModelSource

Make = Callable[..., ModelSource]
ORDERS = TableRef("raw", "orders")

PLAIN = st.sampled_from(["w", "w", "\n", "\n\n", " ", "\r\n", "{# a\ncomment #}", "{{ 'w' }}", "{% set a = 1 %}", "\t"])
PIECES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, max_size=3).map(lambda one: "{% for _ in [1, 2] %}" + "".join(one) + "{% endfor %}"),
        st.lists(inner, max_size=3).map(lambda one: "{%- for _ in [1, 2] -%}" + "".join(one) + "{%- endfor -%}"),
        st.lists(PLAIN, max_size=3).map(lambda one: "{% if false -%}" + "".join(one) + "{%- else %}w{% endif %}"),
        st.lists(inner, max_size=3).map(lambda one: "{% set b %}" + "".join(one) + "{% endset %}{{ b }}{{ b }}"),
        st.lists(inner, max_size=3).map(lambda one: "{% filter upper %}" + "".join(one) + "{% endfilter %}"),
    ),
    max_leaves=8,
)


@given(st.lists(PIECES, min_size=1, max_size=6))
def test_a_place_that_is_told_is_the_place(pieces: list[str]) -> None:
    numbers = iter(range(1000))
    text = "select 'X'" + re.sub("w", lambda _: f"w{next(numbers)}x", "".join(pieces)) + "\n, 1\n"
    (model,) = compile_models([ModelSource("m", Path("models/m.sql"), text, "")], [])
    assert model.origin is not None
    source = re.split(r"\r\n|\n", text)
    for line, words in enumerate(model.sql.split("\n"), 1):
        for word in re.finditer(r"w[0-9]+x", words.lower()):
            found = model.origin.at(model.sql, line, word.start() + 1)
            assert found is not None
            assert word[0] in source[found.line - 1]
            if found.column:
                assert source[found.line - 1][found.column - 1 :].startswith(word[0])
        whole = model.origin.at(model.sql, line)
        if whole is not None:
            assert all(word in source[whole.line - 1] for word in re.findall(r"w[0-9]+x", words.lower()))


def places(session: StoreSession, *sources: ModelSource) -> list[str]:
    return [one.where for one in check_models(session, compile_models(sources, [ORDERS]))]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("select\n  id id id\nfrom {{ ref('raw.orders') }}\n", "models/gold/m.sql:2:9"),
        ("-- 'é'\nselect 'éé' a b\n", "models/gold/m.sql:2:15"),
        ("{% if false %}\nselect 1 1 1\n{% else %}\nselect 1 1 1\n{% endif %}\n", "models/gold/m.sql:4:10"),
        ("{%- set a = 1 -%}\n\n\nselect 1 1 1\n", "models/gold/m.sql:4:10"),
        ("{% for a in [1, 2] %}\n{% endfor %}select\r\n 1 1 1\r\n", "models/gold/m.sql:3:4"),
        ("{% macro two(x) %}{{ x }}\n {{ x }}{% endmacro %}\nselect {{ two('a b') }}\n", "models/gold/m.sql:2"),
        ("select\n {{ 'a b' }} c\n", "models/gold/m.sql:2:14"),
        ("select\n {{ 'a b c' }}\n", "models/gold/m.sql:2"),
        # What a template computes of its own text is not the same with marks in it.
        ("{% set b %}\n 1 1\n{% endset %}select {{ b }} {{ b | length }} 1\n", "models/gold/m.sql"),
    ],
)
def test_a_syntax_error_is_told_at_its_place(session: StoreSession, source: Make, text: str, where: str) -> None:
    assert places(session, source("m", text, "gold")) == [where]


def test_one_in_an_ephemeral_model_is_told_there(session: StoreSession, source: Make) -> None:
    inner = source("inner", "{{ config(materialized='ephemeral') }}\nselect 1 as a,\n  2 2 2\n", "silver")
    assert places(session, inner, source("m", "select *\nfrom {{ ref('inner') }}\n")) == ["models/silver/inner.sql:3:5"]
    right = source("inner", "{{ config(materialized='ephemeral') }}\nselect 1 as a\n", "silver")
    with_parts = "with b as (select 1),\n c as (select 2 2 2)\nselect *\nfrom {{ ref('inner') }}, b, c\n"
    assert places(session, right, source("m", with_parts)) == ["models/m.sql:2:17"]


def test_no_place_is_told_of_a_statement_that_has_none(one: Callable[..., object]) -> None:
    (model,) = compile_models([ModelSource("m", Path("models/m.sql"), "select 1\n", "")], [])
    assert model.origin is not None
    assert [model.origin.at(model.sql, *at) for at in ((0, 1), (2, 1), (1, 99))] == [None, None, None]

"""Templates without logic are read without Jinja, and mean what they mean to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.errors import ProjectError
from headgate.models.literal import Literal, literal
from headgate.models.template import Parsed, Refused, calls_in, compiled, current_line, parse, render

WORDS = ("ref", "source", "config", "var", "env_var")
PLAIN = [
    "select 1",
    "select 1\n",
    "\n{{ config(materialized='table') }}\nselect * from {{ ref('a') }}",
    "{{config(materialized=\"view\", tags=['a','b'], on=true, off = False, n=12,)}}select 1",
    "{{ config(\n  materialized='incremental',\n  unique_key=['id', \"b\"]\n) }}\n\nselect {{ var('x', none) }}\n",
    "select '}}', '%}' from {{ source('raw', 'orders') }} as a join {{ ref(\"b\") }} as b using (id)\n\n",
    "{{ env_var('HOME', 'x') }}{{ ref() }}{{ ref('a', 'b') }}{{ ref('a', version=1) }}{{ config(tags=[]) }}",
]
LEFT = [
    "{% if true %}select 1{% endif %}",
    "{# a note #}select 1",
    "select 1\r\n",
    "{{ ref('a' ~ 'b') }}",
    "{{ ref('a\\'b') }}",
    "{{ ref('a') | upper }}",
    "{{- ref('a') }}",
    "{{ ref(\n'a'",
    "{{ this }}",
    "{{ config(a='x', a='y') }}",
    "{{ config(a='x', 'y') }}",
    "{{ 1 + 1 }}",
    "{{ ref(x) }}",
    "{{\nref('a') }}",
    "{{ ref('{{ a }}') }}",
]


def _told(parsed: Parsed) -> tuple[Any, ...]:
    """What it renders to, what each word was given, and from which line."""
    heard: list[tuple[Any, ...]] = []

    def word(name: str) -> Any:
        def call(*given: Any, **options: Any) -> str:
            heard.append((name, current_line(), given, options))
            return f"<{name}>"

        return call

    return render(parsed, {name: word(name) for name in WORDS}), heard, parsed.calls, parsed.uses


def _by_jinja(text: str) -> Parsed:
    from jinja2 import meta

    tree, template = compiled(text, "m.sql")
    return Parsed("m.sql", template, calls_in(tree), frozenset(meta.find_undeclared_variables(tree)))


@pytest.mark.parametrize("text", PLAIN)
def test_it_means_what_it_means_to_jinja(text: str) -> None:
    parsed = parse(text, "m.sql")
    assert isinstance(parsed.template, Literal)
    assert _told(parsed) == _told(_by_jinja(text))


@pytest.mark.parametrize("text", LEFT)
def test_anything_else_is_left_to_jinja(text: str) -> None:
    assert literal(text) is None


PIECES = st.sampled_from(
    ["select ", "\n", " ", "'it''s'", "{{ ref('a') }}", '{{ref("b c")}}', "{{ source('r', 'é') }}",
     "{{ config(a='x') }}", "{{ config(\n\n n=7, b=['p', 'q'] ) }}", "}}", "%}", "#}", "{ { ", "--x\n",
     "{{ var('v',\n1) }}", "{{ ref('a'\n) }}"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_drawn_templates_mean_the_same_to_both(text: str) -> None:
    found = literal(text)
    assert found is not None
    assert _told(parse(text, "m.sql")) == _told(_by_jinja(text))


@pytest.mark.parametrize("error", [Refused("unknown-ref", "no such model", "name one"), ValueError("bad")])
def test_an_error_names_the_line_that_jinja_would_name(error: Exception) -> None:
    text = "select 1\nfrom {{ ref('a') }}\njoin {{ source('raw', 'b') }} {{ config(\n  a='x',\n  b=2) }}\n"

    def fails(*given: Any, **options: Any) -> str:
        raise error

    for word in ("ref", "source", "config"):
        words = {name: fails if name == word else lambda *given, **options: "" for name in WORDS}
        told = []
        for parsed in (parse(text, "m.sql"), _by_jinja(text)):
            with pytest.raises(ProjectError) as caught:
                render(parsed, words)
            told.append(caught.value.finding)
        assert told[0] == told[1]

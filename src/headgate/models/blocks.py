"""Jinja blocks beyond Jinja's own: `{% test name(model, column_name) %} ... {% endtest %}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.ext import Extension

from headgate.models.template import TEST_PREFIX

if TYPE_CHECKING:
    from jinja2.parser import Parser


class TestBlock(Extension):
    """A custom test as a macro that gives the SELECT of its failing rows."""

    __test__ = False  # no test of pytest
    tags = {"test", "data_test"}  # noqa: RUF012 - as the base class declares it

    def parse(self, parser: Parser) -> nodes.Node:
        opened = next(parser.stream)
        node = nodes.Macro(lineno=opened.lineno)
        node.name = TEST_PREFIX + parser.parse_assign_target(name_only=True).name
        parser.parse_signature(node)
        node.body = parser.parse_statements((f"name:end{opened.value}",), drop_needle=True)
        return node

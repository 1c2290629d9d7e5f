"""The transform kit: macros and tests that every project has, as `hg.<name>` in its templates and its YAML.

They are files of Jinja macros beside this one. A file is read and compiled when the first template calls one of its
macros, so a project that calls none pays nothing, and only what a macro renders becomes part of a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from headgate.core.errors import nearest
from headgate.models.kit.words import Words
from headgate.models.template import KIT, TEST_PREFIX, Refused, compiled, environment

if TYPE_CHECKING:
    from jinja2 import Template

FILES = ("text", "places", "time", "units", "rows", "shapes", "keys", "dates", "history", "features")
TESTS = "features"
"""The file that holds the tests: names of tests are known without reading the others."""
_MACRO = re.compile(r"^\{%-?\s*(macro|test)\s+([a-z]\w*)\(", re.MULTILINE)
_ARGUMENTS = re.compile(r"^\{%-?\s*test\s+(\w+)\((.*?)\)\s*-?%\}", re.MULTILINE)


class Kit:
    """`hg` in a template: its attributes are the macros, each bound to the words of that rendering."""

    def __init__(self, words: Mapping[str, object]) -> None:
        self._words = words
        self._modules: dict[str, Any] = {}

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        file = macros().get(name)
        if file is None:
            shown = [one for one in macros() if not one.startswith(TEST_PREFIX)]
            what = f"the kit has no macro hg.{name}{nearest(name, shown)}"
            raise Refused("model-template", what, "Use one of " + ", ".join(shown))
        if file not in self._modules:
            own = Words(str(getattr(self._words["target"], "type", "duckdb")))
            seen = {**environment().globals, **self._words, "kit": own}
            self._modules[file] = template(file).make_module(seen, shared=True)
        return cast(object, getattr(self._modules[file], name))


@cache
def text(file: str) -> str:
    """The text of one of FILES."""
    return files("headgate.models.kit").joinpath(f"{file}.sql").read_text(encoding="utf-8")


@cache
def template(file: str) -> Template:
    """One of FILES, compiled once for all models."""
    return compiled(text(file), KIT + file)[1]


@cache
def macros() -> dict[str, str]:
    """Every macro by its name, a test as `test_<name>`, and the file that holds it."""
    found: dict[str, str] = {}
    for file in FILES:
        for kind, name in _MACRO.findall(text(file)):
            found[TEST_PREFIX + name if kind == "test" else name] = file
    return found


def call(test: str) -> str:
    """How a template calls a test of the kit; empty for any other."""
    return f"hg.{TEST_PREFIX}{test.removeprefix('hg.')}" if test in tests() else ""


@cache
def tests() -> dict[str, tuple[str, ...]]:
    """The tests by the name that YAML calls them, `hg.no_leakage`, and what each takes."""
    return {
        f"hg.{name}": tuple(one.partition("=")[0].strip() for one in arguments.split(","))
        for name, arguments in _ARGUMENTS.findall(text(TESTS))
    }

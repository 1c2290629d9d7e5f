"""Model text through Jinja: a sandbox, and errors that name the line."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from headgate.core.errors import Finding, Location, ProjectError, nearest
from headgate.core.records import dataclass
from headgate.models.literal import Literal, literal

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import SandboxedEnvironment

WORDS = ("config", "ref", "source", "this", "is_incremental", "var", "env_var", "target", "execute", "hg")
"""What every template knows; `models.context` fills it in."""

KIT = "hg/"
"""Before the names of the templates of the transform kit: an error in one is told where it was called."""

TEST_PREFIX = "test_"
"""A custom test is a macro of this name behind it: `test_positive` for `{% test positive(...) %}`."""


_RENDERS = Literal.render.__code__


class Refused(Exception):
    """Raised by a word of the context while a template renders; `render` adds the place."""

    def __init__(self, code: str, what: str, fix: str) -> None:
        super().__init__(what)
        self.code, self.what, self.fix = code, what, fix


@dataclass(frozen=True)
class Call:
    """`ref(...)` or `source(...)` with literal arguments, as written in the text."""

    word: str
    arguments: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Parsed:
    """A template ready to render, the calls that stand in it, whether or not a branch reaches them, and the names that
    it takes from outside."""

    path: str
    template: Template | Literal
    calls: tuple[Call, ...] = field(default=())
    uses: frozenset[str] = frozenset()


@cache
def environment() -> SandboxedEnvironment:
    """The Jinja environment: nothing can be imported, an undefined name is an error, nothing is drawn at random."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from headgate.models.blocks import TestBlock

    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, extensions=["jinja2.ext.do", TestBlock]
    )
    made.globals = {name: made.globals[name] for name in ("range", "dict", "namespace")}
    del made.filters["random"]
    return made


def parse(text: str, path: str, macros: Collection[str] = ()) -> Parsed:
    """The template of a file. `macros`: the names that the project defines.

    Raises ProjectError `model-template` with every unknown name and its line.
    """
    plain = literal(text)
    if plain is not None:
        return Parsed(path, plain, _calls_said(plain), frozenset(one.word for one in plain.said))
    from jinja2 import meta

    tree, template = compiled(text, path)
    uses = frozenset(meta.find_undeclared_variables(tree))
    unknown = unknown_names(tree, path, uses, macros)
    if unknown:
        raise ProjectError(*unknown)
    return Parsed(path, template, calls_in(tree), uses)


def _calls_said(template: Literal) -> tuple[Call, ...]:
    """The same as `calls_in`."""
    return tuple(
        Call(one.word, tuple(map(str, one.given)), one.line)
        for one in template.said
        if one.word in ("ref", "source") and not one.options and all(isinstance(item, str) for item in one.given)
    )


def compiled(text: str, path: str) -> tuple[nodes.Template, Template]:
    """The syntax of a file, and its template. Raises ProjectError `model-template`."""
    from jinja2 import Template, TemplateSyntaxError

    env = environment()
    try:
        tree = env.parse(text)
        code = env.compile(tree, filename=path)
    except TemplateSyntaxError as error:
        fix = "Mend the Jinja block; write braces of SQL as {{ '{{' }}"
        raise ProjectError.of("model-template", str(error.message), Location(path, error.lineno), fix) from error
    return tree, Template.from_code(env, code, env.make_globals(None), None)


def unknown_names(tree: nodes.Template, path: str, uses: Collection[str], macros: Collection[str]) -> list[Finding]:
    """A finding for every name that neither the context, nor the project, nor the file itself defines."""
    from jinja2 import nodes

    known = {*WORDS, *environment().globals, *macros}
    missing = set(uses) - known
    if missing:  # what is set in one branch only counts as taken from outside
        missing -= {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in missing and node.ctx == "load":
            lines.setdefault(node.name, node.lineno)
    fix = "Use " + ", ".join(WORDS) + ", a macro of macros/, or a name that this file sets"
    return [
        Finding("model-template", "error", f"unknown name {name!r}{nearest(name, known)}", f"{path}:{line}", fix)
        for name, line in sorted(lines.items(), key=lambda item: item[1])
    ]


def calls_in(tree: nodes.Template) -> tuple[Call, ...]:
    """Every call of `ref` or `source` with texts as arguments, whether or not it is reached."""
    from jinja2 import nodes

    found = []
    for node in tree.find_all(nodes.Call):
        if not isinstance(node.node, nodes.Name) or node.node.name not in ("ref", "source") or node.kwargs:
            continue
        values = [item.value for item in node.args if isinstance(item, nodes.Const)]
        if len(values) == len(node.args) and all(isinstance(value, str) for value in values):
            found.append(Call(node.node.name, tuple(values), node.lineno))
    return tuple(sorted(found, key=lambda call: call.line))


def render(parsed: Parsed, words: Mapping[str, object]) -> str:
    """The text with `words` filled in. Raises ProjectError with the line at which a call was refused or failed."""
    try:
        return parsed.template.render(dict(words))
    except Refused as error:
        raise ProjectError.of(error.code, error.what, _place(error, parsed.path), error.fix) from error
    except ProjectError:
        raise
    except Exception as error:
        # Whatever a template computes may fail: a missing attribute, 1/0, a call that the sandbox forbids.
        what = f"the template fails: {error}" if str(error) else f"the template fails: {type(error).__name__}"
        raise ProjectError.of("model-template", what, _place(error, parsed.path), "Mend the Jinja block") from error


def _place(error: BaseException, path: str) -> Location:
    """The innermost line of a template at which the error arose (Jinja rewrites its traceback to template lines): in
    a macro of the project, that of the macro."""
    found, trace = Location(path, 0), error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if trace.tb_frame.f_code is _RENDERS:
            found = Location(path, trace.tb_frame.f_locals["part"].line)
        elif "__jinja_exception__" in trace.tb_frame.f_globals and not file.startswith(KIT):
            found = Location(file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def current_line() -> int:
    """The line of the model's template that is rendering now, also within a macro; 0 outside of a template."""
    frame = sys._getframe()
    line = 0
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code is _RENDERS:
            return cast(int, frame.f_locals["part"].line)  # such a template calls no other
        made: Any = frame.f_globals.get("__jinja_template__")
        if made is not None:
            line = cast(int, made.get_corresponding_lineno(frame.f_lineno))
    return line

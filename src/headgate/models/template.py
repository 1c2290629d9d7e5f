"""Model text through Jinja: a sandbox with `config`, `ref` and `source`, and errors that name the line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from headgate.core.errors import Finding, Location, ProjectError, nearest

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import SandboxedEnvironment

WORDS = ("config", "ref", "source")


class Refused(Exception):
    """Raised by `config`, `ref` or `source` while a template renders; `render` adds the place."""

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
    """A template ready to render, and the calls that stand in it, whether or not a branch reaches them."""

    path: str
    template: Template
    calls: tuple[Call, ...] = field(default=())


@cache
def environment() -> SandboxedEnvironment:
    """The Jinja environment: nothing can be imported, an undefined name is an error, nothing is drawn at random."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    made.globals = {name: made.globals[name] for name in ("range", "dict", "namespace")}
    del made.filters["random"]
    return made


def parse(text: str, path: str) -> Parsed:
    """The template of a model file. Raises ProjectError `model-template` with every unknown name and its line."""
    from jinja2 import TemplateSyntaxError

    env = environment()
    try:
        tree = env.parse(text)
        unknown = _unknown_names(tree, path)
        if unknown:
            raise ProjectError(*unknown)
        code = env.compile(text, filename=path)
    except TemplateSyntaxError as error:
        fix = "Mend the Jinja block; write braces of SQL as {{ '{{' }}"
        raise ProjectError.of("model-template", str(error.message), Location(path, error.lineno), fix) from error
    from jinja2 import Template

    return Parsed(path, Template.from_code(env, code, env.make_globals(None), None), _calls(tree))


def _unknown_names(tree: nodes.Template, path: str) -> list[Finding]:
    from jinja2 import meta, nodes

    known = {*WORDS, *environment().globals}
    missing = meta.find_undeclared_variables(tree) - known
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in missing and node.ctx == "load":
            lines.setdefault(node.name, node.lineno)
    fix = "Use config(), ref(), source(), or a name that this file sets"
    return [
        Finding("model-template", "error", f"unknown name {name!r}{nearest(name, known)}", f"{path}:{line}", fix)
        for name, line in sorted(lines.items(), key=lambda item: item[1])
    ]


def _calls(tree: nodes.Template) -> tuple[Call, ...]:
    from jinja2 import nodes

    found = []
    for node in tree.find_all(nodes.Call):
        if not isinstance(node.node, nodes.Name) or node.node.name not in ("ref", "source") or node.kwargs:
            continue
        values = [item.value for item in node.args if isinstance(item, nodes.Const)]
        if len(values) == len(node.args) and all(isinstance(value, str) for value in values):
            found.append(Call(node.node.name, tuple(values), node.lineno))
    return tuple(sorted(found, key=lambda call: call.line))


def render(parsed: Parsed, words: Mapping[str, Callable[..., str]]) -> str:
    """The text with `words` filled in. Raises ProjectError with the line at which a call was refused or failed."""
    try:
        return parsed.template.render(dict(words))
    except Refused as error:
        where = Location(parsed.path, _line_of(error, parsed.path))
        raise ProjectError.of(error.code, error.what, where, error.fix) from error
    except Exception as error:
        # Whatever a template computes may fail: a missing attribute, 1/0, a call that the sandbox forbids.
        where = Location(parsed.path, _line_of(error, parsed.path))
        what = f"the template fails: {error}" if str(error) else f"the template fails: {type(error).__name__}"
        raise ProjectError.of("model-template", what, where, "Mend the Jinja block") from error


def _line_of(error: BaseException, path: str) -> int:
    """The template line at which the error left the template (Jinja rewrites its traceback to template lines)."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def current_line() -> int:
    """The template line that is rendering now; 0 outside of a template."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        made: Any = frame.f_globals.get("__jinja_template__")
        if made is not None:
            return cast(int, made.get_corresponding_lineno(frame.f_lineno))
    return 0

"""Macros and custom tests of a project: `{% macro %}` and `{% test %}` blocks of the files under `macros/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from headgate.core.errors import Finding, Location, ProjectError
from headgate.core.records import dataclass
from headgate.models.template import TEST_PREFIX, WORDS, compiled, environment, unknown_names

if TYPE_CHECKING:
    from jinja2 import Template, nodes


@dataclass(frozen=True)
class MacroFile:
    """One file of macros, or of custom tests. `path` is how errors name it."""

    path: str
    text: str


@dataclass(frozen=True)
class _Defined:
    file: int
    uses: frozenset[str]
    where: Location
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Library:
    """What the project defines, by name; a custom test as `test_<name>`."""

    templates: tuple[Template, ...] = ()
    defined: Mapping[str, _Defined] = field(default_factory=dict)

    def bind(self, words: dict[str, object], uses: Iterable[str]) -> dict[str, object]:
        """`words` and, in the same mapping, every macro that `uses` needs, however far. Macros see all of it."""
        reached = sorted({self.defined[name].file for name in self._reached(uses)})
        if reached:  # a macro sees nothing else
            words.update(environment().globals)
        for number in reached:
            module: Any = self.templates[number].make_module(words, shared=True)
            own = [name for name, one in self.defined.items() if one.file == number]
            words.update({name: getattr(module, name) for name in own})
        return words

    def _reached(self, uses: Iterable[str]) -> set[str]:
        found: set[str] = set()
        todo = [name for name in uses if name in self.defined]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [other for other in self.defined[name].uses if other in self.defined]
        return found

    @property
    def tests(self) -> dict[str, tuple[str, ...]]:
        """The custom tests by name, and what each takes."""
        return {
            name.removeprefix(TEST_PREFIX): one.arguments
            for name, one in self.defined.items()
            if name.startswith(TEST_PREFIX)
        }


def library(files: Sequence[MacroFile]) -> Library:
    """The macros of all files. Raises ProjectError `model-template` and `macro-duplicate` with every mistake."""
    problems: list[Finding] = []
    trees: list[tuple[MacroFile, nodes.Template, Template]] = []
    for file in files:
        try:
            trees.append((file, *compiled(file.text, file.path)))
        except ProjectError as error:
            problems += error.findings
    defined: dict[str, _Defined] = {}
    for number, (file, tree, _) in enumerate(trees):
        problems += _define(defined, number, file, tree)
    for file, tree, _ in trees:
        uses = {name for one in defined.values() if one.where.path == file.path for name in one.uses}
        problems += unknown_names(tree, file.path, uses, defined)
    if problems:
        raise ProjectError(*problems)
    return Library(tuple(template for _, _, template in trees), defined)


def _define(defined: dict[str, _Defined], number: int, file: MacroFile, tree: nodes.Template) -> list[Finding]:
    from jinja2 import meta, nodes

    problems = []
    for node in tree.body:
        where = Location(file.path, node.lineno)
        if not isinstance(node, nodes.Macro):
            if isinstance(node, nodes.Output) and all(
                isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
            ):
                continue
            fix = "Keep {% macro %} and {% test %} blocks only; write notes as {# ... #}"
            problems.append(Finding("model-template", "error", "text outside of a macro", str(where), fix))
            continue
        first = defined.get(node.name)
        taken = "the context of every template" if node.name in WORDS else f"{first.where}" if first else ""
        if taken:
            what = f"the macro {node.name!r} is taken by {taken}"
            problems.append(Finding("macro-duplicate", "error", what, str(where), "Rename one of the two"))
            continue
        alone = nodes.Template([node], lineno=1)
        alone.set_environment(environment())
        uses = frozenset(meta.find_undeclared_variables(alone)) - {node.name}
        own = {argument.name for argument in node.args}
        defined[node.name] = _Defined(number, uses - own, where, tuple(argument.name for argument in node.args))
    return problems

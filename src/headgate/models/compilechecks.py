"""The checks of a model, ready to run: custom tests rendered, references resolved, every mistake told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headgate.core.errors import Finding, HeadgateError, Location, ProjectError, nearest
from headgate.models import kit, lexer
from headgate.models.context import Relation, Rendering, words
from headgate.models.model import UNDER_TEST, ModelCheck
from headgate.models.names import Input
from headgate.models.render import Draft, Renderer, checked
from headgate.models.template import TEST_PREFIX, parse, render

_ARGUMENTS = "_hg_arguments"


def compiled_checks(draft: Draft, renderer: Renderer, inputs: dict[str, Location]) -> tuple[ModelCheck, ...]:
    """The checks that YAML says of the model. What they read besides it is added to `inputs`.

    *Errors*: ProjectError `model-check`, `model-template`, `unknown-ref`, with every mistake.
    """
    made: list[ModelCheck] = []
    problems: list[Finding] = []
    for check in draft.source.tests:
        try:
            made.append(_compiled(_Compiling(draft, renderer, inputs, check)))
        except HeadgateError as error:
            problems.extend(error.findings)
    if problems:
        raise ProjectError(*problems)
    return tuple(made)


class _Compiling:
    """One check, and what is needed to compile it."""

    def __init__(self, draft: Draft, renderer: Renderer, inputs: dict[str, Location], check: ModelCheck) -> None:
        self.draft, self.renderer, self.inputs, self.check = draft, renderer, inputs, check
        self.where = check.where or Location(str(draft.source.path), 0)

    def refuse(self, problem: str, fix: str = "Mend the test") -> HeadgateError:
        what = f"{self.check.test or self.check.kind} test of model {self.draft.source.name!r}: {problem}"
        return ProjectError.of("model-check", what, self.where, fix)

    def read(self, word: str) -> object:
        """`ref` or `source` of a test: the model's own name is the rows under test."""

        def call(*arguments: object, **options: object) -> Relation:
            said = checked(word, arguments, options)
            names = self.renderer.names
            found = names.ref(*said.arguments) if word == "ref" else names.source(*said.arguments)
            return self.relation(found)

        return call

    def relation(self, found: Input) -> Relation:
        if found.name == self.draft.source.name:
            return Relation(UNDER_TEST, found.table.schema, found.table.name)
        if found.ephemeral:
            raise self.refuse(f"{found.name!r} is ephemeral, and stands nowhere", "Refer to a table or a view")
        self.inputs.setdefault(found.name, self.where)
        return Relation(found.sql, found.table.schema, found.table.name)

    def text(self, template: str, more: Mapping[str, object], uses: frozenset[str] = frozenset()) -> str:
        """A template of the test, rendered. An error in it is told at the test, one in a macro there."""
        path = str(self.where)
        settings = self.renderer.settings
        parsed = parse(template, path, {*settings.macros.defined, _ARGUMENTS})
        this = Relation(UNDER_TEST, self.draft.target.schema, self.draft.target.name)
        rendering = Rendering(lambda **_: "", self.read("ref"), self.read("source"), this)  # type: ignore[arg-type]
        try:
            return render(parsed, {**words(settings, rendering, parsed.uses | uses), **more})
        except ProjectError as error:
            inside = [replace(one, where=path if one.where.startswith(path) else one.where) for one in error.findings]
            raise ProjectError(*inside) from error


def _compiled(work: _Compiling) -> ModelCheck:
    check = work.check
    if check.kind in ("not_null", "accepted_values", "relationships") and not check.column:
        raise work.refuse("it names no column")
    if check.kind == "unique" and not check.column and not check.columns:
        raise work.refuse("it names no column")
    if check.kind == "accepted_values" and not check.values:
        raise work.refuse("it names no values")
    if check.only and (problem := lexer.encloses(check.only)):
        raise work.refuse(f"the condition under where {problem}")
    if check.kind == "expression":
        problem = "it has no expression" if check.sql is None else lexer.encloses(check.sql)
        if problem:
            raise work.refuse(problem if check.sql is None else f"the expression {problem}")
    if check.kind == "relationships":
        to = work.text("{{ " + check.to + " }}", {}).strip()
        return replace(check, to=to)
    return _custom(work) if check.kind == "query" and check.test else check


def _custom(work: _Compiling) -> ModelCheck:
    """A custom test is a macro that is called with the rows under test, the column and the arguments."""
    check, tests = work.check, {**work.renderer.settings.macros.tests, **kit.tests()}
    if check.test not in tests:
        fix = "Write {% test " + check.test + "(model) %} into a file under tests/generic/ or macros/"
        raise work.refuse(f"there is no test {check.test!r}{nearest(check.test, tests)}", fix)
    name, target = kit.call(check.test) or TEST_PREFIX + check.test, work.draft.target
    given: dict[str, object] = {"model": Relation(UNDER_TEST, target.schema, target.name)}
    if check.column is not None:
        given["column_name"] = check.column
    for key, value in check.arguments:
        given[key] = _argument(work, value)
    missing = [one for one in given if one not in tests[check.test]]
    if missing:
        raise work.refuse(f"it takes no {missing[0]!r}{nearest(missing[0], tests[check.test])}")
    text = work.text("{{ " + name + "(**" + _ARGUMENTS + ") }}", {_ARGUMENTS: given}, frozenset([name]))
    return replace(check, sql=failing_rows(text, work))


def failing_rows(text: str, work: _Compiling) -> str:
    if lexer.statements(text) != 1:
        raise work.refuse("it gives no single SELECT of the failing rows")
    return lexer.without_end(text)


def _argument(work: _Compiling, value: object) -> object:
    """An argument as the test is given it: a call of ref, source or var is carried out."""
    if isinstance(value, str) and value.lstrip().startswith(("ref(", "source(", "var(", "env_var(")):
        return work.text("{{ " + value + " }}", {}).strip()
    return value

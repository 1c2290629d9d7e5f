"""SQL files of `tests/`: each gives the rows that break a promise, and is a check of the last model that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headgate.core.errors import Finding, HeadgateError, Location, ProjectError
from headgate.core.records import dataclass
from headgate.models.graph import graph
from headgate.models.model import UNDER_TEST, Model, ModelCheck, ModelSource
from headgate.models.names import Input
from headgate.models.render import Renderer, first_pass


@dataclass(frozen=True)
class SqlTest:
    """One file. `path` is relative to the project."""

    name: str
    path: Path
    text: str


def add_tests(models: Sequence[Model], tests: Sequence[SqlTest], renderer: Renderer) -> list[Model]:
    """The models with these checks, each with that model among those it reads that is built last: it runs there on the
    rows that are to be published, and sees the others as they stand by then.

    *Errors*: ProjectError `model-check` for a test that reads no model, and what a template can do wrong.
    """
    by_name = {model.name: model for model in models}
    if not tests:
        return list(models)
    order = graph(models).order
    problems: list[Finding] = []
    for test in tests:
        try:
            owner, check, inputs = _compiled(test, renderer, order)
        except HeadgateError as error:
            problems.extend(error.findings)
            continue
        model = by_name[owner]
        new = {name: where for name, where in inputs.items() if name not in model.inputs and name != owner}
        by_name[owner] = replace(
            model,
            checks=(*model.checks, check),
            inputs=(*model.inputs, *new),
            places=(*model.places, *new.values()),
        )
    if problems:
        raise ProjectError(*problems)
    return [by_name[model.name] for model in models]


def _compiled(test: SqlTest, renderer: Renderer, order: Sequence[str]) -> tuple[str, ModelCheck, dict[str, Location]]:
    draft = first_pass(ModelSource(test.name, test.path, test.text), renderer.settings)
    strange = [key for key in draft.config.said if key != "severity"]
    if strange:
        what = f"config() of a test has no setting {strange[0]!r}"
        raise ProjectError.of("model-config", what, str(test.path), "Use severity")
    read = renderer.select(draft).inputs
    models = [name for name in order if name in read]
    if not models:
        what = f"the test {test.name!r} reads no model, so there is nothing that it could keep from being published"
        fix = "Read a model with ref(); rules for loaded tables are written in their contract"
        raise ProjectError.of("model-check", what, str(test.path), fix)
    owner = models[-1]

    def under_test(one: Input) -> str:
        return UNDER_TEST if one.name == owner else one.sql

    made = renderer.select(draft, read=under_test)
    check = ModelCheck(
        "query", sql=made.sql, name=test.name, severity=draft.config.severity, where=Location(str(test.path), 0)
    )
    return owner, check, {name: where for name, (_, where) in made.inputs.items()}

"""Model files to models: config and references, physical names, fingerprints.

Two passes over every template. The first collects what `config`, `ref` and `source` say, with calls in branches that
are not taken; then all targets are known, and the second pass fills in physical names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TypeVar, cast

from headgate.core.errors import Finding, HeadgateError, Location, ProjectError, nearest
from headgate.core.values import TableRef
from headgate.models import idiom, intervals, lexer, splitting
from headgate.models.checkfiles import SqlTest, add_tests
from headgate.models.compilechecks import compiled_checks
from headgate.models.config import Config, name_problem, settled
from headgate.models.context import Settings
from headgate.models.model import Incremental, Intervals, Materialized, Model, ModelContract, ModelSource
from headgate.models.names import Names
from headgate.models.places import Origin
from headgate.models.python import compile as python
from headgate.models.python.function import Function
from headgate.models.render import Draft, Renderer, first_pass
from headgate.models.template import Refused
from headgate.models.unit import UnitTest
from headgate.models.unittests import compile_unit

In = TypeVar("In")
Out = TypeVar("Out")


def compile_models(
    sources: Iterable[ModelSource],
    loaded: Iterable[TableRef],
    engine: str = "",
    settings: Settings | None = None,
    tests: Sequence[SqlTest] = (),
) -> tuple[Model, ...]:
    """Every model that is built, with its SQL in physical names, sorted by name. Ephemeral ones are in their readers.

    `loaded` are the tables of the ingest files; `engine` names engine and version, for the fingerprint; `tests` are
    the SQL files of `tests/`, each of which becomes a check of one model.
    *Guarantee*: nothing is executed. The same files, variables and environment give the same models.
    *Errors*: one ProjectError with a finding for every mistake found (`model-template`, `model-config`, `model-name`,
    `model-duplicate`, `unknown-ref`, `ambiguous-ref`, `unknown-var`, `model-not-select`, `model-check`,
    `model-contract`, `unknown-table`, `model-cycle`), each with file and line.
    """
    tables = tuple(loaded)
    shared = settings or Settings()
    problems: list[Finding] = []
    in_order = sorted(sources, key=lambda source: (source.name, str(source.path)))
    drafts = _each(problems, in_order, lambda source: draft_of(source, shared))
    problems += _clashes(drafts, tables)
    split = [draft.source.name for draft in drafts if draft.source.split is not None]
    inside = {draft.source.name: draft for draft in drafts if draft.config.materialized == "ephemeral"}
    names = Names({draft.source.name: draft.target for draft in drafts}, tables, split, inside)
    renderer = Renderer(shared, names, inside)
    every = {draft.source.name: draft for draft in drafts}
    # A model that could not be drafted is missing among the names: its users would be blamed for it.
    if not problems:
        _each(problems, inside.values(), lambda draft: _usable(draft, renderer))
    models = [] if problems else _each(
        problems,
        [draft for draft in drafts if draft.source.name not in inside],
        lambda draft: _finish(draft, renderer, every, engine),
    )  # fmt: skip
    if problems:
        raise ProjectError(*problems)
    added = add_tests(models, tests, renderer)
    return tuple(
        replace(
            model,
            fingerprint=_fingerprint(model, model.python.identity if model.python else lexer.normal(model.sql), engine),
            frame=_fingerprint(model, "", engine),
        )
        for model in added
    )


def _usable(draft: Draft, renderer: Renderer) -> None:
    """An ephemeral model renders by itself, and carries nothing that needs rows of its own."""
    renderer.select(draft)
    source = draft.source
    if source.tests or source.split is not None:
        where = source.split.where if source.split else source.tests[0].where
        what = f"model {source.name!r} is ephemeral: it has no rows that tests or a contract could look at"
        fix = "Test the models that read it, or write config(materialized='view')"
        raise ProjectError.of("model-check", what, where or str(source.path), fix)


def _each(problems: list[Finding], items: Iterable[In], step: Callable[[In], Out]) -> list[Out]:
    done = []
    for item in items:
        try:
            done.append(step(item))
        except HeadgateError as error:
            problems.extend(error.findings)
    return done


def draft_of(source: ModelSource, settings: Settings) -> Draft:
    """The first pass over one file."""
    path = str(source.path)
    problem = name_problem(source.name)
    if problem:
        raise ProjectError.of("model-name", f"the model name {source.name!r} {problem}", path, "Rename the file")
    draft = python.draft(source) if python.is_python(source) else first_pass(source, settings)
    try:
        draft.config = settled(draft.config, source)
    except Refused as error:
        raise ProjectError.of(error.code, error.what, path, error.fix) from error
    return draft


def _clashes(drafts: Sequence[Draft], loaded: Sequence[TableRef]) -> list[Finding]:
    """Two models of one name, and models that would take the place of a loaded table."""
    problems = []
    names: dict[str, Draft] = {}
    tables = {str(table).casefold() for table in loaded}
    for draft in drafts:
        path, target = str(draft.source.path), str(draft.target)
        first = names.setdefault(draft.source.name.casefold(), draft)
        if first is not draft:
            what = f"the model name {draft.source.name!r} is taken by {first.source.path}"
            problems.append(Finding("model-duplicate", "error", what, path, "Rename one of the two files"))
        if target.casefold() in tables and draft.config.materialized != "ephemeral":
            what = f"the model {target} has the name of a loaded table"
            fix = "Rename the file, or give it another schema with config(schema='...')"
            problems.append(Finding("model-duplicate", "error", what, path, fix))
    return problems


def _finish(draft: Draft, renderer: Renderer, every: Mapping[str, Draft], engine: str) -> Model:
    made = renderer.select(draft)
    function = python.function(draft, renderer) if draft.signature is not None else None
    inputs = {name: where for name, (_, where) in made.inputs.items()}
    incremental = _incremental(draft, renderer, every, inputs, function)
    checks = compiled_checks(draft, renderer, inputs)
    split = _split(draft, renderer.names, inputs)
    if split is not None and incremental is not None:
        incremental = splitting.spelled(incremental, split)
    model = Model(
        name=draft.source.name,
        target=draft.target,
        materialized=cast(Materialized, draft.config.materialized),
        sql=made.sql if function is None else "",
        inputs=tuple(inputs),
        fingerprint="",
        checks=checks,
        path=draft.source.path,
        text=draft.source.text,
        places=tuple(inputs.values()),
        tags=draft.config.tags,
        split=split,
        incremental=incremental,
        snapshot=draft.config.snapshot,
        dialect="postgres" if engine == "postgres" else "duckdb",
        origin=Origin(renderer, draft) if function is None else None,
        python=function,
    )
    units = tuple(compile_unit(spec, draft, renderer) for spec in draft.source.unit_tests)
    return replace(model, warnings=tuple(idiom.lossy(model)), unit_tests=units)


def _incremental(
    draft: Draft,
    renderer: Renderer,
    every: Mapping[str, Draft],
    inputs: dict[str, Location],
    function: Function | None,
) -> Incremental | None:
    config = draft.config
    if config.materialized != "incremental":
        return None
    by_time = bool(config.time_column)
    if function is not None:
        return _of_function(config, function)
    delta = renderer.select(draft, incremental=not by_time)
    for name, (_, where) in delta.inputs.items():
        inputs.setdefault(name, where)
    parts = [lexer.normal(delta.sql), config.time_column, config.interval, config.unique_key]
    return Incremental(
        delta.sql,
        config.strategy or "append",
        config.unique_key,
        config.on_schema_change,
        intervals.intervals(draft, renderer, every) if by_time else None,
        _digest(parts),
    )


def _of_function(config: Config, function: Function) -> Incremental:
    """Its rows can't be told from its text, so late ones are found by the lookback alone."""
    by_time = config.time_column
    times = Intervals(config.time_column, config.interval, config.lookback) if by_time else None
    code = _digest([function.identity, config.time_column, config.interval, config.unique_key])
    return Incremental("", config.strategy or "append", config.unique_key, config.on_schema_change, times, code)


def _split(draft: Draft, names: Names, inputs: dict[str, Location]) -> ModelContract | None:
    """The contract with the tables that it refers to, which become inputs of the model, too."""
    split = draft.source.split
    if split is None:
        return None
    if draft.config.materialized == "view":
        what = f"model {draft.source.name!r} has a contract, and is a view, which holds no rows to split"
        fix = f"Write {{{{ config(materialized='table') }}}} into {draft.source.path}, or make the contract tests"
        raise ProjectError.of("model-contract", what, split.where, fix)
    if draft.config.materialized == "snapshot":
        what = f"model {draft.source.name!r} has a contract, and is a snapshot, which keeps what it is given"
        fix = f"Give the contract to a table that it reads: a row that is refused there is no version of {draft.target}"
        raise ProjectError.of("model-contract", what, split.where, fix)
    references = []
    for rule in split.contract.references:
        where = rule.where or split.where
        found = names.table(rule.to_table)
        if found is None:
            what = f"there is no model or loaded table {rule.to_table}{nearest(rule.to_table, names.tables)}"
            raise ProjectError.of("unknown-table", what, where, "Name it with its schema: references(raw.customers.id)")
        name, table = found
        if table != draft.target:
            inputs.setdefault(name, where)
        references.append(replace(rule, to_table=str(table)))
    made = replace(split, contract=replace(split.contract, references=tuple(references)))
    return splitting.joined(draft, made) if draft.config.materialized == "incremental" else made


def _fingerprint(model: Model, sql: str, engine: str) -> str:
    """What the rows depend on besides the inputs. Tags and places are left out: they change no row."""
    checks = []
    for check in model.checks:
        plain = [check.kind, check.column, check.sql and lexer.normal(check.sql), check.name, check.severity]
        more = [check.columns, check.values, check.to, check.field, check.least, check.most, lexer.normal(check.only)]
        checks.append([*plain, *more] if any(one not in ("", (), None) for one in more) else plain)
    target = model.target
    parts: list[object] = ["1", sql, model.materialized, target.schema, target.name, checks, engine]
    parts += [model.split.contract.digest()] if model.split is not None else []
    parts += [_unit(one) for one in model.unit_tests]
    if (how := model.incremental) is not None:
        lookback = how.intervals.lookback if how.intervals else None
        parts += [how.code, how.strategy, how.on_schema_change, lookback]
    if model.snapshot is not None:
        parts.append(asdict(model.snapshot))
    return _digest(parts)


def _unit(test: UnitTest) -> list[object]:
    """What a unit test says, wherever it stands."""
    given = [[one.name, [dict(row) for row in one.fixture.rows], one.fixture.sql] for one in test.given]
    return [lexer.normal(test.sql), given, [dict(row) for row in test.expect.rows], test.expect.sql]


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

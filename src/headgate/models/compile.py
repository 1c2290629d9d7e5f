"""Model files to models: config and references, physical names, fingerprints.

Two passes over every template. The first collects what `config`, `ref` and `source` say, with calls in branches that
are not taken; then all targets are known, and the second pass fills in physical names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from headgate.core.errors import Finding, HeadgateError, Location, ProjectError, nearest
from headgate.core.values import TableRef
from headgate.models import lexer
from headgate.models.config import Config, name_problem, settled
from headgate.models.model import Model, ModelCheck, ModelContract, ModelSource
from headgate.models.names import Input, Names
from headgate.models.template import Call, Parsed, Refused, current_line, parse, render

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass
class _Draft:
    """A model after the first pass: its config is known, its references are not yet resolved."""

    source: ModelSource
    parsed: Parsed
    config: Config = field(default_factory=Config)
    calls: list[Call] = field(default_factory=list)

    @property
    def target(self) -> TableRef:
        return TableRef(self.config.schema or "main", self.source.name)


def compile_models(sources: Iterable[ModelSource], loaded: Iterable[TableRef], engine: str = "") -> tuple[Model, ...]:
    """Every model with its SQL in physical names, sorted by name.

    `loaded` are the tables of the ingest files; `engine` names engine and version, for the fingerprint.
    *Guarantee*: nothing is executed. The same files give the same models.
    *Errors*: one ProjectError with a finding for every mistake found (`model-template`, `model-config`, `model-name`,
    `model-duplicate`, `unknown-ref`, `ambiguous-ref`, `model-not-select`, `model-check`, `model-contract`,
    `unknown-table`), each with file and line.
    """
    tables = tuple(loaded)
    problems: list[Finding] = []
    drafts = _each(problems, sorted(sources, key=lambda source: (source.name, str(source.path))), _draft)
    problems += _clashes(drafts, tables)
    split = [draft.source.name for draft in drafts if draft.source.split is not None]
    names = Names({draft.source.name: draft.target for draft in drafts}, tables, split)
    # A model that could not be drafted is missing among the names: its users would be blamed for it.
    models = [] if problems else _each(problems, drafts, lambda draft: _finish(draft, names, engine))
    if problems:
        raise ProjectError(*problems)
    return tuple(models)


def _each(problems: list[Finding], items: Iterable[In], step: Callable[[In], Out]) -> list[Out]:
    done = []
    for item in items:
        try:
            done.append(step(item))
        except HeadgateError as error:
            problems.extend(error.findings)
    return done


def _draft(source: ModelSource) -> _Draft:
    path = str(source.path)
    problem = name_problem(source.name)
    if problem:
        raise ProjectError.of("model-name", f"the model name {source.name!r} {problem}", path, "Rename the file")
    draft = _Draft(source, parse(source.text, path))

    def record(word: str) -> Callable[..., str]:
        def call(*arguments: object, **options: object) -> str:
            draft.calls.append(_checked(word, arguments, options))
            return '"_"'

        return call

    render(draft.parsed, {"config": draft.config.take, "ref": record("ref"), "source": record("source")})
    try:
        draft.config = settled(draft.config, source)
    except Refused as error:
        raise ProjectError.of(error.code, error.what, path, error.fix) from error
    return draft


def _checked(word: str, arguments: tuple[object, ...], options: dict[str, object]) -> Call:
    wanted = 1 if word == "ref" else 2
    texts = tuple(item for item in arguments if isinstance(item, str))
    if len(texts) != wanted or len(arguments) != wanted or options:
        takes = "one name" if word == "ref" else "a schema and a table"
        raise Refused("unknown-ref", f"{word}() takes {takes}", "Write ref('orders') or source('raw', 'orders')")
    return Call(word, texts, current_line())


def _clashes(drafts: Sequence[_Draft], loaded: Sequence[TableRef]) -> list[Finding]:
    """Two models of one name, and models that would take the place of a loaded table."""
    problems = []
    names: dict[str, _Draft] = {}
    tables = {str(table).casefold() for table in loaded}
    for draft in drafts:
        path, target = str(draft.source.path), str(draft.target)
        first = names.setdefault(draft.source.name.casefold(), draft)
        if first is not draft:
            what = f"the model name {draft.source.name!r} is taken by {first.source.path}"
            problems.append(Finding("model-duplicate", "error", what, path, "Rename one of the two files"))
        if target.casefold() in tables:
            what = f"the model {target} has the name of a loaded table"
            fix = "Rename the file, or give it another schema with config(schema='...')"
            problems.append(Finding("model-duplicate", "error", what, path, fix))
    return problems


def _finish(draft: _Draft, names: Names, engine: str) -> Model:
    path = str(draft.source.path)
    inputs: dict[str, Location] = {}
    for call in sorted((*draft.parsed.calls, *draft.calls), key=lambda call: call.line):
        inputs.setdefault(_resolve(call, names, path).name, Location(path, call.line))
    text = render(
        draft.parsed,
        {
            "config": lambda *_, **__: "",
            "ref": lambda name: names.ref(name).sql,
            "source": lambda schema, name: names.source(schema, name).sql,
        },
    )
    sql = _one_statement(text, path)
    _expressions(draft.source)
    split = _split(draft, names, inputs)
    return Model(
        name=draft.source.name,
        target=draft.target,
        materialized=draft.config.materialized,
        sql=sql,
        inputs=tuple(inputs),
        fingerprint=_fingerprint(draft, lexer.normal(sql), engine, split),
        checks=draft.source.tests,
        path=draft.source.path,
        text=draft.source.text,
        places=tuple(inputs.values()),
        tags=draft.config.tags,
        split=split,
        frame=_fingerprint(draft, "", engine, split),
        dialect="postgres" if engine == "postgres" else "duckdb",
    )


def _split(draft: _Draft, names: Names, inputs: dict[str, Location]) -> ModelContract | None:
    """The contract with the tables that it refers to, which become inputs of the model, too."""
    split = draft.source.split
    if split is None:
        return None
    if draft.config.materialized == "view":
        what = f"model {draft.source.name!r} has a contract, and is a view, which holds no rows to split"
        fix = f"Write {{{{ config(materialized='table') }}}} into {draft.source.path}, or make the contract tests"
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
    return replace(split, contract=replace(split.contract, references=tuple(references)))


def _resolve(call: Call, names: Names, path: str) -> Input:
    try:
        checked = _checked(call.word, call.arguments, {})
        return names.ref(*checked.arguments) if call.word == "ref" else names.source(*checked.arguments)
    except Refused as error:
        raise ProjectError.of(error.code, error.what, Location(path, call.line), error.fix) from error


def _one_statement(text: str, path: str) -> str:
    count = lexer.statements(text)
    if count == 1:
        return lexer.without_end(text)
    what = f"a model is one SELECT, and this file holds {count} statements" if count else "the model has no SQL"
    fix = "Give every statement its own file under models/" if count else "Write a SELECT"
    raise ProjectError.of("model-not-select", what, path, fix)


def _expressions(source: ModelSource) -> None:
    """Check that every check of the model says what it needs."""
    problems = []
    for check in source.tests:
        problem = _check_problem(check)
        if problem:
            where = str(check.where or source.path)
            what = f"{check.kind} test of model {source.name!r}: {problem}"
            problems.append(Finding("model-check", "error", what, where, "Mend the test"))
    if problems:
        raise ProjectError(*problems)


def _check_problem(check: ModelCheck) -> str:
    if check.kind != "expression":
        return "" if check.column else "it names no column"
    if check.sql is None:
        return "it has no expression"
    problem = lexer.encloses(check.sql)
    return f"the expression {problem}" if problem else ""


def _fingerprint(draft: _Draft, sql: str, engine: str, split: ModelContract | None) -> str:
    """What the rows depend on besides the inputs. Tags and places are left out: they change no row."""
    checks = [
        [check.kind, check.column, check.sql and lexer.normal(check.sql), check.name, check.severity]
        for check in draft.source.tests
    ]
    target = draft.target
    parts = ["1", sql, draft.config.materialized, target.schema, target.name, checks, engine]
    parts += [split.contract.digest()] if split is not None else []
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

"""Unit tests: a model's SELECT over given rows must give the expected ones. No table is read or written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from headgate.core.errors import Finding, HeadgateError, ProjectError, nearest
from headgate.core.protocols import Answer, StoreSession
from headgate.models import lexer
from headgate.models.context import Relation
from headgate.models.names import Input
from headgate.models.python import compile as python
from headgate.models.python.function import Read
from headgate.models.render import Draft, Renderer, calls_of
from headgate.models.unit import Fixture, Given, Row, UnitSpec, UnitTest
from headgate.sql import quote

SHOWN = 3
"""So many rows of a difference are told in words; the evidence has all."""


def compile_unit(spec: UnitSpec, draft: Draft, renderer: Renderer) -> UnitTest:
    """Raises ProjectError `unit-test` for an input that is not given, or given and not read."""
    settings = replace(renderer.settings, vars={**renderer.settings.vars, **spec.vars})
    own = replace(renderer, settings=settings)
    given: dict[str, Given] = {}
    for number, (said, fixture) in enumerate(spec.given):
        part = quote.ident(f"_hg_given_{number}")
        if said == "this":
            given["this"] = Given("this", part, draft.target, fixture)
            continue
        one = _input(said, fixture, own)
        given[one.name] = Given(one.name, part, one.table, fixture)

    def read(one: Input) -> str:
        return given[one.name].part if one.name in given else one.sql

    this = Relation(given["this"].part, draft.target.schema, draft.target.name) if "this" in given else None
    made = own.select(draft, spec.incremental, read, this)
    missing = [name for name in made.inputs if name not in given]
    if missing:
        what = f"unit test {spec.name!r} gives no rows for {missing[0]}, which model {draft.source.name!r} reads"
        raise ProjectError.of("unit-test", what, spec.where, f"Add - input: ref('{missing[0]}') with rows: []")
    strange = [one for name, one in given.items() if name != "this" and name not in made.inputs]
    if strange:
        what = (
            f"unit test {spec.name!r} gives rows for {strange[0].name}, which model {draft.source.name!r} does not read"
        )
        fix = "Give what the model reads: " + ", ".join(made.inputs)
        raise ProjectError.of("unit-test", what, strange[0].fixture.where, fix)
    if draft.signature is not None:
        function = python.function(draft, own, read, given["this"].part if "this" in given else "")
        function = function if spec.incremental and "this" in given else replace(function, this=None)
        return UnitTest(spec.name, spec.where, "", tuple(given.values()), spec.expect, "", function)
    whole = own.select(draft, False, read, this).sql if spec.incremental else made.sql
    return UnitTest(spec.name, spec.where, made.sql, tuple(given.values()), spec.expect, whole)


def _input(said: str, fixture: Fixture, renderer: Renderer) -> Input:
    calls = calls_of("{{ " + said + " }}", str(fixture.where))
    if len(calls) != 1:
        what = f"{said!r} names no input"
        raise ProjectError.of("unit-test", what, fixture.where, "Write input: ref('orders') or source('raw', 'orders')")
    try:
        one = renderer.resolve(replace(calls[0], line=0), "")
    except HeadgateError as error:
        raise ProjectError(*(replace(found, where=str(fixture.where)) for found in error.findings)) from error
    if one.ephemeral:
        what = f"{one.name} is ephemeral: it is a part of the model"
        raise ProjectError.of("unit-test", what, fixture.where, "Give the rows that the ephemeral model reads")
    return one


def failures(session: StoreSession, model: str, tests: Sequence[UnitTest]) -> list[Finding]:
    """A finding for every unit test that fails, or can't be run: `unit-test-failed`, `unit-test`.

    Columns are given the types of the relations that stand; where none stands, numbers, flags and texts are what they
    look like.
    """
    found = []
    for test in tests:
        try:
            problem = _tried(session, model, test)
        except Exception as error:
            trouble = session.trouble(error)
            if not isinstance(error, ValueError) and (trouble is None or trouble.kind in ("stopped", "other")):
                raise
            why = trouble.message if trouble is not None else error
            what = f"unit test {test.name!r} of model {model!r} can't be run: {why}"
            problem = Finding("unit-test", "error", what, str(test.where), "Mend the test or the model")
        found += [problem] if problem is not None else []
    return found


def _tried(session: StoreSession, model: str, test: UnitTest) -> Finding | None:
    parts: list[tuple[str, str]] = []
    for given in sorted(test.given, key=lambda one: one.name == "this"):
        columns = session.columns(given.table)
        if given.name == "this" and columns is None and test.python is None:
            columns = session.answer(lexer.with_parts(test.whole, parts), 0).columns
        parts.append((given.part, _select(given.name, given.fixture, columns)))
    actual = _actual(session, test, parts)
    kinds = {name.casefold(): kind for name, kind in actual.columns}
    names = test.expect.columns or [name for name, _ in actual.columns]
    if test.expect.sql:
        shape = session.answer(test.expect.sql, 0).columns
        names = [name for name, _ in shape]
    unknown = [name for name in names if name.casefold() not in kinds]
    if unknown:
        have = [name for name, _ in actual.columns]
        raise ValueError(f"the model has no column {unknown[0]!r}{nearest(unknown[0], have)}")
    wanted = [(name, kinds[name.casefold()]) for name in names]
    expected = session.answer(_expected(test.expect, wanted), None)
    at = [[name.casefold() for name, _ in actual.columns].index(name.casefold()) for name in names]
    exact = [kind.lower().startswith(("decimal", "numeric")) for _, kind in wanted]
    found = [_plain([row[one] for one in at], exact) for row in actual.rows]
    return _difference(model, test, names, found, [_plain(row, exact) for row in expected.rows])


def _actual(session: StoreSession, test: UnitTest, parts: list[tuple[str, str]]) -> Answer:
    """What the model gives for these parts."""
    if test.python is None:
        return session.answer(lexer.with_parts(test.sql, parts), None)
    from headgate.models.python.call import rows_of

    def over(read: Read) -> Read:
        return replace(read, select=lexer.with_parts(read.select, parts))

    own = test.python
    this = over(own.this) if own.this is not None else None
    function = replace(own, inputs=tuple(over(one) for one in own.inputs), this=this)
    with rows_of(session, function, adds=this is not None) as select:
        return session.answer(select, None)


def _plain(row: Sequence[Any], exact: Sequence[bool]) -> list[Any]:
    """Decimals without the zeros at their end, of which some systems keep as many as were written."""
    return [
        f"{Decimal(str(value)).normalize():f}" if is_exact and value is not None else value
        for value, is_exact in zip(row, exact, strict=True)
    ]


def _expected(fixture: Fixture, columns: Sequence[tuple[str, str]]) -> str:
    if not fixture.sql:
        return _rows(fixture.rows, columns)
    casts = ", ".join(f"CAST({quote.ident(name)} AS {kind}) AS {quote.ident(name)}" for name, kind in columns)
    return f"SELECT {casts} FROM (\n{fixture.sql}\n) AS _hg_expected"


def _select(name: str, fixture: Fixture, columns: Sequence[tuple[str, str]] | None) -> str:
    """The given rows. A column that none of them names is NULL."""
    if fixture.sql:
        return fixture.sql
    if columns is None:
        return _rows(fixture.rows, [(one, _guessed(fixture.rows, one)) for one in fixture.columns])
    shown = [(one, kind) for one, kind in columns if not one.startswith("_hg_")]
    have = {one.casefold() for one, _ in shown}
    for one in (one for one in fixture.columns if one.casefold() not in have):
        raise ValueError(f"{name} has no column {one!r}{nearest(one, [column for column, _ in shown])}")
    return _rows(fixture.rows, shown)


def _rows(rows: Sequence[Row], columns: Sequence[tuple[str, str]]) -> str:
    if not columns:
        raise ValueError("no column is named, and no relation stands that would tell them")
    selects = []
    for row in rows:
        folded = {name.casefold(): value for name, value in row.items()}
        cells = (
            f"CAST({_literal(folded.get(one.casefold()))} AS {kind}) AS {quote.ident(one)}" for one, kind in columns
        )
        selects.append("SELECT " + ", ".join(cells))
    if selects:
        return " UNION ALL ".join(selects)
    return (
        "SELECT " + ", ".join(f"CAST(NULL AS {kind}) AS {quote.ident(one)}" for one, kind in columns) + " WHERE 1 = 0"
    )


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    return quote.literal(json.dumps(value) if isinstance(value, list | dict) else str(value))


def _guessed(rows: Sequence[Row], column: str) -> str:
    kinds = {type(row[column]) for row in rows if row.get(column) is not None}
    if kinds and kinds <= {int}:
        return "BIGINT"
    if kinds and kinds <= {int, float}:
        return "DOUBLE PRECISION"
    return "BOOLEAN" if kinds == {bool} else "VARCHAR"


def _difference(
    model: str, test: UnitTest, names: Sequence[str], actual: list[list[Any]], expected: list[list[Any]]
) -> Finding | None:
    have, want = (Counter(json.dumps(row, default=str) for row in rows) for rows in (actual, expected))
    missing, extra = list((want - have).elements()), list((have - want).elements())
    if not missing and not extra:
        return None
    told = [f"{_told(names, missing)} expected and not given"] if missing else []
    told += [f"{_told(names, extra)} given and not expected"] if extra else []
    what = f"unit test {test.name!r} of model {model!r}: {'; '.join(told)}"
    evidence = {"model": model, "test": test.name, "columns": list(names)}
    rows = {"missing": [json.loads(one) for one in missing], "extra": [json.loads(one) for one in extra]}
    return Finding(
        "unit-test-failed", "error", what, str(test.where), "Mend the model or the test", {**evidence, **rows}
    )


def _told(names: Sequence[str], rows: Sequence[str]) -> str:
    """The first rows, in the words of the test."""
    shown = [dict(zip(names, json.loads(row), strict=True)) for row in rows[:SHOWN]]
    listed = ", ".join("{" + ", ".join(f"{name}: {value}" for name, value in row.items()) + "}" for row in shown)
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"{listed}{more}"

"""What a step is, why it would run, and where the time of a model's query goes. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from headgate.books.known import Known
from headgate.core.errors import Finding, ProjectError
from headgate.core.profile import Operator, Profile
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models import explain as told_of
from headgate.models.build import told
from headgate.models.model import Model
from headgate.models.names import read_view
from headgate.project.model import Task
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.run.plan import Asked, Planned, plan
from headgate.run.selector import Selection
from headgate.run.stale import inputs_of, missing_inputs
from headgate.sql import quote

MANY = 10_000
"""Fewer rows than this are nothing to speak of."""
BIG_SCAN = 500_000
"""Rows: some four row groups of DuckDB, the least that can be pruned by more than half."""
KEPT, GROWN, OFF = 10, 3, 100
"""A filter keeps less than 1 row of 10; a join gives 3 times its larger side; an estimate is off by 100."""


Step = Flow | Model | Task


@dataclass(frozen=True)
class Explained:
    """`sql`: the SELECT that a run would carry out, `joins`: it adds to rows that stand; empty for a load or task."""

    step: Step
    planned: Planned
    sql: str = ""
    joins: bool = False


def explain(session: StoreSession, pipeline: Pipeline, name: str, full_refresh: bool = False) -> Explained:
    """The one step of this name. Raises ProjectError `unknown-step`."""
    step = _named(pipeline, name)
    steps = plan(pipeline, session, Asked(Selection((f"+{step.name}",)), full_refresh))
    planned = next(one for one in steps if one.id == step.name)
    if not isinstance(step, Model):
        return Explained(step, planned)
    adds = step.incremental is not None and step.incremental.intervals is None and not full_refresh
    if adds and session.standing(step.target) == "table" and step.incremental is not None:
        return Explained(step, planned, step.incremental.sql, joins=True)
    return Explained(step, planned, step.sql)


def _named(pipeline: Pipeline, name: str) -> Step:
    """The one step of this name, or of this table."""
    found = [node.id for node in pipeline.web.nodes if name.lower() in node.names]
    if len(found) != 1:
        several = sorted(found or Selection((name,)).chosen(pipeline.web))
        what = f"{name!r} is {len(several)} steps, and one is explained at a time: {', '.join(several[:5])}"
        raise ProjectError.of("unknown-step", what, name, "name one of them")
    steps: list[Step] = [*pipeline.flows, *pipeline.models, *pipeline.tasks]
    return next(step for step in steps if step.name == found[0])


def analyze(session: StoreSession, pipeline: Pipeline, explained: Explained) -> tuple[Profile, list[Finding]]:
    """Runs the model's SELECT, keeps none of its rows, and says what stands out.

    *Errors*: ProjectError `no-query` for a load; those of a model whose inputs don't stand, or whose SQL is refused.
    """
    model = explained.step
    if not isinstance(model, Model) or not explained.sql:
        what = f"{model.name} has no query of its own: there is nothing to analyze"
        raise ProjectError.of("no-query", what, model.name, "name a SQL model: headgate plan lists them")
    model = replace(model, sql=explained.sql, incremental=None)
    inputs = inputs_of(model, pipeline)
    if lacking := missing_inputs(session, inputs, Known()):
        what = f"{lacking[0]} has not been loaded or built yet"
        raise ProjectError.of("input-missing", what, model.name, f"headgate run +{model.name}")
    if (problem := told_of.select_problem(session, model)) is not None:
        raise ProjectError(problem)
    for table in inputs.loaded:
        model = _reading(session, model, table)
    try:
        profile = session.analyze(model.sql)
    except Exception as error:
        raise ProjectError(told_of.sql_failed(model, told(session, error), prefix_lines=0)) from error
    return profile, list(_findings(profile, model.name))


def _reading(session: StoreSession, model: Model, table: TableRef) -> Model:
    """The model, reading the table itself where the view for models does not stand yet: the next build makes it."""
    view = read_view(table)
    if session.columns(view) is not None:
        return model
    names = [name for name, _ in session.columns(table) or [] if not name.startswith("_hg_")]
    rows = f"SELECT {quote.columns(names)} FROM {quote.table(table)}"
    from headgate.sql.inline import inlined

    return replace(model, sql=inlined(model.sql, model.dialect, view, rows))


def _findings(profile: Profile, name: str) -> Iterator[Finding]:
    if profile.spilled:
        what = f"{profile.spilled / 1e6:,.0f} MB did not fit in memory and went to disk"
        fix = "select fewer columns and rows before the join or sort, or give the engine more memory"
        yield Finding("analyze-spill", "warning", what, name, fix, {"bytes": profile.spilled})
    for operator in profile.operators:
        for judge in (_unpruned, _fanned, _crossed, _misjudged):
            if (found := judge(operator, name)) is not None:
                yield found


def _unpruned(one: Operator, name: str) -> Finding | None:
    if not one.filtered or one.scanned is None or one.scanned < BIG_SCAN or one.rows * KEPT > one.scanned:
        return None
    what = f"{one.scanned:,} rows were read to keep {one.rows:,}: the filter skips nothing ({one.about})"
    fix = "store the table in the order of the filtered column (ORDER BY in the model that builds it), or index it"
    return _finding("analyze-no-pruning", what, name, fix, one)


def _fanned(one: Operator, name: str) -> Finding | None:
    larger = max(one.inputs, default=0)
    if one.role != "join" or not all(one.inputs) or one.rows < MANY or one.rows < GROWN * larger:
        return None
    what = f"a join makes {one.rows:,} rows out of {' and '.join(f'{rows:,}' for rows in one.inputs)}: {one.about}"
    fix = "see that the key of one side is unique (tests: [unique]), or aggregate that side before the join"
    return _finding("analyze-fan-out", what, name, fix, one)


def _crossed(one: Operator, name: str) -> Finding | None:
    if one.role != "cross" or one.rows < MANY:
        return None
    what = f"every row of one side meets every row of the other: {one.rows:,} rows"
    return _finding("analyze-cross-product", what, name, "give the join its condition", one)


def _misjudged(one: Operator, name: str) -> Finding | None:
    if one.estimated is None or one.role == "other":
        return None
    most, least = max(one.rows, one.estimated), max(1, min(one.rows, one.estimated))
    if most < MANY or most < OFF * least:
        return None
    what = f"{one.name} gave {one.rows:,} rows, and {one.estimated:,} were expected: joins may be in the wrong order"
    fix = "let the warehouse count anew (ANALYZE), or build the part before it as a table of its own"
    return _finding("analyze-estimate", what, name, fix, one)


def _finding(code: str, what: str, name: str, fix: str, one: Operator) -> Finding:
    return Finding(code, "warning", what, name, fix, {"operator": one.name, "rows": one.rows})

"""Build, check, swap: a model is shown only after its checks have passed on its rows.

All of it is one transaction of the session, with the entry in the books inside: after a failure at any instant the
relation that was published before is still there, and nothing is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from headgate.core.errors import Finding, HeadgateError, InternalError, nearest
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession, Trouble
from headgate.core.values import TableRef
from headgate.models import explain
from headgate.models.checks import Counts, count, failing
from headgate.models.direct import direct_reads
from headgate.models.model import STAGE_MARK, BuildOutcome, Model, ModelCheck
from headgate.sql import quote

# Cheap to read; only the first column is taken where none of them is there.
_FIXED_WIDTH = ("BIGINT", "INTEGER", "DATE", "DOUBLE", "BOOLEAN", "TIMESTAMP", "SMALLINT", "UUID")

Record = Callable[[StoreSession, BuildOutcome], None]
Standing = Literal["", "table", "view"]
LONGEST = 36
"""Bytes of the model's name that its stage begins with: PostgreSQL keeps 63 of a name."""


@dataclass(frozen=True)
class _Staged:
    ref: TableRef
    columns: tuple[tuple[str, str], ...]
    reported: int | None


class BuildFailed(Exception):
    """The model's own fault: everything is to be rolled back, and told in the outcome."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].what)
        self.findings = tuple(findings)


def staged_ref(target: TableRef, attempt: str) -> TableRef:
    """Where a relation stands before it is swapped in."""
    head = target.name.encode()[:LONGEST].decode(errors="ignore")
    return TableRef(target.schema, f"{head}{STAGE_MARK}{attempt}")


def build(
    session: StoreSession, model: Model, attempt: str, record: Record, confirm: Record | None = None
) -> BuildOutcome:
    """The published model, or a `failed` outcome whose findings say why nothing changed.

    `record(session, outcome)` runs inside the transaction after the swap: what it writes commits with the model, and if
    it raises, nothing is kept. `confirm(session, outcome)` runs after COMMIT, in no transaction, before anything is
    acknowledged: it reads the entry back, because a COMMIT without an error is no proof, nor is one with an error that
    it failed. It raises HeadgateError where the entry is not there.

    *Guarantee*: old or new relation, never none, never half; the session is left outside of a transaction.
    *Errors*: the model's own mistakes are in the outcome (`model-sql`, `model-not-select`, `model-check`,
    `check-failed`); whatever else goes wrong is raised after a ROLLBACK.
    """
    failed = BuildOutcome(model.name, model.target, model.materialized, attempt, model.fingerprint, "failed")
    problem = explain.select_problem(session, model)
    if problem is not None:
        return replace(failed, findings=(problem,))
    fault("before_write")
    try:
        session.execute("BEGIN")
        outcome = finish(session, prepare(session, model, attempt), attempt, record)
        commit(session, None if confirm is None else partial(confirm, session, outcome))
    except BuildFailed as error:
        session.execute("ROLLBACK")
        return replace(failed, findings=error.findings)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            session.abandon()
        raise
    fault("after_commit")
    if confirm is not None:
        confirm(session, outcome)
    fault("before_ack")
    return outcome


def commit(session: StoreSession, confirm: Callable[[], None] | None) -> None:
    """COMMIT; an error of its own is settled by `confirm`, which raises HeadgateError where nothing was kept."""
    try:
        session.execute("COMMIT")
    except Exception as error:
        session.abandon()
        if confirm is None:
            raise
        try:
            confirm()
        except HeadgateError:
            raise error from None


@dataclass(frozen=True)
class Prepared:
    """A model that is staged beside its target, and has passed its checks there."""

    model: Model
    staged: _Staged
    rows: int | None
    warnings: tuple[Finding, ...]


def prepare(session: StoreSession, model: Model, attempt: str) -> Prepared:
    """Stages and checks the model within the open transaction. Raises BuildFailed for the model's own mistakes."""
    fault("after_begin")
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(model.target.schema)}")
    staged = _stage(session, model, attempt)
    fault("after_stage")
    rows, warnings = _judge(session, model, staged)
    fault("after_decide")
    return Prepared(model, staged, rows, warnings)


def finish(session: StoreSession, prepared: Prepared, attempt: str, record: Record) -> BuildOutcome:
    """Swaps the model in, and records it, within the open transaction."""
    model = prepared.model
    replaced = session.swap(prepared.staged.ref, model.target, model.materialized)
    outcome = BuildOutcome(
        model.name,
        model.target,
        model.materialized,
        attempt,
        model.fingerprint,
        "built",
        rows=prepared.rows,
        columns=prepared.staged.columns,
        replaced=replaced,
        findings=prepared.warnings,
    )
    record(session, outcome)
    fault("after_write")
    return outcome


def _stage(session: StoreSession, model: Model, attempt: str) -> _Staged:
    ref = staged_ref(model.target, attempt)
    try:
        answer = session.execute(f"CREATE {_word(model.materialized)} {quote.table(ref)} AS\n{model.sql}")
    except Exception as error:
        raise BuildFailed([explain.sql_failed(model, _told(session, error), prefix_lines=1)]) from error
    columns = tuple(session.columns(ref) or ())
    reported = answer[0][0] if answer and isinstance(answer[0][0], int) else None
    return _Staged(ref, columns, reported if model.materialized == "table" else None)


def stage_rows(session: StoreSession, model: Model, name: str) -> int:
    """Makes the temporary table `name` of the model's rows; how many the engine says there are.

    Raises BuildFailed for the model's own mistakes.
    """
    try:
        answer = session.execute(f"CREATE TEMP TABLE {name} AS\n{model.sql}")
    except Exception as error:
        raise BuildFailed([explain.sql_failed(model, _told(session, error), prefix_lines=1)]) from error
    return int(answer[0][0])


def inspect(session: StoreSession, model: Model, ref: TableRef) -> tuple[Finding, ...]:
    """Runs the model's checks on the rows that stand staged at `ref`: warnings. Raises BuildFailed where one fails."""
    return _judge(session, model, _Staged(ref, tuple(session.columns(ref) or ()), None))[1]


def _told(session: StoreSession, error: Exception) -> Trouble:
    """What the engine says of the model; whatever is not the model's fault is raised again."""
    trouble = session.trouble(error)
    if trouble is None or trouble.kind in ("stopped", "other"):
        raise error
    return trouble


def _judge(session: StoreSession, model: Model, staged: _Staged) -> tuple[int | None, tuple[Finding, ...]]:
    """Rows (None for a view) and warnings. Raises BuildFailed if a check of severity error fails or is no check."""
    problems = [problem for check in model.checks if (problem := _unknown_column(model, check, staged))]
    if problems:
        raise BuildFailed(problems)
    if model.materialized == "view" and not model.checks:
        return None, ()
    counts = _counts(session, model, staged)
    if staged.reported is not None and staged.reported != counts.rows:
        what = f"{staged.reported} rows were written to {staged.ref}, and a scan finds {counts.rows}"
        raise InternalError.of(
            "rows-vanished", what, str(model.target), "Run again; report it with the engine's version"
        )
    findings = [
        explain.check_failed(model, check, number)
        for check, number in zip(model.checks, counts.failing, strict=True)
        if number
    ]
    if any(finding.level == "error" for finding in findings):
        raise BuildFailed(sorted(findings, key=lambda finding: finding.level != "error"))
    return (counts.rows if model.materialized == "table" else None), tuple(findings)


def _unknown_column(model: Model, check: ModelCheck, staged: _Staged) -> Finding | None:
    names = [name for name, _ in staged.columns]
    if check.column is None or check.column.casefold() in {name.casefold() for name in names}:
        return None
    what = f"the test {check.label} of model {model.name!r}: there is no column {check.column!r}"
    fix = "Name a column of the model: " + ", ".join(names)
    where = str(check.where or model.path)
    return Finding("model-check", "error", what + nearest(check.column, names), where, fix)


def _counts(session: StoreSession, model: Model, staged: _Staged) -> Counts:
    relation = f"{quote.table(staged.ref)} AS {quote.ident(model.name)}"
    cheap = (name for name, kind in staged.columns if kind.upper() in _FIXED_WIDTH)
    try:
        return count(session, model.checks, relation, next(cheap, staged.columns[0][0]))
    except Exception as error:
        raise BuildFailed([_culprit(session, model, relation, _told(session, error))]) from error


def _culprit(session: StoreSession, model: Model, relation: str, trouble: Trouble) -> Finding:
    """Which check it was. An error while rows were read ends the transaction: then only the list of them is known."""
    suspects = [check for check in model.checks if check.kind == "expression"]
    for check in suspects:
        try:
            session.execute(f"EXPLAIN {failing(check, relation)}")
        except Exception as error:
            own = session.trouble(error)
            if own is not None and own.kind == "text":
                return explain.check_broken(model, [check], own)
    if model.materialized == "view" or not suspects:
        return explain.sql_failed(model, trouble, prefix_lines=None)
    return explain.check_broken(model, suspects, trouble)


def _word(kind: str) -> str:
    return "VIEW" if kind == "view" else "TABLE"


def check_models(session: StoreSession, models: Sequence[Model], loaded: Iterable[TableRef] = ()) -> list[Finding]:
    """What speaks against these models before anything is executed (for `headgate check`).

    *Errors*: findings `model-not-select` and `model-sql` from the engine's parser, warnings `direct-read`.
    """
    problems = [problem for model in models if (problem := explain.select_problem(session, model)) is not None]
    return problems + direct_reads(models, loaded)

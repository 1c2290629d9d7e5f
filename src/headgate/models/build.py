"""Build, check, swap: a model is shown only after its checks have passed on its rows.

All of it is one transaction of the session, with the entry in the books inside: after a failure at any instant the
relation that was published before is still there, and nothing is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, cast

from headgate.core.errors import Finding, InternalError, nearest
from headgate.core.faults import fault
from headgate.core.protocols import Session
from headgate.core.values import TableRef
from headgate.models import explain
from headgate.models.checks import Counts, count, failing
from headgate.models.direct import direct_reads
from headgate.models.model import STAGE_MARK, BuildOutcome, Model, ModelCheck
from headgate.sql import quote

Record = Callable[[Session, BuildOutcome], None]
Standing = Literal["", "table", "view"]

# Cheap to hash; only the first column is taken where none of them is there.
_FIXED_WIDTH = ("BIGINT", "INTEGER", "DATE", "DOUBLE", "BOOLEAN", "TIMESTAMP", "SMALLINT", "UUID")


@dataclass(frozen=True)
class _Staged:
    ref: TableRef
    columns: tuple[tuple[str, str], ...]
    reported: int | None


class _Failed(Exception):
    """The model's own fault: everything is rolled back and told in the outcome."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].what)
        self.findings = tuple(findings)


def staged_ref(target: TableRef, attempt: str) -> TableRef:
    """Where a relation stands before it is swapped in."""
    return TableRef(target.schema, f"{target.name}{STAGE_MARK}{attempt}")


def build(session: Session, model: Model, attempt: str, record: Record, confirm: Record | None = None) -> BuildOutcome:
    """The published model, or a `failed` outcome whose findings say why nothing changed.

    `record(session, outcome)` runs inside the transaction after the swap: what it writes commits with the model, and if
    it raises, nothing is kept. `confirm(session, outcome)` runs after COMMIT, in no transaction, before anything is
    acknowledged: it reads the entry back, because a COMMIT without an error is no proof.

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
        outcome = _in_transaction(session, model, attempt, record)
        session.execute("COMMIT")
    except _Failed as error:
        session.execute("ROLLBACK")
        return replace(failed, findings=error.findings)
    except BaseException:
        _roll_back(session)
        raise
    fault("after_commit")
    if confirm is not None:
        confirm(session, outcome)
    fault("before_ack")
    return outcome


def _roll_back(session: Session) -> None:
    # After a failed BEGIN or COMMIT there may be no transaction; the first error is the one to tell.
    with suppress(Exception):
        session.execute("ROLLBACK")


def _in_transaction(session: Session, model: Model, attempt: str, record: Record) -> BuildOutcome:
    fault("after_begin")
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(model.target.schema)}")
    staged = _stage(session, model, attempt)
    fault("after_stage")
    rows, warnings = _judge(session, model, staged)
    fault("after_decide")
    replaced = _swap(session, model, staged.ref)
    outcome = BuildOutcome(
        model.name,
        model.target,
        model.materialized,
        attempt,
        model.fingerprint,
        "built",
        rows=rows,
        columns=staged.columns,
        replaced=replaced,
        findings=warnings,
    )
    record(session, outcome)
    fault("after_write")
    return outcome


def _stage(session: Session, model: Model, attempt: str) -> _Staged:
    ref = staged_ref(model.target, attempt)
    try:
        answer = session.execute(f"CREATE {_word(model.materialized)} {quote.table(ref)} AS\n{model.sql}")
    except Exception as error:
        if _is_interrupt(error):
            raise
        raise _Failed([explain.sql_failed(model, error, prefix_lines=1)]) from error
    columns = tuple((str(row[0]), str(row[1])) for row in session.execute(f"DESCRIBE {quote.table(ref)}"))
    reported = answer[0][0] if answer and isinstance(answer[0][0], int) else None
    return _Staged(ref, columns, reported if model.materialized == "table" else None)


def _is_interrupt(error: Exception) -> bool:
    return type(error).__name__ == "InterruptException"


def _judge(session: Session, model: Model, staged: _Staged) -> tuple[int | None, tuple[Finding, ...]]:
    """Rows (None for a view) and warnings. Raises _Failed if a check of severity error fails or can't be evaluated."""
    problems = [problem for check in model.checks if (problem := _unknown_column(model, check, staged))]
    if problems:
        raise _Failed(problems)
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
        raise _Failed(sorted(findings, key=lambda finding: finding.level != "error"))
    return (counts.rows if model.materialized == "table" else None), tuple(findings)


def _unknown_column(model: Model, check: ModelCheck, staged: _Staged) -> Finding | None:
    names = [name for name, _ in staged.columns]
    if check.column is None or check.column.casefold() in {name.casefold() for name in names}:
        return None
    what = f"the test {check.label} of model {model.name!r}: there is no column {check.column!r}"
    fix = "Name a column of the model: " + ", ".join(names)
    where = str(check.where or model.path)
    return Finding("model-check", "error", what + nearest(check.column, names), where, fix)


def _counts(session: Session, model: Model, staged: _Staged) -> Counts:
    relation = f"{quote.table(staged.ref)} AS {quote.ident(model.name)}"
    cheap = (name for name, kind in staged.columns if kind in _FIXED_WIDTH)
    try:
        return count(session, model.checks, relation, next(cheap, staged.columns[0][0]))
    except Exception as error:
        if _is_interrupt(error):
            raise
        raise _Failed([_culprit(session, model, relation, error)]) from error


def _culprit(session: Session, model: Model, relation: str, error: Exception) -> Finding:
    """Which check it was. An error while rows were read ends the transaction: then only the list of them is known."""
    suspects = [check for check in model.checks if check.kind == "expression"]
    for check in suspects:
        try:
            session.execute(f"DESCRIBE {failing(check, relation)}")
        except Exception as own:
            if explain.speaks_of_text(own):
                return explain.check_broken(model, [check], own)
    if model.materialized == "view" or not suspects:
        return explain.sql_failed(model, error, prefix_lines=None)
    return explain.check_broken(model, suspects, error)


def _swap(session: Session, model: Model, staged: TableRef) -> Standing:
    """Put the staged relation in the target's place. Views that read the target find the new one by its name."""
    standing = standing_at(session, model.target)
    if standing:
        session.execute(f"DROP {_word(standing)} {quote.table(model.target)}")
    session.execute(
        f"ALTER {_word(model.materialized)} {quote.table(staged)} RENAME TO {quote.ident(model.target.name)}"
    )
    return standing


def _word(kind: str) -> str:
    return "VIEW" if kind == "view" else "TABLE"


def standing_at(session: Session, target: TableRef) -> Standing:
    """What stands at this name now: "table", "view" or "" for nothing. Case does not count, as for the engine."""
    found = session.execute(
        "SELECT 'table' FROM duckdb_tables() WHERE database_name = current_database()"
        " AND lower(schema_name) = lower($1) AND lower(table_name) = lower($2)"
        " UNION ALL SELECT 'view' FROM duckdb_views() WHERE database_name = current_database()"
        " AND lower(schema_name) = lower($1) AND lower(view_name) = lower($2)",
        [target.schema, target.name],
    )
    return cast(Standing, found[0][0]) if found else ""


def collect(session: Session, targets: Collection[TableRef], live_attempts: Collection[str]) -> list[str]:
    """Drop what attempts that are no longer alive left beside these targets; the names dropped, sorted.

    A build in one transaction leaves nothing behind. Only names `<target>__hg_<attempt>` are touched.
    """
    heads = {(target.schema.casefold(), target.name.casefold()) for target in targets}
    dropped = []
    for kind, schema, name in session.execute(
        "SELECT 'table', schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
        " UNION ALL SELECT 'view', schema_name, view_name FROM duckdb_views()"
        " WHERE database_name = current_database() AND NOT internal"
    ):
        head, mark, attempt = str(name).rpartition(STAGE_MARK)
        if mark and (str(schema).casefold(), head.casefold()) in heads and attempt not in live_attempts:
            ref = TableRef(str(schema), str(name))
            session.execute(f"DROP {_word(str(kind))} {quote.table(ref)}")
            dropped.append(str(ref))
    return sorted(dropped)


def check_models(session: Session, models: Sequence[Model], loaded: Iterable[TableRef] = ()) -> list[Finding]:
    """What speaks against these models before anything is executed (for `headgate check`).

    *Errors*: findings `model-not-select` and `model-sql` from the engine's parser, warnings `direct-read`.
    """
    problems = [problem for model in models if (problem := explain.select_problem(session, model)) is not None]
    return problems + direct_reads(session, models, loaded)

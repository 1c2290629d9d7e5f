"""Build, check, swap: a model is shown only after its checks have passed on its rows.

All of it is one transaction of the session, with the entry in the books inside: after a failure at any instant the
relation that was published before is still there, and nothing is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from functools import partial
from typing import Literal

from headgate.core.errors import Finding, HeadgateError, InternalError, nearest
from headgate.core.faults import fault
from headgate.core.protocols import StoreSession, Trouble
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models import checks, explain
from headgate.models.checks import FLAT, Counts, count
from headgate.models.direct import direct_reads
from headgate.models.failed import BuildFailed, ChecksFailed, Staged, shown
from headgate.models.left import forget, leave
from headgate.models.model import STAGE_MARK, BuildOutcome, Model, ModelCheck
from headgate.sql import quote

# Cheap to read; only the first column is taken where none of them is there.
_FIXED_WIDTH = ("BIGINT", "INTEGER", "DATE", "DOUBLE", "BOOLEAN", "TIMESTAMP", "SMALLINT", "UUID")

Record = Callable[[StoreSession, BuildOutcome], None]
Finish = Callable[[StoreSession, "Prepared"], BuildOutcome]
Standing = Literal["", "table", "view"]
LONGEST = 36
"""Bytes of the model's name that its stage begins with: PostgreSQL keeps 63 of a name."""


@dataclass(frozen=True)
class How:
    """How to build a model that adds to what stands: `full` = all rows anew; `seen` = the version of its table on which
    it was decided that it is to be built (None: there was none); `again` = from when to when its intervals are built
    besides; `adds` = its rows are known already, and are to be added to those that stand; `at` = the instant, as
    `clock.stamp` gives it, at which snapshots find what they find (empty: now); `left` = what earlier builds left of
    rows that failed (None: not known).
    """

    full: bool = False
    seen: int | None = None
    again: tuple[str, str] | None = None
    adds: bool = False
    at: str = ""
    left: frozenset[TableRef] | None = None

    @property
    def as_needed(self) -> bool:
        """Nothing is asked for but what is new."""
        return not self.full and self.again is None


AS_NEEDED = How()
"""What is new, and nothing else."""


def staged_ref(target: TableRef, attempt: str) -> TableRef:
    """Where a relation stands before it is swapped in."""
    head = target.name.encode()[:LONGEST].decode(errors="ignore")
    return TableRef(target.schema, f"{head}{STAGE_MARK}{attempt}")


def build(
    session: StoreSession,
    model: Model,
    attempt: str,
    record: Record,
    confirm: Record | None = None,
    how: How = AS_NEEDED,
) -> BuildOutcome:
    """The published model, or a `failed` outcome whose findings say why nothing changed.

    `record(session, outcome)` runs inside the transaction after the swap: what it writes commits with the model, and if
    it raises, nothing is kept. `confirm(session, outcome)` runs after COMMIT, in no transaction, before anything is
    acknowledged: it reads the entry back, because a COMMIT without an error is no proof, nor is one with an error that
    it failed. It raises HeadgateError where the entry is not there.

    *Guarantee*: old or new relation, never none, never half; the session is left outside of a transaction. Rows that
    fail a check are left to be looked at (`models.left`), and what an earlier build left goes with the next success.
    *Errors*: the model's own mistakes are in the outcome (`model-sql`, `model-not-select`, `model-check`,
    `check-failed`, `schema-changed`, `unique-key`); whatever else goes wrong is raised after a ROLLBACK, Contested too.
    """
    failed = BuildOutcome(model.name, model.target, model.materialized, attempt, model.fingerprint, "failed")
    problem = explain.select_problem(session, model)
    if problem is not None:
        return replace(failed, findings=(problem,))
    fault("before_write")
    try:
        session.execute("BEGIN")
        outcome = finish(session, prepare(session, model, attempt, how), attempt, record)
        commit(session, None if confirm is None else partial(confirm, session, outcome))
    except ChecksFailed as error:
        return replace(failed, findings=leave(session, error))
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
    forget(session, model.target, how.left)
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
    """A model that is staged beside its target, and has passed its checks there.

    `put`: how it is put in place, if not by a swap. `facts` are for the entry.
    """

    model: Model
    staged: Staged
    rows: int | None
    warnings: tuple[Finding, ...]
    put: Finish | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def prepare(session: StoreSession, model: Model, attempt: str, how: How = AS_NEEDED) -> Prepared:
    """Stages and checks the model within the open transaction.

    Raises BuildFailed for the model's own mistakes, and Contested.
    """
    fault("after_begin")
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {quote.ident(model.target.schema)}")
    if model.incremental is not None:
        from headgate.models.incremental import prepare as prepare_incremental

        prepared = prepare_incremental(session, model, attempt, how)
    elif model.snapshot is not None:
        from headgate.models.snapshot import prepare as prepare_snapshot

        prepared = prepare_snapshot(session, model, attempt, how)
    else:
        staged = stage(session, model, attempt, model.sql)
        fault("after_stage")
        prepared = Prepared(model, staged, *judge(session, model, staged))
    fault("after_decide")
    return prepared


def finish(session: StoreSession, prepared: Prepared, attempt: str, record: Record) -> BuildOutcome:
    """Swaps the model in, and records it, within the open transaction."""
    outcome = _put(session, prepared, attempt)
    record(session, outcome)
    fault("after_write")
    return outcome


def _put(session: StoreSession, prepared: Prepared, attempt: str) -> BuildOutcome:
    if prepared.put is not None:
        return prepared.put(session, prepared)
    model = prepared.model
    replaced = session.swap(prepared.staged.ref, model.target, model.relation)
    return built(prepared, attempt, prepared.rows, prepared.staged.columns, replaced)


def built(
    prepared: Prepared,
    attempt: str,
    rows: int | None,
    columns: tuple[tuple[str, str], ...],
    replaced: Standing,
) -> BuildOutcome:
    """The outcome of a model that was put in place."""
    model = prepared.model
    return BuildOutcome(
        model.name,
        model.target,
        model.materialized,
        attempt,
        model.fingerprint,
        "built",
        rows=rows,
        columns=columns,
        replaced=replaced,
        findings=prepared.warnings,
        facts=prepared.facts,
    )


def stage(session: StoreSession, model: Model, attempt: str, sql: str, where: str = "") -> Staged:
    """The relation that the SELECT makes, with the rows for which `where` holds."""
    ref = staged_ref(model.target, attempt)
    made = f"SELECT * FROM (\n{sql}\n) AS _hg_rows WHERE {where}" if where else f"\n{sql}"
    try:
        answer = session.execute(f"CREATE {model.relation.upper()} {quote.table(ref)} AS{' ' * bool(where)}{made}")
    except Exception as error:
        blamed = replace(model, sql=sql)
        raise BuildFailed([explain.sql_failed(blamed, told(session, error), prefix_lines=1)]) from error
    columns = tuple(session.columns(ref) or ())
    reported = answer[0][0] if answer and isinstance(answer[0][0], int) else None
    shown = made if where else sql
    return Staged(ref, columns, reported if model.relation == "table" else None, shown)


def stage_rows(session: StoreSession, model: Model, name: str) -> int:
    """Makes the temporary table `name` of the model's rows; how many the engine says there are.

    Raises BuildFailed for the model's own mistakes.
    """
    try:
        answer = session.execute(f"CREATE TEMP TABLE {name} AS\n{model.sql}")
    except Exception as error:
        raise BuildFailed([explain.sql_failed(model, told(session, error), prefix_lines=1)]) from error
    return int(answer[0][0])


def inspect(session: StoreSession, model: Model, ref: TableRef) -> tuple[Finding, ...]:
    """Runs the model's checks on the rows that stand staged at `ref`: warnings. Raises BuildFailed where one fails."""
    return judge(session, model, Staged(ref, tuple(session.columns(ref) or ()), None, model.sql))[1]


def told(session: StoreSession, error: Exception) -> Trouble:
    """What the engine says of the model; whatever is not the model's fault is raised again."""
    trouble = session.trouble(error)
    if trouble is None or trouble.kind in ("stopped", "other"):
        raise error
    return trouble


def judge(session: StoreSession, model: Model, staged: Staged) -> tuple[int | None, tuple[Finding, ...]]:
    """Staged rows (None for a view) and warnings. Raises BuildFailed if a check of severity error fails or is none."""
    problems = [problem for check in model.checks for problem in _unknown_columns(model, check, staged)]
    if problems:
        raise BuildFailed(problems)
    if model.relation == "view" and not model.checks:
        return None, ()
    counts = _counts(session, model, staged)
    if staged.reported is not None and staged.reported != counts.rows:
        what = f"{staged.reported} rows were written to {staged.ref}, and a scan finds {counts.rows}"
        raise InternalError.of(
            "rows-vanished", what, str(model.target), "Run again; report it with the engine's version"
        )
    failing = [(check, rows) for check, rows in zip(model.checks, counts.failing, strict=True) if rows]
    if any(check.severity == "error" for check, _ in failing):
        raise ChecksFailed(model, staged, failing)
    warnings = (explain.check_failed(model, check, rows, shown(staged, check)) for check, rows in failing)
    return (counts.rows if model.relation == "table" else None), tuple(warnings)


def _unknown_columns(model: Model, check: ModelCheck, staged: Staged) -> Iterator[Finding]:
    names = [name for name, _ in staged.columns]
    have = {name.casefold() for name in names}
    for column in (one for one in check.named if one.casefold() not in have):
        what = f"the test {check.label} of model {model.name!r}: there is no column {column!r}"
        fix = "Name a column of the model: " + ", ".join(names)
        where = str(check.where or model.path)
        yield Finding("model-check", "error", what + nearest(column, names), where, fix)


def _counts(session: StoreSession, model: Model, staged: Staged) -> Counts:
    """What a row alone can say is asked of the staged rows, everything else of all rows as they would stand."""
    name = quote.ident(model.name)
    relation = f"{quote.table(staged.ref)} AS {name}"
    whole = f"(\n{staged.whole(quote.table(staged.ref))}\n) AS {name}" if staged.whole else relation
    cheap = (name for name, kind in staged.columns if kind.upper() in _FIXED_WIDTH)
    column = next(cheap, staged.columns[0][0])
    flat = [check for check in model.checks if check.kind in FLAT]
    try:
        counts = count(session, flat, relation, column)
        failed = iter(counts.failing)
        numbers = (
            next(failed) if check.kind in FLAT else int(session.execute(checks.failing(check, whole))[0][0])
            for check in model.checks
        )
        return Counts(counts.rows, tuple(numbers))
    except Exception as error:
        raise BuildFailed([_culprit(session, model, (relation, whole), told(session, error))]) from error


def _culprit(session: StoreSession, model: Model, relations: tuple[str, str], trouble: Trouble) -> Finding:
    """Which check it was. An error while rows were read ends the transaction: then only the list of them is known."""
    suspects = [check for check in model.checks if check.only or check.kind not in ("not_null", "unique", "row_count")]
    for check in suspects:
        try:
            session.execute(f"EXPLAIN {checks.failing(check, relations[check.kind not in FLAT])}")
        except Exception as error:
            own = session.trouble(error)
            if own is not None and own.kind == "text":
                return explain.check_broken(model, [check], own)
    if model.relation == "view" or not suspects:
        return explain.sql_failed(model, trouble, prefix_lines=None)
    return explain.check_broken(model, suspects, trouble)


def check_models(session: StoreSession, models: Sequence[Model], loaded: Iterable[TableRef] = ()) -> list[Finding]:
    """What speaks against these models before anything is executed (for `headgate check`).

    *Errors*: findings `model-not-select` and `model-sql` from the engine's parser, warnings `direct-read`,
    `late-rows-lost`.
    """
    texts = [model for model in models if model.python is None]
    problems = [problem for model in texts if (problem := explain.select_problem(session, model)) is not None]
    return problems + [one for model in models for one in model.warnings] + direct_reads(models, loaded)

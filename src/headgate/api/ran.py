"""What a run answers, from what became of its steps."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.api.results import ChildRows, RunResult, RunStatus, Step
from headgate.books.ledger import Counts
from headgate.core.errors import Finding
from headgate.run.outcome import Done

_FATES = ("read", "loaded", "quarantined", "deduplicated", "skipped")


def run_result(steps: Sequence[Done], notes: tuple[Finding, ...] = ()) -> RunResult:
    """The status is that of the steps that the run can't do without; what optional ones say is among their warnings."""
    needed = [done for done in steps if done.bad and not done.optional]
    made = tuple(_step(done) for done in steps)
    findings = tuple(one for done in needed for one in done.findings if one.level == "error")
    return RunResult(_status({done.status for done in needed}), all(map(_balances, made)), made, findings, notes=notes)


def _step(done: Done) -> Step:
    counts = done.counts
    return Step(
        done.id,
        done.kind,
        done.status,
        done.reason,
        counts.read,
        counts.loaded if done.status != "refused" else 0,
        counts.quarantined,
        counts.deduplicated,
        counts.skipped,
        _warnings(done),
        round(done.seconds, 3),
        done.attempts,
        done.stale,
        done.optional,
        children(counts) if done.status != "refused" else (),
        done.passed,
        done.result,
    )


def _warnings(done: Done) -> tuple[Finding, ...]:
    return tuple(one for one in done.findings if one.level != "error" or (done.bad and done.optional))


def _status(bad: set[str]) -> RunStatus:
    if "failed" in bad:
        return "failed"
    return "refused" if "refused" in bad else "failed" if bad else "ok"


def _balances(step: Step) -> bool:
    fates = step.rows_loaded + step.rows_quarantined + step.rows_deduplicated + step.rows_skipped
    return step.status == "refused" or step.rows_read == fates


def children(counts: Counts) -> tuple[ChildRows, ...]:
    """What a load did to its child tables."""
    return tuple(
        ChildRows(
            name,
            rows_removed=facts.get("replaced", 0) + sum(facts.get("removed_from", {}).values()),
            **{f"rows_{fate}": facts.get(fate, 0) for fate in _FATES},
        )
        for name, facts in counts.details.get("children", {}).items()
    )

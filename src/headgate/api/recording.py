"""Writes what a run does into the history of runs, and tells it to a log; neither can fail the run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.books import ledger
from headgate.core import clock
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Session, Store
from headgate.core.usage import usage
from headgate.run import failures
from headgate.run.errand import kept as kept_result
from headgate.run.pace import WAITING
from headgate.state.history import FILE, History
from headgate.state.owner import FOLDER
from headgate.state.runs import RunRow, StepRow

if TYPE_CHECKING:
    from headgate.run.execute import Done

Log = Callable[[Mapping[str, Any]], None]
_LONGEST = 300
_FATES = ("read", "loaded", "quarantined", "deduplicated", "skipped")


def opened(root: Path, session: Session, keep_secs: int | None) -> History:
    """The history of the project. One that had to be made gets what the books know."""
    history = History(root)
    history.count()
    if history.made_anew:
        try:
            from headgate.observe.rebuild import rebuild

            history.put(*rebuild(session, oldest(keep_secs)))
        except Exception as error:  # books that nobody can read are for the audit to tell
            history.findings.append(_missed("the past could not be taken over from the books", error))
    return history


def _missed(what: str, error: Exception) -> Finding:
    fix = "the run is not affected; see whether the books are whole: headgate audit"
    return Finding("history-unusable", "warning", f"{what}: {type(error).__name__}: {error}", f"{FOLDER}/{FILE}", fix)


def oldest(keep_secs: int | None) -> str:
    """The time from which on runs are remembered; empty for ever."""
    if keep_secs is None:
        return ""
    return (clock.now() - timedelta(seconds=keep_secs)).isoformat(timespec="microseconds")


@dataclass
class Recording:
    """One run as it goes on."""

    store: Store
    history: History
    run: RunRow
    log: Log
    local: bool
    """Whether the warehouse finds the rows of a load without reading the others."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Tables of models, by the models' names."""
    steps: list[StepRow] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    begun: float = field(default_factory=clock.monotonic)
    cpu_secs: float = field(default_factory=lambda: usage().cpu_secs)

    def say(self, event: str, level: str = "info", **facts: Any) -> None:
        """One line of the log."""
        self.log({"at": clock.stamp(), "level": level, "event": event, "run": self.run.id, **facts})

    def progress(self, told: Callable[[str, int, str], None]) -> Callable[[str, int, str], None]:
        """What is told how far a step is, and tells it on; the log hears of the beginning, and of every other try."""
        begun: set[str] = set()

        def tell(step: str, rows: int, phase: str) -> None:
            if phase.startswith(WAITING):
                self.say("step.retry", "warning", step=step, attempt=int(phase.removeprefix(WAITING)))
            elif step not in begun:
                begun.add(step)
                self.say("step.begun", step=step, phase=phase)
            told(step, rows, phase)

        return tell

    def step(self, done: Done) -> None:
        """Keeps what became of a step."""
        counts = {f"rows_{name}": getattr(done.counts, name) for name in _FATES}
        if done.status == "refused":
            counts["rows_loaded"] = 0
        row = StepRow(
            self.run.id,
            len(self.steps) + 1,
            done.id,
            done.kind,
            done.status,
            done.reason[:_LONGEST],
            done.failure,
            round(done.seconds, 6),
            round(done.cpu_secs, 6),
            done.peak_bytes,
            findings=kept(done.findings),
            passed=int(done.passed),
            result=kept_result(done.result),
            **counts,
        )
        self.steps.append(row)
        if row.status != "skipped":  # these are written with the end of the run
            self.history.put(row)
        self._tell(row, done)

    def _tell(self, row: StepRow, done: Done) -> None:
        level = "error" if done.bad else "info"
        facts = {name: getattr(row, name) for name in ("status", "reason", "failure", "seconds", "cpu_secs")}
        facts |= {f"rows_{name}": getattr(row, f"rows_{name}") for name in _FATES}
        self.say("step.ended", level, step=row.id, kind=row.kind, **facts)
        for one in done.findings:
            self.say("finding", one.level, step=row.id, **_told(one))

    def ended(self, status: str, failure: str = "") -> None:
        """Keeps how the run ended; what only the tables can tell is measured first."""
        try:
            self._measure()
        except Exception as error:  # what was loaded is committed: a figure that is missing changes nothing of it
            self.history.findings.append(_missed("what the run wrote could not be measured", error))
        sums = {f"rows_{name}": sum(getattr(step, f"rows_{name}") for step in self._committed()) for name in _FATES}
        self._end(status, failure or next((step.failure for step in self._failed()), ""), sums)

    def broke(self, error: BaseException) -> None:
        """Keeps that the run was ended by an exception."""
        failure = failures.of_error(error)
        for one in error.findings if isinstance(error, HeadgateError) else ():
            self.say("finding", one.level, **_told(one))
        status = "interrupted" if failure == failures.INTERRUPTED else "failed"
        self._end(status, failure, {})

    def _end(self, status: str, failure: str, sums: Mapping[str, Any]) -> None:
        used = usage()
        self.run = replace(
            self.run,
            ended_at=clock.stamp(),
            status=status,
            failure=failure,
            seconds=round(clock.monotonic() - self.begun, 6),
            cpu_secs=round(used.cpu_secs - self.cpu_secs, 6),
            peak_bytes=used.peak_bytes,
            findings=kept(self.history.findings),
            **sums,
        )
        self.history.put(self.run, *self.steps)
        facts = {name: getattr(self.run, name) for name in ("status", "failure", "seconds", "cpu_secs", "peak_bytes")}
        self.say("run.ended", "info" if status == "ok" else "error", **facts, **sums)

    @property
    def idle(self) -> bool:
        """Whether nothing was to be done."""
        return all(step.status == "skipped" for step in self.steps)

    def _committed(self) -> list[StepRow]:
        return [step for step in self.steps if step.status != "refused"]

    def _failed(self) -> list[StepRow]:
        """Steps that did not succeed, those first that are to blame."""
        bad = [step for step in self.steps if step.failure]
        return sorted(bad, key=lambda step: step.failure == failures.INPUT)

    def _measure(self) -> None:
        if self.idle:
            return
        from headgate.observe import figures

        with self.store.session() as session:
            written, entries = figures.changed(session, self.run.begun_at, self.versions)
            self.history.put(*figures.measure(session, written, self.run.begun_at, self.local))
        size = bytes_read(entries)
        rows = {one.table: one.rows for one in written}
        self.steps = [
            replace(step, rows_after=rows.get(self.names.get(step.id, step.id)), bytes=size.get(step.id))
            for step in self.steps
        ]


def bytes_read(entries: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """Bytes of the files that were read to their end, by table; none where a source has no files."""
    found: dict[str, int] = {}
    for table, _, position in entries:
        end = json.loads(position)
        if isinstance(end.get("size"), int) and end.get("done"):
            found[table] = found.get(table, 0) + end["size"]
    return found


def kept(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Findings as they are remembered: without evidence, which may hold values."""
    return [_told(one) | {"level": one.level} for one in findings[:20]]


def _told(one: Finding) -> dict[str, str]:
    return {"code": one.code, "what": one.what[:_LONGEST], "where": one.where, "fix": one.fix}


@contextmanager
def recording(
    root: Path,
    store: Store,
    author: str,
    keep_secs: int | None,
    local: bool,
    log: Log | None,
    names: Mapping[str, str],
    command: str = "headgate run",
) -> Iterator[Recording]:
    """A recording of a run that begins now. An exception that ends the run is remembered, and goes on its way."""
    with store.session() as session:
        history = opened(root, session, keep_secs)
        versions = ledger.table_versions(session)
    with history:
        host = os.uname().nodename
        history.bury(host)
        if keep_secs is not None:
            history.prune(oldest(keep_secs))
        row = RunRow(clock.new_id(), command, clock.stamp(), author=author, pid=os.getpid(), host=host)
        record = Recording(store, history, row, log or (lambda event: None), local, names, versions=versions)
        history.put(row)
        record.say("run.begun", command=row.command, author=author)
        try:
            yield record
        except BaseException as error:
            record.broke(error)
            raise

"""What became of the steps of a run so far, and what that means for the next ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from headgate.project.model import Task
from headgate.run import failures
from headgate.run.errand import Results
from headgate.run.outcome import Done, blocked
from headgate.run.pipeline import Unit
from headgate.run.steps import Before, Run, held_up
from headgate.run.turn import FOR_FAILURES, Met, Moment, conditioned, kind_of, triggered

_ROWS = ("read", "loaded", "quarantined", "deduplicated", "skipped")


@dataclass
class Standing:
    """What became of the steps so far: those that hold others up, and those that others do without.

    `late`: by step that is optional and did not succeed, or rests on one, the optional steps that did not; `results`:
    what tasks and conditions can ask; `passed`: steps that a condition or a trigger rule left out.
    """

    run: Run
    bad: dict[str, str] = field(default_factory=dict)
    late: dict[str, tuple[str, ...]] = field(default_factory=dict)
    results: dict[str, dict[str, object]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.results |= {name: dict(found) for name, found in self.run.earlier.items()}
        self.passed |= {name for name, found in self.results.items() if found.get("passed")}

    def note(self, done: Done) -> None:
        if done.bad:
            done.failure = done.failure or failures.of_status(done.status)
        done.optional = self.run.pipeline.settings[done.id].optional
        if done.bad and done.optional:
            self.late[done.id] = (done.id, *done.stale)
        elif done.bad:
            self.bad[done.id] = done.status
        elif done.stale:
            self.late[done.id] = done.stale
        if done.passed:
            self.passed.add(done.id)
        rows = {f"rows_{name}": getattr(done.counts, name) for name in _ROWS}
        if done.status == "refused":
            rows["rows_loaded"] = 0
        self.results[done.id] = {"status": done.status, **rows, "result": done.result}

    def before(self, unit: Unit) -> Before:
        """What the unit may know: a copy, which stays as it is while other steps end."""
        needs = {name for step in unit for name in self.run.pipeline.needs(step)}
        results: Results = {name: self.results[name] for name in needs if name in self.results}
        return Before(self.late, results)

    def blocked(self, unit: Unit) -> list[Done]:
        """All of the unit as blocked or skipped, or nothing where its turn comes."""
        first, pipeline = unit[0], self.run.pipeline
        task = first if isinstance(first, Task) else None
        if self.bad and self.run.fail_fast and not (task and task.trigger in FOR_FAILURES):
            why = f"{next(iter(self.bad))} did not succeed, and the run ends at the first that does not (--fail-fast)"
            return [blocked(step.name, kind_of(unit), why) for step in unit]
        if task is not None:
            held = triggered(task, pipeline.needs(task), Met(self.results, self.passed, self.bad))
            found = [held] if held is not None else []
        else:
            found = held_up(pipeline, unit, self.bad)
        return found or conditioned(pipeline, unit, self.results, Moment(self.run.at, pipeline.home.variables))

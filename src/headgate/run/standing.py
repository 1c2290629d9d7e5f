"""What became of the steps of a run so far, and what that means for the next ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from headgate.run import failures
from headgate.run.outcome import Done, blocked
from headgate.run.steps import Run, Unit, held_up
from headgate.run.tries import kind_of


@dataclass
class Standing:
    """What became of the steps so far: those that hold others up, and those that others do without.

    `late`: by step that is optional and did not succeed, or rests on one, the optional steps that did not.
    """

    run: Run
    bad: dict[str, str] = field(default_factory=dict)
    late: dict[str, tuple[str, ...]] = field(default_factory=dict)

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

    def blocked(self, unit: Unit) -> list[Done]:
        """All of the unit as blocked, or nothing."""
        if self.bad and self.run.fail_fast:
            why = f"{next(iter(self.bad))} did not succeed, and the run ends at the first that does not (--fail-fast)"
            return [blocked(step.name, kind_of(unit), why) for step in unit]
        return held_up(self.run.pipeline, unit, self.bad)

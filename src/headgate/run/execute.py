"""Carries out the steps of a run: one after the other, or those that don't need each other at once.

A step whose input failed is blocked, the others go on. One that an error ended that may pass is tried again, one that
takes too long is ended, and one that is optional leaves what needs it with the rows that it had published before.
"""

from __future__ import annotations

from collections.abc import Iterator

from headgate.core import clock, stop
from headgate.run.outcome import Done
from headgate.run.selector import EVERYTHING, Selection, States
from headgate.run.standing import Standing
from headgate.run.steps import Run
from headgate.run.tries import Way, timed

__all__ = ["Done", "Run", "execute"]


def execute(run: Run, select: Selection = EVERYTHING, states: States | None = None) -> Iterator[Done]:
    """Each step's outcome, in the order of the plan."""
    units = run.pipeline.arrange(run.pipeline.choose(select, states))
    standing = Standing(run)
    if run.threads > 1:
        from headgate.run.crew import side_by_side

        yield from side_by_side(run, units, standing)
        return
    way = Way(clock.pause)
    for unit in units:
        for done in standing.blocked(unit) or timed(run, unit, standing.before(unit), way):
            standing.note(done)
            yield done
        if stop.signalled():  # a library may have taken the exception for an error of its own
            raise KeyboardInterrupt

"""What the last run of the same steps left undone, from the history of runs."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import field

from headgate.api.recording import opened
from headgate.core.errors import Finding, ProjectError
from headgate.core.protocols import Store
from headgate.core.records import dataclass
from headgate.project.condition import ROWS
from headgate.project.model import Project as Files
from headgate.run.errand import Results
from headgate.run.pipeline import Pipeline
from headgate.run.selector import Selection, States
from headgate.state.history import History
from headgate.state.runs import StepRow

RESUMED = " --resume"
_DONE = ("ok", "skipped")
_LOOKED_AT = 1000
"""So many of the latest runs are searched for one of the same steps."""


@dataclass(frozen=True)
class Left:
    """By step, why it is run again; what became of the others; `run`: the one that is resumed."""

    why: Mapping[str, str] = field(default_factory=dict)
    earlier: Results = field(default_factory=dict)
    run: str = ""

    @property
    def selection(self) -> Selection:
        return Selection(tuple(self.why))

    @property
    def note(self) -> Finding:
        """What to say where nothing is left."""
        what = f"nothing to resume: every step of run {self.run} succeeded"
        return Finding("nothing-to-resume", "info", what, self.run, "load what is new since: headgate run")


NONE_LEFT = Left()


def command(selection: Selection, full_refresh: bool, backfill: str | None) -> str:
    """The run in the words of the command line, as the history keeps it: runs of the same steps have the same."""
    words = ["headgate", "run", *selection.include]
    words += ["--exclude", *selection.exclude] if selection.exclude else []
    words += ["--full-refresh"] if full_refresh else []
    words += ["--backfill", backfill] if backfill is not None else []
    return shlex.join(words)


def resumed(store: Store, files: Files, pipeline: Pipeline, asked: str, selection: Selection, states: States) -> Left:
    """As `left`, from the history of the project."""
    with store.session() as session, opened(files.root, session, files.observing.keep_secs) as history:
        history.bury(os.uname().nodename)
        return left(history, asked, pipeline, selection, states)


def left(history: History, asked: str, pipeline: Pipeline, selection: Selection, states: States) -> Left:
    """What is left of the last run that was asked for in these words, and of those that resumed it.

    A step that rests on an optional one that did not succeed is run again with it.
    *Errors*: ProjectError `nothing-ran`.
    """
    chosen = pipeline.choose(selection, states)
    names = [step.name for unit in pipeline.arrange(chosen) for step in unit]
    runs = [run for run in history.runs(_LOOKED_AT) if run.origin == "run"]
    chain = []
    for run in runs:
        if run.command in (asked, asked + RESUMED) and run.status != "running":
            chain.append(run)
            if run.command == asked:
                break
    if not chain or chain[-1].command != asked:
        what = f"the history knows no run of these steps: {asked}"
        raise ProjectError.of("nothing-ran", what, asked, "begin with one: leave out --resume")
    rows: dict[str, StepRow] = {}
    for run in reversed(chain):
        rows |= {row.id: row for row in history.steps([run.id])}
    undone = {name: _why(rows.get(name)) for name in names if not _is_done(rows.get(name))}
    undone |= _resting(pipeline, rows, undone, names)
    earlier = {name: _result(row) for name, row in rows.items() if name not in undone and _is_done(row)}
    return Left({name: undone[name] for name in names if name in undone}, earlier, chain[0].id)


def _is_done(row: StepRow | None) -> bool:
    return row is not None and row.status in _DONE


def _why(row: StepRow | None) -> str:
    return f"{row.status} in the last run" if row is not None else "not begun in the last run"


def _resting(
    pipeline: Pipeline, rows: Mapping[str, StepRow], undone: Mapping[str, str], names: Sequence[str]
) -> dict[str, str]:
    """Loads and models that went on without an optional step that is to be run again."""
    optional = [name for name in undone if pipeline.settings[name].optional and name in rows]
    tables = {flow.name for flow in pipeline.flows} | {model.name for model in pipeline.models}
    behind = pipeline.web.downstream(optional) & tables & set(names)
    return {name: "it rests on a step that is resumed" for name in behind if name not in undone}


def _result(row: StepRow) -> dict[str, object]:
    counts = {name: getattr(row, name) for name in ROWS}
    result = json.loads(row.result) if row.result else None
    return {"status": row.status, **counts, "result": result, "passed": bool(row.passed)}

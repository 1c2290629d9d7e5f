"""What follows from what a plan would do: who reads the columns of an edited model, and who outside is reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.models.lineage import Kept
from headgate.project.exposures import Exposure
from headgate.run.lineage import Named, ProjectLineage, lineage_of
from headgate.run.pipeline import Pipeline
from headgate.sql.lineage.flow import ANY, ROWS
from headgate.sql.lineage.known import Dialect, Traced
from headgate.sql.lineage.walk import Lineage, Node

if TYPE_CHECKING:
    from headgate.models.change import Change


@dataclass(frozen=True)
class Follower:
    """A model or an exposure behind an edited model, however far. `reads`: the columns of the edited model that flow
    into it. `touched`: one of them, or which rows there are, may be other than before."""

    name: str
    kind: str
    reads: tuple[str, ...]
    touched: bool


def followers(
    edits: Mapping[str, Change],
    pipeline: Pipeline,
    exposures: Sequence[Exposure],
    session: StoreSession,
    dialect: Dialect,
    kept: Kept,
) -> dict[str, list[Follower]]:
    """Of each edited model, what is behind it in building order, exposures last."""
    if not edits:
        return {}
    gone = {name: edit.removed for name, edit in edits.items()}
    found = lineage_of(pipeline, exposures, session, dialect, kept, gone)
    return {name: _behind(name, edit, found, gone[name]) for name, edit in edits.items()}


def _behind(name: str, edit: Change, found: ProjectLineage, gone: Iterable[str]) -> list[Follower]:
    reads: dict[str, dict[str, None]] = {}
    columns = [*found.lineage.columns(name), *gone, ROWS, ANY]
    for column in dict.fromkeys(columns):
        for hop in found.lineage.down([Node(name, column)]):
            reads.setdefault(hop.target.table, {})[column] = None
    order = [table for table in found.lineage.tables if table in reads and table != name]
    return [_follower(table, tuple(reads[table]), edit, found) for table in order]


def _follower(name: str, reads: tuple[str, ...], edit: Change, found: ProjectLineage) -> Follower:
    named = tuple(column for column in reads if column not in (ROWS, ANY))
    touched = edit.rows or ANY in reads or bool({*edit.removed, *edit.altered, *edit.added} & set(named))
    return Follower(name, found.kind(name), named, touched)


@dataclass(frozen=True)
class Reached:
    """An exposure that reads what a plan would change: `through` those steps, in their order."""

    exposure: Exposure
    through: tuple[str, ...]


def reached(due: Sequence[str], pipeline: Pipeline, exposures: Sequence[Exposure]) -> list[Reached]:
    """The exposures that read a step that is due. What they depend on and is not there, `headgate check` tells."""
    names = named_tables(pipeline)
    found = []
    for one in exposures:
        tables = {names.whole(item.table) for item in one.depends_on}
        through = tuple(name for name in due if name in tables)
        found += [Reached(one, through)] if through else []
    return found


def named_tables(pipeline: Pipeline) -> Named:
    """The tables and models of a project by name, where their columns do not matter."""
    some = Traced((), frozenset(), frozenset())
    names = [*(flow.name for flow in pipeline.flows), *(model.name for model in pipeline.models)]
    return Named(pipeline, Lineage(dict.fromkeys(names, some)))

"""The verb `quarantine fix`: which records, what they are to say, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path

from headgate.api import look, quarantine
from headgate.api.edited import edited
from headgate.api.quarantine import Filters, Masks
from headgate.api.results import FixResult, RecordChange, ReplayResult
from headgate.books.select import Chosen, listed
from headgate.contracts.pii import mask_row, mask_text
from headgate.core import environ
from headgate.core.errors import Finding, ProjectError
from headgate.core.protocols import Session, Store
from headgate.core.records import dataclass
from headgate.run import fix as fixing
from headgate.run.fix import Change, Edit, Fixed, Given
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.run.replay import replay

Named = Callable[[Session, str | None], str | None]
"""The table as the books spell it."""


@dataclass(frozen=True)
class Wanted:
    """Which open records."""

    ids: tuple[int, ...] | None = None
    table: str | None = None
    all: bool = False
    filters: Filters = field(default_factory=Filters)

    @property
    def said(self) -> bool:
        return bool(self.ids or self.table or self.all or any(self.filters.values()))


@dataclass(frozen=True)
class What:
    """What they are to say: one of the first three; `revision`: the one that was seen."""

    values: Mapping[str, str]
    raw: str | None = None
    file: Path | None = None
    revision: int | None = None


@dataclass(frozen=True)
class How:
    """Why, and how far. `limit`: of changes that are told."""

    reason: str
    dry_run: bool = False
    replay: bool = False
    limit: int | None = 50


def refuse_unclear(wanted: Wanted, what: What, how: How) -> None:
    """Raises ProjectError `fix-unclear` or `reason-missing` where it is not said what to do."""
    edits = [bool(what.values), what.raw is not None, what.file is not None].count(True)
    if edits != 1:
        raise _unclear("say what to change, in one way", "give --set, or --raw, or --from FILE")
    if what.file is not None and wanted.said:
        raise _unclear("an edited file says itself which records", "give --from FILE without ids and filters")
    if what.file is None and not wanted.said:
        raise _unclear("say which records to fix", "give ids, filters such as --table, or --all")
    if what.raw is not None and len(wanted.ids or ()) != 1:
        raise _unclear("--raw is the text of one record", "give the id of one record")
    if what.revision is not None and not wanted.ids:
        raise _unclear("--revision goes with the ids of records", "give the ids of records")
    if not how.dry_run and not how.reason.strip():
        finding = Finding("reason-missing", "error", "a fix needs a reason", "quarantine fix", "add --reason '...'")
        raise ProjectError(finding)


def _unclear(what: str, fix: str) -> ProjectError:
    return ProjectError(Finding("fix-unclear", "error", what, "quarantine fix", fix))


def fix(store: Store, pipeline: Pipeline, masks: Masks, named: Named, asked: tuple[Wanted, What, How]) -> FixResult:
    """Fixes table by table; each table's records all or none."""
    wanted, what, how = asked
    given, loose = edited(what.file) if what.file is not None else ({}, False)
    with store.session() as session:
        chosen = _chosen(session, wanted, named, given)
    total = FixResult(how.dry_run, 0, 0, replay=ReplayResult(0) if how.dry_run or how.replay else None)
    for table, ids in chosen.items():
        flow = pipeline.flow(table)
        mine = {number: given[number] for number in ids} if given else {}
        edit = Edit(
            what.values, what.raw, mine, masks.tables.get(table, frozenset()), what.revision,
            bool(wanted.ids), loose,
        )  # fmt: skip
        total = _add(total, _fix_table(store, flow, ids, edit, how), table, masks, how)
    return total


def _chosen(session: Session, wanted: Wanted, named: Named, given: Mapping[int, Given]) -> dict[str, list[int]]:
    """The ids of open records, by table. Raises ProjectError where one named is not open or not there.

    Records of a file may have been settled since: their conflict is told by the books.
    """
    ids = list(given) if given else wanted.ids
    if given:
        quarantine.tables_of(session, list(given), quarantine.STATUSES, "")
    elif ids is not None:
        quarantine.tables_of(session, ids, ("open",), "only open records are fixed")
    statuses = () if given else ("open",)
    found: Chosen = quarantine.chosen(named(session, wanted.table), statuses, wanted.filters, ids)
    rows = session.execute(
        f"""SELECT id, table_name FROM _headgate.quarantine WHERE id IN ({found.select(session)}) ORDER BY id"""
    )
    tables: dict[str, list[int]] = {}
    for number, table in rows:
        tables.setdefault(table, []).append(number)
    return tables


def _fix_table(store: Store, flow: Flow, ids: list[int], edit: Edit, how: How) -> Fixed:
    select = f"SELECT id FROM _headgate.quarantine WHERE id IN ({listed(ids)})"
    if how.dry_run:
        return fixing.rehearse(store, flow, select, edit, how.limit)
    done = fixing.fix(store, flow, select, edit, environ.user(), how.reason.strip(), None if how.replay else how.limit)
    if not how.replay or not done.rows:
        return done
    counts = replay(store, flow, [change.id for change in done.changes], environ.user())
    return Fixed(done.chosen, done.rows, done.malformed, done.changes[: how.limit], counts)


def _add(total: FixResult, done: Fixed, table: str, masks: Masks, how: How) -> FixResult:
    hidden = masks.tables.get(table, frozenset())
    changes = (*total.changes, *(_change(one, table, hidden) for one in done.changes))
    again = total.replay
    if again is not None and done.verdict is not None:
        again = look.add_replay(again, done.verdict)
        again = replace(again, entries=0) if how.dry_run else again
    return FixResult(
        how.dry_run,
        total.chosen + done.chosen,
        total.fixed + done.rows,
        total.malformed + done.malformed,
        changes[: how.limit],
        again,
    )


def _change(one: Change, table: str, hidden: frozenset[str]) -> RecordChange:
    before = json.loads(one.row_before) if one.row_before is not None else {}
    after = json.loads(one.row) if one.row is not None else {}
    moved = [name for name in after if name not in before or before[name] != after[name]]
    old, new = mask_row(before, hidden), mask_row(after, hidden)
    texts = (one.raw_before, one.raw)
    raw = None if one.raw == one.raw_before else tuple(map(mask_text, texts)) if hidden else texts
    columns = {name: [old.get(name), new.get(name)] for name in moved}
    return RecordChange(str(one.id), table, one.revision, columns, raw)

"""Child tables in a commit: the lines inside of records come, give way and go with their records.

A line names the entry of its record. What an entry did to a child table stands in its facts, under `children`:
table -> `read` = `loaded` + `quarantined` + `deduplicated` + `skipped` (lines, by what became of their records),
`before`, `after`, `removed_from` (by entry) and, like an entry's own facts, `replaced`, `kept` and `adjusted`. The
first entry of a commit also says how lines are told apart: `key` (column of the record's table -> column here),
`places`, and `above` (the child in whose lines they are, or null).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from headgate.books.ledger import Entry
from headgate.books.work import (
    IDENTIFIED,
    LOAD_COLUMN,
    Commit,
    LineCounts,
    kept_ref,
    loaded_columns,
    matching,
    staged_ref,
)
from headgate.contracts.children import Kin
from headgate.core.errors import Finding, InternalError
from headgate.core.protocols import Session, StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

CHILDREN = "children"


@dataclass
class Standing:
    """What the books say of a child table: its rows, by the entry that they name, and the last entry about it."""

    rows: int = 0
    left: dict[int, int] = field(default_factory=dict)
    entry: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    """How lines are told apart, as the last entry that says it does."""
    given_up: bool = False
    """Emptied, because the contract does not name it any more."""

    def apply(self, entry: Entry, facts: Mapping[str, Any]) -> None:
        """Takes in what an entry did to the table."""
        if "replaced" in facts:
            self.left.clear()
        for load, rows in facts.get("removed_from", {}).items():
            self.left[int(load)] = self.left.get(int(load), 0) - rows
        for load, rows in facts.get("adjusted", {}).items():
            self.left[int(load)] = self.left.get(int(load), 0) + rows
        self.left[entry.id] = self.left.get(entry.id, 0) + facts.get("loaded", 0)
        self.rows, self.entry = facts["after"], entry.id
        self.told = facts if "places" in facts else self.told
        self.given_up = "read" not in facts and "replaced" in facts and not facts["after"]

    @property
    def expected(self) -> dict[int, int]:
        return {load: rows for load, rows in self.left.items() if rows}


def standing(history: Iterable[Entry]) -> dict[str, Standing]:
    """Every child table that the entries of a table name."""
    found: dict[str, Standing] = {}
    for entry in history:
        for name, facts in entry.facts.get(CHILDREN, {}).items():
            found.setdefault(name, Standing()).apply(entry, facts)
    return found


def last(session: Session, table: TableRef) -> dict[str, int]:
    """Every child table of the last entry that names some, and its rows."""
    rows = session.execute(
        """SELECT details FROM _headgate.entry WHERE table_name = ? AND details LIKE '%"children":{%'
           ORDER BY id DESC LIMIT 1""",
        [str(table)],
    )
    return {name: facts["after"] for name, facts in json.loads(rows[0][0])[CHILDREN].items()} if rows else {}


def parent_of(session: Session, table: str) -> str | None:
    """The table whose child this one is; None where it is none."""
    rows = session.execute(
        """SELECT DISTINCT table_name FROM _headgate.entry WHERE details LIKE '%"children":{%' AND details LIKE ?""",
        [f"%{json.dumps(table, ensure_ascii=False)}%"],
    )
    return next((name for (name,) in rows if table in last(session, TableRef.parse(name))), None)


def rows_by_entry(session: Session, table: TableRef) -> dict[int, int]:
    """Lines of a child table by the entry that they name (0 where they name none)."""
    found = session.execute(f"SELECT coalesce({LOAD_COLUMN}, 0), sum(1) FROM {quote.table(table)} GROUP BY 1")
    return {int(row[0]): int(row[1]) for row in found}


def adjusted(session: StoreSession, history: Sequence[Entry], number: int) -> dict[str, dict[str, Any]]:
    """Takes the child tables as they stand, for the entry `number` to say so; its facts about those that differ, and
    about the others, too, where one does. Lines that name no entry of the table name this one from then on."""
    known = standing(history)
    made: dict[str, dict[str, Any]] = {}
    for name, one in known.items():
        table = TableRef.parse(name)
        if session.columns(table) is None:
            continue
        session.execute(
            f"""UPDATE {quote.table(table)} SET {LOAD_COLUMN} = {number}
                WHERE {LOAD_COLUMN} IS NULL OR {LOAD_COLUMN} NOT BETWEEN 1 AND {number - 1}"""
        )
        now, expected = rows_by_entry(session, table), one.expected
        deltas = {str(load): now.get(load, 0) - expected.get(load, 0) for load in sorted({*now, *expected})}
        facts = {load: rows for load, rows in deltas.items() if rows}
        made[name] = {"before": one.rows, "after": sum(now.values()), "adjusted": facts}
    if not any(one["adjusted"] or one["before"] != one["after"] for one in made.values()):
        return {}
    for name in made:
        session.execute("UPDATE _headgate.table_state SET version = ? WHERE table_name = ?", [number, name])
    return made


def restored(session: StoreSession, past: Sequence[Entry], by: Entry) -> dict[str, dict[str, Any]] | None:
    """Puts the children that entry `by` replaced back in place, within the open transaction; what the entry of the
    restore says of them. `past`: the entries before. None where the kept lines are not those that were replaced."""
    then, made = standing(past), dict[str, dict[str, Any]]()
    for name, facts in by.facts.get(CHILDREN, {}).items():
        table, kept = TableRef.parse(name), TableRef(TableRef.parse(name).schema, facts["kept"])
        columns = session.columns(kept)
        was = then.get(name, Standing())
        rows = rows_by_entry(session, kept) if columns is not None and LOAD_COLUMN in dict(columns) else None
        if rows is None or rows != was.expected:
            return None
        before = sum(rows_by_entry(session, table).values())
        session.exchange(table, kept, kept)
        made[name] = {
            "before": before,
            "replaced": before,
            "after": was.rows,
            "adjusted": {str(load): count for load, count in sorted(rows.items())},
            "kept": kept.name,
            **{key: was.told[key] for key in ("key", "places", "above") if key in was.told},
        }
    return made


def move_on(session: StoreSession, written: Sequence[Entry]) -> None:
    """Says of every child table which entry was the last about it: what models compare their inputs with."""
    for name, version in {name: entry.id for entry in written for name in entry.facts.get(CHILDREN, {})}.items():
        session.execute("UPDATE _headgate.table_state SET version = ? WHERE table_name = ?", [version, name])


@dataclass
class Writing:
    """The child tables of one commit: `take_away`, then `write`, then `facts`, then `put_in_place`."""

    session: StoreSession
    work: Commit
    base: int
    before: dict[str, int] = field(default_factory=dict)
    removed: dict[str, dict[int, dict[int, int]]] = field(default_factory=dict)
    staged: dict[str, TableRef] = field(default_factory=dict)

    @property
    def anew(self) -> bool:
        """Whether the tables are replaced as a whole."""
        return self.work.replace and self.base > 0

    def take_away(self, records: int) -> None:
        """Takes away the lines of records that this commit replaces or removes, before these are; `records` stand."""
        work = self.work
        if self.base and (work.children or work.replace):
            self.before = last(self.session, work.table)
        if self.anew:
            self._stage()
        elif records:
            for kin in work.children:
                self.removed[kin.child.table] = self._gone(kin)

    def _gone(self, kin: Kin) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {}
        if self.work.disposition not in IDENTIFIED:
            for part in (one for one in self.work.parts if one.reload):
                found[part.number] = self._reloaded(kin, part.partition)
        for select in self._replaced(kin):
            same = matching(kin.columns, [name for _, name in kin.key])
            for number, load, rows in self.session.take_away(TableRef.parse(kin.child.table), select, same):
                of_part = found.setdefault(number, {})
                of_part[load] = of_part.get(load, 0) + rows
        return found

    def _reloaded(self, kin: Kin, partition: str) -> dict[int, int]:
        table = quote.table(TableRef.parse(kin.child.table))
        mine = f"""{LOAD_COLUMN} IN (SELECT id FROM _headgate.entry
                   WHERE table_name = {quote.literal(str(self.work.table))} AND stream = 'data'
                   AND partition = {quote.literal(partition)})"""
        found = self.session.execute(f"SELECT {LOAD_COLUMN}, count(*) FROM {table} WHERE {mine} GROUP BY 1")
        if found:
            self.session.execute(f"DELETE FROM {table} WHERE {mine}")
        return dict(found)

    def _replaced(self, kin: Kin) -> list[str]:
        """SELECTs, for the store, of `_hg_part` and the keys of records that give way, under the child's names."""
        work = self.work
        named = ", ".join(f"r.{quote.ident(key)} AS {quote.ident(name)}" for key, name in kin.key)
        if work.disposition == "upsert":
            return [f"SELECT r._hg_part, {named} FROM ({work.judgement.keys([key for key, _ in kin.key])}) AS r"]
        delivered = work.judgement.delivered() if work.disposition == "partition" else None
        if delivered is None or not delivered.texts:
            return []
        same = matching(work.columns, work.keys)
        return [
            f"""SELECT 0 AS _hg_part, {named} FROM (
                    SELECT * FROM {quote.table(work.table)} AS old
                    WHERE EXISTS (SELECT 1 FROM ({delivered.select}) AS new WHERE {same})) AS r"""
        ]

    def _stage(self) -> None:
        """Makes tables to fill in place of those that stand; one that the contract no longer names stays empty."""
        declared = {kin.child.table: kin.columns for kin in self.work.children}
        there = [one for one in self.before if self.session.columns(TableRef.parse(one)) is not None]
        for name in [*declared, *(one for one in there if one not in declared)]:
            table = TableRef.parse(name)
            staged = self.staged[name] = staged_ref(table, self.work.attempt)
            if name in declared:
                columns = loaded_columns(declared[name])
            else:
                columns = [(one, self.session.engine_type(kind)) for one, kind in self.session.columns(table) or []]
            self.session.create(staged, columns, (LOAD_COLUMN,), like=table)

    def write(self) -> None:
        """Adds the lines of the rows that were written."""
        for kin in self.work.children:
            names = [name for name, _ in kin.columns]
            origin = f"CAST({self.base} + 1 + _hg_part AS BIGINT)"
            lines = self.work.judgement.lines(kin.child.table)
            table = self._target(kin.child.table)
            self.session.append(
                table,
                [*names, LOAD_COLUMN],
                f"SELECT {quote.columns(names)}, {origin} AS {LOAD_COLUMN} FROM ({lines}) AS lines",
            )
            for columns in ((LOAD_COLUMN,), tuple(name for _, name in kin.key)):
                self.session.lookup(table, columns)

    def _target(self, name: str) -> TableRef:
        return self.staged.get(name) or TableRef.parse(name)

    def facts(self) -> dict[int, dict[str, Any]]:
        """What the entry of each part says of the child tables, measured by scans of them.

        *Errors*: InternalError `books-unbalanced` where some line has no fate.
        """
        made: dict[int, dict[str, Any]] = {part.number: {} for part in self.work.parts}
        for kin in self.work.children:
            self._facts(kin, made)
        for name in (one for one in self.staged if one not in {kin.child.table for kin in self.work.children}):
            made[0][name] = {"before": self.before[name], "after": 0, **self._replacing(name)}
        return {} if not any(made.values()) else made

    def _facts(self, kin: Kin, made: dict[int, dict[str, Any]]) -> None:
        name = kin.child.table
        scan = f"SELECT {LOAD_COLUMN} FROM {quote.table(self._target(name))} WHERE {LOAD_COLUMN} > {self.base}"
        rows = self.session.execute(f"SELECT x, sum(1) FROM ({scan}) AS t(x) GROUP BY 1")
        loaded = {int(load): int(count) for load, count in rows}
        counts = self.work.judgement.line_counts(name)
        before = self.before.get(name, 0)
        above = self.work.children[kin.above].child.table if kin.above is not None else None
        for part in self.work.parts:
            count = counts.get(part.number, LineCounts())
            new = loaded.pop(self.base + 1 + part.number, 0)
            gone = self.removed.get(name, {}).get(part.number, {})
            facts: dict[str, Any] = {**asdict(count), "loaded": new, "before": before}
            if part.number == 0:
                facts |= {"key": dict(kin.key), "places": list(kin.places), "above": above}
                facts |= self._replacing(name) if self.anew else {}
            if gone:
                facts["removed_from"] = {str(load): number for load, number in sorted(gone.items())}
            before = facts["after"] = before - facts.get("replaced", 0) - sum(gone.values()) + new
            made[part.number][name] = facts
            if count.read != new + count.quarantined + count.deduplicated + count.skipped:
                raise _unbalanced(self.work, name, count, new)
        if loaded:
            raise _unbalanced(self.work, name, LineCounts(), sum(loaded.values()))

    def _replacing(self, name: str) -> dict[str, Any]:
        return {"replaced": self.before.get(name, 0), "kept": kept_ref(TableRef.parse(name)).name}

    def put_in_place(self) -> None:
        """The tables that were filled aside take their places; those that stood there are kept."""
        for name, staged in self.staged.items():
            table = TableRef.parse(name)
            self.session.exchange(table, staged, kept_ref(table))


def _unbalanced(work: Commit, name: str, count: LineCounts, loaded: int) -> InternalError:
    what = (
        f"{count.read} lines read for {name}, {loaded} loaded + {count.quarantined} quarantined + "
        f"{count.deduplicated} deduplicated + {count.skipped} skipped; nothing was committed"
    )
    fix = "see whether rows were made by hand: headgate audit; if not, report it with the file: a defect of Headgate"
    return InternalError(Finding("books-unbalanced", "error", what, str(work.table), fix))

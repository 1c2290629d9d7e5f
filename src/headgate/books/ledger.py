"""Entries, seats and tables of the ledger: reading and writing them. No judgement here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, fields, replace
from typing import Any, Literal

from headgate.core.errors import CommitError, Finding
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import Position, TableRef
from headgate.sql import quote

Kind = Literal["load", "replay", "build", "adjust", "purge", "evolve", "restore", "adopt"]
DATA, BUILD, ADJUST, PURGE, EVOLVE = "data", "build", "adjust", "purge", "evolve"
STREAMS = (DATA, BUILD, ADJUST, PURGE, EVOLVE)
"""Chains of entries, each with seats of its own."""
RESTORE = "restore the warehouse from a backup: what the books say of the past cannot be made anew"


@dataclass(frozen=True)
class Seat:
    """Where a partition stands: what a commit must find unchanged."""

    generation: int
    seq: int
    position: Position


@dataclass(frozen=True)
class Entry:
    """One immutable line of the ledger. `id` is dense from 1 per table and is what `_hg_load` names."""

    table_name: str
    id: int
    flow: str
    stream: str
    partition: str
    generation: int
    seq: int
    attempt: str
    kind: str
    committed_at: str
    start_position: str
    end_position: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_removed: int = 0
    rows_before: int = 0
    rows_after: int = 0
    details: str = "{}"
    contract: str = ""
    author: str = ""
    digest: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.details)
        return parsed

    def sealed(self, previous: str) -> Entry:
        """The entry with its digest: over every field and the digest of the table's previous entry."""
        return replace(self, digest=_digest(self, previous))

    def is_sealed(self, previous: str) -> bool:
        return self.digest == _digest(self, previous)


_FIELDS = tuple(item.name for item in fields(Entry))
_COLUMNS = ", ".join(_FIELDS)


def _plain(entry: Entry) -> dict[str, Any]:
    """Its fields in their order; `asdict` would copy every text."""
    return {name: getattr(entry, name) for name in _FIELDS}


def _digest(entry: Entry, previous: str) -> str:
    facts = {**_plain(entry), "digest": previous}
    return fingerprint(json.dumps(facts, sort_keys=True))


def fingerprint(text: str) -> str:
    """128 bits of the text's SHA-256, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def dumps(value: Any) -> str:
    """JSON text with sorted keys: equal values give equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seats(session: Session, flow: str, stream: str = DATA) -> dict[str, Seat]:
    """Every partition of the flow and where it stands."""
    rows = session.execute(
        "SELECT partition, generation, seq, position FROM _headgate.position WHERE flow = ? AND stream = ?",
        [flow, stream],
    )
    return {row[0]: Seat(row[1], row[2], json.loads(row[3])) for row in rows}


@dataclass(frozen=True)
class TableState:
    """`version`: id of the table's last entry. `live_generation` counts replacements. `contract`: digest."""

    version: int
    live_generation: int
    contract: str | None


def table_state(session: Session, table: TableRef) -> TableState | None:
    rows = session.execute(
        "SELECT version, live_generation, contract FROM _headgate.table_state WHERE table_name = ?", [str(table)]
    )
    return TableState(*rows[0]) if rows else None


def table_versions(session: Session) -> dict[str, int]:
    """The version of every table in the books: what a model's inputs are compared with."""
    return {row[0]: row[1] for row in session.execute("SELECT table_name, version FROM _headgate.table_state")}


def last_build(session: Session, table: TableRef) -> Entry | None:
    """The entry of the table's last build by a model, whatever was done to the table since."""
    rows = session.execute(
        f"SELECT {_COLUMNS} FROM _headgate.entry WHERE table_name = ? AND kind = 'build' ORDER BY id DESC LIMIT 1",
        [str(table)],
    )
    return Entry(*rows[0]) if rows else None


def last_builds(session: Session) -> dict[str, Entry]:
    """By table, the entry of its last build by a model."""
    columns = ", ".join(f"one.{name}" for name in _FIELDS)
    rows = session.execute(
        f"""SELECT {columns} FROM _headgate.entry AS one JOIN (
            SELECT table_name, max(id) AS id FROM _headgate.entry WHERE kind = 'build' GROUP BY table_name
        ) AS last ON last.table_name = one.table_name AND last.id = one.id"""
    )
    return {row[0]: Entry(*row) for row in rows}


def versions_of(session: Session, names: Sequence[str]) -> dict[str, int]:
    """The version of each of these tables that is in the books."""
    marks = ", ".join("?" * len(names))
    sql = f"SELECT table_name, version FROM _headgate.table_state WHERE table_name IN ({marks})"
    return {row[0]: row[1] for row in session.execute(sql, names)} if names else {}


def replayed_since(session: Session, table: TableRef, entry: int) -> int:
    """Rows that replays added to the table after this entry."""
    return int(
        session.execute(
            """SELECT CAST(coalesce(sum(rows_loaded), 0) AS BIGINT) FROM _headgate.entry
               WHERE table_name = ? AND kind = 'replay' AND id > ?""",
            [str(table), entry],
        )[0][0]
    )


def has_attempt(session: Session, table: TableRef, attempt: str) -> bool:
    """Whether an entry of the table was made by this attempt."""
    found = session.execute(
        "SELECT 1 FROM _headgate.entry WHERE table_name = ? AND attempt = ? LIMIT 1", [str(table), attempt]
    )
    return bool(found)


@dataclass(frozen=True)
class Tail:
    """How a table's ledger ends: the rows that its last entry left, and that entry's digest."""

    rows: int = 0
    digest: str = ""


def tail(session: Session, table: TableRef, version: int) -> Tail:
    """The end of the table's ledger, whose last entry is `version` (0: none yet).

    Raises CommitError `entry-missing` or `state-edited` where the ledger ends elsewhere: nothing may be added to it.
    """
    sql = "SELECT id, rows_after, digest FROM _headgate.entry WHERE table_name = ? AND id >= ?"
    rows = sorted(session.execute(sql, [str(table), version]))
    if rows and rows[-1][0] > version:
        raise _torn("state-edited", f"the ledger goes on behind entry {version}", f"{table} entry {rows[-1][0]}")
    if version and not rows:
        raise _torn("entry-missing", "the last entry is not in the ledger", f"{table} entry {version}")
    return Tail(*rows[0][1:]) if rows else Tail()


def _torn(code: str, what: str, where: str) -> CommitError:
    return CommitError(Finding(code, "error", what, where, RESTORE))


def entries(session: Session, table: str | None = None, kind: str | None = None) -> list[Entry]:
    """Entries in order of table and id."""
    where = " AND ".join(f"{name} = ?" for name, value in (("table_name", table), ("kind", kind)) if value)
    sql = f"SELECT {_COLUMNS} FROM _headgate.entry {'WHERE ' + where if where else ''} ORDER BY table_name, id"
    return [Entry(*row) for row in session.execute(sql, [value for value in (table, kind) if value])]


def latest(session: Session, limit: int) -> tuple[list[Entry], int]:
    """The latest entries of all tables, the newest first, and how many there are."""
    rows = session.execute(
        f"SELECT {_COLUMNS} FROM _headgate.entry ORDER BY committed_at DESC, id DESC, table_name LIMIT {int(limit)}"
    )
    total = session.execute("SELECT count(*) FROM _headgate.entry")[0][0]
    return [Entry(*row) for row in rows], int(total)


def load_sizes(session: Session, table: TableRef) -> list[int]:
    """How many rows each load of the table had, or each build of a model that splits, the latest last.

    A load that took several commits counts once.
    """
    rows = session.execute(
        """SELECT CAST(sum(rows_loaded) AS BIGINT) FROM _headgate.entry WHERE table_name = ?
           AND stream = 'data' AND kind IN ('load', 'build')
           GROUP BY attempt ORDER BY min(id)""",
        [str(table)],
    )
    return [row[0] for row in rows]


def insert_entries(session: Session, written: Iterable[Entry]) -> None:
    insert_rows(session, "_headgate.entry", [tuple(_plain(entry).values()) for entry in written])


def insert_rows(session: Session, table: str, rows: Sequence[Sequence[Any]], chunk: int = 200) -> None:
    """Rows of texts, integers and NULLs. As literals: DuckDB looks for numpy and pandas at every parameter."""
    for at in range(0, len(rows), chunk):
        listed = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in rows[at : at + chunk])
        session.execute(f"INSERT INTO {table} VALUES {listed}")


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quote.literal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"no literal for {type(value).__name__}")


@dataclass(frozen=True)
class Counts:
    """What became of the records of one slice. `loaded` = inserted + updated."""

    read: int = 0
    loaded: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    skipped: int = 0
    inserted: int = 0
    updated: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTED}
        return Counts(**sums, details=add_details(self.details, other.details))


_COUNTED = ("read", "loaded", "quarantined", "deduplicated", "skipped", "inserted", "updated")


def add_details(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested mappings of counts, added."""
    out = dict(one)
    for key, value in two.items():
        if isinstance(value, Mapping):
            out[key] = add_details(out.get(key, {}), value)
        elif isinstance(value, int) and not isinstance(value, bool):
            out[key] = out.get(key, 0) + value
        else:
            out[key] = value
    return out

"""Answers about the ledger, and of what is written into it by hand: adjust, adopt, restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from headgate.api.results.answer import Answer
from headgate.core.errors import Finding
from headgate.core.records import dataclass


@dataclass(frozen=True)
class LedgerEntry(Answer):
    """One line of the ledger. `seq` is dense from 1 per partition and generation; `start` and `end` are positions.

    `detail` holds what only some kinds have: inserted, updated, unchanged, deleted, reasons, contract, reason, by.
    `version`: the contract that held, by its number among those that the table had; 0 for none.
    """

    id: str
    at: str
    table: str
    partition: str
    generation: int
    seq: int
    kind: str
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    rows_skipped: int = 0
    rows_added: int = 0
    rows_removed: int = 0
    start: Any = None
    end: Any = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True)
class LedgerResult(Answer):
    """Entries, newest first. `total` counts all that match; `entries` may be fewer."""

    total: int
    entries: tuple[LedgerEntry, ...] = ()


@dataclass(frozen=True)
class AdjustResult(Answer):
    """The entry that accepts a change made by hand: who, why, and by how many rows the table differs."""

    table: str
    reason: str
    by: str
    entry: str
    rows_before: int
    rows_after: int
    rows_added: int
    rows_removed: int


@dataclass(frozen=True)
class AdoptResult(Answer):
    """A table that somebody else made and that has books now; under `dry_run` what would become of it (`entry` is "").

    `rows_read` of the table = loaded (they stay where they are) + quarantined; `reasons` counts these by rule.
    `changes`, `sql`: how its columns follow the contract. `seen`: partitions of its source that count as read, and
    `skipped` the records in them; `waiting`: those that the next run reads.
    """

    table: str
    by: str
    entry: str
    dry_run: bool
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    seen: int = 0
    skipped: int = 0
    waiting: int = 0
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class RestoreResult(Answer):
    """The table that stands again: its rows, those given up (kept until the next time), and when it had been replaced.

    `position`: `back` (the next run reads again what came since) or `seen` (it waits for other content).
    """

    table: str
    by: str
    entry: str
    rows_before: int
    rows_after: int
    replaced_at: str
    kept: str
    position: Literal["back", "seen"]

"""A table that was landed raw as a source: its partitions are those of the landing, its records those of the files.

A position names the table, the partition's generation in the books, the last entry read, and how many rows were read
with it. Rows of an entry never change, so the same position gives the same rows; where they were exchanged or taken
away since, the partition has changed. Rows stay in the engine: a slice is a condition on entry and record number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.files.shape import compare
from headgate.adapters.table.landing import GONE, Chain, Landed, Landing, Progress, status_of
from headgate.adapters.table.reader import TableReader, changed
from headgate.core.errors import Finding
from headgate.core.protocols import Engine, Session
from headgate.core.values import Partition, Position, TableRef
from headgate.types.nested import bases


class TableSource:
    """The table `options["table"]`, once `over` has told what the books say of it; nothing until then.

    `options["wanted"]`: what the contract's columns are fed from. `tmp`: an existing folder for temporary files.
    """

    replay: Literal["stable", "moving"] = "stable"
    unit = "partition"
    OPTIONS: ClassVar[frozenset[str]] = frozenset({"table", "timezone", "wanted"})

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path, landing: Landing | None = None) -> None:
        self.table = TableRef.parse(str(options["table"]))
        self.wanted = tuple(options.get("wanted") or ())
        self._made_of = (options, root, tmp)
        self.tmp = tmp
        self.landing = landing
        landed = (one for chain in self._chains().values() for one in chain.entries if not one.documents)
        self.typed = any(column.physical != "VARCHAR" for one in landed for column in one.columns)

    def over(self, landing: Landing) -> TableSource:
        """The source that reads this landing."""
        return TableSource(*self._made_of, landing)

    def _chains(self) -> Mapping[str, Chain]:
        return self.landing.chains if self.landing is not None else {}

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every partition of the landing, and those `known` that are `gone` from it, in name order."""
        chains = self._chains()
        found = [self._judged(chain, known.get(name)) for name, chain in chains.items()]
        if self.landing is not None and self.landing.there:
            lost = [name for name, at in known.items() if name not in chains and self._may_be_gone(at)]
            found += [Partition(name, "gone", 0, f"{self.table} has nothing of it any more") for name in lost]
        return sorted(found, key=lambda one: one.name)

    def _may_be_gone(self, position: Position) -> bool:
        return position.get("table") == str(self.table) and GONE not in position

    def _judged(self, chain: Chain, position: Position | None) -> Partition:
        status, reason = status_of(chain, self.table, position)
        size = max(chain.size, chain.rows)
        return Partition(chain.partition, status, size, reason, location=place(self.table, chain.partition))

    def open(self, session: Engine, partition: Partition, at: Position | None) -> TableReader:
        """A reader of the partition from position `at` on. *Errors*: AdapterError `file-changed`."""
        landing = self.landing
        assert landing is not None, "only a source that knows its landing has partitions"
        chain = landing.chains.get(partition.name) or Chain(partition.name, 0, ())
        at = None if at is None or GONE in at else at
        if at is not None and status_of(chain, self.table, at)[0] == "changed":
            raise changed(landing, partition.name)
        progress = Progress.of(at) if at is not None else Progress(chain.generation)
        return TableReader(landing, session, chain, progress, fresh=at is None, wanted=self.wanted, tmp=self.tmp)

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these columns from being read, by what each entry was landed with."""
        landed = [(chain, one) for chain in self._chains().values() for one in chain.entries]
        if not landed:
            fix = f"see what keeps it from being landed: headgate plan {self.table}"
            return [Finding("nothing-landed", "warning", f"{self.table} has no record yet", str(self.table), fix)]
        return [found for chain, one in landed if not one.documents for found in self._compared(chain, one, columns)]

    def _compared(self, chain: Chain, one: Landed, columns: Sequence[str]) -> list[Finding]:
        there = [column.name for column in one.columns]
        return compare(there, bases(one.columns, columns), place(self.table, chain.partition))


def place(table: TableRef, partition: str) -> str:
    """Where a partition of the table is, for messages."""
    return f"{table} {partition}"

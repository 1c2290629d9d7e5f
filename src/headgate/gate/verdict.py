"""The verdict of a commit: one row for each record that is not loaded, with its mask of reasons and its fate.

Kept as a chain of small temporary tables: each judgement adds its hits and the next table is their union.
Row rules are judged in the engine; where the store is another system, verdict and keys then move there (`move`), set
rules add their hits, and the verdict comes back (`come_back`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headgate.core.protocols import StoreSession
from headgate.gate.scan import Scan, Temp
from headgate.sql.quote import columns, ident

QUARANTINED, DEDUPLICATED, SKIPPED = 1, 2, 3


@dataclass
class Verdict:
    """`table` has `_hg_id, _hg_part`, the mask words, `fate` and `why` (index of a skip rule, or 1 = older version).

    `records`: SELECT of `_hg_id, _hg_part` and the columns to judge, in the system where the verdict is.
    """

    scan: Scan
    table: str = ""
    rows: int = 0
    generation: int = 0
    words: list[str] = field(default_factory=list)
    abroad: Temp | None = None
    """The temporary tables in the store, where that is another system."""
    brought: str = ""
    """The records as they were brought to it."""
    left: str = ""
    """The verdict's last table in it, once the verdict came back."""

    @property
    def temp(self) -> Temp:
        """Where the verdict is now."""
        return self.scan.temp if self.abroad is None or self.left else self.abroad

    @property
    def records(self) -> str:
        return f"SELECT * FROM {self.brought}" if self.temp is self.abroad else self.scan.sql

    def start(self) -> None:
        """Row rules and skips, over one reading of the scan; before the transaction."""
        scan, contract, bits = self.scan, self.scan.contract, self.scan.bits
        self.words = bits.mask_columns()
        conditions = [rule.sql for rule, _ in bits.row_bits]
        if bits.order_bit is not None:
            conditions.append(f"{_order_column(scan)} IS NOT NULL")
        given = bits.type_bits or bits.model_bit is not None
        bad = [f"{word} <> 0" for word in self.words] if given else []
        bad += [f"NOT coalesce({' AND '.join(f'({one})' for one in conditions)}, true)"] if conditions else []
        skips = [f"WHEN coalesce(({sql}), false) THEN {number}" for number, (_, sql) in enumerate(contract.skips, 1)]
        if skips and bits.model_bit is not None:  # what the model refused has no values to skip by
            skips.insert(0, f"WHEN {bits.any_of([bits.model_bit], 'scan')} THEN 0")
        skip = f"CASE {' '.join(skips)} ELSE 0 END" if skips else "0"
        keep = " OR ".join(bad + [f"{skip} > 0"] * bool(skips)) or "false"
        masks = ", ".join(
            f"CASE WHEN _hg_why > 0 THEN 0 ELSE {word} + {added} END AS {word}"
            for word, added in zip(self.words, bits.mask(self._failing()), strict=True)
        )
        self._next(
            f"""SELECT _hg_id, _hg_part, {masks},
                    CASE WHEN _hg_why > 0 THEN {SKIPPED} ELSE {QUARANTINED} END AS fate, _hg_why AS why
                FROM (SELECT *, {skip} AS _hg_why FROM ({scan.sql}) AS scan WHERE {keep}) AS failing"""
        )

    def _failing(self) -> list[tuple[int, str]]:
        bits = self.scan.bits
        failing = []
        valid = f" AND {self.asked('failing')}" if bits.model_bit is not None else ""
        for rule, bit in bits.row_bits:
            guard = valid + (self.unconverted(rule.column) if rule.code == "required" else "")
            failing.append((bit, f"NOT coalesce(({rule.sql}), true){guard}"))
        if bits.order_bit is not None:
            column = bits.reasons[bits.order_bit].column
            failing.append((bits.order_bit, f"{_order_column(self.scan)} IS NULL{valid}{self.unconverted(column)}"))
        return failing

    def asked(self, alias: str) -> str:
        """A condition: rules are asked about the record of `alias`, for no model refused it."""
        bit = self.scan.bits.model_bit
        return "true" if bit is None else f"NOT ({self.scan.bits.any_of([bit], alias)})"

    def unconverted(self, column: str | None) -> str:
        """A value that was received but does not convert is not missing: it has the reason `type` alone."""
        bits = self.scan.bits
        words = bits.constant(bits.type_bits[str(column)])
        return "".join(f" AND ({name} & {word}) = 0" for name, word in zip(self.words, words, strict=True) if word)

    def add(self, hits: str, fate: int, bit: int | None = None, why: int = 0) -> int:
        """Adds what the SELECT of `_hg_id, _hg_part` finds (skipped records stay skipped); returns how many."""
        bits = self.scan.bits
        words = bits.constant(bit) if bit is not None else [0] * bits.words
        masks = ", ".join(f"CAST({word} AS BIGINT) AS {name}" for name, word in zip(self.words, words, strict=True))
        found = self.temp.keep(
            f"hits_{len(self.temp.tables)}",
            f"""SELECT DISTINCT _hg_id, _hg_part, {masks}, {fate} AS fate, {why} AS why
                FROM ({hits}) AS hits
                WHERE NOT EXISTS (SELECT 1 FROM {self.table} AS v
                                  WHERE v._hg_id = hits._hg_id AND v.fate = {SKIPPED})""",
        )
        count = self._count(found)
        if count:
            merged = ", ".join(f"bit_or({name}) AS {name}" for name in self.words)
            self._next(
                f"""SELECT _hg_id, min(_hg_part) AS _hg_part, {merged}, min(fate) AS fate, max(why) AS why
                    FROM (SELECT * FROM {self.table} UNION ALL SELECT * FROM {found}) AS u GROUP BY _hg_id"""
            )
        return count

    def _next(self, select: str) -> None:
        self.generation += 1
        self.table = self.temp.keep(f"verdict_{self.generation}", select)
        self.rows = self._count(self.table)

    def _count(self, table: str) -> int:
        return int(self.temp.session.execute(f"SELECT count(_hg_id) FROM {table}")[0][0])

    def move(self, session: StoreSession, names: Sequence[str], more: Sequence[str] = ()) -> None:
        """Goes to the store with these columns (and what the engine makes of them: `more`) of the records that are not
        skipped, for the set rules."""
        here: object = session
        if session.engine is here:
            return
        listed = ", ".join(["_hg_id", "_hg_part", *([columns(names)] if names else []), *more])
        abroad = Temp(session, self.temp.prefix)
        self.brought = session.bring(f"SELECT {listed} FROM ({self.judged()}) AS judged", abroad.name("records"))
        self.table = session.bring(f"SELECT * FROM {self.table}", abroad.name("verdict_0"))
        self.abroad = abroad

    def come_back(self, session: StoreSession) -> None:
        """Returns to the engine, for the rows and texts of what was refused."""
        if self.abroad is not None and not self.left:
            self.left = self.table
            self.table = session.take(f"SELECT * FROM {self.left}", self.temp.name("verdict_final"))

    def comparable(self, table: str, column: str, like: str) -> str:
        """A column of a table of the store, as the records' column `like` is compared with it: JSON by its text."""
        kinds = {one.name: one.type.name for one in self.scan.contract.columns}
        named = f"{table}.{ident(column)}"
        return f"CAST({named} AS VARCHAR)" if self.abroad is not None and kinds[like] == "json" else named

    def keys(self, names: Sequence[str]) -> str:
        """SELECT, for the store, of `_hg_part` and these columns of the records that pass."""
        if self.abroad is None:
            return f"SELECT _hg_part, {columns(names)} FROM ({self.passing()}) AS passing"
        return f"""SELECT _hg_part, {columns(names)} FROM {self.brought} AS r
                   WHERE NOT EXISTS (SELECT 1 FROM {self.left} AS v WHERE v._hg_id = r._hg_id)"""

    def drop(self) -> None:
        """Removes every temporary table."""
        for temp in (self.abroad, self.scan.temp):
            if temp is not None:
                temp.drop()

    def passing(self) -> str:
        """The records without those of the verdict."""
        if not self.rows:
            return self.records
        return f"""SELECT * FROM ({self.records}) AS scan
                   WHERE NOT EXISTS (SELECT 1 FROM {self.table} AS v WHERE v._hg_id = scan._hg_id)"""

    def judged(self) -> str:
        """The records without skipped ones: all that set rules test."""
        if not self.rows or not self.scan.contract.skips:
            return self.records
        return f"""SELECT * FROM ({self.records}) AS scan
                   WHERE NOT EXISTS (SELECT 1 FROM {self.table} AS v WHERE v._hg_id = scan._hg_id
                                     AND v.fate = {SKIPPED})"""


def _order_column(scan: Scan) -> str:
    assert scan.bits.order_bit is not None
    return ident(str(scan.bits.reasons[scan.bits.order_bit].column))

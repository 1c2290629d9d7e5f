"""What was planted where, written down while planting: nothing here asks Headgate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Reasons = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of fault. `reasons`: the (rule, column) pairs with which a refused record must be found, in order.

    `rate`: how many are planted per order of the month (at least one). `fate`: quarantined | deduplicated | skipped |
    no record.
    """

    name: str
    table: str
    fate: str
    rate: float
    reasons: Reasons = ()

    def count(self, orders: int) -> int:
        return max(1, round(self.rate * orders))


@dataclass
class Truth:
    """The books as they must come out: places per kind, records and fates per table. `kinds`: all there may be.

    `survivors`: for kinds of double records, the key and the version that the table must hold in the end, once.
    """

    kinds: dict[str, Kind]
    numbers: dict[str, int] = field(default_factory=dict)
    places: dict[str, dict[str, list[tuple[int, int]]]] = field(default_factory=dict)
    survivors: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)

    def planted(self, kind: Kind, file: str, record: int, line: int) -> None:
        """Record number `record` (from 1, the header is none) of `file`, on physical line `line`, has this fault."""
        self._note(kind, 1)
        self.places[kind.name].setdefault(file, []).append((record, line))

    def planted_file(self, kind: Kind, file: str, records: int) -> None:
        """All `records` of `file` have this fault."""
        self._note(kind, records)
        self.places[kind.name][file] = []
        self.count(kind.table, kind.fate, records)

    def move(self, kind: Kind, number: int) -> None:
        """`number` good records, counted as loaded, end otherwise in a load of all files at once."""
        self._note(kind, number)
        self.count(kind.table, "loaded", -number)
        self.count(kind.table, kind.fate, number)

    def _note(self, kind: Kind, number: int) -> None:
        assert self.kinds[kind.name] is kind, "a kind that is not in the list"
        self.numbers[kind.name] = self.numbers.get(kind.name, 0) + number
        self.places.setdefault(kind.name, {})

    def count(self, table: str, fate: str, number: int = 1) -> None:
        """`number` more records of `table` have this fate; every record read has one."""
        fresh = {"read": 0, "loaded": 0, "quarantined": 0, "deduplicated": 0, "skipped": 0}
        counts = self.tables.setdefault(table, fresh)
        counts["read"] += number
        counts[fate] += number

    def to_json(self, parameters: dict[str, int]) -> dict[str, Any]:
        """`parameters`, `tables` (counts per fate), `facts`, and `kinds` in their order."""
        kinds = [
            {
                "kind": kind.name,
                "table": kind.table,
                "fate": kind.fate,
                "reasons": [list(reason) for reason in kind.reasons],
                "planted": self.numbers.get(name, 0),
                "places": self.places.get(name, {}),
                "survivors": self.survivors.get(name, []),
            }
            for name, kind in self.kinds.items()
        ]
        return {"parameters": parameters, "tables": self.tables, "facts": self.facts, "kinds": kinds}

    def write(self, path: Path, parameters: dict[str, int]) -> None:
        path.write_text(json.dumps(self.to_json(parameters), ensure_ascii=False) + "\n", encoding="utf-8")

"""A source in memory, for tests that drive the gate and the books without files.

It is "stable": the same position gives the same rows. Records are dicts of column -> text or None, or `Malformed`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from headgate.core.errors import Finding
from headgate.core.protocols import Session
from headgate.core.values import Batch, Partition, PartitionStatus, Position, SourceColumn
from headgate.sql import quote


@dataclass(frozen=True)
class Malformed:
    """A record that is no record: its text and what is wrong with it."""

    raw: str
    message: str


Record = Mapping[str, str | None] | Malformed


@dataclass(frozen=True)
class MemoryFile:
    """One partition. `identity` stands for size and modification time: another one means a changed file."""

    identity: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]


@dataclass
class MemorySource:
    """`files`: partition -> file. `cuts`: partition -> record numbers after which a visible load is cut."""

    files: Mapping[str, MemoryFile]
    cuts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    replay: Literal["stable", "moving"] = "stable"
    unit: str = "file"
    typed: bool = False

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        statuses = {name: _status(file, known.get(name)) for name, file in self.files.items()}
        changed = {name for name, status in statuses.items() if status == "changed"}
        seen = {position["content"]: name for name, position in known.items() if name not in changed}
        gone = {position["content"]: name for name, position in known.items() if name in changed}
        found = []
        for name in sorted(self.files):
            file, status = self.files[name], statuses[name]
            content = _content(file)
            twin = ""
            if status in ("new", "changed") and content != "[]":
                twin = seen.get(content, "") or ("" if gone.get(content) == name else gone.get(content, ""))
                seen.setdefault(content, name)
            former = bool(twin) and gone.get(content) == twin and seen.get(content) in (None, name)
            shown = "twin" if twin and status == "new" else status
            found.append(Partition(name, shown, len(file.records), "", twin, former=former))
        return found

    def open(self, session: Session, partition: Partition, at: Position | None) -> MemoryReader:
        file = self.files[partition.name]
        return MemoryReader(partition.name, file, int(at["at"]) if at else 0, list(self.cuts.get(partition.name, ())))

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        return []


def _content(file: MemoryFile) -> str:
    records = [[one.raw, one.message] if isinstance(one, Malformed) else dict(one) for one in file.records]
    return json.dumps(records, sort_keys=True)


def _status(file: MemoryFile, position: Position | None) -> PartitionStatus:
    if position is None:
        return "new"
    if position["identity"] != file.identity:
        return "changed"
    return "unchanged" if position["done"] else "partial"


@dataclass
class MemoryReader:
    name: str
    file: MemoryFile
    at: int
    cuts: list[int]
    started: bool = False

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        total = len(self.file.records)
        if self.started and self.at >= total:
            return None
        self.started = True
        whole = max_rows >= 1 << 60
        ahead = [cut for cut in self.cuts if cut > self.at and not whole]
        end = min([total, self.at + max_rows, *ahead])
        batch = self._batch(self.at, end)
        self.at = end
        return batch

    def _batch(self, start: int, end: int) -> Batch:
        numbered = list(enumerate(self.file.records, 1))[start:end]
        good = [(number, record) for number, record in numbered if not isinstance(record, Malformed)]
        bad = [(number, record) for number, record in numbered if isinstance(record, Malformed)]
        columns = tuple(SourceColumn(name, "VARCHAR") for name in self.file.columns)
        names = ["_hg_row", *self.file.columns]
        rows = [[str(number), *(_text(record.get(name)) for name in self.file.columns)] for number, record in good]
        whole = [
            [str(number), "NULL::BIGINT", "NULL::VARCHAR", _text(json.dumps(dict(record)))] for number, record in good
        ]
        torn = [[str(number), str(number + 1), _text(one.raw), _text(one.message)] for number, one in bad]
        return Batch(
            self.name,
            _values(rows, names),
            columns,
            end - start,
            {"at": start},
            self._position(end),
            rescan=True,
            originals=lambda numbers: _values(whole, ["_hg_row", "line", "raw", "row"]),
            malformed=len(bad),
            malformed_relation=_values(torn, ["_hg_row", "line", "raw", "message"]) if bad else "",
            first_record=start + 1,
        )

    def _position(self, at: int) -> Position:
        done = at >= len(self.file.records)
        return {"at": at, "done": done, "identity": self.file.identity, "content": _content(self.file)}

    def close(self) -> None:
        return None


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else quote.literal(value) + "::VARCHAR"


def _values(rows: Sequence[Sequence[str]], names: Sequence[str]) -> str:
    listed = quote.columns(names)
    if not rows:
        typed = [f"NULL::{'BIGINT' if name in ('_hg_row', 'line') else 'VARCHAR'}" for name in names]
        return f"SELECT * FROM (VALUES ({', '.join(typed)})) AS v({listed}) WHERE false"
    body = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"SELECT CAST(_hg_row AS BIGINT) AS _hg_row, * EXCLUDE (_hg_row) FROM (VALUES {body}) AS v({listed})"

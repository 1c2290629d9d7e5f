"""A project folder with one Python file, and its source read as a load reads it."""

from __future__ import annotations

import textwrap
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.adapters.python.source import PythonSource
from headgate.core.values import Batch, Position
from headgate.testing.source_suite import DuckSession

WHOLE = 1 << 62


@dataclass
class Bench:
    """`code` is the file sources/x.py. `read` gives the batches of partition `all`, one text per record."""

    root: Path
    session: DuckSession = field(default_factory=DuckSession)

    def code(self, text: str) -> None:
        (self.root / "sources").mkdir(exist_ok=True)
        (self.root / "tmp").mkdir(exist_ok=True)
        (self.root / "sources" / "x.py").write_text(textwrap.dedent(text))

    def source(self, replay: str = "moving", **options: Any) -> PythonSource:
        made = {"function": "sources/x.py:rows", "replay": replay, **options}
        return PythonSource(made, self.root, self.root / "tmp")

    def read(
        self, at: Position | None = None, rows: int = 1000, replay: str = "moving", limit: int = 1000, **options: Any
    ) -> list[Seen]:
        """At most `limit` batches of at most about `rows` records from the position on."""
        source = self.source(replay, **options)
        (partition,) = source.partitions({})
        found = []
        with closing(source.open(self.session, partition, at)) as reader:
            while len(found) < limit and (batch := reader.read(rows, 1 << 60)) is not None:
                found.append(seen(self.session, batch))
        assert list((self.root / "tmp").iterdir()) == []
        return found


@dataclass(frozen=True)
class Seen:
    """A batch as it was read: rows by record number, reasons by record number, and what it says of itself."""

    rows: dict[int, tuple[Any, ...]]
    refused: dict[int, str]
    batch: Batch

    @property
    def columns(self) -> list[tuple[str, str]]:
        return [(column.name, column.physical) for column in self.batch.columns]


def seen(session: DuckSession, batch: Batch) -> Seen:
    rows: dict[int, tuple[Any, ...]] = {}
    refused: dict[int, str] = {}
    for piece in batch.pieces:
        rows |= {row[0]: row[1:] for row in session.execute(piece.relation)}
        if piece.malformed:
            bad = session.execute(piece.malformed_relation)
            assert len(bad) == piece.malformed
            refused |= {number: message for number, _, _, message in bad}
    assert len(rows) + len(refused) == batch.total
    return Seen(rows, refused, batch)

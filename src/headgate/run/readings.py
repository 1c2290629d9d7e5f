"""What a load reads: which records of a partition count, and readers of what there is no file for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headgate.core.errors import ContractError, Finding
from headgate.core.protocols import Reader
from headgate.core.values import Batch, SourceColumn
from headgate.gate.scan import unknown_columns
from headgate.run.flow import Flow, Reading

WHOLE = 1 << 62


def reads_records(reading: Reading) -> bool:
    """Whether the records of the partition are judged, if it has any at all."""
    return not (reading.skip or not reading.partition.name or reading.partition.status == "gone")


def refused_columns(flow: Flow, shapes: Iterable[Sequence[SourceColumn]], former: bool = False) -> tuple[str, ...]:
    """Under `extra: quarantine`, the columns in which no record may have a value; letter case does not count."""
    if flow.ingest.extra != "quarantine" or flow.contract is None:
        return ()
    found: dict[str, str] = {}
    for columns in shapes:
        for name in unknown_columns(flow.contract, columns, former):
            found.setdefault(name.lower(), name)
    return tuple(found.values())


def no_position(flow: Flow, batch: Batch) -> ContractError:
    return ContractError(
        Finding(
            "no-position",
            "error",
            f"{batch.uncovered} records lie behind the last position that the source gave; nothing of them was loaded, "
            "for under load: append every run would load them again",
            str(flow.ingest.source.where),
            "yield (rows, position), say load: {upsert: key} or replace, or give partitions:",
            {"records": batch.uncovered},
        )
    )


def close_all(readers: list[Reader]) -> None:
    """Closes readers all of whose batches are committed."""
    for reader in readers:
        reader.close()
    readers.clear()


@dataclass
class Once:
    """A reader of what was read already; its batch is another's to close."""

    batch: Batch | None

    def read(self, max_rows: int, max_bytes: int) -> Batch | None:
        batch, self.batch = self.batch, None
        return batch

    def close(self) -> None:
        return None


def no_file() -> Reader:
    """What is read where a rebuilt table has no file at all: nothing, once."""
    return Once(Batch("", "", (), 0, {}, {}, rescan=True, originals=lambda rows: ""))

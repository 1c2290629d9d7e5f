"""Records without a fixed shape: what a batch of them lacks is NULL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from headgate.core.values import Batch, SourceColumn
from headgate.sql.quote import ident


def filled(batch: Batch, names: Iterable[str]) -> Batch:
    """The batch with a column of NULLs (text) for each of `names` that it lacks; as it is unless it is sparse."""
    there = {column.name.lower() for column in batch.columns}
    names = list(names)
    careful = batch.careful
    if batch.sparse and careful is not None:
        batch = replace(batch, careful=lambda: filled(careful(), names))
    lacking = [name for name in names if name.lower() not in there] if batch.sparse else []
    if not lacking:
        return batch
    nulls = ", ".join(f"CAST(NULL AS VARCHAR) AS {ident(name)}" for name in lacking)
    columns = (*batch.columns, *(SourceColumn(name, "VARCHAR") for name in lacking))
    return replace(batch, relation=f"SELECT *, {nulls} FROM ({batch.relation})", columns=columns)


def names_of(batches: Sequence[Batch]) -> list[str]:
    """The columns of all sparse batches, in order of first sight; letter case does not count."""
    found: dict[str, str] = {}
    for batch in batches:
        for column in batch.columns if batch.sparse else ():
            found.setdefault(column.name.lower(), column.name)
    return list(found.values())

"""Types for an ingest without columns: what every value of the first load fits, kept in the books from then on."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from headgate.contracts.model import Contract, ContractColumn
from headgate.contracts.short import as_loaded
from headgate.core.protocols import Session
from headgate.core.values import Batch, SourceColumn, TableRef
from headgate.gate.blame import unreadable
from headgate.sql import quote
from headgate.types import jsonvalue
from headgate.types.convert import conversion
from headgate.types.inferred import CANDIDATES, of_physical, roomy_decimal
from headgate.types.logical import LogicalType, parse

_JUDGED = ("VARCHAR", jsonvalue.PHYSICAL)
"""Physical types that say nothing: the values decide."""
_KEPT = "SELECT body FROM _headgate.contract WHERE table_name = ? ORDER BY pinned_at DESC LIMIT 1"


def pinned(session: Session, table: TableRef) -> Contract | None:
    """The contract that was taken from the data at the table's first load."""
    rows = session.execute(_KEPT, [str(table)])
    if not rows:
        return None
    return Contract(tuple(_column(one) for one in json.loads(rows[0][0])))


def brought(session: Session, table: TableRef) -> tuple[ContractColumn, ...]:
    """The columns that files brought later on, or not all of them, under `extra: evolve`."""
    rows = session.execute(_KEPT, [str(table)])
    return tuple(_column(one) for one in json.loads(rows[0][0]) if len(one) > 3) if rows else ()


def _column(kept: Sequence[Any]) -> ContractColumn:
    name, spelling, source, *_ = kept
    return ContractColumn(name, parse(spelling), source)


def infer(session: Session, batches: Sequence[Batch], options: Mapping[str, Any]) -> Contract:
    """The types that all values of the batches fit. A time without zone is the source's own. Nothing is kept of it yet.

    The columns are those of the first batch; a column of another physical type in a later file stays its business.
    """
    zone = str(options.get("timezone") or "UTC")
    first = batches[0]
    names = quote.columns(column.name for column in first.columns)
    text = all(column.physical in _JUDGED for batch in batches for column in batch.columns)
    same = [one for one in batches if {c.name for c in one.columns} >= {c.name for c in first.columns}]
    seen = same if text else [first]
    relation = " UNION ALL ".join(f"SELECT {names} FROM ({readable(session, one).relation})" for one in seen)
    try:
        types = [_type_of(session, relation, column, zone) for column in first.columns]
    except Exception as error:
        broken = next((found for one in seen if (found := unreadable(session, one)) is not None), None)
        if broken is None:
            raise
        raise broken from error
    columns = zip(first.columns, types, strict=True)
    return Contract(tuple(ContractColumn(column.name, kind, column.name) for column, kind in columns))


def keyed(contract: Contract, disposition: str, keys: Sequence[str]) -> Contract:
    """The contract with what `load: {upsert: ...}` makes of it; as it is where there are no keys."""
    return as_loaded(contract, disposition, keys) if keys else contract


def body(contract: Contract, optional: Collection[str] = ()) -> str:
    """The contract as the books keep it: committed with the rows that it judged. `optional`: see `brought`."""
    return json.dumps(
        [[one.name, str(one.type), one.source, *([True] if one.name in optional else [])] for one in contract.columns]
    )


def kind_of(session: Session, batches: Sequence[Batch], name: str, zone: str) -> LogicalType:
    """The type that every value of the column fits, in all the batches that have it; text where they have no other in
    common."""
    having = [one for one in batches if any(column.name.lower() == name.lower() for column in one.columns)]
    seen = [readable(session, one) for one in having]
    found = {column.physical for one in seen for column in one.columns if column.name.lower() == name.lower()}
    if len(found) > 1:
        kinds = {of_physical(physical) for physical in found}
        return kinds.pop() if len(kinds) == 1 and not found & set(_JUDGED) else LogicalType("text")
    relation = " UNION ALL ".join(f"SELECT {quote.ident(name)} FROM ({one.relation})" for one in seen)
    return _type_of(session, relation, SourceColumn(name, found.pop()), zone)


def readable(session: Session, batch: Batch) -> Batch:
    """The batch, or the careful form of it where the strict parser stops."""
    if batch.careful is None:
        return batch
    try:
        session.execute(_touch(batch))
    except Exception:
        return batch.careful()
    return batch


def _touch(batch: Batch) -> str:
    """A query that makes the parser read every column of every row."""
    parts = " + ".join(f"count({quote.ident(column.name)})" for column in batch.columns)
    return f"SELECT {parts} FROM ({batch.relation}) AS src"


def _type_of(session: Session, relation: str, column: SourceColumn, zone: str) -> LogicalType:
    expr = f"src.{quote.ident(column.name)}"
    if column.physical not in _JUDGED:
        return of_physical(column.physical)
    text = jsonvalue.text(expr) if column.physical == jsonvalue.PHYSICAL else expr
    for name in CANDIDATES:
        logical = _widest_decimal(session, relation, text) if name == "decimal" else LogicalType(name)
        converted = conversion(expr, column.physical, logical, timezone=zone) if logical else None
        if logical and converted and converted.ok and _all_fit(session, relation, expr, converted.ok):
            return logical
    if column.physical == jsonvalue.PHYSICAL and not _all_fit(session, relation, expr, jsonvalue.is_scalar(expr)):
        return LogicalType("json" if _any(session, relation, expr) else "text")
    return LogicalType("text")


def _any(session: Session, relation: str, expr: str) -> bool:
    return bool(session.execute(f"SELECT count({expr}) FROM ({relation}) AS src")[0][0])


def _all_fit(session: Session, relation: str, expr: str, ok: str) -> bool:
    values, bad = session.execute(f"SELECT count({expr}), count(*) FILTER (WHERE NOT ({ok})) FROM ({relation}) AS src")[
        0
    ]
    return bool(values) and not bad


def _widest_decimal(session: Session, relation: str, expr: str) -> LogicalType | None:
    """The decimal that holds every value exactly, with room for greater ones; None where some text is no decimal."""
    whole, fraction = session.execute(
        f"""SELECT max(length(split_part(ltrim({expr}, '+-'), '.', 1))), max(length(split_part({expr}, '.', 2)))
            FROM ({relation}) AS src WHERE regexp_full_match({expr}, '[+-]?[0-9]*[.]?[0-9]*')"""
    )[0]
    return None if whole is None else roomy_decimal(whole, fraction)

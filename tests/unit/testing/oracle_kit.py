"""Short ways to write files and contracts in the oracle's tests."""

from __future__ import annotations

from typing import Any

from headgate.testing.oracle import Column, Contract, File, Flow, Malformed, Rule, State, Unique, load


def file(header: str, *lines: str | Malformed, identity: str = "1") -> File:
    """Comma-separated texts; an empty one is NULL and `""` is empty text."""
    columns = tuple(header.split(","))

    def fields(line: str) -> dict[str, str | None]:
        texts = [None if text == "" else text.replace('""', "") for text in line.split(",")]
        return dict(zip(columns, texts, strict=True))

    return File(identity, tuple(x if isinstance(x, Malformed) else fields(x) for x in lines), columns)


ID = Column("id", "int", key=True)
AMOUNT = Column("amount", "decimal(12,2)", rules=(Rule("min", (0,)),))


def orders(*columns: Column, **facts: Any) -> Flow:
    """A flow into raw.orders; by default `id: int, key` and `amount: decimal(12,2), min(0)`."""
    of_contract = {
        name: facts.pop(name) for name in ("rules", "skip", "uniques", "references", "refuse_at_most") if name in facts
    }
    return Flow("raw.orders", Contract(columns or (ID, AMOUNT), **of_contract), **facts)


def unique(*columns: str, keep: Any = "first") -> Unique:
    return Unique(columns, keep)


def run(flow: Flow, *loads: dict[str, File], state: State | None = None) -> State:
    for files in loads:
        state = load(state or State(), flow, files)
    assert state is not None
    return state


def values(state: State, *columns: str, table: str = "raw.orders") -> list[Any]:
    """The table's rows without `_hg_load`, sorted by their text; one value per row if one column is asked for."""
    rows = [tuple(row[column] for column in columns) for row in state.rows(table)]
    return sorted((row[0] if len(columns) == 1 else row for row in rows), key=str)


def refused(state: State, status: Any = "open", table: str = "raw.orders") -> list[tuple[int, list[tuple[Any, Any]]]]:
    """Record number and (rule, column) of each reason."""
    return [(r.number, [(x.rule, x.column) for x in r.reasons]) for r in state.records(table, status)]


def counts(state: State, table: str = "raw.orders") -> tuple[int, int, int, int, int]:
    """read, loaded, quarantined, deduplicated, skipped."""
    entries = state.entries_of(table)
    return (
        sum(e.read for e in entries),
        sum(e.loaded for e in entries),
        sum(e.quarantined for e in entries),
        sum(e.deduplicated for e in entries),
        sum(e.skipped for e in entries),
    )

"""Histories played through the real gate and books and through the oracle, and how they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tests.property.driver import Warehouse, differences, ingest_of, oracle_view

from headgate.testing.oracle import Column, Contract, File, Flow, Rule
from headgate.testing.strategies import TABLE, Step, parents, play

Row = tuple[str | None, ...]
Reasons = dict[tuple[str, int], list[str]]

SMALL = Column("v", "int", rules=(Rule("max", (4,)),))
"""A column whose values above 4 are refused: what makes a row a bad one here."""


def flow(*columns: Column, uniques: tuple = (), references: tuple = (), **load: object) -> Flow:  # type: ignore[type-arg]
    return Flow(TABLE, Contract(columns, uniques=uniques, references=references), **load)  # type: ignore[arg-type]


def file(names: str, *rows: Row, identity: str = "1") -> File:
    """A file of these columns, written `id n v`."""
    header = tuple(names.split())
    return File(identity, tuple(dict(zip(header, row, strict=True)) for row in rows), header)


def eased(made: Flow) -> Flow:
    """The flow whose contract lets every value pass."""
    columns = tuple(replace(column, rules=()) for column in made.contract.columns)
    return replace(made, contract=replace(made.contract, columns=columns))


def loads(**files: File) -> list[Step]:
    """One load after another; each sees one file more."""
    names = list(files)
    return [Step("load", {name: files[name] for name in names[: end + 1]}) for end in range(len(names))]


def ends(history: Sequence[tuple[Flow, Step]]) -> tuple[list[Row], Reasons]:
    """Rows of the table without their order, in the contract's columns, and rules that open records break; each step
    ended as the oracle says, with clean books."""
    state, real = parents(), Warehouse(history[0][0])
    try:
        for now, step in history:
            real.flow, real.ingest = now, ingest_of(now)
            state = play(state, now, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
        shown = real.view().get(TABLE, {"rows": Counter(), "open": Counter()})
    finally:
        real.close()
    order = [column.name for column in history[-1][0].contract.columns]
    rows = [tuple(dict(row)[name] for name in order) for row in shown["rows"].elements()]
    reasons = {(name, number): [rule for rule, _ in why] for name, number, _, why in shown["open"].elements()}
    return sorted(rows, key=repr), reasons

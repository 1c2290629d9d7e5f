"""What a table's columns and contract have been, told by its entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headgate.books.ledger import EVOLVE, Entry
from headgate.books.record import is_model
from headgate.contracts.evolution import phrase
from headgate.core.records import dataclass

Shape = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Moment:
    """An entry behind which the table had other columns, or another contract. `changes`: phrases, in order.

    `columns`: name and type, in the table's order, as they were from then on; empty where the books do not say.
    """

    entry: Entry
    changes: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


def contract_versions(entries: Sequence[Entry]) -> dict[int, int]:
    """By entry of one table, the number of the contract that held: they are counted as they come, from 1.

    One that comes back has the number it had. 0: there was none yet, or the table is built by a model without one.
    """
    numbers: dict[str, int] = {}
    found, now = {}, 0
    for entry in entries:
        if entry.contract:
            now = numbers.setdefault(entry.contract, len(numbers) + 1)
        found[entry.id] = now
    return found


def history(entries: Sequence[Entry]) -> Iterator[Moment]:
    """The moments of one table, oldest first; none for a model, whose columns are those of its code."""
    shape: tuple[tuple[str, str], ...] = ()
    contract = ""
    for entry in () if is_model(entries) else entries:
        told = list(_told(entry, shape, contract))
        shape = _shape(entry.facts) or shape
        contract = entry.contract or contract
        if told:
            yield Moment(entry, tuple(told), shape)


def _shape(facts: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    found = facts.get("columns")
    return tuple((str(name), str(kind)) for name, kind in found) if isinstance(found, list) else ()


def _told(entry: Entry, before: tuple[tuple[str, str], ...], contract: str) -> Iterator[str]:
    facts = entry.facts
    now = _shape(facts)
    if entry.stream == EVOLVE:
        yield from (phrase(change) for change in facts["changes"])
    elif now and not before:
        yield from (phrase(change) for change in facts.get("changes", ()))
        how = "adopted" if entry.kind == "adopt" else "made"
        yield f"{how} with {', '.join(f'{name} {kind}' for name, kind in now)}"
    elif now:
        yield from _compared(dict(before), dict(now))
    elif contract and entry.contract and entry.contract != contract:
        yield "rules changed"


def _compared(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """What a table that was loaded anew has otherwise."""
    for name, kind in before.items():
        if name not in now:
            yield phrase({"case": "missing", "column": name, "before": kind, "after": ""})
        elif now[name] != kind:
            yield phrase({"case": "narrowed", "column": name, "before": kind, "after": now[name]})
    for name, kind in now.items():
        if name not in before:
            yield phrase({"case": "new", "column": name, "before": "", "after": kind})
    if before == now:
        yield "columns in another order"

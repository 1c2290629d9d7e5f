"""The audit of child tables: their rows are those that the entries of their records say, and each has its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headgate.books import ledger, lines, record
from headgate.books.ledger import Entry
from headgate.books.lines import CHILDREN, Standing
from headgate.books.work import LOAD_COLUMN
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.sql import quote

SHOWN = 3


def children(by_table: Mapping[str, Sequence[Entry]]) -> dict[str, str]:
    """Every child table that the books know -> the table of its records."""
    return {child: name for name, history in by_table.items() for child in lines.standing(history)}


def audit_lines(session: StoreSession, name: str, history: Sequence[Entry]) -> Iterator[Finding]:
    """What is wrong with the child tables of one table."""
    yield from _entries(name, history)
    known = lines.standing(history)
    whole = {child for child, standing in known.items() if not list(_columns(session, name, child, standing))}
    for child, standing in known.items():
        yield from _state(session, name, child, standing)
        yield from _columns(session, name, child, standing)
        if child in whole and session.columns(TableRef.parse(child)) is not None:
            yield from _contents(session, name, child, standing)
            yield from _places(session, name, child, standing)
            if standing.told.get("above") in (None, *whole):
                yield from _strays(session, name, child, known)


def _broken(code: str, what: str, where: str, fix: str) -> Finding:
    return Finding(code, "error", what, where, fix, {})


def _anew(name: str) -> str:
    return f"load it with its records: headgate run --full-refresh {name}"


def _fix(name: str) -> str:
    return f"if the change is right: headgate ledger adjust {name} --reason '...'; else {_anew(name)}"


def _entries(name: str, history: Sequence[Entry]) -> Iterator[Finding]:
    """L1 and L2 of lines, entry by entry."""
    before: dict[str, int] = {}
    for entry in history:
        for child, facts in entry.facts.get(CHILDREN, {}).items():
            where = f"{name} entry {entry.id}, lines of {child}"
            yield from _entry(facts, before.get(child, 0), where)
            before[child] = facts["after"]


def _entry(facts: Mapping[str, Any], before: int, where: str) -> Iterator[Finding]:
    read, loaded = facts.get("read", 0), facts.get("loaded", 0)
    fates = loaded + sum(facts.get(fate, 0) for fate in ("quarantined", "deduplicated", "skipped"))
    if read != fates:
        yield _broken("law-row", f"{read} lines were read, {fates} have a fate", where, ledger.RESTORE)
    if facts["before"] != before:
        what = f"the entry begins with {facts['before']} lines, the one before ended with {before}"
        yield _broken("law-table", what, where, ledger.RESTORE)
    gone = facts.get("replaced", 0) + sum(facts.get("removed_from", {}).values())
    added = loaded + sum(facts.get("adjusted", {}).values())
    if facts["after"] != facts["before"] + added - gone:
        what = f"{facts['before']} lines + {added} - {gone} is not {facts['after']}"
        yield _broken("law-table", what, where, ledger.RESTORE)


def _state(session: StoreSession, name: str, child: str, standing: Standing) -> Iterator[Finding]:
    state = ledger.table_state(session, TableRef.parse(child))
    if state is None or state.version != standing.entry:
        said = "no line" if state is None else f"entry {state.version}"
        what = f"the books have {said} for {child}, entry {standing.entry} of {name} was the last about it"
        yield _broken("state-edited", what, child, ledger.RESTORE)


def _columns(session: StoreSession, name: str, child: str, standing: Standing) -> Iterator[Finding]:
    """The table is not there, or lacks a column by which lines are told apart."""
    columns = session.columns(TableRef.parse(child))
    if columns is None and standing.given_up:
        return
    if columns is None:
        what = f"the books know {child}, but the warehouse has no such table"
        yield _broken("table-missing", what, child, _anew(name))
        return
    told = standing.told
    needed = (LOAD_COLUMN, *told.get("key", {}).values(), *told.get("places", ()))
    for column in [one for one in needed if one not in dict(columns)][:1]:
        what = f"{child} has no column {column}: its lines no longer say where they belong"
        yield _broken("column-missing", what, child, _anew(name))


def _contents(session: StoreSession, name: str, child: str, standing: Standing) -> Iterator[Finding]:
    table = TableRef.parse(child)
    now, expected = record.rows_by_entry(session, table), standing.expected
    if sum(now.values()) != standing.rows:
        what = f"{child} has {sum(now.values())} lines, the last entry about it says {standing.rows}"
        yield _broken("law-table", what, f"{name} entry {standing.entry}, lines of {child}", _fix(name))
    for load in sorted({*now, *expected}):
        difference = now.get(load, 0) - expected.get(load, 0)
        if difference:
            where = f"{name} entry {load}, lines of {child}" if load else f"{child}, lines of no entry"
            what = f"{abs(difference)} line{'s' * (abs(difference) > 1)} {'more' if difference > 0 else 'fewer'}"
            yield _broken("law-origin", f"{what} than the entry left in the table", where, _fix(name))


def _strays(session: StoreSession, name: str, child: str, known: Mapping[str, Standing]) -> Iterator[Finding]:
    """Lines whose record, or whose line above, is not there, or is of another entry."""
    told = known[child].told
    if not told:
        return
    above = told["above"]
    pairs = list(told["key"].items())
    if above is not None:
        other = known[above].told
        pairs = list(zip(other["key"].values(), told["key"].values(), strict=True))
        pairs += list(zip(other["places"], told["places"][:-1], strict=True))
    holder = TableRef.parse(above or name)
    own = [one for one, _ in pairs]
    if not {LOAD_COLUMN, *own} <= {column for column, _ in session.columns(holder) or []}:
        return  # which is a finding of its own
    same = " AND ".join(f"r.{quote.ident(one)} = l.{quote.ident(two)}" for one, two in pairs)
    names = ", ".join(f"l.{quote.ident(two)}" for _, two in pairs)
    rows = session.execute(
        f"""SELECT l.{LOAD_COLUMN}, count(*), min(CAST({names.split(", ")[0]} AS VARCHAR)) FROM {_table(child)} AS l
            WHERE NOT EXISTS (SELECT 1 FROM {quote.table(holder)} AS r
                              WHERE r.{LOAD_COLUMN} = l.{LOAD_COLUMN} AND {same})
            GROUP BY 1 ORDER BY 1 LIMIT {SHOWN}"""
    )
    for load, count, example in rows:
        what = f"{count} line{'s' * (count > 1)} of the entry belong to no row of {holder} ({pairs[0][1]} = {example})"
        yield _broken("law-origin", what, f"{name} entry {load}, lines of {child}", _anew(name))


def _places(session: StoreSession, name: str, child: str, standing: Standing) -> Iterator[Finding]:
    """In every list the places are 1, 2, 3 and so on."""
    told = standing.told
    if not told:
        return
    *outer, place = [quote.ident(one) for one in (*told["key"].values(), *told["places"])]
    rows = session.execute(
        f"""SELECT {LOAD_COLUMN}, CAST({outer[0]} AS VARCHAR) FROM {_table(child)}
            GROUP BY {LOAD_COLUMN}, {", ".join(outer)}
            HAVING count(*) <> max({place}) OR min({place}) <> 1 OR count(DISTINCT {place}) <> count(*)
            ORDER BY 1, 2 LIMIT {SHOWN}"""
    )
    for load, example in rows:
        first = next(iter(told["key"].values()))
        what = f"the lines of {first} = {example} are not numbered 1, 2, 3 and so on"
        yield _broken("law-origin", what, f"{name} entry {load}, lines of {child}", _anew(name))


def _table(name: str) -> str:
    return quote.table(TableRef.parse(name))

"""A table that somebody else made gets books: its rows are judged where they stand, as texts that its columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from headgate.testing.oracle.commits import add_entry, write
from headgate.testing.oracle.evolution import Kept
from headgate.testing.oracle.judge import Key, Reading, Verdict, judge, key_of
from headgate.testing.oracle.model import WHOLE, File, Flow, Malformed, Point, Row, State
from headgate.testing.oracle.values import accept, rank


def adopt(
    state: State, flow: Flow, rows: File, files: Mapping[str, File], source: Literal["seen", "new"], quarantine: bool
) -> State:
    """The state whose table holds what of `rows` keeps the contract; the rest is quarantined. `files`: what the source
    holds now; `seen`: their rows are in the table, and every record of them is skipped.

    Rules about loads, skips, and the way texts are written in files say nothing of rows that stand. Of an identity
    that several rows have, none can be told to be the right one.

    Under scd2 the rows are versions, with `valid_from`, `valid_to` and `is_current` beside the contract's columns; none
    of them goes.

    Errors: Kept `refused` where a row breaks the contract and may not go, or too many do, `versions` where the versions
    are not a history that loads of the flow could have made; nothing is changed.
    """
    after = state.copy()
    as_it_stands = _as_it_stands(flow)
    readings = [Reading(WHOLE, number, record) for number, record in enumerate(rows.records, 1)]
    after.tables[flow.table] = []
    verdicts = judge(readings, as_it_stands, after)
    if flow.disposition == "scd2":
        quarantine = False
        verdicts = [replace(one, row=one.row | _version(one, flow)) for one in verdicts]
        if not _is_history([verdict.row for verdict in verdicts], flow):
            raise Kept("versions")
    refused = sum(verdict.fate == "quarantined" for verdict in verdicts)
    limit = flow.contract.refuse_at_most
    if refused and (not quarantine or (limit is not None and limit.exceeded(refused, len(readings)))):
        raise Kept("refused")
    end = Point("", len(readings))
    write(after, as_it_stands, WHOLE, "adopt", end, verdicts, {"read": len(readings)})
    for name, file in sorted(files.items()) if source == "seen" else ():
        count = len(file.records)
        facts = {"read": count, "skipped": count, "why": "adopted"}
        add_entry(after, flow.table, name, "adopt", Point(file.identity, count), file.content, **facts)
        after.positions[flow.table, name] = replace(after.positions[flow.table, name], adopted=True)
    after.versions[flow.table] = 1
    return after


def _as_it_stands(flow: Flow) -> Flow:
    contract = flow.contract
    columns = tuple(
        replace(column, form=None, rules=tuple(replace(rule, mostly=None) for rule in column.rules))
        for column in contract.columns
    )
    rules = tuple(replace(rule, mostly=None) for rule in contract.rules)
    judged = replace(contract, columns=columns, rules=rules, skip=())
    if flow.disposition == "scd2":
        plain = tuple(replace(column, key=False) for column in judged.columns)
        judged = replace(judged, columns=plain, uniques=())
        return replace(flow, contract=judged, disposition="append", extra="ignore", timezone="UTC", latest=())
    duplicates = "refuse" if flow.disposition in ("upsert", "insert") else flow.duplicates
    return replace(flow, contract=judged, duplicates=duplicates, extra="ignore", timezone="UTC")


def _version(verdict: Verdict, flow: Flow) -> Row:
    """When the row holds, from its texts."""
    record = verdict.reading.record
    assert not isinstance(record, Malformed)
    [time] = [column.type for column in flow.contract.columns if column.name == flow.order_by]
    kinds = {"valid_from": "date" if flow.dates else time, "valid_to": "date" if flow.dates else time}
    kinds |= {"is_current": "bool"}
    kinds |= {name: column.type for one, name in flow.latest for column in flow.contract.columns if column.name == one}
    return {name: accept(record[name], kind, "UTC") for name, kind in kinds.items()}


def _is_history(rows: list[Row], flow: Flow) -> bool:
    """Whether the versions of each identity follow each other, and the last holds, unless versions may end alone."""
    ends = flow.deleted_if is not None or flow.snapshots
    groups: dict[Key | None, list[Row]] = {}
    for row in rows:
        if row["valid_from"] is None or row["is_current"] is None or row[flow.order_by or ""] is None:
            return False
        groups.setdefault(key_of(row, flow.keys), []).append(row)
    return all(_follow(group, flow, ends) for group in groups.values())


def _follow(group: list[Row], flow: Flow, ends: bool) -> bool:
    for row in group:
        start, end = row["valid_from"], row["valid_to"]
        if row["is_current"] != (end is None) or rank(start) != rank(flow.since(row)):
            return False
        if end is not None and not (rank(start) < rank(end) or (ends and rank(start) == rank(end))):
            return False
    far = (2, None)  # behind every time
    group = sorted(group, key=lambda row: (rank(row["valid_from"]), row["is_current"], rank(row["valid_to"] or 0)))
    for one, after in pairwise(group):
        end = far if one["valid_to"] is None else rank(one["valid_to"])
        if end > rank(after["valid_from"]) or (not ends and end != rank(after["valid_from"])):
            return False
    now = group[-1] if group[-1]["is_current"] else {}
    shown = all(row[name] == now.get(column) for row in group for column, name in flow.latest)
    return shown and (ends or bool(now))

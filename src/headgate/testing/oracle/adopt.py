"""A table that somebody else made gets books: its rows are judged where they stand, as texts that its columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from headgate.testing.oracle.commits import add_entry, write
from headgate.testing.oracle.evolution import Kept
from headgate.testing.oracle.judge import Reading, judge
from headgate.testing.oracle.model import WHOLE, File, Flow, Point, State


def adopt(
    state: State, flow: Flow, rows: File, files: Mapping[str, File], source: Literal["seen", "new"], quarantine: bool
) -> State:
    """The state whose table holds what of `rows` keeps the contract; the rest is quarantined. `files`: what the source
    holds now; `seen`: their rows are in the table, and every record of them is skipped.

    Rules about loads, skips, and the way texts are written in files say nothing of rows that stand. Of an identity
    that several rows have, none can be told to be the right one.

    Errors: Kept `refused` where a row breaks the contract and may not go, or too many do; nothing is changed.
    """
    after = state.copy()
    as_it_stands = _as_it_stands(flow)
    readings = [Reading(WHOLE, number, record) for number, record in enumerate(rows.records, 1)]
    after.tables[flow.table] = []
    verdicts = judge(readings, as_it_stands, after)
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
    duplicates = "refuse" if flow.disposition in ("upsert", "insert") else flow.duplicates
    return replace(flow, contract=judged, duplicates=duplicates, extra="ignore", timezone="UTC")

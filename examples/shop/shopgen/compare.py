"""Planted against found: the truth against what the warehouse's own books say. Plain data in, plain data out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]
FATES = ("loaded", "quarantined", "deduplicated", "skipped")


@dataclass(frozen=True)
class Line:
    """One kind of record of one table: how many there are by the truth, how many by the books."""

    table: str
    kind: str
    fate: str
    planted: int
    found: int

    @property
    def is_equal(self) -> bool:
        return self.planted == self.found


def compare(truth: Facts, entries: Iterable[Facts], refused: Iterable[Facts]) -> list[Line]:
    """One line per kind of fault, then per table what was refused without cause and what is good.

    `entries`: rows of `_headgate.entry` of kind load or publish; `refused`: rows of `_headgate.quarantine` that were
    refused by a load. A refused record counts as found only at its place and with exactly the reasons it must have.
    """
    entries = list(entries)
    expected, places = _expected(truth)
    hits: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    for record in refused:
        kind = expected.get((record["table_name"], record["partition"], record["record"], _reasons(record)))
        hits.update([kind] if kind else [])
        strangers.update([] if kind else [record["table_name"]])
    lines = [
        Line(kind["table"], kind["kind"], kind["fate"], kind["planted"], _found(truth, kind, entries, hits, places))
        for kind in truth["kinds"]
    ]
    for table, counts in truth["tables"].items():
        lines.append(Line(table, "refused without cause", "quarantined", 0, strangers[table]))
        lines.append(Line(table, "good", "loaded", counts["loaded"], _sum(entries, table, "loaded")))
    return lines


def _expected(truth: Facts) -> tuple[dict[tuple[Any, ...], str], dict[str, set[str]]]:
    """Which kind a refused record is, by table, file, record number and reasons; and the files of every kind."""
    expected = {
        (kind["table"], file, record, json.dumps(kind["reasons"])): kind["kind"]
        for kind in truth["kinds"]
        if kind["fate"] == "quarantined"
        for file, places in kind["places"].items()
        for record, _ in places
    }
    return expected, {kind["kind"]: set(kind["places"]) for kind in truth["kinds"]}


def _reasons(record: Facts) -> str:
    return json.dumps([[reason["rule"], reason["column"]] for reason in json.loads(record["reasons"])])


def _found(truth: Facts, kind: Facts, entries: list[Facts], hits: Counter[str], places: Mapping[str, set[str]]) -> int:
    table, fate = kind["table"], kind["fate"]
    if fate == "quarantined":
        return hits[kind["kind"]]
    if fate == "no record":  # lines that stand where a record could, less the records that were read
        read = sum(_sum(entries, table, name) for name in FATES)
        return int(truth["tables"][table]["read"] + kind["planted"] - read)
    if fate == "skipped" and kind["kind"] != "file delivered twice":
        files = {entry["partition"] for entry in entries} - places["file delivered twice"]
    else:
        files = set(kind["places"])
    return _sum(entries, table, fate, files)


def _sum(entries: Iterable[Facts], table: str, fate: str, files: set[str] | None = None) -> int:
    return sum(
        entry[f"rows_{fate}"]
        for entry in entries
        if entry["table_name"] == table and (files is None or entry["partition"] in files)
    )

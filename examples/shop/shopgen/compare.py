"""Planted against found: the truth against what the warehouse's own books say. Plain data in, plain data out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


def compare(
    truth: Facts, entries: Sequence[Facts], refused: Iterable[Facts], survivors: Mapping[int, str]
) -> list[Line]:
    """One line per kind of fault, then per table what was refused without cause and what is good.

    `entries`: rows of `_headgate.entry` of kind load; `refused`: rows of `_headgate.quarantine` that a load
    refused; `survivors`: version by key of the double records, for keys that the table holds exactly once.
    A refused record counts as found only at its place and with exactly the reasons it must have.
    """
    expected, hits, strangers = _expected(truth), Counter[str](), Counter[str]()
    for record in refused:
        kind = expected.get((record["table_name"], record["partition"], record["record"], _reasons(record)))
        hits.update([kind] if kind else [])
        strangers.update([] if kind else [record["table_name"]])
    for kind in truth["kinds"]:
        hits[kind["kind"]] += sum(survivors.get(key) == version for key, version in kind["survivors"])
    lines = [
        Line(kind["table"], kind["kind"], kind["fate"], kind["planted"], _found(truth, kind, entries, hits))
        for kind in truth["kinds"]
    ]
    for table, counts in truth["tables"].items():
        lines.append(Line(table, "refused without cause", "quarantined", 0, strangers[table]))
        lines.append(Line(table, "good", "loaded", counts["loaded"], _sum(entries, table, "loaded")))
    return lines


def _expected(truth: Facts) -> dict[tuple[Any, ...], str]:
    """Which kind a refused record is, by table, file, record number and reasons."""
    return {
        (kind["table"], file, record, json.dumps(kind["reasons"])): kind["kind"]
        for kind in truth["kinds"]
        if kind["fate"] == "quarantined"
        for file, places in kind["places"].items()
        for record, _ in places
    }


def _reasons(record: Facts) -> str:
    return json.dumps([[reason["rule"], reason["column"]] for reason in json.loads(record["reasons"])])


def _found(truth: Facts, kind: Facts, entries: Sequence[Facts], hits: Counter[str]) -> int:
    """By records (`hits`) where the books keep them; else what the entries count, less what another kind explains."""
    table, fate = kind["table"], kind["fate"]
    if fate == "quarantined" or kind["survivors"]:
        return hits[kind["kind"]]
    if fate == "no record":  # lines that stand where a record could, less the records that were read
        read = sum(_sum(entries, table, name) for name in FATES)
        return int(truth["tables"][table]["read"] + kind["planted"] - read)
    others = [other for other in truth["kinds"] if (other["table"], other["fate"]) == (table, fate)]
    if fate == "deduplicated":
        return _sum(entries, table, fate) - sum(hits[other["kind"]] for other in others)
    whole_files = {file for other in others for file, places in other["places"].items() if not places}
    is_file = bool(whole_files & set(kind["places"]))
    return sum(
        entry[f"rows_{fate}"]
        for entry in entries
        if entry["table_name"] == table and (entry["partition"] in whole_files) == is_file
    )


def _sum(entries: Iterable[Facts], table: str, fate: str) -> int:
    return sum(entry[f"rows_{fate}"] for entry in entries if entry["table_name"] == table)

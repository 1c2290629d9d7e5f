"""What file sources share about columns and paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headgate.core.errors import Finding, nearest

RESERVED = "_hg_row"
"""A source column of this name is not passed on: it would hide the record number."""
DOCUMENT = "document"
"""The one column of records that are read as whole documents."""


def compare(there: Sequence[str], wanted: Sequence[str], where: str) -> list[Finding]:
    """Findings for wanted columns that are not there, and for columns that nobody wants; upper and lower case alike."""
    have = {name.lower() for name in there}
    want = {name.lower() for name in wanted}
    findings = [
        Finding(
            "missing-column",
            "error",
            f"the source has no column {name!r}{nearest(name, there)}",
            where,
            "correct the contract, or map the column with from('...')",
            {"column": name, "there": list(there)},
        )
        for name in wanted
        if name.lower() not in have
    ]
    findings += [
        Finding(
            "unknown-column",
            "error",
            f"the contract does not know column {name!r}{nearest(name, wanted)}",
            where,
            "add it to the contract, or set `extra: ignore`",
            {"column": name},
        )
        for name in there
        if name.lower() not in want
    ]
    return findings


def has_magic(path: Path) -> bool:
    """Whether DuckDB would take the path for a pattern."""
    return any(mark in str(path) for mark in "*?[]{}\\")

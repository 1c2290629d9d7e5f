"""A copied project over data that nobody here wrote, and the plainest possible judge of records.

The judge shares nothing with Headgate or DuckDB: `csv`, `re`, sets and loops. It says what must come out.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.forks.client import COMMAND, run

from headgate.api.project import Project
from headgate.api.results import QuarantineRecord

PATIENCE_SECS = 300

Row = dict[str, Any]
Reason = tuple[str, str | None]
"""A rule and its column; None for a rule across columns."""


@dataclass(frozen=True)
class Lab:
    """A project's folder, whose `data` is a link to the real data. Verbs that write run as commands of their own."""

    root: Path

    @classmethod
    def make(cls, project: Path, data: Path, root: Path) -> Lab:
        shutil.copytree(project, root)
        (root / "data").symlink_to(data, target_is_directory=True)
        return cls(root)

    def copy(self, root: Path) -> Lab:
        shutil.copytree(self.root, root, symlinks=True)
        return Lab(root)

    def own_data(self) -> Path:
        """The data as files of this folder, to be changed. They keep their times."""
        link = self.root / "data"
        source = link.resolve()
        link.unlink()
        link.mkdir()
        for file in source.iterdir():
            (link / file.name).write_bytes(file.read_bytes())
            os.utime(link / file.name, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        return link

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def ok(self, *words: str) -> Any:
        """The answer of a command that must succeed, as `--json` gives it."""
        command = [*COMMAND, *words, "--json"]
        done = run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_SECS)
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr.decode()[-2000:])
        return json.loads(done.stdout)

    def steps(self, *words: str) -> dict[str, Any]:
        return {step["id"]: step for step in self.ok("run", *words)["steps"]}

    def rows(self, sql: str) -> list[Row]:
        """All rows of a query, as JSON has them: decimals and times are text."""
        with Project.open(self.root) as project:
            found = project.query(sql, limit=None)
        names = [column.name for column in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    def quarantine(self, table: str, status: str = "open") -> dict[int, QuarantineRecord]:
        """Records of a table's quarantine by their number in the file."""
        with Project.open(self.root) as project:
            records = project.quarantine(table, status, limit=None).records
        found = {record.position["record"]: record for record in records}
        assert len(found) == len(records)
        return found

    def reasons(self, table: str) -> dict[int, frozenset[Reason]]:
        return {
            number: frozenset((reason.rule, reason.column) for reason in record.reasons)
            for number, record in self.quarantine(table).items()
        }


# What a text must be. Each gives the value, or raises ValueError.


def whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(text)
    return int(text)


def real(text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise ValueError(text)
    return float(text)


def exact(digits: int, scale: int) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text):
            raise ValueError(text)
        value = Decimal(text)
        if abs(value) >= 10 ** (digits - scale) or value != round(value, scale):
            raise ValueError(text)
        # Adding zero makes -0 a 0.
        return value.quantize(Decimal(1).scaleb(-scale)) + 0

    return parse


def moment(text: str) -> datetime:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def words(length: int | None = None) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if length is not None and len(text) > length:
            raise ValueError(text)
        return text

    return parse


@dataclass(frozen=True)
class Contract:
    """What the YAML of a table says, once more in plain Python.

    `breaks` and `warns` give what a row breaks; `keys` are rule and columns that no two loaded rows may share.
    `skips` is asked first. All see None where a text is NULL or does not convert.
    """

    types: dict[str, Callable[[str], Any]]
    breaks: Callable[[Row], Iterable[Reason]]
    keys: Sequence[tuple[str, tuple[str, ...]]] = ()
    warns: Callable[[Row], Iterable[str]] = lambda row: ()
    skips: Callable[[Row], bool] = lambda row: False


@dataclass
class Truth:
    """What must become of the records of a file. Records count from 1."""

    read: int = 0
    skipped: int = 0
    loaded: list[Row] = field(default_factory=list)
    refused: dict[int, frozenset[Reason]] = field(default_factory=dict)
    warned: Counter[str] = field(default_factory=Counter)

    def reasons(self) -> Counter[Reason]:
        return Counter(reason for reasons in self.refused.values() for reason in reasons)

    def values(self, column: str) -> set[Any]:
        return {row[column] for row in self.loaded}

    def fates(self) -> tuple[int, int, int, int, int]:
        return self.read, len(self.loaded), len(self.refused), 0, self.skipped


def fates(step: Row) -> tuple[int, ...]:
    """Read, loaded, quarantined, deduplicated and skipped of a step."""
    return tuple(step[f"rows_{fate}"] for fate in ("read", "loaded", "quarantined", "deduplicated", "skipped"))


def read(path: Path, null: Iterable[str], names: Sequence[str] | None = None) -> list[dict[str, str | None]]:
    """The records of a file as text. Without `names`, the first record has them.

    The csv module does not tell `"NA"` from `NA`. So a file where a text of `null` is quoted is no case for it.
    """
    text = path.read_text(encoding="utf-8")
    nulls = set(null)
    assert not any(re.search(rf'(?:^|,)"{re.escape(one)}"(?:,|$)', text, re.MULTILINE) for one in nulls)
    with path.open(encoding="utf-8", newline="") as file:
        records = list(csv.reader(file, strict=True))
    head, body = (names, records) if names else (records[0], records[1:])
    return [
        {name: None if value in nulls else value for name, value in zip(head, record, strict=True)} for record in body
    ]


def judge(records: Iterable[dict[str, str | None]], contract: Contract) -> Truth:
    """One record after the other, as a patient person with a pencil would do it."""
    truth = Truth()
    taken: dict[tuple[str, ...], set[Hashable]] = {columns: set() for _, columns in contract.keys}
    for number, record in enumerate(records, 1):
        truth.read += 1
        row, reasons = _convert(record, contract)
        if contract.skips(row):
            truth.skipped += 1
            continue
        broken = set(contract.breaks(row))
        reasons |= {one for one in broken if not (one[0] == "required" and ("type", one[1]) in reasons)}
        values = {columns: tuple(row[column] for column in columns) for _, columns in contract.keys}
        for rule, columns in contract.keys:
            if values[columns] in taken[columns]:
                reasons.add((rule, ", ".join(columns)))
        if reasons:
            truth.refused[number] = frozenset(reasons)
            continue
        for columns, value in values.items():
            if None not in value:
                taken[columns].add(value)
        truth.loaded.append(row)
        truth.warned.update(contract.warns(row))
    return truth


def _convert(record: dict[str, str | None], contract: Contract) -> tuple[Row, set[Reason]]:
    row: Row = {}
    reasons: set[Reason] = set()
    for column, parse in contract.types.items():
        text = record[column]
        row[column] = None
        if text is not None:
            try:
                row[column] = parse(text)
            except ValueError:
                reasons.add(("type", column))
    return row, reasons


def lacking(row: Row, *columns: str) -> Iterable[Reason]:
    """The required columns that are NULL. (Where a text did not convert, the judge leaves this reason out again.)"""
    return (("required", column) for column in columns if row[column] is None)


def is_off(value: Any, low: float, high: float) -> bool:
    return value is not None and not low <= value <= high


def is_unlike(value: str | None, pattern: str) -> bool:
    return value is not None and not re.fullmatch(pattern, value)


def as_json(row: Row) -> Row:
    """The row as `headgate query --json` writes it."""
    return {name: str(value) if isinstance(value, Decimal) else _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def differences(found: Iterable[Row], expected: Iterable[Row], show: int = 5) -> list[tuple[str, Any]]:
    """What one side has more than the other, at most `show` rows of each; empty if the rows are the same."""
    first, second = (Counter(tuple(sorted(row.items())) for row in rows) for rows in (found, expected))
    more = [("found", row) for row in list((first - second).elements())[:show]]
    return more + [("lacks", row) for row in list((second - first).elements())[:show]]

"""The split of `parquet_ten_million` where 0.1% of the rows are bad, against a plain CREATE TABLE AS."""

from __future__ import annotations

from pathlib import Path

from benchmarks import harness, project
from benchmarks.bars import parquet_ten_million as split

BAD = 0.001


def prepare(folder: Path, scale: float) -> None:
    split.prepare(folder, scale, BAD)


def check(output: str, scale: float) -> harness.Values:
    return split.check(output, scale, BAD)


BAR = harness.Bar(
    "split_few",
    "Parquet 10 M x 12, 8 rules, one unique, 0.1% bad",
    (harness.Limit("CPU s", 1.6, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("parquet_ten_million", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)

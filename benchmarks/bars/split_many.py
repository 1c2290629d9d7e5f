"""The split of `parquet_ten_million` where 10% of the rows are bad, against a plain CREATE TABLE AS.

Here most of what a load takes beyond the plain one goes into the quarantine, which keeps every refused row whole, as
text and with its digest.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import harness, project
from benchmarks.bars import parquet_ten_million as split

BAD = 0.1


def prepare(folder: Path, scale: float) -> None:
    split.prepare(folder, scale, BAD)


def check(output: str, scale: float) -> harness.Values:
    return split.check(output, scale, BAD)


BAR = harness.Bar(
    "split_many",
    "Parquet 10 M x 12, 8 rules, one unique, 10% bad",
    (harness.Limit("CPU s", 2.8, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("parquet_ten_million", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)

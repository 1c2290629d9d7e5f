"""A CSV of 2 M lines with 0.1%, 1%, 10% and 60% malformed lines: every line is loaded or in quarantine, exactly."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import data, harness, project

INGEST = """
    table: raw.share{number}
    from: data/share{number}/*.csv
    columns:
      id:          bigint, required
      customer_id: bigint
      day:         date
      amount:      decimal(12,2)
      status:      text
      note:        text
"""


def prepare(folder: Path, scale: float) -> None:
    ingests = {f"share{number}": INGEST.format(number=number) for number in range(len(data.MALFORMED))}
    files = [
        (f"data/share{number}/lines.csv", data.malformed(scale, share)) for number, share in enumerate(data.MALFORMED)
    ]
    project.write(folder, ingests, files)


def check(output: str, scale: float) -> harness.Values:
    """Seconds per share; the counts must be those that were written."""
    seconds = {step["id"]: step["seconds"] for step in json.loads(output)["steps"]}
    values = {}
    for number, share in enumerate(data.MALFORMED):
        found = harness.counts(output, f"raw.share{number}")
        bad, lines = data.malformed_lines(scale, share), data.rows(scale, 2_000_000)
        assert found["read"] == lines, found
        assert (found["loaded"], found["quarantined"]) == (lines - bad, bad), found
        values[f"{share:.1%} malformed, s"] = seconds[f"raw.share{number}"]
    return values


BAR = harness.Bar(
    "malformed_csv",
    "CSV of 2 M lines, 0.1 to 60% malformed",
    (),
    {harness.SUBJECT: harness.Side(harness.run_project, project.forget, check)},
)

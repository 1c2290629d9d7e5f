"""A run over a CSV file of ten rows as a whole process, in an empty warehouse."""

from __future__ import annotations

from pathlib import Path

from benchmarks import harness, project

INGEST = """
    table: raw.few
    from: data/*.csv
    columns:
      id:     int, key
      amount: decimal(10,2), min(0)
"""


def prepare(folder: Path, scale: float) -> None:
    home = project.write(folder, {"few": INGEST})
    (home / "data").mkdir()
    lines = "".join(f"{number},{number}.50\n" for number in range(10))
    (home / "data" / "few.csv").write_text("id,amount\n" + lines, encoding="utf-8")


def check(output: str, scale: float) -> harness.Values:
    assert harness.counts(output, "raw.few")["loaded"] == 10
    return {}


BAR = harness.Bar(
    "ten_rows",
    "Run over 10 rows",
    (harness.Limit("wall s", 0.6, below=True),),
    {harness.SUBJECT: harness.Side(harness.run_project, project.forget, check)},
)

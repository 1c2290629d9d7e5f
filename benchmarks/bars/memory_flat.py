"""50 M x 16 Parquet rows within 512 MB for the engine, against 5 M with all memory: as fast a row, no larger."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project
from benchmarks.bars.parquet_row_rules import COLUMNS, TABLE

INGEST = f"""
    table: raw.lineitem
    from: data/*.parquet
    columns:{COLUMNS}
"""
TIMES = 10


def prepare(folder: Path, scale: float) -> None:
    """The same file ten times under other names: a project of one, and a project of all."""
    lines = data.lineitem_parquet(scale)
    project.write(folder / "one", {"lineitem": INGEST}, [("data/1.parquet", lines)])
    files = [(f"data/{number}.parquet", lines) for number in range(TIMES)]
    home = project.write(folder / "all", {"lineitem": INGEST}, files)
    with (home / "headgate.yml").open("a", encoding="utf-8") as settings:
        settings.write("engine: {memory: 512MB}\n")


def _check(times: int, output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["loaded"] == found["read"] == times * data.rows(scale, 5_000_000), found
    return {}


BAR = harness.Bar(
    "memory_flat",
    "Parquet 50 M x 16 in 512 MB, to 5 M without a limit",
    (harness.Limit("CPU s", 1.2 * TIMES, ratio=True), harness.Limit("peak MB", 1.2, ratio=True)),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.run_project(folder / "one"),
            lambda folder: project.forget(folder / "one"),
            lambda output, scale: _check(1, output, scale),
        ),
        harness.SUBJECT: harness.Side(
            lambda folder: harness.run_project(folder / "all"),
            lambda folder: project.forget(folder / "all"),
            lambda output, scale: _check(TIMES, output, scale),
        ),
    },
)

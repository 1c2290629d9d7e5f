"""`headgate --help` as a whole process."""

from __future__ import annotations

from pathlib import Path

from benchmarks import harness


def prepare(folder: Path, scale: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def check(output: str, scale: float) -> harness.Values:
    assert "run" in output, output
    return {}


BAR = harness.Bar(
    "help_text",
    "headgate --help",
    (harness.Limit("wall s", 0.1, below=True),),
    {harness.SUBJECT: harness.Side(lambda folder: harness.headgate("--help"), lambda folder: None, check)},
)

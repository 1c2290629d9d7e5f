"""All hostile files. `python -m tests.hostile.corpus FOLDER` writes each as a project of its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.hostile import csv_cases, excel_cases, file_cases, json_cases, typed_cases

CASES = [*json_cases.cases(), *csv_cases.cases(), *file_cases.cases(), *excel_cases.cases(), *typed_cases.cases()]


def write(folder: Path) -> None:
    """Every case in a folder named after it."""
    for case in CASES:
        case.write(folder / re.sub(r"\W+", "-", case.name))


if __name__ == "__main__":
    write(Path(sys.argv[1]))

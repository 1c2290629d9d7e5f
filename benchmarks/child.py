"""Calls one function of a bar in this process: `python -m benchmarks.child BAR FUNCTION FOLDER [SCALE]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    bar, function, folder, *scale = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.bars.{bar}")
    getattr(module, function)(Path(folder), *map(float, scale))


if __name__ == "__main__":
    main()

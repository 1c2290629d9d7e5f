"""Measures the bars: `python -m benchmarks [BAR ...] [--scale 0.1] [--rounds 5] [--only reference]`.

Writes `benchmarks/work/results.json` and `results.md`; exit code 1 if a limit does not hold at full scale.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks import harness, server
from benchmarks.data import WORK

NAMES = (
    "parquet_ten_million",
    "split_few",
    "split_many",
    "parquet_row_rules",
    "arrow_row_rules",
    "csv_clean",
    "ndjson_clean",
    "pydantic_model",
    "upsert_million",
    "growing_keys",
    "malformed_csv",
    "ten_rows",
    "help_text",
    "small_steps",
    "memory_flat",
    "random_keys",
    "profile_ten_million",
    "arrow_dlt",
    "lineage_models",
    "postgres_append",
    "postgres_unique",
    "postgres_upsert",
)


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    chosen = options.bars or NAMES
    with server.running() if any(name.startswith("postgres") for name in chosen) else nullcontext():
        results = _measure(chosen, options)
    table = harness.to_markdown(results)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(harness.to_json(results), indent=2) + "\n", encoding="utf-8")
    (options.out / "results.md").write_text(table, encoding="utf-8")
    print(table)
    return int(options.scale >= 1 and not all(found["holds"] for result in results for found in result.verdicts))


def _measure(chosen: Sequence[str], options: argparse.Namespace) -> list[harness.Result]:
    results = []
    for name in chosen:
        bar: harness.Bar = importlib.import_module(f"benchmarks.bars.{name}").BAR
        if options.only in (None, *bar.sides):
            print(f"{bar.title} ...", file=sys.stderr, flush=True)
            folder = WORK / name
            folder.mkdir(parents=True, exist_ok=True)
            results.append(harness.run(bar, folder, options.scale, options.rounds, options.only))
    return results


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures Headgate against plain DuckDB.")
    parser.add_argument("bars", nargs="*", metavar="BAR", help=f"which to measure (default: all): {', '.join(NAMES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data, 1 = full")
    parser.add_argument("--rounds", type=int, default=5, help="runs per side; medians are compared")
    parser.add_argument("--only", choices=(harness.REFERENCE, harness.SUBJECT), help="measure one side")
    parser.add_argument("--out", type=Path, default=WORK, help="where results.json and results.md go")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.bars if name not in NAMES]:
        parser.error(f"no such bar: {', '.join(unknown)} (there are {', '.join(NAMES)})")
    return options


if __name__ == "__main__":
    sys.exit(main())

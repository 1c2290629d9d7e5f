"""Runs the inventory: links the folders where Python finds its packages, loads what these say, and prints four facts.

    python examples/inventory/run.py [--site FOLDER ...] [--fresh]

Exit code 0 if everything was loaded and built, 1 if not, 2 for a wrong option.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headgate.api import Project

HERE = Path(__file__).resolve().parent
NUMBER = re.compile("[0-9,]+([.][0-9])?")
FATES = ("loaded", "quarantined", "deduplicated", "skipped")
BIGGEST = """select name, version, files, round(bytes / 1e6, 1) as mb from gold.package_sizes
             order by bytes desc, name limit 5"""
LICENSES = """select license, packages, round(bytes / 1e6, 1) as mb from gold.licenses
              order by packages desc, bytes desc, license limit 5"""
CONTESTED = """select packages, count(*) as files, count(*) filter (is_same) as same, min(path) as "for example"
               from gold.contested_files group by packages order by files desc, packages limit 5"""
UNMET = """select package, requires, reason, found_version as found from gold.unmet_requirements
           order by package, requires limit 5"""
SUMS = """select (select count(*) from gold.package_sizes) as packages,
                 (select count(*) from gold.licenses) as licenses,
                 (select count(*) from gold.contested_files) as contested,
                 (select count(*) from gold.unmet_requirements) as unmet,
                 (select count(*) from gold.who_needs_whom
                  where applies is null or (applies and is_met is null)) as open"""


def main(arguments: Sequence[str] | None = None, root: Path = HERE) -> int:
    options = _options(arguments)
    if options.fresh:
        _forget(root)
    link(root, options.site)
    with Project.open(root) as project:
        result = project.run().to_json()
        _show_steps(result)
        _show_findings(result)
        if result["status"] != "ok":
            return 1
        _show_facts(project)
    return 0 if result["balanced"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description="An inventory of the packages of a Python environment.")
    parser.add_argument(
        "--site", type=Path, action="append", metavar="FOLDER", help="look there (default: where this Python looks)"
    )
    parser.add_argument("--fresh", action="store_true", help="begin with an empty warehouse")
    options = parser.parse_args(arguments)
    for folder in options.site or ():
        if not folder.is_dir():
            parser.error(f"--site {folder}: no such folder")
    options.site = sites(options.site or sys.path)
    if not options.site:
        parser.error("no package is installed there: name the environment's site-packages folder by --site")
    return options


def sites(path: Iterable[str | Path]) -> list[Path]:
    """The folders of the search path that hold packages, each once, in its order."""
    folders = dict.fromkeys(Path(entry).resolve() for entry in path if entry)
    return [folder for folder in folders if folder.is_dir() and any(_packages(folder))]


def _packages(folder: Path) -> Iterable[Path]:
    return (path for path in folder.iterdir() if path.suffix in (".dist-info", ".egg-info"))


def link(root: Path, folders: Sequence[Path]) -> None:
    """Leaves `data/site/1`, `data/site/2`, ... as links to these folders, so that no file of the project names them."""
    home = root / "data" / "site"
    home.mkdir(parents=True, exist_ok=True)
    wanted = {str(number): folder.resolve() for number, folder in enumerate(folders, start=1)}
    for old in home.iterdir():
        if old.name not in wanted or old.resolve() != wanted[old.name]:
            old.unlink()
    for name, folder in wanted.items():
        if not (home / name).is_symlink():
            (home / name).symlink_to(folder, target_is_directory=True)


def _forget(root: Path) -> None:
    shutil.rmtree(root / ".headgate", ignore_errors=True)
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
        (root / name).unlink(missing_ok=True)


def _show_steps(result: Mapping[str, Any]) -> None:
    counts = ("read", *FATES)
    steps = result["steps"]
    rows = [
        (step["id"], step["status"], *(f"{step[f'rows_{name}']:,}" for name in counts), step["reason"])
        for step in steps
    ]
    _table(("step", "status", *counts, "reason"), rows)
    sums = {name: sum(step[f"rows_{name}"] for step in steps) for name in counts}
    balance = " + ".join(f"{sums[name]:,} {name}" for name in FATES)
    print(f"\n{'balanced' if result['balanced'] else 'NOT BALANCED'}: {sums['read']:,} read = {balance}\n")


def _show_findings(result: Mapping[str, Any]) -> None:
    found = [*(warning for step in result["steps"] for warning in step["warnings"]), *result["findings"]]
    for finding in found:
        print(f"{finding['level']}[{finding['code']}]: {finding['where']}: {finding['what']}")
        if finding["fix"]:
            print(f"  fix: {finding['fix']}")
    if found:
        print()


def _show_facts(project: Project) -> None:
    ((packages, licenses, contested, unmet, unknown),) = project.query(SUMS).to_json()["rows"]
    _show_fact(project, f"{packages} packages; the biggest:", BIGGEST)
    _show_fact(project, f"{licenses} licences; the most frequent:", LICENSES)
    _show_fact(project, f"{contested} files are claimed by more than one package{':' * bool(contested)}", CONTESTED)
    _show_fact(project, f"{unmet} requirements are met by nothing that is installed{':' * bool(unmet)}", UNMET)
    if unknown:
        print(f"{unknown} more requirements can't be judged here.")


def _show_fact(project: Project, head: str, query: str) -> None:
    answer = project.query(query).to_json()
    print(head)
    if answer["rows"]:
        names = [column["name"] for column in answer["columns"]]
        _table(names, [["" if cell is None else str(cell) for cell in row] for row in answer["rows"]], margin=2)
    print()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], margin: int = 0) -> None:
    """Columns as wide as their widest cell; numbers to the right."""
    grid = [head, *rows]
    widths = [max(len(row[column]) for row in grid) for column in range(len(head))]
    right = [all(NUMBER.fullmatch(row[column]) for row in rows) for column in range(len(head))]
    for row in grid:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        )
        print(" " * margin + "  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())

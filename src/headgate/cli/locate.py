"""Which project is meant."""

from __future__ import annotations

import os
import shlex
from itertools import islice
from pathlib import Path

from headgate.core.errors import ProjectError

PROJECT_FILE = "headgate.yml"


def project_root(told: str | None) -> Path:
    """The folder that was named, else the nearest one, from here upwards, that has a headgate.yml.

    *Errors*: ProjectError `no-project`.
    """
    if told is not None:
        return _named(Path(told))
    here = Path.cwd()
    for folder in (here, *here.parents):
        if os.path.isfile(folder / PROJECT_FILE):  # unlike Path.is_file, False where a folder may not be read
            return folder
    fix = f"go to a project's folder, add --project DIR, or make one: headgate init{_of_files(here)}"
    raise ProjectError.of("no-project", f"there is no {PROJECT_FILE} here or in any folder above", here, fix)


def _of_files(folder: Path) -> str:
    """` --from x.csv` where a file of data lies in the folder."""
    from headgate.core.registry import kind_of

    try:
        names = sorted(entry.name for entry in islice(os.scandir(folder), 1000) if entry.is_file())
    except OSError:
        return ""
    found = next((name for name in names if kind_of(name) is not None), "")
    return f" --from {shlex.quote(found)}" if found else ""


def _named(folder: Path) -> Path:
    folder = folder.parent if folder.name == PROJECT_FILE else folder
    if os.path.isfile(folder / PROJECT_FILE):
        return folder.resolve()
    what = f"there is no {PROJECT_FILE} in this folder" if os.path.isdir(folder) else "there is no such folder"
    what = what if os.access(folder, os.X_OK) or not os.path.isdir(folder) else "the folder may not be read"
    raise ProjectError.of("no-project", what, folder, "name the folder of a project with --project")


def is_file(word: str) -> bool:
    """Whether the word means a file, a folder or a glob of them rather than a table."""
    from headgate.core.registry import kind_of

    return os.path.exists(word) or "/" in word or (kind_of(word) is not None and not _is_table(word))


def _is_table(word: str) -> bool:
    """`raw.csv` may be a table; `raw*.csv` may not."""
    return not any(mark in word for mark in "*?[") and word.count(".") == 1 and word.startswith("raw.")

"""The sessions in the documentation: a page's own files and commands, run in order in an empty folder.

A page is a script. In the order in which they stand,

* a `yaml`, `sql` or `python` block whose first line is a comment with a path writes that file;
* a `csv` or `json` block behind a paragraph that names a `.csv`, `.ndjson` or `.json` file in backquotes writes it;
* a `console` block runs its lines that begin with `$ ` and shows what each printed. A line `...` stands for any lines.

`python -m tests.unit.docs.sessions README.md docs/books.md` writes what the commands print now into the pages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.forks.client import COMMAND, run

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:#|--) (\S+\.(?:yml|sql|py))\n")
QUOTED = re.compile(r"`([^`\n]+\.(?:csv|ndjson|json))`")
CUT = "..."

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
SECONDS = re.compile(r"^(\S+ +(?:ok|skipped|refused|failed|blocked) .*?)\d+\.\d\d(?=  |$)", re.MULTILINE)
SHOWN_STAMP = "2026-07-01T06:00:00.000000+00:00"
SHOWN_SECONDS = "0.05"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, where the text stands in the page, and the paragraph before it."""

    kind: str
    text: str
    start: int
    before: str


@dataclass(frozen=True)
class Step:
    """One command of a session, with what the page shows behind it and where in the page that stands."""

    command: str
    shown: str
    start: int


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block that has a language."""
    for found in FENCE.finditer(page):
        paragraph = page[: found.start()].rstrip("\n").rpartition("\n\n")[2]
        yield Block(found[1], found[2], found.start(2), paragraph)


def file_of(block: Block) -> str | None:
    """The path that the block is the content of."""
    if block.kind in ("yaml", "sql", "python"):
        named = NAMED.match(block.text)
        return named[1] if named else None
    if block.kind in ("csv", "json"):
        return QUOTED.findall(block.before)[-1]
    return None


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block."""
    for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        yield Step(found[1], found[2], block.start + found.start(2))


def settled(text: str) -> str:
    """The text with times and seconds that are the same in every run."""
    return SECONDS.sub(rf"\g<1>{SHOWN_SECONDS}", STAMP.sub(SHOWN_STAMP, text))


def is_shown(printed: str, shown: str) -> bool:
    """Whether what was printed is what the page shows; `...` alone on a line stands for any lines."""
    parts = [re.escape(part) for part in re.split(rf"^{re.escape(CUT)}\n", settled(shown), flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*".join(parts), settled(printed)) is not None


class Session:
    """An empty folder in which a page's files are written and its commands run."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.code = 0
        self._place = f"/data/{name}"

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def run(self, command: str) -> str:
        """What the command prints, standard error included. Only `headgate`, `python` and `echo $?` are known."""
        if command == "echo $?":
            return f"{self.code}\n"
        program, *words = shlex.split(command, comments=True)
        start = {"headgate": COMMAND, "python": (sys.executable,)}[program]
        done = run(
            [*start, *words],
            cwd=self.folder,
            env={**os.environ, "LOGNAME": "ada", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.code = done.returncode
        return done.stdout.replace(str(self.folder), self._place)


def play(page: str, folder: Path, name: str) -> Iterator[tuple[Step, str]]:
    """Every command of the page with what it printed, run in order in the folder."""
    session = Session(folder.resolve(), name)
    for block in blocks(page):
        if (path := file_of(block)) is not None:
            session.write(path, block.text)
        elif block.kind == "console":
            for step in steps(block):
                yield step, session.run(step.command)


def rewritten(page: str, name: str) -> str:
    """The page with what its commands print now; what is cut with `...` is left as it is."""
    with tempfile.TemporaryDirectory() as folder:
        played = list(play(page, Path(folder), name))
    for step, printed in reversed(played):
        if CUT not in step.shown.splitlines():
            page = page[: step.start] + settled(printed) + page[step.start + len(step.shown) :]
    return page


if __name__ == "__main__":
    for given in sys.argv[1:]:
        target = Path(given)
        target.write_text(rewritten(target.read_text(encoding="utf-8"), target.stem.lower()), encoding="utf-8")

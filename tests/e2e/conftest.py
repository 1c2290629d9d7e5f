"""A project in a temporary folder, and headgate as a process of its own in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.forks.client import COMMAND, Popen, run

PATIENCE_SECS = 120
"""A hanging command fails its test instead of stopping the suite."""


@dataclass(frozen=True)
class Ran:
    """What a finished process left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        """The one object on standard output; anything else there fails."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.text
        answer = json.loads(lines[0])
        assert isinstance(answer, dict)
        return answer

    def clean(self) -> Ran:
        """Itself, if neither a traceback nor a defect of our own was told."""
        assert "Traceback" not in self.text, self.text
        assert "internal-error" not in self.text, self.text
        return self


class Lab:
    """A project's folder. `headgate` runs one command in it; `start` leaves it running."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write({"headgate.yml": "project: lab\n"})

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    def headgate(self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, **more: Any) -> Ran:
        done = run(
            [*COMMAND, *words],
            cwd=cwd or self.root,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECS,
            **more,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode()).clean()

    def start(self, *words: str) -> subprocess.Popen[str]:
        return Popen(
            [*COMMAND, *words],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ok(self, *words: str) -> Any:
        """The answer of a command that must succeed, as `--json` gives it."""
        ran = self.headgate(*words, "--json")
        assert ran.code == 0, ran.text
        return ran.json()

    def fails(self, code: int, *words: str) -> dict[str, Any]:
        """The first finding of a command that must end with this exit code."""
        ran = self.headgate(*words, "--json")
        assert ran.code == code, ran.text
        finding: dict[str, Any] = ran.json()["findings"][0]
        return finding

    def rows(self, sql: str) -> list[list[Any]]:
        found: list[list[Any]] = self.ok("query", sql)["rows"]
        return found

    def step(self, *words: str) -> dict[str, Any]:
        """The first step of a run that must succeed."""
        found: dict[str, Any] = self.ok("run", *words)["steps"][0]
        return found


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    root = tmp_path / "lab"
    root.mkdir()
    return Lab(root)


ORDERS = """\
table: raw.orders
from: data/orders/*.csv
columns:
  id: int, key
  amount: decimal(12,2), min(0)
"""


@pytest.fixture
def orders(lab: Lab) -> Lab:
    """A project with one table and one file of two good rows and one bad row, not yet loaded."""
    lab.write({"ingest/orders.yml": ORDERS, "data/orders/1.csv": "id,amount\n1,1.50\n2,3\n3,-1\n"})
    return lab


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The same project after its first run, for tests that only look."""
    lab = Lab(tmp_path_factory.mktemp("loaded"))
    lab.write({"ingest/orders.yml": ORDERS, "data/orders/1.csv": "id,amount\n1,1.50\n2,3\n3,-1\n"})
    lab.ok("run")
    return lab

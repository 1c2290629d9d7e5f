"""What to do next, told once in a project and only to a person at a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from headgate.api import results
from headgate.cli.text import safe
from headgate.core.environ import variable

TOLD = Path(".headgate") / "hints.json"
"""Names of the hints that were told. Where it can't be written, none is: better none than the same again and again."""


def hints(command: str, answer: object, root: Path) -> list[str]:
    """The hints that this answer gives reason for, and that were never told in the project."""
    due = dict(_init() if command == "init" else _run(answer) if isinstance(answer, results.RunResult) else ())
    new = [name for name in due if name not in _told(root)] if due else []
    return [f"hint: {safe(due[name])}" for name in new] if new and _keep(root, new) else []


def _run(answer: results.RunResult) -> Iterator[tuple[str, str]]:
    if any(step.status == "ok" for step in answer.steps):
        yield "begun", "headgate report --open shows what is there now; the next headgate run does only what is new"
    if any(step.status == "ok" and step.rows_quarantined for step in answer.steps):
        yield "quarantine", "headgate quarantine sample shows some rows of each reason; fix and replay bring them back"
    errors = [one.code for one in answer.findings if one.level == "error"]
    if errors:
        yield "explain", f"headgate explain {errors[0]} says what that means, why, and what usually helps"


def _init() -> Iterator[tuple[str, str]]:
    ways = {
        "bash": "source <(headgate completion bash)",
        "zsh": "source <(headgate completion zsh)",
        "fish": "headgate completion fish | source",
    }
    shell = os.path.basename(variable("SHELL") or "")
    if shell in ways:
        yield "completion", f"the Tab key knows commands and tables after: {ways[shell]}"


def _told(root: Path) -> Sequence[str]:
    with suppress(OSError, ValueError):
        kept = json.loads((root / TOLD).read_text(encoding="utf-8"))
        if isinstance(kept, list):
            return [str(one) for one in kept]
    return []


def _keep(root: Path, new: Sequence[str]) -> bool:
    try:
        (root / TOLD).parent.mkdir(exist_ok=True)
        (root / TOLD).write_text(json.dumps([*_told(root), *new]), encoding="utf-8")
    except OSError:
        return False
    return True

"""`check --fix`: mistakes in project files of which it is certain what was meant are put right, and nothing else."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from headgate.api.brought import CODE
from headgate.contracts.verify import verify
from headgate.core.errors import Edit, Finding, ProjectError
from headgate.project.read import read_project

ROUNDS = 20
"""One mistake may hide others: a file that is no YAML says nothing of its keys."""


@dataclass
class Mended:
    """What was changed, in the order of the changes; and the files as they were."""

    edits: list[Edit] = field(default_factory=list)
    before: dict[Path, str] = field(default_factory=dict)

    def diff(self, root: Path) -> list[str]:
        """The changes as a unified diff."""
        lines: list[str] = []
        for path, old in sorted(self.before.items()):
            name = path.relative_to(root).as_posix()
            new = _read(path) or ""
            if new != old:
                made = difflib.unified_diff(_lines(old), _lines(new), name, name)
                lines += [line.rstrip("\r\n") for line in made]
        return lines


def mend(root: Path, profile: str | None = None) -> Mended:
    """Applies every certain edit, again and again until none is left.

    *Guarantee*: only what an edit names is changed, and only if it still stands there; comments, layout and line ends
    stay. A file that was YAML before is YAML afterwards.
    """
    mended = Mended()
    for _ in range(ROUNDS):
        found = findings(root, profile)
        edits = [edit for finding in found for edit in finding.edits]
        if not _apply(root, edits, mended, {_file(one) for one in found if one.code == "yaml-syntax"}):
            break
    return mended


def write_down(root: Path, mended: Mended, found: Iterable[Finding]) -> bool:
    """Writes what findings of the books have as edits: lines that files lack; whether there were any."""
    at: dict[Edit, str] = {}
    for edit in (edit for finding in found if finding.code == CODE for edit in finding.edits):
        place = replace(edit, new=edit.old)  # several lines are put before the same one
        at[place] = at.get(place, "") + edit.new.removesuffix(edit.old)
    edits = [replace(place, new=lines + place.old) for place, lines in at.items()]
    return _apply(root, edits, mended, set())


def findings(root: Path, profile: str | None) -> list[Finding]:
    """What is wrong with the files themselves; no source and no warehouse is looked at."""
    try:
        project = read_project(root, profile)
    except ProjectError as error:
        return list(error.findings)
    contracts = [(one.contract, one.places, one.load.deleted_if) for one in project.ingests if one.contract is not None]
    return [finding for parts in contracts for finding in verify(*parts)]


def _file(finding: Finding) -> str:
    return finding.where.partition(":")[0]


def _apply(root: Path, edits: Iterable[Edit], mended: Mended, broken: set[str]) -> bool:
    """Whether any edit was made."""
    made = False
    for name in sorted({edit.file for edit in edits}):
        path = (root / name).resolve()
        text = _read(path) if path.is_relative_to(root.resolve()) else None
        if text is None:
            continue
        new, done = _edited(text, [edit for edit in edits if edit.file == name])
        if done and (name in broken or _is_yaml(new, name)):
            mended.before.setdefault(path, text)
            _write(path, new)
            mended.edits += done
            made = True
    return made


def _edited(text: str, edits: list[Edit]) -> tuple[str, list[Edit]]:
    """The text with the edits that fit, the last one first so that the places of the others hold."""
    lines = text.split("\n")
    done: list[Edit] = []
    for edit in sorted(set(edits), key=lambda one: (one.line, one.column), reverse=True):
        line = lines[edit.line - 1] if 0 < edit.line <= len(lines) else ""
        start, end = edit.column - 1, edit.end_column - 1
        if done and (edit.line, edit.end_column) > (done[-1].line, done[-1].column):
            continue
        if line[start:end] == edit.old:
            lines[edit.line - 1] = line[:start] + edit.new + line[end:]
            done.append(edit)
    return "\n".join(lines), done[::-1]


def _is_yaml(text: str, name: str) -> bool:
    from headgate.project import yaml

    try:
        yaml.read(text.removeprefix("\ufeff"), name)
    except ProjectError as error:
        return error.finding.code != "yaml-syntax"
    return True


def _read(path: Path) -> str | None:
    """The text with its line ends as they are; None where it can't be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(text.encode("utf-8"))
        shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)

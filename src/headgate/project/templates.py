"""What templates draw on besides models: macros, SQL files of tests, variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from headgate.core.errors import HeadgateError, Location
from headgate.models import kit
from headgate.models.checkfiles import SqlTest
from headgate.models.macros import MacroFile
from headgate.project import fields, yaml
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping

GENERIC, FIXTURES = "generic", "fixtures"
"""Folders of `tests/`: files of custom tests, and rows for unit tests; all other files are tests themselves."""
_TEST = re.compile(r"\{%-?\s*(?:data_)?test\s+(\w+)")
Text = Callable[[Path], str | None]


def macro_files(root: Path, paths: Iterable[Path], text: Text) -> tuple[MacroFile, ...]:
    """The files as they stand. Those that can't be read are noted by `text`."""
    found = ((path.relative_to(root).as_posix(), text(path)) for path in paths)
    return tuple(MacroFile(path, content) for path, content in found if content is not None)


def custom_tests(files: Iterable[MacroFile]) -> set[str]:
    """The names of the tests that these files define, and of those of the transform kit."""
    return {*kit.tests(), *(name for file in files for name in _TEST.findall(file.text))}


def folder_of(root: Path, path: Path) -> str:
    """The first folder below `tests/`, empty for a file that stands there itself."""
    parts = path.relative_to(root / "tests").parts
    return parts[0] if len(parts) > 1 else ""


def sql_tests(notes: Notes, root: Path, paths: Iterable[Path], text: Text) -> tuple[SqlTest, ...]:
    """The tests that are files, by their names, which are unique."""
    found: dict[str, SqlTest] = {}
    for path in paths:
        shown, content = path.relative_to(root), text(path)
        if content is None:
            continue
        test = SqlTest(path.stem, shown, content)
        other = found.setdefault(path.stem.lower(), test)
        if other is not test:
            what = f"two tests are called {path.stem}: {other.path.as_posix()} and {shown.as_posix()}"
            notes.error("duplicate-model", what, shown.as_posix(), "rename one of them")
    return tuple(sorted(found.values(), key=lambda test: test.name))


def variables(notes: Notes, *holders: Mapping | None, given: str | None = None) -> dict[str, object]:
    """`vars:` of headgate.yml, then of the profile, then what the command says; a later word replaces an earlier."""
    made: dict[str, object] = {}
    for holder in holders:
        node = fields.mapping(notes, holder.get("vars"), "vars") if holder is not None else None
        made |= {key.text: fields.value(value) for key, value in node.entries} if node is not None else {}
    return made | (_given(notes, given) if given else {})


def _given(notes: Notes, text: str) -> dict[str, object]:
    """`--vars`: a mapping as YAML writes it, `{day: 2024-01-01}` or `day: 2024-01-01`."""
    try:
        node = yaml.read(text, "--vars")
    except HeadgateError as error:
        notes.take(error)
        return {}
    if not isinstance(node, Mapping):
        notes.error("bad-value", "--vars must name variables", Location("--vars"), "write --vars 'day: 2024-01-01'")
        return {}
    return {key.text: fields.value(value) for key, value in node.entries}

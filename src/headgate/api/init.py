"""`headgate init`: a project in a folder, out of files or with a small example; what is there already stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headgate.api.results import InitResult, InitTable, LeftAlone, Progress
from headgate.core.errors import Finding, HeadgateError, ProjectError
from headgate.core.records import dataclass
from headgate.project import starter
from headgate.project.starter import Folder

if TYPE_CHECKING:
    from headgate.api.scaffold import Survey
    from headgate.project.draft import Table
    from headgate.project.grouping import Group
    from headgate.project.model import Project

MAIN = ("headgate.yml", "headgate.yaml")


def init(
    folder: Path | str,
    files: Iterable[str | Path] | None = None,
    *,
    base: Path | str | None = None,
    name: str | None = None,
    warehouse: str | None = None,
    models: bool = False,
    tolerate: float = 0.0,
    progress: Callable[[Progress], None] | None = None,
) -> InitResult:
    """Writes a project into `folder`: an ingest file for every table that the `files` are, or an example without any.

    `files`: paths, folders and globs, relative to `base` (default: the working directory). `warehouse`: as under
    `warehouse:`. `models`: a view over each table, too. `tolerate`: the share (0 to 1) of values and rows that may
    contradict a type or a key; they will be refused.
    *Guarantee*: no file that exists is changed. With `tolerate` 0 the project runs at once, and of the files that it
    was made from every well-formed record loads.
    *Errors*: ProjectError of an existing project, or where the folder can't be written to.
    """
    root = Path(folder).resolve()
    if not 0 <= tolerate < 1:
        raise ProjectError.of("bad-option", f"tolerate can't be {tolerate:g}", "--tolerate", "give a share: 1%")
    if warehouse is not None:
        _no_password(warehouse)
    existing = _existing(root)
    place = Folder(root)
    if files is None:
        return _started(place, existing, name, warehouse)
    told = progress or (lambda news: None)
    return _surveyed(
        place, existing, _Wish(list(files), Path(base or os.curdir), name, warehouse, models, tolerate, told)
    )


@dataclass(frozen=True)
class _Wish:
    """What was asked for."""

    files: Sequence[str | Path]
    base: Path
    name: str | None
    warehouse: str | None
    models: bool
    tolerate: float
    told: Callable[[Progress], None]


def _no_password(warehouse: str) -> None:
    """A password in plain text would stand in headgate.yml."""
    try:
        found = "://" in warehouse and (urlsplit(warehouse).password or "password=" in warehouse)
    except ValueError:
        found = False
    if found:
        fix = "keep the address in the environment, and write --warehouse '${secret:WAREHOUSE}'"
        raise ProjectError.of("bad-option", "the warehouse's address holds a password", "--warehouse", fix)


def _existing(root: Path) -> Project | None:
    """The project that is there already. *Errors*: what is wrong with its files."""
    from headgate.project.read import read_project

    return read_project(root) if any((root / name).is_file() for name in MAIN) else None


def _settings(place: Folder, existing: Project | None, name: str | None, warehouse: str | None) -> None:
    if existing is None:
        place.write("headgate.yml", starter.settings(name or place.root.name or "project", warehouse))
    if not (place.root / ".gitignore").exists():
        place.write(".gitignore", starter.ignored())


def _started(place: Folder, existing: Project | None, name: str | None, warehouse: str | None) -> InitResult:
    """An example, in a folder that has no project yet."""
    if existing is not None:
        what = "there is a project already; nothing was written"
        fix = "add tables from files: headgate init --from FILES..."
        found = Finding("nothing-to-do", "info", what, str(place.root), fix)
        return InitResult(True, str(place.root), findings=(found,))
    for path, text in starter.EXAMPLE.items():
        place.write(path, text)
    _settings(place, existing, name, warehouse)
    return _checked(place, (), [LeftAlone(path, "it was there already") for path in place.kept], [])


def _surveyed(place: Folder, existing: Project | None, wish: _Wish) -> InitResult:
    """Ingest files for everything that the wish names."""
    from headgate.adapters.duckdb.store import DuckDBStore
    from headgate.api import scaffold
    from headgate.project import grouping
    from headgate.state.scratch import Scratch

    paths, lost = grouping.expanded(map(str, wish.files), wish.base.resolve())
    if not paths:
        what = f"no file found at {', '.join(lost) or 'nothing'}"
        raise ProjectError.of("no-files", what, wish.base.resolve(), "name files, folders or globs: --from data/*.csv")
    scratch = Scratch(place.root)
    engine = None
    try:
        survey = scaffold.Survey(place.root, scratch.path, wish.tolerate, wish.told)
        survey.findings += [_lost(word, wish.base) for word in lost]
        good = scaffold.sort_files(survey, paths, scaffold.known_files(existing, scratch.path))
        groups = grouping.groups(good, place.root, survey.columns)
        engine = DuckDBStore(scratch.path / "survey.duckdb", temp=scratch.path)
        with engine.session() as session:
            tables = scaffold.tables(session, survey, _new(survey, groups, existing))
        written = [scaffold.summary(table, file) for table in tables if (file := _written(place, table, wish.models))]
        survey.left += [LeftAlone(path, "a file of that name is there already") for path in place.kept]
        if written or existing is None:
            _settings(place, existing, wish.name, wish.warehouse)
        return _checked(place, tuple(written), survey.left, survey.findings)
    finally:
        if engine is not None:
            engine.close()
        scratch.close()


def _lost(word: str, base: Path) -> Finding:
    return Finding("no-files", "error", f"no file matches {word!r}", str(base.resolve()), "correct the path")


def _new(survey: Survey, groups: Sequence[Group], existing: Project | None) -> list[Group]:
    """The groups whose table nothing loads yet."""
    from headgate.api.scaffold import SCHEMA

    loaded = {str(one.table).lower(): str(one.where) for one in existing.ingests} if existing is not None else {}
    new = []
    for group in groups:
        by = loaded.get(f"{SCHEMA}.{group.name}".lower())
        if by is None:
            new.append(group)
        else:
            survey.left.append(LeftAlone(group.pattern, f"{by} loads {SCHEMA}.{group.name} from elsewhere already"))
    return new


def _written(place: Folder, table: Table, models: bool) -> str:
    """The table's ingest file; "" where one of its name is there."""
    from headgate.project import draft

    short = table.name.rpartition(".")[2]
    file = f"ingest/{short}.yml"
    if not place.write(file, draft.text(table)):
        return ""
    if models:
        place.write(f"models/staging/stg_{short}.sql", starter.view_of(table))
    return file


def _checked(
    place: Folder, tables: tuple[InitTable, ...], left: Sequence[LeftAlone], findings: Sequence[Finding]
) -> InitResult:
    """The answer, with what `check` says of the project as it stands now."""
    from headgate.api.project import Project

    found = list(findings)
    try:
        with Project.open(place.root) as project:
            found += project.check().findings
    except HeadgateError as error:
        found += error.findings
    good = not any(one.level == "error" for one in found)
    return InitResult(good, str(place.root), tables, tuple(place.written), tuple(left), tuple(found))

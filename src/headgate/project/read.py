"""A project's files into one Project: headgate.yml, ingest files, models and their tests."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from headgate.contracts.model import Contract, ReferenceRule
from headgate.core.errors import Finding, HeadgateError, Location, ProjectError, nearest
from headgate.models.checkfiles import SqlTest
from headgate.models.macros import MacroFile
from headgate.models.python.signature import has_model
from headgate.models.unit import UnitSpec
from headgate.project import (
    address,
    children,
    exposures,
    fields,
    ingest,
    landing,
    layers,
    modeltests,
    nulling,
    observing,
    publishing,
    secrets,
    seeds,
    settings,
    snapshots,
    tasks,
    templates,
    unittests,
    yaml,
)
from headgate.project.exposures import Exposure
from headgate.project.fields import Notes
from headgate.project.model import Ingest, LoadSpec, ModelFile, Observing, Project, PublishGroup, Task, Warehouse
from headgate.project.yaml import Mapping

FILE = "headgate.yml"
_OWN_KEYS = ("project", "warehouse", "engine", "connections", "vars", "layers", "profiles")
KEYS = (*_OWN_KEYS, *settings.PROJECT_KEYS, *observing.KEYS)
PROFILE_KEYS = ("warehouse", "engine", "connections", "vars")
ENGINE_KEYS = {"memory": "memory_limit", "threads": "threads"}
ENGINE_VALUES = {"memory": re.compile(r"[1-9][0-9]*(\.[0-9]+)?\s?[MG]i?B"), "threads": re.compile(r"[1-9][0-9]{0,3}")}
_TASK_NAME = re.compile(r"[^\W\d]\w*")
_NUMBERS = ("int", "bigint", "decimal", "double")


def read_project(root: Path, profile: str | None = None, variables: str | None = None) -> Project:
    """Everything that the files under `root` say, checked as far as files alone can tell.

    `profile` names an entry of `profiles:` whose settings replace those of headgate.yml; `variables` is YAML of those
    that replace `vars:`. Ingests are ordered by table,
    models by name. Conditions and patterns are not bound here: `contracts.verify.verify` does that.
    *Errors*: one ProjectError holding every mistake that was found, each with file:line:column and its fix.
    """
    notes = Notes()
    root = Path(root)
    main = _main(notes, root)
    warehouse = _warehouse(notes, root, main, profile) if main is not None else None
    limits = _limits(notes, main, profile) if main is not None else {}
    name = _project_name(notes, root, main) if main is not None else ""
    steps, threads = settings.read(notes, main), settings.threads(notes, main.get("threads") if main else None)
    watched = observing.read(notes, main) if main is not None else Observing()
    layered = layers.read(notes, main.get("layers")) if main is not None else None
    ingests = _ingests(notes, root)
    macros, sql_tests = _templates(notes, root)
    models, groups, exposed = _models(notes, root, templates.custom_tests(macros))
    told = templates.variables(notes, main, _chosen(main, profile), given=variables)
    _references(notes, ingests)
    _model_references(notes, ingests, models)
    holders = [holder for holder in (_chosen(main, profile), main) if holder is not None]
    found = tasks.by_name(notes, _tasks(notes, root, holders), _names(ingests, models))
    pools = settings.pools(notes, main.get("pools") if main else None)
    every = [*(one.settings for one in ingests), *(one.settings for one in models), *(one.settings for one in found)]
    tasks.agree(notes, every, found, tasks.Known(pools, told))
    if notes.findings or warehouse is None:
        raise ProjectError(*notes.findings)
    asked = (exposed, watched, steps, threads)
    return Project(
        root, name, warehouse, ingests, models, limits, groups, *asked, macros, sql_tests, told, profile or "default",
        layered, found, pools,
    )  # fmt: skip


def _main(notes: Notes, root: Path) -> Mapping | None:
    """headgate.yml; an empty one is an empty mapping."""
    path = next((root / name for name in (FILE, "headgate.yaml") if (root / name).is_file()), None)
    if path is None:
        fix = f"write {FILE} there (project: name), or name the project's folder with --project DIR"
        raise ProjectError.of("no-project", f"there is no {FILE} in {root}", root / FILE, fix)
    before = len(notes.findings)
    node = _document(notes, root, path)
    if node is None:
        return Mapping((), Location(path.name)) if len(notes.findings) == before else None
    fields.known(notes, node, KEYS, path.name)
    return node


def _project_name(notes: Notes, root: Path, main: Mapping) -> str:
    node = main.get("project")
    return (fields.text(notes, node, "project") if node is not None else None) or root.resolve().name


def _warehouse(notes: Notes, root: Path, main: Mapping, profile: str | None) -> Warehouse | None:
    """The warehouse of the profile in use."""
    profiles = fields.mapping(notes, main.get("profiles"), "profiles") or Mapping((), main.where)
    settings = [main]
    for key, value in profiles.entries:
        entry = fields.mapping(notes, value, f"profile {key.text}")
        if entry is not None:
            fields.known(notes, entry, PROFILE_KEYS, f"profile {key.text}")
            settings = [entry, main] if key.text == profile else settings
            _connections(notes, entry)
    if profile is not None and profile not in profiles.names():
        what = f"unknown profile {profile!r}{nearest(profile, profiles.names())}"
        where = (main.key("profiles") or main).where
        notes.error("unknown-profile", what, where, f"add it under profiles: in {FILE}, or name another")
    _connections(notes, main)
    node = next((found for entry in settings if (found := entry.get("warehouse")) is not None), None)
    if node is None:
        path = str(root / address.DEFAULT.partition(":")[2])
        return Warehouse("duckdb", path, path)
    return address.address(notes, root, node)


def _limits(notes: Notes, main: Mapping, profile: str | None) -> dict[str, str]:
    """What the engine may take, by the engine's own names; a profile's word replaces that of the main file."""
    chosen = _chosen(main, profile)
    limits: dict[str, str] = {}
    for holder in (main, chosen):
        node = fields.mapping(notes, holder.get("engine"), "engine") if holder is not None else None
        if node is None:
            continue
        fields.known(notes, node, ENGINE_KEYS, "engine")
        for key, value in node.entries:
            word = fields.text(notes, value, key.text)
            if word is None or key.text not in ENGINE_KEYS:
                continue
            if not ENGINE_VALUES[key.text].fullmatch(word):
                fix = "write memory: 2GB" if key.text == "memory" else "write threads: 4"
                notes.error("bad-value", f"{key.text} can't be {word!r}", value.where, fix)
            limits[ENGINE_KEYS[key.text]] = word
    return limits


def _chosen(main: Mapping | None, profile: str | None) -> Mapping | None:
    """The settings of the profile in use."""
    profiles = main.get("profiles") if main is not None else None
    chosen = profiles.get(profile) if isinstance(profiles, Mapping) and profile is not None else None
    return chosen if isinstance(chosen, Mapping) else None


def _connections(notes: Notes, node: Mapping) -> None:
    """Connections are kept for adapters that need them; here only their spelling is checked."""
    entries = fields.mapping(notes, node.get("connections"), "connections") or Mapping((), node.where)
    for key, value in entries.entries:
        parts = value.entries if isinstance(value, Mapping) else ((key, value),)
        for _, part in parts:
            text = fields.text(notes, part, f"connection {key.text}")
            try:
                secrets.check(text or "", part.where)
            except HeadgateError as error:
                notes.take(error)


def _document(notes: Notes, root: Path, path: Path) -> Mapping | None:
    """The file as a mapping; None where it is empty or (with a note) something else."""
    shown = _shown(root, path)
    text = _text(notes, root, path)
    if text is None:
        return None
    try:
        node = yaml.read(text, shown)
    except HeadgateError as error:
        notes.take(error)
        return None
    return fields.mapping(notes, node, shown)


def _shown(root: Path, path: Path) -> str:
    """The path below the root. There are thousands of files, and `relative_to` takes its time."""
    return str(path).removeprefix(str(root)).lstrip("/")


def _text(notes: Notes, root: Path, path: Path) -> str | None:
    shown = _shown(root, path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        notes.error("bad-encoding", "the file is not UTF-8", Location(shown, line), "save it as UTF-8")
    except OSError as error:
        notes.error("unreadable-file", f"the file can't be read: {error.strerror}", shown, "check its permissions")
    return None


def _files(notes: Notes, root: Path, folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The folder's files of these suffixes, at any depth, in the order of their paths; hidden ones are left out."""
    for path in sorted(_walk(notes, root, folder)):
        if os.path.splitext(path)[1] in suffixes and os.path.isfile(path):
            yield Path(path)


def _walk(notes: Notes, root: Path, folder: Path) -> Iterator[str]:
    """Every file below the folder. A folder that can't be read is noted: what is in it would be missed in silence."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            shown = _shown(root, Path(error.filename))
            what = f"the folder can't be read: {error.strerror}"
            finding = Finding("unreadable-file", "error", what, shown, "check its permissions")
            if finding not in notes.findings:  # a folder is walked once per kind of file
                notes.findings.append(finding)

    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(parent, name) for name in names if not name.startswith("."))


def _ingests(notes: Notes, root: Path) -> tuple[Ingest, ...]:
    found: dict[str, Ingest] = {}
    for path in _files(notes, root, root / "ingest", (".yml", ".yaml")):
        where = Location(_shown(root, path))
        before = len(notes.findings)
        node = _document(notes, root, path)
        if node is None:
            if len(notes.findings) == before:
                notes.error("missing-key", "the file says nothing", where, "write table: and from:, or remove the file")
            continue
        entry = ingest.read(notes, node, where, root)
        if entry is not None:
            _add_ingest(notes, found, entry)
    for entry in _seeds(notes, root):
        _add_ingest(notes, found, entry)
    _children(notes, found)
    return landing.linked(notes, sorted(found.values(), key=lambda entry: entry.table))


def _children(notes: Notes, found: dict[str, Ingest]) -> None:
    """A child's table is filled by nothing else."""
    taken = {name: entry.where for name, entry in found.items()}
    for entry in found.values():
        for child in list(children.tables(entry))[1:]:
            if taken.setdefault(str(child.table).lower(), child.where) is not child.where:
                what = f"two files load {child.table}: {taken[str(child.table).lower()]} and {child.where}"
                notes.error("duplicate-table", what, child.where or "", "keep one, or give one another table")


def _add_ingest(notes: Notes, found: dict[str, Ingest], entry: Ingest) -> None:
    other = found.setdefault(str(entry.table).lower(), entry)
    if other is not entry:
        what = f"two files load {entry.table}: {other.where} and {entry.where}"
        notes.error("duplicate-table", what, entry.places["table"], "keep one, or give one another table")


def _seeds(notes: Notes, root: Path) -> Iterator[Ingest]:
    folder = root / "seeds"
    nodes = [_document(notes, root, path) for path in _files(notes, root, folder, (".yml", ".yaml"))]
    told = [one for node in nodes if node is not None for one in seeds.describe(notes, node)]
    yield from seeds.ingests(notes, root, _files(notes, root, folder, seeds.SUFFIXES), told)


def _templates(notes: Notes, root: Path) -> tuple[tuple[MacroFile, ...], tuple[SqlTest, ...]]:
    """Macros with custom tests, and the tests that are files of their own."""
    tests = list(_files(notes, root, root / "tests", (".sql",)))
    folders = {path: templates.folder_of(root, path) for path in tests}
    generic = [path for path in tests if folders[path] == templates.GENERIC]
    paths = [*_files(notes, root, root / "macros", (".sql",)), *generic]
    read = partial(_text, notes, root)
    alone = (path for path in tests if folders[path] not in (templates.GENERIC, templates.FIXTURES))
    return templates.macro_files(root, paths, read), templates.sql_tests(notes, root, alone, read)


def _models(
    notes: Notes, root: Path, custom: Collection[str]
) -> tuple[tuple[ModelFile, ...], tuple[PublishGroup, ...], tuple[Exposure, ...]]:
    found: dict[str, ModelFile] = {}
    for path in _files(notes, root, root / "models", (".sql", ".py")):
        model = _model(notes, root, path)
        if model is None:
            continue
        other = found.setdefault(model.name.lower(), model)
        if other is not model:
            shown = _shown(root, path)
            what = f"two files are called {model.name}: {_shown(root, other.path)} and {shown}"
            notes.error("duplicate-model", what, shown, "rename one of them")
    paths = _files(notes, root, root / "models", (".yml", ".yaml"))
    texts = [(path, node) for path in paths if (node := _document(notes, root, path)) is not None]
    for one in (one for path, node in texts for one in snapshots.files(notes, node, path, root)):
        other = found.setdefault(one.name.lower(), one)
        if other is not one:
            what = f"two models are called {one.name}: a snapshot, and {_shown(root, other.path)}"
            notes.error("duplicate-model", what, _shown(root, one.path), "rename one of them")
    known = [model.name for model in found.values()]
    tested, groups, units, exposed = _model_tests(notes, root, [node for _, node in texts], known, custom)
    models = []
    for model in found.values():
        own = tuple(unit for name, unit in units if name == model.name)
        said = tested.get(model.name)
        plain = replace(model, unit_tests=own)
        models.append(replace(plain, tests=said.tests, split=said.split, settings=said.settings) if said else plain)
    together = publishing.groups(notes, groups, tested, found)
    return tuple(sorted(models, key=lambda model: model.name)), together, exposures.unique(notes, exposed)


def _model(notes: Notes, root: Path, path: Path) -> ModelFile | None:
    shown = _shown(root, path)
    text = _text(notes, root, path)
    if path.suffix == ".py" and text is not None and not has_model(text):
        return None  # a module of models beside it
    if not snapshots.can_be_named(path.stem):
        fix = "name the file by letters, digits and underscores, without _hg_"
        notes.error("reserved-name", f"{path.stem!r} can't be a model's name", shown, fix)
        return None
    if text is None:
        return None
    if not text.strip():
        notes.error("missing-key", f"model {path.stem!r} is empty", shown, "write a SELECT, or remove the file")
    folder = shown.removeprefix("models/").rpartition("/")[0]
    return ModelFile(path.stem, path, text, folder)


def _model_tests(
    notes: Notes, root: Path, nodes: Iterable[Mapping], known: Sequence[str], custom: Collection[str]
) -> tuple[
    dict[str, modeltests.ModelEntry],
    list[modeltests.GroupEntry],
    list[tuple[str, UnitSpec]],
    list[Exposure],
]:
    units: list[tuple[str, UnitSpec]] = []
    found: dict[str, modeltests.ModelEntry] = {}
    groups: list[modeltests.GroupEntry] = []
    exposed: list[Exposure] = []
    for node in nodes:
        groups += modeltests.groups(notes, node)
        units += unittests.read(notes, node, root)
        exposed += exposures.read(notes, node)
        for entry in (*modeltests.read(notes, node, root, custom), *snapshots.entries(notes, node, custom)):
            if entry.name not in known:
                what = f"there is no model {entry.name!r}{nearest(entry.name, known)}"
                fix = f"write models/{entry.name}.sql, or models/{entry.name}.py with def model(...)"
                notes.error("unknown-model", what, entry.where, fix)
            other = found.setdefault(entry.name, entry)
            if other is not entry:
                what = f"model {entry.name!r} is described twice, first at {other.where}"
                notes.error("duplicate-key", what, entry.where, "keep one of the two")
    for name, unit in units:
        if name not in known:
            what = f"unit test {unit.name!r} names no model: {name!r}{nearest(name, known)}"
            notes.error("unknown-model", what, unit.where, "name a file under models/")
    return found, groups, units, exposed


def _names(ingests: Iterable[Ingest], models: Iterable[ModelFile]) -> list[str]:
    """What steps are called that fill tables."""
    short = (entry.table.name for entry in ingests if entry.table.schema == "main")
    return [*(str(entry.table) for entry in ingests), *short, *(model.name for model in models)]


def _tasks(notes: Notes, root: Path, holders: list[Mapping]) -> Iterator[Task]:
    connect = partial(address.connection, notes, root, holders)
    for path in _files(notes, root, root / "tasks", (".yml", ".yaml")):
        where = Location(_shown(root, path))
        before = len(notes.findings)
        node = _document(notes, root, path)
        if not _TASK_NAME.fullmatch(path.stem):
            fix = "name the file by letters, digits and underscores"
            notes.error("reserved-name", f"{path.stem!r} can't be a task's name", where, fix)
        elif node is not None and (task := tasks.read(notes, node, path.stem, where, connect)) is not None:
            yield task
        elif node is None and len(notes.findings) == before:
            notes.error("missing-key", "the file says nothing", where, "write python:, sql: or shell:, or remove it")


def _references(notes: Notes, ingests: tuple[Ingest, ...]) -> None:
    """Every reference must lead to a column of a table that an ingest file loads."""
    every = [one for entry in ingests for one in children.tables(entry)]
    tables = {str(entry.table).lower(): entry for entry in every}
    for entry in every:
        if entry.contract is not None:
            nulling.refuse(notes, entry.contract, str(entry.table), entry.load, entry.where or Location(""))
        for rule in entry.contract.references if entry.contract is not None else ():
            target = tables.get(rule.to_table.lower())
            where = rule.where or entry.where or Location("")
            if target is None:
                names = [str(other.table) for other in every]
                what = f"no ingest file loads {rule.to_table}{nearest(rule.to_table, names)}"
                notes.error("unknown-table", what, where, "reference a table that is loaded, or write its ingest file")
            elif target.contract is not None:
                assert entry.contract is not None
                _referenced_column(notes, entry.contract, rule, target, where)


def _model_references(notes: Notes, ingests: tuple[Ingest, ...], models: tuple[ModelFile, ...]) -> None:
    """A reference of a model's contract to a loaded table must lead to a column of it; to models, it is followed when
    they are compiled."""
    tables = {str(one.table).lower(): one for entry in ingests for one in children.tables(entry)}
    for split in (model.split for model in models if model.split is not None):
        nulling.refuse(notes, split.contract, "", LoadSpec(), split.where)
        for rule in split.contract.references:
            target = tables.get(rule.to_table.lower())
            if target is not None and target.contract is not None:
                _referenced_column(notes, split.contract, rule, target, rule.where or split.where)


def _referenced_column(notes: Notes, contract: Contract, rule: ReferenceRule, target: Ingest, where: Location) -> None:
    assert target.contract is not None
    columns = {column.name.lower(): column for column in target.contract.columns}
    for name, to in rule.pairs:
        column = columns.get(to.lower())
        if column is None:
            names = [other.name for other in target.contract.columns]
            what = f"{rule.to_table} has no column {to!r}{nearest(to, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
            continue
        own = next(other for other in contract.columns if other.name == name)
        if _family(own.type.name) != _family(column.type.name):
            what = f"{name!r} is {own.type}, but {rule.to_table}.{column.name} is {column.type}"
            notes.error("rule-mismatch", what, where, "give both columns the same type")


def _family(name: str) -> str:
    return "number" if name in _NUMBERS else name

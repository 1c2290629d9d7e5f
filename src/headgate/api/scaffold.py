"""A project out of files: what they are, what holds in them, written down so that it runs at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.api.results import InitTable, LeftAlone, Progress
from headgate.core import registry
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Engine, Session
from headgate.project import draft, grouping
from headgate.project.grouping import Group
from headgate.project.model import Project
from headgate.quality import keys, links, profile
from headgate.quality import rows as reading
from headgate.quality.links import Seen
from headgate.quality.model import LinkProfile
from headgate.quality.suggest import suggestions

SCHEMA = "raw"


@dataclass
class Survey:
    """What is found out about files, and what could not be."""

    root: Path
    tmp: Path
    tolerate: float = 0.0
    told: Callable[[Progress], None] = lambda news: None
    left: list[LeftAlone] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    guesses: dict[Path, Any] = field(default_factory=dict)

    def guess(self, path: Path) -> Any:
        """What the adapter guesses of a file (options, columns, notes); None where its kind needs no guess."""
        if path not in self.guesses:
            self.guesses[path] = self._guessed(path)
        return self.guesses[path]

    def _guessed(self, path: Path) -> Any:
        # Its own: a kind that builds on another does not guess as that one does.
        own = vars(registry.source_class(registry.surveyed(path.name) or "")).get("guess")
        return own.__func__(path) if own is not None else None

    def columns(self, path: Path) -> Sequence[str] | None:
        """What tells files of one table from those of another: columns and the way they are written.

        One byte can make another encoding of ASCII: that is decided for all files of a table.
        """
        found = self.guess(path)
        if found is None:
            return None
        return [*found.columns, *(f"\x00{name}={value}" for name, value in _told(found.options).items())]

    def options(self, group: Group) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The options of the group's source beside its path, and what was assumed."""
        found = [one for path in group.files if (one := self.guess(path)) is not None]
        if not found:
            return {}, ()
        first = next((one for one in found if one.notes), found[0])
        if len(found) == 1 or first.options.get("encoding") == "utf-16":
            return dict(first.options), tuple(first.notes)
        sound, broken = sum(one.sound for one in found), sum(one.broken for one in found)
        others = sorted({one.options["encoding"] for one in found if "encoding" in one.options})
        encoding = {"encoding": others[-1]} if broken > sound and others else {}
        notes = {f"{others[-1]}, for {broken:,} lines are no UTF-8"} if encoding else set()
        notes |= {f"UTF-8, though not in {broken:,} lines"} if broken and not encoding else set()
        notes |= {note for one in found for note in one.notes if " of its lines " not in f"{note} "}
        return {**_told(first.options), **encoding}, tuple(sorted(notes))

    def fails(self, path: str, error: HeadgateError) -> None:
        self.findings += error.findings
        self.left.append(LeftAlone(path, error.finding.what))


def _told(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without an encoding that only some bytes tell from UTF-8."""
    return {name: value for name, value in options.items() if name != "encoding" or value == "utf-16"}


def known_files(project: Project | None, tmp: Path) -> dict[str, str]:
    """Files that the project loads already, and by which ingest file."""
    found: dict[str, str] = {}
    if project is None:
        return found
    for ingest in project.ingests:
        try:
            source = registry.open_source(ingest.source.kind, ingest.source.options, project.root, tmp)
            parts = source.partitions({}) if ingest.source.kind != "python" else []
        except HeadgateError:
            continue
        found |= {os.path.abspath(part.location): str(ingest.where) for part in parts if part.location}
    return found


def sort_files(survey: Survey, files: Sequence[Path], known: Mapping[str, str]) -> list[Path]:
    """The files that can become tables; why others can't is kept."""
    good = []
    for path in files:
        shown = grouping.relative(path, survey.root)
        if registry.surveyed(path.name) is None:
            survey.left.append(LeftAlone(shown, "its name does not say what it holds"))
        elif str(path) in known:
            survey.left.append(LeftAlone(shown, f"{known[str(path)]} loads it"))
        elif "${" in shown or "\x00" in shown:
            survey.left.append(LeftAlone(shown, "a project can't name this path; rename it"))
        else:
            try:
                survey.guess(path)
                good.append(path)
            except HeadgateError as error:
                survey.fails(shown, error)
    return good


def tables(session: Engine, survey: Survey, groups: Sequence[Group]) -> list[draft.Table]:
    """Every group profiled and drafted; what can't be read is left out, with the reason kept."""
    with ExitStack() as stack:
        seen = [found for group in groups for found in _seen(session, survey, group, stack)]
        linked = profile.linked(session, [one for _, one in seen])
        pairs = [(group, one) for (group, _), one in zip(seen, linked, strict=True)]
        names = {one.profile.name: draft.contract_names(one.view.names) for one in linked}
        chosen = _acyclic([link for one in linked for link in _rules_of(one)])
        return [_table(session, survey, group, one, names, chosen) for group, one in pairs]


def _seen(session: Engine, survey: Survey, group: Group, stack: ExitStack) -> Iterator[tuple[Group, Seen]]:
    """The group's profile; file by file where the files turn out to have other columns."""
    survey.told(Progress(f"{SCHEMA}.{group.name}", 0, "profiling"))
    try:
        rows = stack.enter_context(open_group(session, survey, group, f"{SCHEMA}.{group.name}"))
        if rows.uneven and len(group.files) > 1:
            for number, path in enumerate(group.files, 1):
                shown = grouping.relative(path, survey.root)
                yield from _seen(session, survey, Group(f"{group.name}_{number}", group.kind, shown, (path,)), stack)
            return
        yield group, profile.profile(session, rows, 2, survey.tolerate)
    except HeadgateError as error:
        survey.fails(group.pattern, error)


def open_group(session: Engine, survey: Survey, group: Group, name: str) -> AbstractContextManager[reading.Rows]:
    """The rows of the group's files, read as they are written. *Errors*: those of the source."""
    options = {"path": group.pattern, **survey.options(group)[0]}
    source = registry.open_source(group.kind, options, survey.root, survey.tmp)
    return reading.opened(session, source, name, source.partitions({}))


def _rules_of(one: Seen) -> list[tuple[str, LinkProfile]]:
    """The references that names speak for, one per column."""
    found: dict[str, LinkProfile] = {}
    for link in one.profile.links:
        if links.named(link.column, link.to_table, link.to_column):
            found.setdefault(link.column, link)
    return [(one.profile.name, link) for link in found.values()]


def _acyclic(found: Sequence[tuple[str, LinkProfile]]) -> dict[tuple[str, str], LinkProfile]:
    """The references by table and column, without those that would close a circle: one table must load first."""
    kept: dict[tuple[str, str], LinkProfile] = {}
    needs: dict[str, set[str]] = {}
    for table, link in found:
        if table not in _reached(needs, link.to_table):
            needs.setdefault(table, set()).add(link.to_table)
            kept[table, link.column] = link
    return kept


def _reached(needs: Mapping[str, set[str]], start: str) -> set[str]:
    found, left = {start}, [start]
    while left:
        more = needs.get(left.pop(), set()) - found
        found |= more
        left += more
    return found


def _table(
    session: Session,
    survey: Survey,
    group: Group,
    one: Seen,
    names: Mapping[str, Mapping[str, str]],
    chosen: Mapping[tuple[str, str], LinkProfile],
) -> draft.Table:
    found = one.profile
    key = draft.choose_key(found, survey.tolerate)
    load = draft.guess_load(found, key, _versions(session, one), _snapshots(session, one, len(group.files)))
    rules = tuple(link for (table, _), link in chosen.items() if table == found.name)
    own = names[found.name]
    own_key = (*(key.columns if key else ()), *load.keys)
    settled = [*own_key, *(link.column for link in rules)]
    options, notes = survey.options(group)
    shown = profile.masked(found)
    return draft.Table(
        name=found.name,
        kind=group.kind,
        pattern=group.pattern,
        options=options,
        profile=shown,
        names=own,
        key=key,
        load=load,
        links=rules,
        hints=tuple(
            link for link in found.links if (found.name, link.column) not in chosen and link.column not in own_key
        ),
        suggestions=tuple(suggestions(session, one, own, settled)),
        notes=notes,
        files=len(group.files),
        targets=names,
    )


def _versions(session: Session, one: Seen) -> bool:
    """Whether the likely key repeats, and no two rows agree in it and the time of change."""
    likely, when = draft.likely_key(one.profile), draft.updated(one.profile)
    if likely is None or when is None:
        return False
    return keys.count(session, one.view, one.profile.columns, (*likely.columns, when)).unique


def _snapshots(session: Session, one: Seen, files: int) -> float | None:
    """Where no file repeats the likely key but files repeat each other's: the share of keys that several have."""
    likely = draft.likely_key(one.profile)
    if likely is None or likely.unique or files < 2:
        return None
    key = one.view.at(likely.columns[0])
    select = one.view.select([key])
    grouped = f"SELECT count(*) AS n, count(DISTINCT {reading.PART}) AS p FROM ({select}) GROUP BY {key.alias}"
    ((again, many, every),) = session.execute(
        f"SELECT count(*) FILTER (WHERE n > p), count(*) FILTER (WHERE p > 1), count(*) FROM ({grouped})"
    )
    return many / every if every and not again else None


def summary(table: draft.Table, file: str) -> InitTable:
    """What is told about a table that was written."""
    found = table.profile
    return InitTable(
        table=table.name,
        file=file,
        path=table.pattern,
        files=table.files,
        rows=found.rows,
        malformed=found.malformed,
        columns=len(found.columns),
        key=tuple(table.names[name] for name in (table.load.keys or (table.key.columns if table.key else ()))),
        load=table.load.text,
        references=tuple(f"{link.column} -> {link.to_table}.{link.to_column}" for link in table.links),
        suggested=sum(not one.weak for one in table.suggestions),
        assumed=table.notes,
        doubts=tuple(
            f"{one.name}: {misfit.type} but for {misfit.rows:,} of {one.filled:,} values"
            for one in found.columns
            for misfit in one.misfits[:1]
            if one.type == "text"
        ),
    )

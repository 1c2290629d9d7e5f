"""Profiles of files, and of tables and models of a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from headgate.api.results import ProfileResult
from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.protocols import Engine, StoreSession
from headgate.core.values import SourceColumn, TableRef
from headgate.project import grouping
from headgate.quality import profile
from headgate.quality import rows as reading
from headgate.quality.rows import Rows
from headgate.run.pipeline import Pipeline
from headgate.sql import quote


def profile_files(
    files: Iterable[str | Path], tier: int = 1, sample: int | None = None, base: Path | str = "."
) -> ProfileResult:
    """Profiles of the tables that the files are (paths, folders, globs; relative to `base`); no project is needed.

    *Errors*: ProjectError `no-files`, `unknown-format`; those of the source.
    """
    from headgate.adapters.duckdb.store import DuckDBStore
    from headgate.state.scratch import Scratch

    home = Path(base).resolve()
    scratch = Scratch.temporary()
    try:
        store = DuckDBStore(scratch.path / "survey.duckdb", temp=scratch.path)
        try:
            with store.session() as session, ExitStack() as stack:
                found = list(_files(session, home, scratch.path, list(map(str, files)), stack))
                return _profiled(session, found, tier, sample)
        finally:
            store.close()
    finally:
        scratch.close()


def _files(session: Engine, home: Path, tmp: Path, words: Sequence[str], stack: ExitStack) -> Iterator[Rows]:
    from headgate.api.scaffold import Survey, open_group
    from headgate.core.registry import surveyed

    paths, lost = grouping.expanded(words, home)
    if lost:
        raise ProjectError.of("no-files", f"no file matches {lost[0]!r}", home, "correct the path")
    for path in paths:
        if surveyed(path.name) is None:
            what = f"the name of {path.name!r} does not say what it holds"
            raise ProjectError.of("unknown-format", what, path, "rename it, with a suffix like .csv or .parquet")
    survey = Survey(home, tmp)
    for group in grouping.groups(paths, home, survey.columns):
        name = group.pattern if len(group.files) == 1 else f"{group.pattern} ({len(group.files)} files)"
        yield stack.enter_context(open_group(session, survey, group, name))


def profile_tables(
    session: StoreSession, pipeline: Pipeline, names: Sequence[str], tier: int, sample: int | None
) -> ProfileResult:
    """Profiles of tables and models as they stand in the warehouse. *Errors*: ProjectError `unknown-table`."""
    refs = [named(session, pipeline, name) for name in names]
    found = [_table(session, ref, f"_hg_profile_{number}") for number, ref in enumerate(refs)]
    return _profiled(session.engine, found, tier, sample)


def named(session: StoreSession, pipeline: Pipeline, name: str) -> TableRef:
    """The table or model of that name, which the warehouse has."""
    known = {str(table).lower(): table for flow in pipeline.flows for table in flow.tables}
    for model in pipeline.models:
        known |= {model.name.lower(): model.target, str(model.target).lower(): model.target}
    ref = known.get(name.lower()) or known.get(str(TableRef.parse(name)).lower())
    if ref is None:
        what = f"neither a table nor a model {name!r} is in the project{nearest(name, known)}"
        raise ProjectError(Finding("unknown-table", "error", what, name, "see what there is: headgate plan"))
    if session.columns(ref) is None:
        what = f"{ref} is not in the warehouse yet"
        raise ProjectError(Finding("unknown-table", "error", what, name, f"load or build it: headgate run {name}"))
    return ref


def _table(session: StoreSession, ref: TableRef, name: str) -> Rows:
    names = [column for column, _ in session.columns(ref) or () if not column.startswith("_hg_")]
    select = f"SELECT {quote.columns(names)} FROM {quote.table(ref)}"
    taken = session.take(select, name)
    described = session.engine.execute(f"DESCRIBE SELECT * FROM {taken}")
    columns = tuple(SourceColumn(name, physical) for name, physical, *_ in described)
    part = f"SELECT *, 0 AS {quote.ident(reading.PART)} FROM {taken}"
    return Rows(str(ref), f"({part})", columns)


def _profiled(session: Engine, found: Sequence[Rows], tier: int, sample: int | None) -> ProfileResult:
    with ExitStack() as stack:
        looked = [stack.enter_context(reading.sampled(session, one, sample)) for one in found]
        seen = [profile.profile(session, one, tier) for one in looked]
        if tier > 1 and sample is None:
            seen = profile.linked(session, seen)
        return ProfileResult(tuple(profile.masked(one.profile) for one in seen))

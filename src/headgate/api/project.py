"""A project and its verbs: check, plan, run, audit, health, report, ledger, contract, quarantine, restore, query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack

from headgate.api.warehouse import warehouse_of
from headgate.contracts.pii import hidden_columns
from headgate.core import environ
from headgate.core.clock import new_id
from headgate.core.errors import Finding, ProjectError
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.values import TableRef
from headgate.state.scratch import Scratch

if TYPE_CHECKING:
    from headgate.api import results
    from headgate.api.quarantine import Filters, Masks
    from headgate.api.results import (
        AdjustResult,
        AdoptResult,
        AuditResult,
        CheckResult,
        ContractDiff,
        ContractText,
        DataCheck,
        ExportResult,
        FixResult,
        HealthResult,
        LedgerResult,
        LineageResult,
        PlanResult,
        ProfileResult,
        Progress,
        PurgeResult,
        QuarantineList,
        QuarantineRecord,
        QuarantineSample,
        QueryResult,
        ReplayResult,
        ReportResult,
        RestoreResult,
        RunHistory,
        RunResult,
        SchemaHistory,
    )
    from headgate.run.pipeline import Pipeline
    from headgate.run.selector import States

Told = Callable[[str], None]
Note = Callable[[Mapping[str, int]], None]
Answered = TypeVar("Answered")


class Project:
    """One project, opened by `Project.open(folder)`, used as a context manager.

    *Guarantee*: `run`, `adopt`, `replay`, `restore`, `adjust`, `quarantine_fix` and `quarantine_purge` hold the project
    alone while they work, as does whatever shows hidden values (`unmask`); the other verbs change nothing, but that
    `report` writes its file, and that a history of runs that was lost is made anew when it is asked for.
    *Errors*: ProjectError (a file must be edited), AdapterError `warehouse-busy` when another run holds the warehouse
    and `wait` is False.
    """

    def __init__(
        self,
        root: Path,
        wait: bool = False,
        told: Told | None = None,
        profile: str | None = None,
        variables: str | None = None,
    ) -> None:
        from headgate.project.read import read_project

        self.root = root
        self._files = read_project(root, profile, variables)
        self._scratch = Scratch(root)
        self._warehouse = warehouse_of(self._files, self._scratch, wait, told)

    @classmethod
    def open(
        cls,
        root: Path | str,
        wait: bool = False,
        told: Told | None = None,
        profile: str | None = None,
        variables: str | None = None,
    ) -> Project:
        """The project in the folder, with the settings of `profile` if one is named.

        `wait`: wait for another run to end, after one message through `told`. `variables`: YAML of what `var()` in a
        template answers, instead of `vars:` in headgate.yml.
        """
        return cls(Path(root).resolve(), wait, told, profile, variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    @classmethod
    def mend(
        cls,
        root: Path | str,
        wait: bool = False,
        told: Told | None = None,
        profile: str | None = None,
        variables: str | None = None,
    ) -> CheckResult:
        """Puts right what is certainly meant otherwise in the files of the project, and checks what is there then.

        It needs no project that can be opened: mistakes that are left in the files are findings of the answer.
        """
        from headgate.api.mend import mend, write_down
        from headgate.api.results import CheckResult

        folder = Path(root).resolve()
        mended = mend(folder, profile)
        try:
            with cls.open(folder, wait, told, profile, variables) as project:
                answer = project.check()
            if write_down(folder, mended, answer.findings):
                with cls.open(folder, wait, told, profile, variables) as project:
                    answer = project.check()
        except ProjectError as error:
            answer = CheckResult(False, error.findings)
        return CheckResult(answer.ok, answer.findings, tuple(mended.edits), tuple(mended.diff(folder)))

    def check(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> CheckResult:
        """Whether files parse, sources can be read and contracts fit the data; nothing is loaded.

        `select`, `exclude`: of which steps, as `run` takes them; files are read and compiled as a whole.
        """
        from headgate.adapters.duckdb.store import DuckDBStore
        from headgate.api.check import Checked, check
        from headgate.api.layers import layer_findings
        from headgate.api.lineage import unmet
        from headgate.api.results import CheckResult
        from headgate.run.selector import Selection

        engine = DuckDBStore(None)
        try:
            with self._warehouse.reading() as store, self._warehouse.system(store) as system:
                pipeline = self._pipeline()
                chosen = pipeline.choose(Selection.of(select, exclude), _states(pipeline, store))
                asked = Checked(pipeline, tuple(chosen.flows), tuple(chosen.models), tuple(chosen.tasks))
                findings = check(asked, store, engine, system)
                if self._files.layers is not None:
                    findings += layer_findings(pipeline, self._files.layers, [*chosen.flows, *chosen.models])
                if self._files.exposures:
                    findings += unmet(pipeline, self._files, store)
        finally:
            engine.close()
        return CheckResult(not any(one.level == "error" for one in findings), tuple(findings))

    def check_data(self, names: Sequence[str] = ()) -> DataCheck:
        """How many rows of these tables and models, as they stand, break their contracts and tests, and how complete
        their columns are (default: all that are there); nothing is loaded or changed.

        *Errors*: ProjectError `unknown-table`.
        """
        from headgate.api.counting import count_tables

        pipeline = self._pipeline()
        with self._warehouse.reading() as store, store.session() as session:
            return count_tables(session, pipeline, names)

    def plan(
        self,
        select: Sequence[str] = (),
        full_refresh: bool = False,
        exclude: Sequence[str] = (),
        backfill: str | None = None,
        resume: bool = False,
    ) -> PlanResult:
        """What `run` would do if it were given the same, in order, and why."""
        from headgate.api.backfill import moments
        from headgate.api.plan import Wanted, planned
        from headgate.api.resume import RESUMED, command, resumed
        from headgate.run.selector import Selection
        from headgate.state.kept import Kept

        pipeline, chosen = self._pipeline(), Selection.of(select, exclude)
        _, models = pipeline.select(chosen)
        again = moments(backfill, models) if backfill is not None else None
        with self._warehouse.reading() as store, store.session() as session, Kept.open(self.root) as kept:
            states, asked = _states(pipeline, store), command(chosen, full_refresh, backfill)
            left = resumed(store, self._files, pipeline, asked, chosen, states) if resume else None
            words = asked + RESUMED if resume else asked
            wanted = Wanted(chosen, full_refresh, states, again, left, words)
            return planned(session, pipeline, self._files, kept, wanted)

    def explain(self, name: str, *, analyze: bool = False, full_refresh: bool = False) -> results.StepExplained:
        """What the step reads, whether and why it would run, and the SQL that a run would carry out.

        `analyze` runs that SELECT, keeps none of its rows, and tells time and rows of each operator. `full_refresh`: as
        a run that builds all of it anew. *Errors*: ProjectError `unknown-step`, `no-query`, `input-missing`.
        """
        from headgate.api.explaining import explained

        pipeline = self._pipeline()
        with self._warehouse.reading() as store, store.session() as session:
            return explained(session, pipeline, name, full_refresh, analyze)

    def lineage(
        self, name: str | None = None, *, up: bool = True, down: bool = True, depth: int | None = None
    ) -> LineageResult:
        """Where the columns of a table, model or exposure (or one column of it) come from, and what is made of them.

        `name`: `model`, `model.column`, `schema.table.column`; None for the whole project. `depth`: so many tables far.
        *Errors*: ProjectError `unknown-table`, `no-such-column`.
        """
        from headgate.api.lineage import answer
        from headgate.state.kept import Kept

        pipeline = self._pipeline()
        with self._warehouse.reading() as store, store.session() as session, Kept.open(self.root) as kept:
            return answer(session, pipeline, self._files, kept, name, up, down, depth)

    def run(
        self,
        select: Sequence[str] = (),
        full_refresh: bool = False,
        progress: Callable[[Progress], None] | None = None,
        log: Callable[[Mapping[str, Any]], None] | None = None,
        exclude: Sequence[str] = (),
        fail_fast: bool = False,
        threads: int | None = None,
        backfill: str | None = None,
        resume: bool = False,
    ) -> RunResult:
        """Loads what is new and builds what is stale. The answer's status is ok | refused | failed.

        The run is kept in the history of runs, and the page is written anew. `log` is told each event as it happens.
        `select`, `exclude`: which steps, in the words of the command line (`+orders`, `tag:daily`); all without any.
        `fail_fast`: begin no step after one that did not succeed. `threads`: how many steps that don't need each other
        are carried out at once; without it, what the project says.
        `backfill`: `2024-01-01..2024-02-01`, the intervals that models with a `time_column` build once more.
        `resume`: only what failed, was blocked or did not run in the last run of the same steps.
        """
        from headgate.api import leaving
        from headgate.api.backfill import moments
        from headgate.api.pacing import Pacing
        from headgate.api.ran import run_result
        from headgate.api.resume import NONE_LEFT, RESUMED, command, resumed
        from headgate.run.execute import Run, execute
        from headgate.run.selector import Selection

        pipeline, wanted = self._pipeline(), Selection.of(select, exclude)
        _, chosen = pipeline.select(wanted)
        again = moments(backfill, chosen) if backfill is not None else None
        asked, left = command(wanted, full_refresh, backfill), NONE_LEFT
        with ExitStack() as stack:
            store = stack.enter_context(self._warehouse.writing("headgate run"))
            if resume:
                left = resumed(store, self._files, pipeline, asked, wanted, _states(pipeline, store))
                if not left.why:
                    return run_result([], (left.note,))
                wanted, asked = left.selection, asked + RESUMED
            record = stack.enter_context(leaving.recorded(self._files, store, pipeline, log, asked))
            states = _states(pipeline, store)
            pacing = Pacing(progress or (lambda news: None), pipeline.choose(wanted, states).count)
            work = Run(
                store,
                pipeline,
                environ.user(),
                full_refresh,
                progress=record.progress(pacing.phase),
                read=pacing.read,
                fail_fast=fail_fast,
                threads=threads or self._files.threads,
                again=again,
                earlier=left.earlier,
            )
            steps = []
            for done in execute(work, wanted, states):
                pacing.ended(done.id)
                record.step(done)
                steps.append(done)
            made = run_result(steps)
            notes = leaving.ended(record, self._files, pipeline, lambda: self._masks, made.status)
        return replace(made, run=record.run.id, notes=notes)

    def audit(self) -> AuditResult:
        """Re-adds the books: laws L1 to L5 over all history."""
        from headgate.api import look
        from headgate.api.results import AuditResult
        from headgate.books.audit import audit
        from headgate.project.children import declared

        with self._warehouse.reading(bare=True) as store, store.session() as session:
            found = audit(session, declared(self._files.ingests))
        return AuditResult(not found.findings, found.findings, look.laws(found), found.tables, found.entries)

    def ledger(self, table: str | None = None, limit: int | None = None) -> LedgerResult:
        """Entries of the ledger, newest first."""
        from headgate.api import look

        with self._warehouse.reading() as store, store.session() as session:
            return look.ledger_result(session, self._table(session, table), limit)

    def schema_history(self, table: str | None = None, limit: int | None = None) -> SchemaHistory:
        """How the columns and the contracts of loaded tables changed, newest first."""
        from headgate.api import look

        with self._warehouse.reading() as store, store.session() as session:
            return look.schema_history(session, self._table(session, table), limit)

    def adjust(self, table: str, reason: str) -> AdjustResult:
        """Accepts a change that was made by hand in the table, as an entry of its own."""
        from headgate.api import look
        from headgate.books.record import adjust

        if not reason.strip():
            finding = Finding("reason-missing", "error", "an adjustment needs a reason", table, "add --reason '...'")
            raise ProjectError(finding)
        with self._warehouse.writing("headgate ledger adjust") as store, store.session() as session:
            named = TableRef.parse(self._table(session, table) or table)
            entry = adjust(session, named, new_id(), reason, environ.user())
        return look.adjusted(entry)

    def adopt(
        self,
        table: str,
        source: Literal["seen", "new"] | None = None,
        *,
        quarantine: bool = False,
        dry_run: bool = False,
    ) -> AdoptResult:
        """Gives books to a table that somebody else made and an ingest file stands for; its rows stay where they are.

        `source`: what the source holds now is in the table already (`seen`), or is to be added (`new`). `quarantine`:
        rows that break the contract go there; without it, one of them keeps the table as it is.
        """
        from headgate.api.adopting import adopted
        from headgate.run.adopt import Wanted

        pipeline = self._pipeline()
        with self._warehouse.writing("headgate adopt") as store:
            return adopted(store, pipeline, table, Wanted(environ.user(), source, quarantine, dry_run))

    def restore(self, table: str) -> RestoreResult:
        """Puts the table that was replaced last back in place; the one that stands now is kept instead."""
        from headgate.api import look
        from headgate.run.restore import restore

        with self._warehouse.writing("headgate restore") as store:
            with store.session() as session:
                name = self._table(session, table) or table
            seen = any(str(one.table) == name and one.load.kind == "replace" for one in self._files.ingests)
            first, *_ = restore(store, TableRef.parse(name), environ.user(), seen)
            with store.session() as session:
                return look.restored(session, first, seen)

    def quarantine(
        self,
        table: str | None = None,
        status: str = "open",
        limit: int | None = 50,
        *,
        unmask: bool = False,
        **filters: Unpack[Filters],
    ) -> QuarantineList:
        """Refused records: open ones unless another status (or `all`) is asked for.

        Values of columns marked `pii` are hidden, and with them the original text; `unmask` shows them, and the books
        note who saw how many.
        """

        from headgate.api import quarantine

        def ask(session: Session) -> QuarantineList:
            wanted = quarantine.chosen(self._table(session, table), _statuses(status), filters)
            return quarantine.records(session, wanted, limit)

        answer = self._shown("quarantine list", unmask, ask, lambda answer: answer.records)
        return answer if unmask else self._masks.listed(answer)

    def quarantine_show(self, ids: Sequence[str | int], *, unmask: bool = False) -> QuarantineList:
        """These records, whole, with the story of their fixes. Raises ProjectError `unknown-record`."""
        from headgate.api import quarantine

        wanted = [quarantine.record_id(one) for one in ids]
        answer = self._shown(
            "quarantine show",
            unmask,
            lambda session: quarantine.records_named(session, wanted),
            lambda answer: answer.records,
        )
        return answer if unmask else self._masks.listed(answer)

    def quarantine_sample(
        self,
        table: str | None = None,
        status: str = "open",
        per_reason: int = 3,
        *,
        unmask: bool = False,
        **filters: Unpack[Filters],
    ) -> QuarantineSample:
        """Up to `per_reason` records of each reason, and how many there are."""

        from headgate.api import quarantine

        def ask(session: Session) -> QuarantineSample:
            wanted = quarantine.chosen(self._table(session, table), _statuses(status), filters)
            return quarantine.sample(session, wanted, per_reason)

        answer = self._shown("quarantine sample", unmask, ask, quarantine.in_groups)
        return answer if unmask else self._masks.sampled(answer)

    def quarantine_export(
        self,
        to: Path | str,
        ids: Sequence[str | int] | None = None,
        *,
        table: str | None = None,
        status: str = "open",
        spreadsheet: bool = False,
        unmask: bool = False,
        **filters: Unpack[Filters],
    ) -> ExportResult:
        """Writes the records into a new .csv, .ndjson or .parquet file, every column as received.

        `spreadsheet`: cells that a spreadsheet could take for a formula begin with an apostrophe.
        """
        from headgate.api import export, quarantine

        path = Path(to)
        kind = export.format_of(path)
        masks = quarantine.NO_MASKS if unmask else self._masks
        with self._looking_at("quarantine export", unmask) as (session, note):
            named = [quarantine.record_id(one) for one in ids] if ids else None
            if named:
                quarantine.tables_of(session, named, quarantine.STATUSES, "")
            statuses = () if named else _statuses(status)
            wanted = quarantine.chosen(self._table(session, table), statuses, filters, named)
            if unmask:
                note(quarantine.tables_shown(session, wanted, self._masks))
            return export.export(session, wanted, export.Job(path, kind, spreadsheet, masks))

    def quarantine_fix(
        self,
        ids: Sequence[str | int] | None = None,
        *,
        set: Mapping[str, str] | None = None,
        raw: str | None = None,
        file: Path | str | None = None,
        reason: str = "",
        revision: int | None = None,
        table: str | None = None,
        all: bool = False,
        dry_run: bool = False,
        replay: bool = False,
        limit: int | None = 50,
        **filters: Unpack[Filters],
    ) -> FixResult:
        """Changes what open records say; what they said before is kept, with who, when and why.

        One of `set` (column -> SQL expression over the record's columns as text), `raw` (the whole text of one record)
        and `file` (an edited export). A record that somebody else fixed meanwhile is a `fix-conflict`, and nothing is
        changed; `revision` says which one was seen. `dry_run` changes nothing and tells what a replay would do;
        `replay` replays them at once.
        """
        from headgate.api import fix, quarantine

        named = tuple(quarantine.record_id(one) for one in ids) if ids else None
        wanted = fix.Wanted(named, table, all, filters)
        what = fix.What(dict(set or {}), raw, Path(file) if file is not None else None, revision)
        how = fix.How(reason, dry_run, replay, limit)
        fix.refuse_unclear(wanted, what, how)
        pipeline = self._pipeline()
        with self._warehouse.writing("headgate quarantine fix") as store:
            return fix.fix(store, pipeline, self._masks, self._table, (wanted, what, how))

    def quarantine_purge(
        self,
        ids: Sequence[str | int] | None = None,
        *,
        reason: str = "",
        yes: bool = False,
        older_than: str | None = None,
        table: str | None = None,
        status: str = "open",
        all: bool = False,
        **filters: Unpack[Filters],
    ) -> PurgeResult:
        """Erases what refused records say, and what they said before; a receipt stays in the ledger for good.

        Open records are settled as `purged`; what was settled before keeps its status. Without `yes` nothing is done,
        and the error says how many it would be.
        """
        from headgate.api import purge, quarantine

        named = tuple(quarantine.record_id(one) for one in ids) if ids else None
        job = purge.Job(named, table, status, older_than, all, filters, reason, yes)
        purge.refuse_unclear(job)
        with self._warehouse.writing("headgate quarantine purge") as store:
            return purge.purge(store, self._table, job)

    def replay(
        self, ids: Sequence[str | int] | None = None, table: str | None = None, all: bool = False
    ) -> ReplayResult:
        """Sends open records through the gate again: those of `ids`, of one table, or all of them."""
        from headgate.api import look, quarantine, results
        from headgate.run.replay import replay

        if not ids and not table and not all:
            finding = Finding(
                "replay-nothing",
                "error",
                "say which records to replay",
                "quarantine replay",
                "give ids, --table or --all",
            )
            raise ProjectError(finding)
        pipeline = self._pipeline()
        total = results.ReplayResult(0)
        with self._warehouse.writing("headgate quarantine replay") as store:
            wanted = [quarantine.record_id(one) for one in ids] if ids else None
            for name in self._replayed_tables(store, wanted, table):
                counts = replay(store, pipeline.flow(name), wanted, environ.user())
                if counts is not None:
                    total = look.add_replay(total, counts)
        return total

    def _replayed_tables(self, store: Store, ids: list[int] | None, table: str | None) -> list[str]:
        from headgate.api import quarantine

        with store.session() as session:
            if ids is not None:
                return quarantine.tables_of(session, ids, ("open",), "only open records are replayed")
            return quarantine.open_tables(session, self._table(session, table))

    @property
    def _masks(self) -> Masks:
        from headgate.api.quarantine import Masks

        hiding = any(one.split is not None and hidden_columns(one.split.contract) for one in self._files.models)
        return Masks.of(self._files.ingests, self._pipeline().models if hiding else ())

    @contextmanager
    def _looking_at(self, verb: str, unmask: bool) -> Iterator[tuple[StoreSession, Note]]:
        """A session to look at records, and what to tell which hidden values were shown, by table."""
        from headgate.books import disclose

        if not (unmask and self._masks.tables):
            with self._warehouse.reading() as store, store.session() as session:
                yield session, lambda shown: None
            return
        with (
            self._warehouse.writing(f"headgate {verb} --unmask") as store,
            store.lock(disclose.PLACE),
            store.session() as session,
        ):
            yield session, lambda shown: disclose.note(session, verb, environ.user(), shown)

    def _shown(
        self,
        verb: str,
        unmask: bool,
        ask: Callable[[Session], Answered],
        records: Callable[[Answered], Iterable[QuarantineRecord]],
    ) -> Answered:
        """The answer as it is. Under `unmask` the books know who saw it before anybody does."""
        with self._looking_at(verb, unmask) as (session, note):
            answer = ask(session)
            if unmask:
                note(self._masks.counts({one.id: one for one in records(answer)}.values()))
        return answer

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Rows of a query on the warehouse, opened read-only and without access to files or the network."""
        from headgate.api.query import query_result

        with self._warehouse.looking() as store, store.session() as session:
            return query_result(session, sql, limit)

    def contract_show(self, table: str, form: str = "short") -> ContractText:
        """The contract of a table as text: `short`, `odcs` or `json-schema`."""
        from headgate.api import contracts

        flows = self._pipeline().flows
        flow = contracts.flow_of(flows, table)
        if flow is None:
            raise contracts.unknown(table, flows)
        with self._warehouse.reading() as store, store.session() as session:
            return contracts.shown(flow, session, form)

    def contract_diff(self, old: str, new: str, fail_on: str | None = None) -> ContractDiff:
        """What changed between two contracts, each a file or a table of the project. `fail_on`: a verdict."""
        from headgate.api import contracts

        flows = self._pipeline().flows
        chosen = [contracts.flow_of(flows, name) for name in (new, old)]
        table = next((flow.table for flow in chosen if flow is not None), TableRef.parse("main.table"))
        sides = []
        with self._warehouse.reading() as store, store.session() as session:
            for name, flow in zip((old, new), reversed(chosen), strict=True):
                path = self.root / name
                if flow is None and not path.is_file():
                    raise contracts.unknown(name, flows)
                made = contracts.of_flow(flow, session) if flow else contracts.of_file(path, name, str(table))
                sides.append((name, made))
        return contracts.compared(sides[0], sides[1], table, fail_on)

    def profile(self, names: Sequence[str] = (), tier: int = 1, sample: int | None = None) -> ProfileResult:
        """What stands in these tables and models (default: all loaded tables).

        `tier`: 0 counts, 1 measures, 2 shapes, keys and references, too. `sample`: look at so many rows only.
        *Errors*: ProjectError `unknown-table`.
        """
        from headgate.api.profiling import profile_tables

        pipeline = self._pipeline()
        with self._warehouse.looking() as store, store.session() as session:
            chosen = names or [flow.name for flow in pipeline.flows if session.columns(flow.table) is not None]
            return profile_tables(session, pipeline, chosen, tier, sample)

    def runs(self, limit: int | None = None, run: str | None = None) -> RunHistory:
        """What ran, the latest first; with `run` (an id, its beginning, or `last`) that run and its steps.

        *Errors*: ProjectError `unknown-run`.
        """
        from headgate.api import observing

        with self._warehouse.reading() as store, store.session() as session:
            return observing.runs(session, self._files, limit, run)

    def health(self) -> HealthResult:
        """Whether the tables are as they should be: fresh, of usual size, filled, of known columns, balanced."""
        from headgate.api import observing

        return observing.health_of(self._warehouse, self._files, self._pipeline())

    def report(self, out: Path | str | None = None, samples: int | None = None) -> ReportResult:
        """Writes the page (default: `.headgate/report.html`). `samples`: records of each reason that it shows, masked.

        *Errors*: AdapterError `report-unwritten`.
        """
        from headgate.api import page

        with self._warehouse.reading() as store, store.session() as session:
            return page.write(session, self._files, self._pipeline(), self._masks, out, samples)

    def _table(self, session: Session, name: str | None) -> str | None:
        from headgate.api import look

        return look.table_named(session, name, [str(one.table) for one in self._files.ingests]) if name else None

    def _pipeline(self) -> Pipeline:
        from headgate.run.pipeline import assemble

        return assemble(self._files, self._scratch.path, self._warehouse.engine())


def _statuses(status: str) -> tuple[str, ...]:
    return () if status == "all" else (status,)


def _states(pipeline: Pipeline, store: Store) -> States:
    """What is new, modified and stale, looked up when a selection speaks of it."""

    def look_up() -> Mapping[str, set[str]]:
        from headgate.run.states import states

        with store.session() as session:
            return states(pipeline, session)

    return look_up

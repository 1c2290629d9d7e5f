"""What each command asks of the project, how its answer is shown, and what exit code it means."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from headgate.cli.commands import PAGE
from headgate.cli.parse import assignment
from headgate.cli.screen import Screen

if TYPE_CHECKING:
    from headgate.api import results
    from headgate.cli import explaining

OK, FAILED, USAGE = 0, 1, 2
Told: TypeAlias = "Callable[[results.Progress], None]"


class Verbs(Protocol):
    """The part of `headgate.api.Project` that the command line uses."""

    def check(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> results.CheckResult: ...
    def check_data(self, names: Sequence[str] = ()) -> results.DataCheck: ...
    @property
    def plan(self) -> Callable[..., results.PlanResult]: ...
    @property
    def run(self) -> Callable[..., results.RunResult]: ...
    def explain(self, name: str, *, analyze: bool = False, full_refresh: bool = False) -> results.StepExplained: ...
    def lineage(
        self, name: str | None = None, *, up: bool = True, down: bool = True, depth: int | None = None
    ) -> results.LineageResult: ...
    def runs(self, limit: int | None = None, run: str | None = None) -> results.RunHistory: ...
    def health(self) -> results.HealthResult: ...
    def report(self, out: Path | str | None = None, samples: int | None = None) -> results.ReportResult: ...
    def audit(self) -> results.AuditResult: ...
    def ledger(self, table: str | None = None, limit: int | None = None) -> results.LedgerResult: ...
    def adjust(self, table: str, reason: str) -> results.AdjustResult: ...
    def schema_history(self, table: str | None = None, limit: int | None = None) -> results.SchemaHistory: ...
    @property
    def adopt(self) -> Callable[..., results.AdoptResult]: ...
    def restore(self, table: str) -> results.RestoreResult: ...
    @property
    def quarantine(self) -> Callable[..., results.QuarantineList]: ...
    @property
    def quarantine_show(self) -> Callable[..., results.QuarantineList]: ...
    @property
    def quarantine_sample(self) -> Callable[..., results.QuarantineSample]: ...
    @property
    def quarantine_export(self) -> Callable[..., results.ExportResult]: ...
    @property
    def quarantine_fix(self) -> Callable[..., results.FixResult]: ...
    @property
    def quarantine_purge(self) -> Callable[..., results.PurgeResult]: ...
    def replay(
        self, ids: Sequence[str] | None = None, table: str | None = None, all: bool = False
    ) -> results.ReplayResult: ...
    def contract_show(self, table: str, form: str = "short") -> results.ContractText: ...
    def contract_diff(self, old: str, new: str, fail_on: str | None = None) -> results.ContractDiff: ...
    def profile(self, names: Sequence[str] = (), tier: int = 1, sample: int | None = None) -> results.ProfileResult: ...
    def query(self, sql: str, limit: int | None = None) -> results.QueryResult: ...


def open_project(
    root: Path, wait: bool, told: Callable[[str], None], profile: str | None = None, variables: str | None = None
) -> AbstractContextManager[Verbs]:
    """The project in `root`. `told` hears, once, for whom it waits. Tests put a project of their own in its place."""
    from headgate.api import Project

    return Project.open(root, wait=wait, told=told, profile=profile, variables=variables)


class Verb(NamedTuple):
    """`ask` gets the answer, `by` names the module and function of this package that shows it, `code` is the exit code
    that it means.

    `ask` is given the project or, for a command that needs none, what tells a person for whom it waits.
    """

    ask: Callable[[Any, Namespace, Told], Any]
    by: str
    code: Callable[[Any], int] = lambda answer: OK

    def lines(self, answer: Any, screen: Screen) -> list[str]:
        """The answer for people. What shows others is not imported."""
        module, _, name = self.by.partition(".")
        shown: list[str] = getattr(import_module(f"headgate.cli.{module}"), name)(answer, screen)
        return shown


def _check(project: Verbs, given: Namespace, told: Told) -> results.CheckResult | results.DataCheck:
    if given.data:
        return project.check_data(_selected(given))
    return project.check(_selected(given), **_said(given, "exclude"))


def _run(project: Verbs, given: Namespace, told: Told) -> results.RunResult:
    said = _said(given, "exclude", "fail_fast", "threads", "backfill", "resume")
    if given.log_format == "json":
        from headgate.cli.observed import log

        return project.run(_selected(given), full_refresh=given.full_refresh, log=log, **said)
    return project.run(_selected(given), full_refresh=given.full_refresh, progress=told, **said)


def _plan(project: Verbs, given: Namespace, told: Told) -> results.PlanResult:
    return project.plan(_selected(given), **_said(given, "exclude", "full_refresh", "backfill", "resume"))


def _selected(given: Namespace) -> tuple[str, ...]:
    return (*given.table, *(given.select or ()))


def _report(project: Verbs, given: Namespace, told: Told) -> results.ReportResult:
    answer = project.report(given.out, given.samples)
    if given.open:
        from headgate.cli.observed import browse

        browse(answer.path)
    return answer


def _lineage(project: Verbs, given: Namespace, told: Told) -> results.LineageResult:
    both = given.up == given.down
    return project.lineage(given.name, up=given.up or both, down=given.down or both, depth=given.depth or None)


def _ledger(project: Verbs, given: Namespace, told: Told) -> results.LedgerResult:
    return project.ledger(given.table, limit=_limit(given))


def _schema_history(project: Verbs, given: Namespace, told: Told) -> results.SchemaHistory:
    return project.schema_history(given.table, limit=_limit(given))


def _quarantine(project: Verbs, given: Namespace, told: Told) -> results.QuarantineList:
    return project.quarantine(given.table, status=given.status, limit=_limit(given), **_said(given, *_LOOK))


_FILTERS = ("rule", "column", "partition", "since")
_LOOK = (*_FILTERS, "unmask")


def _said(given: Namespace, *names: str) -> dict[str, Any]:
    """What was given of these; the API knows what the others mean."""
    return {name: getattr(given, name) for name in names if getattr(given, name) not in (None, False, "", [])}


def _show(project: Verbs, given: Namespace, told: Told) -> results.QuarantineList:
    return project.quarantine_show(tuple(given.id), **_said(given, "unmask"))


def _sample(project: Verbs, given: Namespace, told: Told) -> results.QuarantineSample:
    return project.quarantine_sample(given.table, given.status, given.per_reason, **_said(given, *_LOOK))


def _export(project: Verbs, given: Namespace, told: Told) -> results.ExportResult:
    return project.quarantine_export(
        given.to, tuple(given.id) or None, status=given.status, **_said(given, "table", "spreadsheet", *_LOOK)
    )


def _fix(project: Verbs, given: Namespace, told: Told) -> results.FixResult:
    what = _said(given, "raw", "file", "reason", "revision", "table", "all", "dry_run", "replay", *_FILTERS)
    if given.raw is not None:
        what["raw"] = given.raw
    if given.revision is not None:
        what["revision"] = given.revision
    return project.quarantine_fix(
        tuple(given.id) or None, set=dict(map(assignment, given.set)), limit=_limit(given), **what
    )


def _purge(project: Verbs, given: Namespace, told: Told) -> results.PurgeResult:
    what = _said(given, "reason", "yes", "older_than", "table", "all", *_FILTERS)
    return project.quarantine_purge(tuple(given.id) or None, status=given.status, **what)


def _replay(project: Verbs, given: Namespace, told: Told) -> results.ReplayResult:
    return project.replay(tuple(given.id) or None, table=given.table, all=given.all)


def _adopt(project: Verbs, given: Namespace, told: Told) -> results.AdoptResult:
    return project.adopt(given.table, given.source, quarantine=given.quarantine, dry_run=given.dry_run)


def _init(told: Callable[[str], None], given: Namespace, progress: Told) -> results.InitResult:
    from headgate.api import init

    return init(
        given.project or os.curdir,
        given.files,
        name=given.name,
        warehouse=given.warehouse,
        models=given.models,
        tolerate=given.tolerate,
        progress=progress,
    )


def _profile(told: Callable[[str], None], given: Namespace, progress: Told) -> results.ProfileResult:
    """Files where the words name files, else tables and models of the project."""
    from headgate.api import profile_files
    from headgate.cli.locate import is_file, project_root
    from headgate.core.environ import variable

    words = tuple(given.what)
    if words and all(is_file(word) for word in words):
        return profile_files(words, given.tier, given.sample)
    profile = given.profile or variable("HEADGATE_PROFILE") or None
    with open_project(project_root(given.project), given.wait, told, profile, given.vars) as project:
        return project.profile(words, given.tier, given.sample)


def _explain(told: Callable[[str], None], given: Namespace, progress: Told) -> explaining.Explained:
    """A code needs no project; everything else is a step of one."""
    from headgate.cli import explaining
    from headgate.cli.locate import project_root
    from headgate.core.environ import variable

    asked = explaining.Asked.of(given)
    if asked.code:
        return explaining.of_code(asked, given.project)
    root = explaining.root_for(asked, lambda: project_root(given.project))
    profile = given.profile or variable("HEADGATE_PROFILE") or None
    with open_project(root, given.wait, told, profile, given.vars) as project:
        return explaining.of_step(asked, project.explain)


def _limit(given: Namespace) -> int | None:
    """What was asked for; without a word, a page for people and everything for programs."""
    if given.limit is None:
        return None if given.json else PAGE
    return given.limit or None


def _unless(good: Callable[[Any], bool]) -> Callable[[Any], int]:
    return lambda answer: OK if good(answer) else FAILED


ANYWHERE: Mapping[str, Verb] = {
    "init": Verb(_init, "show_profile.init", _unless(lambda answer: answer.ok)),
    "profile": Verb(_profile, "show_profile.profile"),
    "explain": Verb(_explain, "explaining.lines"),
}
"""Commands that find out by themselves whether there is a project."""

VERBS: Mapping[str, Verb] = {
    "check": Verb(_check, "show_counts.checked", _unless(lambda answer: answer.ok)),
    "plan": Verb(_plan, "show.plan"),
    "lineage": Verb(_lineage, "show_lineage.lineage"),
    "run": Verb(_run, "show.run", _unless(lambda answer: answer.status == "ok" and answer.balanced)),
    "runs": Verb(lambda project, given, told: project.runs(_limit(given), given.run), "observed.runs"),
    "health": Verb(lambda project, given, told: project.health(), "observed.health", _unless(lambda answer: answer.ok)),
    "report": Verb(_report, "observed.report"),
    "audit": Verb(lambda project, given, told: project.audit(), "show.audit", _unless(lambda answer: answer.balanced)),
    "ledger": Verb(_ledger, "show.ledger"),
    "ledger adjust": Verb(lambda project, given, told: project.adjust(given.table, given.reason), "show.adjust"),
    "schema history": Verb(_schema_history, "show.schema_history"),
    "adopt": Verb(_adopt, "show_adopt.adopt"),
    "restore": Verb(lambda project, given, told: project.restore(given.table), "show.restore"),
    "quarantine list": Verb(_quarantine, "bench.quarantine"),
    "quarantine sample": Verb(_sample, "bench.sample"),
    "quarantine show": Verb(_show, "bench.quarantine_show"),
    "quarantine fix": Verb(_fix, "bench.fix"),
    "quarantine export": Verb(_export, "bench.export"),
    "quarantine purge": Verb(_purge, "bench.purge"),
    "quarantine replay": Verb(_replay, "show.replay"),
    "contract show": Verb(
        lambda project, given, told: project.contract_show(given.table, given.form), "show.contract_text"
    ),
    "contract diff": Verb(
        lambda project, given, told: project.contract_diff(given.old, given.new, given.fail_on),
        "show.contract_diff",
        _unless(lambda answer: not answer.failed),
    ),
    "query": Verb(lambda project, given, told: project.query(given.sql, limit=_limit(given)), "show.query"),
}

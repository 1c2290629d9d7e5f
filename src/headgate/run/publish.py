"""Publishes models in one transaction: those of a group together, or a single one with a contract.

All are built and checked first, but for those that read another one of the group: they are built in the transaction
once that is in its place. Then all are swapped in, or none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import field, replace
from functools import partial
from typing import Literal

from headgate.core.clock import new_id
from headgate.core.errors import ContractError, Finding, HeadgateError, InternalError
from headgate.core.faults import fault
from headgate.core.protocols import Store, StoreSession
from headgate.core.records import dataclass
from headgate.models.build import AS_NEEDED, How, Prepared, commit, finish, prepare
from headgate.models.explain import select_problem
from headgate.models.failed import BuildFailed, ChecksFailed, Contested
from headgate.models.left import forget, leave
from headgate.models.model import BuildOutcome, Model
from headgate.models.python.build import ready
from headgate.models.python.kept import keep
from headgate.run.build import TRIES, confirm, contested, details_of, how_of, read_views, unbuilt, write_entry
from headgate.run.split import Split
from headgate.run.stale import Inputs
from headgate.run.unittests import failed

Status = Literal["failed", "refused"]


@dataclass(frozen=True)
class Wanted:
    """Models to publish together, inputs first, each with its inputs. `group`: their name, empty for a single model.
    `anew`: what of incremental models is to be built again."""

    models: tuple[tuple[Model, Inputs], ...]
    group: str = ""
    anew: How = AS_NEEDED


def publish(store: Store, wanted: Wanted, author: str) -> list[BuildOutcome]:
    """What became of every model, in their order: all `built`, or none.

    Of those that are not, one is `failed` or `refused` with the reason in its findings; the others are `failed` without
    any: nothing is wrong with them. A conflict is tried again.

    *Guarantee*: after a failure at any instant readers find every old table or every new one.
    *Errors*: CommitError, InternalError, errors of the warehouse.
    """
    for left in reversed(range(TRIES)):
        work = _Publishing(wanted, author, new_id())
        try:
            with ExitStack() as stack:
                for target in sorted(model.target for model, _ in wanted.models):
                    stack.enter_context(store.lock(target))
                outcomes = work.run(stack.enter_context(store.session()), stack)
            if outcomes is not None:
                return outcomes
        except InternalError:
            raise
        except Contested as error:
            raise contested(str(error)) from None
        except HeadgateError as error:
            if work.at is None:
                raise
            return work.stopped(work.at, "refused" if isinstance(error, ContractError) else "failed", error.findings)
        except Exception as error:
            if not left or not store.is_conflict(error):
                raise
    raise contested(", ".join(model.name for model, _ in wanted.models))


@dataclass
class _Publishing:
    """One try. `at`: the model at hand, None while it is about all of them."""

    wanted: Wanted
    author: str
    attempt: str
    at: Model | None = None
    _splits: dict[str, Split] = field(default_factory=dict)
    _plain: dict[str, Prepared] = field(default_factory=dict)
    _facts: dict[str, dict[str, object]] = field(default_factory=dict)
    _how: dict[str, How] = field(default_factory=dict)
    _ready: dict[str, Model] = field(default_factory=dict)
    _swapped: bool = False
    """Whether the open transaction has put a model in place."""

    def run(self, session: StoreSession, stack: ExitStack) -> list[BuildOutcome] | None:
        """The outcomes; None where another runner was first, and nothing was kept."""
        try:
            self._before(session, stack)
            fault("before_write")
            session.execute("BEGIN")
            outcomes = self._inside(session, stack)
            self.at = None
            if outcomes is None:
                session.abandon()
                return None
            commit(session, partial(_confirm, session, outcomes))
        except BuildFailed as error:
            assert self.at is not None
            findings = self._left(session, error)
            keep(session, self._ready.get(self.at.name, self.at), findings)
            return self.stopped(self.at, "failed", findings)
        except _Refused as refusal:
            return self._refused(session, refusal.outcome)
        except BaseException:
            with suppress(Exception):  # the first error is the one to tell
                session.abandon()
            raise
        fault("after_commit")
        _confirm(session, outcomes)
        for outcome in outcomes:
            forget(session, outcome.target, self.wanted.anew.left)
        fault("before_ack")
        return outcomes

    def _left(self, session: StoreSession, error: BuildFailed) -> Sequence[Finding]:
        """Ends the transaction. Rows that failed a check are left to be looked at, unless a model was swapped in."""
        if isinstance(error, ChecksFailed) and not self._swapped:
            return leave(session, error, [one.staged.ref for one in self._plain.values()])
        session.abandon()
        return error.findings

    def _before(self, session: StoreSession, stack: ExitStack) -> None:
        """What needs no transaction: models with a contract are run and judged, unless they read one of the others."""
        for number, (model, inputs) in enumerate(self.wanted.models):
            self.at = model
            self._how[model.name] = how_of(session, model, self.wanted.anew)
            self._facts[model.name] = details_of(session, model, inputs)
            if self.wanted.group:
                self._facts[model.name]["group"] = self.wanted.group
            if not self._reads_member(inputs):
                read_views(session, inputs.loaded, self.attempt)
            if problems := failed(session, model):
                raise BuildFailed(problems)
            late = self._reads_member(inputs)
            made = model if late else self._made_ready(session, model, stack)
            if model.split is not None:
                prefix = f"hg_{self.attempt}_{number}"
                how, facts = self._how[model.name], self._facts[model.name]
                split = Split(session, made, self.attempt, self.author, facts, stack, prefix, how)
                self._splits[model.name] = split
                if not late:
                    split.prepare()
            elif made.sql and (problem := select_problem(session, made)) is not None:
                raise BuildFailed([problem])

    def _made_ready(self, session: StoreSession, model: Model, stack: ExitStack, inside: bool = False) -> Model:
        """The model with its SQL; a Python model is called."""
        made, how = stack.enter_context(ready(session, model, self._how[model.name], inside))
        self._ready[model.name], self._how[model.name] = made, how
        return made

    def _reads_member(self, inputs: Inputs) -> bool:
        return any(model.name in inputs.tables for model, _ in self.wanted.models)

    def _inside(self, session: StoreSession, stack: ExitStack) -> list[BuildOutcome] | None:
        for model, inputs in self.wanted.models:
            self.at = model
            if model.split is None and not self._reads_member(inputs):
                made = self._ready[model.name]
                self._plain[model.name] = prepare(session, made, self.attempt, self._how[model.name])
        outcomes = []
        for model, inputs in self.wanted.models:
            self.at = model
            if self._reads_member(inputs):
                self._prepare_late(session, model, inputs, stack)
            outcome = self._finish(session, model)
            if outcome is None:
                return None
            self._swapped = True
            if outcome.status == "refused":
                raise _Refused(outcome)
            outcomes.append(outcome)
        return outcomes

    def _prepare_late(self, session: StoreSession, model: Model, inputs: Inputs, stack: ExitStack) -> None:
        read_views(session, inputs.loaded, self.attempt, inside=True)
        self._facts[model.name] |= {"inputs": details_of(session, model, inputs)["inputs"]}
        made = self._made_ready(session, model, stack, inside=True)
        if model.split is None:
            self._plain[model.name] = prepare(session, made, self.attempt, self._how[model.name])
        else:
            self._splits[model.name].model = made
            self._splits[model.name].prepare(inside=True)

    def _finish(self, session: StoreSession, model: Model) -> BuildOutcome | None:
        if model.split is not None:
            made = self._splits[model.name].finish()
            fault("after_write")
            return made
        write = partial(write_entry, model, self._facts[model.name], self.author)
        return finish(session, self._plain[model.name], self.attempt, write)

    def _refused(self, session: StoreSession, outcome: BuildOutcome) -> list[BuildOutcome]:
        """A single model's refused rows are held to be looked at; in a group, other models stand in the transaction."""
        assert self.at is not None
        if len(self.wanted.models) > 1:
            session.abandon()
            finding = outcome.findings[0]
            reasons = outcome.counts.details.get("reasons", {})
            fix = "mend the data or the contract; the reasons are in the evidence"
            shown = replace(finding, fix=fix, evidence={**finding.evidence, "reasons": reasons})
            return self.stopped(self.at, "refused", [shown], outcome)
        try:
            session.execute("COMMIT")
        except BaseException:
            with suppress(Exception):
                session.abandon()
            raise
        fault("after_commit")
        return [outcome]

    def stopped(
        self, culprit: Model, status: Status, findings: Sequence[Finding], told: BuildOutcome | None = None
    ) -> list[BuildOutcome]:
        """The outcomes where this model keeps all from being published."""
        found = []
        for model, _ in self.wanted.models:
            bare = unbuilt(model, self.attempt)
            if model is culprit:
                bare = replace(told or bare, status=status, findings=tuple(findings))
            found.append(bare)
        return found


class _Refused(Exception):
    """A limit of a contract stops the model."""

    def __init__(self, outcome: BuildOutcome) -> None:
        super().__init__(outcome.model)
        self.outcome = outcome


def _confirm(session: StoreSession, outcomes: Sequence[BuildOutcome]) -> None:
    for outcome in outcomes:
        confirm(session, outcome)

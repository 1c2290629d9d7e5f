"""Findings and the errors that carry them.

A `Finding` is the single answer shape of lint, connection check, violation, advice and error:
what happened, where, and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, field
from typing import Any, Literal

from headgate.core.records import dataclass

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Location:
    """A place in a file that a user wrote: path, 1-based line, 1-based column (0 = the whole file)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}" + (f":{self.column}" if self.column else "")


@dataclass(frozen=True)
class Edit:
    """One change of one line of a file: what stands from `column` up to `end_column` (1-based, the second excluded) is
    `old`, and shall be `new`."""

    file: str
    line: int
    column: int
    end_column: int
    old: str
    new: str

    @classmethod
    def at(cls, where: Location, old: str, new: str) -> Edit:
        return cls(where.path, where.line, where.column, where.column + len(old), old, new)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Finding:
    """One fact that somebody should know.

    `code` is stable (`kebab-case`), `what` one line, `where` a place (`file:line:column`, or table, partition, entry),
    `fix` an imperative sentence with the command, `evidence` small JSON-able facts. Never holds a secret. `edits`: what
    would put it right without a doubt, as `headgate check --fix` does it; empty where somebody must decide.
    """

    code: str
    level: Level
    what: str
    where: str = ""
    fix: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()

    def render(self) -> str:
        lines = [f"{self.level}[{self.code}]: {self.what}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "level": self.level,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "evidence": dict(self.evidence),
            "edits": [edit.to_json() for edit in self.edits],
        }


class HeadgateError(Exception):
    """Root of every error raised on purpose; holds the finding(s) that explain it."""

    def __init__(self, finding: Finding, *more: Finding) -> None:
        super().__init__(finding.render())
        self.finding = finding
        self.findings = (finding, *more)

    @classmethod
    def of(cls, code: str, what: str, where: object = "", fix: str = "", **evidence: Any) -> HeadgateError:
        return cls(Finding(code, "error", what, str(where), fix, evidence))


class ProjectError(HeadgateError):
    """A file of the project must be edited."""


class ContractError(HeadgateError):
    """The data or its contract must be mended."""


class AdapterError(HeadgateError):
    """A system outside did not do its part."""


class CommitError(HeadgateError):
    """The warehouse could not commit, or its books disagree."""


class InternalError(HeadgateError):
    """A defect of Headgate: an invariant of ours does not hold. Nothing was committed."""


class TransientError(Exception):
    """Raised by code of a project for what may be gone in a moment: a gateway that is busy, a limit of calls.

    The step is tried again as `retries` says; every other exception of the code ends the step at once.
    """


PASSING = (TransientError, ConnectionError, TimeoutError)
"""Exceptions of a project's code that may be gone in a moment: they are never about one record."""


@contextmanager
def tidied(tidy: Callable[[], object]) -> Iterator[None]:
    """Calls `tidy` when the block ends, and takes no notice of its errors.

    For what vanishes with its session anyway: a session that broke must hide neither the error that tells why, nor what
    was committed before it broke.
    """
    try:
        yield
    finally:
        with suppress(Exception):
            tidy()


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known name, or an empty string."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else ""


def only_match(name: str, known: Iterable[str]) -> str | None:
    """The one known name that was certainly meant: the same but for its case, or near, with no other as near."""
    names = list(dict.fromkeys(known))
    same = [one for one in names if one.lower() == name.lower()]
    if same:
        return same[0] if len(same) == 1 else None
    scored = sorted(
        ((difflib.SequenceMatcher(None, name.lower(), one.lower()).ratio(), one) for one in names), reverse=True
    )
    if not scored or scored[0][0] < _CERTAIN or (len(scored) > 1 and scored[1][0] > scored[0][0] - _APART):
        return None
    return scored[0][1]


_CERTAIN, _APART = 0.75, 0.08
"""`relod` is near enough to `reload` (0.91), `kee` is not to `key` (0.67); a second one must be farther off."""

"""`headgate explain`: whether a code or a step is meant, and how it is shown."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from headgate.api import results
from headgate.api.codes import all_codes, explain_code, known_codes
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.table import GAP, Column, table
from headgate.cli.text import clip, count, many, safe, width
from headgate.core.errors import Finding, HeadgateError, ProjectError, nearest
from headgate.core.records import dataclass

Explained = results.CodeExplained | results.CodeList | results.StepExplained


@dataclass(frozen=True)
class Asked:
    """`code`: a finding's code is meant, of this `name` or all of them."""

    name: str
    code: bool
    analyze: bool = False
    full_refresh: bool = False

    @classmethod
    def of(cls, given: Namespace) -> Asked:
        """Whatever is a code means the code, unless a step is asked for in so many words."""
        word = given.what or ""
        kind, colon, name = word.partition(":")
        if colon and kind in ("code", "step"):
            return cls(name, kind == "code", given.analyze, given.full_refresh)
        of_query = given.analyze or given.full_refresh
        return cls(word, not of_query and (not word or word in known_codes()), given.analyze, given.full_refresh)


def of_code(asked: Asked, project: str | None) -> Explained:
    """The code, with a word on the model of the same name; all codes where none is named."""
    if not asked.name:
        return all_codes()
    found = explain_code(asked.name)
    return replace(found, also=f"headgate explain step:{found.code}") if _is_model(found.code, project) else found


def _is_model(name: str, project: str | None) -> bool:
    """Whether a file of this name stands under models/: nothing is opened for it."""
    from headgate.cli.locate import project_root

    try:
        root = project_root(project)
    except ProjectError:
        return False
    names = {f"{name}.sql", f"{name}.py"}
    return any(names & set(files) for _, _, files in os.walk(root / "models"))


def root_for(asked: Asked, find: Callable[[], Path]) -> Path:
    """The project's folder. Without one, a word that is no code is told so, too."""
    try:
        return find()
    except ProjectError:
        if asked.analyze or asked.full_refresh:
            raise
        raise ProjectError(_no_code(asked.name)) from None


def of_step(asked: Asked, explain: Callable[..., results.StepExplained]) -> Explained:
    """The step. A word that is neither a step nor a code is told with what is nearest among both."""
    if not asked.name:
        raise ProjectError.of("unknown-step", "--analyze needs the name of a model", "", "headgate plan lists them")
    try:
        return explain(asked.name, analyze=asked.analyze, full_refresh=asked.full_refresh)
    except HeadgateError as error:
        near = nearest(asked.name, known_codes())
        if error.finding.code != "unknown-step" or not near:
            raise
        raise ProjectError(
            replace(error.finding, what=f"{error.finding.what}; nor a code of that name{near}")
        ) from None


def _no_code(name: str) -> Finding:
    try:
        explain_code(name)
    except ProjectError as error:
        return error.finding
    raise AssertionError("unreachable")


def lines(answer: Explained, screen: Screen) -> list[str]:
    """The text for people."""
    if isinstance(answer, results.CodeList):
        return list(_codes(answer, screen))
    if isinstance(answer, results.CodeExplained):
        return list(_code(answer, screen))
    return list(_step(answer, screen))


def _codes(answer: results.CodeList, screen: Screen) -> Iterator[str]:
    longest = max(len(one.code) for one in answer.codes)
    for area, codes in groupby(answer.codes, key=lambda one: one.area):
        yield f"{area}:"
        for one in codes:
            line = f"  {one.code:<{longest}}  {safe(one.means)}"
            yield clip(line, screen.width) if screen.width else line
        yield ""
    yield f"{many(len(answer.codes), 'code')}: headgate explain CODE says more of one"


def _code(answer: results.CodeExplained, screen: Screen) -> Iterator[str]:
    said = [("means", answer.means), ("why", answer.why), ("causes", "; ".join(answer.causes))]
    said += [("fix", answer.fix), ("example", answer.example)]
    yield f"{screen.paint(answer.code, 'yellow')} ({answer.area.lower()})"
    for name, text in said:
        if text:
            yield from _paragraph(f"  {name + ':':<9}", safe(text), screen.width)
    yield "  more:    docs/errors.md"
    if answer.also:
        yield f"  there is a model of this name, too: {safe(answer.also)}"


def _paragraph(head: str, text: str, room: int | None) -> Iterator[str]:
    """The text behind its head, broken between words where there is a terminal to fit in."""
    line = head
    for number, word in enumerate(text.split(" ")):
        longer = f"{line}{'' if line == head and not number else ' '}{word}"
        if room is not None and width(longer) > room and line.strip() and number:
            yield line
            line = " " * len(head) + word
        else:
            line = longer
    yield line


def _step(answer: results.StepExplained, screen: Screen) -> Iterator[str]:
    kind = f"{answer.materialized} {answer.kind}".strip()
    place = f", stands at {safe(answer.table)}" if answer.table else ""
    yield f"{safe(answer.id)}: {kind}, {safe(answer.file)}{place}"
    yield f"  {'reads' if answer.table else 'waits for'}: {', '.join(map(safe, answer.inputs)) or 'no other step'}"
    yield f"  a run {'would run it' if answer.status == 'run' else 'would skip it'}: {safe(answer.reason)}"
    if answer.sql and answer.analysis is None:
        yield ""
        if answer.adds:
            yield "-- rows that join those that stand; --full-refresh shows how all of them are built"
        yield from (safe(line) for line in answer.sql.splitlines())
    if answer.analysis is not None:
        yield ""
        yield from _analysis(answer.analysis, screen)


_HEADS = (
    Column("operator"), *(Column(name, right=True) for name in ("ms", "share", "rows")),
    *(Column(name, right=True, spare=1) for name in ("expected", "scanned")),
    Column("about"),
)  # fmt: skip


def _analysis(answer: results.QueryAnalysis, screen: Screen) -> Iterator[str]:
    total = sum(one.seconds for one in answer.operators)
    yield from table(_HEADS, [_operator(one, total) for one in answer.operators], screen.width)
    yield ""
    told = findings(answer.findings, screen)
    yield from [*told, ""] if told else []
    spilled = f", {answer.spilled_bytes / 1e6:,.0f} MB on disk" if answer.spilled_bytes else ""
    yield f"{answer.seconds * 1000:,.1f} ms by the clock, {total * 1000:,.1f} ms of work{spilled}; nothing was written"


def _operator(one: results.PlanOperator, total: float) -> list[str]:
    share = f"{one.seconds / total:.0%}" if total else ""
    known = ["" if number is None else count(number) for number in (one.estimated, one.scanned)]
    indent = GAP * min(one.depth, 12)
    return [indent + one.name, f"{one.seconds * 1000:,.1f}", share, count(one.rows), *known, one.about]

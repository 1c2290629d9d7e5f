"""What was counted in tables as they stand, as text for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from headgate.api import results
from headgate.cli import show
from headgate.cli.screen import Screen
from headgate.cli.show_profile import percent
from headgate.cli.table import Column, table
from headgate.cli.text import clip, count, many, safe
from headgate.quality.counts import RuleCount, TableCount

_VALUE = 24


def checked(answer: results.CheckResult | results.DataCheck, screen: Screen) -> list[str]:
    """What `check` answers: of the project's files, or of what stands in the tables."""
    return counts(answer, screen) if isinstance(answer, results.DataCheck) else show.check(answer, screen)


def counts(answer: results.DataCheck, screen: Screen) -> list[str]:
    """Of each table its columns and its rules, what shows broken rows, and the verdict over all."""
    if not answer.tables:
        return ["no table in the warehouse yet: headgate run"]
    lines = [line for one in answer.tables for line in (*_table(one, screen), "")]
    found = [rule.status for one in answer.tables for rule in one.rules]
    verdict = screen.paint("ok", "green") if answer.ok else screen.paint("not ok", "red")
    broken = f"{count(found.count('error'))} of {many(len(found), 'rule')} broken"
    return [*lines, f"{verdict}: {broken}, {many(found.count('warn'), 'warning')}, {many(len(answer.tables), 'table')}"]


def _table(one: TableCount, screen: Screen) -> Iterator[str]:
    yield f"{safe(one.name)}: {many(one.rows, 'row')}, {many(len(one.columns), 'column')}"
    heads = (Column("column"), Column("type"), Column("filled", True), Column("percent", True))
    rows = [[column.name, column.type, count(column.filled), percent(column.percent)] for column in one.columns]
    yield from table(heads, rows, screen.width)
    if one.rules:
        yield ""
        yield from table(_RULES, [_rule(rule) for rule in one.rules], screen.width)
    yield from _looks(one.rules)


_RULES = (
    Column("rule"), Column("column"), Column("status"), Column("broken", True), Column("of", True), Column("says"),
)  # fmt: skip


def _rule(rule: RuleCount) -> list[str]:
    uncounted = bool(rule.reason) and not rule.broken
    numbers = ["", ""] if uncounted or rule.value is not None else [count(rule.broken), count(rule.counted)]
    return [rule.rule, rule.column or "", rule.status, *numbers, "; ".join(_says(rule))]


def _says(rule: RuleCount) -> Iterator[str]:
    yield rule.message
    if rule.mostly:
        yield f"mostly {rule.mostly}"
    if rule.value is not None:
        yield f"is {clip(rule.value, _VALUE)}"
    if rule.repeated:
        shown = ", ".join(f"{clip(one.value, _VALUE)} x{count(one.rows)}" for one in rule.examples)
        yield many(rule.repeated, "value stands", "values stand") + " more than once" + (f" ({shown})" if shown else "")
    if rule.reason:
        yield rule.reason


def _looks(rules: Sequence[RuleCount]) -> Iterator[str]:
    shown = [rule.query for rule in rules if rule.query]
    if shown:
        yield ""
        yield "to see them:"
        yield from (f"  headgate query {safe(shlex.quote(query))}" for query in dict.fromkeys(shown))

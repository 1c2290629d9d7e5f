"""Profiles, and what `init` made, as text for people."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from headgate.api import results
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.table import Column, table
from headgate.cli.text import clip, count, many, safe
from headgate.quality.model import ColumnProfile, KeyProfile, Share, TableProfile

_CELL = 24
"""A value is cut to so many characters: the whole of it is in `--json`."""
_TOP = 3


def profile(answer: results.ProfileResult, screen: Screen) -> list[str]:
    """A table of columns for each profile, and what holds between them."""
    lines = [line for one in answer.tables for line in (*_table(one, screen), "")]
    return lines[:-1] if lines else ["no table in the warehouse yet: headgate run"]


def _table(one: TableProfile, screen: Screen) -> Iterator[str]:
    sampled = f" of {one.total:,}" if one.rows != one.total else ""
    bad = f", {many(one.malformed, 'malformed record')}" if one.malformed else ""
    yield f"{safe(one.name)}: {count(one.rows)}{sampled} rows, {many(len(one.columns), 'column')}{bad}"
    heads = ["column", "type", "filled", "percent"]
    numbers = {"filled", "percent", "distinct"}
    heads += (
        (["distinct"] if one.tier else []) + ["min", "max"] + (["mean", "most frequent", "notes"] if one.tier else [])
    )
    columns = [Column(head, head in numbers) for head in heads]
    yield from table(columns, [_column(item, one.tier) for item in one.columns], screen.width)
    yield from _relations(one)


def _column(one: ColumnProfile, tier: int) -> list[str]:
    cells = [one.name, one.type, count(one.filled), percent(one.percent)]
    cells += [_distinct(one)] if tier else []
    cells += [_value(one.min), _value(one.max)]
    if tier:
        mean = f"{one.mean:.6g}" if one.mean is not None else ""
        cells += [mean, _shares(one.top, one.rows), "; ".join(_notes(one))]
    return cells


def percent(percent: float) -> str:
    return f"{percent:.3f}".rstrip("0").rstrip(".") + "%"


def _distinct(one: ColumnProfile) -> str:
    if one.distinct is None:
        return ""
    return count(one.distinct) if one.distinct_exact else f"~{count(one.distinct)}"


def _value(value: str | None) -> str:
    return "" if value is None else clip(safe(value), _CELL) or "''"


def _shares(top: Sequence[Share], rows: int) -> str:
    """The most frequent values, where any is."""
    if not top or top[0].rows < 2:
        return ""
    return ", ".join(f"{_value(item.value)} {100 * item.rows / max(rows, 1):.3g}%" for item in top[:_TOP])


def _notes(one: ColumnProfile) -> Iterator[str]:
    if one.pii:
        yield f"personal: {one.pii}"
    for misfit in one.misfits[:1]:
        yield f"{misfit.type} but for {misfit.rows:,}: {_value(misfit.example)}"
    if one.empty:
        yield f"{count(one.empty)} empty"
    if one.blank:
        yield f"{count(one.blank)} blank"
    if one.outliers:
        yield many(one.outliers, "outlier")
    if one.shapes and one.shapes[0].rows >= 0.9 * one.shaped:
        yield f"shape {_value(one.shapes[0].value)}"


def _relations(one: TableProfile) -> Iterator[str]:
    for key in one.keys:
        yield f"  {_key(key)}"
    for link in one.links:
        to = f"{safe(link.to_table)}.{safe(link.to_column)}"
        used = f"{100 * link.coverage:.3g}% of it is used"
        yield f"  reference: {safe(link.column)} -> {to}, every value stands there; {used}"
    for pair in one.pairs:
        both = f"{safe(pair.first)}, {safe(pair.second)}"
        yield f"  equal in every row: {both}" if pair.kind == "same" else f"  correlated: {both} ({pair.strength:+.2f})"


def _key(key: KeyProfile) -> str:
    names = ", ".join(map(safe, key.columns))
    if key.unique:
        return f"key: {names} (unique, no NULL)"
    if not key.repeated:
        return f"no key: {names} has NULLs; no value comes twice"
    examples = ", ".join(f"{_value(item.value)} x{count(item.rows)}" for item in key.examples[:_TOP])
    repeated = many(key.repeated, "value stands", "values stand")
    return f"duplicates: {names}: {repeated} in {count(key.rows)} rows ({examples})"


_TABLES = (
    Column("table"), Column("from"), Column("files", True), Column("rows", True), Column("columns", True),
    Column("key"), Column("load"), Column("suggested", True),
)  # fmt: skip


def init(answer: results.InitResult, screen: Screen) -> list[str]:
    """What was written from what, what was assumed and left alone, and what to do next."""
    lines: list[str] = []
    if answer.tables:
        rows = [
            [one.table, one.path, count(one.files), count(one.rows), count(one.columns), ", ".join(one.key), one.load,
             count(one.suggested)]
            for one in answer.tables
        ]  # fmt: skip
        lines += [*table(_TABLES, rows, screen.width), ""]
    for one in answer.tables:
        lines += [f"{safe(one.table)}: {safe(text)}" for text in _told(one)]
    lines += _left(answer.left)
    lines += findings(answer.findings, screen)
    lines += [""] if lines and lines[-1] else []
    lines += [f"wrote {safe(path)}" for path in answer.written] or ["wrote nothing"]
    return [*lines, "", _next(answer)]


def _left(left: Sequence[results.LeftAlone]) -> Iterator[str]:
    """One line for all files that were left alone for the same reason."""
    reasons: dict[str, list[str]] = {}
    for one in left:
        reasons.setdefault(one.reason, []).append(one.path)
    for reason, paths in reasons.items():
        more = f" and {count(len(paths) - 1)} more" if len(paths) > 1 else ""
        yield f"left alone: {safe(paths[0])}{more}: {safe(reason)}"


def _told(one: results.InitTable) -> Iterator[str]:
    yield from (f"references {reference}" for reference in one.references)
    yield from (f"assumed: {note}" for note in one.assumed)
    if one.malformed:
        yield f"{many(one.malformed, 'malformed record')} will be quarantined"
    if one.doubts:
        columns = many(len(one.doubts), "column is", "columns are")
        yield f"{columns} text for a few values ({one.doubts[0]}); --tolerate 1% refuses those"


def _next(answer: results.InitResult) -> str:
    if not answer.ok:
        return "not ready: see the errors above, then headgate check"
    where = os.path.relpath(answer.project)
    where = answer.project if where.startswith("..") else where
    option = "" if where == "." else f" --project {safe(shlex.quote(where))}"
    return f"next: headgate {'run' if answer.written else 'plan'}{option}"

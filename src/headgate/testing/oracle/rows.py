"""One record on its own: skip conditions, conversion, row rules, rules across columns."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.testing.oracle.lines import LINES, look_at_lines
from headgate.testing.oracle.model import Call, Column, Fields, Flow, Malformed, Reason, Row
from headgate.testing.oracle.rules import message, passes
from headgate.testing.oracle.values import NotAccepted, Value, accept, canonical_spelling


@dataclass(frozen=True)
class Look:
    """What one record is without knowing any other: its row, and why it may not enter."""

    row: Row
    reasons: tuple[Reason, ...] = ()
    skipped: bool = False
    warnings: int = 0


def look(record: Fields | Malformed, flow: Flow) -> Look:
    """The record converted and judged by every rule that needs no other row. A skipped record is judged no further."""
    if isinstance(record, Malformed):
        return Look({}, (Reason("record", None, record.message),))
    row, unconverted = _convert(record, flow)
    if any(condition.check(row) is True for condition in flow.contract.skip):
        return Look(row, skipped=True)
    errors: list[Reason] = []
    warnings = 0
    for column in flow.contract.columns:
        found, warned = _column(column, _received(column, record), row[column.name], unconverted, flow)
        errors += found
        warnings += warned
    for rule in flow.contract.rules:
        if rule.check(row) is False and rule.severity == "error":
            errors.append(Reason(rule.name, None, f"must hold: {rule.sql or rule.name}"))
        elif rule.check(row) is False:
            warnings += 1
    known = {name for column in flow.contract.columns for name in (column.read_as, *column.was)}
    known |= {child.source for child in flow.contract.children}
    if flow.extra == "quarantine":
        unknown = [name for name, text in record.items() if name not in known and text is not None]
        errors += [Reason("extra", name, "the contract has no such column") for name in unknown]
    blank = any(reason.rule in ("type", "required", "order_by") for reason in errors)
    for call in flow.contract.calls:
        said = _said(call, row, blank)
        if said is not None and call.severity == "error":
            errors.append(Reason(call.name, None, said))
        elif said is not None:
            warnings += 1
    if flow.contract.children:
        lines = look_at_lines(dict(record), flow.contract.children, flow.timezone)
        row[LINES] = tuple(lines.lines)
        errors += lines.reasons()
        warnings += lines.warnings
    return Look(row, tuple(errors), warnings=warnings)


def _said(call: Call, row: Row, blank: bool) -> str | None:
    """Why the function refuses the row; None if it does not.

    Of a `blank` row (a value did not convert, or a required one is missing) an exception says no more than that; only a
    ValueError is meant.
    """
    try:
        answer = call.judge(dict(row))
    except ValueError as error:
        return str(error) or type(error).__name__
    except Exception as error:
        return None if blank else f"{type(error).__name__}: {error}"
    if answer is None or answer is True:
        return None
    return answer or f"must pass {call.function}"


def shares(looks: list[Look], flow: Flow) -> list[str]:
    """Every rule whose `mostly` is not reached, by name (`column.code`, or that of the rule across columns).

    Malformed and skipped records count nowhere; for a rule of a column only rows with a value there do.
    """
    rows = [one.row for one in looks if one.row and not one.skipped]
    missed = []
    for column in flow.contract.columns:
        values = [row[column.name] for row in rows if row[column.name] is not None]
        for rule in column.rules:
            kept = sum(passes(rule, value, column.type) for value in values)
            if rule.mostly is not None and kept < rule.mostly * len(values):
                missed.append(f"{column.name}.{rule.code}")
    for cross in flow.contract.rules:
        kept = sum(cross.check(row) is not False for row in rows)
        if cross.mostly is not None and kept < cross.mostly * len(rows):
            missed.append(cross.name)
    return missed


def _received(column: Column, record: Fields) -> str | None:
    """The column's text, None for NULL and for a word that means it."""
    text = column.text_in(record)
    return None if column.form is not None and text in column.form.nulls else text


def _text(column: Column, record: Fields) -> str | None:
    """The column's text as the lexical table wants it. Errors: NotAccepted where it is not written as declared."""
    text = _received(column, record)
    if text is None or column.form is None:
        return text
    plain = column.form.plain(text)
    if plain is None:
        raise NotAccepted(f"expected {canonical_spelling(column.type)}")
    return plain


def _convert(record: Fields, flow: Flow) -> tuple[Row, dict[str, Reason]]:
    """The row, with None for what does not convert, and the `type` reason of each such column."""
    row: Row = {}
    unconverted: dict[str, Reason] = {}
    for column in flow.contract.columns:
        try:
            row[column.name] = accept(_text(column, record), column.type, flow.timezone)
        except NotAccepted as refused:
            row[column.name] = None
            unconverted[column.name] = Reason("type", column.name, str(refused))
    return row, unconverted


def _column(
    column: Column, received: str | None, value: Value, unconverted: dict[str, Reason], flow: Flow
) -> tuple[list[Reason], int]:
    """The column's refusals in order, and how many of its `warn` rules failed."""
    if column.name in unconverted:
        return [unconverted[column.name]], 0
    errors: list[Reason] = []
    warnings = 0
    must = column.key or column.name in (*flow.keys, flow.by)
    if received is None and (must or column.required == "error"):
        errors.append(Reason("required", column.name, "required"))
    elif received is None and column.required == "warn":
        warnings += 1
    for rule in column.rules:
        if value is not None and not passes(rule, value, column.type):
            if rule.severity == "error":
                errors.append(Reason(rule.code, column.name, message(rule)))
            else:
                warnings += 1
    if received is None and column.name == flow.order_by:
        errors.append(Reason("order_by", column.name, "required to order by"))
    return errors, warnings

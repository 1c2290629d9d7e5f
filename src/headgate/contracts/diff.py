"""What changed between two contracts, and whom it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal

from headgate.contracts import render
from headgate.contracts.model import Contract, ContractColumn, ReferenceRule, RowRule, UniqueRule
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote
from headgate.types.logical import LogicalType

Verdict = Literal["full", "backward", "forward", "breaking"]


@dataclass(frozen=True)
class Change:
    """One difference. `verdict`: backward = what kept the old contract keeps the new one; forward = what keeps the new
    one kept the old; full = both; breaking = neither. `sql` changes the table, "" where nothing must."""

    what: str
    column: str | None
    verdict: Verdict
    sql: str = ""


def compare(old: Contract, new: Contract, table: TableRef) -> tuple[Change, ...]:
    """Every difference in meaning, columns first. Places, notes and the version don't count."""
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    found: list[Change] = []
    for name, column in before.items():
        if name not in after:
            sql = f"ALTER TABLE {quote.table(table)} DROP COLUMN {quote.ident(name)}"
            found.append(Change("column removed", name, "breaking", sql))
        else:
            found += _column(column, after[name], table)
            found += _rules(old, new, name)
    for name, column in after.items():
        if name not in before:
            kind = column.type.duckdb
            sql = f"ALTER TABLE {quote.table(table)} ADD COLUMN {quote.ident(name)} {kind}"
            what = f"column added: {render.lines(new)[name]}"
            found.append(Change(what, name, "forward" if column.required else "full", sql))
    return (*found, *_rest(old, new), *_children(old, new))


def _children(old: Contract, new: Contract) -> Iterator[Change]:
    """Child tables are held as they are: whatever changes in their columns needs all to be loaded anew."""
    before, after = ({child.table: child for child in one.children} for one in (old, new))
    for name in (one for one in before if one not in after):
        yield Change(f"child table {name} removed", None, "breaking")
    for name, child in after.items():
        was = before.get(name)
        if was is None:
            yield Change(f"child table {name} added", None, "breaking")
            continue
        if (was.source, was.links, was.position) != (child.source, child.links, child.position):
            yield Change(f"child table {name} is fed or named in another way", None, "breaking")
        for change in compare(was.contract, child.contract, TableRef.parse(name)):
            column = f"{name}.{change.column}" if change.column else None
            yield Change(change.what if column else f"{name}: {change.what}", column, change.verdict)


def overall(changes: Iterable[Change]) -> Verdict:
    """One verdict for all changes together; full where there is none."""
    verdicts = {change.verdict for change in changes} - {"full"}
    if not verdicts:
        return "full"
    return verdicts.pop() if len(verdicts) == 1 else "breaking"


def _column(old: ContractColumn, new: ContractColumn, table: TableRef) -> Iterator[Change]:
    if old.type != new.type:
        sql = f"ALTER TABLE {quote.table(table)} ALTER COLUMN {quote.ident(new.name)} TYPE {new.type.duckdb}"
        what = f"type {old.type} is now {new.type}"
        yield Change(what, new.name, _types(old.type, new.type), sql * (old.type.duckdb != new.type.duckdb))
    if old.key != new.key:
        yield Change("is part of the key now" if new.key else "is no part of the key any more", new.name, "breaking")
    if old.source != new.source:
        yield Change(f"is fed from {new.source!r} now, before from {old.source!r}", new.name, "breaking")
    if old.form != new.form:
        yield Change("its texts are written in another way", new.name, "breaking")
    if old.pii != new.pii:
        yield Change("is personal data now" if new.pii else "is no personal data any more", new.name, "full")


def _types(old: LogicalType, new: LogicalType) -> Verdict:
    if _holds(new, old):
        return "full" if _holds(old, new) else "backward"
    return "forward" if _holds(old, new) else "breaking"


def _holds(wide: LogicalType, narrow: LogicalType) -> bool:
    """Whether every value of the one type is one of the other."""
    whole = ("int", "bigint")
    if wide.name in whole and narrow.name in whole:
        return True
    if wide.name != narrow.name:
        return wide.name == "decimal" and narrow.name in whole and wide.precision - wide.scale >= 19
    if wide.name == "decimal":
        return wide.scale >= narrow.scale and wide.precision - wide.scale >= narrow.precision - narrow.scale
    return wide.length is None or (narrow.length is not None and narrow.length <= wide.length)


Rule = RowRule | UniqueRule | ReferenceRule


def _of(contract: Contract, name: str) -> dict[str, Rule]:
    """The rules of one column by what tells them apart."""
    found: dict[str, Rule] = {}
    for rule in contract.rows:
        if rule.column == name:
            key = rule.code if rule.code not in found else f"{rule.code} {rule.args}"
            found[key if rule.code != "pattern" else f"pattern {rule.args}"] = rule
    for unique in contract.uniques:
        if unique.code == "unique" and unique.columns == (name,):
            found["unique"] = unique
    for reference in contract.references_of(name):
        found[f"references {reference.target}"] = reference
    return found


def _rules(old: Contract, new: Contract, name: str) -> Iterator[Change]:
    columns = {column.name: column for column in (*old.columns, *new.columns)}
    before, after = _of(old, name), _of(new, name)
    for key, rule in before.items():
        text = render.rule_text(rule, columns[name])
        if key not in after:
            yield Change(f"rule removed: {text}", name, _strict(rule, "backward"))
        elif render.rule_text(after[key], columns[name]) != text:
            now = render.rule_text(after[key], columns[name])
            yield Change(f"rule changed: {text} is now {now}", name, _changed(rule, after[key]))
    for key, rule in after.items():
        if key not in before:
            yield Change(f"rule added: {render.rule_text(rule, columns[name])}", name, _strict(rule, "forward"))


def _wordless(entry: str | dict[str, Any]) -> dict[str, Any]:
    """What the entry asks for, without what a refused row is told."""
    found = {"check": entry} if isinstance(entry, str) else entry
    return {key: value for key, value in found.items() if key != "message"}


def _strict(rule: Rule, verdict: Verdict) -> Verdict:
    """A rule that only warns, or empties a value, lets every record pass."""
    return "full" if not isinstance(rule, UniqueRule) and (rule.severity == "warn" or _nulls(rule)) else verdict


def _nulls(rule: Rule) -> bool:
    return isinstance(rule, ReferenceRule) and rule.nulls


def _changed(old: Rule, new: Rule) -> Verdict:
    if isinstance(old, UniqueRule) or isinstance(new, UniqueRule):
        return "breaking"
    if _nulls(old) != _nulls(new):
        return "breaking"
    if old.severity != new.severity:
        return _strict(new, "forward") if old.severity == "warn" else _strict(old, "backward")
    if new.severity == "warn":
        return "full"
    if isinstance(old, ReferenceRule) or isinstance(new, ReferenceRule):
        return "breaking"
    if old.mostly != new.mostly:
        return "breaking"
    wider, narrower = _within(old, new), _within(new, old)
    return "full" if wider and narrower else "backward" if wider else "forward" if narrower else "breaking"


def _referring(old: ReferenceRule, new: ReferenceRule) -> Verdict:
    """Of two references of one name: with other columns or another table, each refuses, or empties, what the other lets
    pass."""
    warns = (old.unmatched, new.unmatched) == ("warn", "warn")
    if old.nulls != new.nulls or ((set(old.pairs), old.to_table) != (set(new.pairs), new.to_table) and not warns):
        return "breaking"
    found: set[Verdict] = set()
    if old.severity != new.severity:
        found.add("forward" if old.severity == "warn" else "backward")
    if old.mostly != new.mostly:
        found.add("forward" if old.mostly is None else "backward" if new.mostly is None else "breaking")
    return "breaking" if len(found) > 1 else found.pop() if found else "full"


def _within(inner: RowRule, outer: RowRule) -> bool:
    """Whether what keeps `inner` keeps `outer`, two rules of one code."""
    if inner.code == "in":
        return set(inner.args) <= set(outer.args)
    if inner.code == "not_in":
        return set(inner.args) >= set(outer.args)
    first, second = _span(inner), _span(outer)
    return first is not None and second is not None and first[0] >= second[0] and first[1] <= second[1]


def _span(rule: RowRule) -> tuple[Any, Any] | None:
    """Lower and upper end of the numbers, or lengths, that keep the rule; None for another rule."""
    ends: list[Decimal] = []
    for arg in rule.args:
        try:
            ends.append(Decimal("Infinity") if arg == "*" else Decimal(arg))
        except ArithmeticError:
            return None
    if rule.code in ("between", "length") and len(ends) == 2:
        return ends[0], ends[1]
    if rule.code in ("min", "above"):
        return ends[0], Decimal("Infinity")
    if rule.code in ("max", "below", "length"):
        return Decimal("-Infinity") if rule.code != "length" else Decimal(0), ends[0]
    return None


def _rest(old: Contract, new: Contract) -> Iterator[Change]:
    """What stands under `rules:`, `skip:` and `refuse_at_most:`."""
    before, after = render.conditions(old), render.conditions(new)
    mild = {rule.code for rule in (*old.rows, *new.rows) if rule.severity == "warn"}
    mild |= {rule.code for rule in (*old.references, *new.references) if rule.unmatched != "quarantine"}
    refers = {rule.code: rule for rule in new.references}, {rule.code: rule for rule in old.references}
    mild |= {rule.name for rule in (*old.batches, *new.batches) if rule.severity == "warn"}
    for name in before:
        if name not in after:
            yield Change(f"rule {name!r} removed", None, "full" if name in mild else "backward")
        elif _wordless(before[name]) != _wordless(after[name]):
            now, was = (found.get(name) for found in refers)
            yield Change(f"rule {name!r} changed", None, _referring(was, now) if was and now else "breaking")
        elif before[name] != after[name]:
            yield Change(f"rule {name!r} has other words", None, "full")
    for name in after:
        if name not in before:
            yield Change(f"rule {name!r} added", None, "full" if name in mild else "forward")
    if dict(old.skips) != dict(new.skips):
        yield Change("what is skipped has changed", None, "breaking")
    if old.refuse_at_most != new.refuse_at_most:
        limits = [render.limit(one) if one else "no limit" for one in (old.refuse_at_most, new.refuse_at_most)]
        yield Change(f"refuse_at_most {limits[0]} is now {limits[1]}", None, "full")

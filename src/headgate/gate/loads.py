"""Rules about a load as a whole: shares of records that must keep a rule, numbers that must lie in a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import Any

from headgate.contracts.batch import BatchRule
from headgate.contracts.model import ReferenceRule, RowRule, Threshold, UniqueRule
from headgate.core.errors import Finding
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.gate.verdict import Verdict
from headgate.sql import quote

History = Sequence[int]
"""How many rows each of the loads before had, the latest last."""


@dataclass(frozen=True)
class Opinion:
    """What the rules about the load say: why it stops (None: it goes on), and what the books note of it.

    `details`: `measures` (what each rule about a number found, as text) and `breaches` (of those that only warn).
    """

    stop: Finding | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def opinion(
    verdict: Verdict,
    table: TableRef,
    history: History,
    dangling: Mapping[ReferenceRule, int],
    emptied: Mapping[ReferenceRule, tuple[int, int]],
) -> Opinion:
    """Judges the load, whose every record has its fate by now. The first rule that is broken stops it.

    `dangling`: how many records break each reference that only warns. `emptied`: of one that empties the value, how
    many break it, of how many.
    """
    contract = verdict.scan.contract
    shares = {id(rule): found for rule, found in emptied.items()}
    counts = [(one, shares.get(id(one.rule)) or _counts(verdict, one, dangling)) for one in contract.thresholds]
    stops = [_missed(table, one, *found) for one, found in counts if not one.kept(*found)]
    measures: dict[str, str] = {}
    breaches: dict[str, str] = {}
    for rule, value in _measured(verdict, contract.batches):
        measures[rule.name] = _shown(value)
        if rule.holds(value, history):
            continue
        if rule.severity == "warn":
            breaches[rule.name] = f"{rule.message}, and is {_shown(value)}"
        else:
            stops.append(_out_of_range(rule, table, value, history))
    details: dict[str, Any] = {"measures": measures} if measures else {}
    return Opinion(stops[0] if stops else None, details | ({"breaches": breaches} if breaches else {}))


def _missed(table: TableRef, one: Threshold, broken: int, counted: int) -> Finding:
    name = f"{one.column}.{one.code}" if one.column else one.code
    return Finding(
        "share-missed",
        "error",
        f"{counted - broken} of {counted} records of {table} keep {name}, fewer than mostly: {one.share}",
        str(one.where or table),
        f"look at them: headgate quarantine list --table {table} --status held; mend the data or the contract",
        {"rule": name, "broken": broken, "counted": counted},
    )


def _counts(verdict: Verdict, one: Threshold, dangling: Mapping[ReferenceRule, int]) -> tuple[int, int]:
    """How many records break the rule, and how many count."""
    values = [f"{quote.ident(name)} IS NOT NULL" for name in one.columns] if one.values_only else []
    counts = " AND ".join([*values, verdict.asked("judged")])
    broken = _broken(verdict, one.rule, dangling)
    if isinstance(one.rule, RowRule):
        ask = f"SELECT count(*) FILTER (WHERE {broken} AND {verdict.asked('judged')}), count(*) FILTER (WHERE {counts})"
        return _pair(verdict, f"{ask} FROM ({verdict.judged()}) AS judged")
    return _pair(verdict, f"SELECT ({broken}), (SELECT count(*) FROM ({verdict.judged()}) AS judged WHERE {counts})")


def _pair(verdict: Verdict, sql: str) -> tuple[int, int]:
    [(broken, counted)] = verdict.scan.session.execute(sql)
    return int(broken), int(counted)


def _broken(verdict: Verdict, rule: RowRule | UniqueRule | ReferenceRule, dangling: Mapping[ReferenceRule, int]) -> str:
    """A condition on one record, or a SELECT of the number of records that break a rule about several."""
    bits = verdict.scan.bits
    if isinstance(rule, RowRule):
        guard = verdict.unconverted(rule.column) if rule.code == "required" else ""
        return f"NOT coalesce(({rule.sql}), true){guard}"
    known = [bit for one, bit in (*bits.unique_bits, *bits.reference_bits) if one is rule]
    if isinstance(rule, ReferenceRule) and not known:
        return f"SELECT {dangling[rule]}"
    words = zip(verdict.words, bits.constant(known[0]), strict=True)
    return f"SELECT count(*) FROM {verdict.table} WHERE {' OR '.join(f'({name} & {w}) <> 0' for name, w in words if w)}"


def _measured(verdict: Verdict, rules: Sequence[BatchRule]) -> Iterator[tuple[BatchRule, Decimal | float | None]]:
    if not rules:
        return
    asked = ", ".join(f"({rule.sql})" for rule in rules)
    [values] = verdict.scan.session.execute(f"SELECT {asked} FROM ({verdict.passing()}) AS accepted")
    yield from zip(rules, values, strict=True)


def _shown(value: object) -> str:
    return "NULL" if value is None else str(value)


def _out_of_range(rule: BatchRule, table: TableRef, value: object, history: History) -> Finding:
    usual = f" (the loads before had {', '.join(map(str, history[-rule.of_last :]))})" if rule.of_last else ""
    return Finding(
        "batch-rule",
        "error",
        f"{rule.name}: {rule.message}, and is {_shown(value)}{usual}; nothing of the load into {table} was kept",
        str(rule.where or table),
        "see what was delivered; if it is right, change the rule, or say severity: warn",
        {"rule": rule.name, "value": _shown(value)},
    )

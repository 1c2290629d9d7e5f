"""How good what came in was, by dimension: the share of judgements that were passed.

Every record that the gate judged was asked every rule of its contract. A dimension's score is the share of its
(record, rule) pairs that passed, so that one broken rule of many weighs as little as it should, and a rule that every
record breaks weighs as much as it should. A dimension without a rule has no score: what nobody asked is not good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headgate.contracts.model import Contract
from headgate.core.records import dataclass
from headgate.observe.facts import Judged

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
_UNIQUE = ("unique", "key")


@dataclass(frozen=True)
class Score:
    """Shares from 0 to 1, None where there is no rule (or no record) to tell; `total` is the mean of the others."""

    total: float | None
    dimensions: Mapping[str, float | None]


def rules_of(contract: Contract) -> Iterator[tuple[str, str]]:
    """Dimension and name (`column.rule`, or `rule`) of every question that a record is asked."""
    yield "validity", "record"
    for column in contract.columns:
        if column.type.name != "text" or column.type.length is not None:
            yield "validity", f"{column.name}.type"
        if column.required:
            yield "completeness", f"{column.name}.required"
    for rule in contract.rows:
        if rule.code != "required":
            name = rule.code if rule.column is None else f"{rule.column}.{rule.code}"
            yield ("consistency" if rule.column is None else "validity"), name
    for unique in contract.uniques:
        yield "uniqueness", f"{', '.join(unique.columns)}.{unique.code}"
    for reference in contract.references:
        yield "consistency", f"{reference.column}.{reference.code}"
    for call in contract.calls:
        yield "consistency", call.code
    if contract.model is not None:
        yield "validity", contract.model.name


def dimension_of(key: str, rules: Mapping[str, str]) -> str:
    """The dimension that a broken rule counts for; `rules` maps names to dimensions."""
    if key in rules:
        return rules[key]
    _, _, code = key.rpartition(".")
    if code == "required":
        return "completeness"
    return "uniqueness" if code in _UNIQUE else "consistency" if code == "references" else "validity"


def score(contract: Contract | None, judged: Judged, fresh: float | None) -> Score:
    """The score of one table. `fresh`: 1 while it is, else the share of its age that was allowed; None: unknown."""
    found: dict[str, float | None] = dict.fromkeys(DIMENSIONS)
    if contract is not None and judged.records:
        asked = list(rules_of(contract))
        rules = {name: dimension for dimension, name in asked}
        broken: dict[str, int] = {}
        for key, times in judged.broken.items():
            dimension = dimension_of(key, rules)
            broken[dimension] = broken.get(dimension, 0) + times
        for dimension in DIMENSIONS[:-1]:
            questions = sum(one == dimension for one, _ in asked)
            if questions:
                share = 1 - broken.get(dimension, 0) / (questions * judged.records)
                found[dimension] = max(0.0, share)
    found["timeliness"] = fresh
    return Score(mean(list(found.values())), found)


def mean(shares: Sequence[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def total(scores: Sequence[Score]) -> Score:
    """The mean over tables, dimension by dimension; the total is the mean of the tables' totals."""
    found = {name: mean([one.dimensions[name] for one in scores]) for name in DIMENSIONS}
    return Score(mean([one.total for one in scores]), found)

"""What keeps a column from being emptied where a reference says `unmatched=null`."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.contracts.model import Contract, ReferenceRule
from headgate.core.errors import Location
from headgate.project.fields import Notes
from headgate.project.model import LoadSpec

_FIX = "write unmatched=warn, or leave it out: the record is quarantined then"


def refuse(notes: Notes, contract: Contract, table: str, how: LoadSpec, where: Location) -> None:
    """Notes every reference of the table's contract that may not empty its column."""
    for rule in (one for one in contract.references if one.nulls):
        for why in _reasons(contract, rule, table, how):
            what = f"{rule.column!r} can't be emptied (unmatched=null): {why}"
            notes.error("rule-mismatch", what, rule.where or where, _FIX)


def _reasons(contract: Contract, rule: ReferenceRule, table: str, how: LoadSpec) -> Iterator[str]:
    required = [column.name for column in contract.columns if column.name in rule.columns and column.required]
    alone = len(rule.columns) == 1
    if required:
        yield "it is required" if alone else f"all of them would be, and {', '.join(required)} is required"
    if how.order_by in rule.columns:
        yield "the load is ordered by it" if alone else f"the load is ordered by {how.order_by}"
    if how.kind == "scd2":
        yield "a version would say other than its record, also when the value is there at last"
    if rule.to_table == table:
        yield "the reference is to the own table"

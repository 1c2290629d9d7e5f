"""Every reason for which a contract may refuse a record, each with its bit in the mask of the record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from headgate.contracts.model import Contract, ReferenceRule, RowRule, UniqueRule
from headgate.types.logical import LogicalType

WORD = 62
"""Bits per BIGINT word of a mask; a contract with more reasons takes more words."""


@dataclass(frozen=True)
class Reason:
    """What a record is told: `rule`, `column` (None for rules across columns) and `message`."""

    rule: str
    column: str | None
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "column": self.column, "message": self.message}


@dataclass(frozen=True)
class Bits:
    """All reasons of a contract in the order in which they are listed; the index is the bit."""

    reasons: tuple[Reason, ...]
    type_bits: dict[str, int]
    row_bits: tuple[tuple[RowRule, int], ...]
    unique_bits: tuple[tuple[UniqueRule, int], ...]
    reference_bits: tuple[tuple[ReferenceRule, int], ...]
    order_bit: int | None
    replay_bit: int | None
    store_bits: dict[str, int] = field(default_factory=dict)
    """By column: the value fits its type, but not the warehouse."""
    extra_bits: dict[str, int] = field(default_factory=dict)
    """By column of the source, in small letters: the contract does not know it, and the record has a value there."""

    @property
    def words(self) -> int:
        return max(1, -(-len(self.reasons) // WORD))

    def mask_columns(self) -> list[str]:
        return [f"_hg_m{word}" for word in range(self.words)]

    def mask(self, failing: Iterable[tuple[int, str]]) -> list[str]:
        """One SQL expression per word: the sum of the bits whose condition (never NULL) is true.

        Not by CASE: inside one, the engine would compute a converted value a second time.
        """
        words: list[list[str]] = [[] for _ in range(self.words)]
        for bit, condition in failing:
            words[bit // WORD].append(f"CAST({condition} AS BIGINT) * {1 << (bit % WORD)}")
        return [f"CAST({' + '.join(word) or '0'} AS BIGINT)" for word in words]

    def constant(self, bit: int) -> list[int]:
        """The words of a mask with this one bit."""
        return [1 << (bit % WORD) if word == bit // WORD else 0 for word in range(self.words)]

    def decode(self, words: Sequence[int]) -> list[Reason]:
        return [reason for bit, reason in enumerate(self.reasons) if int(words[bit // WORD]) >> (bit % WORD) & 1]

    def text(self, words: Sequence[int]) -> str:
        return json.dumps([reason.to_json() for reason in self.decode(words)], ensure_ascii=False)


def bits_of(
    contract: Contract,
    order_by: str | None = None,
    keys: tuple[str, ...] = (),
    replay: bool = False,
    unkept: Callable[[LogicalType], str | None] = lambda kind: None,
    unknown: Sequence[str] = (),
) -> Bits:
    """The bits of the contract's error rules; a warning refuses nothing and has none.

    `unkept`: what is told of values of a type that the warehouse can't keep; None where it keeps every one.
    `unknown`: columns of the source that the contract does not know, and in which no record may have a value.
    """
    reasons: list[Reason] = []

    def add(rule: str, column: str | None, message: str) -> int:
        reasons.append(Reason(rule, column, message))
        return len(reasons) - 1

    type_bits: dict[str, int] = {}
    store_bits: dict[str, int] = {}
    row_bits: list[tuple[RowRule, int]] = []
    order_bit = None
    errors = [rule for rule in contract.rows if rule.severity == "error"]
    for column in contract.columns:
        type_bits[column.name] = add("type", column.name, f"expected {column.type}")
        if message := unkept(column.type):
            store_bits[column.name] = add("type", column.name, message)
        for rule in (one for one in errors if one.column == column.name):
            row_bits.append((rule, add(rule.code, column.name, rule.message)))
        if column.name == order_by:
            order_bit = add("order_by", column.name, "required to order by")
    for rule in (one for one in errors if one.column is None):
        row_bits.append((rule, add(rule.code, None, rule.message)))
    extra_bits = {name.lower(): add(EXTRA_RULE, name, "the contract has no such column") for name in unknown}
    uniques = tuple(
        (rule, add(rule.code, ", ".join(rule.columns), rule.message)) for rule in uniques_first_key(contract)
    )
    replay_bit = add("replay", ", ".join(keys), "a later load wrote this key") if replay else None
    references = tuple(
        (rule, add(rule.code, rule.column, rule.message)) for rule in contract.references if rule.severity == "error"
    )
    return Bits(
        tuple(reasons), type_bits, tuple(row_bits), uniques, references, order_bit, replay_bit, store_bits, extra_bits
    )


MALFORMED_RULE = "record"
EXTRA_RULE = "extra"


def malformed_reasons(message_sql: str) -> str:
    """SQL of the reasons of a malformed record, whose message is the SQL expression."""
    return (
        f'\'[{{"rule": "{MALFORMED_RULE}", "column": null, "message": \' || '
        f"CAST(to_json({message_sql}) AS VARCHAR) || '}}]'"
    )


def uniques_first_key(contract: Contract) -> list[UniqueRule]:
    """The composite key before the other unique rules: the order in which reasons are listed."""
    return sorted(contract.uniques, key=lambda rule: rule.code != "key")

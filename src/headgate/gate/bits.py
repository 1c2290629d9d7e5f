"""Every reason for which a contract may refuse a record, each with its bit in the mask of the record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Any

from headgate.contracts.model import CallRule, Contract, ReferenceRule, RowRule, UniqueRule
from headgate.core.records import dataclass
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
    duplicate_bit: int | None = None
    store_bits: dict[str, int] = field(default_factory=dict)
    """By column: the value fits its type, but not the warehouse."""
    extra_bits: dict[str, int] = field(default_factory=dict)
    """By column of the source, in small letters: the contract does not know it, and the record has a value there."""
    call_bits: tuple[tuple[CallRule, int], ...] = ()
    """Functions that refuse records, each in words of its own."""
    model_bit: int | None = None
    """A model refused the record, in words of its own; nothing else judges it."""
    child_bit: int | None = None
    """Lines inside of the record break the rules of their tables, in words of their own."""

    @property
    def blank_bits(self) -> list[int]:
        """A column has no value although it should have one."""
        required = [bit for rule, bit in self.row_bits if rule.code == "required"]
        ordered = [self.order_bit] if self.order_bit is not None else []
        return [*self.type_bits.values(), *self.store_bits.values(), *required, *ordered]

    @property
    def spoken(self) -> list[int]:
        """The bits whose reasons are told in words that the record itself brought about."""
        model = [self.model_bit] if self.model_bit is not None else []
        child = [self.child_bit] if self.child_bit is not None else []
        return [*model, *(bit for _, bit in self.call_bits), *child]

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

    def any_of(self, bits: Iterable[int], alias: str) -> str:
        """A condition: one of these bits is set in the mask of `alias`."""
        words = [0] * self.words
        for bit in bits:
            words[bit // WORD] |= 1 << (bit % WORD)
        names = zip(self.mask_columns(), words, strict=True)
        return " OR ".join(f"({alias}.{name} & {word}) <> 0" for name, word in names if word) or "false"

    def decode(self, words: Sequence[int]) -> list[Reason]:
        return [reason for _, reason in self.numbered(words)]

    def numbered(self, words: Sequence[int]) -> list[tuple[int, Reason]]:
        """The reasons of the mask, each with its bit."""
        listed = enumerate(self.reasons)
        return [(bit, one) for bit, one in listed if int(words[bit // WORD]) >> (bit % WORD) & 1]

    def counted(self, words: Sequence[int]) -> list[Reason]:
        """The reasons of the mask but the model's and those of lines, whose own reasons are counted."""
        return [one for bit, one in self.numbered(words) if bit not in (self.model_bit, self.child_bit)]

    def text(self, words: Sequence[int]) -> str:
        return json.dumps([reason.to_json() for reason in self.decode(words)], ensure_ascii=False)

    def around(self, words: Sequence[int]) -> tuple[str, str]:
        """What stands before and behind the spoken reasons in the list of reasons; "" for nothing."""
        mine = [bit for bit, _ in self.numbered(words)]
        spoken = [bit for bit in self.spoken if bit in mine] or [len(self.reasons)]
        sides = [bit for bit in mine if bit < min(spoken)], [bit for bit in mine if bit > max(spoken)]
        before, behind = (", ".join(_json(self.reasons[bit]) for bit in side) for side in sides)
        return before, behind


def _json(reason: Reason) -> str:
    return json.dumps(reason.to_json(), ensure_ascii=False)


def bits_of(
    contract: Contract,
    order_by: str | None = None,
    keys: tuple[str, ...] = (),
    replay: bool = False,
    once: bool = False,
    unkept: Callable[[LogicalType], str | None] = lambda kind: None,
    unknown: Sequence[str] = (),
) -> Bits:
    """The bits of the contract's error rules; a warning refuses nothing and has none.

    `once`: records of one identity (`keys`) in one load are refused, all of them. `unkept`: what is told of values of
    a type that the warehouse can't keep; None where it keeps every one.
    `unknown`: columns of the source that the contract does not know, and in which no record may have a value.
    """
    reasons: list[Reason] = []

    def add(rule: str, column: str | None, message: str) -> int:
        reasons.append(Reason(rule, column, message))
        return len(reasons) - 1

    model_bit = add(MODEL_RULE, None, "must be valid") if contract.model is not None else None
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
    call_bits = tuple((rule, add(rule.code, None, rule.message)) for rule in contract.calls if rule.severity == "error")
    child_bit = add(CHILD_RULE, None, "must have valid lines") if contract.children else None
    duplicate_bit = add("key", ", ".join(keys), "must come once in a load") if once else None
    uniques = tuple(
        (rule, add(rule.code, ", ".join(rule.columns), rule.message)) for rule in uniques_first_key(contract)
    )
    replay_bit = add("replay", ", ".join(keys), "a later load wrote this key") if replay else None
    references = tuple(
        (rule, add(rule.code, rule.column, rule.message))
        for rule in contract.references
        if rule.unmatched == "quarantine"
    )
    return Bits(
        tuple(reasons), type_bits, tuple(row_bits), uniques, references, order_bit, replay_bit, duplicate_bit,
        store_bits,
        extra_bits, call_bits, model_bit, child_bit,
    )  # fmt: skip


MALFORMED_RULE = "record"
MODEL_RULE = "model"
"""Stands for what a model says, which each record tells for itself."""
CHILD_RULE = "child"
"""Stands for what lines inside of the record are told, each by the rules of its own table."""
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

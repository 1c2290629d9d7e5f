"""Every reason has a bit of its own, also where one word of the mask ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.contracts.model import Contract, ContractColumn, RowRule
from headgate.gate.bits import WORD, Bits, bits_of
from headgate.types.logical import LogicalType


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    store = DuckDBStore(None)
    with store.session() as made:
        yield made
    store.close()


def made(reasons: int) -> Bits:
    """The bits of a contract with one column and so many reasons."""
    rules = tuple(RowRule(f"rule{number}", None, "true", "") for number in range(1, reasons))
    return bits_of(Contract((ContractColumn("a", LogicalType("int"), "a"),), rules))


EDGES = (0, 1, WORD - 1, WORD, WORD + 1, 2 * WORD - 1, 2 * WORD, 3 * WORD - 1)


@pytest.mark.parametrize("reasons", [1, WORD - 1, WORD, WORD + 1, 2 * WORD, 3 * WORD])
def test_a_mask_says_which_reasons_and_no_others(session: Any, reasons: int) -> None:
    bits = made(reasons)
    assert bits.words == len(bits.mask_columns()) == (reasons + WORD - 1) // WORD
    for bit in (one for one in EDGES if one < reasons):
        failing = [(number, "true" if number == bit else "false") for number in range(reasons)]
        [words] = session.execute(f"SELECT {', '.join(bits.mask(failing))}")
        assert list(words) == bits.constant(bit)
        assert bits.decode(words) == [bits.reasons[bit]]
    [words] = session.execute(f"SELECT {', '.join(bits.mask([(number, 'true') for number in range(reasons)]))}")
    assert bits.decode(words) == list(bits.reasons)
    [words] = session.execute(f"SELECT {', '.join(bits.mask([]))}")
    assert bits.decode(words) == []

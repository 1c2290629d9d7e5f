"""The seal of an entry: it covers every field, and the entry before it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from headgate.books.ledger import Entry

FIRST = Entry("raw.t", 1, "raw.t", "data", "a", 1, 1, "x", "load", "2026-01-01", "{}", "{}").sealed("")
NAMES = [one.name for one in fields(Entry) if one.name != "digest"]


def test_an_entry_is_sealed_behind_the_one_before_it_and_behind_no_other() -> None:
    second = replace(FIRST, id=2, seq=2).sealed(FIRST.digest)
    assert FIRST.is_sealed("")
    assert second.is_sealed(FIRST.digest)
    for other in ("", second.digest, replace(FIRST, rows_read=1).sealed("").digest):
        assert not second.is_sealed(other)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_any_field_breaks_the_seal(name: str) -> None:
    value = getattr(FIRST, name)
    assert not replace(FIRST, **{name: value + 1 if isinstance(value, int) else value + "!"}).is_sealed("")

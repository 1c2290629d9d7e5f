"""Written out and read again, a contract means the same: the digest is equal, for every contract of the short form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.unit.contracts.contract_kit import contracts

from headgate.contracts.model import Contract, Limit, RowRule
from headgate.contracts.render import conditions, limit, lines, render
from headgate.contracts.short import as_upsert, parse_lines
from headgate.core.errors import InternalError
from headgate.project import yaml
from headgate.project.fields import Notes
from headgate.project.ingest import _contract
from headgate.project.model import LoadSpec


@settings(max_examples=60, deadline=None)
@given(contracts())
def test_lines_mean_the_same(made: Contract) -> None:
    again = parse_lines(lines(made), conditions(made), dict(made.skips), made.refuse_at_most)
    assert again.digest() == made.digest()


@settings(max_examples=60, deadline=None)
@given(contracts())
def test_yaml_means_the_same(made: Contract) -> None:
    notes = Notes()
    node = yaml.read(render(made), "rendered.yml")
    assert isinstance(node, yaml.Mapping)
    again = _contract(notes, node, LoadSpec())
    assert notes.findings == []
    assert again is not None
    assert again.digest() == made.digest()


@settings(max_examples=30, deadline=None)
@given(contracts())
def test_an_upsert_means_the_same(made: Contract) -> None:
    keys = made.key or [column.name for column in made.columns][:2]
    upsert = as_upsert(made, keys)
    again = as_upsert(parse_lines(lines(upsert), conditions(upsert), dict(upsert.skips), upsert.refuse_at_most), keys)
    assert again.digest() == upsert.digest()


def test_the_text_is_what_a_person_would_write() -> None:
    made = parse_lines(
        {"id": "integer,key", "e mail": 'text,pattern("^it\'s$"), pii', "c": "string( 3 ), in('FR','D E'), warn"},
        {"r": "c <> 'x'"},
        {"s": "id < 0"},
        Limit(share=0.005),
    )
    assert render(made) == (
        "columns:\n"
        "  id: int, key\n"
        "  \"e mail\": text, pattern('^it''s$'), pii\n"
        "  c: text(3), in(FR, 'D E'), warn\n"
        "rules:\n"
        "  r: c <> 'x'\n"
        "skip:\n"
        "  s: id < 0\n"
        "refuse_at_most: 0.5%\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(Limit(rows=5), "5"), (Limit(share=0.05), "5%"), (Limit(share=1.0), "100%"), (Limit(share=0.00005), "0.005%")],
)
def test_limits(value: Limit, text: str) -> None:
    assert limit(value) == text


def test_a_rule_without_its_arguments_is_not_guessed() -> None:
    made = parse_lines({"a": "int"})
    broken = Contract(made.columns, (RowRule("min", "a", '"a" >= 0', "must be at least 0"),))
    with pytest.raises(InternalError, match="keeps no arguments"):
        lines(broken)

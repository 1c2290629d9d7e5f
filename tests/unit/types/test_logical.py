"""What may be written as a type, and what it is called."""

from __future__ import annotations

import pytest

from headgate.types.logical import ALIASES, PHYSICAL, LogicalType, parse

NAMES = sorted(set(ALIASES) - {"decimal", "numeric"})


@pytest.mark.parametrize("alias", NAMES)
def test_every_alias_names_its_type(alias: str) -> None:
    assert parse(alias) == LogicalType(ALIASES[alias])
    assert parse(f"  {alias.upper()} ") == LogicalType(ALIASES[alias])
    assert parse(alias).duckdb == PHYSICAL[ALIASES[alias]]


@pytest.mark.parametrize(
    ("text", "precision", "scale"),
    [
        ("decimal(12,2)", 12, 2),
        ("NUMERIC( 38 , 38 )", 38, 38),
        ("decimal(5)", 5, 0),
        ("decimal (1,0)", 1, 0),
        ("decimal(38,0)", 38, 0),
    ],
)
def test_decimals_have_precision_and_scale(text: str, precision: int, scale: int) -> None:
    logical = parse(text)
    assert (logical.name, logical.precision, logical.scale) == ("decimal", precision, scale)
    assert logical.duckdb == f"DECIMAL({precision},{scale})"
    assert str(logical) == f"decimal({precision},{scale})"
    assert parse(str(logical)) == logical


def test_text_may_have_a_length() -> None:
    assert parse("text(5)") == LogicalType("text", length=5)
    assert parse("varchar(0)").length == 0
    assert (parse("text(5)").duckdb, str(parse("text(5)")), str(parse("text"))) == ("VARCHAR", "text(5)", "text")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unknown type"),
        ("money", "unknown type 'money'"),
        ("int int", "unknown type"),
        ("decimal(12,2", "unknown type"),
        ("decimal(12,2,1)", "unknown type"),
        ("decimal(-1,2)", "unknown type"),
        ("text[]", "unknown type"),
        ("timestamp with time zone", "unknown type"),
        ("decimal", "needs a precision and a scale"),
        ("decimal(0)", "the precision is 1 to 38"),
        ("decimal(39,2)", "the precision is 1 to 38"),
        ("decimal(5,6)", "the scale at most the precision"),
        ("int(5)", "type 'int' takes no arguments"),
        ("text(5,2)", "type 'text' takes no arguments"),
        ("timestamp(3)", "type 'timestamp' takes no arguments"),
    ],
)
def test_what_is_no_type_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert reason in str(caught.value)

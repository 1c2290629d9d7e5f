"""Which type of column keeps the values of a field."""

from __future__ import annotations

import enum
import ipaddress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, Optional, Union
from uuid import UUID

import pydantic.v1
import pytest
from pydantic import AnyUrl, AwareDatetime, Field, Json, NaiveDatetime, PastDate, PositiveInt, SecretStr

from headgate.contracts.annotations import NoColumn, logical


class Colour(enum.Enum):
    RED = "red"


class Mixed(enum.Enum):
    A = 1
    B = "b"


class Level(enum.IntEnum):
    LOW = 1


class Inner(pydantic.BaseModel):
    a: int


class First(pydantic.v1.BaseModel):
    a: int


Id = NewType("Id", int)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "text"), (int, "bigint"), (float, "double"), (bool, "bool"), (bytes, "binary"), (date, "date"),
        (datetime, "timestamptz"), (time, "time"), (UUID, "uuid"), (Decimal, "decimal(38,9)"), (Id, "bigint"),
        (Annotated[Decimal, Field(max_digits=10, decimal_places=2)], "decimal(10,2)"),
        (Annotated[Decimal, Field(decimal_places=4)], "decimal(38,4)"),
        (Annotated[Decimal, Field(max_digits=10)], "decimal(38,9)"),
        (Annotated[Decimal, Field(max_digits=50, decimal_places=2)], "decimal(38,2)"),
        (Optional[int], "bigint"), (int | None, "bigint"), (Union[int, None], "bigint"), (int | bool, "json"),  # noqa: UP007, UP045
        (int | PositiveInt, "bigint"), (Literal["a", "b"], "text"), (Literal[1, None], "bigint"),
        (Literal[1, "a"], "json"),
        (Literal[True], "bool"), (Colour, "text"), (Level, "bigint"), (Mixed, "json"), (Inner, "json"), (First, "json"),
        (list[int], "json"), (dict[str, Any], "json"), (tuple[int, str], "json"), (set[int], "json"), (list, "json"),
        (dict, "json"), (Any, "json"), (Json, "json"), (Json[list[int]], "json"), (Json[int], "bigint"),
        (NaiveDatetime, "timestamp"), (AwareDatetime, "timestamptz"), (PastDate, "date"), (PositiveInt, "bigint"),
        (timedelta, "text"), (AnyUrl, "text"), (ipaddress.IPv4Address, "text"),
        (Annotated[str, Field(max_length=3)], "text"),
    ],
)  # fmt: skip
def test_the_type_of_an_annotation(annotation: Any, expected: str) -> None:
    assert str(logical(annotation)) == expected


@pytest.mark.parametrize("annotation", [SecretStr, SecretStr | None, type("Odd", (), {})])
def test_what_no_column_keeps(annotation: Any) -> None:
    with pytest.raises(NoColumn):
        logical(annotation)

"""What every answer can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from headgate.api.wire import decode, encode
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Answer:
    """What every answer can do: become a JSON object, and come back from one as an equal value."""

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = encode(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return decode(cls, data)

"""The words of a Python model: `config`, `ref`, `source`. They are read in its text; called, they do very little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from headgate.core.records import dataclass

Made = TypeVar("Made", bound=Callable[..., Any])


@dataclass(frozen=True)
class Named:
    """A table by its name, where a parameter's name is not the table's own. It holds no rows."""

    name: str


def ref(name: str) -> Any:
    """The default of a parameter that is given the table or model `name`.

    *Example*: `def model(orders=ref("raw.orders")): ...`
    """
    return Named(name)


def source(schema: str, table: str) -> Any:
    """The default of a parameter that is given a loaded table."""
    return Named(f"{schema}.{table}")


def config(**settings: Any) -> Callable[[Made], Made]:
    """Decorates `model` with the settings that `config()` in a SQL model takes; the function stays what it is."""

    def same(function: Made) -> Made:
        return function

    return same

"""Values of columns that are marked `pii`: what is shown in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.contracts.model import Contract

HIDDEN = "•••"
"""Neither a first letter nor a length: both tell too much of a short value."""


def hidden_columns(contract: Contract | None) -> frozenset[str]:
    """The source columns, in lower case, whose values are not shown."""
    if contract is None:
        return frozenset()
    lists = [child.source.lower() for child in contract.children if _tells(child.contract)]
    around = [name.split(".")[0] for name in lists]
    return frozenset([*(column.source.lower() for column in contract.columns if column.pii), *lists, *around])


def _tells(contract: Contract) -> bool:
    """Whether a line holds personal data, however deep."""
    return any(column.pii for column in contract.columns) or any(_tells(one.contract) for one in contract.children)


def mask_text(text: str | None) -> str | None:
    """What stands for a value; NULL and the empty text stay, since they are what was refused and tell nothing."""
    return HIDDEN if text else text


def mask_row(row: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """The row with the values of hidden columns masked; upper and lower case of names alike."""
    return {name: mask_text(value) if name.lower() in hidden else value for name, value in row.items()}

"""Columns whose values Arrow would hand over as others: they travel as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headgate.sql import quote

CHANGED = ("BIT", "TIME WITH TIME ZONE")
"""Types that DuckDB 1.5 gives to Arrow as something else: bits with their padding, times without their zone."""
_INSIDE = re.compile(rf"\b({'|'.join(CHANGED)})\b")
_NESTED = re.compile(r"^(STRUCT|MAP|UNION)\b|\]$")


def projection(columns: Sequence[tuple[str, str]]) -> str | None:
    """The columns of a SELECT, with texts for those that would change; None where none would."""
    if not any(kind in CHANGED for _, kind in columns):
        return None
    return ", ".join(
        f"CAST({quote.ident(name)} AS VARCHAR) AS {quote.ident(name)}" if kind in CHANGED else quote.ident(name)
        for name, kind in columns
    )


def hidden(columns: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """The first column, with its type, that holds such values inside of others, where no text helps."""
    return next(((name, kind) for name, kind in columns if _NESTED.search(kind) and _INSIDE.search(kind)), None)

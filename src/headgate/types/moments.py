"""Moments as engines write them, and as ISO 8601."""

from __future__ import annotations

import re

_INSTANT = re.compile(r"(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d[.\d]*)(?:([+-]\d\d)(:\d\d)?)?")


def iso(text: str | None) -> str | None:
    """`2024-01-02T03:04:05+00:00`; what ISO 8601 does not know (infinity, years before Christ) stays as it is."""
    match = _INSTANT.fullmatch(text) if text else None
    if match is None:
        return text
    day, clock, zone, minutes = match.groups()
    return f"{day}T{clock}" + (f"{zone}{minutes or ':00'}" if zone else "")

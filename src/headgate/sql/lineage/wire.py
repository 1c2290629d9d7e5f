"""A query's lineage as text and back, for a cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from headgate.sql.lineage.flow import Flow, Flows
from headgate.sql.lineage.known import Traced


def dumps(traced: Traced) -> str:
    """The same lineage gives the same text."""
    return json.dumps(
        {
            "columns": [[name, _listed(flows)] for name, flows in traced.columns],
            "rest": None if traced.rest is None else _listed(traced.rest),
            "rows": _listed(traced.rows),
            "doubt": traced.doubt,
            "unknown": list(traced.unknown),
        },
        separators=(",", ":"),
    )


def loads(text: str) -> Traced | None:
    """None where the text is none of `dumps`."""
    try:
        data: dict[str, Any] = json.loads(text)
        return Traced(
            tuple((str(name), _flows(flows)) for name, flows in data["columns"]),
            None if data["rest"] is None else _flows(data["rest"]),
            _flows(data["rows"]),
            str(data["doubt"]),
            tuple(map(str, data["unknown"])),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _listed(flows: Flows) -> list[list[str]]:
    return [list(one) for one in sorted(flows)]


def _flows(data: Iterable[Sequence[str]]) -> Flows:
    return frozenset(map(Flow._make, data))

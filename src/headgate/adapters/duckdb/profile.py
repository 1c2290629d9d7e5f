"""A profile of DuckDB (`EXPLAIN (ANALYZE, FORMAT json)`, the same keys since 1.2) in the common words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from headgate.core.profile import Operator, Profile, Role

_ABOUT = ("Table", "Function", "Conditions", "Filters", "Expression", "Groups", "Order By", "Top")
_OWN = ("EXPLAIN_ANALYZE",)


def profile(text: str) -> Profile:
    """The profile that the JSON text holds."""
    told = json.loads(text)
    operators = [one for root in told["children"] for one in _walk(root, 0)]
    return Profile(float(told.get("latency", 0)), int(told.get("system_peak_temp_dir_size", 0)), tuple(operators))


def _walk(node: Mapping[str, Any], depth: int) -> Iterator[Operator]:
    if node["operator_type"] in _OWN:
        for child in node["children"]:
            yield from _walk(child, depth)
        return
    yield _operator(node, depth)
    for child in node["children"]:
        yield from _walk(child, depth + 1)


def _operator(node: Mapping[str, Any], depth: int) -> Operator:
    more, kind = node["extra_info"], node["operator_type"]
    estimated = str(more.get("Estimated Cardinality", ""))
    role = _role(kind)
    return Operator(
        depth,
        str(node["operator_name"]).strip(),
        ", ".join(_said(more[name]) for name in _ABOUT if name in more),
        int(node["operator_cardinality"]),
        float(node["operator_timing"]),
        role,
        int(estimated) if estimated.isdecimal() and kind != "PROJECTION" else None,
        int(node["operator_rows_scanned"]) if role == "scan" else None,
        "Filters" in more,
        tuple(int(child["operator_cardinality"]) for child in node["children"]) if role == "join" else (),
    )


def _role(kind: str) -> Role:
    if kind == "CROSS_PRODUCT":
        return "cross"
    return "join" if kind.endswith("_JOIN") else "scan" if kind == "TABLE_SCAN" else "other"


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""A profile of PostgreSQL (`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`) in the common words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headgate.core.profile import Operator, Profile, Role

_ABOUT = ("Relation Name", "Index Name", "CTE Name", "Hash Cond", "Merge Cond", "Join Filter", "Index Cond", "Filter")
_LISTS = ("Group Key", "Sort Key")
_JOINS = ("Hash Join", "Merge Join", "Nested Loop")
_LOOKUPS = ("Index Cond", "Recheck Cond", "TID Cond", "Cache Key")
_BLOCK = 8192
"""Bytes: what PostgreSQL is built with unless somebody says otherwise."""


def profile(told: object) -> Profile:
    """The profile that the answer (JSON, or what a driver has made of it) holds."""
    (answer,) = json.loads(told) if isinstance(told, str) else told  # type: ignore[misc]
    root = answer["Plan"]
    secs = (answer.get("Planning Time", 0) + answer.get("Execution Time", 0)) / 1000
    return Profile(secs, int(root.get("Temp Written Blocks", 0)) * _BLOCK, tuple(_walk(root, 0)))


def _walk(node: Mapping[str, Any], depth: int) -> Iterator[Operator]:
    yield _operator(node, depth)
    for child in node.get("Plans", ()):
        yield from _walk(child, depth + 1)


def _operator(node: Mapping[str, Any], depth: int) -> Operator:
    children: Sequence[Mapping[str, Any]] = node.get("Plans", ())
    role, rows = _role(node, children), _rows(node)
    removed = round(node.get("Rows Removed by Filter", 0) * _loops(node))
    return Operator(
        depth,
        " ".join(str(node[key]) for key in ("Join Type", "Node Type") if key in node),
        ", ".join(
            [str(node[key]) for key in _ABOUT if key in node] + [", ".join(node[k]) for k in _LISTS if k in node]
        ),
        rows,
        max(0.0, _secs(node) - sum(map(_secs, children))),
        role,
        round(node["Plan Rows"] * _loops(node)),
        rows + removed if role == "scan" and "Index Cond" not in node else None,
        "Filter" in node,
        _inputs(children) if role == "join" else (),
    )


def _about(node: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(node[key]) for key in _ABOUT if key in node)
    for key in _LISTS:
        yield from map(str, node.get(key, ()))


def _role(node: Mapping[str, Any], children: Sequence[Mapping[str, Any]]) -> Role:
    kind = node["Node Type"]
    if kind == "Nested Loop" and len(children) == 2 and _is_cross(node, *children):
        return "cross"
    return "join" if kind in _JOINS else "scan" if kind.endswith("Scan") and "Relation Name" in node else "other"


def _is_cross(node: Mapping[str, Any], outer: Mapping[str, Any], inner: Mapping[str, Any]) -> bool:
    """No condition joins the sides, and the rows are those of one times those of the other."""
    left, right = _rows(outer), inner.get("Actual Rows", 0)
    return (
        "Join Filter" not in node
        and not _looks_up(inner)
        and left > 1
        and right > 1
        and _rows(node) >= left * right > 0
    )


def _looks_up(inner: Mapping[str, Any]) -> bool:
    """Whether the rows are found by those of the other side."""
    return any(key in inner for key in _LOOKUPS) or any(map(_looks_up, inner.get("Plans", ())))


def _inputs(children: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """What is looked up again for every row of the other side has no size of its own."""
    return tuple(0 if _loops(child) > _workers(child) else _rows(child) for child in children)


def _rows(node: Mapping[str, Any]) -> int:
    return round(float(node.get("Actual Rows", 0)) * _loops(node))


def _loops(node: Mapping[str, Any]) -> int:
    return int(node.get("Actual Loops", 1))


def _workers(node: Mapping[str, Any]) -> int:
    return 16 if node.get("Parallel Aware") else 1


def _secs(node: Mapping[str, Any]) -> float:
    return float(node.get("Actual Total Time", 0)) * _loops(node) / 1000

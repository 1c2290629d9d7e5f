"""A lineage as text: a tree of what values are made of, and which columns decide about rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from headgate.api.results import LineageEdge, LineageResult, LineageTable, PlanExposure, PlanFollower, PlanStep
from headgate.cli.findings import findings
from headgate.cli.screen import Screen
from headgate.cli.table import Column, table
from headgate.cli.text import count, many, safe
from headgate.core.records import dataclass

Node = tuple[str, str | None]
Branches = dict[Node, list[tuple[Node, str]]]
Kinds = dict[str, LineageTable]
UP, DOWN = "made of", "goes into"


def lineage(answer: LineageResult, screen: Screen) -> list[str]:
    """The whole project as a table; else trees of one column, or of all columns of one table."""
    kinds = {one.name: one for one in answer.tables}
    told = findings(answer.findings, screen)
    if answer.table is None:
        return [*told, *([""] if told else []), *_project(answer, screen)]
    lines = [*told, *([""] if told else []), _title(answer, kinds)]
    if answer.up or not answer.down:
        lines += _part(UP, answer, answer.up, _source, kinds)
    if answer.down:
        lines += _part(DOWN, answer, answer.down, _target, kinds)
    doubts = [one for one in answer.tables if one.doubt or one.unknown]
    return [*lines, *([""] if doubts else []), *map(_doubt, doubts)]


def _title(answer: LineageResult, kinds: Kinds) -> str:
    name = _name((answer.table or "", answer.column), kinds)
    one = kinds[answer.table or ""]
    said = [one.kind, *(f"{key} {text}" for key, text in one.detail.items())]
    return f"{name} ({safe(', '.join(said))})"


def _source(edge: LineageEdge) -> tuple[Node, Node]:
    return (edge.to_table, edge.to_column), (edge.from_table, edge.from_column)


def _target(edge: LineageEdge) -> tuple[Node, Node]:
    return (edge.from_table, edge.from_column), (edge.to_table, edge.to_column)


def _part(
    title: str,
    answer: LineageResult,
    edges: Sequence[LineageEdge],
    ends: Callable[[LineageEdge], tuple[Node, Node]],
    kinds: Kinds,
) -> list[str]:
    """One direction: the values as a tree, what only decides about rows as a list."""
    branches: Branches = {}
    deciding: dict[str, dict[str, list[Node]]] = {}
    for edge in edges:
        if edge.to_column is None and kinds[edge.to_table].kind != "exposure":
            if edge.kind != "rows":
                by = deciding.setdefault(edge.to_table, {}).setdefault(edge.kind, [])
                by.append((edge.from_table, edge.from_column))
            continue
        near, far = ends(edge)
        if edge.kind != "rows":
            branches.setdefault(near, []).append((far, edge.kind))
    starts = _starts(answer, branches)
    lines = ["", f"{title}:"]
    seen: set[Node] = set()
    for start in starts:
        if answer.column is None:
            lines.append(_name(start, kinds))
        lines += _tree(start, _Tree(branches, kinds, seen), "")
    if not starts:
        lines.append("(nothing)")
    return [*lines, *_decided(deciding), *(_whole(edges) if title == DOWN else [])]


def _whole(edges: Sequence[LineageEdge]) -> list[str]:
    """The tables that are reached as a whole, because it is decided which rows they have."""
    names = dict.fromkeys(safe(edge.to_table) for edge in edges if edge.to_column is None)
    return [f"so all of: {', '.join(names)}"] if names else []


def _decided(deciding: dict[str, dict[str, list[Node]]]) -> list[str]:
    """Which columns decide about the rows of which tables."""
    lines = ["", "which rows there are:"] if deciding else []
    for name, by in deciding.items():
        lines.append(f"  {safe(name)}")
        lines += [f"    {kind}: {_listed(nodes)}" for kind, nodes in by.items()]
    return lines


def _starts(answer: LineageResult, branches: Branches) -> list[Node]:
    start = (answer.table or "", answer.column)
    if answer.column is not None:
        return [start] if start in branches else []
    return [node for node in branches if node[0] == answer.table]


@dataclass(frozen=True)
class _Tree:
    """What hangs on which node, and which nodes were shown already."""

    branches: Branches
    kinds: Kinds
    seen: set[Node]


def _tree(node: Node, tree: _Tree, indent: str) -> list[str]:
    """What hangs on the node; what was shown before is not shown again."""
    if node in tree.seen:
        return []
    tree.seen.add(node)
    lines: list[str] = []
    grouped: dict[Node, list[str]] = {}
    for far, kind in tree.branches.get(node, []):
        grouped.setdefault(far, []).append(kind)
    for at, (far, kinds) in enumerate(grouped.items(), 1):
        last = at == len(grouped)
        again = " ..." if far in tree.seen and tree.branches.get(far) else ""
        lines.append(f"{indent}{'└─' if last else '├─'} {_name(far, tree.kinds)}  {', '.join(kinds)}{again}")
        lines += _tree(far, tree, indent + ("   " if last else "│  "))
    return lines


def _name(node: Node, kinds: Kinds) -> str:
    """`orders.amount`, `data/orders.csv: amount`."""
    if node[1] is None:
        return safe(node[0])
    between = ": " if kinds[node[0]].kind in ("file", "external") else "."
    return f"{safe(node[0])}{between}{safe(node[1])}"


def _listed(nodes: Iterable[Node]) -> str:
    """`orders (status, day), customers (id)`."""
    by_table: dict[str, list[str]] = {}
    for name, column in dict.fromkeys(nodes):
        by_table.setdefault(name, []).append("some column" if column is None else safe(column))
    return ", ".join(f"{safe(name)} ({', '.join(columns)})" for name, columns in by_table.items())


def _doubt(one: LineageTable) -> str:
    if one.doubt:
        return f"{safe(one.name)} was not taken apart ({safe(one.doubt)}): its columns may come of all that it reads"
    return f"{safe(one.name)}: nothing is known of {safe(', '.join(one.unknown))}"


def _project(answer: LineageResult, screen: Screen) -> list[str]:
    """Every table with what it reads and who reads it."""
    reads = _neighbours((edge.to_table, edge.from_table) for edge in answer.up)
    users = _neighbours((edge.from_table, edge.to_table) for edge in answer.up)
    columns = [Column("table"), Column("kind"), Column("columns", right=True), Column("reads"), Column("read by")]
    rows = [
        [one.name, one.kind, _columns(one), ", ".join(reads.get(one.name, ())), ", ".join(users.get(one.name, ()))]
        for one in answer.tables
    ]
    edges = sum(edge.kind != "rows" for edge in answer.up)
    last = f"{many(len(rows), 'table')}, {many(edges, 'edge')} between columns"
    return [*(table(columns, rows, screen.width) if rows else []), "", last]


def _columns(one: LineageTable) -> str:
    if one.kind in ("exposure", "file", "external"):
        return ""
    return count(len(one.columns)) if one.complete else f"{count(len(one.columns))}+"


def _neighbours(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for one, other in pairs:
        found.setdefault(one, {})[other] = None
    return {name: sorted(others) for name, others in found.items()}


# -- in a plan ---------------------------------------------------------------------------------------------------------


def change(step: PlanStep) -> list[str]:
    """What the edit of a model does, and what that means for each model and exposure behind it."""
    edit = step.change
    if edit is None:
        return []
    parts = [(word, names) for word, names in (("adds", edit.added), ("removes", edit.removed)) if names]
    parts += [("alters", edit.altered)] if edit.altered else []
    said = [f"{word} {safe(', '.join(names))}" for word, names in parts]
    said += ["may change which rows there are"] if edit.rows else []
    return [f"{safe(step.id)} changed ({edit.verdict}): {'; '.join(said)}", *map(_follower, edit.followers)]


def _follower(one: PlanFollower) -> str:
    read = f"reads {safe(', '.join(one.reads))}" if one.reads else "reads no column of it"
    kind = "exposure " if one.kind == "exposure" else ""
    return f"  {kind}{safe(one.name)} {read}: {'may change' if one.touched else 'no value of it changes'}"


def exposure(one: PlanExposure) -> str:
    """An exposure that a run reaches."""
    said = ", ".join(text for text in (one.type, one.owner, one.url) if text)
    through = safe(", ".join(one.through))
    return f"reaches {safe(one.name)}{f' ({safe(said)})' if said else ''} through {through}"

"""Drawn projects of loads and models over several days, and what plain Python says of them.

Every relation has the rows (k, v). The same few operations exist as SQL and as functions of lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from headgate.core.faults import POINTS

Row = tuple[int, int | None]
Rows = list[Row]
Kind = Literal["table", "view", "append", "merge", "interval"]
Operation = Literal["keep", "add", "boom", "total", "union", "join"]
Check = Literal["unique", "not_null", "expression", "row_count"]

SQL: Mapping[Operation, str] = {
    "keep": "select k, v from {0} where v > {c} or v is null",
    "add": "select k, v + {c} as v from {0}",
    "boom": "select k, v + cast(case when v = {c} then 'x' else '0' end as bigint) as v from {0}",
    "total": "select k % 3 as k, cast(sum(v) as bigint) as v from {0} group by 1",
    "union": "select k, v from {0} union all select k, v from {1}",
    "join": "select k, a.v + b.v as v from {0} as a join (select k, max(v) as v from {1} group by k) as b using (k)",
}
CONFIG: Mapping[Kind, str] = {
    "table": "materialized='table'",
    "view": "materialized='view'",
    "append": "materialized='incremental'",
    "merge": "materialized='incremental', unique_key='k'",
    "interval": "materialized='incremental', time_column='d'",
}


class Refused(Exception):
    """The model can't be built, or may not be published."""


@dataclass(frozen=True)
class Test:
    """A promise about the rows; `c` is its bound."""

    __test__ = False
    check: Check
    c: int
    warns: bool

    def yaml(self) -> str:
        """The test of a model as YAML, on one line."""
        severity = f"severity: {'warn' if self.warns else 'error'}"
        if self.check == "unique":
            return f"unique: {{columns: [k], config: {{{severity}}}}}"
        if self.check == "row_count":
            return f"row_count: {{max: {self.c + 8}, {severity}}}"
        condition = "v is not null" if self.check == "not_null" else f"v >= {-self.c}"
        return f"expression: {{expression: '{condition}', {severity}}}"

    def fails(self, rows: Rows) -> bool:
        if self.check == "unique":
            return len({k for k, _ in rows}) < len(rows)
        if self.check == "row_count":
            return len(rows) > self.c + 8
        if self.check == "not_null":
            return any(v is None for _, v in rows)
        return any(v is not None and v < -self.c for _, v in rows)


@dataclass(frozen=True)
class Node:
    """A model: `reads` are names of loads and of models before it."""

    name: str
    kind: Kind
    operation: Operation
    reads: tuple[str, ...]
    c: int
    tests: tuple[Test, ...]
    optional: bool

    def sql(self) -> str:
        """The model's file."""
        refs = [f"{{{{ ref('{one}') }}}}" for one in (*self.reads, self.reads[0])]
        select = SQL[self.operation].format(*refs, c=self.c)
        if self.kind == "interval":
            select = f"select k, v, date '2024-01-01' + cast(k as integer) as d from ({select}) as one"
        return f"{{{{ config({CONFIG[self.kind]}) }}}}\n{select}\n"

    def yaml(self) -> str:
        """What stands of it in the YAML file."""
        lines = [f"  - name: {self.name}", f"    config: {{optional: {'true' if self.optional else 'false'}}}"]
        if self.tests:
            lines += ["    tests:", *(f"      - {one.yaml()}" for one in self.tests)]
        return "\n".join(lines)

    def built(self, inputs: Sequence[Rows], stands: Rows | None) -> Rows:
        """The rows after a build that passes. Raises Refused."""
        rows = _OPERATIONS[self.operation](inputs, self.c)
        if self.kind == "merge":
            if len({k for k, _ in rows}) < len(rows):
                raise Refused("two new rows of one key")
            rows = [*rows, *(old for old in stands or [] if old[0] not in {k for k, _ in rows})]
        elif self.kind == "append":
            rows = [*(stands or []), *rows]
        if any(test.fails(rows) for test in self.tests if not test.warns):
            raise Refused("a test")
        return rows


def _boom(inputs: Sequence[Rows], c: int) -> Rows:
    if any(v == c for _, v in inputs[0]):
        raise Refused("a value that can't be converted")
    return inputs[0]


def _total(inputs: Sequence[Rows], _: int) -> Rows:
    sums: dict[int, int | None] = {}
    for k, v in inputs[0]:
        before = sums.setdefault(k % 3, None)
        sums[k % 3] = before if v is None else v + (before or 0)
    return list(sums.items())


def _join(inputs: Sequence[Rows], _: int) -> Rows:
    most: dict[int, int | None] = {}
    for k, v in inputs[-1]:
        before = most.setdefault(k, None)
        most[k] = before if v is None else v if before is None else max(v, before)
    return [(k, _plus(v, most[k])) for k, v in inputs[0] if k in most]


def _plus(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else one + two


_OPERATIONS: Mapping[Operation, Callable[[Sequence[Rows], int], Rows]] = {
    "keep": lambda inputs, c: [(k, v) for k, v in inputs[0] if v is None or v > c],
    "add": lambda inputs, c: [(k, _plus(v, c)) for k, v in inputs[0]],
    "boom": _boom,
    "total": _total,
    "union": lambda inputs, _: [*inputs[0], *inputs[-1]],
    "join": _join,
}


@dataclass(frozen=True)
class Day:
    """What arrives, by load, and where the run dies: at which point of its how manieth commit; None: it does not."""

    arrives: Mapping[str, Rows]
    dies: tuple[int, str] | None


@dataclass(frozen=True)
class Life:
    """A project and its days."""

    loads: tuple[str, ...]
    nodes: tuple[Node, ...]
    days: tuple[Day, ...]

    def files(self) -> dict[str, str]:
        """The project's files."""
        found = {
            f"ingest/{one.replace('.', '_')}.yml": (
                f"table: {one}\nfrom: data/{one}/*.csv\ncolumns:\n  k: int, required\n  v: int\n"
            )
            for one in self.loads
        }
        found |= {f"models/{node.name}.sql": node.sql() for node in self.nodes}
        return found | {"models/models.yml": "models:\n" + "\n".join(node.yaml() for node in self.nodes) + "\n"}

    def arrivals(self, number: int) -> dict[str, str]:
        """The files that come on that day."""
        return {
            f"data/{one}/{number}.csv": "k,v\n" + "".join(f"{k},{'' if v is None else v}\n" for k, v in rows)
            for one, rows in self.days[number].arrives.items()
            if rows
        }


ROW = st.tuples(st.integers(0, 5), st.one_of(st.integers(-3, 7), st.none()))
TESTS = st.builds(
    Test, st.sampled_from(("unique", "not_null", "expression", "row_count")), st.integers(0, 3), st.booleans()
)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Projects of one or two loads and three to six models over two to four days."""
    loads = ("raw.one", "raw.two")[: draw(st.integers(1, 2))]
    nodes: list[Node] = []
    for at in range(draw(st.integers(3, 6))):
        kind = draw(st.sampled_from(("table", "view", "append", "append", "merge", "interval")))
        # An error in a view is raised only where the column is read; new intervals are told row by row.
        single = ("keep", "add") if kind == "view" else ("keep", "add", "boom")
        several = () if kind == "interval" else ("total", "union", "join")
        operation = draw(st.sampled_from((*single, *several)))
        before = [*loads, *(node.name for node in nodes)]
        reads = tuple(draw(st.lists(st.sampled_from(before), min_size=1, max_size=2, unique=True)))
        tests = tuple(draw(st.lists(TESTS, max_size=2, unique_by=lambda test: test.check)))
        optional = draw(st.integers(0, 4)) == 4
        reads = reads[: 2 if operation in ("union", "join") else 1]
        nodes.append(Node(f"m{at}", kind, operation, reads, draw(st.integers(0, 6)), tests, optional))
    points = st.sampled_from((*POINTS, "after_write", "after_write", "after_commit"))
    deaths = st.one_of(st.none(), st.tuples(st.integers(1, len(nodes) + len(loads)), points))
    days = [
        Day({one: draw(st.lists(ROW, min_size=number == 0, max_size=4)) for one in loads}, draw(deaths))
        for number in range(draw(st.integers(2, 4)))
    ]
    return Life(loads, tuple(nodes), tuple(days))


def same(one: Rows | None, other: Rows | None) -> bool:
    """Whether these are the same rows, in any order."""
    return (one is None) == (other is None) and Counter(one or []) == Counter(other or [])

"""Random graphs of models with failing tests, errors and kills: what is published always passed, and is never half.

After each run every published relation is what plain Python makes of the rows that its inputs have, or what it was
before, and which of the two follows from how the step ended. After a kill it is one of the two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, note, settings
from tests.property.dags import Day, Life, Node, Refused, Rows, Test, lives, same
from tests.unit.project_kit import WAREHOUSE, Folder

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.api.project import Project
from headgate.core import faults


class Dead(BaseException):
    """What a process that was killed runs into; nothing catches it."""


class Mind:
    """What must stand, and what must be built, by plain Python.

    `stands`: the published rows by name (of a view: whether it is there), None where nothing is; the table of a load is
    there from the start. `due`: whether an input was published since the model was; None where a kill left it open.
    """

    def __init__(self, life: Life) -> None:
        self.life = life
        self.nodes = {node.name: node for node in life.nodes}
        self.stands: dict[str, Rows | None] = {one: [] for one in life.loads} | dict.fromkeys(self.nodes)
        self.due: dict[str, bool | None] = dict.fromkeys(self.nodes, True)

    def rows(self, name: str) -> Rows | None:
        """What a reader finds; a view shows new rows of its inputs at once."""
        node = self.nodes.get(name)
        if node is None or node.kind != "view" or self.stands[name] is None:
            return self.stands[name]
        return Node(name, "view", node.operation, node.reads, node.c, (), False).built(self.inputs(node), None)

    def inputs(self, node: Node) -> list[Rows]:
        return [self.rows(one) or [] for one in node.reads]

    def built(self, node: Node) -> Rows:
        return node.built(self.inputs(node), self.stands[node.name])

    def publish(self, name: str, rows: Rows) -> None:
        self.stands[name] = rows
        if name in self.due:
            self.due[name] = False
        for node in self.life.nodes:
            if name in node.reads:
                self.due[node.name] = True

    def unsure(self, name: str) -> None:
        """It may have been built, to the same rows as before."""
        if self.due.get(name):
            self.due[name] = None
        for node in self.life.nodes:
            if name in node.reads and self.due[node.name] is False:
                self.due[node.name] = None


@contextmanager
def death(at: tuple[int, str] | None) -> Iterator[None]:
    """The process dies at that point of that commit: from then on nothing reaches the warehouse, clean-up included."""
    begun, dead = 0, False
    execute = DuckDBSession.execute

    def mortal(session: DuckDBSession, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if dead:
            raise Dead(sql)
        return execute(session, sql, params)

    def hook(point: str) -> None:
        nonlocal begun, dead
        begun += point == "before_write"
        if (begun, point) == at:
            dead = True
            raise Dead(point)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DuckDBSession, "execute", mortal)
        faults.install(hook)
        try:
            yield
        finally:
            faults.install(None)


def run(folder: Folder, dies: tuple[int, str] | None) -> dict[str, str] | None:
    """How each step ended; None if the run was killed."""
    try:
        with death(dies), Project.open(folder.root) as project:
            result = project.run()
    except Dead:
        return None
    assert result.balanced
    return {step.id: step.status for step in result.steps}


def published(folder: Folder, mind: Mind) -> dict[str, Rows | None]:
    """What a reader finds of each relation, and that nothing else is there but what failed, to be looked at."""
    with duckdb.connect(str(folder.root / WAREHOUSE)) as connection:
        select = "select table_schema, table_name from information_schema.tables where table_schema in ('raw', 'main')"
        there = {".".join(row).removeprefix("main.") for row in connection.execute(select).fetchall()}
        assert {name for name in there if not name.endswith("__hg_failed")} <= set(mind.stands)
        return {
            name: connection.execute(f"select k, v from {name}").fetchall() if name in there else None
            for name in mind.nodes
        } | {
            name: connection.execute(f"select k, v from {name}").fetchall() if name in there else []
            for name in mind.life.loads
        }


def after_a_run(mind: Mind, ended: dict[str, str], found: dict[str, Rows | None], arrived: dict[str, Rows]) -> None:
    """Every relation is what the end of its step says."""
    troubled: set[str] = set()
    for one in mind.life.loads:
        if not same(mind.stands[one], arrived[one]):
            mind.publish(one, arrived[one])
        assert same(found[one], arrived[one]), one
    for node in mind.life.nodes:
        status, due = ended[node.name], mind.due[node.name]
        assert (status == "blocked") == bool(troubled & set(node.reads)), f"{node.name} is {status}"
        if status == "ok":
            assert due is not False, f"{node.name} was built without a reason"
            mind.publish(node.name, mind.built(node))
        elif status == "failed":
            assert due is not False, f"{node.name} failed without a reason to build it"
            with pytest.raises(Refused):
                mind.built(node)
        elif status == "skipped":
            assert due is not True, f"{node.name} was not built although an input changed"
        if status in ("failed", "blocked") and not (node.optional and mind.stands[node.name] is not None):
            troubled.add(node.name)
        assert same(found[node.name], mind.rows(node.name)), f"{node.name} is {status}"


def after_a_kill(mind: Mind, found: dict[str, Rows | None], arrived: dict[str, Rows]) -> None:
    """Every relation is as it was, or as a build from what stands now makes it."""
    for one in mind.life.loads:
        assert same(found[one], mind.stands[one]) or same(found[one], arrived[one]), one
        if not same(found[one], mind.stands[one]):
            mind.publish(one, arrived[one])
    for node in mind.life.nodes:
        before, now = mind.rows(node.name), found[node.name]
        try:
            built = mind.built(node)
        except Refused:
            assert same(now, before), node.name
            continue
        assert same(now, before) or same(now, built), node.name
        if not same(now, before):
            mind.publish(node.name, built)
        elif same(before, built):
            mind.unsure(node.name)


def live(life: Life, root: Path, told: Callable[[str], None]) -> None:
    """Every day of the project, with everything compared at its end and after a kill; a killed run is begun again."""
    folder, mind = Folder.make(root, life.files()), Mind(life)
    arrived: dict[str, Rows] = {one: [] for one in life.loads}
    for number, day in enumerate(life.days):
        for name, text in life.arrivals(number).items():
            folder.write(name, text)
        arrived = {one: [*rows, *day.arrives[one]] for one, rows in arrived.items()}
        ended = run(folder, day.dies)
        if ended is None:
            told(f"day {number}: killed at {day.dies}")
            after_a_kill(mind, published(folder, mind), arrived)
            assert folder.codes() == []
            ended = run(folder, None)
        told(f"day {number}: {ended}")
        assert ended is not None
        after_a_run(mind, ended, published(folder, mind), arrived)
    assert folder.codes() == []


def sharp(point: str) -> Life:
    """A kill in the second build of a model that appends, one behind it, and a test that fails on the last day."""
    nodes = (
        Node("m0", "append", "keep", ("raw.one",), 0, (), False),
        Node("m1", "view", "add", ("m0",), 1, (), False),
        Node("m2", "table", "keep", ("m1",), 0, (Test("expression", 0, False),), False),
        Node("m3", "interval", "keep", ("raw.one",), -9, (Test("expression", 3, False),), True),
        Node("m4", "table", "union", ("m2", "m3"), 0, (), False),
    )
    days = (
        Day({"raw.one": [(1, 5), (2, None)]}, None),
        Day({"raw.one": [(2, 6)]}, (2, point)),
        Day({"raw.one": [(3, -4)]}, None),
    )
    return Life(("raw.one",), nodes, days)


@settings(max_examples=max(2, settings.default.max_examples // 4) if settings.default else 2)
@example(sharp("after_write"))
@example(sharp("after_commit"))
@given(lives())
def test_what_is_published_has_passed_whatever_fails_and_dies(life: Life) -> None:
    with tempfile.TemporaryDirectory() as home:
        live(life, Path(home), note)

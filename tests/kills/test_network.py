"""Connections to the warehouse that break around a COMMIT: the read-back decides, and nothing is lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.services.child import free_port
from tests.services.postgres import Postgres, connect
from tests.services.proxy import Proxy

from headgate.adapters.postgres.store import PostgresStore
from headgate.api.project import Project
from headgate.books import ledger
from headgate.books.schema import migrate
from headgate.core.errors import AdapterError, CommitError
from headgate.testing.kills_project import state, write_day, write_project
from headgate.testing.kills_sites import PostgresSite
from headgate.testing.store_suite import CHANGES, TABLE, Crash, as_alone, at_faults, seen, whole

COMMIT = b"COMMIT\0"
"""The statement as it goes over the wire; `ON COMMIT DROP` is none."""
SHORT = 0.3


@dataclass
class Wire:
    """A store behind a proxy, and one beside it. `heard(chunk)` gets what clients send while it is set."""

    proxy: Proxy
    direct: PostgresStore
    shaky: PostgresStore
    ears: list[Callable[[bytes], None]] = field(default_factory=list)
    points: list[str] = field(default_factory=list)

    @contextmanager
    def at(self, point: str, do: Callable[[], object], times: int = 1) -> Iterator[None]:
        """Does that at the first `times` times that the point is reached. The points are kept."""

        def hook(reached: str) -> None:
            self.points.append(reached)
            if reached == point and self.points.count(point) <= times:
                do()

        with at_faults(hook):
            yield

    def cut_at(self, begin: Callable[[bytes], bool]) -> Callable[[], None]:
        """An action: from now on, the first chunk of a client for which that holds is lost, and all connections."""

        def hear(chunk: bytes) -> None:
            if begin(chunk):
                self.ears.clear()
                self.proxy.cut()

        return lambda: self.ears.append(hear)

    def entries(self) -> int:
        with self.direct.session() as session:
            return len(ledger.entries(session, str(TABLE)))


def open_store(address: str, temp: Path, patience: float = 30.0, polite: bool = False) -> PostgresStore:
    return PostgresStore(address, "the warehouse", temp, polite=polite, patience=patience)


@pytest.fixture
def wire(postgres: str, postgres_server: Postgres, tmp_path: Path) -> Iterator[Wire]:
    ears: list[Callable[[bytes], None]] = []
    listen = lambda chunk: [ear(chunk) for ear in list(ears)]  # noqa: E731
    with (
        Proxy(postgres_server.address, listen) as proxy,
        closing(open_store(postgres, tmp_path)) as direct,
        closing(open_store(proxy.url(postgres) + "?sslmode=disable&gssencmode=disable", tmp_path)) as shaky,
    ):
        with direct.session() as session:
            migrate(session)
        yield Wire(proxy, direct, shaky, ears)


def is_commit(chunk: bytes) -> bool:
    return COMMIT in chunk


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_commit_whose_answer_is_lost_counts_once(wire: Wire, name: str) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()
    orders = []
    with wire.at("after_write", lambda: orders.append(wire.proxy.cut_after(COMMIT, b"COMMIT"))):
        change.end(wire.shaky)
    assert orders[0].happened
    assert wire.points.count("before_write") == 1  # it was not tried again
    assert as_alone(change, seen(wire.direct))
    assert wire.entries() == before + 1


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_commit_that_never_reached_the_server_is_tried_again(wire: Wire, name: str) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()
    with wire.at("after_write", wire.cut_at(is_commit)):
        change.end(wire.shaky)
    assert not wire.ears
    assert wire.points.count("before_write") == 2
    assert as_alone(change, seen(wire.direct))
    assert wire.entries() == before + 1


@pytest.mark.parametrize(
    ("name", "point"),
    list(zip(CHANGES, ["before_write", "after_begin", "after_decide", "after_commit", "before_ack"], strict=True)),
)
def test_a_cut_at_a_fault_point_is_gone_over(wire: Wire, name: str, point: str) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()
    with wire.at(point, wire.proxy.cut):
        change.end(wire.shaky)
    assert as_alone(change, seen(wire.direct))
    assert wire.entries() == before + 1


@pytest.mark.parametrize(
    ("name", "point"), [("append", "before_write"), ("append", "after_decide"), ("upsert", "after_decide")]
)
def test_a_cut_while_rows_are_copied_is_gone_over(wire: Wire, name: str, point: str) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    copies: list[bytes] = []

    def in_copy(chunk: bytes) -> bool:
        copies.extend([chunk] if b"COPY " in chunk or (copies and chunk.startswith(b"d")) else [])
        return len(copies) == 2

    with wire.at(point, wire.cut_at(in_copy)):
        change.end(wire.shaky)
    assert len(copies) == 2
    assert as_alone(change, seen(wire.direct))


@pytest.mark.parametrize("name", ["upsert"])
def test_an_answer_that_is_held_back_and_then_lost(wire: Wire, name: str) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()
    committed = threading.Event()

    def cut() -> None:
        while wire.entries() == before:
            committed.wait(0.01)
        committed.set()
        wire.proxy.cut()
        wire.proxy.resume()

    thread = threading.Thread(target=cut)
    with wire.at("after_write", lambda: (wire.proxy.stall(), thread.start())):
        change.end(wire.shaky)
    thread.join()
    assert committed.is_set()
    assert as_alone(change, seen(wire.direct))
    assert wire.entries() == before + 1


@pytest.mark.parametrize("name", ["append", "reload"])
def test_two_lost_answers_one_after_the_other(wire: Wire, name: str) -> None:
    """The second is that of the read-back."""
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()
    orders = []

    def again(chunk: bytes) -> None:
        if b"SELECT attempt, digest" in chunk:
            wire.ears.clear()
            wire.proxy.cut()

    def lose() -> None:
        orders.append(wire.proxy.cut_after(COMMIT, b"COMMIT"))
        wire.ears.append(again)

    with wire.at("after_write", lose):
        change.end(wire.shaky)
    assert orders[0].happened
    assert not wire.ears
    assert wire.entries() == before + 1
    assert as_alone(change, seen(wire.direct))


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("name", ["append", "replace"])
def test_where_nobody_can_be_asked_the_commit_is_unknown(
    wire: Wire, postgres: str, tmp_path: Path, name: str, committed: bool
) -> None:
    change = CHANGES[name]
    change.begin(wire.direct)
    before = wire.entries()

    def vanish() -> None:
        wire.proxy.divert(("127.0.0.1", free_port()))
        wire.proxy.cut_after(COMMIT, b"COMMIT") if committed else wire.cut_at(is_commit)()

    address = wire.proxy.url(postgres) + "?sslmode=disable&gssencmode=disable"
    with (
        closing(open_store(address, tmp_path, patience=SHORT)) as shaky,
        wire.at("after_write", vanish),
        pytest.raises(CommitError) as caught,
    ):
        change.end(shaky)
    found = caught.value.finding
    assert found.code == "commit-unknown"
    assert "the books know" in found.fix
    assert wire.entries() == before + committed
    assert change.second.into(wire.direct).status == ("skipped" if committed else "ok")
    assert as_alone(change, seen(wire.direct))


def test_a_server_that_dies_inside_a_commit_and_does_not_come_back(
    postgres: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    change = CHANGES["append"]
    with closing(open_store(postgres, tmp_path, patience=SHORT)) as store:
        with store.session() as session:
            migrate(session)
        change.begin(store)
        before = whole(store)

        def die(point: str) -> None:
            if point == "after_decide":
                postgres_server.kill()

        with at_faults(die), pytest.raises(AdapterError) as caught:
            change.end(store)
        assert caught.value.finding.code == "warehouse-unreachable"
        postgres_server.start()
        assert whole(store) == before  # the same store, with connections that died
        change.end(store)
        assert as_alone(change, seen(store))


def test_a_server_that_comes_back_is_waited_for(postgres: str, postgres_server: Postgres, tmp_path: Path) -> None:
    change = CHANGES["upsert"]
    with closing(open_store(postgres, tmp_path, polite=True)) as store:
        with store.session() as session:
            migrate(session)
        change.begin(store)
        died: list[str] = []

        def die(point: str) -> None:
            if point == "after_write" and not died:
                died.append(point)
                postgres_server.kill()
                postgres_server.start()

        with at_faults(die):
            change.end(store)
        assert died
        assert as_alone(change, seen(store))


def test_who_loses_the_connection_that_holds_its_turn_has_lost_nothing(postgres: str, tmp_path: Path) -> None:
    change = CHANGES["append"]
    with closing(open_store(postgres, tmp_path, polite=True)) as store, connect(postgres) as admin:
        with store.session() as session:
            migrate(session)
        change.begin(store)

        def end_turns(point: str) -> None:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )

        with at_faults(end_turns):
            change.end(store)
        assert as_alone(change, seen(store))


def test_a_crash_with_an_open_transaction_leaves_nothing_to_the_next_user_of_its_connection(wire: Wire) -> None:
    change = CHANGES["append"]
    change.begin(wire.shaky)

    def crash() -> None:
        raise Crash

    with wire.at("after_write", crash), pytest.raises(Crash):
        change.end(wire.shaky)
    with wire.shaky.session() as session:
        left = session.execute("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")
        assert left == []
        assert session.connection.info.transaction_status.name == "IDLE"


def test_a_project_whose_every_answer_to_a_commit_is_lost(postgres_server: Postgres, tmp_path: Path) -> None:
    """Append, upsert, replace, a model's table and a model's view."""
    calm, shaky = tmp_path / "calm", tmp_path / "shaky"
    with closing(PostgresSite(postgres_server.admin)) as site, Proxy(postgres_server.address) as proxy:
        for folder in (calm, shaky):
            folder.mkdir()
            write_project(folder, site.settle(folder))
        (shaky / "secrets.yml").write_text(f"KILLS_WAREHOUSE: {proxy.url(site.url(shaky))}?sslmode=disable\n")
        for day in (1, 2):
            orders = []

            def lose(point: str, orders: list[object] = orders) -> None:
                if point == "after_write":
                    orders.append(proxy.cut_after(COMMIT, b"COMMIT"))

            for folder in (calm, shaky):
                write_day(folder, 1, day)
            assert Project.open(calm).run().status == "ok"
            with at_faults(lose):
                done = Project.open(shaky).run()
            assert [step.status for step in done.steps] == ["ok"] * 9
            assert len(orders) == 9
        with closing(site.store(calm)) as one, closing(site.store(shaky)) as other:
            assert state(other) == state(one)
            with one.session() as first, other.session() as second:
                assert len(ledger.entries(second)) == len(ledger.entries(first))
        assert Project.open(shaky).audit().findings == ()

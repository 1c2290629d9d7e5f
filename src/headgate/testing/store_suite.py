"""What every store must keep, as tests: bind `StoreSuite` to a store by a `kit` fixture.

class TestMyStore(StoreSuite):
    @pytest.fixture
    def kit(self, tmp_path): return MyKit(tmp_path)

The suite uses the store by its protocol and the warehouse by the books: nothing in it knows which system it runs on. It
is for stores whose `atomicity` is "transaction".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, cast

import pytest

from headgate.books import ledger
from headgate.books.audit import audit
from headgate.books.schema import VERSION, migrate, version_of
from headgate.contracts.model import Child, Contract, Limit
from headgate.contracts.short import as_upsert, parse_lines
from headgate.core import faults
from headgate.core.errors import CommitError, Location
from headgate.core.protocols import Session, Store, StoreSession
from headgate.core.values import TableRef
from headgate.project.model import Disposition, Ingest, LoadSpec, OnChange, SourceSpec
from headgate.run.flow import Flow
from headgate.run.job import Job, Loaded
from headgate.run.load import load
from headgate.run.replay import replay
from headgate.run.restore import restore
from headgate.sql import quote
from headgate.testing.memory import Malformed, MemoryFile, MemorySource, Record

TABLE = TableRef("suite", "orders")
COLUMNS = ("id", "at", "amount")
PATIENCE = 10.0
"""Seconds after which a thread that waits for another has hung."""
_NO_END = """SELECT count(*) FROM generate_series(1, 1000000) AS a(x), generate_series(1, 1000000) AS b(y)
             WHERE x + y < 0"""
"""A statement that takes days."""
NOTHING_KEPT = ("before_write", "after_begin", "after_stage", "after_decide", "after_write")
ALL_KEPT = ("after_commit", "before_ack")
PREPARING = 1
"""COMMITs of a load or replay before the one with the rows: the one that makes sure that the table is there."""
BOOKS = ("entry", "position", "quarantine", "refusal", "table_state", "contract")


class StoreKit(Protocol):
    """What the suite needs of a store under test."""

    def store(self) -> Store:
        """The store over the same warehouse each time, which is empty at the first call; the suite closes it."""
        ...


Rows = Sequence[tuple[str | None, str | None, str | None] | Malformed]


def file(*rows: tuple[str | None, str | None, str | None] | Malformed, identity: str = "1") -> MemoryFile:
    """A file of records `id, at, amount`, as text."""
    records: list[Record] = [
        one if isinstance(one, Malformed) else dict(zip(COLUMNS, one, strict=True)) for one in rows
    ]
    return MemoryFile(identity, COLUMNS, tuple(records))


@dataclass(frozen=True)
class Shop:
    """A flow over files in memory. `columns` are the contract's lines."""

    files: Mapping[str, MemoryFile]
    load: Disposition = "append"
    order_by: str | None = "at"
    columns: Mapping[str, str] = field(
        default_factory=lambda: {"id": "int, key", "at": "timestamp", "amount": "decimal(12,2), required, min(0)"}
    )
    limit: Limit | None = None
    on_change: OnChange = "error"
    cuts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    children: tuple[Child, ...] = ()

    @property
    def flow(self) -> Flow:
        contract: Contract = parse_lines(self.columns, refuse_at_most=self.limit)
        contract = replace(contract, children=self.children)
        keys: tuple[str, ...] = ()
        if self.load == "upsert":
            keys, contract = contract.key, as_upsert(contract, contract.key)
        place = Location("suite.yml")
        spec = LoadSpec(self.load, keys, self.order_by if keys else None)
        ingest = Ingest(TABLE, SourceSpec("memory", {}, place), spec, contract, on_change=self.on_change, where=place)
        return Flow(ingest, MemorySource(self.files, self.cuts), contract)

    def into(self, store: Store, full_refresh: bool = False) -> Loaded:
        return load(Job(store, self.flow, "suite", full_refresh))


class Crash(BaseException):
    """What is raised at a fault point; no product code catches it."""


@contextmanager
def at_faults(hook: Callable[[str], None]) -> Iterator[None]:
    """Calls `hook(point)` at every fault point inside the block."""
    faults.install(hook)
    try:
        yield
    finally:
        faults.install(None)


def crash_at(point: str) -> Callable[[str], None]:
    def hook(reached: str) -> None:
        if reached == point:
            raise Crash(point)

    return hook


@dataclass
class Commits:
    """A store whose sessions treat COMMIT otherwise, from the `first` one on (0-based), as often as `times`.

    `how`: "answer-lost" (committed, but the caller gets an error) | "lost" (an error, and nothing was committed) |
    "dropped" (no error, and nothing was committed).
    """

    inner: Store
    how: Literal["answer-lost", "lost", "dropped"]
    first: int = 0
    times: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        self.atomicity = self.inner.atomicity

    @contextmanager
    def session(self) -> Iterator[StoreSession]:
        with self.inner.session() as session:
            yield cast(StoreSession, _CommitSession(session, self))

    def lock(self, table: TableRef) -> AbstractContextManager[None]:
        return self.inner.lock(table)

    def is_conflict(self, error: BaseException) -> bool:
        return self.inner.is_conflict(error)

    def close(self) -> None:
        self.inner.close()


@dataclass
class _CommitSession:
    inner: StoreSession
    owner: Commits

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def engine(self) -> Any:
        inner: object = self.inner
        return self if self.inner.engine is inner else self.inner.engine

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if sql.strip().upper() != "COMMIT":
            return self.inner.execute(sql, params)
        owner, number = self.owner, self.owner.seen
        owner.seen += 1
        if not owner.first <= number < owner.first + owner.times:
            return self.inner.execute(sql)
        self.inner.execute("COMMIT" if owner.how == "answer-lost" else "ROLLBACK")
        if owner.how != "dropped":
            raise ConnectionError("the connection broke")
        return []


@dataclass(frozen=True)
class Seen:
    """The warehouse as a user sees it: rows, open and held records, positions, sums of entries."""

    rows: list[tuple[str, ...]]
    records: list[tuple[Any, ...]]
    positions: dict[str, tuple[int, int, Any]]
    read: int
    loaded: int
    quarantined: int
    deduplicated: int


def seen(store: Store) -> Seen:
    """What is there now, with the audit clean. Attempts, times and ids are left out."""
    with store.session() as session:
        assert [finding.render() for finding in audit(session).findings] == []
        entries = ledger.entries(session, str(TABLE))
        records = session.execute(
            """SELECT partition, record, reasons, raw, "row", status FROM _headgate.quarantine
               WHERE status IN ('open', 'held') ORDER BY partition, record, reasons"""
        )
        seats = ledger.seats(session, str(TABLE))
        rows = _rows(session) if ledger.table_state(session, TABLE) else []
    return Seen(
        rows,
        records,
        {name: (seat.generation, seat.seq, seat.position) for name, seat in seats.items()},
        sum(entry.rows_read for entry in entries),
        sum(entry.rows_loaded for entry in entries),
        sum(entry.rows_quarantined for entry in entries),
        sum(entry.rows_deduplicated for entry in entries),
    )


def _rows(session: Session, *more: str) -> list[tuple[str, ...]]:
    listed = ", ".join(f"CAST({quote.ident(name)} AS VARCHAR)" for name in (*COLUMNS, *more))
    return sorted(session.execute(f"SELECT {listed} FROM {quote.table(TABLE)}"), key=repr)


def whole(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything: the table with the origin of its rows, and every column of every table of the books."""
    with store.session() as session:
        shown: dict[str, list[tuple[Any, ...]]] = {
            name: sorted(session.execute(f"SELECT * FROM _headgate.{name}"), key=repr) for name in BOOKS
        }
        return {**shown, str(TABLE): _rows(session, "_hg_load")}


def ids(found: Seen) -> list[str]:
    return sorted(row[0] for row in found.rows)


LISTS = (Child("suite.lines", "list", parse_lines({"sku": "text, required"}), (("id", "order_id"),), "position"),)


def with_lists(identity: str, *rows: tuple[str, str]) -> MemoryFile:
    """A file of records `id, at, list`: an id, and lines as JSON."""
    records = tuple({"id": number, "at": "2024-01-01", "list": text} for number, text in rows)
    return MemoryFile(identity, ("id", "at", "list"), records)


def lists_of(load: Disposition, records: MemoryFile) -> Shop:
    """A shop whose records hold lists."""
    columns = {"id": "int, key", "at": "timestamp"}
    return Shop({"mon": records}, load, "at", columns, Limit(share=1.0), "reload", children=LISTS)


def lines(store: Store) -> list[tuple[str, ...]]:
    """The rows of the child table, as text."""
    names = ", ".join(f"CAST({name} AS VARCHAR)" for name in ("order_id", "position", "sku"))
    with store.session() as session:
        return sorted(session.execute(f"SELECT {names} FROM suite.lines"))


MON = file(("1", "2024-01-01", "1.10"), ("2", "2024-01-01", "2.20"), ("2", "2024-01-01", "9"), ("3", None, "-1"))
TUE = file(("1", "2024-01-02", "5"), ("4", "2024-01-02", "0.01"), (None, "2024-01-02", "7"))
MALFORMED = Malformed('"broken', "a quote is not closed")


@dataclass(frozen=True)
class Change:
    """A second load after `first`: what fault points and broken commits are tried on."""

    first: Shop
    second: Shop

    def begin(self, store: Store) -> None:
        assert self.first.into(store).status == "ok"

    def end(self, store: Store) -> None:
        assert self.second.into(store).status == "ok"


class Replayed(Change):
    """A replay instead of a second load: under the second shop's contract, all open records are judged again."""

    def end(self, store: Store) -> None:
        replay(store, self.second.flow, None, "suite")


EASIER = {"id": "int, key", "at": "timestamp", "amount": "decimal(12,2), required"}
CHANGES = {
    "append": Change(Shop({"mon": MON}), Shop({"mon": MON, "tue": TUE})),
    "upsert": Change(Shop({"mon": MON}, "upsert"), Shop({"mon": MON, "tue": TUE}, "upsert")),
    "replace": Change(
        Shop({"mon": MON}, "replace", limit=Limit(share=1.0)),
        Shop({"mon": replace(TUE, identity="2")}, "replace", limit=Limit(share=1.0)),
    ),
    "reload": Change(
        Shop({"mon": MON, "tue": TUE}),
        Shop({"mon": replace(TUE, identity="2"), "tue": TUE}, on_change="reload"),
    ),
    "replay": Replayed(Shop({"mon": MON}), Shop({"mon": MON}, columns=EASIER)),
}
POINTS = [(name, point) for name in CHANGES for point in (*NOTHING_KEPT, *ALL_KEPT)]


class StoreSuite:
    """Bind by a fixture `kit` that gives a `StoreKit`."""

    @pytest.fixture
    def store(self, kit: StoreKit) -> Iterator[Store]:
        """The store with new books."""
        with closing(kit.store()) as made:
            with made.session() as session:
                migrate(session)
            yield made

    def test_it_declares_that_it_commits_in_transactions(self, store: Store) -> None:
        assert store.atomicity == "transaction"

    def test_books_are_made_once_and_are_still_there_when_it_is_opened_again(self, kit: StoreKit) -> None:
        for found in (None, VERSION):
            with closing(kit.store()) as store, store.session() as session:
                assert version_of(session) == found
                migrate(session)
                assert version_of(session) == VERSION

    def test_a_session_sees_what_another_committed_and_nothing_else(self, store: Store) -> None:
        with store.session() as one, store.session() as other:
            one.execute("CREATE SCHEMA suite")
            one.execute("CREATE TABLE suite.t (x BIGINT)")
            one.execute("BEGIN")
            one.execute("INSERT INTO suite.t VALUES (1)")
            assert other.execute("SELECT x FROM suite.t") == []
            one.execute("COMMIT")
            assert other.execute("SELECT x FROM suite.t WHERE x = ?", [1]) == [(1,)]
            one.execute("BEGIN")
            one.execute("DROP TABLE suite.t")
            one.execute("ROLLBACK")
            assert other.execute("SELECT x FROM suite.t") == [(1,)]

    def test_times_without_zone_are_utc_in_every_session(self, store: Store) -> None:
        for _ in range(2):
            with store.session() as session:
                [(text,)] = session.execute("SELECT CAST(TIMESTAMPTZ '2024-07-01 12:00:00' AS VARCHAR)")
                assert text.startswith("2024-07-01 12:00:00+00")

    # Dispositions

    def test_append_adds_rows_and_refuses_taken_keys(self, store: Store) -> None:
        done = Shop({"mon": MON, "tue": TUE}).into(store)
        assert (done.status, done.counts.read, done.counts.loaded, done.counts.quarantined) == ("ok", 7, 3, 4)
        found = seen(store)
        assert [(row[0], row[2]) for row in found.rows] == [("1", "1.10"), ("2", "2.20"), ("4", "0.01")]
        assert [record[:2] for record in found.records] == [("mon", 3), ("mon", 4), ("tue", 1), ("tue", 3)]

    def test_append_in_two_runs_ends_as_in_one(self, store: Store) -> None:
        Shop({"mon": MON}).into(store)
        Shop({"mon": MON, "tue": TUE}).into(store)
        found = seen(store)
        assert ids(found) == ["1", "2", "4"]
        assert Shop({"mon": MON, "tue": TUE}).into(store).status == "skipped"
        assert seen(store) == found

    @pytest.mark.parametrize("disposition", ["append", "upsert"])
    def test_slices_of_a_file_are_one_chain(self, store: Store, disposition: Disposition) -> None:
        Shop({"mon": MON}, disposition, cuts={"mon": [1, 2]}).into(store)
        with store.session() as session:
            entries = ledger.entries(session, str(TABLE))
        assert [(entry.seq, entry.rows_read) for entry in entries] == [(1, 1), (2, 1), (3, 2)]
        assert [entry.start_position for entry in entries[1:]] == [entry.end_position for entry in entries[:-1]]
        assert ids(seen(store)) == ["1", "2"]

    def test_upsert_keeps_the_newest_version_of_a_key(self, store: Store) -> None:
        late = file(("1", "2023-01-01", "3"), ("4", "2024-01-03", "4"))
        for files in ({"mon": MON}, {"mon": MON, "tue": TUE}, {"mon": MON, "tue": TUE, "wed": late}):
            Shop(files, "upsert").into(store)
        found = seen(store)
        assert [(row[0], row[2]) for row in found.rows] == [("1", "5.00"), ("2", "9.00"), ("4", "4.00")]
        assert (found.read, found.loaded, found.quarantined, found.deduplicated) == (9, 5, 2, 2)

    def test_replace_exchanges_the_whole_table(self, store: Store) -> None:
        for files in ({"mon": MON, "tue": TUE}, {"tue": TUE}):
            assert Shop(files, "replace", limit=Limit(share=1.0)).into(store).status == "ok"
        found = seen(store)
        assert ids(found) == ["1", "4"]
        assert [record[:2] for record in found.records] == [("tue", 3)]
        assert {name: seat[:2] for name, seat in found.positions.items()} == {"tue": (2, 1)}

    def test_a_full_refresh_may_change_the_columns(self, store: Store) -> None:
        Shop({"mon": MON}).into(store)
        texts = Shop({"mon": MON}, columns={**EASIER, "amount": "text"})
        with pytest.raises(CommitError) as caught:
            texts.into(store)
        assert caught.value.finding.code == "contract-misfit"
        assert texts.into(store, full_refresh=True).status == "ok"
        assert [(row[0], row[2]) for row in seen(store).rows] == [("1", "1.10"), ("2", "2.20"), ("3", "-1")]

    def test_a_reload_takes_the_rows_of_the_old_content_away(self, store: Store) -> None:
        Shop({"mon": MON, "tue": TUE}).into(store)
        changed = replace(TUE, identity="2")
        Shop({"mon": changed, "tue": TUE}, on_change="reload").into(store)
        found = seen(store)
        assert [(row[0], row[2]) for row in found.rows] == [("1", "5.00"), ("4", "0.01")]
        assert {name: seat[:2] for name, seat in found.positions.items()} == {"mon": (2, 1), "tue": (1, 1)}

    # Quarantine

    @pytest.mark.parametrize("load", ["append", "upsert", "replace"])
    def test_lines_come_and_go_with_their_records(self, store: Store, load: Disposition) -> None:
        first = with_lists("1", ("1", '[{"sku":"a"},{"sku":"b"}]'), ("2", '[{"sku":null}]'), ("3", "[]"))
        second = with_lists("2", ("1", '[{"sku":"c"}]'), ("2", '[{"sku":"d"}]'))
        lists_of(load, first).into(store)
        assert lines(store) == [("1", "1", "a"), ("1", "2", "b")]
        later = lists_of(load, second)
        with at_faults(crash_at("after_write")), pytest.raises(Crash):
            later.into(store)
        assert lines(store) == [("1", "1", "a"), ("1", "2", "b")]
        later.into(store)
        assert lines(store) == [("1", "1", "c"), ("2", "1", "d")]
        later.into(store, full_refresh=True)
        restore(store, TABLE, "suite", seen=load == "replace")
        assert lines(store) == [("1", "1", "c"), ("2", "1", "d")]
        with store.session() as session:
            assert audit(session).findings == ()

    def test_refused_records_are_kept_whole(self, store: Store) -> None:
        Shop({"mon": file(("x", None, "-3"), MALFORMED, (None, "2024-01-01", None))}).into(store)
        with store.session() as session:
            rows = session.execute(
                'SELECT record, reasons, raw, "row" FROM _headgate.quarantine ORDER BY record, reasons'
            )
        rules = [[f'"rule": "{rule}"' in row[1] for rule in ("type", "min", "required", "record")] for row in rows]
        assert rules == [[True, True, False, False], [False, False, False, True], [False, False, True, False]]
        assert [row[2] for row in rows] == [None, MALFORMED.raw, None]
        assert [row[3] for row in rows] == [
            '{"id": "x", "at": null, "amount": "-3"}', None, '{"id": null, "at": "2024-01-01", "amount": null}'
        ]  # fmt: skip

    def test_a_replay_settles_records_and_loads_what_now_passes(self, store: Store) -> None:
        Shop({"mon": MON}).into(store)
        easier = Shop({"mon": MON}, columns=EASIER)
        counts = replay(store, easier.flow, None, "suite")
        assert counts is not None
        assert (counts.read, counts.loaded, counts.quarantined) == (2, 1, 1)
        found = seen(store)
        assert ids(found) == ["1", "2", "3"]
        assert [record[:2] for record in found.records] == [("mon", 3)]
        assert replay(store, Shop({"mon": MON}).flow, [], "suite") is None

    @pytest.mark.parametrize(
        ("limit", "status"), [(Limit(rows=2), "ok"), (Limit(rows=1), "refused"), (Limit(share=0.5), "ok")]
    )
    def test_a_limit_stops_the_load_when_it_is_exceeded(self, store: Store, limit: Limit, status: str) -> None:
        Shop({"tue": TUE}).into(store)
        before = seen(store)
        done = Shop({"tue": TUE, "mon": MON}, limit=limit, columns=EASIER).into(store)
        after = seen(store)
        assert done.status == status
        if status == "refused":
            assert (after.rows, after.positions, after.read) == (before.rows, before.positions, before.read)
            assert [one[-1] for one in after.records] == ["held", "held", "open"]

    def test_held_records_are_looked_at_until_the_next_load(self, store: Store) -> None:
        refused = Shop({"mon": MON}, limit=Limit(rows=1))
        assert refused.into(store).status == "refused"
        assert [record[-1] for record in seen(store).records] == ["held", "held"]
        assert replay(store, refused.flow, None, "suite") is None
        assert refused.into(store).status == "refused"
        assert [record[-1] for record in seen(store).records] == ["held", "held"]
        assert Shop({"mon": MON}).into(store).status == "ok"
        assert [record[-1] for record in seen(store).records] == ["open", "open"]

    # Two runners

    @pytest.mark.parametrize("name", [name for name in CHANGES if name != "replay"])
    def test_a_slice_that_another_runner_committed_first_is_lost(self, kit: StoreKit, store: Store, name: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        with closing(kit.store()) as other:
            ran: list[str] = []

            def first(point: str) -> None:
                if point == "before_write" and not ran:
                    ran.append(point)
                    change.end(other)

            with at_faults(first):
                done = change.second.into(store)
            alone = seen(other)
        assert ran
        assert (done.counts.read, done.counts.loaded) == (0, 0)
        assert seen(store) == alone

    def test_a_record_is_replayed_by_one_of_two_replays(self, kit: StoreKit, store: Store) -> None:
        change = CHANGES["replay"]
        change.begin(store)
        with closing(kit.store()) as other:
            counts: list[Any] = []

            def first(point: str) -> None:
                if point == "before_write" and not counts:
                    counts.append(None)
                    counts.append(replay(other, change.second.flow, None, "suite"))

            with at_faults(first):
                second = replay(store, change.second.flow, None, "suite")
        assert (counts[1].read, counts[1].loaded, counts[1].quarantined) == (2, 1, 1)
        assert second is not None
        assert (second.read, second.loaded, second.quarantined) == (1, 0, 1)  # the record that was refused again
        assert ids(seen(store)) == ["1", "2", "3"]

    @pytest.mark.parametrize("name", ["append", "upsert", "replace"])
    def test_two_commits_at_once_conflict_and_one_of_them_counts(self, kit: StoreKit, store: Store, name: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        race = Race(change, kit)
        with at_faults(race):
            mine = change.second.into(store)
        race.finish()
        assert race.failure is None
        assert race.theirs is not None
        assert sorted([mine.counts.read, race.theirs.counts.read]) == [0, sum(_records(change))]
        with closing(kit.store()) as other:
            assert seen(other) == seen(store)

    def test_a_table_is_locked_by_one_user_of_the_store_at_a_time(self, store: Store) -> None:
        inside, order = threading.Event(), []

        def other() -> None:
            with store.lock(TableRef("suite", "free")):
                inside.set()
            with store.lock(TABLE):
                order.append("other")

        with store.lock(TABLE):
            thread = threading.Thread(target=other)
            thread.start()
            assert inside.wait(PATIENCE), "another table is free"
            thread.join(0.05)
            order.append("me")
        thread.join(PATIENCE)
        assert order == ["me", "other"]

    def test_a_statement_is_interrupted_by_another_thread(self, store: Store) -> None:
        told: list[str] = []

        def work(session: StoreSession) -> None:
            try:
                session.execute(_NO_END)
            except Exception as error:
                trouble = session.trouble(error)
                told.append(trouble.kind if trouble else repr(error))

        with store.session() as session:
            session.interrupt()  # nothing runs: nothing happens
            thread = threading.Thread(target=work, args=(session,))
            thread.start()
            for _ in range(int(PATIENCE / 0.05)):
                session.interrupt()
                thread.join(0.05)
                if not thread.is_alive():
                    break
            assert told == ["stopped"]
            assert session.execute("SELECT 1") == [(1,)]

    def test_what_is_no_conflict_is_told_as_it_is(self, store: Store) -> None:
        with store.session() as session, pytest.raises(Exception) as caught:  # noqa: PT011
            session.execute("SELECT no_such_column FROM no_such_table")
        assert not store.is_conflict(caught.value)
        assert not store.is_conflict(ValueError("conflict"))
        assert not store.is_conflict(Crash())

    # Crashes and lost answers

    @pytest.mark.parametrize(("name", "point"), POINTS)
    def test_a_crash_keeps_all_of_a_commit_or_nothing(self, kit: StoreKit, store: Store, name: str, point: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        before = whole(store)
        with at_faults(crash_at(point)), pytest.raises(Crash):
            change.end(store)
        with closing(kit.store()) as anew:
            assert (whole(anew) == before) == (point in NOTHING_KEPT)
            crashed = seen(anew)
            if point in NOTHING_KEPT:
                change.end(anew)
            else:
                assert change.second.into(anew).status == "skipped"
                assert seen(anew) == crashed
            assert as_alone(change, seen(anew))

    @pytest.mark.parametrize("point", NOTHING_KEPT)
    def test_a_crash_of_the_first_load_is_no_obstacle_to_another_contract(self, store: Store, point: str) -> None:
        with at_faults(crash_at(point)), pytest.raises(Crash):
            Shop({"mon": MON}).into(store)
        assert (
            Shop({"mon": MON}, columns={"id": "text, key", "at": "text", "amount": "text"}).into(store).status == "ok"
        )
        assert ids(seen(store)) == ["1", "2", "3"]

    @pytest.mark.parametrize("name", list(CHANGES))
    def test_a_commit_whose_answer_was_lost_is_found_and_counted_once(self, store: Store, name: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        shaky = Commits(store, "answer-lost", first=PREPARING)
        change.end(shaky)
        assert shaky.seen > shaky.first
        assert as_alone(change, seen(store))

    @pytest.mark.parametrize("name", list(CHANGES))
    def test_a_commit_that_failed_is_an_error_and_nothing_is_kept(self, store: Store, name: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        before = whole(store)
        with pytest.raises(ConnectionError):
            change.end(Commits(store, "lost", first=PREPARING))
        assert whole(store) == before
        change.end(store)
        assert as_alone(change, seen(store))

    @pytest.mark.parametrize("name", list(CHANGES))
    def test_a_commit_without_an_error_is_not_believed(self, store: Store, name: str) -> None:
        change = CHANGES[name]
        change.begin(store)
        before = whole(store)
        with pytest.raises(CommitError) as caught:
            change.end(Commits(store, "dropped", first=PREPARING))
        assert caught.value.finding.code == "commit-vanished"
        assert whole(store) == before
        change.end(store)
        assert as_alone(change, seen(store))


def _records(change: Change) -> list[int]:
    """Records that the second load of the change reads, by file."""
    first, second = change.first.files, change.second.files
    return [len(one.records) for name, one in second.items() if first.get(name) != one]


_EXPECTED = {
    "append": (["1", "2", "4"], 4),
    "upsert": (["1", "2", "4"], 2),
    "replace": (["1", "4"], 1),
    "reload": (["1", "4"], 4),
    "replay": (["1", "2", "3"], 1),
}


def as_alone(change: Change, found: Seen) -> bool:
    """Whether the change was done exactly once: its rows and its open records are there."""
    name = next(name for name, one in CHANGES.items() if one is change)
    return (ids(found), len(found.records)) == _EXPECTED[name]


@dataclass
class Race:
    """A hook under which a second runner tries the same load while the first one is inside its transaction.

    A store may tell the second runner of a conflict, or let it wait for the first: both is right. Once told, it waits
    itself until the first has committed.
    """

    change: Change
    kit: StoreKit
    theirs: Loaded | None = None
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._mine = threading.current_thread()
        self._tried, self._committed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, point: str) -> None:
        if threading.current_thread() is not self._mine:
            if point == "before_ack":
                self._tried.set()
                self._committed.wait(PATIENCE)
        elif point == "after_begin" and self._thread is None:
            self._thread = threading.Thread(target=self._other)
            self._thread.start()
            self._tried.wait(1.0)
        elif point == "after_commit":
            self._committed.set()

    def _other(self) -> None:
        try:
            with closing(self.kit.store()) as store:
                self.theirs = self.change.second.into(store)
        except BaseException as error:
            self.failure = error
        finally:
            self._tried.set()

    def finish(self) -> None:
        assert self._thread is not None
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

"""What every store must keep when a table follows an edit of its contract: bind `EvolutionSuite` as `StoreSuite`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from headgate.books import ledger
from headgate.books.audit import audit
from headgate.books.schema import migrate
from headgate.contracts.evolution import Policy
from headgate.contracts.short import parse_lines
from headgate.core.errors import CommitError, Location
from headgate.core.protocols import Store
from headgate.core.values import TableRef
from headgate.project.model import Ingest, LoadSpec, SourceSpec
from headgate.run.flow import Flow
from headgate.run.job import Job, Loaded
from headgate.run.load import load
from headgate.sql import quote
from headgate.testing.memory import MemoryFile, MemorySource
from headgate.testing.store_suite import ALL_KEPT, NOTHING_KEPT, Crash, StoreKit, at_faults, crash_at

EVOLVE = Policy.all("evolve")
PAIRS = (
    ("int", "decimal(38,2)", ("1", "-9223372036854775808")),
    ("int", "text", ("1", "-5")),
    ("decimal(8,2)", "decimal(12,4)", ("10.50", "-0.01")),
    ("decimal(8,2)", "text", ("10.50", "-0.01", "3.10")),
    ("decimal(8,2)", "int", ("10.00", "-3.00")),
    ("double", "text", ("1.5", "1e300", "100", "-0.001")),
    ("double", "decimal(9,1)", ("0.5", "12")),
    ("text", "int", ("12", "-5")),
    ("text", "decimal(9,2)", ("1.5", "-12")),
    ("text", "double", ("1.5", "1e300")),
    ("text", "bool", ("true", "false")),
    ("text", "date", ("2024-01-02",)),
    ("text", "timestamp", ("2024-01-02T10:00:00.5", "2024-01-02 10:00:00")),
    ("text", "timestamptz", ("2024-01-02T10:00:00+02:00",)),
    ("text", "time", ("10:00:00",)),
    ("text", "uuid", ("8c7f0aac-97c4-4a2f-b716-a675d821ccc0",)),
    ("date", "timestamp", ("2024-01-02", "0001-01-01")),
    ("date", "text", ("2024-01-02",)),
    ("timestamp", "date", ("2024-01-02 00:00:00",)),
    ("timestamp", "text", ("2024-01-02 10:00:00.5", "2024-01-02 10:00:00")),
    ("bool", "text", ("true", "false")),
    ("uuid", "text", ("8c7f0aac-97c4-4a2f-b716-a675d821ccc0",)),
    ("json", "text", ('{"a": 1}',)),
)
AS_LOADED = {"100": "100.0", "10.00": "10", "-3.00": "-3", "2024-01-02 00:00:00": "2024-01-02"}
"""How a load is given a value that the store writes with more or fewer digits of a fraction."""
LOSSY = (
    ("decimal(8,2)", "decimal(8,1)", "10.25"),
    ("decimal(8,2)", "int", "10.25"),
    ("int", "decimal(4,2)", "100"),
    ("text", "int", "1.5"),
    ("text", "date", "2024-02-30"),
    ("timestamp", "date", "2024-01-02 10:00:00"),
    ("double", "int", "0.5"),
)


@dataclass(frozen=True)
class Table:
    """A table fed from columns in memory; `columns` are the contract's lines, `rows` texts in their order."""

    columns: Mapping[str, str]
    rows: Sequence[tuple[str | None, ...]]
    names: Sequence[str] = ("id", "v")
    evolution: Policy = EVOLVE
    ref: TableRef = field(default=TableRef("suite", "things"))

    def into(self, store: Store, full_refresh: bool = False) -> Loaded:
        place = Location("suite.yml")
        contract = parse_lines(self.columns)
        source = SourceSpec("memory", {}, place)
        ingest = Ingest(self.ref, source, LoadSpec(), contract, extra="ignore", evolution=self.evolution, where=place)
        file = MemoryFile("1", tuple(self.names), tuple(dict(zip(self.names, row, strict=True)) for row in self.rows))
        return load(Job(store, Flow(ingest, MemorySource({"a": file}, {}), contract), "suite", full_refresh))


def listed(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.session() as session:
        return session.execute(sql)


def columns(store: Store, ref: TableRef) -> list[tuple[str, str]]:
    with store.session() as session:
        return session.columns(ref) or []


def codes(store: Store) -> list[str]:
    with store.session() as session:
        return [finding.code for finding in audit(session).findings]


def kinds(store: Store, ref: TableRef) -> list[str]:
    with store.session() as session:
        return [entry.kind for entry in ledger.entries(session, str(ref))]


class EvolutionSuite:
    """Bind by a fixture `kit` that gives a `StoreKit`."""

    @pytest.fixture
    def store(self, kit: StoreKit) -> Iterator[Store]:
        """The store with new books."""
        with closing(kit.store()) as made:
            with made.session() as session:
                migrate(session)
            yield made

    @pytest.mark.parametrize(("before", "after", "texts"), PAIRS)
    def test_a_column_of_another_type_holds_what_a_load_would_have_made(
        self, store: Store, before: str, after: str, texts: Sequence[str]
    ) -> None:
        rows = [*((str(number), text) for number, text in enumerate(texts)), ("99", None)]
        made = Table({"id": "int", "v": before}, rows)
        made.into(store)
        inner = quote.table(made.ref)
        as_text = listed(store, f"SELECT CAST(id AS VARCHAR), CAST(v AS VARCHAR) FROM {inner} ORDER BY id")
        as_text = [(number, AS_LOADED.get(str(text), text)) for number, text in as_text]
        Table({"id": "int", "v": after}, rows).into(store)
        other = Table({"id": "int", "v": after}, as_text, ref=TableRef("suite", "others"))
        assert other.into(store).counts.quarantined == 0
        assert columns(store, made.ref)[1] == columns(store, other.ref)[1]
        differ = listed(
            store,
            f"""SELECT a.id, CAST(a.v AS VARCHAR), CAST(b.v AS VARCHAR) FROM {inner} AS a
                JOIN {quote.table(other.ref)} AS b ON a.id = b.id WHERE a.v IS DISTINCT FROM b.v""",
        )
        assert differ == []
        assert kinds(store, made.ref) == ["load", "evolve"]
        assert codes(store) == []

    @pytest.mark.parametrize(("before", "after", "text"), LOSSY)
    def test_a_value_that_would_change_keeps_every_column_as_it_is(
        self, store: Store, before: str, after: str, text: str
    ) -> None:
        made = Table({"id": "int", "v": before}, [("1", text)])
        made.into(store)
        was = columns(store, made.ref)
        with pytest.raises(CommitError) as caught:
            Table({"id": "int", "v": after, "w": "text"}, [("1", text)]).into(store)
        assert caught.value.finding.code == "evolve-lossy"
        assert columns(store, made.ref) == was
        assert codes(store) == []

    def test_columns_come_go_and_change_their_names_at_once(self, store: Store) -> None:
        names = ("id", "v", "w")
        Table({"id": "int", "v": "text", "w": "int"}, [("1", "x", "7")], names).into(store)
        made = Table({"id": "bigint", "day": "date", "V2": "text, was(v)"}, [("1", "x", "7")], names)
        made.into(store)
        assert [name for name, _ in columns(store, made.ref)] == ["id", "V2", "_hg_load", "day"]
        found = listed(store, f'SELECT id, "V2", day, _hg_load FROM {quote.table(made.ref)}')
        assert found == [(1, "x", None, 1)]
        assert codes(store) == []

    def test_views_of_others_go_on_reading_the_table(self, store: Store) -> None:
        made = Table({"id": "int", "v": "int"}, [("1", "7")])
        made.into(store)
        listed(store, f"CREATE VIEW suite.reader AS SELECT id, v FROM {quote.table(made.ref)}")
        listed(store, "CREATE VIEW suite.further AS SELECT id, v FROM suite.reader")
        Table({"id": "int", "v": "decimal(30,2)"}, [("1", "7")]).into(store)
        assert [str(row[1]) for row in listed(store, "SELECT * FROM suite.further")] == ["7.00"]

    @pytest.mark.parametrize("point", [*NOTHING_KEPT, *ALL_KEPT])
    def test_a_crash_leaves_old_or_new_columns_with_their_entry(self, store: Store, kit: StoreKit, point: str) -> None:
        rows = [("1", "7")]
        Table({"id": "int", "v": "int"}, rows).into(store)
        after = Table({"id": "int", "v": "decimal(30,2)", "v2": "text, from(v)"}, rows)
        was = columns(store, after.ref)
        with at_faults(crash_at(point)), pytest.raises(Crash):
            after.into(store)
        store.close()
        with closing(kit.store()) as again:
            kept = point in ALL_KEPT
            assert (columns(again, after.ref) != was) is kept
            assert kinds(again, after.ref) == ["load", "evolve"][: 1 + kept]
            assert codes(again) == []
            after.into(again)
            assert [name for name, _ in columns(again, after.ref)] == ["id", "v", "_hg_load", "v2"]
            assert codes(again) == []

    def test_of_two_runs_one_lets_the_table_follow_and_the_other_goes_on(self, store: Store) -> None:
        first = Table({"id": "int", "v": "int"}, [("1", "7")])
        first.into(store)
        after = Table({"id": "int", "v": "int", "w": "text, from(v)"}, [("1", "7")])
        ran: list[str] = []

        def other(point: str) -> None:
            if point == "before_write" and not ran:
                ran.append(point)
                assert after.into(store).status == "ok"

        with at_faults(other):
            after.into(store)
        assert kinds(store, after.ref) == ["load", "evolve"]
        assert codes(store) == []

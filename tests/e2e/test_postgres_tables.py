"""Tables of others, tables that grow and tables that keep what was deleted, in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from tests.unit.project_kit import Folder

from headgate.api.results import AdoptResult
from headgate.core import faults
from headgate.core.errors import HeadgateError

pytestmark = [pytest.mark.services, pytest.mark.slow]

INGEST = """table: raw.orders
from: data/*.csv
load: {upsert: id}
columns:
  id: int
  amount: decimal(12,2), required, min(0)
  code: text(20), unique
  body: json
  blob: binary
  at: timestamptz
"""
TABLE = """CREATE TABLE raw.orders (
    id integer PRIMARY KEY, amount numeric NOT NULL CHECK (amount < 1000), code varchar(20) UNIQUE, body jsonb,
    blob bytea, at timestamptz DEFAULT now())"""
ROWS = r"""INSERT INTO raw.orders VALUES (1, 1.50, 'a', '{"x": 1}', '\x00ff', '2024-01-02 03:04:05+02'),
    (2, -1, 'b', NULL, '\x68', NULL), (3, 3.125, 'c', NULL, NULL, NULL), (4, 4, NULL, '[1, 2]', '', NULL)"""


class Shop(Folder):
    """A project on an empty database."""

    @property
    def url(self) -> str:
        return (self.root / "url").read_text()

    def told(self, *statements: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def adopt(self, *, quarantine: bool = True) -> AdoptResult:
        with self.open() as project:
            return project.adopt("raw.orders", quarantine=quarantine)

    def refusal(self) -> str:
        with pytest.raises(HeadgateError) as caught:
            self.adopt()
        return caught.value.finding.render()


@pytest.fixture
def shop(postgres: str, tmp_path: Path) -> Shop:
    folder = Shop(tmp_path)
    folder.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    folder.write("url", postgres)
    folder.write("ingest/orders.yml", INGEST + "evolution: {narrowed: evolve}\n")
    folder.told("CREATE SCHEMA raw")
    return folder


def test_constraints_indexes_grants_and_views_stay(shop: Shop) -> None:
    shop.told(
        TABLE, ROWS, "CREATE INDEX mine ON raw.orders (at)", "GRANT SELECT ON raw.orders TO PUBLIC",
        "CREATE VIEW raw.reader AS SELECT id, amount FROM raw.orders", "UPDATE raw.orders SET at = at WHERE id = 1",
    )  # fmt: skip
    found = shop.adopt()
    assert (found.rows_read, found.rows_loaded, dict(found.reasons)) == (4, 2, {"amount.min": 1, "amount.type": 1})
    kept = shop.told(
        """SELECT conname FROM pg_constraint WHERE conrelid = 'raw.orders'::regclass AND contype <> 'n'
           UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'raw.orders'::regclass
           UNION SELECT privilege_type FROM information_schema.role_table_grants
           WHERE table_name = 'orders' AND grantee = 'PUBLIC'"""
    )
    names = {str(row[0]).removeprefix("raw.") for row in kept}
    assert {"orders_pkey", "orders_code_key", "orders_amount_check", "mine", "SELECT"} <= names
    assert shop.told("SELECT id, amount FROM raw.reader ORDER BY id") == [(1, 1.50), (4, 4)]
    assert shop.told("SELECT body->>'x', encode(blob, 'hex') FROM raw.orders WHERE id = 1") == [("1", "00ff")]
    shop.write("data/a.csv", 'id,amount,code,body,blob,at\n1,9,a,{},"\\x00",2024-02-01 00:00:00Z\n7,1,z,1,,\n')
    step = shop.step("raw.orders")
    assert (step.rows_loaded, shop.codes()) == (2, [])
    [first, *_] = shop.open().quarantine("raw.orders").records
    shop.open().quarantine_fix([first.id], set={"amount": "'5'"}, reason="typo", replay=True)
    assert (shop.told("SELECT count(*) FROM raw.orders"), shop.codes()) == ([(4,)], [])


def test_the_table_can_be_read_and_not_written_while_it_is_judged(shop: Shop) -> None:
    shop.told(TABLE, ROWS)
    seen: list[object] = []

    def beside(point: str) -> None:
        if point == "after_stage" and not seen:
            seen.append(shop.told("SELECT count(*) FROM raw.orders"))
            with pytest.raises(psycopg.errors.LockNotAvailable):
                shop.told("SET lock_timeout = '50ms'", "INSERT INTO raw.orders VALUES (99, 1)")

    faults.install(beside)
    try:
        shop.adopt()
    finally:
        faults.install(None)
    assert seen == [[(4,)]]
    assert shop.codes() == []


@pytest.mark.parametrize(
    ("statements", "word"),
    [
        ((TABLE, ROWS, "CREATE TABLE raw.items (o integer REFERENCES raw.orders ON DELETE CASCADE)"), "REFERENCES"),
        ((TABLE.replace("code varchar(20) UNIQUE", "code text") + " PARTITION BY RANGE (id)",), "partitioned"),
        ((TABLE, "ALTER TABLE raw.orders ADD CONSTRAINT u UNIQUE (at)"), "at is UNIQUE"),
        ((TABLE, "CREATE UNIQUE INDEX u ON raw.orders (lower(code))"), "UNIQUE INDEX"),
        ((TABLE, ROWS, "CREATE MATERIALIZED VIEW raw.m AS SELECT id FROM raw.orders"), "materialized view"),
        ((TABLE.replace("blob bytea", "blob bytea GENERATED ALWAYS AS ('\\x00') STORED"),), "computes"),
        ((TABLE, "ALTER TABLE raw.orders FORCE ROW LEVEL SECURITY"), "row security"),
    ],
)  # fmt: skip
def test_what_would_break_is_told_and_nothing_is_changed(shop: Shop, statements: tuple[str, ...], word: str) -> None:
    shop.told(*statements)
    assert word in shop.refusal()
    columns = shop.told("SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'")
    assert columns == [(6,)]
    assert shop.codes() == ["table-unknown"]


HISTORY = """CREATE TABLE raw.orders (id integer, price numeric, share double precision, body jsonb, blob bytea,
    at timestamptz, valid_from timestamptz, valid_to timestamptz, is_current boolean)"""
VERSIONS = r"""INSERT INTO raw.orders VALUES
    (1, 1.5, 0.1, '{"x": 1}', '\x4142', '2024-01-01Z', '2024-01-01Z', '2024-02-01Z', false),
    (1, 2.5, 0.1, '{"x": 1}', '\x4142', '2024-02-01Z', '2024-02-01Z', NULL, true),
    (2, 3.25, 1e300, NULL, NULL, '2024-01-01Z', '2024-01-01Z', NULL, true)"""


def test_a_history_of_others_goes_on_here_as_well(shop: Shop) -> None:
    columns = "  id: int\n  price: decimal(9,2)\n  share: double\n  body: json\n  blob: binary\n  at: timestamptz\n"
    load = "load: {scd2: id, order_by: at}\nevolution: {narrowed: evolve}\n"
    shop.write("ingest/orders.yml", f"table: raw.orders\nfrom: data/*.csv\n{load}columns:\n{columns}")
    shop.told("DROP TABLE IF EXISTS raw.orders", HISTORY, VERSIONS)
    shop.told("UPDATE raw.orders SET valid_to = '2024-01-31Z' WHERE NOT is_current")
    assert "end before the next version begins" in shop.refusal()
    shop.told("UPDATE raw.orders SET valid_to = '2024-02-01Z' WHERE NOT is_current")
    assert shop.adopt().rows_loaded == 3
    same = """1,2.50,0.1,"{""x"": 1}",\\x4142,2024-03-01Z\n2,3.25,1e300,,,2024-03-01Z\n"""
    shop.write("data/a.csv", f"id,price,share,body,blob,at\n{same}2,4,1e300,,,2024-04-01Z\n")
    shop.run()
    [entry] = [one for one in shop.open().ledger("raw.orders").entries if one.partition == "a.csv"]
    assert entry.detail["history"] == {"unchanged": 2, "changed": 1}
    rows = shop.told("SELECT id, price::text, valid_to IS NULL, is_current FROM raw.orders ORDER BY id, valid_from")
    assert rows == [
        (1, "1.50", False, False), (1, "2.50", True, True), (2, "3.25", False, False), (2, "4.00", True, True),
    ]  # fmt: skip
    assert shop.codes() == []


def test_files_bring_columns_here_as_well(shop: Shop) -> None:
    shop.write("ingest/orders.yml", "table: raw.orders\nfrom: data/*.csv\nextra: evolve\ncolumns:\n  id: int, key\n")
    shop.write("data/a.csv", "id\n1\n")
    shop.run()
    shop.told("CREATE VIEW raw.reader AS SELECT id FROM raw.orders")
    shop.write("data/b.csv", "id,day,amount\n2,2024-01-02,7\n")
    shop.write("data/c.csv", "amount,id\n2.5,3\n")
    assert shop.step("raw.orders").rows_loaded == 2
    assert shop.told("SELECT id, day::text, amount FROM raw.orders ORDER BY id")[1:] == [
        (2, "2024-01-02", 7),
        (3, None, 2.5),
    ]
    shop.write("data/d.csv", "ctid,id\nx,4\n")
    assert [finding.code for finding in shop.run().findings] == ["unknown-column"]
    assert shop.codes() == []


def test_former_values_of_every_type_are_kept_here_as_well(shop: Shop) -> None:
    kinds = ["text", "decimal(9,2)", "double", "bool", "date", "timestamp"]
    kinds += ["timestamptz", "time", "uuid", "json", "binary"]
    names = [f"c{number}" for number in range(len(kinds))]
    load = f"load: {{scd3: id, order_by: at, previous: [{', '.join(names)}]}}\ncolumns:\n  id: int\n  at: int\n"
    columns = "".join(f"  {name}: {kind}\n" for name, kind in zip(names, kinds, strict=True))
    shop.write("ingest/orders.yml", f"table: raw.orders\nfrom: data/*.csv\n{load}{columns}")
    header = f"id,at,{','.join(names)}\n"
    first = "é,1.50,0.1,true,2024-01-01,2024-01-01 12:00,2024-01-01 12:00Z,12:00,"
    first += '00000000-0000-4000-8000-000000000001,"{""a"": 1}",\\x4142'
    shop.write("data/a.csv", f"{header}1,1,{first}\n2,1,{first}\n")
    shop.run()
    other = "e,2,0.2,false,2024-01-02,2024-01-02,2024-01-02,13:00,00000000-0000-4000-8000-000000000002,[],\\x"
    shop.write("data/b.csv", f"{header}1,2,{other}\n1,3,{other}\n2,0,{other}\n3,1,{first}\n3,2,{other}\n3,1,{other}\n")
    shop.run()
    kept, was = (", ".join(f"{before}{name}::text" for name in names) for before in ("previous_", ""))
    [said] = shop.told(f"SELECT {was} FROM raw.orders WHERE id = 2")
    assert said[0] == "é"
    assert shop.told(f"SELECT {kept} FROM raw.orders ORDER BY id") == [said, (None,) * len(kinds), said]
    assert shop.codes() == []


def test_a_horizon_is_measured_here_as_well(shop: Shop) -> None:
    load = "load: {insert: id, by: at, within: 2 days}\n"
    shop.write("ingest/orders.yml", f"table: raw.orders\nfrom: data/*.csv\n{load}columns:\n  id: json\n  at: date\n")
    shop.write("data/a.csv", "id,at\n" + "".join(f"1,2024-01-0{day}\n" for day in (5, 1, 2, 4, 7, 8, 9)))
    shop.run()
    shop.write("data/b.csv", "id,at\n1,2024-01-03\n1,2024-01-11\n2,2024-01-11\n2,0001-01-01\n2,9999-12-31\n")
    assert shop.step("raw.orders").rows_deduplicated == 1
    rows = shop.told("SELECT id::text, at::text FROM raw.orders ORDER BY 1, 2")
    assert [f"{key} {day}" for key, day in rows] == [
        "1 2024-01-01", "1 2024-01-05", "1 2024-01-08", "1 2024-01-11",
        "2 0001-01-01", "2 2024-01-11", "2 9999-12-31",
    ]  # fmt: skip
    assert shop.codes() == []


def test_what_was_deleted_stays_marked_here_as_well(shop: Shop) -> None:
    load = "load: {upsert: id, order_by: at, deleted_if: op = 'D', keep_deleted: is_deleted}\n"
    columns = "columns:\n  id: int\n  op: text\n  at: date\n"
    shop.write("ingest/orders.yml", f"table: raw.orders\nfrom: data/*.csv\n{load}{columns}")
    shop.write("data/a.csv", "id,op,at\n1,I,2024-01-01\n2,I,2024-01-01\n")
    shop.run()
    shop.write("data/b.csv", "id,op,at\n1,D,2024-01-05\n")
    shop.run()
    shop.write("data/c.csv", "id,op,at\n1,U,2024-01-03\n2,U,2024-01-03\n")
    assert shop.step("raw.orders").rows_deduplicated == 1
    assert shop.told("SELECT id, op, is_deleted FROM raw.orders ORDER BY id") == [(1, "D", True), (2, "U", False)]
    assert shop.codes() == []

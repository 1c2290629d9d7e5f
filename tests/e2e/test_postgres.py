"""A project whose warehouse is a PostgreSQL database, from its first check to its last query."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.services.postgres import Postgres, fresh_database

from conftest import ORDERS, Lab
from headgate.books.schema import VERSION

TOTAL = "{{ config(materialized='table') }}\nselect count(*) as n, sum(amount) as s\nfrom {{ ref('stg') }}\n"
PASSWORD = "hunter2-never-shown"


def executed(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement, run by somebody beside Headgate."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        cursor = connection.execute(statements[-1].encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def shop(lab: Lab, postgres: str) -> Lab:
    """A project on an empty database, with one table, one bad row and three models; nothing is loaded yet."""
    lab.write(
        {
            "headgate.yml": f"project: lab\nwarehouse: {postgres}\n",
            "ingest/orders.yml": ORDERS,
            "data/orders/1.csv": "id,amount\n1,1.50\n2,3\n3,-1\n",
            "models/stg.sql": "select * from {{ ref('raw.orders') }}\n",
            "models/gold/total.sql": TOTAL,
            "models/gold/last.sql": "select n + 1 as m from {{ ref('total') }}\n",
            "models/tests.yml": "models:\n  - name: total\n    tests:\n      - expression: n < 3\n",
        }
    )
    return lab


@pytest.fixture
def built(shop: Lab) -> Lab:
    shop.ok("run")
    return shop


def statuses(answer: Any) -> dict[str, str]:
    return {step["id"]: step["status"] for step in answer["steps"]}


def failed(lab: Lab, *words: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Statuses and the first finding of a run that must fail."""
    ran = lab.headgate("run", *words, "--json")
    assert ran.code in (1, 2), ran.text
    answer = ran.json()
    return statuses(answer) if "steps" in answer else {}, answer["findings"][0]


# The way of the day


def test_a_day_with_the_warehouse(shop: Lab, postgres: str) -> None:
    assert shop.ok("check")["ok"]
    assert {step["status"] for step in shop.ok("plan")["steps"]} == {"run"}
    assert executed(postgres, "SELECT nspname FROM pg_namespace WHERE nspname IN ('raw', '_headgate')") == []
    assert statuses(shop.ok("run")) == {"raw.orders": "ok", "stg": "ok", "total": "ok", "last": "ok"}
    assert set(statuses(shop.ok("run")).values()) == {"skipped"}
    assert {step["status"] for step in shop.ok("plan")["steps"]} == {"skip"}
    assert shop.ok("check")["ok"]
    assert executed(postgres, "SELECT id, amount::text FROM raw.orders ORDER BY id") == [(1, "1.50"), (2, "3.00")]
    assert executed(postgres, "SELECT m FROM gold.last") == [(3,)]
    assert shop.ok("audit")["balanced"]
    assert [entry["kind"] for entry in shop.ok("ledger", "raw.orders")["entries"]] == ["load"]
    record = shop.ok("quarantine", "list")["records"][0]
    assert shop.ok("quarantine", "show", record["id"])["records"][0]["row"] == {"id": "3", "amount": "-1"}
    shop.edit("ingest/orders.yml", "min(0)", "min(-5)")
    answer = shop.ok("quarantine", "replay", "--all")
    assert (answer["rows_read"], answer["rows_loaded"]) == (1, 1)
    assert shop.ok("quarantine", "list")["records"] == []
    assert shop.ok("audit")["balanced"]
    assert shop.rows("SELECT count(*), sum(amount) FROM raw.orders") == [[3, "3.50"]]


def test_a_change_by_hand_is_found_and_accepted(built: Lab, postgres: str) -> None:
    executed(postgres, "DELETE FROM raw.orders WHERE id = 1")
    assert not built.headgate("audit", "--json").json()["balanced"]
    built.ok("ledger", "adjust", "raw.orders", "--reason", "a test order")
    assert built.ok("audit")["balanced"]


def test_a_full_refresh_follows_an_edit_of_the_contract(built: Lab, postgres: str) -> None:
    executed(postgres, "CREATE SCHEMA mine", "CREATE VIEW mine.ids AS SELECT id FROM raw.orders")
    built.edit("ingest/orders.yml", "  amount:", "  note: text, required\n  amount:")
    built.write({"data/orders/1.csv": "id,note,amount\n1,a,1.50\n2,b,3\n3,c,-1\n"})
    assert not built.headgate("check", "--json").json()["ok"]
    found = failed(built, "raw.orders")[1]
    assert found["code"] in ("evolve-required", "file-changed-since")
    assert statuses(built.ok("run", "--full-refresh"))["last"] == "ok"
    assert built.rows("SELECT * FROM stg ORDER BY id") == [[1, "a", "1.50"], [2, "b", "3.00"]]
    assert executed(postgres, "SELECT id FROM mine.ids ORDER BY 1") == [(1,), (2,)]
    assert built.ok("audit")["balanced"]
    assert set(statuses(built.ok("run")).values()) == {"skipped"}


def test_a_view_of_a_user_that_no_longer_fits_keeps_the_table_as_it_was(built: Lab, postgres: str) -> None:
    executed(postgres, "CREATE SCHEMA mine", "CREATE VIEW mine.sums AS SELECT amount FROM raw.orders")
    built.edit("ingest/orders.yml", "amount: decimal(12,2), min(0)", "total: decimal(12,2), from('amount')")
    found = failed(built, "raw.orders", "--full-refresh")[1]
    assert found["code"] == "needed-by"
    assert "mine.sums" in found["what"] + found["fix"]
    assert executed(postgres, "SELECT sum(amount)::text FROM mine.sums") == [("4.50",)]
    assert built.ok("audit")["balanced"]


def test_a_materialized_view_is_never_dropped(built: Lab, postgres: str) -> None:
    executed(postgres, "CREATE MATERIALIZED VIEW public.kept AS SELECT n FROM gold.total")
    built.write({"models/gold/total.sql": TOTAL.replace("count(*)", "count(*) + 0")})
    found = failed(built, "total")[1]
    assert (found["code"], "public.kept" in found["what"]) == ("needed-by", True)
    assert executed(postgres, "SELECT n FROM public.kept") == [(2,)]
    assert executed(postgres, "SELECT n FROM gold.total") == [(2,)]


def test_views_over_a_rebuilt_table_stay(built: Lab, postgres: str) -> None:
    executed(
        postgres,
        "CREATE VIEW public.one AS SELECT n FROM gold.total",
        "CREATE VIEW public.two AS SELECT one.n + last.m AS x FROM public.one, gold.last",
    )
    built.edit("models/tests.yml", "n < 3", "n < 30")
    built.write({"data/orders/2.csv": "id,amount\n7,1\n"})
    built.ok("run")
    assert executed(postgres, "SELECT x FROM public.two") == [(7,)]
    assert built.rows("SELECT m FROM gold.last") == [[4]]


# Models


def test_a_failing_test_keeps_the_old_table_and_blocks_what_reads_it(built: Lab) -> None:
    built.write({"data/orders/2.csv": "id,amount\n7,1\n"})
    steps, found = failed(built)
    assert steps == {"raw.orders": "ok", "stg": "ok", "total": "failed", "last": "blocked"}
    assert (found["code"], found["where"]) == ("check-failed", "models/tests.yml:4:9")
    assert built.rows("SELECT * FROM gold.total") == [[2, "4.50"]]
    assert built.rows(found["evidence"]["query"]) == [[3, "5.50"]]


def test_a_view_becomes_a_table_and_a_view_again(built: Lab) -> None:
    kind = "SELECT table_type FROM information_schema.tables WHERE table_schema = 'gold' AND table_name = 'total'"
    for old, new, is_now in (("'table'", "'view'", "VIEW"), ("'view'", "'table'", "BASE TABLE")):
        built.edit("models/gold/total.sql", old, new)
        assert statuses(built.ok("run", "total"))["total"] == "ok"
        assert built.rows(kind) == [[is_now]]
        assert built.rows("SELECT * FROM gold.last") == [[3]]


BROKEN = {
    "select count(*) as n,,\nfrom {{ ref('stg') }}\n": ("model-sql", 1, "syntax error"),
    "{{ config(materialized='table') }}\n\nselect\n  summ(amount) as n from {{ ref('stg') }}\n": (
        "model-sql",
        4,
        "summ",
    ),
    "select\n  nothing as n\nfrom {{ ref('stg') }}\n": ("model-sql", 2, "nothing"),
    "{{ config(materialized='table') }}\nselect 1 / (id - id) as n from {{ ref('stg') }}\n": (
        "model-sql",
        0,
        "division by zero",
    ),
    "select 1 as n; drop table raw.orders\n": ("model-not-select", 0, "2 statements"),
    "select 1 as n) as q; drop schema raw cascade; select * from (select 2\n": ("model-not-select", 0, "statement"),
    "with gone as (delete from raw.orders returning id) select id as n from gone\n": (
        "model-not-select",
        0,
        "data-modifying",
    ),
}


def test_a_broken_model_is_told_with_its_line_and_publishes_nothing(built: Lab) -> None:
    for text, (code, line, said) in BROKEN.items():
        built.write({"models/gold/total.sql": text})
        found = failed(built, "total")[1]
        where = f"models/gold/total.sql:{line}" if line else "models/gold/total.sql"
        assert (found["code"], found["where"], said in found["what"]) == (code, where, True), (text, found)
        assert built.rows("SELECT n FROM gold.total") == [[2]]
        assert built.rows("SELECT count(*) FROM raw.orders") == [[2]]
    built.write({"models/gold/total.sql": TOTAL})
    assert set(statuses(built.ok("run")).values()) == {"skipped"}


def test_check_asks_the_system_that_will_run_the_models(shop: Lab) -> None:
    """Before anything is loaded: names need not exist, and the syntax is PostgreSQL's."""
    shop.write({"models/own.sql": "select id from {{ ref('raw.orders') }} where '{1}'::int[] @> array[1]\n"})
    assert shop.ok("check")["ok"]
    shop.write({"models/own.sql": "select * exclude (id) from {{ ref('raw.orders') }}\n"})
    found = shop.headgate("check", "--json").json()["findings"]
    assert [(one["code"], one["where"]) for one in found] == [("model-sql", "models/own.sql:1")]
    shop.write({"models/own.sql": "select 1 as x) as q; create table public.made (x int); select 2 from (select 3\n"})
    assert shop.headgate("check", "--json").json()["findings"][0]["code"] == "model-not-select"
    assert shop.rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'made'") == [[0]]


def test_a_table_read_without_ref_is_warned_of(built: Lab) -> None:
    built.write({"models/own.sql": "select id from raw.orders\n"})
    assert [one["code"] for one in built.ok("check")["findings"]] == ["direct-read"]


def test_a_column_renamed_upstream_fails_what_reads_it_until_that_is_mended(built: Lab) -> None:
    built.write({"models/gold/total.sql": TOTAL.replace("as n", "as orders"), "models/tests.yml": "models: []\n"})
    steps, found = failed(built)
    assert steps == {"raw.orders": "skipped", "stg": "skipped", "total": "ok", "last": "failed"}
    assert (found["code"], found["where"]) == ("model-sql", "models/gold/last.sql:1")
    built.write({"models/gold/last.sql": "select orders + 1 as m from {{ ref('total') }}\n"})
    assert statuses(built.ok("run"))["last"] == "ok"
    assert built.rows("SELECT m FROM gold.last") == [[3]]


# Names


def test_names_are_kept_as_they_are_or_refused(shop: Lab, postgres: str) -> None:
    shop.write(
        {
            "models/stg.sql": "select 1 as id, 2 as amount\n",
            "ingest/odd.yml": "table: Raw2.Größe_X\nfrom: odd.csv\ncolumns:\n"
            "  ID: int, key\n  select: text\n  'say \"x\"': text\n  Ünï: int\n",
            "odd.csv": 'ID,select,"say ""x""",Ünï\n1,a,b,2\n',
        }
    )
    assert statuses(shop.ok("run"))["Raw2.Größe_X"] == "ok"
    assert executed(postgres, 'SELECT * FROM "Raw2"."Größe_X"')[0][:4] == (1, "a", "b", 2)
    assert shop.ok("audit")["balanced"]


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("raw." + "t" * 64, "id", "64 bytes"),
        ("raw." + "ü" * 32, "id", "64 bytes"),
        ("s" * 64 + ".t", "id", "64 bytes"),
        ("raw.wide", "c" * 64, "64 bytes"),
        ("raw.own", "ctid", "column that PostgreSQL gives every table"),
    ],
)
def test_names_that_the_server_would_cut_are_refused(
    shop: Lab, postgres: str, table: str, column: str, said: str
) -> None:
    shop.write({"ingest/long.yml": f"table: {table}\nfrom: long.csv\ncolumns:\n  {column}: int\n"})
    shop.write({"long.csv": f"{column}\n1\n"})
    checked = shop.headgate("check", "--json")
    found = checked.json()["findings"][0]
    assert (checked.code, found["code"], said in found["what"]) == (1, "name-unfit", True)
    steps, found = failed(shop, table)
    assert (steps[table], found["code"], said in found["what"]) == ("failed", "name-unfit", True)
    made = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg%' AND nspname <> 'information_schema'"
    assert sorted(executed(postgres, made)) == [("_headgate",), ("public",)]


def test_the_longest_names_that_fit_are_kept(shop: Lab) -> None:
    table, column, model = "raw." + "t" * 63, "c" * 63, "m" * 63
    shop.write({"ingest/long.yml": f"table: {table}\nfrom: long.csv\ncolumns:\n  {column}: int, unique\n"})
    shop.write({"long.csv": f"{column}\n1\n", f"models/{model}.sql": f"select * from {{{{ ref('{table}') }}}}\n"})
    assert statuses(shop.ok("run", table, model)) == {table: "ok", model: "ok"}
    assert shop.rows(f"SELECT * FROM {model}") == [[1]]


# Queries

TYPES = {
    "1::smallint": ("smallint", 1),
    "9223372036854775807::bigint": ("bigint", 9223372036854775807),
    "1.50::numeric(12,2)": ("numeric", "1.50"),
    "'NaN'::numeric": ("numeric", "NaN"),
    "0.1::float8": ("double precision", 0.1),
    "'-inf'::float8": ("double precision", "-Infinity"),
    "true": ("boolean", True),
    "NULL::date": ("date", None),
    "date '2024-01-02'": ("date", "2024-01-02"),
    "date 'infinity'": ("date", "infinity"),
    "date '0044-03-15 BC'": ("date", "0044-03-15 BC"),
    "time '01:02:03.5'": ("time without time zone", "01:02:03.5"),
    "timestamp '2024-01-02 03:04:05.000007'": ("timestamp without time zone", "2024-01-02T03:04:05.000007"),
    "timestamptz '2024-01-02 03:04:05+02'": ("timestamp with time zone", "2024-01-02T01:04:05+00:00"),
    "interval '14 months 3 days 04:05:06'": ("interval", "1 year 2 mons 3 days 04:05:06"),
    "'6CCD780C-BABA-1026-9564-5B8C656024DB'::uuid": ("uuid", "6ccd780c-baba-1026-9564-5b8c656024db"),
    "'\\x00AB'::bytea": ("bytea", "\\x00ab"),
    "'{\"a\": 1.50}'::jsonb": ("jsonb", '{"a": 1.50}'),
    "'[1 ]'::json": ("json", "[1 ]"),
    "array[1, NULL]": ("integer[]", [1, None]),
    "array[1.50, 2]": ("numeric[]", ["1.50", "2"]),
    "array[timestamptz '2024-01-01 00:00:00+00']": ("timestamp with time zone[]", ["2024-01-01T00:00:00+00:00"]),
    "array['\\x00ab'::bytea]": ("bytea[]", ["\\x00ab"]),
    "array[[1, 2], [3, 4]]": ("integer[]", [[1, 2], [3, 4]]),
    "int4range(1, 3)": ("int4range", "[1,3)"),
    "row(1, 'a')": ("record", "(1,a)"),
    "inet '10.0.0.1/8'": ("inet", "10.0.0.1/8"),
}


def test_every_type_has_one_form_in_json(shop: Lab) -> None:
    answer = shop.ok("query", "SELECT " + ", ".join(f"{value} AS x" for value in TYPES))
    assert answer["columns"] == [{"name": "x", "type": kind} for kind, _ in TYPES.values()]
    assert answer["rows"] == [[value for _, value in TYPES.values()]]


def test_a_select_is_answered_however_it_is_written(built: Lab) -> None:
    for sql in (
        "SELECT id FROM raw.orders ORDER BY id;",
        "select id\n  from raw.orders order by id -- the end",
        "/* a note */ WITH o AS (TABLE raw.orders) SELECT id FROM o ORDER BY id ;; ",
        "(SELECT id FROM raw.orders ORDER BY id)",
        "VALUES (1), (2)",
    ):
        assert built.rows(sql) == [[1], [2]], sql
    answer = built.ok("query", "SELECT generate_series(1, 500) AS x", "--limit", "3")
    assert (answer["rows"], answer["total"]) == ([[1], [2], [3]], 500)


REFUSED = {
    "DELETE FROM raw.orders": "kind DELETE",
    "-- look\nINSERT INTO raw.orders VALUES (9, 9, 9)": "kind INSERT",
    "COPY raw.orders TO '/tmp/out.csv'": "kind COPY",
    "SET default_transaction_read_only = off": "kind SET",
    "SELECT 1; DROP TABLE raw.orders": "syntax error",
    "SELECT 1) AS q; COMMIT; DROP TABLE raw.orders; SELECT * FROM (SELECT 2": "multiple commands",
    "WITH gone AS (DELETE FROM raw.orders RETURNING id) SELECT * FROM gone": "data-modifying",
    "SELECT nextval('_headgate.quarantine_id')": "read-only transaction",
    "SELECT set_config('transaction_read_only', 'off', false)": "read-write",
    "SELECT\n  nothing FROM raw.orders": "line 2",
    "SELECT $1": "parameter",
    "": "no statement",
    " ;": "no statement",
    "-- nothing": "no statement",
}


def test_what_is_more_than_a_look_is_refused(built: Lab) -> None:
    for sql, said in REFUSED.items():
        finding = built.fails(2, "query", sql)
        assert (finding["code"], said in finding["what"]) == ("query-failed", True), (sql, finding)
    assert built.rows("SELECT count(*) FROM raw.orders") == [[2]]
    assert built.ok("audit")["balanced"]


# Values


def test_a_text_with_a_nul_is_refused_with_its_reason_and_replayed_without_harm(shop: Lab) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = "columns:\n  id: int, key\n  t: text\n  j: json\n"
    shop.write({"ingest/odd.yml": "table: raw.odd\nfrom: odd.parquet\n" + columns})
    table = pa.table({"id": [1, 2, 3], "t": ["a\x00b", "plain", None], "j": ["1", '"\\u0000"', "{"]})
    pq.write_table(table, shop.root / "odd.parquet")
    shop.ok("run", "raw.odd")
    assert shop.rows("SELECT id, j FROM raw.odd") == [[2, '"\\u0000"']]
    for _ in range(2):
        records = shop.ok("quarantine", "list", "--table", "raw.odd")["records"]
        shown = [(one["row"]["t"], [reason["message"] for reason in one["reasons"]]) for one in records]
        assert shown == [("a\x00b", ["PostgreSQL keeps no text with a NUL character"]), (None, ["expected json"])]
        assert shop.ok("quarantine", "replay", "--table", "raw.odd")["rows_loaded"] == 0
    assert shop.ok("audit")["balanced"]


def test_moments_beyond_the_server_are_refused_one_by_one(shop: Lab) -> None:
    import duckdb

    columns = "columns:\n  id: int\n  d: date\n  m: timestamp\n"
    shop.write({"ingest/odd.yml": "table: raw.odd\nfrom: odd.parquet\n" + columns})
    duckdb.sql(
        """COPY (SELECT * FROM (VALUES (1, DATE '2024-01-02', TIMESTAMP '2024-01-02 03:04:05'),
               (2, DATE '0044-03-15 (BC)', NULL), (3, DATE '5881580-07-10', NULL), (4, 'infinity', 'infinity'),
               (5, DATE '5874897-12-31', TIMESTAMP '294247-01-10 04:00:54.775806'), (6, '-infinity', '-infinity'),
               (7, NULL, TIMESTAMP '0001-12-31 (BC) 00:00:00'), (8, DATE '0001-01-01', TIMESTAMP '0001-01-01'))
               AS v(id, d, m)) TO '"""
        + str(shop.root / "odd.parquet")
        + "'"
    )
    shop.ok("run", "raw.odd")
    assert shop.rows("SELECT id, d, m FROM raw.odd ORDER BY id") == [
        [1, "2024-01-02", "2024-01-02T03:04:05"],
        [4, "infinity", "infinity"],
        [5, "5874897-12-31", "294247-01-10T04:00:54.775806"],
        [6, "-infinity", "-infinity"],
        [8, "0001-01-01", "0001-01-01T00:00:00"],
    ]
    records = shop.ok("quarantine", "list", "--table", "raw.odd")["records"]
    assert [(one["row"]["id"], one["reasons"][0]["rule"]) for one in records] == [
        ("2", "type"),
        ("3", "type"),
        ("7", "type"),
    ]


# What goes wrong outside


def _as(url: str, user: str, password: str | None = None, **more: Any) -> str:
    parts = urlsplit(url)
    secret = f":{password}" if password else ""
    host, port = more.get("host", parts.hostname), more.get("port", parts.port)
    return f"postgresql://{user}{secret}@{host}:{port}{more.get('path', parts.path)}"


VERBS = (
    ("check",),
    ("plan",),
    ("run",),
    ("audit",),
    ("ledger",),
    ("quarantine", "list"),
    ("query", "SELECT 1"),
    ("quarantine", "replay", "--all"),
)


def _unreachable(lab: Lab, address: str, said: str) -> None:
    lab.write({"headgate.yml": "project: lab\nwarehouse: ${secret:WAREHOUSE}\n"})
    for verb in VERBS:
        for form in ((), ("--json",)):
            ran = lab.headgate(*verb, *form, env={"WAREHOUSE": address})
            assert (ran.code, "warehouse-unreachable" in ran.text, said in ran.text) == (1, True, True), ran.text
            assert PASSWORD not in ran.text


def test_a_server_that_is_down_is_told(shop: Lab, postgres: str) -> None:
    _unreachable(shop, _as(postgres, "postgres", PASSWORD, port=1), "refused")


def test_a_database_that_is_missing_is_told(shop: Lab, postgres: str) -> None:
    _unreachable(shop, _as(postgres, "postgres", PASSWORD, path="/no_such_thing"), "no_such_thing")


def test_a_user_who_may_not_come_in_is_told(shop: Lab, postgres: str) -> None:
    _unreachable(shop, _as(postgres, "no_such_user", PASSWORD), "no_such_user")


def test_an_address_that_is_none_is_told_without_its_password(shop: Lab) -> None:
    shop.write({"headgate.yml": "project: lab\nwarehouse: ${secret:WAREHOUSE}\n"})
    address = f"postgresql://u:{PASSWORD}@127.0.0.1:5432/x?no_such_option={PASSWORD}"
    ran = shop.headgate("run", env={"WAREHOUSE": address})
    assert ran.code in (1, 2)
    assert PASSWORD not in ran.text


def test_a_database_of_another_encoding_is_refused(shop: Lab, postgres_server: Postgres) -> None:
    with fresh_database(postgres_server) as url:
        name = urlsplit(url).path[1:]
        latin = f"{name}_latin"
        executed(
            postgres_server.admin,
            f"CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        )
        try:
            shop.write({"headgate.yml": f"project: lab\nwarehouse: {postgres_server.url(latin)}\n"})
            finding = shop.fails(1, "run")
            assert (finding["code"], "LATIN1" in finding["what"]) == ("warehouse-unfit", True)
        finally:
            executed(postgres_server.admin, f"DROP DATABASE {latin} WITH (FORCE)")


@pytest.fixture
def poor(shop: Lab, postgres: str) -> Any:
    """A user who may connect and nothing else; the project's address names them."""
    user = f"poor_{os.getpid()}"
    executed(postgres, f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
    shop.write({"headgate.yml": f"project: lab\nwarehouse: {_as(postgres, user)}\n"})
    yield user
    executed(postgres, f"DROP OWNED BY {user} CASCADE", f"DROP ROLE {user}")


def test_rights_that_are_missing_are_named(shop: Lab, postgres: str, poor: str) -> None:
    database = urlsplit(postgres).path[1:]
    assert shop.ok("check")["ok"]
    finding = shop.fails(1, "run")
    assert (finding["code"], "permission denied" in finding["what"]) == ("warehouse-refused", True)
    assert "CREATE on the database" in finding["fix"]
    executed(postgres, f"GRANT CREATE ON DATABASE {database} TO {poor}", "CREATE SCHEMA raw")
    steps, finding = failed(shop)
    assert (steps["raw.orders"], finding["code"]) == ("failed", "warehouse-refused")
    executed(postgres, f"GRANT ALL ON SCHEMA raw, public TO {poor}")
    executed(postgres, f"CREATE SCHEMA main AUTHORIZATION {poor}")
    assert set(statuses(shop.ok("run")).values()) == {"ok"}
    assert shop.ok("audit")["balanced"]


def test_books_of_a_newer_headgate_are_left_alone_and_older_ones_migrated(built: Lab, postgres: str) -> None:
    executed(postgres, "UPDATE _headgate.meta SET value = '99' WHERE key = 'schema_version'")
    for verb in (("run",), ("audit",), ("query", "SELECT 1")):
        assert built.fails(1, *verb)["code"] == "books-newer"
    executed(
        postgres,
        "UPDATE _headgate.meta SET value = '1' WHERE key = 'schema_version'",
        "DROP TABLE _headgate.refusal, _headgate.contract, _headgate.revision, _headgate.emptied, _headgate.disclosure",
        "ALTER TABLE _headgate.quarantine DROP COLUMN key",
    )
    assert built.ok("audit")["balanced"]
    found = executed(postgres, "SELECT value FROM _headgate.meta WHERE key = 'schema_version'")
    assert found == [(str(VERSION),)]


def test_two_projects_folders_may_work_on_one_database(built: Lab, postgres: str, tmp_path: Path) -> None:
    """Nothing of the state is in the folder alone: another copy goes on where the first one ended."""
    other = Lab(_copied(built, tmp_path))
    (other.root / "headgate.yml").write_text(f"project: lab\nwarehouse: {postgres}\n")
    assert set(statuses(other.ok("run")).values()) == {"skipped"}
    assert other.ok("audit")["balanced"]


def _copied(lab: Lab, root: Path) -> Path:
    import shutil

    return Path(shutil.copytree(lab.root, root / "copy", ignore=shutil.ignore_patterns(".headgate")))


def test_a_replaced_table_keeps_its_rights_and_indexes_and_comes_back(built: Lab, postgres: str) -> None:
    executed(
        postgres,
        "DO $$ BEGIN CREATE ROLE headgate_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON raw.orders TO headgate_reader",
        "CREATE SCHEMA mine",
        "CREATE VIEW mine.ids AS SELECT id FROM raw.orders",
        "GRANT SELECT ON mine.ids TO headgate_reader",
        "CREATE INDEX by_amount ON raw.orders (amount)",
    )
    indexed = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'raw' AND tablename = 'orders'"
    before = len(executed(postgres, indexed))
    asked = "has_table_privilege('headgate_reader', '{}', 'SELECT')"
    may = f"SELECT {asked.format('raw.orders')}, {asked.format('mine.ids')}"
    for change in (
        ("run", "--full-refresh", "raw.orders"),
        ("run", "--full-refresh", "raw.orders"),
        ("restore", "raw.orders"),
    ):
        built.ok(*change)
        assert executed(postgres, may) == [(True, True)]
        assert len(executed(postgres, indexed)) == before
        assert executed(postgres, "SELECT id FROM mine.ids ORDER BY 1") == [(1,), (2,)]
        assert built.ok("audit")["balanced"]
    assert executed(postgres, "SELECT count(*) FROM raw.orders__hg_kept") == [(2,)]
    executed(postgres, "DROP OWNED BY headgate_reader", "DROP ROLE headgate_reader")


def test_a_column_that_a_materialized_view_holds_on_to_stays(built: Lab, postgres: str) -> None:
    executed(postgres, "CREATE SCHEMA mine", "CREATE MATERIALIZED VIEW mine.m AS SELECT amount FROM raw.orders")
    built.edit("ingest/orders.yml", "decimal(12,2)", "decimal(20,2)")
    found = failed(built, "raw.orders")[1]
    assert found["code"] == "needed-by"
    assert built.ok("audit")["balanced"]
    executed(postgres, "DROP MATERIALIZED VIEW mine.m")
    assert statuses(built.ok("run"))["last"] == "ok"
    assert built.ok("audit")["balanced"]

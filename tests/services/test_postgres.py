"""The fixtures themselves: databases are apart, a crash keeps what was committed, nothing stays behind."""

from __future__ import annotations

import signal
from contextlib import closing

import psycopg
import pytest
from tests.services.postgres import Postgres, answers, connect, fresh_database
from tests.services.proxy import Proxy


def test_a_database_is_empty_and_nobody_elses(postgres: str, postgres_server: Postgres) -> None:
    with fresh_database(postgres_server) as other, connect(postgres) as here, connect(other) as there:
        here.execute("create table orders (id int)")
        tables = "select count(*) from pg_tables where schemaname = 'public'"
        assert [here.execute(tables).fetchone(), there.execute(tables).fetchone()] == [(1,), (0,)]


def test_a_database_goes_with_its_clients_and_slots(postgres_server: Postgres) -> None:
    with fresh_database(postgres_server) as url:
        left_open = connect(url)
        left_open.execute("select pg_create_logical_replication_slot('left', 'pgoutput')")
    with closing(left_open), pytest.raises(psycopg.OperationalError):
        left_open.execute("select 1")
    assert not answers(url)
    with connect(postgres_server.admin) as admin:
        assert admin.execute("select count(*) from pg_replication_slots where slot_name = 'left'").fetchone() == (0,)


def test_committed_rows_survive_a_kill_and_others_do_not(postgres: str, postgres_server: Postgres) -> None:
    killed = postgres_server.pid
    with connect(postgres) as connection:
        connection.execute("create table orders as select 1 as id")
    with closing(psycopg.connect(postgres)) as open_one:
        open_one.execute("insert into orders values (2)")
        postgres_server.kill()
        assert not answers(postgres)
        with pytest.raises(psycopg.OperationalError):
            open_one.commit()
    postgres_server.start()
    assert postgres_server.pid != killed
    assert orders(postgres) == [(1,)]


def test_a_kill_waits_for_a_backend_that_outlives_its_postmaster(postgres: str, postgres_server: Postgres) -> None:
    with closing(psycopg.connect(postgres)) as busy, connect(postgres) as other:
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 3000000)")
        working = "select count(*) from pg_stat_activity where pid = %s and state = 'active'"
        while other.execute(working, [busy.info.backend_pid]).fetchone() != (1,):
            pass
        postgres_server.kill()
        postgres_server.start()  # refused while anyone holds the shared memory
    assert answers(postgres)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_was_stopped_starts_on_its_data(
    postgres: str, postgres_server: Postgres, how: signal.Signals
) -> None:
    with connect(postgres) as connection:
        connection.execute("create table orders as select 1 as id")
    postgres_server.stop(how)
    assert not answers(postgres)
    postgres_server.start()
    assert orders(postgres) == [(1,)]


def begin_order(proxy: Proxy, url: str) -> psycopg.Connection[tuple[int]]:
    """A connection through the proxy with an order that is not yet committed."""
    with connect(url) as direct:
        direct.execute("create table orders (id int)")
    connection = psycopg.connect(proxy.url(url), sslmode="disable", gssencmode="disable")
    connection.execute("insert into orders values (1)")
    return connection


def orders(url: str) -> list[tuple[int]]:
    with connect(url) as direct:
        return direct.execute("select id from orders").fetchall()


def test_a_commit_is_durable_though_its_answer_was_lost(postgres: str, postgres_server: Postgres) -> None:
    with Proxy(postgres_server.address) as proxy:
        with closing(begin_order(proxy, postgres)) as connection:
            lost = proxy.cut_after(b"COMMIT", answer=b"COMMIT")
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        lost.wait()
    assert orders(postgres) == [(1,)]


def test_a_commit_that_never_arrived_left_nothing(postgres: str, postgres_server: Postgres) -> None:
    def cut_at_commit(chunk: bytes) -> None:
        if b"COMMIT" in chunk:
            proxy.cut()

    with (
        Proxy(postgres_server.address, cut_at_commit) as proxy,
        closing(begin_order(proxy, postgres)) as connection,
        pytest.raises(psycopg.OperationalError),
    ):
        connection.commit()
    with psycopg.connect(postgres) as direct:
        direct.execute("lock table orders")  # granted only when the server has ended the transaction, either way
    assert orders(postgres) == []

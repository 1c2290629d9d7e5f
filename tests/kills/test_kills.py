"""Runs that are killed by SIGKILL, begun again, and compared with runs that nobody killed."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from tests.services.postgres import Postgres

from headgate.api.project import Project
from headgate.core import faults
from headgate.testing import kills
from headgate.testing.kills import Aim, RunFailed, Tally, fly, practise
from headgate.testing.kills_project import state, write_day, write_project
from headgate.testing.kills_sites import DuckDBSite, PostgresSite, Way

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_runs")]


@pytest.fixture(scope="module")
def calm(forked_runs: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after an undisturbed first day."""
    folder = tmp_path_factory.mktemp("kills") / "calm"
    write_project(folder)
    write_day(folder, 1, 1)
    assert not fly(folder).killed
    return folder


def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    tally = practise(12, 3, tmp_path)
    assert tally.ok, tally.render()
    assert (tally.kills, tally.audits_clean, tally.places.total()) == (12, 12, 12)
    assert tally.inside >= 7


def test_nothing_is_lost_or_doubled_on_a_server_that_dies_too(postgres_server: Postgres, tmp_path: Path) -> None:
    def crash() -> None:
        postgres_server.kill()
        postgres_server.start()

    with closing(PostgresSite(postgres_server.admin, crash)) as site:
        tally = practise(8, 1, tmp_path, site)
    assert tally.ok, tally.render()
    assert (tally.kills, tally.audits_clean, tally.ends.total()) == (8, 8, 8)
    assert tally.inside >= 5


@pytest.mark.parametrize("way", ["session", "sessions", "server"])
@pytest.mark.parametrize(("point", "commit"), [("after_begin", 1), ("after_write", 3), ("after_stage", 4)])
def test_a_run_that_loses_its_server_inside_a_commit_goes_on(
    postgres_server: Postgres, tmp_path: Path, way: Way, point: str, commit: int
) -> None:
    def crash() -> None:
        postgres_server.kill()
        postgres_server.start()

    with closing(PostgresSite(postgres_server.admin, crash)) as site:
        write_project(tmp_path, site.settle(tmp_path))
        write_day(tmp_path, 1, 1)
        flight = fly(tmp_path, Aim(0, point, commit, waits=True, way=way), site)
        assert (flight.killed, flight.last, flight.end, flight.commits) == (True, point, "done", kills._COMMITS)
        assert Project.open(tmp_path).audit().findings == ()
        with closing(site.store(tmp_path)) as store:
            assert sum(state(store)["rows of raw.orders"].values()) > 1000


def test_a_run_dies_at_the_very_point_and_the_next_goes_on(calm: Path, tmp_path: Path) -> None:
    write_project(tmp_path)
    write_day(tmp_path, 1, 1)
    died = []
    for point in faults.POINTS:
        flight = fly(tmp_path, Aim(0, point, 1, waits=True))
        died.append((flight.killed, flight.last))
        assert Project.open(tmp_path).audit().findings == ()
    assert died == [(True, point) for point in faults.POINTS]
    assert not fly(tmp_path).killed
    tally = Tally()
    kills._compare(DuckDBSite(), calm, tmp_path, tally)
    assert tally.ok, tally.render()


def test_every_fate_and_both_models_are_in_it(calm: Path) -> None:
    found = Project.open(calm)
    entries = found.ledger().entries
    assert {entry.table for entry in entries} == {
        "raw.orders", "raw.customers", "raw.prices", "raw.members", "raw.visits", "raw.events", "main.spending",
        "main.priced", "raw.baskets",
    }  # fmt: skip
    assert sum(entry.rows_quarantined for entry in entries if entry.table == "raw.orders") > 10
    assert {"id.key", "day.type"} <= {
        f"{reason.column}.{reason.rule}" for record in found.quarantine(limit=None).records for reason in record.reasons
    }
    write_day(other := Path(shutil.copytree(calm, calm.parent / "second")), 1, 2)
    fly(other)
    later = Project.open(other)
    assert any(entry.rows_deduplicated for entry in later.ledger("raw.customers").entries)
    assert any(entry.rows_deduplicated for entry in later.ledger("raw.events").entries)
    assert any(entry.rows_removed for entry in later.ledger("raw.visits").entries)
    assert any(entry.rows_deduplicated for entry in later.ledger("raw.baskets").entries)
    (newer,) = later.query(
        "select count(*) from raw.basket_lines where _hg_load > (select min(_hg_load) from raw.baskets)"
    ).rows
    assert newer[0] > 100
    with duckdb.connect(str(other / "warehouse.duckdb")) as connection:
        [(said,)] = connection.execute(
            "SELECT details FROM _headgate.entry WHERE table_name = 'raw.members' ORDER BY id DESC LIMIT 1"
        ).fetchall()
    assert {"vanished", "changed", "new"} <= set(json.loads(said)["history"])


@pytest.mark.parametrize(
    ("harm", "losses", "doubles"),
    [
        ("DELETE FROM raw.orders WHERE id = (SELECT min(id) FROM raw.orders)", 1, 0),
        ("INSERT INTO raw.orders SELECT * FROM raw.orders ORDER BY id LIMIT 1", 0, 1),
        ("DELETE FROM _headgate.quarantine WHERE id = (SELECT min(id) FROM _headgate.quarantine)", 1, 0),
        ("UPDATE _headgate.entry SET rows_read = rows_read + 1 WHERE table_name = 'raw.prices'", 1, 1),
        ("CREATE TABLE raw.orders__hg_1 (id INTEGER)", 0, 1),
    ],
)
def test_harm_is_found(calm: Path, tmp_path: Path, harm: str, losses: int, doubles: int) -> None:
    hurt = Path(shutil.copytree(calm, tmp_path / "hurt"))
    with duckdb.connect(str(hurt / "warehouse.duckdb")) as connection:
        connection.execute(harm)
    tally = Tally()
    kills._compare(DuckDBSite(), calm, hurt, tally)
    assert (tally.losses, tally.doubles, tally.ok) == (losses, doubles, False)
    assert "differ from those without a kill" in tally.render()


def test_a_run_that_fails_by_itself_is_no_kill(calm: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(calm, tmp_path / "broken"))
    (broken / "models" / "priced.sql").write_text("select from nowhere")
    with pytest.raises(RunFailed, match="a run ended with 1"):
        fly(broken)

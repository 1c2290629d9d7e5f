"""Fixes, purges, samples and looks on PostgreSQL: the same answers and the same books as on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_corruptions_postgres import ServerFolder
from tests.services.postgres import Postgres

from headgate.core.errors import CommitError

ORDERS = """
table: raw.orders
from: {csv: {path: data/*.csv}}
columns:
  id:     int, key
  amount: decimal(8,2), required, min(0)
  email:  text, pii
"""
DATA = 'id,amount,email\n1,10.00,a@x.org\n2,"7,50",b@x.org\n3,-1,c@x.org\n4,"8,00",\n5,1,2,3\n'
COMMA = {"amount": "replace(amount, ',', '.')"}


@pytest.fixture
def folder(postgres_server: Postgres, tmp_path: Path) -> Iterator[ServerFolder]:
    made = ServerFolder.begin(tmp_path / "p", postgres_server)
    made.write("ingest/orders.yml", ORDERS)
    made.write("data/a.csv", DATA)
    made.run()
    yield made
    made.drop()


def test_a_history_of_the_workbench_balances(folder: ServerFolder) -> None:
    project = folder.open()
    sample = project.quarantine_sample()
    assert [(one.rule, one.count) for one in sample.groups] == [("type", 2), ("min", 1), ("record", 1)]
    dry = project.quarantine_fix(set=COMMA, all=True, dry_run=True)
    assert dry.replay is not None
    assert (dry.fixed, dry.malformed, dry.replay.rows_loaded) == (2, 1, 2)
    assert folder.behind("SELECT count(*) FROM _headgate.revision") == [(0,)]
    done = project.quarantine_fix(set=COMMA, rule="type", reason="decimal commas", replay=True)
    assert done.replay is not None
    assert (done.fixed, done.replay.rows_loaded) == (2, 2)
    broken = project.quarantine(rule="record").records[0].id
    project.quarantine_fix([broken], raw="5,-1,x@x.org", reason="one comma too many", replay=True)
    (again,) = [one for one in project.quarantine(rule="min").records if one.parent == broken]
    assert (again.row, again.masked) == ({"id": "5", "amount": "-1", "email": "•••"}, True)
    path = folder.root / "edit.csv"
    project.quarantine_export(path, [again.id])
    path.write_text(path.read_text().replace(",-1,", ",3,"))
    assert project.quarantine_fix(file=path, reason="by the shop").fixed == 1
    with pytest.raises(CommitError, match="has revision 1"):
        project.quarantine_fix(file=path, reason="by the shop")
    assert project.quarantine(unmask=True).total == 2
    assert folder.codes() == []
    purged = project.quarantine_purge([again.id], reason="asked by the customer", yes=True)
    assert (purged.emptied, purged.purged) == (2, 1)
    assert folder.codes() == []
    assert folder.behind("SELECT verb, records FROM _headgate.disclosure") == [("quarantine list", 2)]
    assert folder.rows("SELECT id FROM raw.orders ORDER BY id") == [(1,), (2,), (4,)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE _headgate.revision SET raw = 'x'",
        "UPDATE _headgate.revision SET author = 'nobody'",
        "UPDATE _headgate.quarantine SET \"row\" = '{}' WHERE revision = 1",
        "DELETE FROM _headgate.revision",
    ],
)
def test_an_audit_finds_what_was_edited_about_a_fix(folder: ServerFolder, sql: str) -> None:
    folder.open().quarantine_fix(set=COMMA, rule="type", reason="decimal commas")
    assert folder.codes() == []
    folder.behind(sql)
    assert set(folder.codes()) & {"revision-edited", "quarantine-edited"}

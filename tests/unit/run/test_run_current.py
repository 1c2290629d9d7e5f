"""`scd6`: on every version, what the current version of its identity says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, differences, oracle_view
from tests.property.postgres import warehouse
from tests.unit.gate.history_kit import ends, file, loads
from tests.unit.project_kit import Folder
from tests.unit.run.test_run_snapshots import DAILY, DAYS, DELETING, DELETIONS, HISTORIES, snapshots

from headgate.core.errors import ProjectError
from headgate.testing.oracle import Flow
from headgate.testing.strategies import Step, histories, parents, play

NOW = (("v", "v_now"), ("n", "n_now"))
CUSTOMERS = """table: raw.customers
from: data/*.csv
load: {scd6: id, order_by: at, current: [city], vanished: close}
columns:
  id: int
  city: text
  at: date
"""
VERSIONS = "SELECT id, city, is_current, current_city FROM raw.customers ORDER BY id, valid_from"


def customers(tmp_path: Path, ingest: str = CUSTOMERS, **files: str) -> Folder:
    return Folder.make(
        tmp_path, {"ingest/c.yml": ingest, "data/a.csv": "id,city,at\n1,Bonn,2024-01-01\n2,Kiel,2024-01-01\n"}
    )


def test_the_present_stands_on_every_version(tmp_path: Path) -> None:
    folder = customers(tmp_path)
    folder.run()
    assert folder.rows(VERSIONS) == [(1, "Bonn", True, "Bonn"), (2, "Kiel", True, "Kiel")]
    folder.write("data/b.csv", "id,city,at\n1,Ulm,2024-02-01\n2,Kiel,2024-02-01\n")
    folder.run()
    assert folder.rows(VERSIONS) == [(1, "Bonn", False, "Ulm"), (1, "Ulm", True, "Ulm"), (2, "Kiel", True, "Kiel")]
    folder.write("data/c.csv", "id,city,at\n2,Kiel,2024-03-01\n")
    folder.run()  # nobody is what 1 is now: it ended
    assert folder.rows(VERSIONS) == [(1, "Bonn", False, None), (1, "Ulm", False, None), (2, "Kiel", True, "Kiel")]
    folder.write("data/d.csv", "id,city,at\n1,Bern,2024-04-01\n2,Kiel,2024-04-01\n")
    folder.run()
    assert [row[3] for row in folder.rows(VERSIONS)] == ["Bern", "Bern", "Bern", "Kiel"]
    assert folder.codes() == []
    assert folder.run().steps[0].status == "skipped"


def test_a_version_that_says_something_else_is_counted(tmp_path: Path) -> None:
    folder = customers(tmp_path)
    folder.run()
    folder.write("data/b.csv", "id,city,at\n1,Ulm,2024-02-01\n2,Kiel,2024-02-01\n")
    folder.run()
    assert folder.open().check_data().ok
    folder.behind("UPDATE raw.customers SET current_city = 'Bonn' WHERE id = 1")
    (one,) = [rule for rule in folder.open().check_data().tables[0].rules if rule.rule == "current"]
    assert (one.column, one.status, one.broken, one.counted) == ("current_city", "error", 2, 3)
    assert len(folder.open().query(one.query).rows) == 2


def test_names_of_ones_own(tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("[city]", "{city: lives_in, at: seen_at}"))
    folder.run()
    assert folder.rows("SELECT lives_in, seen_at FROM raw.customers WHERE id = 1") == [("Bonn", "2024-01-01")]


@pytest.mark.parametrize("name", [*HISTORIES, *DELETIONS])
def test_a_history_with_the_present_is_the_oracles(name: str) -> None:
    made = replace(snapshots() if name in HISTORIES else DELETING, latest=NOW)
    steps = (HISTORIES | DELETIONS)[name]
    ends([(made, step) for step in steps])


def test_a_history_by_the_day_is_the_oracles() -> None:
    ends([(replace(DAYS, latest=NOW), step) for step in DAILY])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Flow, list[Step]]:
    made = replace(snapshots(), latest=NOW, vanished=draw(st.sampled_from(["keep", "close"])))  # type: ignore[arg-type]
    return made, draw(histories(made))


@settings(max_examples=10)
@given(cases())
def test_any_history_ends_in_the_state_of_the_oracle(case: tuple[Flow, list[Step]]) -> None:
    flow, steps = case
    state, real = parents(), Warehouse(flow)
    try:
        for step in steps:
            state = play(state, flow, step)
            real.play(step)
            assert differences(real.view(), oracle_view(state)) == []
            assert real.findings() == []
    finally:
        real.close()


def test_on_postgres_as_well(postgres_of_worker: str) -> None:
    names = ("what comes back says the same", "all files at once are one after the other")
    played = [(replace(snapshots(), latest=NOW), HISTORIES[name]) for name in names]
    played.append((replace(DELETING, latest=NOW), DELETIONS["an end and a return"]))
    late = loads(a=file("id n v", ("1", "5", "1"), ("2", "5", "1")), b=file("id n v", ("1", "3", "2"), ("1", "6", "3")))
    played.append((replace(snapshots(), latest=NOW, vanished="keep"), late))
    for made, steps in played:
        state = parents()
        with warehouse(postgres_of_worker, made) as real:
            for step in steps:
                state = play(state, made, step)
                real.play(step)
                assert differences(real.view(), oracle_view(state)) == []
                assert real.findings() == []


@pytest.mark.parametrize(
    ("load", "what"),
    [
        ("{scd6: id, order_by: at}", "scd6 does not say of which columns"),
        ("{scd2: id, order_by: at, current: [city]}", "current does not go with scd2"),
        ("{upsert: id, current: [city]}", "current does not go with upsert"),
        ("{scd6: id, order_by: at, current: [town]}", "current names column 'town'"),
        ("{scd6: id, order_by: at, current: {city: at}}", "can't stand beside the versions"),
        ("{scd6: id, order_by: at, current: {city: x, at: x}}", "need a name each"),
        ("{scd1: id}", "scd1 is called upsert"),
    ],
)
def test_mistakes(tmp_path: Path, load: str, what: str) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("{scd6: id, order_by: at, current: [city], vanished: close}", load))
    with pytest.raises(ProjectError, match=what):
        folder.open()


def test_a_table_that_has_no_such_column_yet(tmp_path: Path) -> None:
    folder = customers(tmp_path, CUSTOMERS.replace("scd6: id, order_by: at, current: [city]", "scd2: id, order_by: at"))
    folder.run()
    folder.write("ingest/c.yml", CUSTOMERS)
    folder.write("data/b.csv", "id,city,at\n1,Ulm,2024-02-01\n2,Kiel,2024-02-01\n")
    (found,) = folder.run().findings
    assert found.code == "contract-misfit"
    assert "not in the table: current_city" in found.what
    assert "--full-refresh raw.customers" in found.fix
    folder.run(full_refresh=True)
    assert [row[3] for row in folder.rows(VERSIONS)] == ["Ulm", "Ulm", "Kiel"]

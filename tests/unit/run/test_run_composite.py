"""References of several columns under `rules:`, from the files of a project to rows, reasons and findings."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.property.driver import Warehouse, differences, oracle_view
from tests.property.postgres import warehouse
from tests.unit.gate.history_kit import file, loads
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError
from headgate.testing.oracle import Column, Contract, Flow, Reference
from headgate.testing.strategies import PARENTS, Step, parents, play

ROUTES = {
    "ingest/z_routes.yml": "table: raw.routes\nfrom: data/routes.csv\ncolumns:\n"
    '  "Carrier, id": text, key\n  no: int, key\n',
    "data/routes.csv": '"Carrier, id",no\nAF,1\nAF,2\nLH,1\n',
}
FLIGHTS = """table: raw.flights
from: data/flights*.csv
columns:
  id: int, key
  carrier: text
  number: int
rules:
  known_route: {references: raw.routes, columns: [carrier, number], to: ["Carrier, id", no]}
"""
DATA = "id,carrier,number\n1,AF,1\n2,LH,2\n3,,9\n4,AF,\n5,LH,1\n6,XX,1\n"


def folder_of(tmp_path: Path, ingest: str = FLIGHTS, **files: str) -> Folder:
    return Folder.make(tmp_path, {**ROUTES, "ingest/flights.yml": ingest, "data/flights.csv": DATA, **files})


def saying(more: str) -> str:
    return FLIGHTS.replace("no]}", f"no], {more}}}")


def test_a_record_needs_one_row_with_all_its_values_and_any_null_passes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    # The referenced table loads first, whatever the files are called.
    assert [step.id for step in folder.run().steps] == ["raw.routes", "raw.flights"]
    assert folder.rows("SELECT id FROM raw.flights ORDER BY id") == [(1,), (3,), (4,), (5,)]
    why = [("known_route", "carrier, number")]
    assert folder.refused("raw.flights") == [("flights.csv", 2, why), ("flights.csv", 6, why)]
    (reason,) = folder.open().quarantine("raw.flights").records[0].reasons
    assert reason.message == "must stand in raw.routes (Carrier, id, no)"
    assert folder.codes() == []


def test_it_is_counted_in_the_table_as_it_stands(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.run()
    assert folder.open().check_data(["raw.flights"]).ok
    folder.behind("DELETE FROM raw.routes WHERE no = 1 AND \"Carrier, id\" = 'LH'")
    counts = folder.open().check_data(["raw.flights"]).tables[0].rules
    (count,) = [one for one in counts if one.rule == "known_route"]
    assert (count.column, count.broken, count.counted, count.status) == ("carrier, number", 1, 2, "error")
    assert [row[0] for row in folder.rows(count.query.replace("s.*", "s.id"))] == [5]
    folder.behind("ALTER TABLE raw.flights DROP COLUMN number")
    counts = folder.open().check_data(["raw.flights"]).tables[0].rules
    (count,) = [one for one in counts if one.rule == "known_route"]
    assert (count.status, count.reason) == ("error", "the table lacks its columns")


def test_what_only_warns_is_loaded_and_counted(tmp_path: Path) -> None:
    step = folder_of(tmp_path, saying("unmatched: warn")).step("raw.flights")
    assert (step.rows_loaded, step.rows_quarantined) == (6, 0)
    assert [(one.code, one.evidence) for one in step.warnings] == [
        ("rule-warning", {"rule": "carrier, number.known_route", "rows": 2})
    ]


def test_all_values_of_a_reference_are_emptied_together(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, saying("unmatched: null"))
    step = folder.step("raw.flights")
    assert (step.rows_loaded, step.rows_quarantined) == (6, 0)
    assert folder.rows("SELECT * EXCLUDE (_hg_load) FROM raw.flights ORDER BY id") == [
        (1, "AF", 1), (2, None, None), (3, None, 9), (4, "AF", None), (5, "LH", 1), (6, None, None),
    ]  # fmt: skip
    assert [one.what for one in step.warnings] == [
        "2 rows were loaded with NULL in carrier, number (known_route): the referenced table has no such value"
    ]
    assert folder.codes() == []


@pytest.mark.parametrize("unmatched", ["quarantine", "warn", "null"])
@pytest.mark.parametrize(("share", "status"), [("50%", "ok"), ("51%", "refused")])
def test_mostly_counts_records_that_have_every_value(tmp_path: Path, unmatched: str, share: str, status: str) -> None:
    # Of the four that have both, two stand in raw.routes.
    folder = folder_of(tmp_path, saying(f"unmatched: {unmatched}, mostly: {share}"))
    assert folder.step("raw.flights").status == status


@pytest.mark.parametrize(
    ("change", "code", "what"),
    [
        (("raw.routes", "raw.rutes"), "unknown-table", "no ingest file loads raw.rutes (did you mean 'raw.routes'?)"),
        ((", no]", ", noo]"), "unknown-column", "raw.routes has no column 'noo' (did you mean 'no'?)"),
        (("number: int", "number: text"), "rule-mismatch", "'number' is text, but raw.routes.no is int"),
        (
            ("carrier: text\n  number: int\nrules:", "carrier: text, required\n  number: int\nrules:"),
            "rule-mismatch",
            "'carrier, number' can't be emptied (unmatched=null): all of them would be, and carrier is required",
        ),
    ],
)
def test_mistakes_are_told_where_they_stand(tmp_path: Path, change: tuple[str, str], code: str, what: str) -> None:
    folder = folder_of(tmp_path, saying("unmatched: null").replace(*change))
    with pytest.raises(ProjectError) as error:
        folder.open()
    found = error.value.finding
    assert (found.code, found.what, found.where[:23]) == (code, what, "ingest/flights.yml:8:29")


def test_a_condition_may_look_at_none_of_the_columns_that_are_emptied(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, saying("unmatched: null") + "  positive: number > 0\n")
    (found,) = [one for one in folder.open().check().findings if one.level == "error"]
    assert (found.code, "it looks at 'number'" in found.what) == ("rule-mismatch", True)


def test_tables_that_refer_to_each_other_by_several_columns_have_no_order(tmp_path: Path) -> None:
    back = 'rules:\n  flown: {references: raw.flights, columns: ["Carrier, id", no], to: [carrier, number]}\n'
    folder = folder_of(tmp_path, **{"ingest/z_routes.yml": ROUTES["ingest/z_routes.yml"] + back})
    with pytest.raises(ProjectError, match="tables refer to each other in a circle") as error:
        folder.run()
    assert error.value.finding.code == "reference-cycle"


def test_a_models_contract_and_its_lineage(tmp_path: Path) -> None:
    model = "models:\n  - name: flown\n    contract:\n      columns:\n        id: int\n        carrier: text\n"
    model += "        number: int\n      rules:\n        route: {references: raw.routes, columns: [carrier, number],"
    files = {
        "models/flown.sql": "{{ config(materialized='table') }} select * from {{ ref('raw.flights') }}",
        "models/flown.yml": model + ' to: ["Carrier, id", no]}\n',
    }
    folder = folder_of(tmp_path, saying("unmatched: warn"), **files)
    step = folder.step("flown")
    assert (step.rows_loaded, step.rows_quarantined) == (4, 2)
    folder.write("models/flown.yml", model + " to: [carrier, no]}\n")
    with pytest.raises(ProjectError, match=r"raw\.routes has no column 'carrier'"):
        folder.open()


def test_lines_of_a_list_refer_by_several_columns(tmp_path: Path) -> None:
    ingest = """table: raw.trips
from: data/trips.ndjson
columns:
  id: int, key
children:
  raw.legs:
    from: legs
    columns:
      carrier: text
      number: int
    rules:
      route: {references: raw.routes, columns: [carrier, number], to: ["Carrier, id", no]}
"""
    lines = [
        '{"id": 1, "legs": [{"carrier": "AF", "number": 1}, {"carrier": "AF", "number": null}]}',
        '{"id": 2, "legs": [{"carrier": "LH", "number": 1}, {"carrier": "LH", "number": 2}]}',
    ]
    folder = Folder.make(tmp_path, {**ROUTES, "ingest/a.yml": ingest, "data/trips.ndjson": "\n".join(lines) + "\n"})
    step = folder.step("raw.trips")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 1)
    assert folder.rows("SELECT carrier, number FROM raw.legs ORDER BY position") == [("AF", 1), ("AF", None)]
    (reason,) = folder.open().quarantine("raw.trips").records[0].reasons
    assert reason.message == "line 2: must stand in raw.routes (Carrier, id, no)"


def test_on_postgres_as_well(postgres_of_worker: str) -> None:
    """To another table and to the own one, refusing, warning and emptying, over two loads and a change of a file."""
    columns = (Column("id", "int"), Column("n", "int"), Column("v", "int"))
    pair = Reference(("id", "n"), PARENTS, ("pid", "qid"), code="pair")
    first = file("id n v", ("1", "2", "1"), ("2", "1", "2"), ("2", None, "9"), ("3", "3", "3"), (None, "4", "1"))
    second = file("id n v", ("1", "2", "2"), ("9", "9", "9"), ("4", "1", None))
    cases: list[tuple[Reference, ...]] = [
        (pair, Reference(("v", "n"), PARENTS, ("pid", "qid"), "warn", code="warning")),
        (Reference(("v", "n"), PARENTS, ("pid", "qid"), nulls=True, code="emptied"),),
        (Reference(("id", "v"), "raw.orders", ("v", "id"), code="own"),),
    ]
    for references in cases:
        flow = Flow("raw.orders", Contract(columns, references=references))
        steps = [*loads(a=first, b=second), Step("replay", {}, {}, (0,))]
        for server in (True, False):
            state = parents()
            with warehouse(postgres_of_worker, flow) if server else closing(Warehouse(flow)) as real:
                for step in steps:
                    state = play(state, flow, step)
                    real.play(step)
                    assert differences(real.view(), oracle_view(state)) == []
                    assert real.findings() == []

"""Models with a contract: what is published, what is quarantined, what replays and rebuilds make of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

RAW = "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int\n  amount: int\n  state: text\n"
SQL = "{{ config(materialized='table') }}\nselect id, amount, state from {{ ref('raw.orders') }}\n"
CONTRACT = """\
models:
  - name: good
    contract:
      columns:
        id: int, key
        amount: int, required, min(0)
        state: text, in(new, paid), warn
"""
DATA = "id,amount,state\n1,10,new\n2,-5,paid\n3,,new\n1,30,gone\n4,40,gone\n"
FILES = {"ingest/orders.yml": RAW, "models/gold/good.sql": SQL, "models/gold/good.yml": CONTRACT, "data/a.csv": DATA}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.make(tmp_path, FILES)


def rows(folder: Folder, columns: str = "id, amount") -> list[tuple[object, ...]]:
    return folder.behind(f"SELECT {columns} FROM gold.good ORDER BY ALL")


def test_good_rows_are_published_and_bad_ones_quarantined_with_every_reason(folder: Folder) -> None:
    step = folder.step("good")
    assert (step.status, step.rows_read, step.rows_loaded, step.rows_quarantined) == ("ok", 5, 2, 3)
    assert rows(folder) == [(1, 10), (4, 40)]
    # Numbered by id, then amount, then state.
    assert folder.refused("gold.good") == [
        ("good", 2, [("key", "id")]),
        ("good", 3, [("min", "amount")]),
        ("good", 4, [("required", "amount")]),
    ]
    assert [(one.code, one.evidence["rows"]) for one in step.warnings] == [("rule-warning", 1)]
    assert folder.codes() == []


def test_the_entry_of_a_build_says_what_became_of_every_row(folder: Folder) -> None:
    folder.run()
    entry = folder.open().ledger("gold.good").entries[0]
    assert (entry.kind, entry.partition, entry.rows_read, entry.rows_loaded, entry.rows_quarantined) == (
        "build", "good", 5, 2, 3,
    )  # fmt: skip
    assert entry.detail["model"] == "good"
    assert entry.detail["inputs"] == {"raw.orders": 1}


def test_nothing_is_built_where_nothing_changed(folder: Folder) -> None:
    folder.run()
    assert folder.step("good").status == "skipped"


def test_a_new_build_supersedes_what_the_last_one_refused(folder: Folder) -> None:
    folder.run()
    folder.write("data/b.csv", "id,amount,state\n7,,new\n8,80,new\n")
    step = folder.step("good")
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (7, 3, 4)
    assert len(folder.refused("gold.good")) == 4
    assert len(folder.refused("gold.good", "superseded")) == 3
    assert folder.open().ledger("gold.good").entries[0].detail["superseded"] == 3
    assert folder.codes() == []


def test_a_limit_stops_the_publication_and_the_old_table_stays(folder: Folder) -> None:
    folder.run()
    folder.write("models/gold/good.yml", CONTRACT + "      refuse_at_most: 10%\n")
    answer = folder.run()
    step = next(one for one in answer.steps if one.id == "good")
    assert (answer.status, step.status, step.rows_quarantined) == ("refused", "refused", 3)
    assert [finding.code for finding in answer.findings] == ["refuse-limit"]
    assert rows(folder) == [(1, 10), (4, 40)]
    assert len(folder.refused("gold.good", "held")) == 3
    assert len(folder.refused("gold.good")) == 3
    assert folder.codes() == []


def test_a_mended_record_is_published_until_the_next_build(folder: Folder) -> None:
    folder.run()
    chosen = folder.open().quarantine("gold.good", rule="required").records
    fixed = folder.open().quarantine_fix([one.id for one in chosen], set={"amount": "'33'"}, reason="x", replay=True)
    assert fixed.fixed == 1
    assert rows(folder) == [(1, 10), (3, 33), (4, 40)]
    assert folder.codes() == []
    assert folder.step("good").status == "skipped"
    folder.write("data/b.csv", "id,amount,state\n8,80,new\n")
    step = folder.step("good")
    assert [one.code for one in step.warnings] == ["replay-replaced", "rule-warning"]
    assert rows(folder) == [(1, 10), (4, 40), (8, 80)]
    assert ("good", 4, [("required", "amount")]) in folder.refused("gold.good")
    assert folder.codes() == []


def test_a_relaxed_contract_publishes_by_a_replay_or_by_a_build(folder: Folder) -> None:
    folder.run()
    folder.write("models/gold/good.yml", CONTRACT.replace(", required, min(0)", ""))
    done = folder.open().replay(table="gold.good")
    assert (done.rows_read, done.rows_loaded, done.rows_quarantined) == (3, 2, 1)
    assert rows(folder) == [(1, 10), (2, -5), (3, None), (4, 40)]
    assert folder.codes() == []
    assert folder.step("good").reason == "its code, checks, contract or engine changed"
    assert rows(folder) == [(1, 10), (2, -5), (3, None), (4, 40)]
    assert folder.codes() == []


def test_models_read_a_split_model_without_the_internal_column(folder: Folder) -> None:
    folder.write("models/gold/all.sql", "{{ config(materialized='table') }}select * from {{ ref('good') }}")
    folder.run()
    assert folder.behind("SELECT * FROM gold.all ORDER BY id") == [(1, 10, "new"), (4, 40, "gone")]
    chosen = folder.open().quarantine("gold.good", rule="required").records
    folder.open().quarantine_fix([one.id for one in chosen], set={"amount": "'33'"}, reason="x", replay=True)
    assert folder.step("all").reason == "good changed"
    assert folder.behind("SELECT count(*) FROM gold.all") == [(3,)]


def test_tests_of_the_model_see_what_would_be_published(folder: Folder) -> None:
    folder.write("models/gold/good.yml", CONTRACT + "    tests: [{expression: amount >= 0}, {expression: id < 4}]\n")
    answer = folder.run()
    assert [(one.code, one.evidence["rows"]) for one in answer.findings] == [("check-failed", 1)]
    assert next(one for one in answer.steps if one.id == "good").status == "failed"
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gold'"
    assert folder.behind(tables) == [("good__hg_failed",)]
    passed = folder.behind("SELECT id, amount FROM gold.good__hg_failed ORDER BY ALL")
    assert folder.refused("gold.good") == []
    assert folder.codes() == []
    folder.write("models/gold/good.yml", CONTRACT)
    assert folder.step("good").status == "ok"
    assert folder.behind("SELECT id, amount FROM gold.good ORDER BY ALL") == passed
    assert folder.behind(tables) == [("good",)]


def test_a_contract_may_come_and_go(folder: Folder) -> None:
    folder.write("models/gold/good.yml", "models: [{name: good}]\n")
    assert folder.step("good").rows_read == 0
    assert len(rows(folder)) == 5
    folder.write("models/gold/good.yml", CONTRACT)
    assert folder.step("good").rows_quarantined == 3
    assert folder.codes() == []
    folder.write("models/gold/good.yml", "models: [{name: good}]\n")
    assert folder.step("good").status == "ok"
    assert (len(rows(folder)), folder.refused("gold.good")) == (5, [])
    assert folder.behind("SELECT * FROM gold.good LIMIT 0") == []
    assert folder.codes() == []
    folder.write("models/gold/good.yml", CONTRACT)
    assert folder.step("good").rows_quarantined == 3
    assert folder.codes() == []


def test_a_view_makes_room_for_a_model_with_a_contract(folder: Folder) -> None:
    folder.write("models/gold/good.yml", "models: [{name: good}]\n")
    folder.write("models/gold/good.sql", SQL.replace("table", "view", 1))
    folder.run()
    folder.write("models/gold/good.yml", CONTRACT)
    folder.write("models/gold/good.sql", SQL)
    assert folder.step("good").rows_loaded == 2
    assert folder.codes() == []


def test_skipped_rows_have_their_fate_and_the_whole_load_its_rules(folder: Folder) -> None:
    rules = "      skip: {gone: state = 'gone'}\n      rules: {enough: {rows: 2..}}\n"
    folder.write("models/gold/good.yml", CONTRACT + rules)
    answer = folder.run()
    step = next(one for one in answer.steps if one.id == "good")
    assert (step.status, step.rows_skipped) == ("refused", 2)
    folder.write("models/gold/good.yml", CONTRACT + rules.replace("2..", "1.."))
    step = folder.step("good")
    assert (step.status, step.rows_read, step.rows_skipped, step.rows_quarantined) == ("ok", 5, 2, 2)
    assert folder.codes() == []


def test_references_lead_to_loaded_tables_and_models(folder: Folder) -> None:
    folder.write("models/gold/states.sql", "{{ config(materialized='table') }}select 'new' as state")
    folder.write("models/gold/good.yml", CONTRACT.replace("in(new, paid), warn", "references(gold.states.state)"))
    step = folder.step("good")
    assert (step.rows_loaded, step.rows_quarantined) == (1, 4)
    folder.write("models/gold/states.sql", "{{ config(materialized='table') }}select 'gone' as state")
    assert (folder.step("good").reason, folder.codes()) == ("states changed", [])
    assert rows(folder) == [(1, 30), (4, 40)]
    folder.write("models/gold/states.sql", "{{ config(materialized='table') }}select 'gone' as other")
    answer = folder.run()
    assert [one.code for one in answer.findings] == ["unknown-column"]
    assert rows(folder) == [(1, 30), (4, 40)]


def test_a_condition_that_fails_is_named(folder: Folder) -> None:
    folder.write("models/gold/good.yml", CONTRACT + "      rules: {odd: cast(state as int) > 0}\n")
    answer = folder.run()
    assert [(one.code, one.evidence["rule"]) for one in answer.findings] == [("rule-failed", "odd")]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select id, amount from", "names column 'state', which its SELECT does not give"),
        ("select *, 1 as more from", "gives column 'more', which its contract does not name"),
    ],
)
def test_the_contract_names_exactly_the_columns(folder: Folder, sql: str, said: str) -> None:
    folder.write("models/gold/good.sql", SQL.replace("select id, amount, state from", sql))
    answer = folder.run()
    assert [one.code for one in answer.findings] == ["model-contract"]
    assert said in answer.findings[0].what


def test_broken_sql_of_a_split_model_is_the_models_fault(folder: Folder) -> None:
    folder.write("models/gold/good.sql", SQL.replace("amount,", "amonut,"))
    answer = folder.run()
    assert [(one.code, one.where) for one in answer.findings] == [("model-sql", "models/gold/good.sql:2:12")]


def test_a_view_can_not_be_split(folder: Folder) -> None:
    folder.write("models/gold/good.sql", SQL.replace("table", "view", 1))
    with pytest.raises(ProjectError) as caught:
        folder.run()
    found = caught.value.finding
    assert (found.code, found.where) == ("model-contract", "models/gold/good.yml:4:7")
    assert "materialized='table'" in found.fix


def test_values_marked_as_personal_are_hidden(folder: Folder) -> None:
    folder.write("models/gold/good.yml", CONTRACT.replace("state: text,", "state: text, pii,"))
    folder.run()
    shown = folder.open().quarantine("gold.good").records
    assert {one.row["state"] for one in shown if one.row} == {"•••"}


def test_a_table_made_by_hand_in_a_split_model_is_found(folder: Folder) -> None:
    folder.run()
    folder.behind("DELETE FROM gold.good WHERE id = 4")
    assert folder.codes() == ["law-table", "law-origin"]
    folder.run("good", full_refresh=True)
    assert folder.codes() == []


def test_an_empty_model_is_published(folder: Folder) -> None:
    folder.write("models/gold/good.sql", SQL + "where false")
    step = folder.step("good")
    assert (step.status, step.rows_read) == ("ok", 0)
    assert (rows(folder), folder.codes()) == ([], [])


def test_a_contract_in_a_file_splits_too(folder: Folder) -> None:
    schema = """{"type": "object", "required": ["id", "amount"], "properties": {
        "id": {"type": "integer"}, "amount": {"type": "integer", "minimum": 0}, "state": {"type": "string"}}}"""
    folder.write("contracts/good.schema.json", schema)
    folder.write("models/gold/good.yml", "models: [{name: good, contract: contracts/good.schema.json}]\n")
    step = folder.step("good")
    assert (step.rows_loaded, step.rows_quarantined, folder.codes()) == (3, 2, [])


@pytest.mark.parametrize(
    ("contract", "code", "said"),
    [
        ("{enforced: true}", "not-supported", "'enforced' is not supported in the contract of a model"),
        ("{rules: {a: id > 0}}", "missing-key", "the contract names no column"),
        ("{columns: {id: int, amount: int, state: txt}}", "unknown-type", "'txt'"),
        ("{columns: {id: 'int, references(raw.orders.no)'}}", "unknown-column", "raw.orders has no column 'no'"),
        ("{columns: {id: 'int, references(raw.order.id)'}}", "unknown-table", "no model or loaded table raw.order"),
        ("{great_expectations: s.json}", "not-supported", "says no types"),
    ],
)
def test_what_is_no_contract_of_a_model(folder: Folder, contract: str, code: str, said: str) -> None:
    folder.write("s.json", '{"expectation_suite_name": "s", "expectations": []}')
    folder.write("models/gold/good.yml", f"models:\n  - name: good\n    contract: {contract}\n")
    with pytest.raises(ProjectError) as caught:
        folder.run()
    assert caught.value.finding.code == code
    assert said in caught.value.finding.what
    assert caught.value.finding.where.startswith("models/gold/good.yml:3:")


def test_the_plan_tells_what_the_last_build_refused(folder: Folder) -> None:
    folder.run()
    step = next(one for one in folder.open().plan().steps if one.id == "good")
    assert (step.status, step.rows_read, step.rows_quarantined) == ("skip", 5, 3)


def test_check_finds_a_condition_that_does_not_bind(folder: Folder) -> None:
    folder.write("models/gold/good.yml", CONTRACT + "      rules: {odd: amonut > 0}\n")
    found = folder.open().check().findings
    assert [(one.code, one.where) for one in found if one.level == "error"] == [
        ("unknown-column", "models/gold/good.yml:8:20")
    ]


def test_a_key_of_a_rebuilt_table_is_not_held_against_its_own_rows(folder: Folder) -> None:
    folder.write("models/gold/good.yml", CONTRACT.replace("in(new, paid), warn", "unique(keep=none)"))
    first = folder.step("good")
    again = folder.step("good", full_refresh=True)
    assert (again.rows_loaded, again.rows_quarantined) == (first.rows_loaded, first.rows_quarantined)
    assert folder.codes() == []


def test_references_to_the_own_table_are_judged_by_what_is_published(folder: Folder) -> None:
    folder.write("data/a.csv", "id,amount,state\n1,1,a\n2,1,b\n3,9,c\n")
    text = CONTRACT.replace("int, required, min(0)", "int, references(gold.good.id), warn")
    folder.write("models/gold/good.yml", text)
    step = folder.step("good")
    warned = {one.evidence["rule"]: one.evidence["rows"] for one in step.warnings}
    assert warned == {"amount.references": 1, "state.in": 3}
    folder.write("models/gold/good.yml", text.replace(", warn\n        state", "\n        state"))
    assert folder.step("good").rows_quarantined == 1
    assert folder.codes() == []

"""Mistakes in project files: each is told with file, line, column and the nearest known word; nothing is changed."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from tests.e2e.conftest import Lab


class Mistake(NamedTuple):
    """An ingest file and what is said about it."""

    text: str
    code: str
    where: str
    said: str


HEAD = "table: raw.o\nfrom: data/*.csv\n"
INGEST = {
    "tab": Mistake(HEAD + "columns:\n\tid: int\n", "yaml-syntax", ":4:1", "cannot start any token"),
    "twice": Mistake(HEAD + "table: raw.p\n", "duplicate-key", ":3:1", "first at ingest/o.yml:1:1"),
    "key": Mistake(HEAD + "laod: append\n", "unknown-key", ":3:1", "did you mean 'load'?"),
    "type": Mistake(HEAD + "columns:\n  id: itn\n", "unknown-type", ":4:7", "did you mean 'int'?"),
    "rule": Mistake(HEAD + "columns:\n  id: int, requird\n", "unknown-rule", ":4:12", "did you mean 'required'?"),
    "precision": Mistake(HEAD + "columns:\n  a: decimal(40,2)\n", "unknown-type", ":4:6", "precision"),
    "arguments": Mistake(HEAD + "columns:\n  a: int, between(5)\n", "rule-syntax", ":4:11", "2 arguments"),
    "literal": Mistake(HEAD + "columns:\n  d: date, min(2024-02-30)\n", "bad-literal", ":4:16", "2024-02-30"),
    "list": Mistake(HEAD + "columns: [id, name]\n", "bad-value", ":3:10", "a mapping, not a list"),
    "nested": Mistake(HEAD + "columns:\n  id: {type: int}\n", "bad-value", ":4:7", "not a mapping"),
    "case": Mistake(HEAD + "columns:\n  id: int\n  ID: int\n", "duplicate-column", ":5:3", "letter case"),
    "tag": Mistake(HEAD + "columns:\n  id: !!str int\n", "yaml-syntax", ":4:7", "tag"),
    "table": Mistake('table: "raw.o; drop"\nfrom: x.csv\n', "bad-value", ":1:8", "does not name a table"),
    "reserved": Mistake("table: _headgate.entry\nfrom: x.csv\n", "reserved-name", ":1:8", "keeps for itself"),
    "adapter": Mistake("table: o\nfrom: {csvv: {path: x}}\n", "unknown-key", ":2:8", "did you mean 'csv'?"),
    "option": Mistake("table: o\nfrom: {csv: {path: x, delmi: ;}}\n", "unknown-key", ":2:23", "'delim'"),
    "suffix": Mistake("table: o\nfrom: data/*.docx\n", "unknown-format", ":2:7", "what it holds"),
    "outside": Mistake("table: o\nfrom: ../../etc/*.csv\n", "path-escapes", ":2:7", "leaves the project"),
    "upsert": Mistake(HEAD + "load: upsert\n", "missing-key", ":3:7", "no key"),
    "former": Mistake(HEAD + "load: {scd3: id}\n", "missing-key", ":3:8", "scd3"),
    "limit": Mistake(HEAD + "columns: {id: int}\nrefuse_at_most: -5%\n", "bad-value", ":4:17", "-5%"),
    "reference": Mistake(
        HEAD + "columns:\n  id: int, references(raw.oo.id)\n", "unknown-table", ":4:23", "did you mean 'raw.o'?"
    ),
    "nothing": Mistake("\n", "missing-key", "", "says nothing"),
    "scalar": Mistake("orders\n", "bad-value", ":1:1", "must be a mapping"),
    "braces": Mistake("{{{", "yaml-syntax", ":1:4", ""),
}


@pytest.mark.slow
def test_every_mistake_of_an_ingest_file_is_told_with_its_place(lab: Lab) -> None:
    lab.write({"data/a.csv": "id\n1\n"})
    for name, mistake in INGEST.items():
        lab.write({"ingest/o.yml": mistake.text})
        found = lab.fails(2, "run")
        told = (found["code"], found["where"], mistake.said in found["what"])
        assert told == (mistake.code, f"ingest/o.yml{mistake.where}", True), (name, found)
    assert not (lab.root / "warehouse.duckdb").exists()


MAIN = {
    "key": Mistake("projct: x\n", "unknown-key", ":1:1", "did you mean 'project'?"),
    "profile": Mistake("profiles: {prod: {warehose: x}}\n", "unknown-key", ":1:19", "did you mean 'warehouse'?"),
    "system": Mistake("warehouse: mysql://u:hunter2@h/db\n", "not-supported", ":1:12", "no PostgreSQL"),
    "password": Mistake("warehouse: postgres://u:hunter2@h/db\n", "bad-value", ":1:12", "a password in plain text"),
    "secret": Mistake('warehouse: "${secret:NOT_SET}"\n', "secret-missing", ":1:12", "secret 'NOT_SET' is not set"),
    "spelling": Mistake('connections: {a: "${secrt:X}"}\n', "bad-value", ":1:18", "names no secret"),
}


def test_every_mistake_of_the_main_file_is_told_with_its_place(lab: Lab) -> None:
    for name, mistake in MAIN.items():
        lab.write({"headgate.yml": mistake.text})
        ran = lab.headgate("check", "--json")
        found = ran.json()["findings"][0]
        told = (ran.code, found["code"], found["where"], mistake.said in found["what"])
        assert told == (2, mistake.code, f"headgate.yml{mistake.where}", True), (name, found)
        assert "hunter2" not in ran.text


def test_all_mistakes_are_told_at_once_for_people_too(lab: Lab) -> None:
    lab.write(
        {"ingest/a.yml": HEAD + "columns:\n  id: itn\n  n: txt\n", "ingest/b.yml": "tabel: x\n", "data/a.csv": ""}
    )
    ran = lab.headgate("check")
    assert (ran.code, ran.out) == (2, "")
    for line in (
        "error[unknown-type]: unknown type 'itn' (did you mean 'int'?)",
        "  where: ingest/a.yml:4:7",
        "error[unknown-type]: unknown type 'txt' (did you mean 'text'?)",
        "error[unknown-key]: unknown key 'tabel' in an ingest file (did you mean 'table'?)",
        "  where: ingest/b.yml:1:1",
    ):
        assert line in ran.err.splitlines()


def test_conditions_and_patterns_are_bound_by_check_and_stop_a_run(orders: Lab) -> None:
    orders.edit("ingest/orders.yml", "columns:", "rules:\n  positive: amuont > 0\ncolumns:")
    for command in ("check", "run"):
        ran = orders.headgate(command, "--json")
        found = ran.json()["findings"][0]
        assert (ran.code, found["code"], found["where"]) == (1, "unknown-column", "ingest/orders.yml:4:13")
        assert "did you mean 'amount'?" in found["what"]


@pytest.mark.slow
def test_a_secret_is_never_printed(orders: Lab) -> None:
    """Neither where the warehouse it names can't be opened, nor in any answer."""
    orders.write({"headgate.yml": 'warehouse: "${secret:WH}"\n', "hunter2/keep": "", "secrets.yml": "OTHER: hunter3\n"})
    for value in ("duckdb:hunter2", "postgres://u:hunter2@h/db", "duckdb:headgate.yml/hunter2.duckdb", "hunter2"):
        for words in (["run", "--json"], ["plan"]):
            ran = orders.headgate(*words, env={"WH": value})
            assert "hunter" not in ran.text, (value, words)
    assert "the warehouse from secret WH" in orders.headgate("run", env={"WH": "duckdb:hunter2"}).err


@pytest.mark.parametrize(
    ("warehouse", "said"),
    [
        ("duckdb:headgate.yml", "not a valid DuckDB database file"),
        ("duckdb:data", "Is a directory"),
        ("duckdb:headgate.yml/x.duckdb", "folder can't be made"),
    ],
)
def test_a_warehouse_that_can_not_be_is_told(orders: Lab, warehouse: str, said: str) -> None:
    main = f"warehouse: {warehouse}\n"
    orders.write({"headgate.yml": main})
    found = orders.fails(1, "run")
    assert (found["code"], said in found["what"]) == ("warehouse-unreadable", True)
    assert (orders.root / "headgate.yml").read_text() == main


def test_a_warehouse_in_a_missing_folder_is_made(orders: Lab) -> None:
    orders.write({"headgate.yml": "warehouse: duckdb:deep/er/w.duckdb\n"})
    assert orders.step()["rows_loaded"] == 2
    assert (orders.root / "deep/er/w.duckdb").is_file()

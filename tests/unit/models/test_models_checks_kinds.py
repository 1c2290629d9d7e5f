"""Every kind of test counts its failing rows, and shows exactly these."""

from __future__ import annotations

import duckdb
import pytest

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.models.checks import count, failing, sample
from headgate.models.model import ModelCheck

ROWS = """(VALUES (1, 'new', 1, 1), (2, 'paid', NULL, 2), (3, NULL, 1, 1), (4, 'NEW', NULL, 2), (5, 'x', 9, 9))
    AS t(id, s, a, b)"""
CASES = [
    (ModelCheck("accepted_values", "s", values=("'new'", "'paid'")), {4, 5}),
    (ModelCheck("accepted_values", "id", values=("1", "2", "3", "4", "5")), set()),
    (ModelCheck("relationships", "a", to="(SELECT * FROM (VALUES (1), (NULL)) AS p(a))", field="a"), {5}),
    (ModelCheck("relationships", "a", to="_hg_model", field="id"), {5}),
    (ModelCheck("unique", columns=("a", "b")), {1, 2, 3, 4}),
    (ModelCheck("unique", columns=("a", "b"), only="id > 1"), {2, 4}),
    (ModelCheck("unique", "a"), {1, 3}),
    (ModelCheck("unique", "a", only="id < 3 -- the first two"), set()),
    (ModelCheck("not_null", "s", only="id <> 3"), set()),
    (ModelCheck("expression", sql="id < 4", only="s = 'x'"), {5}),
    (ModelCheck("query", sql="SELECT * FROM _hg_model WHERE id > 3 -- end", only="id <> 5"), {4}),
]


@pytest.mark.parametrize(("check", "wanted"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_check_reports_exactly_its_rows(check: ModelCheck, wanted: set[int]) -> None:
    session = DuckDBSession(duckdb.connect())
    session.execute(f"CREATE TABLE m AS SELECT * FROM {ROWS}")
    relation = "m AS model"
    assert session.execute(failing(check, relation))[0][0] == len(wanted)
    assert {row[0] for row in session.execute(sample(check, relation, 10))} == wanted
    assert count(session, [check], relation, "id").failing == (len(wanted),)


@pytest.mark.parametrize(
    ("least", "most", "only", "failed"),
    [
        (1, None, "", 0),
        (6, None, "", 1),
        (None, 4, "", 1),
        (1, 5, "", 0),
        (3, None, "id > 3", 1),
    ],
)
def test_the_number_of_rows_is_bounded(least: int | None, most: int | None, only: str, failed: int) -> None:
    session = DuckDBSession(duckdb.connect())
    check = ModelCheck("row_count", least=least, most=most, only=only)
    assert session.execute(failing(check, ROWS))[0][0] == failed
    assert session.execute(sample(check, ROWS)) == [(5 if not only else 2,)]

from __future__ import annotations

from typing import Any

import pytest

from headgate.models.checks import count, failing, sample
from headgate.models.model import ModelCheck

ROWS = "(VALUES (1, 'a', 5), (1, 'b', -1), (2, NULL, NULL), (NULL, 'd', 7), (NULL, NULL, -2)) AS t(id, name, amount)"
CASES = [
    (ModelCheck("not_null", "name"), 2),
    (ModelCheck("not_null", "id"), 2),
    (ModelCheck("unique", "id"), 2),
    (ModelCheck("unique", "name"), 0),
    (ModelCheck("expression", sql="amount >= 0 -- NULL passes"), 2),
    (ModelCheck("expression", sql="true or false"), 0),
    (ModelCheck("expression", sql="false and true or false"), 5),
    (ModelCheck("expression", sql="t.id in (select max(id) from (values (1)) v(id))"), 1),
    (ModelCheck("expression", sql="row_number() over (order by amount) < 4"), 2),
]


@pytest.mark.parametrize(("check", "rows"), CASES)
def test_failing_rows_are_counted_and_shown(session: Any, check: ModelCheck, rows: int) -> None:
    if check.sql is None or "over" not in check.sql:
        assert session.execute(failing(check, ROWS)) == [(rows,)]
        assert len(session.execute(sample(check, ROWS, 5))) == rows
        assert len(session.execute(sample(check, ROWS, 1))) == min(rows, 1)
    assert count(session, [check], ROWS, "id").failing == (rows,)


def test_all_checks_take_one_scan_and_one_per_unique(session: Any) -> None:
    counts = count(session, [check for check, _ in CASES], ROWS, "amount")
    assert counts.rows == 5
    assert counts.failing == tuple(rows for _, rows in CASES)
    assert len(session.statements) == 3


def test_no_row_fails_among_none(session: Any) -> None:
    empty = "(SELECT 1 AS id, 'x' AS name, 1 AS amount, WHERE false) AS t"
    counts = count(session, [check for check, _ in CASES], empty, "id")
    assert (counts.rows, set(counts.failing)) == (0, {0})


def test_rows_are_counted_by_reading_a_column(session: Any) -> None:
    session.execute("CREATE TABLE t AS SELECT range AS id FROM range(10)")
    count(session, [], '"t"', "id")
    ((_, plan),) = session.execute("EXPLAIN " + session.statements[-1])
    assert "count_star" not in plan
    assert "Projections: id" in plan

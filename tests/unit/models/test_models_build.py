from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.core import faults
from headgate.core.errors import InternalError, Location
from headgate.core.values import TableRef
from headgate.models.build import build, check_models
from headgate.models.model import BuildOutcome, Model, ModelCheck

One = Callable[..., Model]
Relations = Callable[[], list[tuple[str, str, str]]]
TABLE = "{{ config(materialized='table') }}"


def record(session: Any, outcome: BuildOutcome) -> None:
    """An entry as the books would write one, in the transaction of the build."""
    session.execute("CREATE TABLE IF NOT EXISTS entries (model TEXT, rows BIGINT)")
    session.execute("INSERT INTO entries VALUES (?, ?)", [outcome.model, outcome.rows])


def entries(session: Any) -> list[Any]:
    return session.execute("FROM entries") if session.standing(TableRef("main", "entries")) else []


def test_a_table_is_built_and_recorded(session: Any, one: One, relations: Relations) -> None:
    model = one(TABLE + "select range as id, range % 2 = 0 as even from range(7)")
    outcome = build(session, model, "a1", record)
    assert (outcome.status, outcome.rows, outcome.replaced, outcome.findings) == ("built", 7, "", ())
    assert outcome.columns == (("id", "BIGINT"), ("even", "BOOLEAN"))
    assert session.execute("SELECT sum(id) FROM gold.daily") == [(21,)]
    assert relations() == [("gold", "daily", "BASE TABLE"), ("main", "entries", "BASE TABLE")]
    assert entries(session) == [("daily", 7)]


def test_a_view_is_built_and_holds_no_rows(session: Any, one: One, relations: Relations) -> None:
    outcome = build(session, one("select 1 as id", tests=[ModelCheck("not_null", "id")]), "a1", record)
    assert (outcome.status, outcome.rows, outcome.columns) == ("built", None, (("id", "INTEGER"),))
    assert relations() == [("gold", "daily", "VIEW"), ("main", "entries", "BASE TABLE")]


def test_an_empty_table_is_published(session: Any, one: One) -> None:
    outcome = build(session, one(TABLE + "select 'x' as name where false"), "a1", record)
    assert (outcome.status, outcome.rows) == ("built", 0)


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [("table", "table", "table"), ("view", "view", "view"), ("table", "view", "table"), ("view", "table", "view")],
)
def test_the_new_relation_takes_the_place_of_the_old(
    session: Any, one: One, relations: Relations, before: str, after: str, replaced: str
) -> None:
    build(session, one(f"{{{{ config(materialized='{before}') }}}} select 1 as old"), "a1", record)
    session.execute("CREATE VIEW reader AS SELECT count(*) AS n FROM gold.daily")
    outcome = build(session, one(f"{{{{ config(materialized='{after}') }}}} select 2 as new"), "a2", record)
    assert outcome.replaced == replaced
    kind = "VIEW" if after == "view" else "BASE TABLE"
    assert [row for row in relations() if row[0] == "gold"] == [("gold", "daily", kind)]
    assert session.execute("SELECT new FROM gold.daily") == [(2,)]
    assert session.execute("FROM reader") == [(1,)]


def test_a_name_that_changed_its_case_replaces_the_old(session: Any, one: One, relations: Relations) -> None:
    build(session, one(TABLE + "select 1 as a", name="Daily"), "a1", record)
    assert build(session, one(TABLE + "select 2 as a", name="daily"), "a2", record).replaced == "table"
    assert relations()[0] == ("gold", "daily", "BASE TABLE")


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_failing_check_keeps_what_was_published(session: Any, one: One, relations: Relations, kind: str) -> None:
    build(session, one(TABLE + "select 1 as id"), "a1", record)
    before = relations()
    check = ModelCheck("unique", "id", where=Location("models/gold/schema.yml", 4))
    text = f"{{{{ config(materialized='{kind}') }}}}\nselect * from (values (2), (2), (3)) t(id) -- twice"
    outcome = build(session, one(text, tests=[check]), "a2", record)
    assert (outcome.status, outcome.rows) == ("failed", None)
    (finding,) = outcome.findings
    assert (finding.code, finding.level, finding.where) == ("check-failed", "error", "models/gold/schema.yml:4")
    assert finding.what == "model 'daily': 2 rows fail the test unique(id)"
    assert session.execute(finding.evidence["query"]) == [(2,), (2,)]
    assert finding.evidence["query"] in finding.fix
    left = [("gold", "daily__hg_failed", "BASE TABLE")] if kind == "table" else []
    assert [row for row in relations() if row not in before] == left
    assert session.execute("FROM gold.daily") == [(1,)]
    assert entries(session) == [("daily", 1)]


def test_a_warning_is_told_and_publishes(session: Any, one: One) -> None:
    checks = [
        ModelCheck("expression", sql="id > 1", severity="warn", name="positive"),
        ModelCheck("expression", sql="id > 0"),
    ]
    outcome = build(session, one(TABLE + "select 1 as id", tests=checks), "a1", record)
    assert outcome.status == "built"
    (finding,) = outcome.findings
    assert (finding.level, finding.what) == ("warning", "model 'daily': 1 row fails the test positive")


def test_errors_are_told_before_warnings(session: Any, one: One) -> None:
    checks = [ModelCheck("expression", sql="id > 1", severity="warn"), ModelCheck("expression", sql="id > 2")]
    outcome = build(session, one(TABLE + "select 1 as id", tests=checks), "a1", record)
    assert [finding.level for finding in outcome.findings] == ["error", "warning"]


def test_a_check_may_name_the_model_and_any_case(session: Any, one: One) -> None:
    checks = [ModelCheck("expression", sql="daily.id = 1"), ModelCheck("not_null", "ID")]
    assert build(session, one(TABLE + "select 1 as id", tests=checks), "a1", record).status == "built"


def test_a_check_of_an_unknown_column_names_the_nearest(session: Any, one: One) -> None:
    model = one(TABLE + "select 1 as amount", tests=[ModelCheck("not_null", "amout")])
    (finding,) = build(session, model, "a1", record).findings
    assert finding.code == "model-check"
    assert "did you mean 'amount'?" in finding.what


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_check_that_cannot_be_evaluated_is_named(session: Any, one: One, kind: str) -> None:
    checks = [ModelCheck("expression", sql="id > 0", name="good"), ModelCheck("expression", sql="nix > 0", name="bad")]
    outcome = build(session, one(f"{{{{ config(materialized='{kind}') }}}} select 1 as id", tests=checks), "a1", record)
    (finding,) = outcome.findings
    assert (outcome.status, finding.code) == ("failed", "model-check")
    assert "the test bad cannot be evaluated" in finding.what


def test_a_check_that_fails_while_rows_are_read_shows_no_value(session: Any, one: One, relations: Relations) -> None:
    checks = [ModelCheck("expression", sql="cast(name as int) > 0", name="number")]
    outcome = build(session, one(TABLE + "select 'secret' || range as name from range(3)", tests=checks), "a1", record)
    (finding,) = outcome.findings
    assert (finding.code, "number" in finding.what, "secret" in finding.what) == ("model-check", True, False)
    assert relations() == []


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("select 1,,2", ":1:10", "syntax error"),
        ("{{ config(materialized='table') }}\n\nselect id,\n  nix\nfrom (select 1 as id)", ":4:3", '"nix" not found'),
        ("select 1 as id\nfrom gold.nothing", ":2:6", "nothing does not exist"),
        ("{% if true %}\nselect 1\n{% endif %}\n{# a\nb #}\n, nix\n", ":6:3", '"nix"'),
        (TABLE + "select\ncast('secret' || range as int) from range(2)", ":2:1", "Could not convert string <value>"),
        ("select ?", "", "parameters"),
        ("describe gold", ":1:1", "syntax error"),
    ],
)
def test_a_mistake_in_the_sql_is_told_with_its_place(
    session: Any, one: One, relations: Relations, text: str, place: str, what: str
) -> None:
    outcome = build(session, one(text), "a1", record)
    (finding,) = outcome.findings
    assert (outcome.status, finding.code) == ("failed", "model-sql")
    assert finding.where == f"models/gold/daily.sql{place}"
    assert what in finding.what
    assert "secret" not in finding.what
    assert relations() == []
    assert session.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "text", ["drop table keep", "delete from keep returning *", "insert into keep values (2)", "create table x (a int)",
             "copy keep to 'x.csv'", "pivot keep on a using count(*)", "pragma version", "attach 'x.db'"]
)  # fmt: skip
def test_only_a_select_is_taken_and_nothing_is_executed(session: Any, one: One, text: str) -> None:
    session.execute("CREATE TABLE keep AS SELECT 1 AS a")
    model = one(text)
    (finding,) = build(session, model, "a1", record).findings
    assert finding.code == "model-not-select"
    assert check_models(session, [model, one("select 1")]) == [finding]
    assert session.execute("FROM keep") == [(1,)]
    assert "BEGIN" not in session.statements


@pytest.mark.parametrize(
    "text",
    ["from range(3)", "values (1)", "(select 1)", "with a as (select 1 as x) from a", "select 1 union all select 2",
     "pivot (select 1 as a) on a in (1, 2) using count(*)", "select ';' as a -- ;"]
)  # fmt: skip
def test_every_form_of_select_is_taken(session: Any, one: One, text: str) -> None:
    assert build(session, one(TABLE + text), "a1", record).status == "built"
    assert build(session, one(text), "a2", record).status == "built"


class Crash(Exception):
    pass


INSIDE = ("before_write", "after_begin", "after_stage", "after_decide", "after_write")


@pytest.mark.parametrize("kind", ["table", "view"])
@pytest.mark.parametrize("point", [*INSIDE, "after_commit", "before_ack"])
def test_a_crash_leaves_the_old_or_the_new(session: Any, one: One, relations: Relations, point: str, kind: str) -> None:
    build(session, one(TABLE + "select 1 as id"), "a1", record)
    before = relations()
    seen: list[str] = []

    def hook(reached: str) -> None:
        seen.append(reached)
        if reached == point:
            raise Crash

    faults.install(hook)
    model = one(f"{{{{ config(materialized='{kind}') }}}} select 2 as id")
    with pytest.raises(Crash):
        build(session, model, "a2", record)
    faults.install(None)
    assert seen == [*INSIDE, "after_commit", "before_ack"][: len(seen)]
    committed = point not in INSIDE
    assert session.execute("FROM gold.daily") == [(2,) if committed else (1,)]
    assert len(entries(session)) == (2 if committed else 1)
    if not committed:
        assert relations() == before
    assert [row for row in relations() if "__hg_" in row[1]] == []
    assert build(session, model, "a3", record).status == "built"
    assert session.execute("FROM gold.daily") == [(2,)]


def test_an_entry_that_cannot_be_written_keeps_the_model_out(session: Any, one: One, relations: Relations) -> None:
    def refuse(_: Any, outcome: BuildOutcome) -> None:
        raise InternalError.of("no-entry", "the books say no")

    with pytest.raises(InternalError):
        build(session, one(TABLE + "select 1 as id"), "a1", refuse)
    assert relations() == []


def test_the_read_back_sees_the_commit(session: Any, one: One) -> None:
    def confirm(found: Any, outcome: BuildOutcome) -> None:
        found.execute("BEGIN")
        assert entries(found) == [("daily", outcome.rows)]
        found.execute("ROLLBACK")
        raise Crash

    with pytest.raises(Crash):
        build(session, one(TABLE + "select 1 as id"), "a1", record, confirm)


def test_rows_that_vanish_are_not_published(session: Any, one: One, relations: Relations) -> None:
    class Liar(DuckDBSession):
        def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = session.execute(sql, params)
            return [(rows[0][0] + 1,)] if sql.startswith('CREATE TABLE "gold"') else rows

    with pytest.raises(InternalError, match="rows-vanished"):
        build(Liar(session.connection), one(TABLE + "select 1 as id"), "a1", record)
    assert relations() == []


def test_hostile_names_are_built_and_replaced(session: Any, one: One, relations: Relations) -> None:
    for attempt in ("a1", "a2"):
        model = one(
            TABLE + 'select 1 as "a""; drop", 2 as "select"',
            name='x"; drop table y; --',
            folder="sch\"e'ma",
            tests=[ModelCheck("unique", 'a"; drop'), ModelCheck("not_null", "select")],
        )
        assert build(session, model, attempt, record).status == "built"
    assert relations()[1] == ("sch\"e'ma", 'x"; drop table y; --', "BASE TABLE")

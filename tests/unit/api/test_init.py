"""A project made out of files runs at once, refuses nothing of them, and touches nothing that was there."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.api import Project, init
from headgate.api.results import InitResult, RunResult
from headgate.core.errors import ProjectError

ROOT = Path(__file__).parents[3]


def made(root: Path, files: dict[str, str], **options: object) -> InitResult:
    """What `init` says of a project out of these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return init(root, ["data"], base=root, **options)  # type: ignore[arg-type]


def run(root: Path) -> RunResult:
    with Project.open(root) as project:
        return project.run()


def ingest(root: Path, name: str) -> list[str]:
    """The lines of an ingest file without their comments."""
    text = (root / "ingest" / f"{name}.yml").read_text(encoding="utf-8")
    return [line.partition("  #")[0].rstrip() for line in text.splitlines() if not line.startswith("#")]


def rows(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_verified_facts_are_rules_and_the_rest_only_warns(tmp_path: Path) -> None:
    states = ["open", "paid", "sent"]
    orders = [
        f"{number},{number % 40},2026-06-0{number % 7 + 1},{number}.50,{states[number % 3]}" for number in range(200)
    ]
    customers = [f"{number},c{number}@example.com,AB-{number:04}" for number in range(60)]
    answer = made(tmp_path, {
        "data/orders.csv": rows("order_id,customer_id,ordered,amount,state", *orders),
        "data/customers.csv": rows("id,email,code", *customers),
    })  # fmt: skip
    assert (answer.ok, [one.table for one in answer.tables]) == (True, ["raw.customers", "raw.orders"])
    assert ingest(tmp_path, "orders") == [
        "table: raw.orders",
        "from: data/orders.csv",
        "load: append",
        "columns:",
        "  order_id:    int, key",
        "  customer_id: int, required, references(raw.customers.id)",
        "  ordered:     date, required",
        "  amount:      decimal(18,2), required",
        "  state:       text, required",
        "rules:",
        '  amount_range: {check: "amount between 0 and 220", severity: warn}',
        "  state_values: {check: \"state in ('open', 'paid', 'sent')\", severity: warn}",
    ]
    assert ingest(tmp_path, "customers")[4:] == [
        "  id:    int, key",
        "  email: text, required, pii",
        "  code:  text, required",
        "rules:",
        "  email_pattern: {check: \"regexp_matches(email, '^[^@ ]+@[^@ ]+[.][^@ ]+$')\", severity: warn}",
        "  code_pattern:  {check: \"regexp_matches(code, '^[A-Z]{2}-[0-9]{4}$')\", severity: warn}",
    ]
    text = (tmp_path / "ingest/orders.yml").read_text()
    assert "# 3 values cover 100% of 200" in text
    assert "# unique in 200 rows" in text
    assert "# 0 nulls in 200 rows; every value stands there, 66.7% of it is used" in text
    assert [(step.rows_loaded, step.rows_quarantined) for step in run(tmp_path).steps] == [(60, 0), (200, 0)]


def test_what_is_suggested_warns_and_does_not_refuse(tmp_path: Path) -> None:
    made(tmp_path, {"data/t-1.csv": rows("id,v", *(f"{number},{'ab'[number % 2]}" for number in range(100)))})
    (tmp_path / "ingest/t_1.yml").exists()
    path = next((tmp_path / "ingest").glob("*.yml"))
    path.write_text(path.read_text().replace("data/t-1.csv", "data/*.csv"))
    run(tmp_path)
    (tmp_path / "data/t-2.csv").write_text("id,v\n1000,c\n1000,a\n")
    (step,) = run(tmp_path).steps
    assert (step.rows_loaded, step.rows_quarantined) == (1, 1)
    assert any("v_values" in warning.what for warning in step.warnings)


def test_a_second_time_changes_nothing_and_new_files_are_added(tmp_path: Path) -> None:
    made(tmp_path, {"data/a.csv": "id\n1\n"})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yml")}
    again = init(tmp_path, ["data"], base=tmp_path)
    assert (again.ok, again.written, [one.reason for one in again.left]) == (True, (), ["ingest/a.yml loads it"])
    more = made(tmp_path, {"data/b.csv": "id\n1\n"})
    assert more.written == ("ingest/b.yml",)
    assert {path: path.read_bytes() for path in before} == before


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "headgate.yml").write_text("project: mine\n")
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest/a.yml").write_text("table: raw.other\nfrom: other/*.csv\n")
    answer = made(tmp_path, {"data/a.csv": "id\n1\n", "other/x.csv": "v\n1\n", ".gitignore": "mine\n"})
    assert [(one.path, one.reason) for one in answer.left] == [("ingest/a.yml", "a file of that name is there already")]
    assert (tmp_path / "headgate.yml").read_text() == "project: mine\n"
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert (tmp_path / "ingest/a.yml").read_text() == "table: raw.other\nfrom: other/*.csv\n"


def test_a_table_that_is_loaded_from_elsewhere_is_left_alone(tmp_path: Path) -> None:
    made(tmp_path, {"data/a.csv": "id\n1\n"})
    answer = made(tmp_path, {"data/more/a.csv": "id\n1\n"})
    assert [one.reason for one in answer.left][-1] == "ingest/a.yml loads raw.a from elsewhere already"


def test_without_files_an_example_is_written_that_runs(tmp_path: Path) -> None:
    answer = init(tmp_path)
    assert (answer.ok, len(answer.written)) == (True, 6)
    assert [(step.id, step.status, step.rows_loaded, step.rows_quarantined) for step in run(tmp_path).steps] == [
        ("raw.orders", "ok", 6, 1),
        ("daily_sales", "ok", 0, 0),
    ]
    again = init(tmp_path)
    assert (again.written, [one.code for one in again.findings]) == ((), ["nothing-to-do"])


def test_an_upsert_where_a_key_comes_with_a_time_of_change(tmp_path: Path) -> None:
    lines = [f"{number},x,2026-01-01 00:00:{number:02}" for number in range(30)]
    more = ["3,y,2026-01-02 00:00:00", "4,y,2026-01-02 00:00:00"]
    answer = made(
        tmp_path, {"data/c-1.csv": rows("id,v,updated_at", *lines), "data/c-2.csv": rows("id,v,updated_at", *more)}
    )
    assert (answer.tables[0].load, answer.tables[0].key) == ("upsert", ("id",))
    assert ingest(tmp_path, "c")[2] == "load: {upsert: id, order_by: updated_at}"
    (step,) = run(tmp_path).steps
    assert (step.rows_loaded + step.rows_deduplicated, step.rows_quarantined) == (32, 0)


def test_daily_snapshots_are_recognised(tmp_path: Path) -> None:
    days = {
        f"data/s_2026-01-0{day}.csv": rows("id,n", *(f"{number},{day}" for number in range(20))) for day in (1, 2, 3)
    }
    made(tmp_path, days)
    assert (
        "100% of the id are in several files, in none twice: daily snapshots?"
        in (tmp_path / "ingest/s.yml").read_text()
    )
    assert run(tmp_path).steps[0].rows_quarantined == 0


def test_doubtful_values_make_text_unless_they_are_tolerated(tmp_path: Path) -> None:
    lines = rows("id,n", *(f"{number},{number}" for number in range(199)), "199,?")
    answer = made(tmp_path, {"data/t.csv": lines})
    assert answer.tables[0].doubts == ("n: int but for 1 of 200 values",)
    assert ingest(tmp_path, "t")[5] == "  n:  text, required"
    assert run(tmp_path).steps[0].rows_quarantined == 0
    other = tmp_path / "other"
    made(other, {"data/t.csv": lines}, tolerate=0.01)
    assert ingest(other, "t")[5] == "  n:  int, required"
    assert run(other).steps[0].rows_quarantined == 1


def test_no_personal_value_is_written(tmp_path: Path) -> None:
    made(
        tmp_path,
        {"data/p.csv": rows("id,email,vip", *(f"{number},zoe@example.org,{'yn'[number % 2]}" for number in range(60)))},
    )
    assert "zoe" not in (tmp_path / "ingest/p.yml").read_text()


def test_references_never_form_a_circle(tmp_path: Path) -> None:
    answer = made(tmp_path, {
        "data/teams.csv": rows("id,leader_id,person_id", *(f"{number},{number},{number}" for number in range(30))),
        "data/people.csv": rows("id,team_id", *(f"{number},{number}" for number in range(30))),
        "data/persons.csv": rows("id,team_id", *(f"{number},{number}" for number in range(30))),
    })  # fmt: skip
    assert answer.ok
    assert sum(len(one.references) for one in answer.tables) >= 2
    assert run(tmp_path).status == "ok"


def test_models_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    answer = made(tmp_path, {"data/t.csv": 'id,order,"a ""b"""\n1,2,3\n'}, models=True)
    assert answer.ok
    assert "models/staging/stg_t.sql" in answer.written
    assert [step.status for step in run(tmp_path).steps] == ["ok", "ok"]


def test_files_that_cannot_be_tables_are_told(tmp_path: Path) -> None:
    answer = made(tmp_path, {"data/good.csv": "id\n1\n", "data/twice.csv": "a,A\n1,2\n", "data/empty.csv": ""})
    assert not answer.ok
    assert [one.table for one in answer.tables] == ["raw.good"]
    assert sorted(one.path for one in answer.left) == ["data/empty.csv", "data/twice.csv"]
    assert sorted(one.code for one in answer.findings) == ["bad-header", "no-header"]


def test_nothing_found_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as error:
        init(tmp_path / "p", ["gone/*.csv"], base=tmp_path)
    assert error.value.finding.code == "no-files"
    assert not (tmp_path / "p" / "headgate.yml").exists()


def test_a_password_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as error:
        init(tmp_path, warehouse="postgres://ada:hunter2@host/db")
    assert error.value.finding.code == "bad-option"
    assert "hunter2" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "ingest").write_text("a file in the way")
    with pytest.raises(ProjectError) as error:
        init(tmp_path)
    assert error.value.finding.code == "unwritable-folder"
    assert error.value.finding.fix == "name a folder that can be written to: headgate init --project DIR"


def test_files_outside_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/t.csv").write_text("id\n1\n")
    assert init(tmp_path / "p", ["far"], base=tmp_path).ok
    assert run(tmp_path / "p").steps[0].rows_loaded == 1


def test_parquet_of_many_types(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    duckdb.sql(
        f"""copy (select i as id, [i] as l, {{'a': i}} as s, i / 3 as d, 'nan'::double as nan, i::hugeint as h,
                  i::ubigint as u, timestamp_ns '2026-01-01 00:00:00.123456789' as ns, interval 1 day as iv,
                  '\\xAA'::blob as b, time '10:00' as t, null::int as z, i % 2 = 0 as bo, uuid() as uu
                  from range(60) t(i)) to '{tmp_path}/data/t.parquet'"""
    )
    assert init(tmp_path, ["data"], base=tmp_path).ok
    assert [(step.rows_loaded, step.rows_quarantined) for step in run(tmp_path).steps] == [(60, 0)]


def test_the_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month with every fault of daily life: only records that are no rows are refused."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "shop"))
    from generate import generate  # type: ignore[import-not-found]

    generate(tmp_path, orders=2_000)
    (tmp_path / "data/truth.json").unlink()
    answer = init(tmp_path, ["data"], base=tmp_path)
    assert answer.ok
    assert [(one.table, one.path) for one in answer.tables] == [
        ("raw.customers", "data/customers/*.csv"),
        ("raw.orders", "data/orders/*.csv.gz"),
        ("raw.products", "data/products/products.parquet"),
    ]
    done = run(tmp_path)
    assert done.status == "ok"
    assert {step.id: step.rows_quarantined for step in done.steps} == {
        one.table: one.malformed for one in answer.tables
    }
    for name in [name for name in sys.modules if name == "generate" or name.startswith("shopgen")]:
        monkeypatch.delitem(sys.modules, name)


_CELLS = st.one_of(
    st.integers(-5, 5).map(str),
    st.sampled_from(
        ["", "1.5", "007", "+1", "yes", "no", "2026-01-01", "2026-02-30", "NA", "nan", "a@b.cd", "1e5", "x y"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n"), max_size=6),
)
_NAMES = st.one_of(
    st.sampled_from(["id", "name", "t_id", "updated_at", "order", "_hg_x", "a b", "key"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n"), min_size=1, max_size=5),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique_by=str.lower))
    column = st.sampled_from([st.integers(0, 50).map(str), st.sampled_from(["a", "b"]), _CELLS])
    kinds = [draw(column) for _ in names]
    return names, draw(st.lists(st.tuples(*kinds).map(list), max_size=12))


def as_csv(names: Sequence[str], lines: Sequence[Sequence[str]], delim: str) -> str:
    return "".join(delim.join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n" for line in [names, *lines])


def as_json(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A record per line: an empty cell is a key that is lacking, what is a number in JSON is one, 007 is a list."""

    def value(cell: str) -> object:
        plain = cell.lstrip("-").isascii() and cell.lstrip("-").isdigit() and (cell == "0" or cell.strip("-")[0] != "0")
        return int(cell) if plain else [cell] if cell == "007" else cell

    records = ({name: value(cell) for name, cell in zip(names, line, strict=True) if cell} for line in lines)
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(tables(), min_size=1, max_size=3), st.sampled_from([",", ";", "\t", "|", "json"]))
def test_whatever_the_files_hold_the_project_runs_and_refuses_no_row(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[list[str], list[list[str]]]], delim: str
) -> None:
    root = tmp_path_factory.mktemp("init")
    files = {f"data/{'tuv'[at]}.csv": as_csv(*table, delim) for at, table in enumerate(drawn)}
    if delim == "json":
        files = {f"data/{'tuv'[at]}.ndjson": as_json(*table) for at, table in enumerate(drawn)}
    answer = made(root, files)
    if answer.tables:
        done = run(root)
        assert done.status == "ok"
        assert sum(step.rows_quarantined for step in done.steps) == sum(one.malformed for one in answer.tables)
        assert sum(step.rows_read for step in done.steps) == sum(one.rows + one.malformed for one in answer.tables)
    codes = {one.code for one in answer.findings if one.level == "error"}
    assert codes <= {"bad-header", "no-header"}


def test_every_kind_of_file_that_names_its_columns(tmp_path: Path) -> None:
    import openpyxl
    import pyarrow
    from pyarrow import orc

    (tmp_path / "data").mkdir()
    book = openpyxl.Workbook()
    for line in (["day", "price"], [date(2026, 1, 1), 1.25], [date(2026, 1, 2), 2]):
        book.active.append(line)
    book.save(tmp_path / "data/prices.xlsx")
    orc.write_table(pyarrow.table({"x": [1.5, None], "l": [[1], None]}), tmp_path / "data/things.orc")
    documents = '[{"id": 1, "at": {"zip": "01067"}}, {"id": 2, "more": 1.50}]'
    lines = '{"n": 1, "ok": true}\n{"n": 2}\n{"n": \n'
    answer = made(tmp_path, {"data/people.json": documents, "data/lines.ndjson": lines})
    assert answer.ok, answer.findings
    assert ingest(tmp_path, "people")[3:] == ["columns:", "  id:   int, key", "  at:   json", "  more: decimal(18,2)"]
    assert ingest(tmp_path, "lines")[1] == "from: data/lines.ndjson"
    assert ingest(tmp_path, "prices")[4:] == ["  day:   date, required", "  price: decimal(18,2), required"]
    counts = {step.id: (step.rows_loaded, step.rows_quarantined) for step in run(tmp_path).steps}
    assert counts == {"raw.people": (2, 0), "raw.lines": (2, 1), "raw.prices": (2, 0), "raw.things": (2, 0)}


def test_the_encoding_is_that_of_most_lines_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a-1.csv").write_bytes("id,v\n1,ä\n2,ö\n".encode())
    (tmp_path / "data/a-2.csv").write_bytes(b"id,v\n3,\xe4\n")
    (tmp_path / "data/b-1.csv").write_bytes(b"id,v\n1,x\n")
    (tmp_path / "data/b-2.csv").write_bytes(b"id,v\n2,\xe4\n")
    answer = init(tmp_path, ["data"], base=tmp_path)
    assert [(one.path, one.malformed, one.assumed) for one in answer.tables] == [
        ("data/a-*.csv", 1, ("UTF-8, though not in 1 lines",)),
        ("data/b-*.csv", 0, ("cp1252, for 1 lines are no UTF-8",)),
    ]
    assert [step.rows_quarantined for step in run(tmp_path).steps] == [1, 0]

"""What a run reads: new, changed, moved and twin files, columns that don't fit, and which steps are chosen."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError

ORDERS = "table: raw.orders\nfrom: {source}\n{more}columns:\n  id: int, key\n  amount: int, required\n"


def orders(tmp_path: Path, more: str = "", source: str = "data/*.csv") -> Folder:
    text = ORDERS.format(source=source, more=more)
    return Folder.make(tmp_path, {"ingest/orders.yml": text, "data/a.csv": "id,amount\n1,10\n2,20\n"})


def entries(folder: Folder, table: str = "raw.orders") -> list[tuple[str, int, int, int]]:
    """Partition, generation, sequence and records of the table's entries, oldest first."""
    found = folder.open().ledger(table).entries
    return [(one.partition, one.generation, one.seq, one.rows_read) for one in reversed(found)]


# Changed files


def test_a_changed_file_stops_the_load_by_default(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/a.csv", "id,amount\n1,10\n2,20\n3,30\n")
    folder.write("data/b.csv", "id,amount\n4,40\n")
    found = folder.run()
    assert (found.status, found.steps[0].status) == ("refused", "refused")
    [finding] = found.findings
    assert finding.code == "file-changed-since"
    assert finding.where.endswith("data/a.csv")
    assert "on_change: reload" in finding.fix
    assert folder.rows("SELECT id FROM raw.orders ORDER BY 1") == [(1,), (2,)]
    assert folder.codes() == []


def test_a_changed_file_may_be_ignored(tmp_path: Path) -> None:
    folder = orders(tmp_path, "on_change: ignore\n")
    folder.run()
    folder.write("data/a.csv", "id,amount\n1,10\n2,20\n3,30\n")
    assert folder.step("raw.orders").status == "skipped"
    folder.write("data/b.csv", "id,amount\n4,40\n")
    assert folder.step("raw.orders").rows_read == 1
    assert folder.rows("SELECT id FROM raw.orders ORDER BY 1") == [(1,), (2,), (4,)]
    assert folder.codes() == []


def test_a_changed_file_may_be_reloaded(tmp_path: Path) -> None:
    folder = orders(tmp_path, "on_change: reload\n")
    folder.write("data/b.csv", "id,amount\n2,\n3,30\n")
    folder.run()
    folder.write("data/b.csv", "id,amount\n4,40\n3,31\n,7\n")
    step = folder.step("raw.orders")
    assert (step.status, step.rows_loaded, step.rows_quarantined) == ("ok", 2, 1)
    assert folder.rows("SELECT id, amount FROM raw.orders ORDER BY 1") == [(1, 10), (2, 20), (3, 31), (4, 40)]
    assert entries(folder) == [("a.csv", 1, 1, 2), ("b.csv", 1, 1, 2), ("b.csv", 2, 1, 3)]
    assert folder.refused("raw.orders") == [("b.csv", 3, [("required", "id")])]
    assert folder.refused("raw.orders", "superseded")[0][:2] == ("b.csv", 1)
    assert folder.codes() == []


def test_a_touched_or_rewritten_file_of_the_same_content_is_unchanged(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/a.csv", "id,amount\n1,10\n2,20\n")
    assert folder.step("raw.orders").status == "skipped"


# Names of partitions


def test_a_moved_data_folder_doubles_nothing(tmp_path: Path) -> None:
    folder = orders(tmp_path, source="data/**/*.csv")
    folder.write("data/2024/b.csv", "id,amount\n3,30\n")
    assert folder.step("raw.orders").rows_read == 3
    assert sorted(name for name, *_ in entries(folder)) == ["2024/b.csv", "a.csv"]
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    folder.write("ingest/orders.yml", ORDERS.format(source="elsewhere/**/*.csv", more=""))
    assert folder.step("raw.orders").status == "skipped"
    moved = folder.copy(tmp_path / "copy")
    assert moved.step("raw.orders").status == "skipped"
    assert moved.rows("SELECT count(*) FROM raw.orders") == [(3,)]


def test_a_renamed_ingest_file_is_the_same_flow(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    (tmp_path / "ingest" / "orders.yml").rename(tmp_path / "ingest" / "bestellungen.yml")
    assert folder.step("raw.orders").status == "skipped"


# Twins


def test_a_twin_is_loaded_with_a_warning(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.run()
    folder.write("data/b.csv", "id,amount\n1,10\n2,20\n")
    step = folder.step("raw.orders")
    assert (step.rows_read, step.rows_quarantined) == (2, 2)
    assert [(one.code, one.level) for one in step.warnings] == [("twin-file", "warning")]
    assert "a.csv" in step.warnings[0].what
    assert "twin_files: skip" in step.warnings[0].fix
    assert folder.codes() == []


def test_a_twin_may_be_skipped_and_is_counted(tmp_path: Path) -> None:
    folder = orders(tmp_path, "twin_files: skip\non_change: reload\n")
    folder.write("data/b.csv", "id,amount\n1,10\n2,20\n")
    step = folder.step("raw.orders")
    assert (step.rows_read, step.rows_loaded, step.rows_skipped) == (4, 2, 2)
    assert folder.step("raw.orders").status == "skipped"
    folder.write("data/a.csv", "id,amount\n9,90\n")  # its twin takes its place
    step = folder.step("raw.orders")
    assert (step.rows_read, step.rows_loaded, step.rows_skipped) == (3, 3, 0)
    assert folder.rows("SELECT id FROM raw.orders ORDER BY 1") == [(1,), (2,), (9,)]
    assert folder.codes() == []


# Columns


@pytest.mark.parametrize(("header", "near"), [("id,amuont", "did you mean 'amuont'?"), ("id,x", "")])
def test_a_missing_column_stops_the_load(tmp_path: Path, header: str, near: str) -> None:
    folder = orders(tmp_path, "extra: ignore\n")
    folder.run()
    folder.write("data/b.csv", f"{header}\n3,30\n")
    found = folder.run()
    [finding] = found.findings
    assert (found.status, finding.code) == ("refused", "missing-column")
    assert finding.where.endswith("data/b.csv")
    assert "'amount'" in finding.what
    assert near in finding.what
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(2,)]
    folder.write("data/b.csv", "id,amount\n3,30\n")
    assert folder.step("raw.orders").rows_loaded == 1
    assert folder.codes() == []


def test_an_unknown_column_stops_the_load_unless_extras_are_ignored(tmp_path: Path) -> None:
    folder = orders(tmp_path)
    folder.write("data/b.csv", "amount,note,id\n30,hello,3\n")
    found = folder.run()
    [finding] = found.findings
    assert (found.status, finding.code) == ("refused", "unknown-column")
    assert finding.where.endswith("data/b.csv")
    assert "extra: ignore" in finding.fix
    assert folder.rows("SELECT count(*) FROM raw.orders") == [(0,)]
    folder.write("ingest/orders.yml", ORDERS.format(source="data/*.csv", more="extra: ignore\n"))
    assert folder.step("raw.orders").rows_loaded == 3
    assert folder.rows("SELECT id, amount FROM raw.orders ORDER BY 1") == [(1, 10), (2, 20), (3, 30)]


def test_the_files_name_may_be_a_column(tmp_path: Path) -> None:
    text = """
        table: raw.orders
        from: {csv: {path: "data/**/*.csv*", file_column: file}}
        columns:
          id: int, key
          file: text, pattern('^(a|sub/b)')
        """
    folder = Folder.make(tmp_path, {"ingest/orders.yml": text, "data/a.csv": "id\n1\n", "data/c.csv": "id\n3\n"})
    (tmp_path / "data" / "sub").mkdir()
    (tmp_path / "data" / "sub" / "b.csv.gz").write_bytes(gzip.compress(b"id\n2\n"))
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (2, 1)
    assert folder.rows("SELECT id, file FROM raw.orders ORDER BY 1") == [(1, "a.csv"), (2, "sub/b.csv.gz")]
    [record] = folder.open().quarantine("raw.orders").records
    assert (record.source, [(one.rule, one.column) for one in record.reasons]) == ("c.csv", [("pattern", "file")])
    folder.write("ingest/orders.yml", text.replace("a|sub/b", "a|sub/b|c"))
    assert folder.open().replay(all=True).rows_loaded == 1
    assert folder.rows("SELECT file FROM raw.orders WHERE id = 3") == [("c.csv",)]


# References


def test_a_reference_sees_the_table_loaded_before_it_and_null_passes(tmp_path: Path) -> None:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/a_orders.yml": """
                table: raw.a_orders
                from: data/orders/*.csv
                columns:
                  id: int, key
                  customer: int, references(raw.customers.id)
                """,
            "ingest/customers.yml": """
                table: raw.customers
                from: data/customers/*.csv
                columns:
                  id: int
                  x: text
                """,
            "data/customers/1.csv": "id,x\n1,a\n,b\n",
            "data/orders/1.csv": "id,customer\n10,1\n11,\n12,2\n13,x\n",
        },
    )
    found = folder.run()
    assert [step.id for step in found.steps] == ["raw.customers", "raw.a_orders"]
    assert folder.rows("SELECT id, customer FROM raw.a_orders ORDER BY 1") == [(10, 1), (11, None)]
    assert folder.refused("raw.a_orders") == [
        ("1.csv", 3, [("references", "customer")]),
        ("1.csv", 4, [("type", "customer")]),
    ]


# Which steps run


@pytest.fixture
def shop(tmp_path: Path) -> Folder:
    one = "table: raw.{0}\nfrom: data/{0}/*.csv\ncolumns:\n  id: int, key{1}\n"
    return Folder.make(
        tmp_path,
        {
            "ingest/customers.yml": one.format("customers", ""),
            "ingest/orders.yml": one.format("orders", ", references(raw.customers.id)"),
            "ingest/rates.yml": one.format("rates", ""),
            "models/gold/sold.sql": "select count(*) as n from {{ ref('raw.orders') }}",
            "models/gold/more.sql": "select n + 1 as m from {{ ref('sold') }}",
            "models/gold/rated.sql": "select count(*) as n from {{ ref('raw.rates') }}",
            "data/customers/1.csv": "id\n1\n2\n",
            "data/orders/1.csv": "id\n1\n3\n",
            "data/rates/1.csv": "id\n7\n",
        },
    )


def test_steps_that_need_one_that_failed_are_blocked_and_the_others_go_on(shop: Folder) -> None:
    shop.write("data/customers/1.csv", "nr\n1\n")
    found = shop.run()
    assert found.status == "refused"
    assert {step.id: step.status for step in found.steps} == {
        "raw.customers": "refused", "raw.orders": "blocked", "raw.rates": "ok",
        "sold": "blocked", "more": "blocked", "rated": "ok",
    }  # fmt: skip
    reasons = {step.id: step.reason for step in found.steps}
    assert "raw.customers" in reasons["raw.orders"]
    assert "sold" in reasons["more"]
    shop.write("data/customers/1.csv", "id\n1\n")
    found = shop.run()
    assert found.status == "ok"
    assert {step.id: step.status for step in found.steps}["more"] == "ok"
    assert shop.rows("SELECT m FROM gold.more") == [(2,)]


def test_a_table_alone_may_be_run(shop: Folder) -> None:
    assert [step.id for step in shop.run("raw.rates").steps] == ["raw.rates"]
    assert [step.id for step in shop.run("raw.orders", "raw.customers").steps] == ["raw.customers", "raw.orders"]
    [alone] = shop.run("more").steps
    assert (alone.id, alone.status) == ("more", "blocked")
    assert "headgate run +more" in shop.run("more").findings[0].fix
    steps = {step.id: step.status for step in shop.run("sold+").steps}
    assert steps == {"sold": "ok", "more": "ok"}
    assert shop.codes() == []


def test_a_model_whose_input_was_never_loaded_says_so(shop: Folder) -> None:
    [step] = shop.run("gold.rated").steps
    assert (step.id, step.status) == ("rated", "blocked")
    assert "raw.rates" in step.reason


@pytest.mark.parametrize(("name", "near"), [("raw.order", "raw.orders"), ("solt", "sold")])
def test_an_unknown_name_is_told_with_the_nearest_and_nothing_runs(shop: Folder, name: str, near: str) -> None:
    for verb in (shop.open().run, shop.open().plan):
        with pytest.raises(ProjectError) as caught:
            verb(["raw.rates", name])
        assert caught.value.finding.code == "unknown-step"
        assert f"did you mean {near!r}?" in caught.value.finding.what
    assert not (shop.root / "w.duckdb").exists()


def twins(tmp_path: Path) -> Folder:
    folder = Folder.make(
        tmp_path,
        {
            "ingest/t.yml": "table: raw.t\nfrom: data/*.csv\non_change: reload\ntwin_files: skip\n"
            "columns:\n  id: int\n",
            "data/m.csv": "id\n1\n",
        },
    )
    assert folder.step("raw.t").rows_loaded == 1
    return folder


@pytest.mark.parametrize("other", ["a.csv", "z.csv"])
def test_a_changed_file_and_a_new_one_of_the_same_content_are_loaded_once(other: str, tmp_path: Path) -> None:
    folder = twins(tmp_path)
    folder.write("data/m.csv", "id\n2\n3\n")
    folder.write(f"data/{other}", "id\n2\n3\n")
    step = folder.step("raw.t")
    assert (step.rows_read, step.rows_loaded, step.rows_skipped) == (4, 2, 2)
    assert folder.behind("SELECT id FROM raw.t ORDER BY id") == [(2,), (3,)]
    assert folder.codes() == []


@pytest.mark.parametrize("other", ["a.csv", "z.csv"])
def test_what_a_changed_file_was_is_loaded_from_its_twin(other: str, tmp_path: Path) -> None:
    folder = twins(tmp_path)
    folder.write("data/m.csv", "id\n2\n3\n")
    folder.write(f"data/{other}", "id\n1\n")
    assert folder.step("raw.t").rows_loaded == 3
    assert folder.behind("SELECT id FROM raw.t ORDER BY id") == [(1,), (2,), (3,)]
    assert folder.codes() == []


def test_a_file_that_changed_into_another_is_skipped(tmp_path: Path) -> None:
    folder = twins(tmp_path)
    folder.write("data/z.csv", "id\n5\n6\n")
    folder.step("raw.t")
    folder.write("data/m.csv", "id\n5\n6\n")
    step = folder.step("raw.t")
    assert (step.rows_loaded, step.rows_skipped) == (0, 2)
    assert folder.behind("SELECT id FROM raw.t ORDER BY id") == [(5,), (6,)]
    assert folder.codes() == []

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from headgate.core import registry
from headgate.core.errors import ProjectError

FILES = ["avro", "csv", "excel", "fixed", "json", "ndjson", "orc", "parquet"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("data/*.csv", "csv"),
        ("data/*.csv.gz", "csv"),
        ("x.CSV.zst", "csv"),
        ("x.tsv", "csv"),
        ("x.txt.gz", "csv"),
        ("data.csv/x.parquet", "parquet"),
        ("x.parquet.gz", None),
        ("x.json", "json"),
        ("x.NDJSON.bz2", "ndjson"),
        ("x.jsonl.zip", "ndjson"),
        ("x.parquet.zip", None),
        ("x.zip", None),
        ("csv", None),
        ("x.xlsx", "excel"),
        ("x.avro", "avro"),
        ("x.orc.gz", None),
    ],
)
def test_the_suffix_tells_the_kind(path: str, kind: str | None) -> None:
    assert registry.kind_of(path) == kind


@pytest.mark.parametrize("kind", FILES)
def test_built_in_sources_can_be_made(kind: str, tmp_path: Path) -> None:
    columns = {"columns": {"a": "1-2"}} if kind == "fixed" else {}
    made = registry.open_source(kind, {"path": "none.*", **columns}, tmp_path, tmp_path)
    assert made.partitions({}) == []
    assert made.replay == "stable"
    assert {"path", "file_column"} <= registry.options_of(kind)


def test_a_function_can_be_a_source(tmp_path: Path) -> None:
    made = registry.open_source("python", {"function": "sources/x.py:rows", "replay": "stable"}, tmp_path, tmp_path)
    assert [(one.name, one.status) for one in made.partitions({})] == [("all", "new")]
    assert (made.replay, sorted(registry.SOURCES)) == ("stable", sorted([*FILES, "python", "table"]))


def test_a_table_has_partitions_only_once_its_books_are_known(tmp_path: Path) -> None:
    made = registry.open_source("table", {"table": "bronze.orders"}, tmp_path, tmp_path)
    assert (made.replay, made.partitions({"a.csv": {"table": "bronze.orders"}})) == ("stable", [])


def test_unknown_kinds_name_the_nearest() -> None:
    with pytest.raises(ProjectError) as caught:
        registry.source_class("parket")
    assert "did you mean 'parquet'?" in caught.value.finding.what


def test_others_register_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "headgate.adapters.files.csv:CsvSource", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert registry.kinds() == sorted([*FILES, "mine", "python", "table"])
    assert registry.source_class("mine").__name__ == "CsvSource"


def test_adapters_load_no_driver_when_imported() -> None:
    code = (
        "import sys, headgate.core.registry as r; [r.source_class(one) for one in r.SOURCES];"
        "print([m for m in ('duckdb', 'zstandard', 'pyarrow', 'openpyxl', 'fastavro', 'pytest') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Types for an ingest without columns are those that every value of the whole first load fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("1", "2", "BIGINT"),
        ("1", "2.50", "DECIMAL(18,2)"),
        ("2.50", "1", "DECIMAL(18,2)"),
        ("1", "x", "VARCHAR"),
        ("2026-01-01", "1", "VARCHAR"),
        ("", "7", "BIGINT"),
    ],
)
def test_a_later_file_of_the_first_load_counts_as_much(tmp_path: Path, first: str, second: str, kind: str) -> None:
    notes = {"ingest/notes.yml": "table: raw.notes\nfrom: data/*.csv\n"}
    files = {f"data/{name}.csv": f"id,note\n1,{text}\n" for name, text in (("a", first), ("b", second))}
    folder = Folder.make(tmp_path, notes | files)
    assert folder.step("raw.notes").rows_loaded == 2
    shown = "SELECT data_type FROM information_schema.columns WHERE table_name = 'notes' AND column_name = 'note'"
    assert folder.behind(shown) == [(kind,)]

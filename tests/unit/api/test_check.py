"""What `check` finds in a project on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.api import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "headgate.yml").write_text("project: p\n")
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "orders.yml").write_text("table: raw.orders\nfrom: data/*.csv\n")
    (tmp_path / "data").mkdir()
    return tmp_path


def test_an_ingest_without_columns_knows_every_column(folder: Path) -> None:
    (folder / "data" / "a.csv").write_text("id,amount\n1,2\n")
    answer = Project.open(folder).check()
    assert answer.ok
    assert answer.findings == ()


def test_an_ingest_without_columns_still_needs_files_that_can_be_read(folder: Path) -> None:
    (folder / "data" / "a.csv").write_text("id,id\n1,2\n")
    assert [finding.code for finding in Project.open(folder).check().findings] == ["bad-header"]

"""What the quarantine shows of real loads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headgate.api import Project


@pytest.mark.parametrize(("limit", "status"), [("100%", "open"), ("0", "held")])
def test_a_record_says_when_it_was_refused(tmp_path: Path, limit: str, status: str) -> None:
    (tmp_path / "headgate.yml").write_text("project: p\n")
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "a.yml").write_text(
        f"table: raw.a\nfrom: a.csv\ncolumns:\n  id: int, required\nrefuse_at_most: {limit}\n"
    )
    (tmp_path / "a.csv").write_text("id\n1\nx\n")
    project = Project.open(tmp_path)
    before = datetime.now(UTC)
    project.run()
    (record,) = project.quarantine(status=status).records
    assert before <= datetime.fromisoformat(record.at) <= datetime.now(UTC)
    assert project.quarantine_show([record.id]).records == (record,)

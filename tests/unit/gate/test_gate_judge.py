"""What the gate makes sure of at the end of a judgement."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults

ORDERS = "table: raw.orders\nfrom: data/*.csv\ncolumns:\n  id: int, key\n"


@pytest.mark.parametrize("point", ["before_write", "after_begin", "after_stage", "after_decide"])
def test_a_file_that_changes_before_its_rows_are_written_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """No record is refused here, so that nothing but the last look needs the file again."""
    folder = Folder.make(tmp_path, {"ingest/orders.yml": ORDERS, "data/a.csv": "id\n1\n2\n"})
    monkeypatch.setattr(faults, "_hook", lambda at: folder.write("data/a.csv", "id\n3\n4\n") if at == point else None)
    done = folder.run()
    monkeypatch.undo()
    assert (done.status, [finding.code for finding in done.findings]) == ("failed", ["file-changed"])
    assert folder.behind("SELECT count(*) FROM raw.orders") == [(0,)]
    assert folder.codes() == []
    assert folder.step("raw.orders").rows_loaded == 2
    assert folder.behind("SELECT id FROM raw.orders ORDER BY id") == [(3,), (4,)]

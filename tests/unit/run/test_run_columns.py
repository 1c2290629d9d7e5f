"""Columns of a file that the contract does not know, and columns of the contract that a file lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder

from headgate.core.errors import ContractError

ORDERS = "table: raw.orders\nfrom: data/*.csv\n"
COLUMNS = "columns:\n  id: int, key\n  note: text\n"


def folder_of(tmp_path: Path, words: str, columns: str = COLUMNS, **files: str) -> Folder:
    made = {f"data/{name}.csv": text for name, text in files.items()}
    return Folder.make(tmp_path, {"ingest/orders.yml": ORDERS + words + columns, **made})


def test_a_record_with_a_value_in_an_unknown_column_is_quarantined(tmp_path: Path) -> None:
    first = "id,note,Tip,x\n1,a,,\n2,b,5,\n3,c,,0\n4,d,7,8\n"
    folder = folder_of(tmp_path, "extra: quarantine\n", a=first, b="id,note\n5,e\n")
    assert folder.open().check().ok
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (2, 3)
    assert folder.refused("raw.orders") == [
        ("a.csv", 2, [("extra", "Tip")]),
        ("a.csv", 3, [("extra", "x")]),
        ("a.csv", 4, [("extra", "Tip"), ("extra", "x")]),
    ]
    record = folder.open().quarantine("raw.orders").records[0]
    assert record.row == {"id": "2", "note": "b", "Tip": "5", "x": None}
    assert record.reasons[0].message == "the contract has no such column"
    assert folder.codes() == []
    assert folder.open().replay(all=True).rows_quarantined == 3
    assert folder.codes() == []
    folder.write("ingest/orders.yml", ORDERS + "extra: quarantine\n" + COLUMNS + "  tip: int, from(Tip)\n")
    again = folder.open().replay(all=True)
    assert (again.rows_loaded, again.rows_quarantined) == (1, 2)
    assert folder.rows("SELECT id, tip FROM raw.orders WHERE tip IS NOT NULL") == [(2, 5)]
    folder.write("ingest/orders.yml", ORDERS + "extra: ignore\n" + COLUMNS + "  tip: int, from(Tip)\n")
    assert folder.open().replay(all=True).rows_loaded == 2
    assert folder.codes() == []


def test_other_reasons_stand_beside_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "extra: quarantine\n", a="id,note,x\nz,a,1\n,a,\n")
    assert folder.step("raw.orders").rows_quarantined == 2
    assert folder.refused("raw.orders") == [
        ("a.csv", 1, [("type", "id"), ("extra", "x")]),
        ("a.csv", 2, [("required", "id")]),
    ]


def test_a_column_that_a_file_lacks_is_null_where_that_is_declared(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "missing: null\n", a="id,note\n1,a\n", b="id\n2\n3\n")
    assert folder.open().check().ok
    step = folder.step("raw.orders")
    assert (step.rows_loaded, step.rows_quarantined) == (3, 0)
    [warning] = step.warnings
    assert (warning.code, warning.evidence) == ("column-absent", {"column": "note", "records": 2})
    assert folder.rows("SELECT id, note FROM raw.orders ORDER BY id") == [(1, "a"), (2, None), (3, None)]
    assert folder.codes() == []


@pytest.mark.parametrize("words", ["", "missing: error\n", "missing: null\n"])
def test_a_file_may_not_lack_a_column_that_must_be_there(tmp_path: Path, words: str) -> None:
    columns = COLUMNS if "null" not in words else COLUMNS.replace("text", "text, required")
    folder = folder_of(tmp_path, words, columns, a="id\n1\n")
    [finding] = folder.open().check().findings
    assert finding.code == "missing-column"
    [finding] = folder.run().findings
    assert (finding.code, "'note'" in finding.what) == ("missing-column", True)
    assert folder.codes() == []


def test_a_misspelled_column_is_still_told(tmp_path: Path) -> None:
    """It is a column that lacks and one that is unknown: the second stops the load."""
    folder = folder_of(tmp_path, "missing: null\n", a="id,nots\n1,a\n")
    [finding] = folder.run().findings
    assert (finding.code, "did you mean 'note'" in finding.what) == ("unknown-column", True)


def test_no_rule_may_be_called_as_the_reason_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "", COLUMNS + "rules:\n  extra: id > 0\n", a="id,note\n1,a\n")
    with pytest.raises(Exception, match="extra") as caught:
        folder.open()
    assert not isinstance(caught.value, ContractError)

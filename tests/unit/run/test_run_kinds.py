"""Archives as they grow, and kinds of files whose extra is not there."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from tests.hostile.xlsx import sheet, workbook
from tests.unit.project_kit import Folder

INGEST = "table: raw.t\nfrom: {{csv: {{path: 'data/*.zip'}}}}\n{more}columns:\n  id: int, key\n"


def archive(folder: Folder, members: dict[str, str]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in members.items():
            made.writestr(name, text)
    path = folder.write("data/a.zip", "")
    path.write_bytes(out.getvalue())


def test_an_archive_packed_anew_loads_only_what_is_new(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/t.yml": INGEST.format(more="")})
    archive(folder, {"x.csv": "id\n1\n2\n"})
    assert folder.step("raw.t").rows_read == 2
    archive(folder, {"x.csv": "id\n1\n2\n", "d/y.csv": "id\n3\n"})
    assert folder.step("raw.t").rows_read == 1
    assert folder.step("raw.t").status == "skipped"
    assert folder.rows("select id from raw.t order by 1") == [(1,), (2,), (3,)]
    entries = folder.open().ledger("raw.t").entries
    assert sorted(one.partition for one in entries) == ["a.zip/d/y.csv", "a.zip/x.csv"]
    assert folder.codes() == []


def test_a_changed_member_is_reloaded_alone(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {"ingest/t.yml": INGEST.format(more="on_change: reload\n")})
    archive(folder, {"x.csv": "id\n1\n2\n", "y.csv": "id\n3\n"})
    folder.run()
    archive(folder, {"x.csv": "id\n1\n5\n", "y.csv": "id\n3\n"})
    assert folder.step("raw.t").rows_read == 2
    assert folder.rows("select id from raw.t order by 1") == [(1,), (3,), (5,)]
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [("xlsx", "openpyxl", "excel"), ("avro", "fastavro", "avro"), ("orc", "pyarrow.orc", "arrow")],
)
def test_a_missing_extra_says_how_to_install_it(
    kind: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder.make(tmp_path, {"ingest/t.yml": f"table: raw.t\nfrom: data/*.{kind}\ncolumns:\n  id: int\n"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"a.{kind}").write_bytes(workbook({"S": sheet([["id"], [1]])}))
    monkeypatch.setitem(sys.modules, module, None)
    [finding] = folder.run().findings
    assert (finding.code, finding.fix) == ("missing-extra", f"pip install 'headgate[{extra}]'")

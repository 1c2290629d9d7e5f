"""A hostile file and its expected fate, record by record, through a real project."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.project_kit import Folder

TABLE = "raw.t"


@dataclass(frozen=True)
class Case:
    """`files` are written under the project; `source` is what stands behind `from:`.

    What must come of it: `rows` are loaded (in any order), `malformed` are records with a part of their message,
    `refused` are records with their reasons (`column.rule`). Or the whole load stops with the finding `code`, and
    nothing is loaded.
    """

    name: str
    files: Mapping[str, bytes]
    source: str
    columns: Mapping[str, str]
    rows: Sequence[tuple[Any, ...]] = ()
    malformed: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, set[str]] = field(default_factory=dict)
    code: str = ""
    more: str = ""

    def ingest(self) -> str:
        """The ingest file."""
        columns = "".join(f"  {json.dumps(name)}: {json.dumps(kind)}\n" for name, kind in self.columns.items())
        return f"table: {TABLE}\nfrom: {self.source}\n{self.more}" + (f"columns:\n{columns}" if columns else "")

    def write(self, root: Path) -> Folder:
        """The case as a project."""
        folder = Folder.make(root, {"ingest/t.yml": self.ingest()})
        for name, data in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


def judge(case: Case, root: Path) -> None:
    """Runs the case and compares every fate; the books must balance."""
    folder = case.write(root)
    found = folder.run()
    if case.code:
        assert [one.code for one in found.findings] == [case.code], found.findings
        assert all(one.where and one.fix for one in found.findings)
        assert found.status != "ok"
        assert found.steps[0].rows_loaded == 0
        return
    assert found.findings == ()
    (step,) = found.steps
    malformed, refused = {}, {}
    for one in folder.open().quarantine(TABLE, limit=None).records:
        number = one.position["record"]
        if [reason.rule for reason in one.reasons] == ["record"]:
            malformed[number] = str(one.reasons[0])
        else:
            refused[number] = {f"{reason.column}.{reason.rule}" for reason in one.reasons}
    assert set(malformed) == set(case.malformed), malformed
    assert {number: case.malformed[number] in said for number, said in malformed.items()} == dict.fromkeys(
        malformed, True
    ), malformed
    assert refused == dict(case.refused)
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in case.columns) or "* EXCLUDE (_hg_load)"
    rows = folder.behind(f"SELECT {names} FROM {TABLE}")
    assert sorted(map(repr, rows)) == sorted(map(repr, case.rows))
    read = len(case.rows) + len(malformed) + len(refused)
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (read, len(rows), read - len(rows))
    assert found.balanced
    assert folder.codes() == []

"""Drives whole projects on disk through the public API with the oracle's cases, and reads them back."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.property.dress import Called, Columnar, Dress, Written
from tests.property.driver import PARENT_FILE, _canonical, _sums

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.api.project import Project
from headgate.api.results import QuarantineRecord
from headgate.books import ledger
from headgate.core.values import TableRef
from headgate.testing import called, oracle
from headgate.testing.strategies import TABLE, Step, ingest_form

MAIN = "project: p\nwarehouse: duckdb:w.duckdb\n"
EPOCH_NS = 1_700_000_000_000_000_000


def template(root: Path) -> Path:
    """A project in which the table that references point to is loaded."""
    (root / "ingest").mkdir(parents=True)
    (root / "headgate.yml").write_text(MAIN)
    parents = PARENT_FILE.replace("from: parents.csv", "from: {csv: {path: parents.csv, null: NA}}")
    (root / "ingest" / "parents.yml").write_text(parents)
    (root / "parents.csv").write_text("pid,qid\n1,2\n2,NA\nNA,1\n")
    assert Project.open(root).run().status == "ok"
    return root


@dataclass
class Disk:
    """A project folder that one flow is loaded in. `texts`: everything ever written, by the digest of the file."""

    root: Path
    flow: oracle.Flow
    dress: Dress | Columnar | Called
    columns: tuple[str, ...]
    texts: dict[str, Written] = field(default_factory=dict)
    clock: int = 0

    @classmethod
    def make(
        cls, made: Path, root: Path, flow: oracle.Flow, dress: Dress | Columnar | Called, columns: tuple[str, ...]
    ) -> Disk:
        shutil.copytree(made, root)
        if isinstance(dress, Called):
            (root / "sources").mkdir()
            (root / "sources" / "x.py").write_text(dress.code())
        (root / "rules").mkdir()
        (root / called.FILE).write_text(called.SOURCE)
        (root / "ingest" / "orders.yml").write_text(ingest_form(flow, dress.source(columns)), encoding="utf-8")
        return cls(root, flow, dress, columns)

    def real(self, step: Step) -> Step:
        """The step with files as they will stand on disk: named and told apart as the system does."""
        return replace(
            step, slices={}, files={name + self.dress.suffix: self._real(f) for name, f in step.files.items()}
        )

    def _real(self, file: oracle.File) -> oracle.File:
        worn = self.dress.dressed(file, self.columns)
        text = self.dress.write(worn)
        identity = "sha256:" + hashlib.sha256(text.data).hexdigest()
        self.texts[identity] = text
        return replace(worn, identity=identity)

    def play(self, step: Step) -> str:
        """The step as a user would do it; the status of the run, "" for a replay."""
        if step.kind == "replay":
            self._replay(step.picks)
            return ""
        self._deliver(step.files)
        with Project.open(self.root) as project:
            return project.run([TABLE], full_refresh=step.kind == "full_refresh").status

    def _deliver(self, files: Mapping[str, oracle.File]) -> None:
        shutil.rmtree(self.root / "data", ignore_errors=True)
        (self.root / "data").mkdir()
        for name, file in files.items():
            path = self.root / "data" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self.texts[file.identity].data)
            self.clock += 1
            os.utime(path, ns=(EPOCH_NS, EPOCH_NS + self.clock))

    def _replay(self, picks: tuple[int, ...]) -> None:
        with Project.open(self.root) as project:
            open_ = sorted(self.records("open"), key=lambda one: (one.source, one.position["record"], int(one.id)))
            if open_:
                ids = sorted({open_[pick % len(open_)].id for pick in picks}) if picks else None
                project.replay(ids, table=None if ids else TABLE)

    def records(self, status: str) -> tuple[QuarantineRecord, ...]:
        with Project.open(self.root) as project:
            return project.quarantine(TABLE, status, limit=None).records

    def findings(self) -> list[str]:
        with Project.open(self.root) as project:
            return [finding.render() for finding in project.audit().findings]

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.root / ".headgate" / "tmp").iterdir()]

    def view(self) -> dict[str, Any]:
        """Rows, positions and sums as the oracle tells them, and every open and held record with line, raw and row."""
        store = DuckDBStore(self.root / "w.duckdb", read_only=True)
        try:
            with store.session() as session:
                state = ledger.table_state(session, TableRef.parse(TABLE))
                shown: dict[str, Any] = {
                    "rows": sorted(self._rows(session), key=repr) if state else [],
                    "positions": {
                        name: (seat.position.get("digest", seat.position.get("identity")), seat.position["records"])
                        for name, seat in ledger.seats(session, TABLE).items()
                        if name
                    },
                    **_sums(ledger.entries(session, TABLE)),
                }
        finally:
            store.close()
        for status in ("open", "held"):
            shown[status] = sorted((_record(one) for one in self.records(status)), key=repr)
        return shown

    def _rows(self, session: Any) -> list[Any]:
        columns = sorted(self.flow.contract.columns, key=lambda column: column.name)
        picked = ", ".join(f'CAST("{column.name}" AS VARCHAR)' for column in columns)
        return [
            tuple((column.name, _canonical(text, column.type)) for column, text in zip(columns, row, strict=True))
            for row in session.execute(f"SELECT {picked} FROM {TABLE}")
        ]

    def expected(self, state: oracle.State, files: Mapping[str, oracle.File]) -> dict[str, Any]:
        """What `view` must be. `files`: the folder as it was at the last load, where held records come from."""
        shown = oracle.view(state).get(TABLE, {})
        loaded = {name: point[0] for name, point in shown.get("positions", {}).items()}
        there = {name: file.identity for name, file in files.items()}
        return {
            "rows": sorted(shown.get("rows", {}).elements(), key=repr) if shown else [],
            "positions": shown.get("positions", {}),
            **{name: shown.get(name, 0) for name in ("read", "quarantined", "settled")},
            "open": sorted((self._expected(one, loaded) for one in state.records(TABLE)), key=repr),
            "held": sorted((self._expected(one, there) for one in state.records(TABLE, "held")), key=repr),
        }

    def _expected(self, refused: oracle.Refused, versions: Mapping[str, str]) -> Any:
        text, at = self.texts[versions[refused.partition]], refused.number - 1
        record = refused.record
        row = None if isinstance(record, oracle.Malformed) else tuple(record.items())
        reasons = tuple((reason.rule, reason.column) for reason in refused.reasons)
        return refused.partition, refused.number, text.lines[at], text.raws[at], row, reasons


def _record(one: QuarantineRecord) -> Any:
    row = None if one.row is None else tuple(one.row.items())
    reasons = tuple((reason.rule, reason.column) for reason in one.reasons)
    return one.source, one.position["record"], one.position["line"], one.raw, row, reasons


def differences(real: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What the two views disagree on, one line per part."""
    parts = [part for part in expected if real[part] != expected[part]]
    return [f"{part}:\n  real     {real[part]}\n  expected {expected[part]}" for part in parts]

"""Refused records as a file that people edit, and back: CSV, NDJSON and Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from headgate.api.quarantine import RECORD, Masks, record
from headgate.api.results import ExportResult, QuarantineRecord
from headgate.books.select import JOINED, Chosen
from headgate.core.errors import AdapterError, Finding, ProjectError
from headgate.core.protocols import Session
from headgate.core.records import dataclass

FORMATS = ("csv", "ndjson", "parquet")
ID, REVISION, RAW, GUARD = "_hg_id", "_hg_revision", "_hg_raw", "_hg_spreadsheet"
META = (ID, REVISION, "_hg_table", "_hg_status", "_hg_reasons", "_hg_source", "_hg_record", "_hg_line", RAW)
"""Columns before those of the source. What is read back: id, revision, raw."""
RISKY = ("=", "+", "-", "@", "\t", "\r", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet may take for a formula, or that looks like one made harmless."""
PAGE = 20_000

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Job:
    """What is written where. `guarded`: cells that a spreadsheet could take for a formula begin with an apostrophe."""

    path: Path
    format: str
    guarded: bool
    masks: Masks


def format_of(path: Path) -> str:
    """The format by the file's suffix. Raises ProjectError `export-format`."""
    found = path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        what = f"the name of {path.name!r} does not say how to write it"
        raise ProjectError(Finding("export-format", "error", what, str(path), "name a .csv, .ndjson or .parquet file"))
    return found


def export(session: Session, wanted: Chosen, job: Job) -> ExportResult:
    """Writes the file, which must not exist yet. It is complete or not there."""
    if job.path.exists():
        what = f"{job.path.name!r} exists already, and may hold edits"
        raise ProjectError(
            Finding("export-exists", "error", what, str(job.path), "name another file, or move this one")
        )
    where = wanted.where(session)
    columns = _columns(session, where)
    heads = (*META, *((GUARD,) if job.guarded else ()), *columns)
    masked = False

    def rows() -> Iterator[Row]:
        nonlocal masked
        for one in map(job.masks.record, _pages(session, where)):
            masked = masked or one.masked
            yield _cells(one, columns, job.guarded)

    written = _write(job, heads, rows())
    return ExportResult(str(job.path), job.format, written, heads, masked)


def _columns(session: Session, where: str) -> list[str]:
    """The source columns of all these records, those of older shapes first. Raises ProjectError `export-name`."""
    rows = session.execute(
        f"""SELECT s.columns, min(q.id) FROM {JOINED} JOIN _headgate.shape AS s ON s.id = q.shape
            WHERE {where} GROUP BY 1 ORDER BY 2"""
    )
    names = list(dict.fromkeys(name for row in rows for name, _ in json.loads(row[0])))
    taken = [name for name in names if name.lower() in (*META, GUARD)]
    if taken:
        what = f"the source has a column {taken[0]!r}, which is the name of one of the export's own"
        raise ProjectError(
            Finding("export-name", "error", what, taken[0], "look at the records: headgate quarantine list --json")
        )
    return names


def _pages(session: Session, where: str) -> Iterator[QuarantineRecord]:
    last = 0
    while True:
        rows = session.execute(f"{RECORD} WHERE ({where}) AND q.id > {last} ORDER BY q.id LIMIT {PAGE}")
        yield from map(record, rows)
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _cells(one: QuarantineRecord, columns: Sequence[str], guarded: bool) -> Row:
    reasons = json.dumps([reason.to_json() for reason in one.reasons], ensure_ascii=False)
    at = [one.position.get(name) for name in ("record", "line")]
    meta = (one.id, str(one.revision), one.table, one.status, reasons, one.source, *map(_text, at), one.raw)
    cells = dict(zip(META, meta, strict=True)) | {name: _text((one.row or {}).get(name)) for name in columns}
    if not guarded:
        return cells
    return {GUARD: "yes", **{name: guard(text) for name, text in cells.items()}}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def guard(text: str | None) -> str | None:
    """The text as a spreadsheet takes it for text."""
    return "'" + text if text and text.startswith(RISKY) else text


def unguard(text: str | None) -> str | None:
    """The text that `guard` was given."""
    return text[1:] if text and text[0] == "'" and text[1:].startswith(RISKY) else text


# -- writing ---------------------------------------------------------------------------------------------------------


def _write(job: Job, heads: Sequence[str], rows: Iterator[Row]) -> int:
    """The number of rows written, into a file beside that takes the name in the end."""
    part = job.path.with_name(f".{job.path.name}.part")
    writers: dict[str, Callable[[Path, Sequence[str], Iterator[Row]], int]] = {
        "csv": _csv,
        "ndjson": _ndjson,
        "parquet": _parquet,
    }
    try:
        written = writers[job.format](part, heads, rows)
        os.replace(part, job.path)
    except OSError as error:
        raise AdapterError.of(
            "export-failed",
            f"the file can't be written: {error.strerror}",
            job.path,
            "name a file in a folder that can be written to",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return written


def _csv(path: Path, heads: Sequence[str], rows: Iterator[Row]) -> int:
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as out:
        out.write(",".join(map(csv_cell, heads)) + "\n")
        number = 0
        for row in rows:
            out.write(",".join(csv_cell(row.get(name)) for name in heads) + "\n")
            number += 1
    return number


def csv_cell(text: str | None) -> str:
    """Nothing for NULL, quotes round an empty text and whatever needs them."""
    if text is None:
        return ""
    if text and not any(mark in text for mark in ',"\r\n') and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def _ndjson(path: Path, heads: Sequence[str], rows: Iterator[Row]) -> int:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        number = 0
        for row in rows:
            out.write(json.dumps({name: row.get(name) for name in heads}) + "\n")
            number += 1
    return number


def _parquet(path: Path, heads: Sequence[str], rows: Iterator[Row]) -> int:
    """By way of a table of an engine of its own: the warehouse is only looked at, and may not write files."""
    from headgate.adapters.duckdb.store import DuckDBStore
    from headgate.books.ledger import insert_rows
    from headgate.sql import quote

    store = DuckDBStore(None)
    number = 0
    try:
        with store.session() as session:
            session.execute(f"CREATE TABLE export ({', '.join(f'{quote.ident(name)} VARCHAR' for name in heads)})")
            chunk: list[list[str | None]] = []
            for row in rows:
                chunk.append([row.get(name) for name in heads])
                if len(chunk) >= PAGE:
                    insert_rows(session, "export", chunk)
                    chunk.clear()
                number += 1
            insert_rows(session, "export", chunk)
            session.execute(f"COPY export TO {quote.literal(str(path))} (FORMAT parquet)")
    finally:
        store.close()
    return number

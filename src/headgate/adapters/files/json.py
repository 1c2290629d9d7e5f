"""NDJSON and JSON files as sources: records counted by lines or brackets, values as the text that was received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.files.json_reader import JsonJob, JsonReader
from headgate.adapters.files.jsondoc import Document
from headgate.adapters.files.jsonkeys import Keys
from headgate.adapters.files.jsonquery import odd
from headgate.adapters.files.lines import Lines
from headgate.adapters.files.listing import Found, Listing
from headgate.adapters.files.options import constants, encoding
from headgate.adapters.files.shape import compare
from headgate.adapters.files.text import Layout
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Engine, Session
from headgate.core.suffixes import suffixes
from headgate.core.values import Batch, Partition, Position

ALL = 1 << 60


class NdjsonSource:
    """Files of JSON lines under `options["path"]` (a path, a glob or a list of them), relative to `root`.

    `options["wanted"]`: what the contract's columns are fed from; `options["documents"]`: a record is one column,
    its text. `tmp`: an existing folder for temporary files.
    *Errors*: ProjectError `bad-option`.
    """

    replay: Literal["stable", "moving"] = "stable"
    unit = "file"
    typed = False
    kind = "ndjson"
    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        {"path", "encoding", "timezone", "file_column", "hive", "wanted", "documents"}
    )

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path) -> None:
        listing = Listing(options["path"], root, suffixes(self.kind))
        keys, whole = Keys(tuple(options.get("wanted") or ())), bool(options.get("documents"))
        self._job = JsonJob(self._layout(options), tmp, listing, constants(options, root), keys=keys, documents=whole)

    def _layout(self, options: Mapping[str, Any]) -> Layout:
        return Lines(encoding(options.get("encoding")), odd)

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every file in name order, judged against the `known` end positions."""
        return self._job.listing.judge(known)

    def open(self, session: Engine, partition: Partition, at: Position | None) -> JsonReader:
        """A reader of the file from position `at` on. The whole file is scanned now: counted, hashed, cut in blocks.

        *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `no-records`, `file-changed`, `bad-path`.
        """
        if self._job.documents:
            from headgate.adapters.files.json_documents import DocumentReader

            return DocumentReader(self._job, session, partition, at)
        return JsonReader(self._job, session, partition, at)

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """What would keep these columns from being read. Files are read whole: only so it is known which keys there
        are. A column is missing where no record of any file has it."""
        try:
            files = self._job.listing.files()
        except HeadgateError as error:
            return list(error.findings)
        if not files:
            return [self._job.listing.none_found()]
        missing: list[list[Finding]] = []
        findings: list[Finding] = []
        for file in files:
            try:
                found = compare(self._columns(session, file), columns, str(file.path))
            except HeadgateError as error:
                return [*findings, *error.findings]
            missing.append([one for one in found if one.code == "missing-column"])
            findings += [one for one in found if one.code == "unknown-column"]
        everywhere = set.intersection(*({one.evidence["column"] for one in listed} for listed in missing))
        return [*(one for one in missing[0] if one.evidence["column"] in everywhere), *findings]

    def _columns(self, session: Session, file: Found) -> list[str]:
        with closing(self.open(session, file.partition, None)) as reader:  # type: ignore[arg-type]
            batch = reader.read(ALL, ALL)
            return [column.name for column in _read_through(session, batch).columns] if batch else []


class JsonSource(NdjsonSource):
    """JSON documents: a record is an element of the top array, or of the one at `options["records"]`, keys with dots
    between; without an array, every value at the top."""

    kind = "json"
    OPTIONS: ClassVar[frozenset[str]] = NdjsonSource.OPTIONS | {"records"}

    def _layout(self, options: Mapping[str, Any]) -> Layout:
        records = options.get("records")
        return Document(encoding(options.get("encoding")), odd, tuple(str(records).split(".")) if records else ())


def _read_through(session: Session, batch: Batch) -> Batch:
    """The batch as the gate will use it."""
    if batch.careful is None:
        return batch
    try:
        session.execute(f"SELECT count(COLUMNS(*)) FROM ({batch.relation})")
    except Exception:
        return batch.careful()
    return batch

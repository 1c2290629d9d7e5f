"""Reads JSON records as whole documents: the text of each as received, once it is certain that it is one."""

from __future__ import annotations

import json
from dataclasses import replace

from headgate.adapters.files.json_reader import SLOW_SHARE, JsonReader, Rows
from headgate.adapters.files.jsonquery import UNPROVEN, proven
from headgate.adapters.files.jsontext import NoRecord, members
from headgate.adapters.files.shape import DOCUMENT, RESERVED
from headgate.adapters.files.text import Mark
from headgate.adapters.files.text_reader import once
from headgate.core.values import Batch
from headgate.sql.quote import ident


class DocumentReader(JsonReader):
    """Reads one file. What is no record by the rules of `jsontext` is malformed, as it is where values are read."""

    def _batch(self, shell: Batch, start: Mark, end: Mark) -> Batch:
        careful = once(lambda: self._careful(shell, start, end))
        tallies = self._window.tallies(start, end)
        found = self._template(start, end) if shell.records and all(one.strict for one in tallies) else None
        if found is None:
            return careful()
        lines = proven(self._lines(start, end, max(self._window.scan.longest, 1)), found, (), numbered=False)
        document = f"CASE WHEN proof THEN l ELSE {UNPROVEN} END AS {DOCUMENT}"
        return replace(
            shell,
            relation=self._with_constants(f"SELECT {document} FROM ({lines})", [DOCUMENT]),
            columns=self._columns_of([DOCUMENT]),
            row_base=start.records + 1,
            careful=careful,
        )

    def _rows(self) -> Rows:
        return Rows(self, [DOCUMENT])

    def _proven_lines(self, start: Mark, end: Mark, rows: Rows) -> tuple[str, frozenset[int], int, str] | None:
        """The lines that prove themselves are documents as they stand."""
        if end.records - start.records < 1_000 or not all(one.strict for one in self._window.tallies(start, end)):
            return None
        found = self._template(start, end)
        if found is None:
            return None
        made = proven(self._lines(start, end, max(self._window.scan.longest, 1)), found, (), numbered=True)
        base = start.records
        others = [base + n for (n,) in self._session.execute(f"SELECT n FROM ({made}) WHERE NOT proof")]
        if len(others) > SLOW_SHARE * (end.records - base):
            return None
        return f"SELECT n + {base} AS {ident(RESERVED)}, l AS v0", frozenset(others), 1, f" FROM ({made}) WHERE proof"

    def _values(self, raw: bytes, problem: str) -> dict[str, str | None]:
        if problem:
            raise NoRecord(problem)
        text = raw.decode()
        members(text)
        return {DOCUMENT: text}

    def _row(self, raw: bytes, problem: str) -> str | None:
        try:
            return json.dumps({**self._values(raw, problem), **self._given}, ensure_ascii=False)
        except NoRecord:
            return None

"""The records that a commit refuses, whole: with their text, their place and every reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headgate.books.quarantine import Refused, keep_shape
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import SourceColumn
from headgate.gate import sets
from headgate.gate.bits import malformed_reasons
from headgate.gate.scan import Scan, Span
from headgate.gate.told import Told
from headgate.gate.verdict import QUARANTINED, Verdict
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.gate.judge import Rules

_NO_PARENT = "CAST(NULL AS BIGINT) AS parent, CAST(NULL AS BIGINT) AS origin"
_NO_KEY = "CAST(NULL AS VARCHAR) AS key"


@dataclass(frozen=True)
class RefusedRecords:
    """The verdict's refused records. `masks`: the list of reasons, as text, of every mask that occurs."""

    session: StoreSession
    rules: Rules
    scan: Scan
    verdict: Verdict
    told: Told
    masks: Mapping[tuple[int, ...], str]

    def all(self) -> Refused:
        """Those of every part, malformed ones included, as rows of the quarantine."""
        for span in self.scan.spans:
            if span.batch.verify is not None:
                span.batch.verify()
        rows = self.scan.session.execute(f"SELECT count(_hg_id) FROM {self.verdict.table} WHERE fate = {QUARANTINED}")[
            0
        ][0]
        malformed = sum(span.batch.malformed for span in self.scan.spans)
        selects = [self._refused_rows(span) for span in self.scan.spans] if rows else []
        selects += [self._malformed_rows(span) for span in self.scan.spans if span.batch.malformed]
        relation = " UNION ALL ".join(select for select in selects if select)
        return Refused(relation, rows + malformed)

    def _refused_rows(self, span: Span) -> str:
        records = self._bad_records(span)
        if records is None:
            return ""
        batch = span.batch
        numbers: Sequence[int] | str = f"SELECT record FROM {records}"
        if not batch.rescan:
            numbers = [row[0] for row in self.scan.session.execute(f"SELECT record FROM {records} ORDER BY record")]
        masks = self._mask_table()
        reasons, words = self._reasons()
        same = " AND ".join(f"m.{word} = b.{word}" for word in self.verdict.words)
        origin = f'o.line, {reasons}, o.raw, o."row"'
        number, parent, join = "b.record", _NO_PARENT, ""
        if self.rules.replay:
            number, parent, join = (
                "q.record",
                "q.id AS parent, q.origin",
                f"JOIN {self.rules.records} AS q ON q.id = b.record",
            )
        return f"""SELECT {span.part} AS _hg_part, {quote.literal(batch.partition)} AS partition, {number} AS record,
                {origin}, {quote.literal(self._shape(batch.columns))} AS shape, {parent},
                b.key
            FROM {records} AS b JOIN ({batch.originals(numbers)}) AS o ON o._hg_row = b.record
            JOIN {masks} AS m ON {same} {words} {join}"""

    def _reasons(self) -> tuple[str, str]:
        """The list of a record's reasons, of `m` and of `w`, which the join gives where there are words of its own."""
        if not self.told.table:
            return "m.reasons", ""
        parts = "nullif(m.before, ''), w.said, nullif(m.behind, '')"
        listed = f"CASE WHEN w.said IS NULL THEN m.reasons ELSE '[' || concat_ws(', ', {parts}) || ']' END AS reasons"
        return listed, f"LEFT JOIN ({self.told.lists()}) AS w ON w._hg_id = b._hg_id"

    def _bad_records(self, span: Span) -> str | None:
        """The refused rows of one part by record number, or None."""
        words = ", ".join(f"v.{word}" for word in self.verdict.words)
        number = f"v._hg_id - {span.first_id} + {span.first_record}"
        join = ""
        if span.explicit:
            number, join = "s._hg_row", f"JOIN {self.scan.prefix}_stage AS s ON s.rowid = v._hg_id"
        key = _NO_KEY
        if self.rules.disposition == "partition":
            known = (
                f"SELECT _hg_id, {sets.key_text(self.rules.contract, self.rules.keys)} AS key FROM ({span.select}) AS r"
            )
            key, join = self._not_overtaken("k.key"), f"{join} LEFT JOIN ({known}) AS k ON k._hg_id = v._hg_id"
        name = self.scan.temp.keep(
            f"bad_{self.scan.spans.index(span)}",
            f"""SELECT CAST({number} AS BIGINT) AS record, v._hg_id, {words}, {key}
                FROM {self.verdict.table} AS v {join} WHERE v._hg_part = {span.part} AND v.fate = {QUARANTINED}""",
        )
        return name if self.scan.session.execute(f"SELECT 1 FROM {name} LIMIT 1") else None

    def _not_overtaken(self, key: str) -> str:
        """The key, unless the record came too late: then nobody can say to which delivery it belongs."""
        if self.scan.bits.replay_bit is None:
            return f"{key} AS key"
        words = zip(self.verdict.words, self.scan.bits.constant(self.scan.bits.replay_bit), strict=True)
        late = " OR ".join(f"(v.{word} & {bit}) <> 0" for word, bit in words if bit)
        return f"CASE WHEN NOT ({late}) THEN {key} END AS key"

    def _mask_table(self) -> str:
        name, session = f"{self.scan.prefix}_masks", self.scan.session
        if name not in self.scan.temp.tables:
            self.scan.temp.name("masks")
            typed = ", ".join(f"{word} BIGINT" for word in self.verdict.words)
            session.execute(f"CREATE TEMP TABLE {name} ({typed}, reasons VARCHAR, before VARCHAR, behind VARCHAR)")
            for mask, text in self.masks.items():
                marks = ", ".join("?" * (len(mask) + 3))
                session.execute(f"INSERT INTO {name} VALUES ({marks})", [*mask, text, *self.scan.bits.around(mask)])
        return name

    def _malformed_rows(self, span: Span) -> str:
        batch = span.batch
        if self.rules.replay:
            return f"""SELECT {span.part} AS _hg_part, {quote.literal(batch.partition)} AS partition, q.record, q.line,
                    q.reasons, q.raw, q."row", q.shape, q.id AS parent, q.origin, {_NO_KEY}
                FROM ({batch.malformed_relation}) AS o JOIN {self.rules.records} AS q ON q.id = o._hg_row"""
        return f"""SELECT {span.part} AS _hg_part, {quote.literal(batch.partition)} AS partition,
                CAST(o._hg_row AS BIGINT) AS record, CAST(o.line AS BIGINT) AS line,
                {malformed_reasons("o.message")} AS reasons, o.raw, CAST(NULL AS VARCHAR) AS "row",
                {quote.literal(self._shape(batch.columns))} AS shape, {_NO_PARENT}, {_NO_KEY}
            FROM ({batch.malformed_relation}) AS o"""

    def _shape(self, columns: Sequence[SourceColumn]) -> str:
        """The id of the source's columns and types, kept so that a replay can read the row again."""
        return keep_shape(self.session, columns)

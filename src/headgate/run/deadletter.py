"""What a load had in hand when its last attempt failed: kept in the quarantine to be looked at, with error and place.

The records are `held`, like those of a load that a limit stopped: their position did not move, so the table's next load
reads them again, and forgets what was kept here. Nothing of them can be replayed, and so nothing doubled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from headgate.books import quarantine
from headgate.books.commit import in_plain_transaction, lock_table
from headgate.books.ledger import DATA, dumps
from headgate.books.quarantine import Refused, shape_id
from headgate.core.clock import stamp
from headgate.core.errors import Finding, HeadgateError
from headgate.core.protocols import Reader, StoreSession
from headgate.core.values import Batch
from headgate.gate.told import message_of
from headgate.run.flow import Flow
from headgate.sql import quote

KEPT = 50_000
"""Records of one batch that are kept at most: all of them are still where they came from."""
RULE = "transient"
TRANSIENT = "transient-error"
"""The code of errors of a project's own code that may pass."""


def cut_off(reader: Reader) -> Batch | None:
    """What a reader that failed had read of a batch that never came to be; None where it can't tell."""
    ask: Callable[[], Batch | None] | None = getattr(reader, "cut_off", None)
    return ask() if ask is not None else None


def keep(session: StoreSession, flow: Flow, attempt: str, batches: Sequence[Batch], error: HeadgateError) -> Finding:
    """Writes the records of the batches, in one transaction, and says how many of how many.

    *Errors*: those of the store; nothing is kept then.
    """
    read = sum(batch.total for batch in batches)
    pieces = [piece for batch in batches for piece in batch.pieces if piece.records]
    reason = json.dumps([{"rule": RULE, "column": None, "message": _said(flow, error)}], ensure_ascii=False)
    selects, kept = [], 0
    for piece in pieces:
        rows = min(piece.records, KEPT - kept)
        selects += [_select(session, piece, rows, reason)] if rows else []
        kept += rows
    told = _finding(flow, error, batches, read)

    def write() -> None:
        lock_table(session, flow.table)
        quarantine.discard_held(session, flow.table)
        refused = Refused(" UNION ALL ".join(selects), kept)
        quarantine.insert(session, refused, flow.table, attempt, DATA, None)
        session.execute(
            "INSERT INTO _headgate.refusal VALUES (?, ?, ?, ?, ?, ?, ?)",
            [attempt, flow.name, stamp(), read, 0, kept, dumps(told.to_json())],
        )

    if kept:
        in_plain_transaction(session, write)
    return told


def _select(session: StoreSession, batch: Batch, rows: int, reason: str) -> str:
    """The batch's first records as rows of the quarantine, as received."""
    behind = batch.first_record + rows
    numbers: Sequence[int] | str = f"SELECT * FROM range({batch.first_record}, {behind})"
    if not batch.rescan:
        numbers = list(range(batch.first_record, behind))
    found = f'SELECT _hg_row, line, raw, "row" FROM ({batch.originals(numbers)}) AS o'
    if batch.malformed:
        found += f""" UNION ALL SELECT _hg_row, line, raw, NULL FROM ({batch.malformed_relation}) AS m
                      WHERE _hg_row < {behind}"""
    columns = json.dumps([[column.name, column.physical] for column in batch.columns], ensure_ascii=False)
    session.execute("INSERT INTO _headgate.shape VALUES (?, ?) ON CONFLICT DO NOTHING", [shape_id(columns), columns])
    return f"""SELECT 0 AS _hg_part, {quote.literal(batch.partition)} AS partition, CAST(_hg_row AS BIGINT) AS record,
            CAST(line AS BIGINT) AS line, {quote.literal(reason)} AS reasons, CAST(raw AS VARCHAR) AS raw,
            CAST("row" AS VARCHAR) AS "row", {quote.literal(shape_id(columns))} AS shape,
            CAST(NULL AS BIGINT) AS parent, CAST(NULL AS BIGINT) AS origin, CAST(NULL AS VARCHAR) AS key
        FROM ({found}) AS records"""


def _said(flow: Flow, error: HeadgateError) -> str:
    """What the exception says; of a table with personal data only its type and its place, for it may quote a value."""
    private = flow.contract is not None and any(column.pii for column in flow.contract.columns)
    cause = error.__cause__ or error
    return message_of(cause, error.finding.where if private else "")


def _finding(flow: Flow, error: HeadgateError, batches: Sequence[Batch], read: int) -> Finding:
    records = "1 record" if read == 1 else f"{read:,} records"
    cut = f", the first {KEPT:,} of them" if read > KEPT else ""
    what = f"the last attempt failed with {records} of {flow.name} in hand, kept as dead letters{cut}"
    fix = f"look at them: headgate quarantine list --table {flow.name} --status held; the next run reads them again"
    places = [{"partition": one.partition, "position": dict(one.start), "records": one.total} for one in batches]
    evidence = {"records": read, "kept": min(read, KEPT), "error": error.finding.code, "places": places[:20]}
    return Finding("dead-letter", "warning", what, flow.name, fix, evidence)

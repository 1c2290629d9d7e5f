"""A batch copied once as it was received, in a temporary table, with the proof that nothing of it is lacking."""

from __future__ import annotations

from headgate.core.protocols import Session
from headgate.core.values import Batch
from headgate.gate.scan import is_parse_error, lost_rows
from headgate.sql.quote import ident


def staged(session: Session, name: str, batch: Batch) -> tuple[Batch, str]:
    """Makes the table `name` with a column c0, c1 .. for each of the batch's, in source order.

    Returns the batch that was really used (the careful one where the first failed), and SQL of a row's record number.
    *Errors*: InternalError `parser-disagrees`.
    """
    try:
        return batch, _copied(session, name, batch)
    except _Disagreement as found:
        if batch.careful is None:
            raise lost_rows(batch, batch.records - batch.malformed, found.count) from None
    except Exception as error:
        if batch.careful is None or not is_parse_error(error):
            raise
    session.execute(f"DROP TABLE IF EXISTS {name}")
    return staged(session, name, batch.careful())


class _Disagreement(Exception):
    """The parser's rows are not the splitter's records."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


def _copied(session: Session, name: str, batch: Batch) -> str:
    numbered = ["CAST(_hg_row AS BIGINT) AS _hg_row"] if batch.row_base is None else []
    columns = [f"{ident(column.name)} AS c{place}" for place, column in enumerate(batch.columns)]
    # Some column there must be, also where a record has none.
    listed = ", ".join([*numbered, *columns, "true AS _hg_there"])
    session.execute(f"CREATE TEMP TABLE {name} AS SELECT {listed} FROM ({batch.relation}) AS src")
    count = int(session.execute(f"SELECT count(_hg_there) FROM {name}")[0][0])
    if count != batch.records - batch.malformed:
        raise _Disagreement(count)
    return "_hg_row" if batch.row_base is None else f"CAST(rowid + {batch.row_base} AS BIGINT)"

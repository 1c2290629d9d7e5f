"""A table that keeps, beside a column, what the column said before it last changed (SCD type 3)."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass(frozen=True)
class Former:
    """What rows about to be written said before. `select`: for the store, of the identity and `names`, columns of the
    table; of identities that it leaves out there is nothing to keep."""

    select: str
    names: Sequence[str]


def keep_former(session: StoreSession, table: TableRef, former: Former, same: str, base: int) -> None:
    """Completes the rows that entries behind `base` wrote. `same`: a row (`old`) is of an identity (`new`).

    Within the open transaction; no row is added or removed.
    """
    kinds = dict(session.columns(table) or ())
    values = ", ".join(f"{quote.ident(name)} = CAST(new.{quote.ident(name)} AS {kinds[name]})" for name in former.names)
    session.execute(
        f"""UPDATE {quote.table(table)} AS old SET {values} FROM ({former.select}) AS new
            WHERE {same} AND old._hg_load > {base}"""
    )

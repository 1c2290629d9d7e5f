"""A table of versions that somebody else made: whether it is a history that loads of the flow could go on with."""

from __future__ import annotations

from headgate.books.adopt import unfit
from headgate.books.history import History
from headgate.contracts.evolution import spelled
from headgate.contracts.model import Contract
from headgate.core.errors import CommitError
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote


@dataclass(frozen=True)
class Versions:
    """The versions in a table. `keys`: the identity; `order_by`: the column with the time of a record, if there is one.

    `beside`: the version columns with their types of the engine; none of them is of the contract.
    """

    table: TableRef
    contract: Contract
    history: History
    keys: tuple[str, ...]
    order_by: str | None
    beside: tuple[tuple[str, str], ...]

    @property
    def ends(self) -> bool:
        """Whether loads of the flow end versions that no other follows."""
        return bool(self.history.deleted_if) or self.history.closes

    def must_have_columns(self, session: StoreSession) -> None:
        """Raises CommitError `adopt-unfit` unless the version columns stand there in the types that loads write."""
        there = dict(session.columns(self.table) or ())
        current = self.history.current
        for name, kind in self.beside:
            wanted = session.physical(kind)
            if name not in there:
                why = f"it has no column {name!r}, which every version needs under its load"
                fix = "say under load: what yours is called, columns: {from: ..., to: ..., current: ...}"
                if name == current:
                    fix += f"; or add it: {self._current(session)}"
                raise unfit(self.table, why, fix)
            if spelled(there[name]) != spelled(wanted):
                why = f"its column {name!r} is {there[name]}, and loads write {wanted}"
                alter = f"ALTER TABLE {quote.table(self.table)} ALTER COLUMN {quote.ident(name)} TYPE {wanted}"
                raise unfit(self.table, why, f"change its type: {alter}; or that of the column it is ordered by")

    def _current(self, session: StoreSession) -> str:
        """Statements that make the column which says what is current."""
        _, end, current = (quote.ident(name) for name in self.history.names)
        table, forever = (
            quote.table(self.table),
            f"= {quote.literal(self.history.end)}" if self.history.end else "IS NULL",
        )
        add = f"ALTER TABLE {table} ADD COLUMN {current} {session.physical('BOOLEAN')}"
        return f"{add}; UPDATE {table} SET {current} = coalesce({end} {forever}, false)"

    def must_be_a_history(self, session: StoreSession, judged: str, taken: str) -> None:
        """Raises CommitError `adopt-unfit` unless a load could have made the versions.

        `judged`, `taken`: SELECTs of the engine with `_hg_row`, of the contract's columns and of the table's own.
        """
        faults = self._faults()
        counts = ", ".join(f"count(*) FILTER (WHERE coalesce({broken}, true))" for _, broken in faults)
        rows = self._lined(judged, taken)
        [found] = session.engine.execute(f"SELECT {counts} FROM ({rows}) AS lined")
        for (what, _), count in zip(faults, found, strict=True):
            if count:
                raise self._unfit(what, int(count))

    def _lined(self, judged: str, taken: str) -> str:
        """Every version beside the one that follows it."""
        version = ", ".join(
            f"CAST(t.{quote.ident(name)} AS {kind}) AS {made}"
            for (name, kind), made in zip(self.beside, (f"_hg_b{n}" for n in range(len(self.beside))), strict=True)
        )
        open_end = quote.literal(self.history.end) if self.history.end else ""
        is_open = (
            f"_hg_b1 IS NOT DISTINCT FROM CAST({open_end} AS {self.beside[1][1]})" if open_end else "_hg_b1 IS NULL"
        )
        listed = quote.columns(self.keys)
        shown = "".join(
            f", max(CASE WHEN _hg_b2 THEN {quote.ident(column)} END) OVER (PARTITION BY {listed}) AS _hg_now{number}"
            for number, (column, _) in enumerate(self.history.latest)
        )
        return f"""SELECT *, {is_open} AS _hg_open, lead(_hg_b0) OVER w AS _hg_next,
                       row_number() OVER w = count(*) OVER (PARTITION BY {listed}) AS _hg_last{shown}
                   FROM (SELECT s.*, {version} FROM ({judged}) AS s JOIN ({taken}) AS t ON t._hg_row = s._hg_row) AS v
                   WINDOW w AS (PARTITION BY {listed} ORDER BY _hg_b0, _hg_b2, _hg_b1)"""

    def _faults(self) -> list[tuple[str, str]]:
        """What rows can be that no load would have made, and the condition; NULL counts as true."""
        start, end, current = self.history.names
        forever = self.history.end or "NULL"
        order = "<=" if self.ends else "<"
        found = [
            (f"lack {start} or {current}", "_hg_b0 IS NULL OR _hg_b2 IS NULL"),
            (f"are current and end, or are not and never end ({end} is {forever})", "_hg_b2 <> _hg_open"),
            (f"end before they begin ({end})", f"NOT (_hg_open OR _hg_b0 {order} _hg_b1)"),
            ("overlap the next version of their identity", "_hg_next IS NOT NULL AND (_hg_open OR _hg_b1 > _hg_next)"),
        ]
        if not self.ends:
            gap = "_hg_next IS NOT NULL AND _hg_b1 <> _hg_next"
            found.append((f"end before the next version begins ({end} is not the {start} of the next)", gap))
            found.append(("are the last of their identity and not current", "_hg_last AND NOT _hg_b2"))
        if self.order_by is not None:
            time = quote.ident(self.order_by)
            since = f"CAST({time} AS DATE)" if self.history.dates else time
            found.append((f"hold from another time than {self.order_by} says ({start})", f"_hg_b0 <> {since}"))
        for number, (column, name) in enumerate(self.history.latest):
            differs = f"_hg_now{number} IS DISTINCT FROM _hg_b{3 + number}"
            found.append((f"say otherwise in {name} than the current version in {column}", differs))
        return found

    def _unfit(self, what: str, count: int) -> CommitError:
        rows = "1 row" if count == 1 else f"{count:,} rows"
        fix = "mend them, so that each version holds from its beginning up to, not including, the beginning of the next"
        if not self.ends:
            fix += "; where versions may end without another, say by what: deleted_if or vanished: close"
        return unfit(self.table, f"versions {what}, which no load of it makes ({rows})", fix)

"""The SQL of a snapshot: which versions of rows begin and end, from the query's rows and the history that stands.

Intervals of one key never overlap and never stand still: a version begins behind the one before it, whatever the
source's clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headgate.core.records import dataclass
from headgate.models.model import Snapshot
from headgate.sql import quote

Columns = Sequence[tuple[str, str]]
TICK = "INTERVAL '1 microsecond'"


def made_of(sql: str, how: Snapshot) -> str:
    """A SELECT that says of every column of the snapshot what decides about it; it is never run."""
    keys = ", ".join(f"q.{quote.ident(key)}" for key in how.unique_key)
    deciding = [how.updated_at] if how.updated_at else list(how.check_cols)
    changes = ", ".join(f"q.{quote.ident(name)}" for name in deciding) or "q"
    names = how.columns
    columns = {names.scd_id: f"{keys}, {changes}", names.updated_at: changes, names.valid_from: changes}
    columns |= {names.valid_to: changes}
    columns |= {names.is_deleted: keys} if how.hard_deletes == "new_record" else {}
    listed = ", ".join(f"concat({value}) AS {quote.ident(name)}" for name, value in columns.items())
    return f"SELECT q.*, {listed} FROM (\n{sql}\n) AS q"


@dataclass(frozen=True)
class Versions:
    """`rows`: the relation of the query's rows, one for each key; `given`: its columns. `target`: the history; `kept`:
    its columns, none where it begins now. `now`: SQL of the run's instant, of the type `kind`. `nulls`: a key of the
    query's rows has a NULL."""

    how: Snapshot
    rows: str
    given: Columns
    target: str
    kept: Columns
    now: str
    kind: str
    nulls: bool

    @property
    def tells_deleted(self) -> bool:
        """Rows that are gone get a version that says so."""
        return self.how.hard_deletes == "new_record"

    @property
    def _marked(self) -> bool:
        """The history has a column that says whether a version tells of a deletion."""
        return self.tells_deleted or self._has(self.how.columns.is_deleted)

    def _has(self, name: str) -> bool:
        return name.casefold() in {one.casefold() for one, _ in self.kept}

    @property
    def _beyond(self) -> list[tuple[str, str]]:
        """Columns of the history that the query does not give any more."""
        known = {name.casefold() for name, _ in self.given} | {name.casefold() for name in self.how.columns.all}
        return [(name, kind) for name, kind in self.kept if name.casefold() not in known]

    @property
    def columns(self) -> Columns:
        """The columns of staged rows, as the history has them or shall have them."""
        kept = {name.casefold(): kind for name, kind in self.kept}
        kinds = dict.fromkeys(self._added, self.kind.lower()) | {
            self.how.columns.scd_id: "VARCHAR", self.how.columns.is_deleted: "VARCHAR",
        }  # fmt: skip
        added = [(name, kept.get(name.casefold(), kinds[name])) for name in self._added]
        return [*self.given, *self._beyond, *added]

    @property
    def _added(self) -> tuple[str, ...]:
        names = self.how.columns.all
        return names if self._marked else names[:-1]

    # -- parts of statements -----------------------------------------------------------------------------------------

    def _same(self, one: str, two: str) -> str:
        """Rows agree in their key, where NULL equals NULL. Of arrays, that is so for `=`, by which engines join."""
        form = "ARRAY[{}] = ARRAY[{}]" if self.nulls else "{} = {}"
        keys = map(quote.ident, self.how.unique_key)
        return " AND ".join(form.format(f"{one}.{key}", f"{two}.{key}") for key in keys)

    def _meta(self, alias: str, name: str) -> str:
        return f"{alias}.{quote.ident(getattr(self.how.columns, name))}"

    @property
    def _current(self) -> str:
        """The end of a version that is valid now."""
        return f"CAST((\n{self.how.current}\n) AS {self.kind})" if self.how.current else f"CAST(NULL AS {self.kind})"

    def _open(self, alias: str) -> str:
        end = self._meta(alias, "valid_to")
        return f"({end} IS NULL OR {end} = {self._current})" if self.how.current else f"{end} IS NULL"

    def _updated(self, alias: str) -> str:
        how = self.how
        return f"CAST({alias}.{quote.ident(how.updated_at)} AS {self.kind})" if how.updated_at else self._none

    @property
    def _none(self) -> str:
        return f"CAST(NULL AS {self.kind})"

    def _id(self, alias: str, begins: str) -> str:
        """The id of a version: of its key, every part with its length, so that none runs into the next, and begin."""
        parts = []
        for key in self.how.unique_key:
            text = f"CAST({alias}.{quote.ident(key)} AS VARCHAR)"
            parts.append(f"coalesce(CAST(length({text}) AS VARCHAR) || ':' || {text}, '-')")
        return f"md5(concat_ws('|', {', '.join(parts)}, CAST({begins} AS VARCHAR)))"

    def _differs(self, names: Sequence[str]) -> str:
        """Some of the columns differ between the query's row `q` and the version `o`."""
        kinds = {name: kind.lower() for name, kind in self.given}
        return " OR ".join(self._differ(name, kinds[name]) for name in names) or "FALSE"

    def _differ(self, name: str, kind: str) -> str:
        column = quote.ident(name)
        if not self._has(name):
            return f"q.{column} IS NOT NULL"
        if kind == "json":  # not every store has an equality for it
            return f"CAST(q.{column} AS VARCHAR) IS DISTINCT FROM CAST(o.{column} AS VARCHAR)"
        return f"q.{column} IS DISTINCT FROM o.{column}"

    @property
    def _compared(self) -> list[str]:
        keys = {*self.how.unique_key, *([self.how.updated_at] if self.how.strategy == "timestamp" else [])}
        return list(self.how.check_cols) or [name for name, _ in self.given if name not in keys]

    def _changed(self) -> str:
        if self.how.strategy == "timestamp":
            before = self._meta("o", "updated_at")
            changed = f"{before} IS NULL OR {self._updated('q')} > {before}"
        else:
            changed = self._differs(self._compared)
        return f"({changed}) OR {self._deleted('o')}" if self._was_marked else f"({changed})"

    @property
    def _was_marked(self) -> bool:
        return self._has(self.how.columns.is_deleted)

    def _deleted(self, alias: str) -> str:
        return f"coalesce({self._meta(alias, 'is_deleted')}, 'False') = 'True'"

    # -- statements --------------------------------------------------------------------------------------------------

    def first(self) -> str:
        """SELECT of the first version of every row."""
        begins = f"coalesce({self._updated('q')}, {self.now})"
        return f"SELECT {self._new('q', begins)} FROM {self.rows} AS q"

    def _new(self, alias: str, begins: str) -> str:
        """The columns of a version of the query's row that begins."""
        own = [f"{alias}.{quote.ident(name)}" for name, _ in self.given]
        own += [f"CAST(NULL AS {kind}) AS {quote.ident(name)}" for name, kind in self._beyond]
        updated = f"coalesce({self._updated(alias)}, {begins})"
        return ", ".join([*own, *self._metas(self._id(alias, begins), updated, begins, self._current, "'False'")])

    def _metas(self, *values: str) -> Iterator[str]:
        texts = [values[0], values[1], values[2], values[3], f"CAST({values[4]} AS VARCHAR)"]
        return (f"{value} AS {quote.ident(name)}" for name, value in zip(self._added, texts, strict=False))

    def changes(self) -> str:
        """SELECT of the query's rows that are no version yet, with the id and the begin of the one before, if any."""
        before = f"SELECT * FROM {self.target} AS t WHERE {self._open('t')}"
        return (
            f"SELECT q.*, {self._meta('o', 'scd_id')} AS _hg_id, {self._meta('o', 'valid_from')} AS _hg_since"
            f" FROM {self.rows} AS q LEFT JOIN ({before}) AS o ON {self._same('q', 'o')}"
            f" WHERE {self._meta('o', 'scd_id')} IS NULL OR {self._changed()}"
        )

    def unseen(self) -> str:
        """The query that counts rows that differ from their version though their time does not say so."""
        return (
            f"SELECT count(*) FROM {self.rows} AS q JOIN {self.target} AS o ON {self._same('q', 'o')}"
            f" WHERE {self._open('o')} AND NOT ({self._changed()}) AND ({self._differs(self._compared)})"
        )

    def doubled(self) -> str:
        """The query that shows the keys that have several versions that are valid now."""
        by = quote.columns(self.how.unique_key)
        return f"SELECT {by} FROM {self.target} AS t WHERE {self._open('t')} GROUP BY {by} HAVING count(*) > 1"

    def next(self, changes: str) -> str:
        """SELECT of the versions that begin and of those that end, as they will stand. `changes`: that relation."""
        parts = [
            f"SELECT {self._new('b', 'b._hg_begins')} FROM begun AS b",
            f"SELECT {self._ended('b._hg_begins')} FROM {self.target} AS o JOIN begun AS b"
            f" ON b._hg_id = {self._meta('o', 'scd_id')}",
        ]
        gone = ""
        if self.how.hard_deletes != "ignore":
            gone = f", gone AS ({self._gone()})"
            parts.append(f"SELECT {self._ended('o._hg_at')} FROM gone AS o")
        if self.tells_deleted:
            parts.append(f"SELECT {self._deletion()} FROM gone AS o")
        return f"WITH begun AS ({self._begun(changes)}){gone} {' UNION ALL '.join(parts)}"

    def _begun(self, changes: str) -> str:
        """The changes with the instant from which they are valid: the source's, where it is behind the version before.

        A row that comes back begins behind all that it had.
        """
        by, earlier = quote.columns(self.how.unique_key, "t"), self._meta("t", "valid_to")
        back = f"EXISTS (SELECT 1 FROM {changes} AS c WHERE c._hg_id IS NULL AND {self._same('c', 't')})"
        ends = f"SELECT {by}, max({earlier}) AS _hg_end FROM {self.target} AS t WHERE {back} GROUP BY {by}"
        floor = "coalesce(c._hg_since, e._hg_end)"
        updated = self._updated("c")
        return (
            f"SELECT c.*, CASE WHEN {floor} IS NULL THEN coalesce({updated}, {self.now})"
            f" WHEN {updated} > {floor} THEN {updated} WHEN {self.now} > {floor} THEN {self.now}"
            f" ELSE {floor} + {TICK} END AS _hg_begins"
            f" FROM {changes} AS c LEFT JOIN ({ends}) AS e ON c._hg_id IS NULL AND {self._same('c', 'e')}"
        )

    def _gone(self) -> str:
        """Versions that are valid now of rows that the query does not give any more, with the instant of that."""
        since = self._meta("t", "valid_from")
        stays = f" AND NOT {self._deleted('t')}" if self._was_marked else ""
        return (
            f"SELECT t.*, CASE WHEN {self.now} > {since} THEN {self.now} ELSE {since} + {TICK} END AS _hg_at"
            f" FROM {self.target} AS t WHERE {self._open('t')}{stays}"
            f" AND NOT EXISTS (SELECT 1 FROM {self.rows} AS q WHERE {self._same('q', 't')})"
        )

    def _before(self) -> list[str]:
        """The columns of a version that stands, as staged rows have them."""
        given = [
            f"o.{quote.ident(name)}" if self._has(name) else f"CAST(NULL AS {kind}) AS {quote.ident(name)}"
            for name, kind in self.given
        ]
        return [*given, *(f"o.{quote.ident(name)}" for name, _ in self._beyond)]

    def _ended(self, till: str) -> str:
        """The columns of a version that ends."""
        says = self._meta("o", "is_deleted") if self._was_marked else "'False'"
        kept = (self._meta("o", name) for name in ("scd_id", "updated_at", "valid_from"))
        return ", ".join([*self._before(), *self._metas(*kept, till, says)])

    def _deletion(self) -> str:
        """The columns of the version that tells of a deletion: the row as it was last."""
        metas = self._metas(self._id("o", "o._hg_at"), "o._hg_at", "o._hg_at", self._current, "'True'")
        return ", ".join([*self._before(), *metas])

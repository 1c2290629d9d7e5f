"""Which names a model may use for its inputs, and what they stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from headgate.core.errors import nearest
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.model import READ_PREFIX
from headgate.models.template import Refused
from headgate.sql import quote

LONGEST = 50


@dataclass(frozen=True)
class Input:
    """`name` as the plan knows it (a model's name, or `schema.name` of a loaded table); `sql` is what a query reads.

    `table`: where it stands; an `ephemeral` model stands nowhere, and `sql` names the part of the query that it is.
    """

    name: str
    sql: str
    table: TableRef
    ephemeral: bool = False


def cte_name(model: str) -> str:
    """What the SELECT of an ephemeral model is called within a query; short enough for every store."""
    short = len(model.encode()) <= LONGEST
    head = model if short else model.encode()[: LONGEST - 13].decode(errors="ignore")
    return "_hg_cte_" + (head if short else f"{head}_{hashlib.sha256(model.encode()).hexdigest()[:12]}")


def read_view(table: TableRef) -> TableRef:
    """The view through which models read a loaded table."""
    return TableRef(READ_PREFIX + table.schema, table.name)


def read_view_sql(table: TableRef, columns: Sequence[str], name: TableRef | None = None) -> list[str]:
    """The statements that make the read view of a loaded table with exactly these columns, under its own `name`.

    *Guarantee*: they may be run again, and inside a transaction. The internal column stays out unless it is named.
    """
    view = name or read_view(table)
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quote.ident(view.schema)}",
        f"CREATE OR REPLACE VIEW {quote.table(view)} AS SELECT {quote.columns(columns)} FROM {quote.table(table)}",
    ]


class Names:
    """The names of a project: every model and every loaded table, found as the engine finds them (case does not count).

    A name without a dot is a model's; where no model has it, it may be short for a loaded table, if only one has it.
    """

    def __init__(
        self,
        models: Mapping[str, TableRef],
        loaded: Iterable[TableRef],
        split: Iterable[str] = (),
        ephemeral: Iterable[str] = (),
    ) -> None:
        """`split`: models with a contract; their rows name the entry that wrote them, as those of loaded tables do."""
        apart, inside = set(split), set(ephemeral)
        standing = {name: target for name, target in models.items() if name not in inside}
        self._tables = {str(target).casefold(): (name, target) for name, target in standing.items()}
        self._full: dict[str, Input] = {}
        self._short: dict[str, list[tuple[str, Input]]] = {}
        self._loaded: dict[str, Input] = {}
        self._models: dict[str, Input] = {}
        for name, target in models.items():
            sql = quote.table(read_view(target) if name in apart else target)
            made = Input(name, quote.ident(cte_name(name)) if name in inside else sql, target, name in inside)
            self._add(target, made)
            self._models[name.casefold()] = made
        for table in loaded:
            self._tables[str(table).casefold()] = (str(table), table)
            made = Input(str(table), quote.table(read_view(table)), table)
            self._add(table, made)
            self._loaded[str(table).casefold()] = made

    def _add(self, target: TableRef, made: Input) -> None:
        self._full[str(target).casefold()] = made
        self._short.setdefault(target.name.casefold(), []).append((str(target), made))

    @property
    def tables(self) -> list[str]:
        """Every model and loaded table by schema and name."""
        return sorted(str(table) for _, table in self._tables.values())

    def table(self, name: str) -> tuple[str, TableRef] | None:
        """The model or loaded table of this schema and name: as the plan calls it, and where it stands."""
        return self._tables.get(name.casefold())

    def ref(self, name: str) -> Input:
        """What `ref(name)` stands for. Raises Refused `unknown-ref` or `ambiguous-ref`."""
        full = self._full.get(name.casefold()) or self._models.get(name.casefold())
        if full is not None:
            return full
        found = self._short.get(name.casefold(), [])
        if len(found) > 1:
            spellings = sorted(f"ref('{full_name}')" for full_name, _ in found)
            what = f"ref('{name}') may mean {len(found)} things"
            raise Refused("ambiguous-ref", what, "Write " + " or ".join(spellings))
        if not found:
            raise self._unknown(f"ref('{name}')", name)
        return found[0][1]

    def source(self, schema: str, name: str) -> Input:
        """What `source(schema, name)` stands for: loaded tables only. Raises Refused `unknown-ref`."""
        full = f"{schema}.{name}"
        found = self._loaded.get(full.casefold())
        if found is not None:
            return found
        if full.casefold() in self._full:
            what = f"source('{schema}', '{name}'): {full} is a model, not a loaded table"
            raise Refused("unknown-ref", what, f"Write ref('{self._full[full.casefold()].name}')")
        raise self._unknown(f"source('{schema}', '{name}')", full)

    def _unknown(self, call: str, name: str) -> Refused:
        known = sorted({made.name for made in self._full.values()} | set(self._spellings()))
        what = f"{call}: there is no model or loaded table of that name{nearest(name, known)}"
        return Refused("unknown-ref", what, "Name a file under models/ or the table of a file under ingest/")

    def _spellings(self) -> Iterable[str]:
        return (full for entries in self._short.values() for full, _ in entries)

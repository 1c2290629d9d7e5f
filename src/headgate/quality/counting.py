"""Counts in a table as it stands, without loading anything: completeness of its columns, rows that break its contract.

One scan answers for all columns and row rules together; keys and references take a narrow scan of their columns each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from decimal import Decimal
from typing import Any

from headgate.contracts.batch import BatchRule
from headgate.contracts.model import Contract, ContractColumn, ReferenceRule, RowRule, UniqueRule
from headgate.core.protocols import StoreSession, Trouble
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.quality import aggregates
from headgate.quality.counts import ColumnCount, RuleCount, Said
from headgate.quality.measure import share
from headgate.quality.model import Share
from headgate.sql import late, quote
from headgate.types.convert import Conversion, conversion

EXAMPLES = 3
SHOWN = 200
"""Characters of a value that is told as an example."""


@dataclass(frozen=True)
class Subject:
    """The table, and what it is to keep. `keys`: the identity, which stands once among rows where `current` is true
    (empty: among all). `latest`: columns, and beside each the one in which every version has the current one's value.
    `whole`: the table is one load, so that rules about a load speak of all of it.
    """

    ref: TableRef
    contract: Contract
    keys: tuple[str, ...] = ()
    current: str = ""
    latest: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    timezone: str = "UTC"

    @property
    def uniques(self) -> tuple[UniqueRule, ...]:
        own = (UniqueRule("key", self.keys, "none", "must be unique"),) if self.keys else ()
        return (*own, *self.contract.uniques)


@dataclass
class Counter:
    """Counts one table in one session. `session.engine` judges row rules, the store itself keys and references."""

    session: StoreSession
    subject: Subject
    prefix: str = "_hg_counted"
    rows: int = 0
    _asked: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = self.session.columns(self.subject.ref) or []
        self._types = {name: kind for name, kind in found if not name.startswith("_hg_")}
        self._names = {name.lower(): name for name in self._types}
        self._raw = {name: f"_hg_raw{number}" for number, name in enumerate(self._types)}
        engine: object = self.session.engine
        self._at_home = engine is self.session
        self._made = {column.name: self._conversion(column) for column in self.subject.contract.columns}

    def columns(self) -> tuple[ColumnCount, ...]:
        """Completeness of every column, in the table's order."""
        self._scan()
        counts = [(name, kind, int(self._asked[f"filled {name}"])) for name, kind in self._types.items()]
        return tuple(
            ColumnCount(name, kind, self.rows, filled, share(filled, self.rows)) for name, kind, filled in counts
        )

    def rules(self) -> tuple[RuleCount, ...]:
        """Every rule of the contract, in its order: rows, then keys and references, then the table as a whole."""
        self._scan()
        contract = self.subject.contract
        return (
            *(one for column in contract.columns for one in self._column(column)),
            *(self._row(rule, self._asked[f"row {number}"]) for number, rule in enumerate(contract.rows)),
            *(self._unique(rule, number) for number, rule in enumerate(self.subject.uniques)),
            *(self._reference(rule) for rule in contract.references),
            *(self._present(column, name) for column, name in self.subject.latest),
            *(self._total(rule, self._asked[f"total {number}"]) for number, rule in enumerate(contract.batches)),
            *self._unjudged(),
        )

    # The scan.

    def _scan(self) -> None:
        """Every number that needs a look at whole rows: in one scan where the store is the engine."""
        if self._asked:
            return
        plain, judged = self._completeness(), self._judgements()
        if self._at_home:
            relation = self._converted(f"SELECT {quote.columns(self._types)} FROM {quote.table(self.subject.ref)}")
            self._take(self.session, relation, plain | judged)
        else:
            self._take(self.session, f"SELECT * FROM {quote.table(self.subject.ref)}", plain)
            if judged:
                self._take(self.session.engine, self._converted(self._brought()), judged)
        self.rows = int(self._asked["rows"])

    def _take(self, session: Any, relation: str, wanted: dict[str, str]) -> None:
        found = aggregates.ask(session, session.trouble, relation, list(wanted.values()))
        self._asked |= dict(zip(wanted, found, strict=True))

    def _completeness(self) -> dict[str, str]:
        raw = {name: self._raw[name] if self._at_home else quote.ident(name) for name in self._types}
        return {"rows": "count(*)"} | {f"filled {name}": f"count({raw[name]})" for name in self._types}

    def _judgements(self) -> dict[str, str]:
        contract, made = self.subject.contract, {}
        for number, column in enumerate(contract.columns):
            if self._made[column.name].ok is not None:
                made[f"type {column.name}"] = f"count(*) FILTER (WHERE _hg_unfit{number})"
        for number, rule in enumerate(contract.rows):
            made[f"row {number}"] = f"count_if(NOT ({rule.sql}){self._received(rule)})"
        for number, total in enumerate(contract.batches):
            made[f"total {number}"] = f"({total.sql})"
        for number, unique in enumerate(self.subject.uniques):
            known = " AND ".join(f"{quote.ident(name)} IS NOT NULL" for name in unique.columns)
            made[f"unique {number}"] = f"count(*) FILTER (WHERE {known})"
        for column in contract.columns:
            if column.name.lower() not in self._names or self._made[column.name].ok is not None:
                made[f"value {column.name}"] = f"count({quote.ident(column.name)})"
        return made

    def _received(self, rule: RowRule) -> str:
        """A value that stands there but is not of the contract's type is not missing."""
        for number, column in enumerate(self.subject.contract.columns):
            if rule.code == "required" and column.name == rule.column and self._made[column.name].ok is not None:
                return f" AND NOT _hg_unfit{number}"
        return ""

    def _brought(self) -> str:
        """The columns that the contract has, in the engine and in its types."""
        wanted = [name for column in self.subject.contract.columns if (name := self._names.get(column.name.lower()))]
        listed = quote.columns(wanted) if wanted else "1 AS _hg_one"
        taken = self.session.take(f"SELECT {listed} FROM {quote.table(self.subject.ref)}", self.prefix)
        cast = (f"CAST({quote.ident(name)} AS {self._physical(name)}) AS {quote.ident(name)}" for name in wanted)
        return f"SELECT {', '.join(cast) or '*'} FROM {taken}"

    def _physical(self, name: str) -> str:
        """The engine's type of the table's column."""
        return self.session.engine_type(self._types[name])

    def _converted(self, relation: str) -> str:
        """The relation with the contract's columns in their types, and what of them is unfit."""
        parts = []
        for number, column in enumerate(self.subject.contract.columns):
            made = self._made[column.name]
            parts.append(f"{made.value} AS {quote.ident(column.name)}")
            if made.ok is not None:
                parts.append(f"NOT ({made.ok}) AS _hg_unfit{number}")
        if self._at_home:
            parts += [f"src.{quote.ident(name)} AS {raw}" for name, raw in self._raw.items()]
        return f"SELECT {', '.join(parts) or '1 AS _hg_one'} FROM ({relation}) AS src"

    def _conversion(self, column: ContractColumn) -> Conversion:
        """How the table's column becomes the contract's: mostly it is it."""
        name = self._names.get(column.name.lower())
        null = f"CAST(NULL AS {column.type.duckdb})"
        if name is None:
            return Conversion(null, None)
        physical = self._physical(name)
        value = f"src.{quote.ident(name)}"
        if physical == column.type.duckdb and column.type.length is None:
            return Conversion(value, None)
        made = conversion(value, physical, column.type, timezone=self.subject.timezone)
        return made or Conversion(null, f"{value} IS NULL")

    # The verdicts.

    def _column(self, column: ContractColumn) -> Iterator[RuleCount]:
        if column.name.lower() not in self._names:
            said = Said("column", column.name, "error", f"the table has no column {column.name!r}", column.where)
            why = f"it follows its contract with the next load: headgate run {self.subject.ref}"
            yield said.counted(self.rows, self.rows, reason=why)
        elif (broken := self._asked.get(f"type {column.name}")) is not None:
            said = Said("type", column.name, "error", f"expected {column.type}", column.where)
            name, table = self._names[column.name.lower()], quote.table(self.subject.ref)
            query = ""
            if column.type.length is not None and self._stands(column):
                query = f"SELECT * FROM {table} WHERE length({quote.ident(name)}) > {column.type.length}"
            yield self._told(said, broken, self._asked[f"filled {name}"], query=query)

    def _stands(self, column: ContractColumn) -> bool:
        """The table has the contract's column in its own type."""
        name = self._names.get(column.name.lower())
        return name is not None and self._physical(name) == column.type.duckdb

    def _row(self, rule: RowRule, broken: Any) -> RuleCount:
        said = Said(rule.code, rule.column, rule.severity, rule.message, rule.where, rule.mostly)
        whole = rule.column is None or rule.code == "required"
        counted = self.rows if whole else self._filled(str(rule.column))
        return self._told(said, broken, counted, query=self._breaking(rule))

    def _breaking(self, rule: RowRule) -> str:
        """A SELECT of the rows that break the rule; empty where it is not the table's own values that are judged."""
        bounded = [one for one in self.subject.contract.columns if one.type.length is not None]
        unfit = [one for one in bounded if self._asked.get(f"type {one.name}") != 0]
        whole = [one for one in unfit if rule.column is None]
        if whole or not all(map(self._stands, self.subject.contract.columns)):
            return ""
        fits = [
            f" AND length({quote.ident(one.name)}) <= {one.type.length}" for one in unfit if one.name == rule.column
        ]
        bad = f"NOT ({rule.sql}){''.join(fits)}"
        return f"SELECT * FROM {quote.table(self.subject.ref)} WHERE {bad}"

    def _filled(self, column: str) -> int:
        converted = self._asked.get(f"value {column}")
        return int(converted if converted is not None else self._asked[f"filled {self._names[column.lower()]}"])

    def _unique(self, rule: UniqueRule, number: int) -> RuleCount:
        said = Said(rule.code, ", ".join(rule.columns), "error", rule.message, rule.where, rule.mostly)
        if any(name.lower() not in self._names for name in rule.columns):
            return said.failed("the table lacks its columns")
        found = self._repeated(rule)
        if isinstance(found, Trouble):
            return said.failed(found.message)
        broken, repeated, examples = found
        hidden = any(one.pii for one in self.subject.contract.columns if one.name in rule.columns)
        counted = self._current() if self._of_current(rule) else self._asked[f"unique {number}"]
        query = f"{self._groups(rule)} ORDER BY _hg_rows DESC"
        return self._told(said, broken, counted, query=query, repeated=repeated, examples=() if hidden else examples)

    def _repeated(self, rule: UniqueRule) -> tuple[int, int, tuple[Share, ...]] | Trouble:
        """Rows whose value stands more than once, how many such values there are, and the most frequent of them."""
        among = self._late(rule)
        if among == "":
            return 0, 0, ()
        names = [quote.ident(self._names[name.lower()]) for name in rule.columns]
        shown = ", ".join(f"left(CAST({name} AS VARCHAR), {SHOWN})" for name in names)
        totals = "CAST(sum(_hg_rows) OVER () AS BIGINT), count(*) OVER ()"
        select = f"SELECT {totals}, _hg_rows, {shown} FROM ({self._groups(rule, among)}) AS g"
        found = self._store(f"{select} ORDER BY _hg_rows DESC, {', '.join(names)} LIMIT {EXAMPLES}")
        if isinstance(found, Trouble) or not found:
            return found if isinstance(found, Trouble) else (0, 0, ())
        broken, repeated, *_ = found[0]
        examples = (Share(", ".join(map(str, values)), int(rows)) for _, _, rows, *values in found)
        return int(broken), int(repeated), tuple(examples)

    def _late(self, rule: UniqueRule) -> str | None:
        """A table `value` of the values that may stand twice; empty if none does, None: look at all.

        The engine reads a table in the order of its rows, so that a key that grows with them needs no grouping.
        """
        column = next(one for one in self.subject.contract.columns if one.name == rule.columns[0])
        few = self.rows < late.LEAST or len(rule.columns) > 1 or column.type.name not in late.GROWING
        if few or not self._at_home or not self._stands(column):
            return None
        execute, most = self.session.execute, self.rows // late.SHARE
        where = f" WHERE {quote.ident(self.subject.current)}" if self._of_current(rule) else ""
        name = quote.ident(self._names[column.name.lower()])
        values = f"SELECT {name} AS value FROM {quote.table(self.subject.ref)}{where}"
        probe = f"SELECT count(*) FROM ({late.late(f'{values} LIMIT {late.PROBE}')}) AS late"
        if execute(probe)[0][0] > late.PROBE // late.SHARE:
            return None
        made = f"{self.prefix}_late_{len(self._asked)}_{self.subject.uniques.index(rule)}"
        execute(f"CREATE TEMP TABLE {made} AS {late.late(values)} LIMIT {most + 1}")
        ((found, astray),) = execute(f"SELECT count(value), coalesce(bool_or(astray), false) FROM {made}")
        return None if astray or found > most else made if found else ""

    def _of_current(self, rule: UniqueRule) -> bool:
        return bool(self.subject.current) and rule.columns == self.subject.keys

    def _current(self) -> int:
        table, current = quote.table(self.subject.ref), quote.ident(self.subject.current)
        return int(self.session.execute(f"SELECT count(*) FROM {table} WHERE {current}")[0][0])

    def _groups(self, rule: UniqueRule, among: str | None = None) -> str:
        """A SELECT of the values that stand more than once, with `_hg_rows`. `among`: the table of those to look at."""
        names = [self._names[name.lower()] for name in rule.columns]
        known = [f"t.{quote.ident(name)} IS NOT NULL" for name in names]
        if self._of_current(rule):
            known.append(f"t.{quote.ident(self.subject.current)}")
        if among:
            known.append(f"t.{quote.ident(names[0])} IN (SELECT value FROM {among})")
        keys = [self._compared("t", name) for name in names]
        shown = ", ".join(f"{key} AS {quote.ident(name)}" for key, name in zip(keys, names, strict=True))
        rows = f"FROM {quote.table(self.subject.ref)} AS t WHERE {' AND '.join(known)}"
        return f"SELECT {shown}, count(*) AS _hg_rows {rows} GROUP BY {', '.join(keys)} HAVING count(*) > 1"

    def _compared(self, alias: str, name: str) -> str:
        """A column as values are compared: those of json by their text."""
        value = f"{alias}.{quote.ident(name)}"
        return f"CAST({value} AS VARCHAR)" if self._types[name].lower() == "json" else value

    def _reference(self, rule: ReferenceRule) -> RuleCount:
        said = Said(rule.code, rule.column, rule.severity, rule.message, rule.where, rule.mostly)
        names = [self._names[name.lower()] for name in rule.columns if name.lower() in self._names]
        if len(names) < len(rule.columns):
            return said.failed("the table lacks its column" + "s" * (len(rule.columns) > 1))
        known = " AND ".join(f"s.{quote.ident(name)} IS NOT NULL" for name in names)
        dangling = f"FROM {quote.table(self.subject.ref)} AS s WHERE {known}"
        there = self._there(rule, names)
        if there:
            dangling += f" AND NOT {there}"
            # What is there is found faster than what is not.
            matched = self._store(f"SELECT count(*) FROM {quote.table(self.subject.ref)} AS s WHERE {there}")
        else:
            matched = [(0,)]
        filled = self._filled_all(names)
        if isinstance(matched, Trouble):
            return said.failed(matched.message)
        if isinstance(filled, Trouble):
            return said.failed(filled.message)
        return self._told(said, filled - matched[0][0], filled, query=f"SELECT s.* {dangling}")

    def _there(self, rule: ReferenceRule, names: list[str]) -> str:
        """A condition: the referenced table has the values of the row `s`; empty where it lacks one of the columns."""
        to = TableRef.parse(rule.to_table)
        known = {one.lower(): (one, kind) for one, kind in self.session.columns(to) or ()}
        if any(one.lower() not in known for one in rule.to_columns):
            return ""
        same = []
        for name, (other, kind) in zip(names, (known[one.lower()] for one in rule.to_columns), strict=True):
            held = f"r.{quote.ident(other)}"
            held = f"CAST({held} AS VARCHAR)" if kind.lower() == "json" else held
            same.append(f"{held} = {self._compared('s', name)}")
        return f"EXISTS (SELECT 1 FROM {quote.table(to)} AS r WHERE {' AND '.join(same)})"

    def _filled_all(self, names: list[str]) -> int | Trouble:
        """How many rows have a value in all of these columns."""
        if len(names) == 1:
            return int(self._asked[f"filled {names[0]}"])
        known = " AND ".join(f"{quote.ident(name)} IS NOT NULL" for name in names)
        found = self._store(f"SELECT count(*) FROM {quote.table(self.subject.ref)} WHERE {known}")
        return found if isinstance(found, Trouble) else int(found[0][0])

    def _present(self, column: str, name: str) -> RuleCount:
        """Versions that do not say what the current one of their identity says."""
        said = Said("current", name, "error", f"must be {column} of the current version")
        if not {one.lower() for one in (column, name, *self.subject.keys)} <= set(self._names):
            return said.failed("the table lacks its columns")
        table, keys = quote.table(self.subject.ref), (*self.subject.keys, column)
        now = f"SELECT {quote.columns(keys)} FROM {table} WHERE {quote.ident(self.subject.current)}"
        same = " AND ".join(f"{self._compared('n', key)} = {self._compared('s', key)}" for key in self.subject.keys)
        other = f"{self._compared('s', name)} IS DISTINCT FROM {self._compared('n', column)}"
        wrong = f"FROM {table} AS s LEFT JOIN ({now}) AS n ON {same} WHERE {other}"
        found = self._store(f"SELECT count(*) {wrong}")
        if isinstance(found, Trouble):
            return said.failed(found.message)
        return self._told(said, found[0][0], self.rows, query=f"SELECT s.* {wrong}")

    def _store(self, select: str) -> list[tuple[Any, ...]] | Trouble:
        """The rows of the SELECT, or why the store has none."""
        try:
            return self.session.execute(select)
        except Exception as error:
            trouble = self.session.trouble(error)
            if trouble is None or trouble.kind not in ("text", "value"):
                raise
            return trouble

    def _total(self, rule: BatchRule, found: Any) -> RuleCount:
        said = Said(rule.name, rule.column, rule.severity, rule.message, rule.where)
        if isinstance(found, Trouble):
            return said.failed(found.message)
        value = "NULL" if found is None else str(found)
        if rule.of_last is not None or not (self.subject.whole or rule.kind == "freshness"):
            return said.skipped("it judges a load, not the table", value=value)
        number = found if found is None or isinstance(found, float) else Decimal(found)
        return said.counted(int(not rule.holds(number)), 1, value=value)

    def _unjudged(self) -> Iterator[RuleCount]:
        """What only a load can judge: functions and models of the user's."""
        why = "it judges records while they are loaded"
        model = self.subject.contract.model
        if model is not None:
            yield Said("model", None, "error", f"must be valid for {model.reference}", model.where).skipped(why)
        for rule in self.subject.contract.calls:
            yield Said(rule.code, None, rule.severity, rule.message, rule.where).skipped(why)

    def _told(self, said: Said, broken: Any, counted: int, query: str, **more: Any) -> RuleCount:
        """`query` is told where rows are broken and the store takes it: rules are written in the engine's words."""
        if isinstance(broken, Trouble):
            return said.failed(broken.message)
        shown = query if broken and query and self.session.syntax(query) is None else ""
        return said.counted(int(broken), int(counted), query=shown, **more)

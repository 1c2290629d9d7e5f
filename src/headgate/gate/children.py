"""The judgement of lines: a record whose line breaks a rule of its table is refused, whole and once.

Every child table has its own scan and its own verdict, over lines instead of records; what they find is a reason of the
record. Nothing here decides a fate: a line has that of its record.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import field, replace

from headgate.books.work import LineCounts
from headgate.contracts.children import ITSELF, Kin, family
from headgate.contracts.model import Child, Contract
from headgate.core.errors import ContractError, Finding, nearest
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Batch
from headgate.gate import lines as taking
from headgate.gate import sets
from headgate.gate.bits import EXTRA_RULE, MALFORMED_RULE, Bits, Reason, bits_of
from headgate.gate.childtable import (
    ChildTable,
    by_part,
    documents_of,
    keys_of_first,
    lost_lines,
    never_fits,
    reasons,
    repeated,
)
from headgate.gate.lines import DOC, EXTRA, ODD, PART, TWICE, Lists, Taken, Wanted, inner, place
from headgate.gate.scan import Scan, Span, convert_columns, list_source, next_id
from headgate.gate.told import Told
from headgate.gate.verdict import DEDUPLICATED, QUARANTINED, SKIPPED, Verdict
from headgate.sql import quote
from headgate.types.jsonvalue import PHYSICAL as JSON_VALUE
from headgate.types.logical import LogicalType
from headgate.types.nested import Fed

NAMED = 5
"""So many lines are named in a reason."""


@dataclass(frozen=True)
class How:
    """What an ingest file says of keys that no contract names, and of columns that a batch lacks."""

    timezone: str
    extra: str
    lenient: bool
    former: bool


@dataclass
class Children:
    """All child tables of one commit. `documents`: the scan of the records; `bit`: the reason in their masks."""

    session: StoreSession
    documents: Scan
    contract: Contract
    bit: int
    how: How
    judged: list[ChildTable] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judged = [self._table(kin) for kin in family(self.contract)]

    def _table(self, kin: Kin) -> ChildTable:
        contract = kin.child.contract
        bits, own = self._bits(contract)
        scan = Scan(
            self.session.engine, contract, bits, f"{self.documents.prefix}_c{kin.number}",
            self.how.timezone, self.how.former, self.how.lenient, holds=self.session.holds,
        )  # fmt: skip
        columns = tuple(column.source for column in contract.columns)
        lists = tuple(child.source for child in contract.children)
        return ChildTable(kin, Wanted(len(kin.places) - 1, columns, lists), scan, Verdict(scan), own)

    def _bits(self, contract: Contract) -> tuple[Bits, dict[str, int]]:
        """The bits of the line's rules, and behind them those of its shape."""

        def unkept(kind: LogicalType) -> str | None:
            held = self.session.holds("NULL", kind.duckdb)
            return held[1] if held else None

        bits = bits_of(replace(contract, children=()), unkept=unkept)
        shape = (
            Reason("type", None, "expected an object"),
            Reason(MALFORMED_RULE, None, "expected every key once, found one twice"),
            Reason(EXTRA_RULE, None, "the contract has no such key"),
        )
        first = len(bits.reasons)
        own = {flag: first + number for number, flag in enumerate((ODD, TWICE, EXTRA))}
        return replace(bits, reasons=(*bits.reasons, *shape)), own

    # -- taking apart ------------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Takes apart the lists of every record that was added. Raises ContractError."""
        for table in self.judged:
            for number, (lists, where) in enumerate(self._lists(table)):
                self._keep(table, number, lists, where)

    def _lists(self, table: ChildTable) -> list[tuple[Lists, str]]:
        """The lists of all records or lines, each with a place for messages."""
        child = table.kin.child
        if table.kin.above is not None:
            above = self.judged[table.kin.above]
            number = above.kin.child.contract.children.index(child)
            head = f"SELECT {DOC}, {PART}{table.wanted.outer}"
            return [
                (_as_lists(child, head, Fed(inner(number), taken.kinds[number], ""), name, ""), "")
                for name, taken in above.tables
            ]
        number = self.contract.children.index(child)
        found = []
        if any(not span.batch.rescan for span in self.documents.spans):
            stage = f"{self.documents.prefix}_stage"
            found.append(
                (Lists(f"SELECT CAST(rowid AS BIGINT) AS {DOC}, {PART}, {inner(number)} AS l FROM {stage}"), "")
            )
        return found + [self._of_span(span, child) for span in self.documents.spans if span.batch.rescan]

    def _of_span(self, span: Span, child: Child) -> tuple[Lists, str]:
        fed = list_source(self.documents, span.batch, child)
        number = f"CAST(_hg_row - {span.first_record} + {span.first_id} AS BIGINT)"
        head = f"SELECT {number} AS {DOC}, CAST({span.part} AS INTEGER) AS {PART}"
        where = span.batch.location or span.batch.partition
        return _as_lists(child, head, fed, f"({span.batch.relation}) AS src", where, self.how.former), where

    def _keep(self, table: ChildTable, number: int, lists: Lists, where: str) -> None:
        """Makes the table of the lines, converted, and proves that none is lacking."""
        child, scan, temp = table.kin.child, table.scan, table.scan.temp
        if table.wanted.paths and not taking.is_object(lists.physical):
            raise never_fits(child, "a list of objects", lists.physical, where)
        taken = taking.taken_apart(temp, f"t{number}", lists, table.wanted, self.how.extra != "ignore")
        batch = Batch("", taken.select, taken.columns, 0, {}, {}, True, lambda rows: "", location=where)
        values, failing = convert_columns(scan, batch)
        failing += [(bit, f"src.{flag}") for flag, bit in table.own.items() if self._counts(flag)]
        masks = [f"{word} AS _hg_m{at}" for at, word in enumerate(scan.bits.mask(failing))]
        places = [place(level) for level in range(table.wanted.level + 1)]
        carried = [EXTRA, *(inner(one) for one in range(len(table.wanted.inner)))]
        converted = f"SELECT {', '.join([DOC, PART, *places, *carried, *values, *masks])} FROM"
        name = temp.keep(f"lines{number}", f"{converted} ({taken.select}) AS src")
        rows = self._prove(table, name, lists, lambda rest: f"{converted} ({rest}) AS src", taken)
        if self.how.extra == "error":
            self._refuse_unknown(table, name, lists, where)
        first = next_id(scan)
        names = ", ".join(quote.ident(column.name) for column in child.contract.columns)
        select = f"""SELECT CAST(rowid + {first} AS BIGINT) AS _hg_id, {DOC}, {PART}, {", ".join(places)}, {names},
                     {", ".join(scan.bits.mask_columns())} FROM {name}"""
        scan.spans.append(Span(0, batch, first, rows, 1, False, select))
        table.tables.append((name, taken))

    def _counts(self, flag: str) -> bool:
        return flag != EXTRA or self.how.extra == "quarantine"

    def _prove(self, table: ChildTable, name: str, lists: Lists, converted: Callable[[str], str], taken: Taken) -> int:
        """As many lines were taken as the lists have, those that had to be taken otherwise included; how many.

        Lists that are none are noted.
        """
        session, size = table.scan.session, taking.measured(lists)
        sizes = f"SELECT {PART}, {size} AS n FROM ({lists.select}) AS s"
        found = session.execute(f"SELECT {PART}, CAST(sum(n) AS BIGINT) FROM ({sizes}) AS s GROUP BY 1")
        read = {part: int(rows) for part, rows in found if rows}
        if read != by_part(session, name) and taken.rest is not None:
            session.execute(f"INSERT INTO {name} {converted(taken.rest())}")
        have = by_part(session, name)
        for part in {*read, *have}:
            if have.get(part, 0) != read.get(part, 0):
                raise lost_lines(table.kin.child, read.get(part, 0), have.get(part, 0))
            table.read[part] = table.read.get(part, 0) + read[part]
        if lists.physical == JSON_VALUE:
            outer = [f"CAST({place(level)} AS VARCHAR)" for level in range(table.wanted.level)]
            path = " || '.' || ".join(outer) or "CAST(NULL AS VARCHAR)"
            none = f"SELECT {DOC}, {PART}, {path} AS path, 0 AS nth FROM ({lists.select}) AS s WHERE NOT prefix(l, '[')"
            kept = table.scan.temp.keep(f"none{len(table.not_lists)}", none)
            table.not_lists.append(f"SELECT * FROM {kept}")
        return sum(have.values())

    def _refuse_unknown(self, table: ChildTable, name: str, lists: Lists, where: str) -> None:
        """Stops the load at a key of a line that the contract does not name."""
        child, known = table.kin.child, {path.split(".")[0] for path in table.wanted.paths}
        if not table.scan.session.execute(f"SELECT 1 FROM {name} WHERE {EXTRA} LIMIT 1"):
            return
        unknown = next(iter(keys_of_first(table, name, lists) - known), "")
        names = [column.source for column in child.contract.columns]
        raise ContractError(
            Finding(
                "unknown-column",
                "error",
                f"key {unknown!r} of a line is not in the contract of {child.table}{nearest(unknown, names)}",
                where or str(child.where or child.table),
                "add it to the child's columns, or let unknown keys pass: extra: ignore",
            )
        )

    # -- judging -----------------------------------------------------------------------------------------------------

    def judge(self, documents: Verdict) -> None:
        """Row rules of lines, and keys within a list; then what they mean for the records."""
        for table in self.judged:
            table.verdict.start()
            for rule, bit in table.scan.bits.unique_bits:
                table.verdict.add(repeated(table, rule.columns), QUARANTINED, bit)
        for table in self.judged:
            for none in table.not_lists:
                documents.add(f"SELECT {DOC} AS _hg_id, {PART} FROM ({none}) AS n", QUARANTINED, self.bit)
            if table.verdict.rows:
                documents.add(documents_of(table), QUARANTINED, self.bit)

    def move(self) -> None:
        """Goes to the store with what its references ask for."""
        for table in self._referring:
            names = dict.fromkeys(name for rule, _ in table.scan.bits.reference_bits for name in rule.columns)
            table.verdict.move(self.session, tuple(names), [DOC])

    @property
    def _referring(self) -> list[ChildTable]:
        return [table for table in self.judged if table.scan.bits.reference_bits]

    def judge_references(self, documents: Verdict) -> None:
        """Values of lines that other tables must hold."""
        for table in self._referring:
            for rule, bit in table.scan.bits.reference_bits:
                sets.judge_reference(table.verdict, rule, bit)
            if table.verdict.rows:
                documents.add(documents_of(table), QUARANTINED, self.bit)

    def come_back(self) -> None:
        for table in self._referring:
            table.verdict.come_back(self.session)

    # -- what is told ------------------------------------------------------------------------------------------------

    def tell(self, told: Told, documents: Verdict) -> None:
        """Writes down the reasons of every refused record: which line, which column, what is expected."""
        refused = f"SELECT _hg_id FROM {documents.table} WHERE fate = {QUARANTINED}"
        for table in self.judged:
            first = table.kin.number * 10_000
            for none in table.not_lists:
                reason = Reason("type", table.kin.child.table, "expected a list")
                self._tell(told, f"{none} WHERE {DOC} IN ({refused})", reason, first)
            if not table.verdict.rows:
                continue
            broken = f"{table.verdict.table} AS v JOIN ({table.lines}) AS l ON l._hg_id = v._hg_id"
            for bit, reason, condition in reasons(table):
                found = f"""SELECT l.{DOC}, l.{PART}, {table.path} AS path, l._hg_id AS nth
                            FROM {broken} WHERE ({condition}) AND l.{DOC} IN ({refused})"""
                self._tell(told, found, reason, first + bit + 1)

    def _tell(self, told: Told, found: str, reason: Reason, order: int) -> None:
        """One reason of every record among those found (`_hg_doc, _hg_part, path, nth`), with its first lines."""
        head = json.dumps({"rule": reason.rule, "column": reason.column}, ensure_ascii=False)[:-1] + ', "message": "'
        tail = quote.literal(json.dumps(reason.message, ensure_ascii=False)[1:] + "}")
        listed = f"array_to_string(arg_min(path, nth, {NAMED}), ', ')"
        named = f"""CASE WHEN count(path) = 0 THEN '' WHEN count(path) = 1 THEN 'line ' || min(path) || ': '
                    WHEN count(path) <= {NAMED} THEN 'lines ' || {listed} || ': '
                    ELSE 'lines ' || {listed} || ' and ' || (count(path) - {NAMED}) || ' more: ' END"""
        told.take(
            f"""SELECT {DOC} AS _hg_id, {PART} AS _hg_part, CAST({self.bit} AS INTEGER) AS bit,
                    CAST({order} AS INTEGER) AS place, {quote.literal(reason.rule)} AS rule,
                    {quote.literal(reason.column or "")} AS col, {quote.literal(head)} || {named} || {tail} AS said
                FROM ({found}) AS n GROUP BY {DOC}, {PART}"""
        )

    # -- what is written ---------------------------------------------------------------------------------------------

    def accepted(self, table: str, documents: Verdict) -> str:
        """SELECT of `_hg_part` and the columns of the child's table: the lines of the records that pass."""
        one = self._named(table)
        keys = [f"p.{quote.ident(key)} AS {quote.ident(name)}" for key, name in one.kin.key]
        places = [f"l.{place(level)} AS {quote.ident(name)}" for level, name in enumerate(one.kin.places)]
        own = [f"l.{quote.ident(column.name)}" for column in one.kin.child.contract.columns]
        records = quote.columns([key for key, _ in one.kin.key])
        return f"""SELECT l.{PART}, {", ".join([*keys, *places, *own])} FROM ({one.lines}) AS l
                   JOIN (SELECT _hg_id, {records} FROM ({documents.passing()}) AS d) AS p ON p._hg_id = l.{DOC}"""

    def counts(self, table: str, documents: Verdict) -> dict[int, LineCounts]:
        """By part, what became of the lines: read as the lists say, the rest as their records are judged."""
        one = self._named(table)
        found = {part: LineCounts(read=rows) for part, rows in one.read.items()}
        rows = self.documents.session.execute(
            f"""SELECT l.{PART}, v.fate, count(*) FROM ({one.lines}) AS l
                JOIN {documents.table} AS v ON v._hg_id = l.{DOC} GROUP BY 1, 2"""
        )
        words = {QUARANTINED: "quarantined", DEDUPLICATED: "deduplicated", SKIPPED: "skipped"}
        for part, fate, count in rows:
            found[part] = replace(found[part], **{words[fate]: count})
        return found

    def warnings(self, documents: Verdict) -> dict[int, dict[str, int]]:
        """By part, how many lines of records that pass break each rule that only warns."""
        found: dict[int, dict[str, int]] = {}
        for table in self.judged:
            for rule in (one for one in table.kin.child.contract.rows if one.severity == "warn"):
                name = f"{table.kin.child.table}.{rule.column}.{rule.code}" if rule.column else rule.code
                rows = self.documents.session.execute(
                    f"""SELECT l.{PART}, count(*) FROM ({table.lines}) AS l WHERE NOT coalesce(({rule.sql}), true)
                        AND NOT EXISTS (SELECT 1 FROM {documents.table} AS v WHERE v._hg_id = l.{DOC}) GROUP BY 1"""
                )
                for part, count in rows:
                    of_part = found.setdefault(part, {})
                    of_part[name] = of_part.get(name, 0) + count
        return found

    def _named(self, table: str) -> ChildTable:
        return next(one for one in self.judged if one.kin.child.table == table)

    def drop(self) -> None:
        """Removes every temporary table."""
        for table in self.judged:
            table.verdict.drop()


def fits_children(scan: Scan, batch: Batch, contract: Contract) -> None:
    """Raises ContractError `missing-column`, `type-never-fits` where lists of the batch's types can have no lines."""
    for child in contract.children:
        fed = list_source(scan, batch, child)
        lists = _as_lists(child, "SELECT", fed, "src", batch.location or batch.partition)
        if any(column.source != ITSELF for column in child.contract.columns) and not taking.is_object(lists.physical):
            raise never_fits(child, "a list of objects", lists.physical, batch.location or batch.partition)


def _as_lists(child: Child, head: str, fed: Fed, relation: str, where: str, doubtful: bool = False) -> Lists:
    """The lists of a relation. Raises ContractError `type-never-fits`."""
    lists = taking.as_lists(lambda text: f"{head}, {text} AS l FROM {relation}", fed, doubtful)
    if lists is None:
        raise never_fits(child, "a list", fed.physical, where)
    return lists

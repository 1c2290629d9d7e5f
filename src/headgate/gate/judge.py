"""The judgement of one commit: from batches to fates, accepted rows and refused records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from headgate.books import ledger
from headgate.books.history import HASH_COLUMN, Closing, History, Vanishing
from headgate.books.ledger import Counts, add_details
from headgate.books.previous import Former
from headgate.books.quarantine import Refused
from headgate.books.work import IDENTIFIED, LOAD_COLUMN, Delivered, Disposition, LineCounts
from headgate.contracts.model import Contract, ReferenceRule
from headgate.core.errors import Finding
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import Batch, TableRef
from headgate.gate import calls, loads, sets, versions
from headgate.gate import scan as scanning
from headgate.gate.bits import MALFORMED_RULE, Bits, bits_of
from headgate.gate.children import Children, How
from headgate.gate.former import Previous, judge_former
from headgate.gate.history import INSERT, Effects, Identity, delivered, hashed, judge_history, load_time, said
from headgate.gate.horizon import Horizon, Nearness
from headgate.gate.modelled import Modelled
from headgate.gate.nulling import Nulled
from headgate.gate.refused import RefusedRecords
from headgate.gate.scan import Scan
from headgate.gate.told import Told
from headgate.gate.verdict import DEDUPLICATED, QUARANTINED, SKIPPED, Verdict
from headgate.sql import quote
from headgate.types.logical import LogicalType


@dataclass(frozen=True)
class Rules:
    """What a load is judged by."""

    table: TableRef
    contract: Contract
    disposition: Disposition
    keys: tuple[str, ...] = ()
    order_by: str | None = None
    once: bool = False
    """An identity comes once in a load: all its records are refused where it comes more often."""
    history: History | None = None
    """Under scd2, how the table keeps versions."""
    timezone: str = "UTC"
    records: str = ""
    """For a replay, where the claimed records are in the engine: `id, record, line, reasons, raw, "row", shape,
    origin`."""
    extra: bool = False
    """Columns of the source that the contract does not name are let pass (and not loaded)."""
    kind: str = ""
    """The kind of source: a model judges records of text otherwise than typed ones."""
    lenient: bool = False
    """Columns that a batch lacks are NULL, unless they are required."""
    unknown: tuple[str, ...] = ()
    """Columns of the source that the contract does not name: a record that has a value there is refused."""
    refuses_extra: bool = False
    """A line with a key that the contract does not name is refused."""
    gone: tuple[str, str] | None = None
    """Under upsert, a column of the table beside the contract's, and the condition on a record that it says."""
    horizon: Horizon | None = None
    """Under insert, how far apart two rows of one identity are."""
    previous: Previous = ()
    """Under upsert, columns whose former value a column of the table beside the contract's keeps."""
    optional: tuple[str, ...] = ()
    """Columns that are NULL where a batch lacks them, and nobody is told: another batch brought them."""

    @property
    def near(self) -> Nearness | None:
        if self.horizon is None:
            return None
        types = {column.name: column.type.duckdb for column in self.contract.columns}
        return Nearness(self.horizon, types[self.horizon.by])

    @property
    def replay(self) -> bool:
        return bool(self.records)

    @property
    def refuses_overtaken(self) -> bool:
        """A replayed record may come too late: where nothing orders it, what a later load wrote stays."""
        unordered = self.disposition in ("upsert", "scd2") and self.order_by is None
        return self.replay and (unordered or self.replaced_whole)

    @property
    def replaced_whole(self) -> bool:
        """A later load may have said all that there is to say of a record's partition, or of its identity."""
        return self.disposition == "partition" or (self.history is not None and self.history.closes)


@dataclass
class Gate:
    """Judges the batches of one commit. `add` each batch, then `decide`, then hand it to the commit; `close` always.

    `target`: the relation of the table's rows that stay (None: all are replaced).
    """

    session: StoreSession
    rules: Rules
    target: str | None
    prefix: str
    masks: dict[tuple[int, ...], str] = field(default_factory=dict)
    skipped: dict[int, Counts] = field(default_factory=dict)
    stop: Finding | None = None
    """Why a rule about the load stops it, once it is judged."""
    snapshot: str = ""
    """The partition that the load delivers whole, where versions end that a snapshot does not deliver."""
    _delivered: Delivered | None = None
    _effects: Effects | None = None
    _vanishing: Vanishing | None = None
    _former: Former | None = None
    _versions: str = ""
    _nulled: Nulled | None = None

    def __post_init__(self) -> None:
        rules = self.rules
        self.bits: Bits = bits_of(
            rules.contract, rules.order_by, rules.keys, rules.refuses_overtaken, rules.once, self._unkept, rules.unknown
        )
        self.engine = self.session.engine
        self.scan = Scan(
            self.engine, _as_judged(rules.contract), self.bits, self.prefix, rules.timezone, rules.replay,
            rules.lenient, holds=self.session.holds,
        )  # fmt: skip
        self.scan.optional = rules.optional
        self.scan.deleted_if = rules.history.deleted_if if rules.history else rules.gone[1] if rules.gone else ""
        self.scan.lists = rules.contract.children
        self.verdict = Verdict(self.scan)
        self.told = Told(self.scan.temp)
        self.modelled: Modelled | None = None
        self.children: Children | None = None
        if self.bits.child_bit is not None:
            extra = "quarantine" if rules.refuses_extra else "ignore" if rules.extra else "error"
            how = How(rules.timezone, extra, rules.lenient, rules.replay)
            self.children = Children(self.session, self.scan, rules.contract, self.bits.child_bit, how)

    def _unkept(self, kind: LogicalType) -> str | None:
        held = self.session.holds("NULL", kind.duckdb)
        return held[1] if held else None

    def add(self, part: int, batch: Batch) -> Batch:
        """Takes the batch in; returns the one really used."""
        if self.rules.contract.model is not None:
            return self._modelled(part, batch)
        if not self.rules.extra:
            scanning.refuse_unknown(self.rules.contract, batch, former=self.rules.replay)
        used = scanning.add(self.scan, part, batch)
        if used is not batch and not self.rules.extra:  # the careful way may have met more columns
            scanning.refuse_unknown(self.rules.contract, used, former=self.rules.replay)
        return used

    def _modelled(self, part: int, batch: Batch) -> Batch:
        rules = self.rules
        if self.modelled is None:
            self.modelled = Modelled(self.scan, self.told, rules.contract, rules.kind, rules.extra)
        read, judged = self.modelled.judged(part, batch, scanning.first_id(self.scan, batch))
        scanning.in_place(self.scan, part, read, judged)
        return read

    def skip(self, part: int, batch: Batch, rule: str) -> None:
        """Counts every record of the batch as skipped by the declared rule, unread."""
        details = {"skips": {rule: batch.records}} if batch.records else {}
        self.skipped[part] = Counts(read=batch.records, skipped=batch.records, details=details)

    def decide(self) -> None:
        """Row rules and functions, before the transaction: no table has a say in them. Keys move to the store."""
        self.verdict.start()
        if calls.judge(self.verdict, self.told):
            for _, bit in self.bits.call_bits:
                self.verdict.add(self.told.hits(bit), QUARANTINED, bit)
        if self.children:
            self.children.take()
            self.children.judge(self.verdict)
        exchanges = self.rules.disposition == "partition" and not self.rules.replay and self.target is not None
        made = self._partitions() if exchanges else ""
        if self._set_columns:
            self.verdict.move(self.session, self._set_columns, self._digest())
            if self.children:
                self.children.move()
        if made:
            texts = self.engine.execute(f"SELECT {sets.key_text(self.rules.contract, self.rules.keys)} FROM {made}")
            select = f"SELECT 0 AS _hg_part, * FROM {made}"
            if self.verdict.abroad is not None:
                select = f"SELECT * FROM {self.session.bring(select, self.verdict.abroad.name('partitions'))}"
            self._delivered = Delivered(select, tuple(row[0] for row in texts))

    def _digest(self) -> list[str]:
        rules = self.rules
        if rules.history is None:
            return []
        return [f"{said(rules.contract, rules.history, rules.keys, rules.order_by)} AS {HASH_COLUMN}"]

    def _partitions(self) -> str:
        """A table of the partitions that the load delivers, by however bad a record."""
        keys = self.rules.keys
        known = " AND ".join(f"{quote.ident(key)} IS NOT NULL" for key in keys)
        judged = f"SELECT DISTINCT {quote.columns(keys)} FROM ({self.verdict.judged()}) AS judged WHERE {known}"
        return self.scan.temp.keep("delivered", judged)

    def delivered(self) -> Delivered | None:
        return self._delivered

    @property
    def _set_columns(self) -> list[str]:
        """The columns that set rules look at, those that only warn included."""
        rules, contract = self.rules, self.rules.contract
        names = [*rules.keys, *([rules.order_by] if rules.order_by else [])]
        names += [name for unique in contract.uniques for name in unique.columns]
        names += [name for reference in contract.references for name in reference.columns]
        names += [*(column for column, _ in rules.previous), *([rules.horizon.by] if rules.horizon else [])]
        own = [name for one in contract.references if one.to_table == str(rules.table) for name in one.to_columns]
        return list(dict.fromkeys([*names, *own]))

    def judge(self, session: StoreSession) -> Mapping[int, Counts]:
        """Set rules, inside the transaction; then the fates per part."""
        assert session is self.session
        rules, bits, verdict, target = self.rules, self.bits, self.verdict, self.target
        # Asked in here, where no other runner can add the first row any more.
        if target and not session.execute(f"SELECT 1 FROM ({target}) AS t LIMIT 1"):
            target = None
        target = self._comparable(target) if target else None
        if target and self._delivered:
            target = sets.without(target, self._delivered.select, rules.keys)
        others = [(rule, bit) for rule, bit in bits.reference_bits if rule.to_table != str(rules.table)]
        own = [(rule, bit) for rule, bit in bits.reference_bits if rule.to_table == str(rules.table)]
        for reference, bit in others:
            sets.judge_reference(verdict, reference, bit)
        self._nulled = Nulled(verdict)
        self._nulled.find([one for one in rules.contract.references if one.nulls])
        if self.children:
            self.children.judge_references(verdict)
        if bits.replay_bit is not None and rules.replaced_whole:
            sets.judge_overtaken(verdict, rules.table, bits.replay_bit)
        if rules.history is not None:
            self._judge_history(rules.history, target)
        elif rules.disposition in IDENTIFIED:
            first = rules.disposition == "insert"
            identity = versions.Identity(rules.keys, rules.order_by, rules.replay or first, first, rules.near)
            if bits.replay_bit is not None:
                versions.judge_replay_keys(verdict, identity, target, bits.replay_bit)
            if bits.duplicate_bit is not None:
                versions.judge_repeated(verdict, identity, bits.duplicate_bit)
            versions.judge_upsert(verdict, identity, bits.unique_bits, own, target)
            if rules.previous:
                self._former = judge_former(verdict, identity, rules.previous, target)
        else:
            sets.judge_append(verdict, bits.unique_bits, own, target)
        dangling = self._dangling()
        history = ledger.load_sizes(session, rules.table) if rules.contract.batches else []
        verdict.come_back(session)
        self._nulled.come_back(session)
        if self.children:
            self.children.come_back()
            self.children.tell(self.told, verdict)
        self._versions = self._bring_versions()
        counts = self._fates({f"{one.column}.{one.code}": parts for one, parts in dangling.items()})
        if not rules.replay and (rules.contract.batches or rules.contract.thresholds):
            sums = {one: sum(parts.values()) for one, parts in dangling.items()}
            said = loads.opinion(verdict, rules.table, history, sums, self._nulled.shares)
            self.stop = said.stop
            at = min(counts, default=0)
            counts[at] = counts.get(at, Counts()) + Counts(details=said.details)
        return counts

    def _judge_history(self, history: History, target: str | None) -> None:
        rules, verdict = self.rules, self.verdict
        if self.bits.replay_bit is not None and not history.closes:
            versions.judge_replay_keys(verdict, versions.Identity(rules.keys, None, True), target, self.bits.replay_bit)
        since = quote.ident(rules.order_by) if rules.order_by else load_time(verdict, history, target)
        since = f"CAST({since} AS DATE)" if history.dates else since
        digest = HASH_COLUMN
        if verdict.abroad is None:
            digest = said(rules.contract, history, rules.keys, rules.order_by)
        self._effects = judge_history(verdict, history, Identity(rules.keys, since, digest, rules.replay), target)
        if self.snapshot:
            self._judge_snapshot(history, self._effects, f"SELECT {since} AS till" if not rules.order_by else "")

    def _judge_snapshot(self, history: History, effects: Effects, now: str) -> None:
        """What the load ends by not delivering it; nothing where it can't tell, which its entry then says."""
        seats = ledger.seats(self.session, str(self.rules.table))
        if any(name > self.snapshot for name in seats):
            effects.counts.setdefault(0, {})["late"] = 1
            return
        malformed = sum(span.batch.malformed for span in self.scan.spans)
        identities, unknown = delivered(self.verdict, self.rules.keys, malformed)
        if unknown:
            effects.counts.setdefault(0, {})["unknown"] = unknown
        else:
            self._vanishing = Vanishing(identities, now or effects.latest, history)

    def vanishing(self) -> Vanishing | None:
        return self._vanishing

    def former(self) -> Former | None:
        return self._former

    def closing(self) -> Closing | None:
        return self._effects.closing if self._effects else None

    def _comparable(self, target: str) -> str:
        """The target's columns that set rules look at, as they are compared with the records."""
        if self.verdict.abroad is None:
            return target
        likes = [*((name, name) for name in self._set_columns), *((name, like) for like, name in self.rules.previous)]
        names = [f"{self.verdict.comparable('t', name, like)} AS {quote.ident(name)}" for name, like in likes]
        kept = [LOAD_COLUMN, *([*self.rules.history.names, HASH_COLUMN] if self.rules.history else [])]
        return f"SELECT {', '.join([*names, *(f't.{quote.ident(name)}' for name in kept)])} FROM ({target}) AS t"

    def _dangling(self) -> dict[ReferenceRule, dict[int, int]]:
        """Accepted rows that break a reference that only warns, by part."""
        warning = [one for one in self.rules.contract.references if one.severity == "warn"]
        own = str(self.rules.table) if self.target is None else ""
        return {one: sets.count_dangling(self.verdict, one, one.to_table == own) for one in warning}

    def _fates(self, dangling: Mapping[str, Mapping[int, int]]) -> dict[int, Counts]:
        counts: dict[int, Counts] = dict(self.skipped)
        for span in self.scan.spans:
            counts[span.part] = counts.get(span.part, Counts()) + _malformed(span.batch)
        words = ", ".join(self.verdict.words)
        found = self.engine.execute(
            f"SELECT _hg_part, fate, why, {words}, count(*) FROM {self.verdict.table} GROUP BY ALL"
        )
        for part, fate, why, *mask, rows in found:
            counts[part] += self._count(fate, why, tuple(mask), rows)
        for bit in (self.bits.model_bit, self.bits.child_bit):
            for part, details in self.told.counts(bit).items() if self.told.table and bit is not None else ():
                counts[part] += Counts(details={"reasons": details})
        for part, details in self.children.warnings(self.verdict).items() if self.children else ():
            counts[part] += Counts(details={"warnings": details})
        for part, details in self._warnings().items():
            counts[part] += Counts(details={"warnings": details})
        for part, details in self.told.warnings(self.verdict.table).items() if self.told.table else ():
            counts[part] += Counts(details={"warnings": details})
        for name, parts in dangling.items():
            for part, rows in parts.items():
                counts[part] += Counts(details={"warnings": {name: rows}})
        for one, parts in self._nulled.counts().items() if self._nulled else ():
            for part, rows in parts.items():
                counts[part] += Counts(details={"nulled": {f"{one.column}.{one.code}": rows}})
        for part, kinds in (self._effects.counts if self._effects else {}).items():
            counts[part] += Counts(details={"history": kinds})
        for part, rows in self._gone().items():
            counts[part] += Counts(details={"deleted": rows})
        return counts

    def _gone(self) -> dict[int, int]:
        """By part, accepted rows that say that their identity is gone."""
        if self.rules.gone is None:
            return {}
        told = f"SELECT _hg_part, count(*) FROM ({self.accepted()}) AS a WHERE a.{quote.ident(self.rules.gone[0])}"
        return {row[0]: row[1] for row in self.engine.execute(f"{told} GROUP BY 1")}

    def _count(self, fate: int, why: int, mask: tuple[int, ...], rows: int) -> Counts:
        if fate == SKIPPED:
            return Counts(skipped=rows, details={"skips": {self.rules.contract.skips[why - 1][0]: rows}})
        if fate == DEDUPLICATED:
            first = self.rules.disposition == "insert"
            reason = "repeated" if first else "older" if why == versions.OLDER else "replaced"
            return Counts(deduplicated=rows, details={"deduplicated": {reason: rows}})
        reasons = self.bits.counted(mask)
        self.masks.setdefault(mask, self.bits.text(mask))
        listed = {f"{reason.column}.{reason.rule}" if reason.column else reason.rule: rows for reason in reasons}
        return Counts(quarantined=rows, details={"reasons": listed})

    def _warnings(self) -> dict[int, dict[str, int]]:
        """How many accepted rows break each row rule that only warns."""
        warning = [rule for rule in self.rules.contract.rows if rule.severity == "warn"]
        if not warning:
            return {}
        names = [f"{rule.column}.{rule.code}" if rule.column else rule.code for rule in warning]
        sums = ", ".join(f"count(*) FILTER (WHERE NOT coalesce(({rule.sql}), true))" for rule in warning)
        rows = self.engine.execute(f"SELECT _hg_part, {sums} FROM ({self.verdict.passing()}) AS s GROUP BY 1")
        found: dict[int, dict[str, int]] = {}
        for part, *counts in rows:
            of_part = found.setdefault(part, {})
            for name, count in zip(names, counts, strict=True):
                if count:  # a column may have two rules of one kind
                    of_part[name] = of_part.get(name, 0) + count
        return found

    def _bring_versions(self) -> str:
        """The rows to write as versions, for the engine: `_hg_id, since, until`."""
        if self._effects is None:
            return ""
        select = f"SELECT _hg_id, since, until FROM {self._effects.versions} WHERE effect = {INSERT}"
        if self.verdict.abroad is None:
            return f"({select})"
        return self.session.take(select, self.scan.temp.name("versions"))

    def accepted(self) -> str:
        rules, history = self.rules, self.rules.history
        if rules.gone is not None or rules.previous:
            return f"SELECT {', '.join(['*', *self._beside()])} FROM ({self.verdict.passing()}) AS p"
        if history is None:
            return self.verdict.passing()
        start, end, current = (quote.ident(name) for name in history.names)
        names = quote.columns([column.name for column in rules.contract.columns])
        digest = hashed(rules.contract, history, rules.keys, rules.order_by)
        until = f"coalesce(v.until, {quote.literal(history.end)})" if history.end else "v.until"
        rows = f"SELECT _hg_id, _hg_part, {names}, {digest} AS {HASH_COLUMN} FROM ({self.verdict.passing()}) AS p"
        shown = "".join(
            f", CASE WHEN v.until IS NULL THEN r.{quote.ident(column)} END AS {quote.ident(name)}"
            for column, name in history.latest
        )
        return f"""SELECT r.*, v.since AS {start}, {until} AS {end}, v.until IS NULL AS {current}{shown}
                   FROM ({rows}) AS r JOIN {self._versions} AS v ON v._hg_id = r._hg_id"""

    def _beside(self) -> Iterator[str]:
        """What an upsert writes beside the contract's columns; former values are completed where the table is."""
        types = {column.name: column.type.duckdb for column in self.rules.contract.columns}
        for column, name in self.rules.previous:
            yield f"CAST(NULL AS {types[column]}) AS {quote.ident(name)}"
        if self.rules.gone is not None:
            name, condition = self.rules.gone
            yield f"coalesce(({condition}), false) AS {quote.ident(name)}"

    def keys(self, names: Sequence[str]) -> str:
        return self.verdict.keys(names)

    def refused(self, session: StoreSession) -> Refused:
        """The refused records of every part, malformed ones included, with their text and reasons."""
        return RefusedRecords(self.session, self.rules, self.scan, self.verdict, self.told, self.masks).all()

    def lines(self, table: str) -> str:
        assert self.children is not None
        return self.children.accepted(table, self.verdict)

    def line_counts(self, table: str) -> Mapping[int, LineCounts]:
        assert self.children is not None
        return self.children.counts(table, self.verdict)

    def close(self) -> None:
        self.verdict.drop()
        if self.children:
            self.children.drop()


def _as_judged(contract: Contract) -> Contract:
    """The contract over what the model makes, whose columns have the fields' own names."""
    if contract.model is None:
        return contract
    return replace(contract, columns=tuple(replace(column, source=column.name) for column in contract.columns))


def _malformed(batch: Batch) -> Counts:
    reasons = {"reasons": {MALFORMED_RULE: batch.malformed}} if batch.malformed else {}
    return Counts(read=batch.records, quarantined=batch.malformed, details=add_details({}, reasons))

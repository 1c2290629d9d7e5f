"""All records of one commit together: keys, uniqueness, references, winners of an upsert. Every record gets one fate.

Rules that look forward (unique keep=last and keep=none, references to the own table, uniqueness among the winners of
an upsert) are settled by rounds: judge all, refuse what fails, judge the rest anew, until nothing more fails. Such a
refusal is never taken back; everything else (keep=first, winners) is found anew in each round, so that a row that is
refused in the end has taken no key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headgate.testing.oracle.model import (
    Fate,
    Fields,
    Flow,
    Malformed,
    Reason,
    Reference,
    Refused,
    Row,
    State,
    Unique,
)
from headgate.testing.oracle.rows import Look, look
from headgate.testing.oracle.values import rank

Key = tuple[object, ...]


@dataclass(frozen=True)
class Reading:
    """A record as it was read. `origin` is the quarantine record that a replay reads it from; `origin_entry` the entry
    in which the record was refused for the first time."""

    partition: str
    number: int
    record: Fields | Malformed
    origin: Refused | None = None
    origin_entry: int = 0


@dataclass(frozen=True)
class Verdict:
    """What becomes of a record. `note` says why it was deduplicated: later (another of the load won) or older; of a
    record that is loaded, that it says nothing new of its identity (unchanged) or that it is gone (deleted)."""

    reading: Reading
    fate: Fate
    row: Row
    reasons: tuple[Reason, ...] = ()
    warnings: int = 0
    note: str = ""


def key_of(row: Row, columns: tuple[str, ...]) -> Key | None:
    """What the row is known by in these columns; None if one of them is NULL."""
    if any(row.get(column) is None for column in columns):
        return None
    return tuple(rank(row[column]) for column in columns)


def judge(readings: list[Reading], flow: Flow, state: State) -> list[Verdict]:
    """The fate of every record, in the order given, against the tables as they stand in `state`."""
    looks = [look(reading.record, flow) for reading in readings]
    courts = {"upsert": _Upsert, "insert": _Insert, "scd2": _History}
    court = courts.get(flow.disposition, _Append)(readings, looks, flow, state)
    while court.round():
        pass
    return [court.verdict(i) for i in range(len(readings))]


@dataclass
class _Court:
    readings: list[Reading]
    looks: list[Look]
    flow: Flow
    state: State
    struck: dict[int, set[Unique | Reference]] = field(default_factory=lambda: defaultdict(set))
    """Refusals by rules that look forward; they only grow."""
    accepted: list[int] = field(default_factory=list)
    """Indexes of the rows that enter the table, as the latest round found them."""

    def __post_init__(self) -> None:
        contract = self.flow.contract
        self.table = self.state.rows(self.flow.table)
        self.rows = [look.row for look in self.looks]
        own = [r for r in contract.references if r.to_table == self.flow.table]
        self.own_references = [reference for reference in own if reference.severity == "error"]
        self.known = {
            reference: {key_of(row, reference.to_columns) for row in self.state.rows(reference.to_table)}
            for reference in contract.references
        }
        self.testable = [
            i
            for i, reading in enumerate(self.readings)
            if not isinstance(reading.record, Malformed) and not self.looks[i].skipped
        ]
        # What other tables hold is asked of every value as it was received; only then are values nulled.
        static = [r for r in contract.references if r.to_table != self.flow.table and r.severity == "error"]
        self.dangling = {i: {r for r in static if self.unknown(i, r)} for i in self.testable}
        for i, found in self.dangling.items():
            self.rows[i] = {**self.rows[i], **{column: None for r in found if r.nulls for column in r.columns}}
        self.fit = [i for i in self.testable if not self.looks[i].reasons and not self.before_sets(i)]

    def before_sets(self, i: int) -> bool:
        """Whether something that no other record of this load can change refuses row i."""
        return any(not reference.nulls for reference in self.dangling[i])

    def unknown(self, i: int, reference: Reference) -> bool:
        """Whether row i refers to values that are not there."""
        value = key_of(self.rows[i], reference.columns)
        return value is not None and value not in self.known[reference]

    def refresh_own_references(self, table_after: list[Row]) -> None:
        for reference in self.known:
            if reference.to_table == self.flow.table:
                self.known[reference] = {key_of(row, reference.to_columns) for row in table_after}

    def loaded_since(self, i: int) -> bool:
        """Whether row i is of a replay, and the table was loaded after it was refused."""
        later = (e for e in self.state.entries_of(self.flow.table) if e.id > self.readings[i].origin_entry)
        return self.readings[i].origin is not None and any(entry.kind == "load" for entry in later)

    def round(self) -> bool:
        """Find `accepted` once more; True if a row of it had to be struck out."""
        raise NotImplementedError

    def strike(self, candidates: list[int], fails: Callable[[int], set[Unique | Reference]]) -> bool:
        news = {i: found for i in candidates if (found := fails(i) - self.struck.get(i, set()))}
        for i, found in news.items():
            self.struck[i] |= found
        return bool(news)

    def shared(self, i: int, unique: Unique, others: list[int], table: set[Key | None]) -> bool:
        """Whether row i's value stands in the table, or among the others where the rule's `keep` minds it."""
        value = key_of(self.rows[i], unique.columns)
        if value is None:
            return False
        minded = {
            "first": [j for j in others if j < i],
            "last": [j for j in others if j > i],
            "none": [j for j in others if j != i],
        }[unique.keep]
        return value in table or any(key_of(self.rows[j], unique.columns) == value for j in minded)

    def candidates(self, unique: Unique) -> list[int]:
        """Accepted rows and, for keep=none, those that this very rule struck out: a shared value stays shared."""
        struck = [i for i, rules in self.struck.items() if unique in rules]
        return self.accepted + (struck if unique.keep == "none" else [])

    def unique_reasons(self, i: int) -> list[Reason]:
        raise NotImplementedError

    def reference_reasons(self, i: int) -> list[Reason]:
        return [
            Reason(reference.code, ", ".join(reference.columns), f"must stand in {reference.target}")
            for reference in self.flow.contract.references
            if reference.severity == "error" and not reference.nulls and self._refused(i, reference)
        ]

    def _refused(self, i: int, reference: Reference) -> bool:
        own = reference.to_table == self.flow.table and self.unknown(i, reference)
        return own or reference in self.dangling[i] or reference in self.struck.get(i, ())

    def reasons(self, i: int) -> tuple[Reason, ...]:
        return (*self.looks[i].reasons, *self.unique_reasons(i), *self.reference_reasons(i))

    def verdict(self, i: int) -> Verdict:
        reading, seen = self.readings[i], self.looks[i]
        if seen.skipped:
            return Verdict(reading, "skipped", seen.row)
        if i not in self.testable:
            return Verdict(reading, "quarantined", seen.row, seen.reasons)
        warned = [r for r in self.flow.contract.references if r.severity == "warn" and self.unknown(i, r)]
        warnings = seen.warnings + len(warned)
        if reasons := self.reasons(i):
            return Verdict(reading, "quarantined", seen.row, reasons, warnings)
        if i in self.accepted:
            return Verdict(reading, "loaded", self.rows[i] | self.before(i), (), warnings, self.says(i))
        return Verdict(reading, "deduplicated", seen.row, (), warnings, self.note(i))

    def says(self, i: int) -> str:
        """What there is to say of an accepted record."""
        return ""

    def before(self, i: int) -> Row:
        """What the table keeps beside an accepted record of what was there before it."""
        return {}

    def note(self, i: int) -> str:
        raise AssertionError("a record without reason was not accepted")


def unique_reason(unique: Unique) -> Reason:
    return Reason(unique.code, ", ".join(unique.columns), "must be unique")


def overtaken_reason(flow: Flow) -> Reason:
    return Reason("replay", ", ".join(flow.keys), "must not undo what a later load wrote")


class _Append(_Court):
    """Append and replace: a key per rule, taken by the first that passes everything."""

    def __post_init__(self) -> None:
        super().__post_init__()
        key = self.flow.contract.key
        composite = (Unique(key, "first", "key"),) if key else ()
        self.uniques = (*composite, *self.flow.contract.uniques)
        self.in_table = {u: {key_of(row, u.columns) for row in self.table} for u in self.uniques}
        self.fit = [i for i in self.fit if not self._overtaken(i)]
        self.taken_before: dict[int, set[Unique]] = {}

    def _overtaken(self, i: int) -> bool:
        """Whether a later load may have replaced the partition of a replayed record, which was not known then."""
        origin = self.readings[i].origin
        if origin is None or self.flow.disposition != "partition" or origin.key is not None:
            return False
        return self.loaded_since(i)

    def round(self) -> bool:
        self._accept_in_order()
        self.refresh_own_references(self.table + [self.rows[i] for i in self.accepted])
        return self.strike(list(self.accepted), self._looking_forward)

    def _accept_in_order(self) -> None:
        taken = {u: set(self.in_table[u]) for u in self.uniques if u.keep == "first"}
        fit = set(self.fit)
        self.accepted, self.taken_before = [], {}
        for i in self.testable:
            values = {u: key_of(self.rows[i], u.columns) for u in taken}
            clash = {u for u, value in values.items() if value is not None and value in taken[u]}
            self.taken_before[i] = clash
            if i in fit and not clash and not self.struck.get(i):
                self.accepted.append(i)
                for u, value in values.items():
                    taken[u].add(value)

    def _looking_forward(self, i: int) -> set[Unique | Reference]:
        found: set[Unique | Reference] = {r for r in self.own_references if self.unknown(i, r)}
        found |= {u for u in self.uniques if u.keep != "first" and self._shared(i, u)}
        return found

    def _shared(self, i: int, unique: Unique) -> bool:
        return self.shared(i, unique, self.candidates(unique), self.in_table[unique])

    def unique_reasons(self, i: int) -> list[Reason]:
        broken = [
            unique_reason(u)
            for u in self.uniques
            if u in self.taken_before[i] or u in self.struck.get(i, ()) or (u.keep != "first" and self._shared(i, u))
        ]
        return broken + [overtaken_reason(self.flow)] * self._overtaken(i)


class _Upsert(_Court):
    """Upsert: one winner per identity; the other rules are judged over the winners."""

    def __post_init__(self) -> None:
        self.winners: list[int] = []
        self.older: set[int] = set()
        super().__post_init__()
        self.by_identity = {key_of(row, self.flow.keys): row for row in self.table}
        self.fit = [i for i in self.fit if not self._overtaken(i)]
        seen = Counter(self.identity(i) for i in self.fit)
        refuses = self.flow.duplicates == "refuse"
        self.repeated = {i for i in self.fit if refuses and seen[self.identity(i)] > 1 and self._again(i)}
        self.fit = [i for i in self.fit if i not in self.repeated]

    def _again(self, i: int) -> bool:
        """Whether another record of its identity in this load makes a record one of several."""
        return True

    def identity(self, i: int) -> Key | None:
        return key_of(self.rows[i], self.flow.keys)

    def _overtaken(self, i: int) -> bool:
        """Without `order_by` a replay may not undo what a later entry wrote."""
        origin, present = self.readings[i].origin, self.by_identity.get(self.identity(i))
        if origin is None or present is None or self.flow.order_by is not None:
            return False
        return bool(present["_hg_load"] > self.readings[i].origin_entry)

    def round(self) -> bool:
        passing = [i for i in self.fit if not self.struck.get(i)]
        best: dict[Key | None, int] = {}
        for i in passing:
            rival = best.get(self.identity(i))
            if rival is None or self._beats(i, rival):
                best[self.identity(i)] = i
        self.older = {i for i in best.values() if self._older_than_table(i)}
        self.accepted = sorted(set(best.values()) - self.older)
        replaced = {self.identity(i) for i in self.accepted}
        self.staying = [row for row in self.table if key_of(row, self.flow.keys) not in replaced]
        self.refresh_own_references(self.staying + [self.rows[i] for i in self.accepted])
        struck = self.strike(self.accepted, self._shared_with_winners())
        own = {i: {r for r in self.own_references if self.unknown(i, r)} for i in passing}
        return self.strike(passing, lambda i: set(own[i])) or struck

    def _beats(self, i: int, rival: int) -> bool:
        """Whether a record takes the place of one that comes before it."""
        return self._order(self.rows[i]) >= self._order(self.rows[rival])

    def _order(self, row: Row) -> tuple[int, Any]:
        """Where the row stands by `order_by`; all stand together where there is none."""
        return (0, 0) if self.flow.order_by is None else rank(row[self.flow.order_by])

    def _older_than_table(self, i: int) -> bool:
        present = self.by_identity.get(self.identity(i))
        if present is None or self.flow.order_by is None or present[self.flow.order_by] is None:
            return False
        mine, theirs = self._order(self.rows[i]), self._order(present)
        return mine <= theirs if self.readings[i].origin else mine < theirs

    def before(self, i: int) -> Row:
        """What the `previous` columns hold once every record of the identity has had its turn, in source order."""
        last = self.by_identity.get(self.identity(i))
        kept = {name: last[name] if last is not None else None for _, name in self.flow.previous}
        for j in self.fit if self.flow.previous else ():
            if self.struck.get(j) or self.identity(j) != self.identity(i) or self._comes_too_late(j, last):
                continue
            for column, name in self.flow.previous:
                if last is not None and rank(last[column]) != rank(self.rows[j][column]):
                    kept[name] = last[column]
            last = self.rows[j]
        return kept

    def _comes_too_late(self, j: int, last: Row | None) -> bool:
        if last is self.by_identity.get(self.identity(j)):
            return self._older_than_table(j)
        return last is not None and self._order(self.rows[j]) < self._order(last)

    def _shared_with_winners(self) -> Callable[[int], set[Unique | Reference]]:
        """For a winner, the unique rules that it breaks: against rows that stay, and against winners before it that
        break none themselves (for keep=last and keep=none, against any other)."""
        broken: dict[int, set[Unique | Reference]] = {}
        for i in self.accepted:
            sound = [j for j in self.accepted if j < i and not broken[j]]
            broken[i] = set()
            for unique in self.flow.contract.uniques:
                table = {key_of(row, unique.columns) for row in self.staying}
                others = sound if unique.keep == "first" else self.candidates(unique)
                if self.shared(i, unique, others, table):
                    broken[i].add(unique)
        return lambda i: broken[i]

    def unique_reasons(self, i: int) -> list[Reason]:
        twice = [Reason("key", ", ".join(self.flow.keys), "must come once in a load")] * (i in self.repeated)
        broken = twice + [unique_reason(u) for u in self.flow.contract.uniques if u in self.struck.get(i, ())]
        if self._overtaken(i):
            broken.append(overtaken_reason(self.flow))
        return broken

    def note(self, i: int) -> str:
        return "older" if i in self.older else "later"


class _Insert(_Upsert):
    """Insert: the first of each identity enters, and none whose identity the table has."""

    def _overtaken(self, i: int) -> bool:
        return False

    def _beats(self, i: int, rival: int) -> bool:
        return False

    def _older_than_table(self, i: int) -> bool:
        return self.identity(i) in self.by_identity

    def _again(self, i: int) -> bool:
        return any(self._near(i, self.rows[j]) for j in self.fit if j != i)

    def _near(self, i: int, row: Row) -> bool:
        """Whether the row is of the record's identity, and of about its time."""
        if key_of(row, self.flow.keys) != self.identity(i):
            return False
        by, within = self.flow.by, self.flow.within
        return by is None or within is None or abs(self.rows[i][by] - row[by]) <= within

    def round(self) -> bool:
        if self.flow.within is None:
            return super().round()
        passing = [i for i in self.fit if not self.struck.get(i)]
        self.accepted, self.older, self.staying = [], set(), self.table
        for i in passing:
            if any(self._near(i, row) for row in self.table):
                self.older.add(i)
            elif not any(self._near(i, self.rows[j]) for j in self.accepted):
                self.accepted.append(i)
        self.refresh_own_references(self.table + [self.rows[i] for i in self.accepted])
        struck = self.strike(self.accepted, self._shared_with_winners())
        own = {i: {r for r in self.own_references if self.unknown(i, r)} for i in passing}
        return self.strike(passing, lambda i: set(own[i])) or struck


@dataclass
class Version:
    """The last version of one identity: since when it holds, what it says (None: it has ended, at `since`), and which
    record of the load made it (None: it stands in the table)."""

    since: tuple[int, Any]
    values: tuple[object, ...] | None
    record: int | None = None


class _History(_Court):
    """SCD2: records are taken one by one, in source order, each against the last version of its identity."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.older: set[int] = set()
        self.unchanged: set[int] = set()
        self.deleted: set[int] = set()
        self.fit = [i for i in self.fit if not self._overtaken(i)]

    def _overtaken(self, i: int) -> bool:
        """Whether a later snapshot has said what there is, since the replayed record was refused."""
        return self.flow.snapshots and self.loaded_since(i)

    def _last(self) -> dict[Key | None, Version]:
        last: dict[Key | None, Version] = {}
        for row in self.table:
            identity, current = key_of(row, self.flow.keys), row["is_current"]
            at = rank(row["valid_from"] if current else row["valid_to"])
            if current or identity not in last or (last[identity].values is None and last[identity].since < at):
                last[identity] = Version(at, tracked(row, self.flow) if current else None)
        return last

    def round(self) -> bool:
        newest = self._last()
        taken: set[int] = set()
        for i in self.fit:
            identity = key_of(self.rows[i], self.flow.keys)
            made = Version(rank(self.flow.since(self.rows[i])), tracked(self.rows[i], self.flow), i)
            before = newest.get(identity)
            if before is not None and (made.since < before.since or self._loses_tie(i, made, before)):
                self.older.add(i)
                continue
            taken.add(i)
            if self._tells_of_an_end(i):
                known = before is not None and before.values is not None
                (self.deleted if known else self.unchanged).add(i)
                if known:
                    newest[identity] = Version(made.since, None)
                continue
            if before is not None and made.values == before.values:
                self.unchanged.add(i)
                continue
            if before is not None and made.since == before.since and before.record is not None:
                taken.discard(before.record)
            newest[identity] = made
        self.accepted = sorted(taken)
        return False

    def says(self, i: int) -> str:
        return "unchanged" if i in self.unchanged else "deleted" if i in self.deleted else ""

    def _tells_of_an_end(self, i: int) -> bool:
        return self.flow.deleted_if is not None and self.flow.deleted_if.check(self.rows[i]) is True

    def _loses_tie(self, i: int, made: Version, before: Version) -> bool:
        return made.since == before.since and self.readings[i].origin is not None

    def unique_reasons(self, i: int) -> list[Reason]:
        return [overtaken_reason(self.flow)] * self._overtaken(i)

    def note(self, i: int) -> str:
        return "older" if i in self.older else "later"


def tracked(row: Row, flow: Flow) -> tuple[object, ...]:
    """What makes a version of the row."""
    return tuple(None if row[name] is None else rank(row[name]) for name in flow.tracked)

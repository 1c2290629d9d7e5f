"""SCD2: the table keeps every version of an identity, each with the time in which it held.

Records are taken one by one, in source order, each against the last version of its identity: one that is older is
deduplicated, one that says the same as a current version changes nothing, any other closes the version before it and
opens its own; at the same time the later record takes the place of the earlier. A version that has ended is followed by
any record that is not older than its end. So the history does not depend on how a load was sliced.
Identities whose records come in order of time, the usual case, are settled by set operations; the others one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from headgate.books.history import HASH_COLUMN, Closing, History
from headgate.contracts.model import Contract
from headgate.core.clock import stamp
from headgate.core.records import dataclass
from headgate.gate.verdict import DEDUPLICATED, Verdict
from headgate.gate.versions import OLDER, REPLACED
from headgate.sql import quote
from headgate.types.codec import encode

INSERT, UNCHANGED, ENDED = 2, 3, 4
"""What a record does to the history, beside the ways to be deduplicated."""


@dataclass(frozen=True)
class Effects:
    """Tables of the store: `table` has `_hg_id, _hg_part`, the keys, `since` and `effect` of every record that passes;
    `versions` has `_hg_id, since, until` and `effect` (INSERT: a row to write, ENDED: an end). `closing`: what ends;
    `counts`: by part and word."""

    table: str
    versions: str
    closing: Closing
    counts: dict[int, dict[str, int]]
    latest: str
    """SELECT, for the store, of `till`: the greatest time of a record that passes; no row where none does."""


def hashed(contract: Contract, history: History, keys: Sequence[str], order_by: str | None) -> str:
    """SQL, for the engine, of a digest of what makes a version, the same on every store."""
    rest = [column for column in contract.columns if column.name not in (*keys, order_by)]
    wanted = [column for column in contract.columns if column.name in history.track] if history.track else rest
    texts = []
    for column in wanted:
        text = encode(quote.ident(column.name), column.type.duckdb)
        sized = f"length({text}) || ':' || {text}" if column.type.name in ("text", "json") else text
        texts.append(f"coalesce({sized}, chr(30))")
    return f"md5(concat_ws(chr(31), {', '.join(texts)}))" if texts else "''"


def said(contract: Contract, history: History, keys: Sequence[str], order_by: str | None) -> str:
    """SQL of the digest of a record; NULL where it tells that its identity is gone."""
    digest = hashed(contract, history, keys, order_by)
    gone = history.deleted_if
    return f"CASE WHEN coalesce(({gone}), false) THEN NULL ELSE {digest} END" if gone else digest


@dataclass(frozen=True)
class Identity:
    """What a history goes by. `since` and `digest`: SQL of a record's time and of its digest, which one that tells of
    an end does not have. `ties_lose`: a record of the time of the newest version keeps it (a replay)."""

    keys: tuple[str, ...]
    since: str
    digest: str
    ties_lose: bool


def judge_history(verdict: Verdict, history: History, identity: Identity, target: str | None) -> Effects:
    """Judges every record that passes. `target`: the relation of the table's rows, None where it has none."""
    run = _Run(verdict, history, identity.keys, target)
    events = run.keep(
        "events",
        f"""SELECT _hg_id, _hg_part, {run.names}, {identity.since} AS since, {identity.digest} AS {HASH_COLUMN}
            FROM ({verdict.passing()}) AS r""",
    )
    lined = run.lined(events)
    table = run.effects(lined, identity.ties_lose)
    for why in (REPLACED, OLDER):
        verdict.add(f"SELECT _hg_id, _hg_part FROM {table} WHERE effect = {why}", DEDUPLICATED, why=why)
    versions = run.keep(
        "versions",
        f"""SELECT _hg_id, _hg_part, {run.names}, since,
                effect, lead(since) OVER w AS until, lag(effect) OVER w AS before, row_number() OVER w AS number
            FROM {table} WHERE effect IN ({INSERT}, {ENDED}) WINDOW w AS (PARTITION BY {run.names} ORDER BY _hg_id)""",
    )
    closing = f"SELECT _hg_part, {run.names}, since, effect = {ENDED} AS ended FROM {versions} WHERE number = 1"
    latest = run.keep("latest", f"SELECT since AS till FROM {events} ORDER BY since DESC LIMIT 1")
    counts = run.counts(table, versions)
    return Effects(table, versions, Closing(closing, history), counts, f"SELECT till FROM {latest}")


@dataclass
class _Run:
    verdict: Verdict
    history: History
    keys: tuple[str, ...]
    target: str | None
    newest: str = ""
    """The last version of each identity that has events: `since` it holds, or has ended, which has no digest."""

    @property
    def names(self) -> str:
        return quote.columns(self.keys)

    def keep(self, name: str, select: str) -> str:
        return self.verdict.temp.keep(f"history_{name}", select)

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        return self.verdict.temp.session.execute(sql)

    def same(self, one: str, two: str) -> str:
        return " AND ".join(f"{one}.{quote.ident(key)} = {two}.{quote.ident(key)}" for key in self.keys)

    def lined(self, events: str) -> str:
        """The events, each with the one before it and the last version that stands in the table."""
        self.newest = self.keep("newest", self._last(events))
        mine = ", ".join(f"e.{quote.ident(key)}" for key in self.keys)
        return self.keep(
            "lined",
            f"""SELECT e.*, n.since AS n_since, n.{HASH_COLUMN} AS n_hash,
                    lag(e.since) OVER w AS p_since, lag(e.{HASH_COLUMN}) OVER w AS p_hash
                FROM {events} AS e LEFT JOIN {self.newest} AS n ON {self.same("e", "n")}
                WINDOW w AS (PARTITION BY {mine} ORDER BY e._hg_id)""",
        )

    def _last(self, events: str) -> str:
        if self.target is None:
            return f"SELECT {self.names}, since, {HASH_COLUMN} FROM {events} WHERE false"
        start, end, current = (quote.ident(name) for name in self.history.names)
        return f"""SELECT {self.names}, since, {HASH_COLUMN} FROM (
                SELECT {self.names}, CASE WHEN {current} THEN {start} ELSE {end} END AS since,
                    CASE WHEN {current} THEN {HASH_COLUMN} END AS {HASH_COLUMN},
                    row_number() OVER (PARTITION BY {self.names} ORDER BY {current} DESC, {end} DESC) AS age
                FROM ({self.target}) AS t
                WHERE EXISTS (SELECT 1 FROM {events} AS e WHERE {self.same("e", "t")})) AS versions
            WHERE age = 1"""

    def effects(self, lined: str, ties_lose: bool) -> str:
        """What every event does."""
        odd = self.keep(
            "odd",
            f"""SELECT DISTINCT {self.names} FROM {lined}
                WHERE since <= p_since OR (p_since IS NULL AND since <= n_since)""",
        )
        listed = f"_hg_id, _hg_part, {self.names}, since"
        before = "CASE WHEN p_since IS NOT NULL THEN p_hash ELSE n_hash END"
        table = self.keep(
            "effects",
            f"""SELECT {listed}, CASE WHEN {before} = {HASH_COLUMN} OR ({before} IS NULL AND {HASH_COLUMN} IS NULL)
                        THEN {UNCHANGED} WHEN {HASH_COLUMN} IS NULL THEN {ENDED} ELSE {INSERT} END AS effect
                FROM {lined} AS l WHERE NOT EXISTS (SELECT 1 FROM {odd} AS o WHERE {self.same("o", "l")})""",
        )
        if self.execute(f"SELECT 1 FROM {odd} LIMIT 1"):
            for rows in _chunks(self._one_by_one(lined, odd, ties_lose)):
                values = ", ".join(f"({number}, {effect})" for number, effect in rows)
                self.execute(
                    f"""INSERT INTO {table} SELECT {", ".join(f"l.{name}" for name in self._listed())}, v.effect
                        FROM {lined} AS l JOIN (VALUES {values}) AS v(id, effect) ON v.id = l._hg_id"""
                )
        return table

    def _listed(self) -> list[str]:
        return ["_hg_id", "_hg_part", *(quote.ident(key) for key in self.keys), "since"]

    def _one_by_one(self, lined: str, odd: str, ties_lose: bool) -> Iterator[tuple[int, int]]:
        """Id and effect of the events of identities whose events are not in order of time."""
        mine = f"{lined} AS l WHERE EXISTS (SELECT 1 FROM {odd} AS o WHERE {self.same('o', 'l')})"
        points = f"""SELECT {self.names}, _hg_id, since, {HASH_COLUMN} FROM {mine}
            UNION ALL SELECT DISTINCT {self.names}, CAST(NULL AS BIGINT), n_since, n_hash FROM {mine}
                AND n_since IS NOT NULL"""
        rows = self.execute(
            f"""SELECT dense_rank() OVER (ORDER BY {self.names}) AS who, _hg_id,
                    dense_rank() OVER (PARTITION BY {self.names} ORDER BY since) AS time, {HASH_COLUMN}
                FROM ({points}) AS p ORDER BY 1, 2 NULLS FIRST"""
        )
        for _, events in groupby(rows, key=lambda row: row[0]):
            yield from _settled([row[1:] for row in events], ties_lose)

    def counts(self, table: str, versions: str) -> dict[int, dict[str, int]]:
        """By part: how many records were new, changed, reactivated, deleted or unchanged."""
        found: dict[int, dict[str, int]] = {}
        rows = self.execute(
            f"""SELECT e._hg_part, CASE WHEN e.effect = {UNCHANGED} THEN 'unchanged'
                    WHEN e.effect = {ENDED} THEN 'deleted' WHEN v.before = {ENDED} THEN 'reactivated'
                    WHEN v.number = 1 AND n.since IS NULL THEN 'new'
                    WHEN v.number = 1 AND n.{HASH_COLUMN} IS NULL THEN 'reactivated' ELSE 'changed' END AS word,
                    count(*)
                FROM {table} AS e LEFT JOIN {versions} AS v ON v._hg_id = e._hg_id
                LEFT JOIN {self.newest} AS n ON {self.same("n", "e")}
                WHERE e.effect IN ({INSERT}, {UNCHANGED}, {ENDED}) GROUP BY 1, 2"""
        )
        for part, word, count in rows:
            found.setdefault(part, {})[word] = count
        return found


def delivered(verdict: Verdict, keys: Sequence[str], malformed: int) -> tuple[str, int]:
    """A table of the store with every identity that a load names, by however bad a record, and how many records of it
    (`malformed` ones included) don't say whom they are about."""
    names = quote.columns(keys)
    known = " AND ".join(f"{quote.ident(key)} IS NOT NULL" for key in keys)
    judged = verdict.judged()
    table = verdict.temp.keep("identities", f"SELECT DISTINCT {names} FROM ({judged}) AS j WHERE {known}")
    [(rows,)] = verdict.temp.session.execute(f"SELECT count(*) FROM ({judged}) AS j WHERE NOT ({known})")
    return table, malformed + int(rows)


def load_time(verdict: Verdict, history: History, target: str | None) -> str:
    """SQL of the time of a load whose records have none: now, or later where a clock was put back."""
    kind = "DATE" if history.dates else "TIMESTAMP WITH TIME ZONE"
    now = f"CAST(CAST({quote.literal(stamp())} AS TIMESTAMP WITH TIME ZONE) AS {kind})"
    if target is None:
        return now
    start, end, current = (quote.ident(name) for name in history.names)
    last = f"max(CASE WHEN {current} THEN {start} ELSE {end} END)" + (
        "" if history.dates else " + INTERVAL '1 microsecond'"
    )
    made = f"SELECT CAST(greatest({now}, (SELECT {last} FROM ({target}) AS t)) AS VARCHAR)"
    return f"CAST({quote.literal(verdict.temp.session.execute(made)[0][0])} AS {kind})"


def _settled(events: Sequence[tuple[int | None, int, str | None]], ties_lose: bool) -> Iterator[tuple[int, int]]:
    """Id and effect of one identity's events: (id, rank of the time, digest) in source order, behind the last version
    that stands in the table (no id; no digest if it has ended). An event without digest is an end."""
    effects: dict[int, int] = {}
    newest: tuple[int | None, int, str | None] | None = None
    for number, time, digest in events:
        if number is None:
            newest = (number, time, digest)
        elif newest is None:
            effects[number] = UNCHANGED if digest is None else INSERT
            newest = None if digest is None else (number, time, digest)
        elif time < newest[1] or (time == newest[1] and ties_lose):
            effects[number] = OLDER
        elif digest == newest[2]:
            effects[number] = UNCHANGED
        elif digest is None:
            effects[number] = ENDED
            newest = (None, time, None)
        else:
            if time == newest[1] and newest[0] is not None:
                effects[newest[0]] = REPLACED
            effects[number] = INSERT
            newest = (number, time, digest)
    yield from effects.items()


def _chunks(rows: Iterable[tuple[int, int]], size: int = 1000) -> Iterator[list[tuple[int, int]]]:
    chunk: list[tuple[int, int]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk

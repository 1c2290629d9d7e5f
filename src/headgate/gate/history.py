"""SCD2: the table keeps every version of an identity, each with the time in which it held.

Records are taken one by one, in source order, each against the newest version of its identity: one that is older is
deduplicated, one that says the same changes standing, any other closes the version before it and opens its own; at the
same time the later record takes the place of the earlier. So the history does not depend on how a load was sliced.
Identities whose records come in order of time, the usual case, are settled by set operations; the others one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from headgate.books.history import HASH_COLUMN, Closing, History
from headgate.contracts.model import Contract
from headgate.gate.verdict import DEDUPLICATED, Verdict
from headgate.gate.versions import OLDER, REPLACED
from headgate.sql import quote
from headgate.types.codec import encode

INSERT, UNCHANGED = 2, 3
"""What a record does to the history, beside the ways to be deduplicated."""


@dataclass(frozen=True)
class Effects:
    """Tables of the store: `table` has `_hg_id, _hg_part`, the keys, `since` and `effect` of every record that passes;
    `versions` has `_hg_id, since, until` of the rows to write. `closing`: what ends; `counts`: by part and word."""

    table: str
    versions: str
    closing: Closing
    counts: dict[int, dict[str, int]]


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


@dataclass(frozen=True)
class Identity:
    """What a history goes by. `since` and `digest`: SQL of a record's time and of its digest. `ties_lose`: a record
    of the time of the newest version keeps it (a replay)."""

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
                lead(since) OVER (PARTITION BY {run.names} ORDER BY _hg_id) AS until,
                row_number() OVER (PARTITION BY {run.names} ORDER BY _hg_id) AS number
            FROM {table} WHERE effect = {INSERT}""",
    )
    closing = f"SELECT _hg_part, {run.names}, since FROM {versions} WHERE number = 1"
    return Effects(table, versions, Closing(closing, history), run.counts(table, versions))


@dataclass
class _Run:
    verdict: Verdict
    history: History
    keys: tuple[str, ...]
    target: str | None

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
        """The events, each with the one before it and the newest version that stands in the table."""
        start, current = quote.ident(self.history.valid_from), quote.ident(self.history.current)
        if self.target is None:
            standing = f"SELECT {self.names}, since, {HASH_COLUMN} FROM {events} WHERE false"
        else:
            standing = f"""SELECT {self.names}, {start} AS since, {HASH_COLUMN} FROM ({self.target}) AS t
                WHERE t.{current} AND EXISTS (SELECT 1 FROM {events} AS e WHERE {self.same("e", "t")})"""
        newest = self.keep("newest", standing)
        mine = ", ".join(f"e.{quote.ident(key)}" for key in self.keys)
        return self.keep(
            "lined",
            f"""SELECT e.*, n.since AS n_since, n.{HASH_COLUMN} AS n_hash,
                    lag(e.since) OVER w AS p_since, lag(e.{HASH_COLUMN}) OVER w AS p_hash
                FROM {events} AS e LEFT JOIN {newest} AS n ON {self.same("e", "n")}
                WINDOW w AS (PARTITION BY {mine} ORDER BY e._hg_id)""",
        )

    def effects(self, lined: str, ties_lose: bool) -> str:
        """What every event does."""
        odd = self.keep(
            "odd",
            f"""SELECT DISTINCT {self.names} FROM {lined}
                WHERE since <= p_since OR (p_since IS NULL AND since <= n_since)""",
        )
        listed = f"_hg_id, _hg_part, {self.names}, since"
        table = self.keep(
            "effects",
            f"""SELECT {listed}, CASE WHEN coalesce(p_hash, n_hash) = {HASH_COLUMN} THEN {UNCHANGED} ELSE {INSERT} END
                    AS effect
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
        """By part: how many records were new, changed or unchanged."""
        found: dict[int, dict[str, int]] = {}
        known = f"EXISTS (SELECT 1 FROM ({self.target}) AS t WHERE {self.same('t', 'e')})" if self.target else "false"
        rows = self.execute(
            f"""SELECT e._hg_part, CASE WHEN e.effect = {UNCHANGED} THEN 'unchanged'
                    WHEN v.number = 1 AND NOT {known} THEN 'new' ELSE 'changed' END AS word, count(*)
                FROM {table} AS e LEFT JOIN {versions} AS v ON v._hg_id = e._hg_id
                WHERE e.effect IN ({INSERT}, {UNCHANGED}) GROUP BY 1, 2"""
        )
        for part, word, count in rows:
            found.setdefault(part, {})[word] = count
        return found


def _settled(events: Sequence[tuple[int | None, int, str]], ties_lose: bool) -> Iterator[tuple[int, int]]:
    """Id and effect of one identity's events: (id, rank of the time, digest) in source order, behind the version that
    stands in the table (no id)."""
    effects: dict[int, int] = {}
    newest: tuple[int | None, int, str] | None = None
    for number, time, digest in events:
        if number is None or newest is None:
            newest = (number, time, digest)
            if number is not None:
                effects[number] = INSERT
        elif time < newest[1] or (time == newest[1] and ties_lose):
            effects[number] = OLDER
        elif digest == newest[2]:
            effects[number] = UNCHANGED
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

"""Upsert and insert: which version of a key enters the table."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.core.records import dataclass
from headgate.gate import horizon
from headgate.gate.horizon import Nearness
from headgate.gate.sets import References, Rounds, Uniques, behind_holder, forward, make_claims, take_turns
from headgate.gate.verdict import DEDUPLICATED, QUARANTINED, Verdict
from headgate.sql import quote

REPLACED, OLDER = 0, 1


@dataclass(frozen=True)
class Identity:
    """What an upsert goes by. `ties_lose`: equal `order_by` keeps the table's row (a replay). `first`: what came first
    stays, be it in the table or earlier in the load (an insert). `near`: of an insert, only what is near in time."""

    keys: tuple[str, ...]
    order_by: str | None
    ties_lose: bool
    first: bool = False
    near: Nearness | None = None

    def same(self, one: str, two: str) -> str:
        return " AND ".join(f"{one}.{quote.ident(key)} = {two}.{quote.ident(key)}" for key in self.keys)


def judge_upsert(verdict: Verdict, identity: Identity, uniques: Uniques, own: References, target: str | None) -> None:
    """The newest version of each key wins; the others, and what is older than the table's row, are deduplicated.

    Unique rules beside the identity are judged over the winners and the rows that stay.
    """
    if not uniques and not own:
        for losers, why in _losers(verdict, identity, verdict.passing(), target):
            verdict.add(losers, DEDUPLICATED, why=why)
        return
    rounds = Rounds(verdict, target, uniques, own)
    while True:
        rounds.number += 1
        passing = rounds.standing()
        found = [
            f"SELECT f.*, {why} AS why FROM ({select}) AS f"
            for select, why in _losers(verdict, identity, passing, target)
        ]
        lost = rounds.keep(f"lost_{rounds.number}", " UNION ALL ".join(found) or _NOBODY)
        accepted = f"{passing} AND NOT EXISTS (SELECT 1 FROM {lost} AS l WHERE l._hg_id = r._hg_id)"
        staying = _staying(identity, accepted, target)
        shared = f"{accepted} UNION ALL {rounds.struck_rows()}"
        claims = make_claims(verdict, uniques, shared, staying, f"claims_{rounds.number}")
        struck = [rounds.strike(_broken(rounds, claims))] if claims else []
        struck.append(rounds.strike_own_references(passing, accepted, staying))
        if not any(struck):
            break
    frozen = f"SELECT * FROM {rounds.keep('accepted', accepted)}"
    rounds.settle(frozen, _staying(identity, frozen, target))
    for why in (REPLACED, OLDER):
        verdict.add(f"SELECT _hg_id, _hg_part FROM {lost} WHERE why = {why}", DEDUPLICATED, why=why)


def judge_repeated(verdict: Verdict, identity: Identity, bit: int) -> None:
    """Refuses every record whose identity comes more than once among those that pass."""
    if identity.near is not None:
        verdict.add(horizon.crowded(identity.near, identity.keys, verdict.passing()), QUARANTINED, bit)
        return
    twice = doubled(verdict, identity, verdict.passing())
    verdict.add(
        f"""SELECT s._hg_id, s._hg_part FROM ({verdict.passing()}) AS s
            WHERE EXISTS (SELECT 1 FROM {twice} AS d WHERE {identity.same("d", "s")})""",
        QUARANTINED,
        bit,
    )


def doubled(verdict: Verdict, identity: Identity, passing: str) -> str:
    """A table of the identities that come more than once."""
    names, temp = quote.columns(identity.keys), verdict.temp
    select = f"SELECT {names} FROM ({passing}) AS s GROUP BY {names} HAVING count(*) > 1"
    return temp.keep(f"doubled_{len(temp.tables)}", select)


_NOBODY = "SELECT CAST(0 AS BIGINT) AS _hg_id, 0 AS _hg_part, 0 AS why WHERE false"


def _losers(verdict: Verdict, identity: Identity, passing: str, target: str | None) -> Iterator[tuple[str, int]]:
    """SELECTs of `_hg_id, _hg_part` of rows that are not the version to keep, each with why."""
    if identity.near is not None:
        yield from _repetitions(verdict, identity, identity.near, passing, target)
        return
    order = f"{quote.ident(identity.order_by)} DESC, " if identity.order_by else ""
    latest = "_hg_id" if identity.first else "_hg_id DESC"
    temp, names = verdict.temp, quote.columns(identity.keys)
    twice = doubled(verdict, identity, passing)
    beaten = ""
    if temp.session.execute(f"SELECT 1 FROM {twice} LIMIT 1"):
        beaten = temp.keep(
            f"beaten_{len(temp.tables)}",
            f"""SELECT _hg_id, _hg_part FROM (
                    SELECT _hg_id, _hg_part,
                        row_number() OVER (PARTITION BY {names} ORDER BY {order}{latest}) AS rank
                    FROM ({passing}) AS s
                    WHERE EXISTS (SELECT 1 FROM {twice} AS d WHERE {identity.same("d", "s")})) AS ranked
                WHERE rank > 1""",
        )
        yield f"SELECT _hg_id, _hg_part FROM {beaten}", REPLACED
    if (identity.order_by or identity.first) and target:
        column = quote.ident(identity.order_by) if identity.order_by else ""
        older = f"s.{column} {'<=' if identity.ties_lose else '<'} t.{column}" if column else "true"
        winner = f" AND s._hg_id NOT IN (SELECT _hg_id FROM {beaten})" if beaten else ""
        yield (
            f"""SELECT s._hg_id, s._hg_part FROM ({target}) AS t JOIN ({passing}) AS s ON {identity.same("t", "s")}
                WHERE {older}{winner}""",
            OLDER,
        )


def _repetitions(
    verdict: Verdict, identity: Identity, near: Nearness, passing: str, target: str | None
) -> Iterator[tuple[str, int]]:
    temp = verdict.temp
    if target:
        seen = temp.keep(f"near_{len(temp.tables)}", horizon.known(near, identity.same("t", "s"), passing, target))
        yield f"SELECT _hg_id, _hg_part FROM {seen}", OLDER
        passing = (
            f"SELECT * FROM ({passing}) AS p WHERE NOT EXISTS (SELECT 1 FROM {seen} AS n WHERE n._hg_id = p._hg_id)"
        )
    twice = doubled(verdict, identity, passing)
    if temp.session.execute(f"SELECT 1 FROM {twice} LIMIT 1"):
        mine = f"EXISTS (SELECT 1 FROM {twice} AS d WHERE {identity.same('d', 's')})"
        records = f"SELECT * FROM ({passing}) AS s WHERE {mine}"
        found = horizon.repeated(near, identity.keys, records, temp, f"repeated_{len(temp.tables)}")
        yield f"SELECT _hg_id, _hg_part FROM {found}", REPLACED


def _staying(identity: Identity, accepted: str, target: str | None) -> str | None:
    """The table's rows that no accepted row replaces."""
    if target is None or identity.first:
        return target
    return f"""SELECT * FROM ({target}) AS t
               WHERE NOT EXISTS (SELECT 1 FROM ({accepted}) AS w WHERE {identity.same("w", "t")})"""


def _broken(rounds: Rounds, claims: str) -> str:
    """The winners that break a unique rule: `_hg_id, _hg_part, bit`. keep=first counts sound winners before it."""
    rounds.run(f"UPDATE {claims} SET acc = _hg_id NOT IN (SELECT _hg_id FROM {rounds.struck})")
    rounds.run(
        f"""UPDATE {claims} SET state = CASE WHEN _hg_id IN (SELECT _hg_id FROM {claims} WHERE held OR NOT acc
                UNION ALL SELECT _hg_id FROM ({forward(claims, rounds.struck)}) AS f) THEN 2 ELSE 0 END"""
    )
    take_turns(rounds, claims)
    return f"{forward(claims, rounds.struck)} AND c.acc UNION ALL {behind_holder(claims)} AND c.acc"


def judge_replay_keys(verdict: Verdict, identity: Identity, target: str | None, bit: int) -> None:
    """Replay over an upsert without order: a key that an entry later than the record's own wrote is refused."""
    if target is None:
        return
    verdict.add(
        f"""SELECT s._hg_id, s._hg_part FROM ({verdict.judged()}) AS s JOIN ({target}) AS t ON {identity.same("t", "s")}
            JOIN _headgate.quarantine AS q ON q.id = s._hg_id WHERE t._hg_load > q.origin""",
        QUARANTINED,
        bit,
    )

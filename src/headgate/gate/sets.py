"""Set rules: keys, unique values, references, and the winner among versions of one key.

Each works on narrow scans of its own columns; nothing here reads a whole row. A record takes its value only if it passes
all error rules; refused records are tested, too, so that reasons do not depend on how a load was sliced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.contracts.model import ReferenceRule, UniqueRule
from headgate.core.values import TableRef
from headgate.gate.verdict import DEDUPLICATED, QUARANTINED, Verdict
from headgate.sql import quote


@dataclass(frozen=True)
class Target:
    """The table as the set rules see it: a relation with its columns and `_hg_load`, or None where it holds nothing."""

    ref: TableRef
    relation: str | None


def judge_reference(verdict: Verdict, rule: ReferenceRule, bit: int) -> None:
    """Refuses values that the referenced table does not hold (NOT EXISTS: a NULL there refuses nothing)."""
    column, to = quote.ident(rule.column), quote.ident(rule.to_column)
    table = quote.table(TableRef.parse(rule.to_table))
    verdict.add(
        f"""SELECT _hg_id, _hg_part FROM ({verdict.judged()}) AS s WHERE s.{column} IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM {table} AS r WHERE r.{to} = s.{column})""",
        QUARANTINED,
        bit,
    )


def judge_self_reference(verdict: Verdict, rule: ReferenceRule, bit: int, target: Target) -> None:
    """Refuses rows whose value no accepted row of this table has, until nothing more falls."""
    column, to = quote.ident(rule.column), quote.ident(rule.to_column)
    held = f"UNION ALL SELECT {to} FROM ({target.relation}) AS t" if target.relation else ""
    while verdict.add(
        f"""SELECT _hg_id, _hg_part FROM ({verdict.passing()}) AS s WHERE s.{column} IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM (SELECT {to} FROM ({verdict.passing()}) AS p {held}) AS known(value)
                            WHERE known.value = s.{column})""",
        QUARANTINED,
        bit,
    ):
        pass


def judge_unique(verdict: Verdict, rules: Sequence[tuple[UniqueRule, int]], target: Target) -> None:
    """All unique rules of the contract together: which rows hold their values, and who is refused for that.

    Order: keep=none, then keep=last, then keep=first, each among the rows that passed what came before.
    """
    for keep in ("none", "last", "first"):
        chosen = [(rule, bit) for rule, bit in rules if rule.keep == keep]
        claims = _claims(verdict, chosen, verdict.judged(), target.relation)
        if claims:
            _RESOLVE[keep](verdict, claims)
            for number, (_, bit) in enumerate(chosen):
                verdict.add(f"SELECT _hg_id, _hg_part FROM {claims} WHERE rule = {number} AND hit", QUARANTINED, bit)


def judge_unique_winners(
    verdict: Verdict, rules: Sequence[tuple[UniqueRule, int]], target: Target, keys: Sequence[str]
) -> None:
    """Unique columns beside the identity of an upsert: judged over the winners and the rows they leave in place."""
    winners = verdict.passing()
    same = " AND ".join(f"w.{quote.ident(key)} = t.{quote.ident(key)}" for key in keys)
    staying = (
        f"SELECT * FROM ({target.relation}) AS t WHERE NOT EXISTS (SELECT 1 FROM ({winners}) AS w WHERE {same})"
        if target.relation
        else None
    )
    claims = _claims(verdict, rules, winners, staying)
    if claims:
        _first(verdict, claims)
        for number, (_, bit) in enumerate(rules):
            verdict.add(f"SELECT _hg_id, _hg_part FROM {claims} WHERE rule = {number} AND hit", QUARANTINED, bit)


def _claims(
    verdict: Verdict, rules: Sequence[tuple[UniqueRule, int]], relation: str, target: str | None
) -> str | None:
    """A table of contested claims `rule, key, _hg_id, _hg_part, held, good, state, hit`; None where nothing is contested.

    `held`: the target has the value; `good`: the record passes everything judged so far.
    """
    selects = []
    for number, (rule, _) in enumerate(rules):
        contested = _contested(verdict, number, rule, relation, target)
        if contested:
            same = " AND ".join(f"s.{quote.ident(name)} = k.{quote.ident(name)}" for name in rule.columns)
            selects.append(
                f"""SELECT {number} AS rule, k.rowid AS key, s._hg_id, s._hg_part, k.held
                    FROM ({relation}) AS s JOIN {contested} AS k ON {same}"""
            )
    if not selects:
        return None
    name = verdict.scan.temp(f"claims_{verdict.generation}")
    verdict.scan.session.execute(
        f"""CREATE TEMP TABLE {name} AS SELECT *, NOT EXISTS
                (SELECT 1 FROM {verdict.table} AS v WHERE v._hg_id = c._hg_id) AS good, 0 AS state, false AS hit
            FROM ({' UNION ALL '.join(selects)}) AS c"""
    )
    return name


def _contested(verdict: Verdict, number: int, rule: UniqueRule, relation: str, target: str | None) -> str | None:
    """Values that more than one record has, or that the target has already, as a table with `held`."""
    session = verdict.scan.session
    names = quote.columns(rule.columns)
    present = " AND ".join(f"{quote.ident(name)} IS NOT NULL" for name in rule.columns)
    name = verdict.scan.temp(f"contested_{verdict.generation}_{number}")
    held = ""
    if target is not None:
        same = " AND ".join(f"s.{quote.ident(one)} = t.{quote.ident(one)}" for one in rule.columns)
        # The batch is the side to build: the engine prunes the table by its smallest and greatest value.
        held = f""" UNION ALL SELECT DISTINCT {quote.columns(rule.columns, "t")}, true FROM ({target}) AS t
                    WHERE EXISTS (SELECT 1 FROM ({relation}) AS s WHERE {same})"""
    session.execute(
        f"""CREATE TEMP TABLE {name} AS SELECT {names}, bool_or(held) AS held FROM (
                SELECT {names}, false AS held FROM ({relation}) AS s WHERE {present}
                GROUP BY {names} HAVING count(*) > 1{held}) AS u GROUP BY {names}"""
    )
    return name if session.execute(f"SELECT 1 FROM {name} LIMIT 1") else None


def _hit(verdict: Verdict, claims: str, aggregate: str, condition: str) -> None:
    """Marks the claims for which `condition` holds, over the claim `c` and one aggregate `g.of` of its value."""
    verdict.scan.session.execute(
        f"""UPDATE {claims} AS c SET hit = true FROM (
                SELECT rule, key, {aggregate} AS of FROM {claims} GROUP BY rule, key) AS g
            WHERE g.rule = c.rule AND g.key = c.key AND (c.held OR coalesce({condition}, false))"""
    )


def _none(verdict: Verdict, claims: str) -> None:
    """keep=none: a value that a good row shares with another good row is refused to all who have it."""
    _hit(verdict, claims, "count(*) FILTER (WHERE good)", "g.of - CAST(c.good AS INTEGER) > 0")


def _last(verdict: Verdict, claims: str) -> None:
    """keep=last: the last good row holds the value, whoever came before it is refused."""
    _hit(verdict, claims, "max(_hg_id) FILTER (WHERE good)", "g.of > c._hg_id")


def _first(verdict: Verdict, claims: str) -> None:
    """keep=first, in source order: a row is accepted when it is the first open one for each of its values.

    With several rules a refusal may free a value, so rounds follow each other; the first undecided row is decided in
    each, mostly nearly all are.
    """
    session = verdict.scan.session
    session.execute(
        f"UPDATE {claims} SET state = 2 WHERE _hg_id IN (SELECT _hg_id FROM {claims} WHERE held OR NOT good)"
    )
    while session.execute(f"SELECT 1 FROM {claims} WHERE state = 0 LIMIT 1"):
        for state, verb in ((1, "bool_and(c._hg_id = f.first)"), (2, "bool_or(f.taken AND c._hg_id > f.first)")):
            session.execute(
                f"""UPDATE {claims} SET state = {state} WHERE state = 0 AND _hg_id IN (
                        SELECT c._hg_id FROM {claims} AS c JOIN (
                            SELECT rule, key, min(_hg_id) AS first, bool_or(state = 1) AS taken
                            FROM {claims} WHERE state < 2 GROUP BY rule, key
                        ) AS f ON f.rule = c.rule AND f.key = c.key
                        WHERE c.state = 0 GROUP BY c._hg_id HAVING {verb})"""
            )
    _hit(verdict, claims, "min(_hg_id) FILTER (WHERE state = 1)", "c._hg_id > g.of")


_RESOLVE = {"none": _none, "last": _last, "first": _first}
OLDER = 1


def judge_versions(
    verdict: Verdict, keys: Sequence[str], order_by: str | None, target: Target, ties_lose: bool
) -> None:
    """Upsert: the newest version of each key wins; the others, and what is older than the table's row, are deduplicated."""
    names = quote.columns(keys)
    order = f"{quote.ident(order_by)} DESC, " if order_by else ""
    passing = verdict.passing()
    doubled = verdict.scan.temp(f"doubled_{verdict.generation}")
    session = verdict.scan.session
    session.execute(
        f"CREATE TEMP TABLE {doubled} AS SELECT {names} FROM ({passing}) AS s GROUP BY {names} HAVING count(*) > 1"
    )
    if session.execute(f"SELECT 1 FROM {doubled} LIMIT 1"):
        same = " AND ".join(f"d.{quote.ident(key)} = s.{quote.ident(key)}" for key in keys)
        verdict.add(
            f"""SELECT _hg_id, _hg_part FROM (
                    SELECT _hg_id, _hg_part, row_number() OVER (PARTITION BY {names} ORDER BY {order}_hg_id DESC) AS rank
                    FROM ({passing}) AS s WHERE EXISTS (SELECT 1 FROM {doubled} AS d WHERE {same})) AS ranked
                WHERE rank > 1""",
            DEDUPLICATED,
        )
    if order_by and target.relation:
        older = f"s.{quote.ident(order_by)} {'<=' if ties_lose else '<'} t.{quote.ident(order_by)}"
        same = " AND ".join(f"t.{quote.ident(key)} = s.{quote.ident(key)}" for key in keys)
        verdict.add(
            f"""SELECT s._hg_id, s._hg_part FROM ({target.relation}) AS t JOIN ({verdict.passing()}) AS s
                ON {same} WHERE {older}""",
            DEDUPLICATED,
            why=OLDER,
        )


def judge_replay_keys(verdict: Verdict, keys: Sequence[str], target: Target, bit: int) -> None:
    """Replay over an upsert without order: a key that an entry later than the record's own wrote is refused."""
    if target.relation is None:
        return
    same = " AND ".join(f"t.{quote.ident(key)} = s.{quote.ident(key)}" for key in keys)
    verdict.add(
        f"""SELECT s._hg_id, s._hg_part FROM ({verdict.passing()}) AS s JOIN ({target.relation}) AS t ON {same}
            JOIN _headgate.quarantine AS q ON q.id = s._hg_id WHERE t._hg_load > q.entry""",
        QUARANTINED,
        bit,
    )

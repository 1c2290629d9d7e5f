"""Set rules: keys, unique values, references to other tables and to the own one.

Each works on narrow scans of its own columns; nothing here reads a whole row. A record takes its value only if it
passes all error rules; refused records are tested, too, so that reasons do not depend on how a load was sliced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headgate.contracts.model import Contract, ReferenceRule, UniqueRule
from headgate.core.values import TableRef
from headgate.gate.repeats import suspects
from headgate.gate.verdict import QUARANTINED, Verdict
from headgate.sql import quote

Uniques = Sequence[tuple[UniqueRule, int]]
References = Sequence[tuple[ReferenceRule, int]]


def judge_reference(verdict: Verdict, rule: ReferenceRule, bit: int) -> None:
    """Refuses records whose values the referenced table does not hold (NOT EXISTS: a NULL there refuses nothing)."""
    verdict.add(dangling(verdict, rule, verdict.judged()), QUARANTINED, bit)


def count_dangling(verdict: Verdict, rule: ReferenceRule, own: bool = False) -> dict[int, int]:
    """By part, how many records that pass refer to a value that the referenced table does not hold.

    `own`: the rule refers to the table that is made anew, which will hold what passes and nothing else.
    """
    found = dangling(verdict, rule, verdict.passing())
    if own:
        same = " AND ".join(f"r.{quote.ident(to)} = s.{quote.ident(column)}" for column, to in rule.pairs)
        found = f"""SELECT _hg_id, _hg_part FROM ({verdict.passing()}) AS s WHERE {filled(rule, "s")}
                       AND NOT EXISTS (SELECT 1 FROM ({verdict.passing()}) AS r WHERE {same})"""
    rows = verdict.temp.session.execute(f"SELECT _hg_part, count(*) FROM ({found}) AS d GROUP BY 1")
    return {row[0]: row[1] for row in rows}


def dangling(verdict: Verdict, rule: ReferenceRule, records: str) -> str:
    """SELECT of `_hg_id, _hg_part` of the records whose values no row of the referenced table has; one with a NULL
    among them refers to nothing."""
    same = [f"{verdict.comparable('r', to, column)} = s.{quote.ident(column)}" for column, to in rule.pairs]
    table = quote.table(TableRef.parse(rule.to_table))
    return f"""SELECT _hg_id, _hg_part FROM ({records}) AS s WHERE {filled(rule, "s")}
               AND NOT EXISTS (SELECT 1 FROM {table} AS r WHERE {" AND ".join(same)})"""


def filled(rule: ReferenceRule, alias: str) -> str:
    """A condition: the record of `alias` has a value in every column of the reference."""
    return " AND ".join(f"{alias}.{quote.ident(column)} IS NOT NULL" for column in rule.columns)


def without(target: str, delivered: str, keys: Sequence[str]) -> str:
    """The table's rows but those of the partitions that are delivered."""
    same = " AND ".join(f"d.{quote.ident(key)} = t.{quote.ident(key)}" for key in keys)
    return f"SELECT * FROM ({target}) AS t WHERE NOT EXISTS (SELECT 1 FROM ({delivered}) AS d WHERE {same})"


def judge_overtaken(verdict: Verdict, table: TableRef, bit: int) -> None:
    """A replay of records that name no partition: a later load may have said what there is in their place."""
    verdict.add(
        f"""SELECT s._hg_id, s._hg_part FROM ({verdict.judged()}) AS s
            JOIN _headgate.quarantine AS q ON q.id = s._hg_id
            WHERE q.key IS NULL AND EXISTS (
                SELECT 1 FROM _headgate.entry AS e
                WHERE e.table_name = {quote.literal(str(table))} AND e.kind = 'load' AND e.id > q.origin)""",
        QUARANTINED,
        bit,
    )


@dataclass
class Rounds:
    """Rules that look at the whole load, settled by rounds: judge all, strike out what fails, judge the rest anew.

    A strike is never taken back; who holds a value (keep=first) and who wins a key (upsert) is found anew in each
    round, so that a row that is refused in the end has taken nothing. `struck` has `_hg_id, _hg_part, bit`; `target` is
    the relation of the table's standing rows, None where it holds nothing.
    """

    verdict: Verdict
    target: str | None
    uniques: Uniques
    own: References
    number: int = 0

    def __post_init__(self) -> None:
        self.struck = self.verdict.temp.name("struck")
        self.run(f"CREATE TEMP TABLE {self.struck} (_hg_id BIGINT, _hg_part INTEGER, bit INTEGER)")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self.verdict.temp.session.execute(sql)

    def keep(self, name: str, select: str) -> str:
        """A temporary table of what the SELECT gives."""
        return self.verdict.temp.keep(name, select)

    def standing(self) -> str:
        """The rows that passed everything judged before and were not struck out."""
        return f"""SELECT * FROM ({self.verdict.passing()}) AS r
                   WHERE NOT EXISTS (SELECT 1 FROM {self.struck} AS x WHERE x._hg_id = r._hg_id)"""

    def struck_rows(self) -> str:
        """The rows that were struck out; for keep=none what they share stays shared."""
        return f"""SELECT * FROM ({self.verdict.passing()}) AS r
                   WHERE EXISTS (SELECT 1 FROM {self.struck} AS x WHERE x._hg_id = r._hg_id)"""

    def strike(self, hits: str) -> bool:
        """Strikes out what the SELECT of `_hg_id, _hg_part, bit` finds; True if any of it is new."""
        before = self.run(f"SELECT count(bit) FROM {self.struck}")
        self.run(f"INSERT INTO {self.struck} SELECT * FROM ({hits}) AS h EXCEPT SELECT * FROM {self.struck}")
        return self.run(f"SELECT count(bit) FROM {self.struck}") != before

    def strike_own_references(self, candidates: str, accepted: str, staying: str | None) -> bool:
        found = [
            self.strike(
                f"""SELECT _hg_id, _hg_part, CAST({bit} AS INTEGER) AS bit
                    FROM ({_unknown(rule, candidates, accepted, staying)}) AS u"""
            )
            for rule, bit in self.own
        ]
        return any(found)

    def settle(self, accepted: str, staying: str | None, clashes: Sequence[tuple[str, int]] = ()) -> None:
        """Writes the strikes into the verdict, with every row that clashes or refers to nothing in the end."""
        judged = self.verdict.judged()
        hits = list(clashes)
        for rule, bit in self.own:
            hits.append((self.keep(f"unknown_{bit}", _unknown(rule, judged, accepted, staying)), bit))
        for _, bit in (*self.uniques, *self.own):
            if self.run(f"SELECT 1 FROM {self.struck} WHERE bit = {bit} LIMIT 1"):
                hits.append((f"{self.struck} WHERE bit = {bit}", bit))
        for table, bit in hits:
            self.verdict.add(f"SELECT _hg_id, _hg_part FROM {table}", QUARANTINED, bit)


def _unknown(rule: ReferenceRule, candidates: str, accepted: str, staying: str | None) -> str:
    """The candidates whose values no accepted and no staying row of the table has: `_hg_id, _hg_part`."""
    to = quote.columns(rule.to_columns)
    held = f" UNION ALL SELECT {to} FROM ({staying}) AS t" if staying else ""
    names = [f"v{number}" for number in range(len(rule.columns))]
    same = (f"known.{name} = s.{quote.ident(column)}" for name, column in zip(names, rule.columns, strict=True))
    return f"""SELECT _hg_id, _hg_part FROM ({candidates}) AS s WHERE {filled(rule, "s")} AND NOT EXISTS (
                   SELECT 1 FROM (SELECT {to} FROM ({accepted}) AS p{held}) AS known({", ".join(names)})
                   WHERE {" AND ".join(same)})"""


def judge_append(verdict: Verdict, uniques: Uniques, own: References, target: str | None) -> None:
    """Unique rules and references to the own table, under append and replace."""
    claims = make_claims(verdict, uniques, verdict.judged(), target, "claims")
    if not claims and not own:
        return
    rounds = Rounds(verdict, target, uniques, own)
    while True:
        accepted = rounds.standing()
        if claims:
            _accept_in_order(rounds, claims)
            accepted += f" AND NOT EXISTS (SELECT 1 FROM {claims} AS c WHERE c._hg_id = r._hg_id AND NOT c.acc)"
        struck = [rounds.strike(f"{forward(claims, rounds.struck)} AND c.acc")] if claims else []
        struck.append(rounds.strike_own_references(accepted, accepted, target))
        if not any(struck):
            break
    if own:
        accepted = f"SELECT * FROM {rounds.keep('accepted', accepted)}"
    rounds.settle(accepted, target, _clashes(rounds, claims) if claims else ())


def make_claims(verdict: Verdict, rules: Uniques, relation: str, target: str | None, name: str) -> str | None:
    """A table of contested claims, or None where nothing is contested.

    *Shape*: `bit, keep, key, _hg_id, _hg_part`; `held`: the target has the value; `good`: the record passes what was
    judged so far; `state` of keep=first: 0 open, 1 holds its values, 2 does not; `acc`: would enter the table.
    """
    selects = []
    for rule, bit in rules:
        contested = _contested(verdict, f"{name}_{bit}", rule, relation, target)
        if contested:
            same = " AND ".join(f"s.{quote.ident(one)} = k.{quote.ident(one)}" for one in rule.columns)
            selects.append(
                f"""SELECT {bit} AS bit, '{rule.keep}' AS keep, k._hg_key AS key, s._hg_id, s._hg_part,
                        k._hg_held AS held FROM ({relation}) AS s JOIN {contested} AS k ON {same}"""
            )
    if not selects:
        return None
    return verdict.temp.keep(
        name,
        f"""SELECT c.*, NOT EXISTS
                (SELECT 1 FROM {verdict.table} AS v WHERE v._hg_id = c._hg_id) AS good, 0 AS state, false AS acc
            FROM ({" UNION ALL ".join(selects)}) AS c""",
    )


def _contested(verdict: Verdict, name: str, rule: UniqueRule, relation: str, target: str | None) -> str | None:
    """Values that more than one record has, or that the target has already, as a table with `held`."""
    names = quote.columns(rule.columns)
    present = " AND ".join(f"{quote.ident(one)} IS NOT NULL" for one in rule.columns)
    if verdict.abroad is None and len(rule.columns) == 1 and (late := suspects(verdict.scan, rule.columns[0])):
        present += f" AND {names} IN (SELECT value FROM {late})"
    held = ""
    if target is not None:
        same = " AND ".join(f"s.{quote.ident(one)} = t.{quote.ident(one)}" for one in rule.columns)
        # An inner join: only then does the engine prune the table by the batch's smallest and greatest value.
        held = f""" UNION ALL SELECT DISTINCT {quote.columns(rule.columns, "t")}, true
                    FROM ({target}) AS t JOIN ({relation}) AS s ON {same}"""
    made = verdict.temp.keep(
        f"contested_{name}",
        f"""SELECT {names}, bool_or(_hg_held) AS _hg_held,
                row_number() OVER () AS _hg_key FROM (
                SELECT {names}, false AS _hg_held FROM ({relation}) AS s WHERE {present}
                GROUP BY {names} HAVING count(*) > 1{held}) AS u GROUP BY {names}""",
    )
    return made if verdict.temp.session.execute(f"SELECT 1 FROM {made} LIMIT 1") else None


def _accept_in_order(rounds: Rounds, claims: str) -> None:
    """keep=first, in source order: a row enters when it is the first open one for each of its values.

    With several rules a refusal may free a value, so turns follow each other; the first undecided row is decided in
    each, mostly nearly all are.
    """
    rounds.run(
        f"""UPDATE {claims} SET state = CASE WHEN _hg_id IN (
                SELECT _hg_id FROM {claims} WHERE NOT good OR (held AND keep = 'first')
                UNION ALL SELECT _hg_id FROM {rounds.struck}) THEN 2 ELSE 0 END"""
    )
    take_turns(rounds, claims)
    rounds.run(f"UPDATE {claims} SET acc = state < 2")


def take_turns(rounds: Rounds, claims: str) -> None:
    """Decides the open claims of keep=first: who is first in all, then who comes after a holder, until none is open."""
    while rounds.run(f"SELECT 1 FROM {claims} WHERE state = 0 AND keep = 'first' LIMIT 1"):
        for state, verb in ((1, "bool_and(c._hg_id = f.first)"), (2, "bool_or(f.taken AND c._hg_id > f.first)")):
            rounds.run(
                f"""UPDATE {claims} SET state = {state} WHERE state = 0 AND _hg_id IN (
                        SELECT c._hg_id FROM {claims} AS c JOIN (
                            SELECT bit, key, min(_hg_id) AS first, bool_or(state = 1) AS taken
                            FROM {claims} WHERE state < 2 AND keep = 'first' GROUP BY bit, key
                        ) AS f ON f.bit = c.bit AND f.key = c.key
                        WHERE c.state = 0 AND c.keep = 'first' GROUP BY c._hg_id HAVING {verb})"""
            )


def forward(claims: str, struck: str) -> str:
    """Claims of keep=last and keep=none that fail: `_hg_id, _hg_part, bit`; more conditions on `c` may follow.

    For keep=none, rows that this very rule struck out still count: a shared value stays shared.
    """
    return f"""SELECT c._hg_id, c._hg_part, c.bit FROM {claims} AS c JOIN (
            SELECT c.bit, c.key, max(c._hg_id) FILTER (WHERE c.acc) AS latest,
                count(*) FILTER (WHERE c.acc OR x.bit IS NOT NULL) AS sharers
            FROM {claims} AS c LEFT JOIN {struck} AS x ON x._hg_id = c._hg_id AND x.bit = c.bit
            WHERE c.keep <> 'first' GROUP BY c.bit, c.key) AS g ON g.bit = c.bit AND g.key = c.key
        LEFT JOIN {struck} AS y ON y._hg_id = c._hg_id AND y.bit = c.bit
        WHERE (c.held OR (c.keep = 'last' AND coalesce(g.latest > c._hg_id, false))
            OR (c.keep = 'none' AND g.sharers - CAST(c.acc OR y.bit IS NOT NULL AS INTEGER) > 0))"""


def behind_holder(claims: str) -> str:
    """Claims of keep=first whose value the table or an earlier holder has: `_hg_id, _hg_part, bit`."""
    return f"""SELECT c._hg_id, c._hg_part, c.bit FROM {claims} AS c LEFT JOIN (
            SELECT bit, key, min(_hg_id) AS first FROM {claims} WHERE state = 1 AND keep = 'first' GROUP BY bit, key
        ) AS h ON h.bit = c.bit AND h.key = c.key
        WHERE c.keep = 'first' AND (c.held OR coalesce(c._hg_id > h.first, false))"""


def _clashes(rounds: Rounds, claims: str) -> list[tuple[str, int]]:
    """For each unique rule, a table of all records, refused ones too, that clash with who holds their value."""
    made = []
    for rule, bit in rounds.uniques:
        failing = behind_holder(claims) if rule.keep == "first" else forward(claims, rounds.struck)
        made.append((rounds.keep(f"clash_{bit}", f"{failing} AND c.bit = {bit}"), bit))
    return made


def key_text(contract: Contract, keys: Sequence[str]) -> str:
    """SQL, for the engine, of the canonical text of these columns; NULL where one of them is."""
    kinds = {column.name: column.type.name for column in contract.columns}
    plain = [f"{quote.ident(key)}{' + 0.0' if kinds[key] == 'double' else ''}" for key in keys]  # no negative zero
    known = " AND ".join(f"{quote.ident(key)} IS NOT NULL" for key in keys)
    listed = ", ".join(f"CAST({one} AS VARCHAR)" for one in plain)
    return f"CASE WHEN {known} THEN CAST(to_json([{listed}]) AS VARCHAR) END"

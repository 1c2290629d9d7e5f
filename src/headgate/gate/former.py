"""SCD3: what a column said before it last changed, once every record of an identity had its turn in source order.

A record has its turn unless it comes too late: one that is older than the one before it, or than the table's row, tells
nothing. So what is kept does not depend on how a load was sliced, although only the last record leaves a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.books.previous import Former
from headgate.gate.verdict import DEDUPLICATED, Verdict
from headgate.gate.versions import Identity, doubled
from headgate.sql import quote

Previous = Sequence[tuple[str, str]]
"""Columns, and beside each the name of the one that keeps what it said before."""
STANDS = -1
"""In the place of a record's id: the row that stands in the table."""


def judge_former(verdict: Verdict, identity: Identity, previous: Previous, target: str | None) -> Former | None:
    """What the rows that enter keep of those before them; None where there is nothing before any.

    To be asked once all other fates are settled. `target`: the relation of the table's rows, None where it has none.
    """
    work = _Work(verdict, identity, previous, target)
    found = [*work.followers(), *work.folded()]
    if not found:
        return None
    return Former(" UNION ALL ".join(f"SELECT * FROM {one}" for one in found), [name for _, name in previous])


@dataclass
class _Work:
    verdict: Verdict
    identity: Identity
    previous: Previous
    target: str | None

    @property
    def names(self) -> str:
        return quote.columns(self.identity.keys)

    @property
    def at(self) -> str:
        return quote.ident(self.identity.order_by) if self.identity.order_by else "0"

    def keep(self, name: str, select: str) -> str:
        return self.verdict.temp.keep(f"former_{name}", select)

    def __post_init__(self) -> None:
        verdict = self.verdict
        self.told = f"""SELECT * FROM ({verdict.judged()}) AS r WHERE NOT EXISTS (
            SELECT 1 FROM {verdict.table} AS v WHERE v._hg_id = r._hg_id AND v.fate <> {DEDUPLICATED})"""
        self.twice = doubled(verdict, self.identity, self.told)

    def often(self, one: str) -> str:
        """A condition: the identity of `one` comes more than once."""
        return f"EXISTS (SELECT 1 FROM {self.twice} AS d WHERE {self.identity.same('d', one)})"

    def followers(self) -> list[str]:
        """The usual case: one record of an identity enters in place of a row, whose values are those before."""
        if self.target is None:
            return []
        values = ", ".join(
            f"CASE WHEN t.{said} IS DISTINCT FROM s.{said} THEN t.{said} ELSE t.{kept} END AS {kept}"
            for said, kept in ((quote.ident(column), quote.ident(name)) for column, name in self.previous)
        )
        return [
            self.keep(
                "followers",
                f"""SELECT {quote.columns(self.identity.keys, "s")}, {values}
                    FROM ({self.target}) AS t JOIN ({self.verdict.passing()}) AS s ON {self.identity.same("t", "s")}
                    WHERE NOT {self.often("s")}""",
            )
        ]

    def folded(self) -> list[str]:
        """Several records of an identity have their turn one after the other."""
        if not self.verdict.temp.session.execute(f"SELECT 1 FROM {self.twice} LIMIT 1"):
            return []
        nothing = "".join(f", _hg_c{n} AS _hg_k{n}" for n in range(len(self.previous)))
        points = self.keep(
            "points",
            f"""SELECT *{nothing} FROM (SELECT _hg_id, {self.names}, {self.at} AS _hg_at, {self.said}
                    FROM ({self.told}) AS s WHERE {self.often("s")}) AS p{self.standing()}""",
        )
        return [self.kept(self.turns(points))]

    @property
    def said(self) -> str:
        return ", ".join(f"{quote.ident(column)} AS _hg_c{n}" for n, (column, _) in enumerate(self.previous))

    def standing(self) -> str:
        """The rows of these identities, with what they keep."""
        if self.target is None:
            return ""
        kept = ", ".join(f"{quote.ident(name)} AS _hg_k{n}" for n, (_, name) in enumerate(self.previous))
        return f""" UNION ALL SELECT CAST({STANDS} AS BIGINT), {self.names}, {self.at}, {self.said}, {kept}
            FROM ({self.target}) AS t WHERE {self.often("t")}"""

    def turns(self, points: str) -> str:
        """The points that have their turn: none of them is older than one before it."""
        late = "_hg_turn < coalesce(_hg_before, 0)"
        if self.identity.order_by and self.identity.ties_lose:
            late += " OR _hg_turn = _hg_standing"
        return self.keep(
            "turns",
            f"""SELECT * FROM (
                    SELECT *, max(_hg_turn) OVER (PARTITION BY {self.names} ORDER BY _hg_id
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS _hg_before,
                        max(CASE WHEN _hg_id = {STANDS} THEN _hg_turn END)
                            OVER (PARTITION BY {self.names}) AS _hg_standing
                    FROM (SELECT *, CASE WHEN _hg_at IS NULL THEN 0 ELSE
                            dense_rank() OVER (PARTITION BY {self.names} ORDER BY _hg_at) END AS _hg_turn
                        FROM {points}) AS ranked) AS told
                WHERE _hg_id = {STANDS} OR NOT coalesce({late}, false)""",
        )

    def kept(self, turns: str) -> str:
        """By identity of a row that enters: for each column, the last value that is not the row's own; where there is
        none, what the table keeps already."""
        same = self.identity.same
        last = self.keep(
            "last",
            f"""SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY {self.names} ORDER BY _hg_id DESC) AS _hg_age
                    FROM {turns} AS t) AS aged WHERE _hg_age = 1 AND _hg_id <> {STANDS}""",
        )
        parts, values = [], []
        for n, (_, name) in enumerate(self.previous):
            other = self.keep(
                f"other_{n}",
                f"""SELECT * FROM (SELECT t.*, row_number() OVER (
                            PARTITION BY {quote.columns(self.identity.keys, "t")} ORDER BY t._hg_id DESC) AS _hg_number
                        FROM {turns} AS t JOIN {last} AS l ON {same("l", "t")}
                        WHERE t._hg_c{n} IS DISTINCT FROM l._hg_c{n}) AS differing WHERE _hg_number = 1""",
            )
            parts.append(f"LEFT JOIN {other} AS o{n} ON {same(f'o{n}', 'l')}")
            value = f"CASE WHEN o{n}._hg_id IS NULL THEN s._hg_k{n} ELSE o{n}._hg_c{n} END"
            values.append(f"{value} AS {quote.ident(name)}")
        return self.keep(
            "kept",
            f"""SELECT {quote.columns(self.identity.keys, "l")}, {", ".join(values)}
                FROM {last} AS l LEFT JOIN {turns} AS s ON s._hg_id = {STANDS} AND {same("s", "l")}
                {" ".join(parts)}""",
        )

"""References whose unmatched values are emptied: the record loads with NULL in their place, and is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headgate.contracts.model import ReferenceRule
from headgate.core.protocols import StoreSession
from headgate.gate.sets import dangling, filled
from headgate.gate.verdict import Verdict
from headgate.sql import quote


@dataclass
class Nulled:
    """What is emptied in one commit. `hits`: by rule, a table of `_hg_id` of the records whose value is unmatched."""

    verdict: Verdict
    hits: dict[ReferenceRule, str] = field(default_factory=dict)
    shares: dict[ReferenceRule, tuple[int, int]] = field(default_factory=dict)
    """Of rules with `mostly`: how many records were unmatched, of how many that had a value."""

    def find(self, rules: Sequence[ReferenceRule]) -> None:
        """Asks every value as it was received, then empties those that the referenced tables do not hold."""
        temp = self.verdict.temp
        for rule in rules:
            judged = self.verdict.judged()
            found = temp.keep(f"unmatched_{len(temp.tables)}", dangling(self.verdict, rule, judged))
            if rule.mostly is not None:
                values = f"SELECT count(*) FROM ({judged}) AS judged WHERE {filled(rule, 'judged')}"
                ((broken, counted),) = temp.session.execute(f"SELECT (SELECT count(*) FROM {found}), ({values})")
                self.shares[rule] = broken, counted
            if temp.session.execute(f"SELECT 1 FROM {found} LIMIT 1"):
                self.hits[rule] = found
        if self.verdict.abroad is None:
            self._empty_here()
            return
        for rule, found in self.hits.items():
            emptied = ", ".join(f"{quote.ident(column)} = NULL" for column in rule.columns)
            temp.session.execute(
                f"""UPDATE {self.verdict.brought} SET {emptied}
                    WHERE _hg_id IN (SELECT _hg_id FROM {found})"""
            )

    def come_back(self, session: StoreSession) -> None:
        """Takes what was found in the store to the engine, where the rows are."""
        if self.verdict.abroad is None:
            return
        for rule, found in self.hits.items():
            name = self.verdict.scan.temp.name(f"emptied_{len(self.verdict.scan.temp.tables)}")
            self.hits[rule] = session.take(f"SELECT _hg_id FROM {found}", name)
        self._empty_here()

    def _empty_here(self) -> None:
        for rule, found in self.hits.items():
            for column in rule.columns:
                self.verdict.scan.emptied.setdefault(column, []).append(found)

    def counts(self) -> dict[ReferenceRule, dict[int, int]]:
        """By rule and part, how many records that pass were emptied; in the engine."""
        counted: dict[ReferenceRule, dict[int, int]] = {}
        for rule, found in self.hits.items():
            rows = self.verdict.temp.session.execute(
                f"""SELECT _hg_part, count(*) FROM ({self.verdict.passing()}) AS s
                    WHERE EXISTS (SELECT 1 FROM {found} AS h WHERE h._hg_id = s._hg_id) GROUP BY 1"""
            )
            counted[rule] = {row[0]: row[1] for row in rows}
        return counted

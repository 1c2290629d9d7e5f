"""Reasons in words that a record itself brought about: what a function or a model of the user's said of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from headgate.adapters.python.arrow import pyarrow
from headgate.core.records import dataclass
from headgate.gate.bits import Reason
from headgate.gate.scan import Temp

LONGEST = 1_000
"""Characters of a message."""
WARNING = -1
"""In place of a bit: the rule only warns."""
_names = itertools.count(1)


@dataclass(frozen=True)
class Word:
    """One reason of one record. `place`: its place among the reasons of the same bit."""

    id: int
    part: int
    bit: int
    place: int
    reason: Reason


@dataclass
class Told:
    """The reasons of one commit, in a temporary table of the engine; `table` is "" as long as there is none."""

    temp: Temp
    table: str = ""

    def add(self, words: Sequence[Word]) -> None:
        """Keeps the reasons."""
        if not words:
            return
        pa = pyarrow("a rule in Python")
        columns: dict[str, Any] = {
            "_hg_id": pa.array([word.id for word in words], pa.int64()),
            "_hg_part": pa.array([word.part for word in words], pa.int32()),
            "bit": pa.array([word.bit for word in words], pa.int32()),
            "place": pa.array([word.place for word in words], pa.int32()),
            "rule": pa.array([word.reason.rule for word in words], pa.string()),
            "col": pa.array([word.reason.column for word in words], pa.string()),
            "said": pa.array([json.dumps(word.reason.to_json(), ensure_ascii=False) for word in words], pa.string()),
        }
        name, engine = f"hg_told_{next(_names)}", self.temp.session
        engine.register(name, pa.table(columns))  # type: ignore[attr-defined]
        try:
            if self.table:
                engine.execute(f"INSERT INTO {self.table} SELECT * FROM {name}")
            else:
                self.table = self.temp.keep("told", f"SELECT * FROM {name}")
        finally:
            engine.unregister(name)  # type: ignore[attr-defined]

    def take(self, select: str) -> None:
        """Keeps reasons that the engine found: `_hg_id, _hg_part, bit, place, rule, col, said`."""
        if self.table:
            self.temp.session.execute(f"INSERT INTO {self.table} {select}")
        else:
            self.table = self.temp.keep("told", select)

    def hits(self, bit: int) -> str:
        """A SELECT of `_hg_id, _hg_part`: the records that have a reason of this bit."""
        return f"SELECT _hg_id, _hg_part FROM {self.table} WHERE bit = {bit}"

    def lists(self) -> str:
        """A SELECT of `_hg_id, said`: the reasons of each record as the inside of a JSON list."""
        return f"""SELECT _hg_id, string_agg(said, ', ' ORDER BY bit, place) AS said
                   FROM {self.table} WHERE bit >= 0 GROUP BY _hg_id"""

    def counts(self, bit: int) -> Mapping[int, dict[str, int]]:
        """By part: how many records have each reason of the bit."""
        rows = self.temp.session.execute(
            f"""SELECT _hg_part, rule, col, count(DISTINCT _hg_id) FROM {self.table} WHERE bit = {bit}
                GROUP BY ALL ORDER BY ALL"""
        )
        return _by_part(rows)

    def warnings(self, verdict: str) -> Mapping[int, dict[str, int]]:
        """By part: how many records that are not in the table `verdict` were warned of by each rule."""
        rows = self.temp.session.execute(
            f"""SELECT _hg_part, rule, col, count(DISTINCT _hg_id) FROM {self.table} AS t WHERE bit = {WARNING}
                AND NOT EXISTS (SELECT 1 FROM {verdict} AS v WHERE v._hg_id = t._hg_id) GROUP BY ALL ORDER BY ALL"""
        )
        return _by_part(rows)


def _by_part(rows: Sequence[tuple[Any, ...]]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    for part, rule, column, records in rows:
        counts.setdefault(part, {})[f"{column}.{rule}" if column else rule] = records
    return counts


def message_of(error: BaseException, place: str = "") -> str:
    """What an exception of the user's code tells of a record: the text of a ValueError, of others type and text.

    `place`: where it was raised, to be told instead of the text of what is no ValueError (it might hold a value).
    """
    try:
        said = str(error).strip()
    except Exception:
        said = ""
    name = type(error).__name__
    if isinstance(error, ValueError):
        return plain(said or name)
    if place:
        return plain(f"{name} at {place}")
    return plain(f"{name}: {said}" if said else name)


def plain(text: str) -> str:
    """The text as every warehouse can keep it, cut where it is very long."""
    kept = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"

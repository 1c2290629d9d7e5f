"""Insert with a horizon: a record is a repetition if one of its identity entered whose time is near its own.

Records are taken one by one, in source order, each against the table and those that entered before it; so what enters
does not depend on how a load was sliced, nor on any clock. Near is symmetric: a record that comes late is a repetition
of a later one. Records of an identity fall into clusters, between which no two are near. Where all of a cluster are
near to each other, the usual case, its first record enters; only chains are taken one by one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from headgate.core.records import dataclass
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.gate.scan import Temp

CHUNK = 1000
_ENDS = {
    "DATE": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "TIMESTAMP": ("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
    "TIMESTAMP WITH TIME ZONE": (
        "TIMESTAMP WITH TIME ZONE '0001-01-01 00:00:00+00'",
        "TIMESTAMP WITH TIME ZONE '9999-12-31 23:59:59.999999+00'",
    ),
}


@dataclass(frozen=True)
class Horizon:
    """`by`: the column with a record's time; records of one identity are near if theirs are at most `secs` apart.

    Outside of the years 1 to 9999 only equal times are near.
    """

    by: str
    secs: int


@dataclass(frozen=True)
class Nearness:
    """The SQL of a horizon over a column of this type of the engine."""

    horizon: Horizon
    kind: str

    @property
    def column(self) -> str:
        return quote.ident(self.horizon.by)

    def _moved(self, value: str, sign: str) -> str:
        if self.kind == "DATE":
            return f"{value} {sign} {self.horizon.secs // 86_400}"
        return f"{value} {sign} INTERVAL '{self.horizon.secs} seconds'"

    def _end(self, value: str, sign: str, choose: str, limit: str) -> str:
        low, high = _ENDS[self.kind]
        moved = f"{choose}(CAST({self._moved(value, sign)} AS {self.kind}), {limit})"
        return f"CASE WHEN {value} BETWEEN {low} AND {high} THEN {moved} ELSE {value} END"

    def low(self, value: str) -> str:
        """The earliest time that is near."""
        return self._end(value, "-", "greatest", _ENDS[self.kind][0])

    def high(self, value: str) -> str:
        """The latest time that is near."""
        return self._end(value, "+", "least", _ENDS[self.kind][1])

    def plain(self, value: str) -> str:
        """A time that Python can hold."""
        return f"{value} AT TIME ZONE 'UTC'" if self.kind == "TIMESTAMP WITH TIME ZONE" else value


def known(near: Nearness, same: str, passing: str, target: str) -> str:
    """SELECT of `_hg_id, _hg_part` of records that are near a row of the table. `same`: of `t` and `s`."""
    time = f"t.{near.column}"
    return f"""SELECT s._hg_id, s._hg_part FROM ({target}) AS t JOIN ({passing}) AS s ON {same}
               WHERE {time} BETWEEN {near.low(f"s.{near.column}")} AND {near.high(f"s.{near.column}")}"""


def crowded(near: Nearness, keys: Iterable[str], passing: str) -> str:
    """SELECT of `_hg_id, _hg_part` of records that are near another one."""
    window = f"(PARTITION BY {quote.columns(keys)} ORDER BY {near.column}, _hg_id)"
    return f"""SELECT _hg_id, _hg_part FROM (
            SELECT _hg_id, _hg_part, coalesce(lag({near.column}) OVER {window} >= {near.low(near.column)}, false)
                OR coalesce(lead({near.column}) OVER {window} <= {near.high(near.column)}, false) AS _hg_near
            FROM ({passing}) AS s) AS seen WHERE _hg_near"""


def repeated(near: Nearness, keys: Iterable[str], records: str, temp: Temp, name: str) -> str:
    """A table of `_hg_id, _hg_part` of records that are near one of `records` that enters before them."""
    clusters = temp.keep(f"{name}_clusters", _clusters(near, list(keys), records))
    whole = f"SELECT min({near.column}) OVER c >= max(_hg_low) OVER c AS _hg_tight, min(_hg_id) OVER c AS _hg_first"
    seen = f"{whole}, k.* FROM {clusters} AS k WINDOW c AS (PARTITION BY _hg_cluster)"
    found = temp.keep(name, f"SELECT _hg_id, _hg_part FROM ({seen}) AS seen WHERE _hg_tight AND _hg_id > _hg_first")
    chains = temp.session.execute(
        f"""SELECT _hg_cluster, _hg_id, {near.plain(near.column)} FROM ({seen}) AS seen
            WHERE NOT _hg_tight ORDER BY _hg_cluster, _hg_id"""
    )
    for ids in _chunks(_one_by_one(chains, near.horizon.secs)):
        values = ", ".join(f"({number})" for number in ids)
        temp.session.execute(
            f"""INSERT INTO {found} SELECT k._hg_id, k._hg_part FROM {clusters} AS k
                JOIN (VALUES {values}) AS v(id) ON v.id = k._hg_id"""
        )
    return found


def _clusters(near: Nearness, keys: list[str], records: str) -> str:
    """The records, each with the number of its cluster: a new one begins where the time before is not near."""
    mine = f"PARTITION BY {quote.columns(keys)} ORDER BY {near.column}, _hg_id"
    order = f"ORDER BY {quote.columns(keys)}, {near.column}, _hg_id"
    begins = f"CASE WHEN lag({near.column}) OVER ({mine}) >= _hg_low THEN 0 ELSE 1 END"
    placed = f"SELECT s.*, {near.low(f's.{near.column}')} AS _hg_low FROM ({records}) AS s"
    return f"""SELECT _hg_id, _hg_part, {near.column}, _hg_low,
                   sum(_hg_begins) OVER ({order} ROWS UNBOUNDED PRECEDING) AS _hg_cluster
               FROM (SELECT *, {begins} AS _hg_begins FROM ({placed}) AS placed) AS begun"""


def _one_by_one(records: Iterable[tuple[Any, ...]], secs: int) -> Iterator[int]:
    """Ids of the records (cluster, id, time; in source order) that are near one that enters before them."""
    reach = timedelta(seconds=secs)
    for _, cluster in groupby(records, key=lambda row: row[0]):
        entered: list[Any] = []
        for _, number, time in cluster:
            at = bisect_left(entered, time)
            # Of those that entered, no two are near: the neighbours decide.
            if any(abs(one - time) <= reach for one in entered[max(0, at - 1) : at + 1]):
                yield number
            else:
                insort(entered, time)


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for number in ids:
        chunk.append(number)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk

"""The fast way to read JSON lines: DuckDB's parser, and a proof for every line that it lost nothing.

DuckDB reads numbers as doubles and writes them anew (1.10 becomes 1.1), takes the first of two equal keys, and knows no
keys that it is not asked for. So from what it extracted the line is put together again, by a template: where that is
the line as received, every value is the text that stands there, and no key is left out. Any other line is an error
here, and is read by `jsontext` instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from headgate.adapters.files.jsontext import DEPTH, NoRecord, json_path, members
from headgate.core.records import dataclass
from headgate.sql.quote import ident, literal

SAMPLE = 100
UNPROVEN = "error('a line must be read another way')"
_OTHER_NUMBER = re.compile(rb"[\[:, ]-?(?:[iI][nN][fF]|[nN][aA][nN])")


def odd(block: bytes) -> bool:
    """Whether a line of the block may hold what DuckDB takes for JSON and we don't, or what it can't hold."""
    if b"\\" in block and b"\\u0000" in block:
        return True
    lower = block.lower()
    return (b"nan" in lower or b"inf" in lower) and _OTHER_NUMBER.search(block) is not None


@dataclass(frozen=True)
class Template:
    """Keys in the order of the lines, those that every sampled line has, and the blank behind colons and commas ("" or
    " "). `names`: the keys in order of first sight."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    always: frozenset[str]
    gap: str

    def _start(self, key: str, first: bool = False) -> str:
        return literal(f"{'{' if first else ',' + self.gap}{json.dumps(key, ensure_ascii=False)}:{self.gap}")

    def proof(self, line: str, values: Mapping[str, str]) -> str:
        """SQL: whether the line is what the values make; they are NULL where a key is missing."""
        headed = self.keys[0] in self.always
        parts = [
            f"{self._start(key, headed and not place)}, {values[key]}"
            if key in self.always
            else f"{self._start(key)} || {values[key]}"
            for place, key in enumerate(self.keys)
        ]
        made, there = f"concat({', '.join([*parts, literal('}')])})", line
        if not headed:  # nobody knows which key comes first: its comma is put before the others
            made, there = f"concat('{{', {made})", f"'{{{',' + self.gap}' || substr({line}, 2)"
            made = f"CASE WHEN {line}[1] = '{{' THEN {made} END"
        if self.gap:  # blanks inside of values are gone from what was written anew
            made, there = f"replace({made}, ' ', '')", f"replace({there}, ' ', '')"
        # CASE, because an OR evaluates both sides for every line.
        marks = f"strlen({line}) - strlen(replace(replace({line}, '[', ''), '{{', ''))"
        shallow = f"CASE WHEN strlen({line}) < {4 * DEPTH} THEN true ELSE {marks} <= {DEPTH} END"
        return f"({made} = {there} AND {shallow})"


def template(lines: Sequence[str]) -> Template | None:
    """What the lines have in common; None where the fast way would not do."""
    keys: list[str] = []
    names: dict[str, None] = {}
    seen: list[frozenset[str]] = []
    gaps: set[str] = set()
    for line in lines:
        try:
            found = members(line)
        except NoRecord:
            continue
        seen.append(frozenset(found))
        gaps.add(" " if re.match(r'\{"(?:[^"\\]|\\.)*": ', line) else "")
        last = -1
        names |= dict.fromkeys(found)
        for key in found:
            if key not in keys:
                keys.insert(last + 1, key)
            last = keys.index(key)
    lower = {key.lower() for key in keys}
    if not keys or len(gaps) > 1 or len(lower) < len(keys) or any("." in key for key in keys):
        return None
    return Template(tuple(keys), tuple(names), frozenset.intersection(*seen), gaps.pop())


def proven(lines: str, made: Template, paths: Sequence[str], numbered: bool, given: bool = False) -> str:
    """SELECT of `l`, one column `v<n>` (VARCHAR, NULL for null) per key and then per path, and `proof`.

    `lines`: a SELECT of `l`. `numbered`: also `n`, the line's number from 1; then a line that is no JSON has no proof
    instead of being an error. `given`: `lines` has the number already.
    """
    pointers = [json_path([key]) for key in made.keys] + [json_path(path.split(".")) for path in paths]
    wanted = f"json_extract(l, [{', '.join(literal(one) for one in pointers)}])"
    if numbered:
        lines = lines if given else f"SELECT l, row_number() OVER () AS n FROM ({lines})"
        wanted = f"CASE WHEN json_valid(l) THEN {wanted} END"
    number = ", n" if numbered else ""
    extracted = ", ".join(f"CAST(v[{place + 1}] AS VARCHAR) AS v{place}" for place in range(len(pointers)))
    inner = f"SELECT l{number}, {extracted} FROM (SELECT l{number}, {wanted} AS v FROM ({lines}))"
    values = {key: f"v{place}" for place, key in enumerate(made.keys)}
    proof = " AND ".join([made.proof("l", values), *_paths_lead(made, paths)])
    nulled = ", ".join(f"nullif(v{place}, 'null') AS v{place}" for place in range(len(pointers)))
    return f"SELECT l{number}, {nulled}, coalesce({proof}, false) AS proof FROM ({inner})"


def _paths_lead(made: Template, paths: Sequence[str]) -> list[str]:
    """Conditions: a path finds something, or its first key is missing; else what stands in its way must be told."""
    found = []
    for place, path in enumerate(paths, len(made.keys)):
        first = path.split(".")[0]
        if first in made.keys:
            parent = f"v{made.keys.index(first)}"
            found.append(f"(v{place} IS NOT NULL OR coalesce({parent}, 'null') = 'null')")
    return found


def strict(lines: str, made: Template, paths: Sequence[str], columns: Mapping[str, str], given: bool = False) -> str:
    """SELECT of `columns` (name -> key or path), an error at the first line without a proof. `given`: behind `_hg_row`,
    the line's number, which `lines` has as `n`."""
    places = {name: place for place, name in enumerate([*made.keys, *paths])}
    parts = ", ".join(
        f"CASE WHEN proof THEN v{places[key]} ELSE {UNPROVEN} END AS {ident(name)}" for name, key in columns.items()
    )
    number = "n AS _hg_row, " if given else ""
    return f"SELECT {number}{parts} FROM ({proven(lines, made, paths, numbered=given, given=given)})"

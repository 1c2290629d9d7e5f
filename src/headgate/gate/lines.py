"""The lists inside of records taken apart: one row for each line, under the record's id and with its place.

JSON is taken apart by the engine, which writes numbers anew (1.10 becomes 1.1) and gives the first of two equal keys.
So the elements that it gave are put together again: where that is the list as received, every value is the text that
stands there. In any other list the numbers are made strings first, and made numbers again behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from headgate.contracts.children import ITSELF
from headgate.core.protocols import Session
from headgate.core.records import dataclass
from headgate.core.values import SourceColumn
from headgate.gate.scan import Temp
from headgate.sql.quote import ident, literal
from headgate.types.jsonvalue import PHYSICAL as JSON_VALUE
from headgate.types.lexical import strict_json
from headgate.types.nested import Fed
from headgate.types.schema import Physical, parse_physical

DOC, PART = "_hg_doc", "_hg_part"
ODD, TWICE, EXTRA = "_hg_odd", "_hg_twice", "_hg_extra"
"""Flags of a line: it is no object; a key stands in it twice; it has a key that the contract does not know."""
BLOCKED = "{!"
"""What stands for a list that is none, and for a value whose path leads through what is no object."""
CHUNK = 20_000


def place(level: int) -> str:
    """The column with the line's place in the list of this level, the outermost being 0."""
    return f"_hg_p{level}"


def inner(number: int) -> str:
    """The column with a list inside of the line."""
    return f"_hg_k{number}"


@dataclass(frozen=True)
class Lists:
    """Lists of one type: a SELECT of `_hg_doc, _hg_part`, the places of the line that they are in, and `l`."""

    select: str
    physical: str = JSON_VALUE
    spaced: bool = False
    """Blanks may stand between the parts of the text."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a line: the sources of its columns, and of the lists inside of it."""

    level: int
    columns: tuple[str, ...]
    inner: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (*self.columns, *self.inner) if name != ITSELF))

    @property
    def outer(self) -> str:
        """The places of the line that the list is in, each behind a comma."""
        return "".join(f", {place(level)}" for level in range(self.level))


@dataclass(frozen=True)
class Taken:
    """Lines: a SELECT of `_hg_doc, _hg_part`, places, flags, `_hg_k<n>` and `columns`. `kinds`: of the inner lists.

    `rest`: makes the SELECT of the lines that are not in it, where there are fewer than the lists have.
    """

    select: str
    columns: tuple[SourceColumn, ...]
    kinds: tuple[str, ...]
    rest: Callable[[], str] | None = None


def of_text(fed: Fed) -> bool:
    """Whether the list is a text of JSON."""
    return fed.physical in (JSON_VALUE, "VARCHAR", "JSON")


def measured(lists: Lists) -> str:
    """SQL of how many lines `l` has, by another way than taking them apart; NULL where it is no list."""
    if lists.physical == JSON_VALUE:
        return "CASE WHEN prefix(l, '[') THEN CAST(json_array_length(l) AS BIGINT) END"
    return "CAST(len(l) AS BIGINT)"


def as_lists(select: Callable[[str], str], fed: Fed, doubtful: bool) -> Lists | None:
    """Lists that can be taken apart; `select` makes the SELECT for SQL of `l`. None where no value of the type is one.

    A value that is no list is BLOCKED. `doubtful`: the text may be no JSON at all.
    """
    kind = parse_physical(fed.physical) if not of_text(fed) else None
    if kind is not None and kind.name in ("LIST", "ARRAY") and kind.value is not None:
        listed = f"CAST({fed.expr} AS {kind.value.text}[])" if kind.name == "ARRAY" else fed.expr
        return Lists(select(listed), f"{kind.value.text}[]")
    if kind is not None and kind.nested:
        return None
    if kind is not None:
        return Lists(select(f"CASE WHEN {fed.expr} IS NOT NULL THEN '{BLOCKED}' END"))
    if not doubtful and fed.physical == JSON_VALUE:
        return Lists(select(fed.expr))
    text = f"nullif(CAST({fed.expr} AS VARCHAR), 'null')"
    proper = f"{text} IS NULL OR {strict_json(text)} IS NOT NULL"
    return Lists(select(f"CASE WHEN {proper} THEN {text} ELSE '{BLOCKED}' END"), spaced=True)


def taken_apart(temp: Temp, name: str, lists: Lists, wanted: Wanted, known: bool) -> Taken:
    """The lines of the lists. `known`: keys that nobody asks for are flagged. May make temporary tables `name_...`."""
    if lists.physical != JSON_VALUE:
        return _typed(lists, wanted, known)
    split = f"SELECT *, json_extract(l, '$[*]') AS v FROM ({lists.select}) AS s WHERE prefix(l, '[')"
    whole = "'[' || array_to_string(v, ',') || ']' = l"
    if lists.spaced:  # blanks inside of texts are the same on both sides
        whole = "replace('[' || array_to_string(v, ',') || ']', ' ', '') = replace(l, ' ', '')"

    def rest() -> str:
        others = f"SELECT {DOC}, {PART}{wanted.outer}, l FROM ({split}) AS s WHERE NOT ({whole})"
        marked = _marked(temp, f"{name}_marked", temp.keep(f"{name}_others", others))
        return _members(f"SELECT *, json_extract(l, '$[*]') AS v FROM {marked}", wanted, known, "$")

    columns = tuple(SourceColumn(one, JSON_VALUE) for one in dict.fromkeys(wanted.columns))
    exact = _members(f"SELECT * FROM ({split}) AS s WHERE {whole}", wanted, known, "")
    return Taken(exact, columns, (JSON_VALUE,) * len(wanted.inner), rest)


def _members(split: str, wanted: Wanted, known: bool, mark: str) -> str:
    """The lines of lists that are split into `v`. `mark`: what keys and texts in them begin with."""
    own = place(wanted.level)
    lines = f"""SELECT {DOC}, {PART}{wanted.outer}, CAST(unnest(v) AS VARCHAR) AS e,
                CAST(generate_subscripts(v, 1) AS BIGINT) AS {own} FROM ({split}) AS s"""
    pointers = _pointers(wanted.paths)
    if pointers:
        listed = ", ".join(literal(_pointer([mark + key for key in one])) for one in pointers)
        lines = f"SELECT *, json_extract(e, [{listed}]) AS v FROM ({lines}) AS s"
        found = ", ".join(f"CAST(v[{number}] AS VARCHAR) AS m{number}" for number in range(1, len(pointers) + 1))
        lines = f"SELECT {DOC}, {PART}{wanted.outer}, {own}, e, {found} FROM ({lines}) AS s"
    at = {path: f"m{number}" for number, path in enumerate(pointers, 1)}

    def value(source: str) -> str:
        text = "e" if source == ITSELF else _reached(source, at)
        return f"nullif({_unmarked(text) if mark else text}, 'null')"

    names = [f"{value(one)} AS {ident(one)}" for one in dict.fromkeys(wanted.columns)]
    names += [f"{value(one)} AS {inner(number)}" for number, one in enumerate(wanted.inner)]
    flags = _flags(wanted, at, known, mark)
    return f"SELECT {DOC}, {PART}{wanted.outer}, {own}, {', '.join([*flags, *names])} FROM ({lines}) AS s"


def _flags(wanted: Wanted, at: dict[tuple[str, ...], str], known: bool, mark: str) -> list[str]:
    if not wanted.paths:
        return [f"false AS {flag}" for flag in (ODD, TWICE, EXTRA)]
    first = sorted({path.split(".")[0] for path in wanted.paths})
    # An object is as long as the members that were found by name, or it has more: unknown ones, or one twice.
    sizes = [
        f"CASE WHEN {at[(name,)]} IS NULL THEN 0 ELSE strlen({at[(name,)]}) + {_size(mark + name)} END"
        for name in first
    ]
    more = f"prefix(e, '{{') AND strlen(e) <> 1 + {' + '.join(sizes)}"
    names = ", ".join(literal(mark + name) for name in first)
    extra = f"CASE WHEN {more} THEN NOT list_has_all([{names}], json_keys(e)) ELSE false END" if known else "false"
    twice = "len(json_keys(e)) <> len(list_distinct(json_keys(e)))"
    return [
        f"NOT prefix(e, '{{') AS {ODD}",
        f"CASE WHEN {more} THEN {twice} ELSE false END AS {TWICE}",
        f"{extra} AS {EXTRA}",
    ]


def _size(key: str) -> int:
    """Bytes of a member but for its value: the key, its colon and a comma."""
    return len(json.dumps(key, ensure_ascii=False).encode()) + 2


def _pointers(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """Every path as keys, and whatever it leads through."""
    whole = [tuple(path.split(".")) for path in paths]
    return list(dict.fromkeys(keys[:size] for keys in whole for size in range(1, len(keys) + 1)))


def _pointer(keys: Sequence[str]) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _reached(source: str, at: dict[tuple[str, ...], str]) -> str:
    """The value that a path leads to, BLOCKED where something stands in its way."""
    keys = tuple(source.split("."))
    found = at[keys]
    for size in range(1, len(keys)):
        way = at[keys[:size]]
        found = f"CASE WHEN {way} <> 'null' AND NOT prefix({way}, '{{') THEN '{BLOCKED}' ELSE {found} END"
    return found


_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = re.compile(rf"({_STRING})|(-?[0-9][0-9.eE+-]*)")


def _mark(text: str) -> str:
    """The text with `$` before every string and key, and every number a string behind `#`."""
    return _SCALAR.sub(lambda match: f'"#{match[2]}"' if match[2] else f'"${match[1][1:]}', text)


def _unmarked(text: str) -> str:
    """SQL that takes the marks off a value: what is inside of a list or object has them behind [ { : or a comma."""
    inside = f"regexp_replace({text}, '([\\[:,])\"#([^\"]*)\"', '\\1\\2', 'g')"
    inside = f"regexp_replace({inside}, '([\\[:,{{])\"\\$', '\\1\"', 'g')"
    return (
        f"CASE WHEN prefix({text}, '\"#') THEN substr({text}, 3, length({text}) - 3) "
        f"WHEN prefix({text}, '\"$') THEN '\"' || substr({text}, 3) "
        f"WHEN prefix({text}, '[') OR prefix({text}, '{{') THEN {inside} ELSE {text} END"
    )


def _marked(temp: Temp, name: str, others: str) -> str:
    """A table of the same lists with marks."""
    session: Session = temp.session
    made = temp.keep(name, f"SELECT * FROM {others} WHERE false")
    for start in range(0, int(session.execute(f"SELECT count(l) FROM {others}")[0][0]), CHUNK):
        chunk = f"{others} WHERE rowid >= {start} AND rowid < {start + CHUNK}"
        texts = [_mark(text) for (text,) in session.execute(f"SELECT l FROM {chunk} ORDER BY rowid")]
        session.execute(
            f"""INSERT INTO {made} SELECT o.* REPLACE (t[o.rowid - {start} + 1] AS l)
                FROM (SELECT from_json(?, '["VARCHAR"]') AS t) AS given, {chunk.replace(" WHERE", " AS o WHERE")}""",
            [json.dumps(texts)],
        )
    return made


def _typed(lists: Lists, wanted: Wanted, known: bool) -> Taken:
    """The lines of lists that have types of their own."""
    own, kind = place(wanted.level), parse_physical(lists.physical[:-2])
    lines = f"""SELECT {DOC}, {PART}{wanted.outer}, unnest(l) AS e, CAST(generate_subscripts(l, 1) AS BIGINT) AS {own}
                FROM ({lists.select}) AS s"""
    columns = [SourceColumn(ITSELF, kind.text)] if ITSELF in wanted.columns else []
    names = [f"e AS {ident(ITSELF)}"] * len(columns)
    odd = extra = "false"
    if wanted.paths:
        odd = "e IS NULL"
        members = [one for one in kind.fields if one[0] and not one[0].lower().startswith("_hg_")]
        columns += [SourceColumn(name, member.text) for name, member in members]
        names += [f"struct_extract(e, {literal(name)}) AS {ident(name)}" for name, _ in members]
        asked = {path.split(".")[0].lower() for path in wanted.paths} | {path.lower() for path in wanted.paths}
        unknown = [name for name, _ in members if name.lower() not in asked] if known else []
        extra = " OR ".join(f"struct_extract(e, {literal(name)}) IS NOT NULL" for name in unknown) or "false"
    kinds = []
    for number, path in enumerate(wanted.inner):
        expr, inside = _reach(kind, path)
        names.append(f"{expr} AS {inner(number)}")
        kinds.append(inside)
    flags = [f"{odd} AS {ODD}", f"false AS {TWICE}", f"coalesce({extra}, false) AS {EXTRA}"]
    select = f"SELECT {DOC}, {PART}{wanted.outer}, {own}, {', '.join([*flags, *names])} FROM ({lines}) AS s"
    return Taken(select, tuple(columns), tuple(kinds))


def _reach(kind: Physical, path: str) -> tuple[str, str]:
    """A member of `e` and its type; NULL of text where there is none."""
    expr = "e"
    for key in path.split("."):
        found = next((one for one in kind.fields if one[0].lower() == key.lower()), None)
        if kind.name != "STRUCT" or found is None:
            return "CAST(NULL AS VARCHAR)", "VARCHAR"
        expr, kind = f"struct_extract({expr}, {literal(found[0])})", found[1]
    return expr, kind.text


def is_object(physical: str) -> bool:
    """Whether lines of such lists have members."""
    return physical == JSON_VALUE or parse_physical(physical[:-2]).name == "STRUCT"


def members(physical: str) -> list[str]:
    """The names of the members of such lines."""
    return [name for name, _ in parse_physical(physical[:-2]).fields]

"""`kit`, the word that only macros of the kit know: quoting, checks of arguments, and what engines write apart."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from headgate.core.errors import nearest
from headgate.models import lexer
from headgate.models.kit import tables
from headgate.models.kit.guards import marker
from headgate.models.template import Refused
from headgate.sql import quote

SPACES = ("0085", "00A0", "1680", "2000-200B", "2028", "2029", "202F", "205F", "3000", "FEFF")
"""Unicode's blanks beyond ASCII, with the zero-width space and the byte order mark, which nobody sees."""


class Words:
    """One per rendering. `engine`: `duckdb` or `postgres`."""

    def __init__(self, engine: str) -> None:
        self.postgres = engine == "postgres"

    # -- arguments ---------------------------------------------------------------------------------------------------

    def refuse(self, what: str, fix: str) -> None:
        """Ends the rendering with an error at the model's line."""
        raise Refused("model-template", what, fix)

    def choice(self, macro: str, argument: str, value: object, *choices: str) -> str:
        """The value, if it is one of these words."""
        if value not in choices:
            what = f"hg.{macro}: {argument}={value!r} is unknown{nearest(str(value), choices)}"
            self.refuse(what, "Use one of " + ", ".join(choices))
        return str(value)

    def names(self, macro: str, argument: str, value: object) -> list[str]:
        """One name, or a list of them; at least one, and none twice."""
        found = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
        if not found or not all(isinstance(one, str) and one for one in found) or len(set(found)) < len(found):
            self.refuse(f"hg.{macro}: {argument}={value!r} names no columns", f"Write {argument}=['id', 'day']")
        return found

    def pairs(self, macro: str, argument: str, value: object) -> list[tuple[str, str]]:
        """Two names each, of a mapping; a name alone stands for both."""
        if isinstance(value, Mapping):
            self.names(macro, argument, list(value))
            return list(zip(value, self.names(macro, argument, list(value.values())), strict=True))
        return [(one, one) for one in self.names(macro, argument, value)]

    def mapping(self, macro: str, argument: str, value: object, example: str) -> Mapping[str, object]:
        """A mapping that is not empty."""
        if not isinstance(value, Mapping) or not value:
            self.refuse(f"hg.{macro}: {argument} is a mapping, not {value!r}", f"Write {argument}={example}")
        assert isinstance(value, Mapping)
        return value

    def every(self, macro: str, argument: str, given: Mapping[str, object], names: Iterable[str]) -> str:
        """Nothing, if the mapping says something about each of the names."""
        missing = [name for name in names if name not in given]
        if missing:
            what = f"hg.{macro}: {argument} says nothing about {missing[0]!r}"
            self.refuse(what, f"Write {argument}={{'{missing[0]}': ...}}")
        return ""

    def some(self, macro: str, argument: str, given: Mapping[str, object], names: Iterable[str]) -> str:
        """Nothing, if all that the mapping speaks of is among the names."""
        listed = list(names)
        for name in given:
            if name not in listed:
                what = f"hg.{macro}: {argument} speaks of {name!r}{nearest(str(name), listed)}"
                self.refuse(what, "Name one of " + ", ".join(listed))
        return ""

    def relation(self, macro: str, value: object) -> str:
        """What may stand behind FROM: a reference, the name of a part of the query, or a SELECT in parentheses."""
        told = str(value).strip()
        first = next((word for kind, word in lexer.tokens(told) if kind != "blank"), "")
        if not told or first.lower() in ("select", "with", "from", "values"):
            what = f"hg.{macro}: {told[:40]!r} is no relation"
            self.refuse(what, "Write ref('orders'), the name of a part of the query, or a SELECT in parentheses")
        return told

    def query(self, relation: object, sql: str) -> str:
        """The SQL on one line, to be run by hand; nothing where it reads a part of a query that stands nowhere."""
        return "" if isinstance(relation, str) or '"."' not in str(relation) else " ".join(lexer.normal(sql).split())

    def order(self, macro: str, value: object) -> str:
        """What stands behind ORDER BY, with NULL last unless it says otherwise: engines differ about it."""
        given = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
        parts = [part for one in given for part in _parts(str(one))]
        if not parts:
            self.refuse(f"hg.{macro}: order_by={value!r} orders nothing", "Write order_by='updated_at desc'")
        return ", ".join(part if re.search(r"\bnulls\s+(first|last)\b", part, re.I) else f"{part} NULLS LAST"
                         for part in parts)  # fmt: skip

    # -- SQL ---------------------------------------------------------------------------------------------------------

    def ident(self, name: str) -> str:
        return quote.ident(str(name))

    def columns(self, names: Sequence[str], alias: str = "") -> str:
        return quote.columns(names, alias)

    def each(self, names: Sequence[str]) -> list[str]:
        return [quote.ident(name) for name in names]

    def literal(self, value: object) -> str:
        """A value of the template as SQL: text in quotes, numbers, flags and NULL."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int | float | Decimal):
            return self.number("", "", value)
        return quote.literal(str(value))

    def number(self, macro: str, argument: str, value: object) -> str:
        """An exact decimal literal, however small or large."""
        try:
            made = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            made = Decimal("NaN")
        if not made.is_finite():
            self.refuse(f"hg.{macro}: {argument} is a number, not {value!r}", "Write it as 0.45359237")
        return f"{made:f}"

    def date(self, macro: str, argument: str, value: object) -> str:
        """A day as SQL."""
        try:
            day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
        except ValueError:
            self.refuse(f"hg.{macro}: {argument}={value!r} is no day", f"Write {argument}='2024-01-31'")
            raise
        return f"DATE '{day.isoformat()[:10]}'"

    def same(self, left: str, right: str, pairs: Sequence[tuple[str, str]]) -> str:
        """A join on these pairs of columns; NULL is no match."""
        return " AND ".join(f"{left}.{quote.ident(one)} = {right}.{quote.ident(two)}" for one, two in pairs)

    def not_null(self, names: Sequence[str]) -> str:
        """True for rows with a value in each of these columns."""
        return " AND ".join(f"{quote.ident(name)} IS NOT NULL" for name in names)

    def found(self, key: str, column: str, unknown: Mapping[str, object] | None) -> str:
        """A column of what was joined as `_hg_to`; where nothing was found, the unknown member's."""
        told = f"_hg_to.{quote.ident(column)}"
        if unknown is None:
            return told
        return f"CASE WHEN _hg_to.{quote.ident(key)} IS NULL THEN {self.literal(unknown[column])} ELSE {told} END"

    def member(self, column: str, unknown: Mapping[str, object]) -> str:
        """A column of the unknown member, of the column's own type: of no row, joined as `_hg_row`."""
        told = f"_hg_row.{quote.ident(column)}"
        return f"coalesce({told}, {self.literal(unknown[column])})" if unknown.get(column) is not None else told

    def text(self, value: str) -> str:
        return f"CAST({value} AS VARCHAR)"

    def nfc(self, value: str) -> str:
        return f"normalize({self.text(value)}, NFC)" if self.postgres else f"nfc_normalize({self.text(value)})"

    def plain(self, value: str) -> str:
        """Letters without their accents."""
        if not self.postgres:
            return f"strip_accents({self.text(value)})"
        return f"regexp_replace(normalize({self.text(value)}, NFD), '[\\u0300-\\u036F]', '', 'g')"

    def blanks(self) -> str:
        """A regular expression of blanks and control characters."""

        def spell(code: str) -> str:
            return f"\\u{code}" if self.postgres else f"\\x{{{code}}}"

        more = "".join("-".join(spell(code) for code in one.split("-")) for one in SPACES)
        first = spell("0001" if self.postgres else "0000")  # no text of PostgreSQL holds a NUL
        return f"[{first}-{spell('0020')}{spell('007F')}{more}]+"

    def extract(self, value: str, pattern: str) -> str:
        """The one group of a regular expression; NULL where it does not match."""
        told = quote.literal(pattern)
        return f"substring({value} FROM {told})" if self.postgres else f"nullif(regexp_extract({value}, {told}, 1), '')"

    def pick(self, table: Mapping[str, str], key: str) -> str:
        """What the table says of the key; NULL of others."""
        return tables.pick(table, key, self.postgres)

    def ends(self, text: str, count: str) -> str:
        """An expression that ends the query with an error; `text` is a marker, `count` of the moment."""
        said = f"concat({quote.literal(text)}, {count})"
        return f"CAST({said} AS BOOLEAN)" if self.postgres else f"error({said})"

    def guard(self, code: str, what: str, failing: str, query: str = "") -> str:
        """A condition that is true as long as the SELECT `failing` gives no row, and ends the query otherwise."""
        ends = self.ends(marker(code, what, query), "count(*)")
        return f"(SELECT CASE WHEN count(*) = 0 THEN TRUE ELSE {ends} END FROM (\n{failing}\n) AS _hg_failing)"

    # -- tables ------------------------------------------------------------------------------------------------------

    @property
    def countries(self) -> Mapping[str, Mapping[str, str]]:
        return tables.countries()

    @property
    def phones(self) -> tables.Phones:
        return tables.phones()


def _parts(text: str) -> list[str]:
    """The text cut at the commas that stand outside of parentheses."""
    found, depth = [""], 0
    for kind, word in lexer.tokens(text):
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(word, 0) if kind == "other" else 0
        if kind == "other" and word == "," and depth == 0:
            found.append("")
        else:
            found[-1] += " " if kind == "blank" else word
    return [part.strip() for part in found if part.strip()]

"""Countries and their numbers: ISO 3166-1 codes with names, and E.164 calling codes with trunk prefixes and lengths.

*Source* of countries.csv: ISO 3166-1; calling codes, trunk prefixes and the lengths of fixed and mobile numbers are
those that the metadata of libphonenumber 9 (Apache-2.0) list.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from headgate.core.records import dataclass
from headgate.sql import quote

LONGEST = 15
"""Digits of a number in E.164."""


def pick(table: Mapping[str, str], key: str, postgres: bool) -> str:
    """The SQL that looks the key up in a constant table, in about a microsecond; NULL where it has no such key."""
    if postgres:
        told = quote.literal(json.dumps(table, ensure_ascii=False, separators=(",", ":")))
        return f"(CAST({told} AS JSONB) ->> {key})"
    keys, values = quote.literal("|".join(table)), quote.literal("|".join(table.values()))
    return f"map(string_split({keys}, '|'), string_split({values}, '|'))[{key}]"


@cache
def _rows() -> tuple[Mapping[str, str], ...]:
    text = files("headgate.models.kit").joinpath("countries.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


def folded(name: str) -> str:
    """A name as the macros fold it: without accents, upper case, anything but letters and digits as one blank."""
    plain = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return re.sub(r"[^A-Z0-9]+", " ", plain.upper()).strip()


@cache
def countries() -> dict[str, dict[str, str]]:
    """By form (`alpha_2`, `alpha_3`, `name`): what each folded code or name stands for."""
    made: dict[str, dict[str, str]] = {"alpha_2": {}, "alpha_3": {}, "name": {}}
    for row in _rows():
        names = row["names"].split("|")
        for one in (row["alpha_2"], row["alpha_3"], *names):
            for form, value in (("alpha_2", row["alpha_2"]), ("alpha_3", row["alpha_3"]), ("name", names[0])):
                made[form][folded(one)] = value
    return made


@dataclass(frozen=True)
class Phones:
    """`codes`: calling code by country (alpha-2). `trunk`: by the digits that are dialled before a national number
    within a country, an alternation of the calling codes. `eights`: calling code and length where that digit may also
    begin a number. `international`: a regular expression of every possible number, without its plus."""

    codes: Mapping[str, str]
    trunk: Mapping[str, str]
    eights: tuple[tuple[str, int], ...]
    international: str


@cache
def phones() -> Phones:
    codes = {row["alpha_2"]: row["calling_code"] for row in _rows() if row["calling_code"]}
    trunk: dict[str, set[str]] = {}
    lengths: dict[str, set[int]] = {}
    eights = set()
    for row in _rows():
        code = row["calling_code"]
        own = {length for length in _lengths(row["number_lengths"]) if len(code) + length <= LONGEST}
        lengths.setdefault(code, set()).update(own)
        if row["trunk_prefix"] == "8":
            eights |= {(code, length) for length in own}
        elif row["trunk_prefix"]:
            trunk.setdefault(row["trunk_prefix"], set()).add(code)
    same: dict[str, list[str]] = {}
    for code, found in sorted(lengths.items()):
        if code and found:
            same.setdefault(_digits(found, code), []).append(code)
    every = "|".join(f"(?:{'|'.join(group)})(?:{digits})" for digits, group in same.items())
    shown = {prefix: "|".join(sorted(group)) for prefix, group in sorted(trunk.items())}
    return Phones(codes, shown, tuple(sorted(eights)), every)


def _lengths(text: str) -> Iterator[int]:
    """`5-7 9` is 5, 6, 7 and 9."""
    for part in text.split():
        low, _, high = part.partition("-")
        yield from range(int(low), int(high or low) + 1)


def _digits(lengths: set[int], code: str) -> str:
    """A regular expression of so many digits; the first of a North American number is neither 0 nor 1."""
    first, less = ("[2-9]", 1) if code == "1" else ("", 0)
    spans: list[list[int]] = []
    for length in sorted(lengths):
        if spans and spans[-1][1] == length - 1:
            spans[-1][1] = length
        else:
            spans.append([length, length])
    return "|".join(f"{first}[0-9]{{{low - less},{high - less}}}" for low, high in spans)

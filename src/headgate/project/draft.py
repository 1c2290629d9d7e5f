"""An ingest file written from a profile: what was verified as rules, what is merely so as warnings or comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from headgate.core import registry
from headgate.core.records import dataclass
from headgate.project.write import aligned, flow, key, quoted, scalar, shown
from headgate.quality.keys import identifies, rank
from headgate.quality.model import ColumnProfile, KeyProfile, LinkProfile, TableProfile
from headgate.quality.suggest import Suggestion

LONGEST_BYTES = 60
"""PostgreSQL cuts names behind 63 bytes."""
LEAST_ROWS = 20
"""Rows from which a key is believed that no name speaks for."""
_UPDATED = re.compile(
    r"(last_?)?(updated|modified|changed)(_?(at|on|date|time|ts|timestamp))?|(update|modification)_?(date|time|ts)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z0-9_.:+-]+")
_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. '][0-9]{3})+|[0-9]+),[0-9]+")
_DAY_FIRST = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}(?:[ T].*)?")


@dataclass(frozen=True)
class Load:
    """What stands behind `load:`, and why."""

    text: str
    reason: str
    keys: tuple[str, ...] = ()
    order_by: str = ""


@dataclass(frozen=True)
class Table:
    """A table to be written. `names`: the contract's name of each column of the source, in its order.

    `key`: columns of the source that identify a row; `options` of the source beside its path. `notes`: what was assumed
    about the files. `links` are references that become rules, `hints` those that only a comment tells.
    """

    name: str
    kind: str
    pattern: str
    options: Mapping[str, Any]
    profile: TableProfile
    names: Mapping[str, str]
    key: KeyProfile | None
    load: Load
    links: tuple[LinkProfile, ...] = ()
    hints: tuple[LinkProfile, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    notes: tuple[str, ...] = ()
    files: int = 1
    targets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of each table: the contract's name of each of its columns."""

    @property
    def plainly(self) -> bool:
        """Whether the path alone says what it is."""
        return not self.options and registry.surveyed(self.pattern) == self.kind


def contract_names(columns: Sequence[str]) -> dict[str, str]:
    """A name for every column: its own, or, where SQL could not say it plainly, one made of its words."""
    fit = {name for name in columns if _is_fit(name)}
    taken = {name.lower() for name in fit}
    found = {}
    for number, name in enumerate(columns, 1):
        if name in fit:
            found[name] = name
            continue
        bare = re.sub(r"\W+|_+", "_", name).strip("_").lower() or f"column_{number}"
        bare = re.sub(r"^(_?hg_|(?=[0-9]))", "c_", bare).encode()[:LONGEST_BYTES].decode(errors="ignore")
        bare = bare if bare.isidentifier() else f"column_{number}"
        made, more = bare, 1
        while made in taken:
            more += 1
            made = f"{bare}_{more}"
        taken.add(made)
        found[name] = made
    return found


def _is_fit(name: str) -> bool:
    return name.isidentifier() and not name.lower().startswith("_hg_") and len(name.encode()) <= LONGEST_BYTES


def complete(one: ColumnProfile) -> bool:
    """Whether no row lacks a value; a value that does not fit the type is one, and refused."""
    return _values(one) >= one.rows > 0


def _values(one: ColumnProfile) -> int:
    """Rows with a value, also those whose value does not fit the type."""
    odd = one.misfits[0].rows if one.misfits and one.misfits[0].type == one.type else 0
    return one.filled + odd


def choose_key(profile: TableProfile, tolerate: float = 0.0) -> KeyProfile | None:
    """The key that is verified and, by its name or place, meant as one; None where chance would explain it as well.

    `tolerate`: the share of the rows that may repeat a key that by its name is meant as one.
    """
    at = {one.name: number for number, one in enumerate(profile.columns)}
    unique = [one for one in profile.keys if one.unique]
    single = [one for one in unique if len(one.columns) == 1]
    ranked = sorted(single, key=lambda one: rank(one.columns[0], profile.name, at[one.columns[0]]))
    if profile.rows < 2:
        return None
    for one in ranked:
        column = profile.column(one.columns[0])
        meant = rank(column.name, profile.name, at[column.name])
        first = meant == 4 and profile.rows >= LEAST_ROWS and not column.pii and len(profile.columns) > 1
        if (meant < 4 or first) and column.type in ("int", "text", "uuid"):
            return one
    if (likely := likely_key(profile)) is not None and likely.rows - likely.repeated <= tolerate * profile.rows:
        return likely
    several = [one for one in unique if len(one.columns) > 1 and profile.rows >= LEAST_ROWS]
    return next((one for one in several if _means(profile, one)), None)


def _means(profile: TableProfile, one: KeyProfile) -> bool:
    """Whether the columns look like parts of a key: names that identify, and dates."""
    return all(identifies(name) or profile.column(name).type == "date" for name in one.columns)


def guess_load(profile: TableProfile, chosen: KeyProfile | None, versions: bool, snapshots: float | None) -> Load:
    """How the table is loaded. `versions`: no two rows agree in the likely key and the time of change.

    `snapshots`: where no file repeats a likely key but files repeat each other's, the share of keys that several have.
    """
    likely = chosen or likely_key(profile)
    when = updated(profile)
    single = likely is not None and len(likely.columns) == 1
    if likely is not None and single and when is not None and (likely.unique or versions):
        told = "the newest version of each key is kept" if likely.unique else "the key comes again: the newest is kept"
        return Load("upsert", f"{told}, by {shown(when)}", likely.columns, when)
    if likely is not None and not likely.unique and snapshots is not None:
        percent = f"{100 * snapshots:.0f}%"
        told = (
            f"{percent} of the {shown(', '.join(likely.columns))} are in several files, in none twice: daily snapshots?"
        )
        return Load("append", f"{told} append keeps them all")
    if chosen is not None:
        return Load("append", "each file brings new rows; a key that comes again is refused")
    return Load("append", "each file brings new rows")


def likely_key(profile: TableProfile) -> KeyProfile | None:
    """The column that by its name alone is the table's own key, unique or not; None without one, or if it has NULLs."""
    for one in profile.keys:
        column = profile.column(one.columns[0])
        if len(one.columns) == 1 and rank(column.name, profile.name, 9) <= 1 and complete(column):
            return one
    return None


def updated(profile: TableProfile) -> str | None:
    """The column that tells when a row was changed last; None if there is none or it has NULLs."""
    for one in profile.columns:
        if _UPDATED.fullmatch(one.name) and one.type in ("timestamp", "timestamptz") and one.filled == one.rows:
            return one.name
    return None


# -- text --------------------------------------------------------------------------------------------------------------


def text(table: Table) -> str:
    """The ingest file."""
    lines = [*_head(table), "columns:", *aligned(_columns(table))]
    strong = [one for one in table.suggestions if not one.weak]
    if strong:
        lines += ["# Suggested: true in the data so far. What breaks them loads, counted as a warning; without"]
        lines += ["# `severity: warn` it is refused."]
        lines += ["rules:", *aligned(_rules(strong))]
    weak = [one for one in table.suggestions if one.weak]
    lines += ["# Too little was seen to suggest:"] * bool(weak)
    lines += [f"#   {shown(one.check, 200)}    ({shown(one.evidence, 120)})" for one in weak]
    return "\n".join(lines) + "\n"


def _head(table: Table) -> Iterator[str]:
    files = f"{table.files:,} file{'s' if table.files != 1 else ''}"
    bad = (
        f", {table.profile.malformed:,} malformed record{'s' * (table.profile.malformed > 1)}"
        if table.profile.malformed
        else ""
    )
    yield f"# Written from {_rows(table.profile.rows)} in {files}{bad}."
    for note in table.notes:
        yield f"# Assumed: {shown(note, 200)}."
    yield f"table: {table.name}"
    source = {table.kind: {"path": table.pattern, **table.options}}
    yield f"from: {scalar(table.pattern) if table.plainly else flow(source)}"
    names = table.names
    load = table.load
    if load.keys:
        keys = [names[name] for name in load.keys]
        said = {"upsert": keys[0] if len(keys) == 1 else keys, "order_by": names[load.order_by]}
        yield f"load: {flow(said)}  # {load.reason}"
    else:
        yield f"load: {load.text}  # {load.reason}"


def _columns(table: Table) -> Iterator[tuple[str, str, str]]:
    for one in table.profile.columns:
        parts, evidence = _line(table, one)
        yield key(table.names[one.name]), scalar(", ".join(parts)), "; ".join(evidence)


def _line(table: Table, one: ColumnProfile) -> tuple[list[str], list[str]]:
    """The parts of a column's line, and what speaks for them."""
    name, rows = table.names[one.name], table.profile.rows
    parts, evidence = [one.type], list(_doubts(one))
    if table.key is not None and one.name in table.key.columns and not table.load.keys:
        parts.append("key")
        together = " with the other key columns" if len(table.key.columns) > 1 else ""
        again = table.key.rows - table.key.repeated
        but = f" but for {again:,}, which will be refused," if again else ""
        evidence.append(f"unique{together}{but} in {_rows(rows)}")
    elif complete(one):
        parts.append("required")
        evidence.append(f"0 nulls in {_rows(rows)}")
    elif one.filled:
        evidence.append(f"{100 - 100 * _values(one) / rows:.3g}% null")
    else:
        evidence.append(f"no value in {_rows(rows)}" if rows else "no row")
    for link in (item for item in table.links if item.column == one.name):
        to = f"{link.to_table}.{table.targets[link.to_table][link.to_column]}"
        parts.append(f"references({to if _WORD.fullmatch(to) else _in_quotes(to)})")
        evidence.append(f"every value stands there, {100 * link.coverage:.3g}% of it is used")
    for link in (item for item in table.hints if item.column == one.name):
        evidence.append(f"every value stands in {link.to_table}.{shown(link.to_column)}, perhaps by chance")
    if name != one.name and not (table.kind == "csv" and table.options.get("header") is False):
        parts.append(f"from({_in_quotes(one.name)})")
    if one.pii:
        parts.append("pii")
        evidence.append(f"looks like personal data: {one.pii}")
    return parts, evidence


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _doubts(one: ColumnProfile) -> Iterator[str]:
    """What nearly is so."""
    for misfit in one.misfits[:1]:
        example = "" if one.pii else f" such as {_in_quotes(shown(misfit.example, 30))}"
        if misfit.type == one.type:
            yield f"{misfit.rows:,} of {_values(one):,} values are none and will be refused,{example}"
        else:
            yield f"{misfit.type} but for {misfit.rows:,} of {one.filled:,} values{example}"
    if one.type == "text" and not one.pii and one.top and not one.misfits:
        values = [item.value for item in one.top]
        if all(_COMMA.fullmatch(value) for value in values):
            yield "numbers with a decimal comma"
        elif all(_DAY_FIRST.fullmatch(value) for value in values):
            yield "dates, not written as YYYY-MM-DD"


def _rules(found: Sequence[Suggestion]) -> Iterator[tuple[str, str, str]]:
    for one in found:
        yield key(one.name), f"{{check: {quoted(one.check)}, severity: warn}}", one.evidence


def _rows(number: int) -> str:
    return f"{number:,} row{'s' if number != 1 else ''}"

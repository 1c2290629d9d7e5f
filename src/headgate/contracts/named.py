"""Entries of `rules:`: a condition as text, or a mapping that says what kind of rule it is.

name: closed is not null                                      a condition on one row
name: {check: "amount > 0", severity: warn, mostly: 95%}      the same, with more said
name: {check: "amount > 0", message: must cost something}     and what a refused row is told
name: {when: "status = 'closed'", then: "closed is not null"} a condition on some rows
name: {unique: [customer, day], keep: last}
name: {references: raw.flights, columns: [carrier, number]}   the other table has a row with these values
name: {references: raw.flights, columns: [a, b], to: [x, y], unmatched: warn, mostly: 99%}
name: {rows: 1000..}      {rows: 0.5x..2x, of: last 7}        about the load as a whole
name: {sql: sum(amount), between: [0, 1000]}
name: {freshness: updated_at, within: 26h}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from headgate.contracts import bounds
from headgate.contracts.batch import BatchRule, Share
from headgate.contracts.grammar import PlacedText, TextPlace
from headgate.contracts.model import ContractColumn, Keep, ReferenceRule, RowRule, Severity, UniqueRule
from headgate.core.errors import Edit, Finding, Location, nearest, only_match
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql.quote import ident


@dataclass(frozen=True)
class Part:
    """One key of the mapping with its value, or its list of values."""

    key: PlacedText
    values: tuple[PlacedText, ...]
    listed: bool = False


@dataclass(frozen=True)
class Form:
    """The mapping of one entry."""

    parts: tuple[Part, ...]
    where: Location


Value = PlacedText | Form
Named = RowRule | UniqueRule | ReferenceRule | BatchRule

UNMATCHED = ("quarantine", "warn", "null")
"""What may become of a record whose values do not stand in the other table; by default the first."""

MOMENTS = ("date", "timestamp", "timestamptz")


def plain(value: str | Mapping[str, object], path: str = "<text>") -> Value:
    """What one entry says as plain data, as if it were written on the first line of `path`."""
    if isinstance(value, str):
        return PlacedText(value, path)
    parts = []
    for key, item in value.items():
        listed = isinstance(item, list | tuple)
        items: Sequence[object] = item if isinstance(item, list | tuple) else [item]
        parts.append(Part(PlacedText(key, path), tuple(PlacedText(str(one), path) for one in items), listed))
    return Form(tuple(parts), Location(path, 1, 1))


def condition_place(text: PlacedText) -> TextPlace:
    """Where a condition begins, character by character: what `verify` takes."""
    return text.place(len(text.text) - len(text.text.lstrip()))


def places(name: str, value: Value) -> dict[str, Location]:
    """Where the conditions of an entry begin: `rules.<name>`, of a mapping `rules.<name>.<key>`, too."""
    if isinstance(value, PlacedText):
        return {f"rules.{name}": condition_place(value)}
    found: dict[str, Location] = {f"rules.{name}": value.where}
    for part in value.parts:
        if not part.listed:
            found[f"rules.{name}.{part.key.text}"] = condition_place(part.values[0])
    for key in ("check", "sql"):
        found[f"rules.{name}"] = found.get(f"rules.{name}.{key}", found[f"rules.{name}"])
    return found


def condition(name: str, text: PlacedText, findings: list[Finding]) -> str:
    """The condition as SQL that can stand inside parentheses."""
    if not text.text.strip():
        what = f"{name!r} has no condition"
        findings.append(Finding("empty-condition", "error", what, str(text.at(0)), "write an SQL condition"))
    # A comment at the end would swallow the parenthesis behind the condition.
    return text.text.strip() + ("\n" if "--" in text.text else "")


def read(name: PlacedText, value: Value, columns: Sequence[ContractColumn], findings: list[Finding]) -> Named | None:
    """The rule of one entry of `rules:`; None and findings where it can't be read.

    *Errors* (as findings): empty-condition, unknown-key, missing-key, bad-value, unknown-column, rule-mismatch.
    """
    if isinstance(value, PlacedText):
        return _row(name.text, condition(name.text, value, findings), condition_place(value))
    reading = _Reading(name.text, value, {column.name: column for column in columns}, findings)
    before = len(findings)
    made = reading.rule()
    return made if len(findings) == before else None


def _row(name: str, sql: str, where: Location) -> RowRule:
    return RowRule(name, None, sql, expected(sql), where=where)


def expected(sql: str, when: str = "") -> str:
    """What the reason says of a condition that says nothing itself."""
    said = f"must satisfy {' '.join(sql.split())}"
    return f"{said} where {' '.join(when.split())}" if when else said


@dataclass
class _Reading:
    """One mapping while it is read; whatever is wrong is noted."""

    name: str
    form: Form
    columns: Mapping[str, ContractColumn]
    findings: list[Finding]
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parts = {part.key.text: part for part in self.form.parts}

    def note(
        self, code: str, what: str, where: Location, fix: str, said: PlacedText | None = None, meant: str | None = None
    ) -> None:
        """`said`: the word that is wrong, and what it certainly means."""
        sure = said is not None and meant is not None and not said.offsets
        edits = (Edit.at(said.at(0), said.text, meant),) if sure and said and meant else ()
        self.findings.append(Finding(code, "error", f"rule {self.name!r}: {what}", str(where), fix, edits=edits))

    def rule(self) -> Named | None:
        kinds = [kind for kind in FORMS if kind in self.parts]
        if len(kinds) != 1:
            listed = ", ".join(FORMS)
            what = f"says {' and '.join(kinds)} at once" if kinds else "does not say what must hold"
            self.note("missing-key", what, self.form.where, f"write one of {listed}: {{check: amount >= 0}}")
            return None
        keys, make = FORMS[kinds[0]]
        for part in self.form.parts:
            if part.key.text not in (kinds[0], *keys):
                what = f"unknown key {part.key.text!r}{nearest(part.key.text, keys)}"
                fix = f"{kinds[0]} takes {', '.join(keys)}"
                free = [key for key in keys if key not in self.parts]
                self.note("unknown-key", what, part.key.at(0), fix, part.key, only_match(part.key.text, free))
        return make(self)

    def text(self, key: str) -> PlacedText | None:
        """The one value of a key that is there."""
        part = self.parts.get(key)
        if part is None:
            return None
        if part.listed or not part.values[0].text.strip():
            self.note("bad-value", f"{key} must be one value", part.key.at(0), f"write {key}: value")
            return None
        return part.values[0]

    def choice(self, key: str, words: Sequence[str]) -> str:
        """One of the words, by default the first."""
        text = self.text(key)
        if text is None or text.text in words:
            return text.text if text else words[0]
        what = f"{key} can't be {text.text!r}{nearest(text.text, words)}"
        fix = f"use one of {', '.join(words)}"
        self.note("bad-value", what, text.at(0), fix, text, only_match(text.text, words))
        return words[0]

    @property
    def severity(self) -> Severity:
        return "warn" if self.choice("severity", ("error", "warn")) == "warn" else "error"

    @property
    def mostly(self) -> Share | None:
        text = self.text("mostly")
        try:
            return bounds.share(text.text) if text is not None else None
        except ValueError as error:
            self.note("bad-value", str(error), (text or PlacedText("", "")).at(0), "write mostly: 95%")
            return None

    @property
    def message(self) -> str:
        """What a refused row is told, on one line; empty where the rule does not say it."""
        text = self.text("message")
        return " ".join(text.text.split()) if text is not None else ""

    def sql(self, key: str) -> str:
        """The condition of a key."""
        text = self.text(key)
        if text is None:
            if key not in self.parts:
                self.note("missing-key", f"{key} is missing", self.form.where, f"write {key}: condition")
            return ""
        return condition(self.name, text, self.findings)

    def known(self, text: PlacedText) -> ContractColumn | None:
        column = self.columns.get(text.text)
        if column is None:
            what = f"unknown column {text.text!r}{nearest(text.text, self.columns)}"
            self.note("unknown-column", what, text.at(0), "use the contract's columns: " + ", ".join(self.columns))
        return column

    def known_columns(self, part: Part, fix: str) -> tuple[str, ...]:
        """The columns that a key lists; noted where there is none, or one twice."""
        names = tuple(column.name for text in part.values if (column := self.known(text)) is not None)
        if len(set(names)) < len(names) or not part.values:
            self.note("bad-value", "the columns must be different ones", part.key.at(0), fix)
        return names

    def place(self, key: str) -> Location:
        part = self.parts[key]
        return condition_place(part.values[0]) if part.values else part.key.at(0)


def _check(reading: _Reading) -> RowRule:
    made = _row(reading.name, reading.sql("check"), reading.place("check"))
    said = reading.message or made.message
    return RowRule(made.code, None, made.sql, said, reading.severity, made.where, mostly=reading.mostly)


def _when(reading: _Reading) -> RowRule:
    when, then = reading.sql("when"), reading.sql("then")
    said = reading.message or expected(then, when)
    sql = f"({when}) IS NOT TRUE OR ({then})"
    where = reading.place("when")
    return RowRule(reading.name, None, sql, said, reading.severity, where, (when, then), reading.mostly)


def _unique(reading: _Reading) -> UniqueRule | None:
    part = reading.parts["unique"]
    names = reading.known_columns(part, "write unique: [a, b]")
    keep: Keep = reading.choice("keep", ("first", "last", "none"))  # type: ignore[assignment]
    where = part.values[0].at(0) if part.values else part.key.at(0)
    return UniqueRule(reading.name, names, keep, "must be unique", where, reading.mostly)


def _references(reading: _Reading) -> ReferenceRule | None:
    """`columns` of the contract, compared in their order with `to`, by default the columns of the same names."""
    table, part, to = reading.text("references"), reading.parts.get("columns"), reading.parts.get("to")
    fix = "write {references: schema.table, columns: [a, b], to: [x, y]}"
    if part is None:
        reading.note("missing-key", "columns is missing", reading.form.where, fix)
    if table is None or part is None:
        return None
    names = reading.known_columns(part, "write columns: [a, b]")
    if table.text.count(".") > 1 or not all(table.text.split(".")):
        reading.note("bad-value", f"{table.text!r} does not name a table", table.at(0), fix)
    others = tuple(text.text for text in to.values) if to is not None else names
    if to is not None and (len(others) != len(names) or len(set(others)) < len(others)):
        what = f"to names {_number(len(others))} beside {_number(len(names))}, or one of them twice"
        reading.note("bad-value", what, to.key.at(0), "name one column of the other table beside each of columns")
    unmatched = reading.choice("unmatched", UNMATCHED)
    rule = ReferenceRule(
        names, str(TableRef.parse(table.text)), others, "", "warn" if unmatched == "warn" else "error", table.at(0),
        reading.name, reading.mostly, unmatched == "null",
    )  # fmt: skip
    return replace(rule, message=reading.message or standing(rule))


def standing(rule: ReferenceRule) -> str:
    """What the reason says of a reference that says nothing itself."""
    return f"must stand in {rule.target}"


def _number(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _rows(reading: _Reading) -> BatchRule | None:
    text, last = reading.text("rows"), reading.text("of")
    if text is None or (last is None and "of" in reading.parts):
        return None
    try:
        span = bounds.rows(text.text)
    except ValueError as error:
        reading.note("bad-value", str(error), text.at(0), "write 1000.., 1000..5000, or 0.5x..2x with of: last 7")
        return None
    try:
        loads = bounds.last(last.text) if last is not None else None
    except ValueError as error:
        reading.note("bad-value", str(error), last.at(0) if last else text.at(0), "write of: last 7")
        return None
    if span.relative != (loads is not None):
        what = "multiples (x) need of: last n" if span.relative else "of: last n needs multiples"
        reading.note("bad-value", what, text.at(0), "write {rows: 0.5x..2x, of: last 7}")
        return None
    message = f"must be {span.words()} rows" + (f", of the median of the last {loads} loads" if loads else "")
    return BatchRule(
        reading.name, "rows", "count(*)", span.low, span.high, span.low_open, span.high_open, loads,
        reading.severity, text.at(0), message,
    )  # fmt: skip


def _scalar(reading: _Reading) -> BatchRule | None:
    sql = reading.sql("sql")
    try:
        span = bounds.given({key: part.values for key, part in reading.parts.items() if key in bounds.WORDS})
    except bounds.BadBound as error:
        reading.note("bad-value", str(error), error.text.at(0), "write between: [0, 1000], or min: 0")
        return None
    if span is None:
        fix = "add one of " + ", ".join(bounds.WORDS)
        reading.note("missing-key", "sql needs a bound", reading.form.where, fix)
        return None
    return BatchRule(
        reading.name, "sql", sql, span.low, span.high, span.low_open, span.high_open, None,
        reading.severity, reading.place("sql"), f"{' '.join(sql.split())} must be {span.words()}",
    )  # fmt: skip


def _freshness(reading: _Reading) -> BatchRule | None:
    text, within = reading.text("freshness"), reading.text("within")
    if "within" not in reading.parts:
        reading.note("missing-key", "within is missing", reading.form.where, "write within: 26h")
    column = reading.known(text) if text is not None else None
    if text is None or within is None or column is None:
        return None
    if column.type.name not in MOMENTS:
        what = f"freshness does not fit a column of type {column.type}"
        reading.note("rule-mismatch", what, text.at(0), "name a date, timestamp or timestamptz")
    try:
        age = bounds.duration(within.text)
    except ValueError as error:
        reading.note("bad-value", str(error), within.at(0), "write 26h, 30m, 2d or 1d12h")
        return None
    sql = f"epoch(now()) - epoch(max({ident(column.name)}))"
    message = f"the latest {column.name} must be at most {within.text.strip()} old"
    return BatchRule(
        reading.name, "freshness", sql, None, age, severity=reading.severity, where=text.at(0), message=message,
        column=column.name,
    )  # fmt: skip


FORMS: dict[str, tuple[tuple[str, ...], Callable[[_Reading], Named | None]]] = {
    "check": (("message", "severity", "mostly"), _check),
    "when": (("then", "message", "severity", "mostly"), _when),
    "unique": (("keep", "mostly"), _unique),
    "references": (("columns", "to", "unmatched", "mostly", "message"), _references),
    "rows": (("of", "severity"), _rows),
    "sql": ((*bounds.WORDS, "severity"), _scalar),
    "freshness": (("within", "severity"), _freshness),
}
"""The key that tells the kind of a rule, the other keys that go with it, and what reads it."""

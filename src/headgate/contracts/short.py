"""The short form: `name: type, rule, rule(...)` into a Contract, with every mistake at its line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headgate.contracts.batch import BatchRule
from headgate.contracts.grammar import Change, Item, Mistake, PlacedText, items
from headgate.contracts.model import CallRule, Contract, ContractColumn, Limit, ReferenceRule, RowRule, UniqueRule
from headgate.contracts.named import Named, Value, condition, plain, read
from headgate.contracts.rules import ONCE, RULES, SYNONYMS, Draft, required_rule
from headgate.contracts.saying import apply
from headgate.core.errors import ContractError, Finding, Location, nearest, only_match
from headgate.core.records import dataclass
from headgate.types import logical
from headgate.types.logical import LogicalType

RESERVED_CODES = {*RULES, "type", "record", "extra", "order_by", "replay"}
"""Codes that reasons use for other things; no rule under `rules:` may be named so."""

KEY_MESSAGE = "must be unique"


def parse(
    columns: Sequence[tuple[PlacedText, PlacedText]],
    rules: Sequence[tuple[PlacedText, Value]] = (),
    skips: Sequence[tuple[PlacedText, PlacedText]] = (),
    refuse_at_most: Limit | None = None,
    where: Location | None = None,
) -> Contract:
    """The contract that these lines state: (name, line) for columns, (name, condition) for rules and skips. A rule may
    also be a mapping (see `named`).

    *Guarantee*: row rules stand in column order, then as written, then those across columns; the rule that `key` makes
    (for append and replace; see `as_upsert`) is the last of the unique rules. Conditions are not looked into here:
    `verify` does.
    *Errors*: ContractError holding every mistake: rule-syntax, missing-type, unknown-type, unknown-rule,
    duplicate-rule, duplicate-column, duplicate-key, reserved-name, bad-literal, rule-mismatch, empty-condition.
    """
    findings: list[Finding] = []
    drafts = [draft for name, line in columns if (draft := _column(name, line, findings)) is not None]
    _names(columns, findings)
    _former(drafts, findings)
    made = tuple(draft.column() for draft in drafts)
    entries = [one for name, value in rules if (one := _named(name, value, made, findings)) is not None]
    skipped = tuple((name.text, condition(name.text, text, findings)) for name, text in skips)
    for pairs in (rules, skips):
        _unlike([name for name, _ in pairs], findings)
    if findings:
        raise ContractError(*findings)
    uniques = [rule for draft in drafts for rule in draft.unique_rules()]
    return Contract(
        columns=made,
        rows=(
            *(rule for draft in drafts for rule in draft.row_rules()),
            *(one for one in entries if isinstance(one, RowRule)),
        ),
        uniques=(*uniques, *(one for one in entries if isinstance(one, UniqueRule)), *_key_rule(drafts)),
        references=(
            *(rule for draft in drafts for rule in draft.reference_rules()),
            *(one for one in entries if isinstance(one, ReferenceRule)),
        ),
        skips=skipped,
        refuse_at_most=refuse_at_most,
        where=where,
        batches=tuple(one for one in entries if isinstance(one, BatchRule)),
    )


@dataclass(frozen=True)
class Beside:
    """What an ingest file says besides a contract in a file of its own: as in `parse`."""

    rules: tuple[tuple[PlacedText, Value], ...] = ()
    skips: tuple[tuple[PlacedText, PlacedText], ...] = ()
    refuse_at_most: Limit | None = None
    calls: tuple[CallRule, ...] = ()

    def joined(self, contract: Contract) -> Contract:
        """The contract with these rules and skips behind its own; this limit, if there is one, takes its limit's place.

        *Errors*: ContractError as `parse`; duplicate-key for a name that the contract uses.
        """
        findings: list[Finding] = []
        entries = [one for name, value in self.rules if (one := _named(name, value, contract.columns, findings))]
        skips = tuple((name.text, condition(name.text, text, findings)) for name, text in self.skips)
        taken = [*(rule.code for rule in contract.rows), *(rule.code for rule in contract.uniques)]
        taken += [*(rule.code for rule in contract.references), *(one.name for one in contract.batches)]
        _unlike([name for name, _ in self.rules], findings, {name for name in taken if name not in RESERVED_CODES})
        _unlike([name for name, _ in self.skips], findings, {name for name, _ in contract.skips})
        if findings:
            raise ContractError(*findings)
        keys = [rule for rule in contract.uniques if rule.code == "key"]
        named = [rule for rule in contract.uniques if rule.code != "key"]
        return replace(
            contract,
            rows=(*contract.rows, *(one for one in entries if isinstance(one, RowRule))),
            uniques=(*named, *(one for one in entries if isinstance(one, UniqueRule)), *keys),
            references=(*contract.references, *(one for one in entries if isinstance(one, ReferenceRule))),
            batches=(*contract.batches, *(one for one in entries if isinstance(one, BatchRule))),
            skips=(*contract.skips, *skips),
            refuse_at_most=self.refuse_at_most or contract.refuse_at_most,
            calls=(*contract.calls, *self.calls),
        )


def parse_lines(
    columns: Mapping[str, str],
    rules: Mapping[str, str | Mapping[str, object]] | None = None,
    skips: Mapping[str, str] | None = None,
    refuse_at_most: Limit | None = None,
    path: str = "<text>",
) -> Contract:
    """The contract of plain text, line n being the n-th of the mappings' values. Errors as `parse`."""
    line = 0

    def placed(mapping: Mapping[str, str]) -> list[tuple[PlacedText, PlacedText]]:
        nonlocal line
        line += len(mapping)
        first = line - len(mapping) + 1
        return [
            (PlacedText(name, path, at), PlacedText(text, path, at, len(name) + 3))
            for at, (name, text) in enumerate(mapping.items(), first)
        ]

    lines = placed(columns)
    entries: list[tuple[PlacedText, Value]] = []
    for name, value in (rules or {}).items():
        ((key, text),) = placed({name: value if isinstance(value, str) else ""})
        entries.append((key, text if isinstance(value, str) else plain(value, path)))
    return parse(lines, entries, placed(skips or {}), refuse_at_most)


def as_loaded(contract: Contract, disposition: str, keys: Sequence[str]) -> Contract:
    """The contract under a disposition with columns of its own: an identity, or what names a partition."""
    return as_required(contract, keys) if disposition == "partition" else as_upsert(contract, keys)


def as_required(contract: Contract, names: Sequence[str]) -> Contract:
    """The contract with these columns required. One that was not required becomes so as its first rule."""
    columns = tuple(replace(one, required=one.required or one.name in names) for one in contract.columns)
    rows: list[RowRule] = []
    for column in contract.columns:
        own = [rule for rule in contract.rows if rule.column == column.name]
        rows.extend(_required(own, column.name, column.where) if column.name in names else own)
    rows.extend(rule for rule in contract.rows if rule.column is None)
    return replace(contract, columns=columns, rows=tuple(rows))


def as_upsert(contract: Contract, keys: Sequence[str]) -> Contract:
    """The contract under `load: {upsert: keys}`: these columns are required and name the identity.

    `keys` hold every column that the contract marks as `key`. No rule tests the identity against the table.
    """
    made = as_required(contract, keys)
    columns = tuple(replace(column, key=column.name in keys) for column in made.columns)
    uniques = tuple(rule for rule in contract.uniques if rule.code != "key")
    return replace(made, columns=columns, uniques=uniques)


def _required(rules: list[RowRule], column: str, where: Location | None) -> list[RowRule]:
    if not any(rule.code == "required" for rule in rules):
        return [required_rule(column, where), *rules]
    return [replace(rule, severity="error", mostly=None) if rule.code == "required" else rule for rule in rules]


def _column(name: PlacedText, line: PlacedText, findings: list[Finding]) -> Draft | None:
    """The column of one line; None (and findings) where its line can't be read as far as its type."""
    try:
        parts = items(line.text)
        draft = Draft(line, name.text, _type(name.text, line.text, parts[0]), name.text, name.at(0))
    except Mistake as mistake:
        findings.append(mistake.finding(line))
        return None
    seen: set[str] = set()
    for item in parts[1:]:
        try:
            _rule(draft, item, seen)
        except Mistake as mistake:
            findings.append(mistake.finding(line))
    return draft


def _type(name: str, line: str, item: Item) -> LogicalType:
    try:
        return logical.parse(item.text)
    except ValueError as error:
        word = item.name.split()[0].lower()
        if item.name in RULES:
            fix = f"write the type first: {name}: text, {line.strip()}"
            raise Mistake("missing-type", f"column {name!r} has no type", item.start, fix) from error
        if word in logical.ALIASES and word != item.name.lower():
            fix = f"put a comma behind the type: {name}: {word}, ..."
            behind = item.text[len(word) :].split("(")[0].strip()
            change = (
                Change(item.start, item.text[: len(word)], item.text[: len(word)] + ",") if behind in RULES else None
            )
            at = item.start + len(word)
            raise Mistake("rule-syntax", f"expected a comma behind {word!r}", at, fix, change) from error
        known = "" if word in logical.ALIASES else nearest(word, logical.ALIASES)
        fix = "use one of " + ", ".join(dict.fromkeys(logical.ALIASES.values()))
        sure = only_match(item.name, logical.ALIASES)
        change = Change(item.start, item.name, sure) if sure and known else None
        raise Mistake("unknown-type", str(error) + known, item.start, fix, change) from error


def _rule(draft: Draft, item: Item, seen: set[str]) -> None:
    compile_rule = RULES.get(item.name)
    if compile_rule is None:
        word = item.name.lower().replace(" ", "_")
        meant = SYNONYMS.get(word, word if word in RULES else "")
        hint = f" (did you mean {meant!r}?)" if meant else nearest(word, RULES)
        fix = "use one of " + ", ".join(RULES)
        sure = meant or only_match(item.name, RULES)
        change = Change(item.start, item.name, sure) if sure else None
        raise Mistake("unknown-rule", f"unknown rule {item.name!r}{hint}", item.start, fix, change)
    if item.text in seen or (item.name in ONCE and item.name in seen):
        what = f"{item.name} is written twice"
        raise Mistake("duplicate-rule", what, item.start, "remove one of the two", _repetition(draft, item, seen))
    seen |= {item.text, *([item.name] if item.name in ONCE else [])}
    apply(draft, compile_rule, item)


def _repetition(draft: Draft, item: Item, seen: set[str]) -> Change | None:
    """Takes the rule away, with the comma before it, where the very same was written before."""
    if item.text not in seen:
        return None
    comma = draft.text.text.rindex(",", 0, item.start)
    return Change(comma, draft.text.text[comma : item.start + len(item.text)], "")


def _names(columns: Sequence[tuple[PlacedText, PlacedText]], findings: list[Finding]) -> None:
    """The warehouse does not tell `ID` from `id`, so a contract may not either."""
    first: dict[str, PlacedText] = {}
    for name, _ in columns:
        other = first.setdefault(name.text.lower(), name)
        if other is not name:
            what = f"column {name.text!r} is the same as {other.text!r} at {other.at(0)}: letter case does not count"
            findings.append(Finding("duplicate-column", "error", what, str(name.at(0)), "rename or remove one of them"))
        if name.text.lower().startswith("_hg_") or not name.text or "\x00" in name.text:
            what = f"{name.text!r} can't be a column's name: names with _hg_ are Headgate's own"
            fix = f"give it another name and feed it: name: type, from('{name.text}')"
            findings.append(Finding("reserved-name", "error", what, str(name.at(0)), fix))


def _former(drafts: Sequence[Draft], findings: list[Finding]) -> None:
    """A former name leads to one column, and is the name of none: else a rename could be read in two ways."""
    now = {draft.name.lower(): draft for draft in drafts}
    taken: dict[str, Draft] = {}
    for draft in drafts:
        for name in draft.was:
            other = now.get(name.lower()) or taken.setdefault(name.lower(), draft)
            if other is not draft:
                what = f"{draft.name!r} was {name!r}, but so is or was {other.name!r}"
                fix = "let one column of the contract be or have been of that name"
                findings.append(Finding("rule-mismatch", "error", what, str(draft.where), fix))


def _named(name: PlacedText, value: Value, columns: Sequence[ContractColumn], findings: list[Finding]) -> Named | None:
    """One entry of `rules:`."""
    if name.text in RESERVED_CODES:
        what = f"a rule can't be named {name.text!r}: reasons use that word for a rule of one column"
        findings.append(Finding("reserved-name", "error", what, str(name.at(0)), "give the rule another name"))
    return read(name, value, columns, findings)


def _unlike(names: Sequence[PlacedText], findings: list[Finding], taken: set[str] | None = None) -> None:
    seen: set[str] = set(taken or ())
    for name in names:
        if name.text in seen:
            what = f"{name.text!r} is named twice"
            findings.append(Finding("duplicate-key", "error", what, str(name.at(0)), "give it another name"))
        seen.add(name.text)


def _key_rule(drafts: Sequence[Draft]) -> list[UniqueRule]:
    keys = [draft for draft in drafts if draft.key]
    if not keys:
        return []
    return [UniqueRule("key", tuple(draft.name for draft in keys), "first", KEY_MESSAGE, keys[0].required)]

"""The short form: `name: type, rule, rule(...)` into a Contract, with every mistake at its line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headgate.contracts.grammar import Item, Mistake, PlacedText, TextPlace, items
from headgate.contracts.model import Contract, Limit, RowRule, UniqueRule
from headgate.contracts.rules import REPEATABLE, RULES, SYNONYMS, Draft, required_rule
from headgate.core.errors import ContractError, Finding, Location, nearest
from headgate.types import logical
from headgate.types.logical import LogicalType

RESERVED_CODES = {*RULES, "type", "record", "extra", "order_by", "replay"}
"""Codes that reasons use for other things; no rule under `rules:` may be named so."""

KEY_MESSAGE = "must be unique"


def parse(
    columns: Sequence[tuple[PlacedText, PlacedText]],
    rules: Sequence[tuple[PlacedText, PlacedText]] = (),
    skips: Sequence[tuple[PlacedText, PlacedText]] = (),
    refuse_at_most: Limit | None = None,
    where: Location | None = None,
) -> Contract:
    """The contract that these lines state: (name, line) for columns, (name, condition) for rules and skips.

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
    named = [RowRule(*_condition(pair, findings), where=condition_place(pair[1])) for pair in rules]
    skipped = tuple(_skip(pair, findings) for pair in skips)
    for pairs in (rules, skips):
        _unlike(pairs, findings)
    if findings:
        raise ContractError(*findings)
    uniques = [rule for draft in drafts for rule in draft.uniques]
    return Contract(
        columns=tuple(draft.column() for draft in drafts),
        rows=(*(rule for draft in drafts for rule in draft.row_rules()), *named),
        uniques=(*uniques, *_key_rule(drafts)),
        references=tuple(rule for draft in drafts for rule in draft.reference_rules()),
        skips=skipped,
        refuse_at_most=refuse_at_most,
        where=where,
    )


def parse_lines(
    columns: Mapping[str, str],
    rules: Mapping[str, str] | None = None,
    skips: Mapping[str, str] | None = None,
    refuse_at_most: Limit | None = None,
    path: str = "<text>",
) -> Contract:
    """The contract of plain text, line n being the n-th of the mappings' values. Errors as `parse`."""
    groups, line = [], 0
    for mapping in (columns, rules or {}, skips or {}):
        pairs = []
        for name, text in mapping.items():
            line += 1
            pairs.append((PlacedText(name, path, line), PlacedText(text, path, line, len(name) + 3)))
        groups.append(pairs)
    return parse(groups[0], groups[1], groups[2], refuse_at_most)


def as_upsert(contract: Contract, keys: Sequence[str]) -> Contract:
    """The contract under `load: {upsert: keys}`: these columns are required and name the identity.

    `keys` hold every column that the contract marks as `key`. No rule tests the identity against the table. A column
    that was not required becomes so as its first rule.
    """
    columns = tuple(
        replace(column, key=column.name in keys, required=column.required or column.name in keys)
        for column in contract.columns
    )
    rows: list[RowRule] = []
    for column in contract.columns:
        own = [rule for rule in contract.rows if rule.column == column.name]
        rows.extend(_required(own, column.name, column.where) if column.name in keys else own)
    rows.extend(rule for rule in contract.rows if rule.column is None)
    uniques = tuple(rule for rule in contract.uniques if rule.code != "key")
    return replace(contract, columns=columns, rows=tuple(rows), uniques=uniques)


def _required(rules: list[RowRule], column: str, where: Location | None) -> list[RowRule]:
    if not any(rule.code == "required" for rule in rules):
        return [required_rule(column, where), *rules]
    return [replace(rule, severity="error") if rule.code == "required" else rule for rule in rules]


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
            raise Mistake("rule-syntax", f"expected a comma behind {word!r}", item.start + len(word), fix) from error
        known = "" if word in logical.ALIASES else nearest(word, logical.ALIASES)
        fix = "use one of " + ", ".join(dict.fromkeys(logical.ALIASES.values()))
        raise Mistake("unknown-type", str(error) + known, item.start, fix) from error


def _rule(draft: Draft, item: Item, seen: set[str]) -> None:
    compile_rule = RULES.get(item.name)
    if compile_rule is None:
        word = item.name.lower().replace(" ", "_")
        meant = SYNONYMS.get(word, word if word in RULES else "")
        hint = f" (did you mean {meant!r}?)" if meant else nearest(word, RULES)
        fix = "use one of " + ", ".join(RULES)
        raise Mistake("unknown-rule", f"unknown rule {item.name!r}{hint}", item.start, fix)
    if item.name in seen and item.name not in REPEATABLE:
        raise Mistake("duplicate-rule", f"{item.name} is written twice", item.start, "remove one of the two")
    seen.add(item.name)
    compile_rule(draft, item)


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


def _condition(pair: tuple[PlacedText, PlacedText], findings: list[Finding]) -> tuple[str, None, str, str]:
    """code, column, sql and message of one entry of `rules:`."""
    name, text = pair
    if name.text in RESERVED_CODES:
        what = f"a rule can't be named {name.text!r}: reasons use that word for a rule of one column"
        findings.append(Finding("reserved-name", "error", what, str(name.at(0)), "give the rule another name"))
    return name.text, None, _sql(name, text, findings), f"must satisfy {' '.join(text.text.split())}"


def condition_place(text: PlacedText) -> TextPlace:
    """Where the condition of an entry of `rules:` or `skip:` begins, character by character: what `verify` takes."""
    return text.place(len(text.text) - len(text.text.lstrip()))


def _skip(pair: tuple[PlacedText, PlacedText], findings: list[Finding]) -> tuple[str, str]:
    return pair[0].text, _sql(pair[0], pair[1], findings)


def _sql(name: PlacedText, text: PlacedText, findings: list[Finding]) -> str:
    """The condition as SQL that can stand inside parentheses."""
    if not text.text.strip():
        what = f"{name.text!r} has no condition"
        findings.append(Finding("empty-condition", "error", what, str(text.at(0)), "write an SQL condition"))
    # A comment at the end would swallow the parenthesis behind the condition.
    return text.text.strip() + ("\n" if "--" in text.text else "")


def _unlike(pairs: Sequence[tuple[PlacedText, PlacedText]], findings: list[Finding]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name.text in seen:
            what = f"{name.text!r} is named twice"
            findings.append(Finding("duplicate-key", "error", what, str(name.at(0)), "give it another name"))
        seen.add(name.text)


def _key_rule(drafts: Sequence[Draft]) -> list[UniqueRule]:
    keys = [draft for draft in drafts if draft.key]
    if not keys:
        return []
    return [UniqueRule("key", tuple(draft.name for draft in keys), "first", KEY_MESSAGE, keys[0].required)]

"""Oracle data in the spellings that users write, so that the real system can be driven with the same case."""

from __future__ import annotations

import re
from fractions import Fraction

from headgate.testing.oracle.model import (
    Child,
    Column,
    Contract,
    Fields,
    File,
    Flow,
    Limit,
    Malformed,
    Reference,
    Rule,
    Unique,
)
from headgate.testing.oracle.values import written

_WORD = re.compile(r"-?[A-Za-z0-9_.]+")


def to_csv(file: File) -> bytes:
    """The file as UTF-8 CSV with a header and line feeds: NULL is an empty field, empty text is `""`.

    Malformed records stand in it as they are, one physical line each. Errors: ValueError for a record that would
    render as a blank line, which is no record.
    """
    lines = [",".join(_field(name) for name in file.header)]
    for record in file.records:
        line = record.raw if isinstance(record, Malformed) else _line(record, file.header)
        if not line.strip():
            raise ValueError("a blank line is no record")
        lines.append(line)
    return "".join(line + "\n" for line in lines).encode()


def _line(record: Fields, header: tuple[str, ...]) -> str:
    return ",".join(_field(record.get(name)) for name in header)


def _field(text: str | None) -> str:
    if text is None:
        return ""
    if text == "" or text[0] in " #" or text[-1] == " " or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def short_form(contract: Contract) -> str:
    """The contract as the YAML lines of an ingest file: `columns:`, `rules:`, `skip:`, `refuse_at_most:`.

    Errors: ValueError for what one line per column cannot say (a unique rule over several columns, `warn` on some
    rules of a column only).
    """
    lines = ["columns:", *(f"  {column.name}: {_scalar(_column(column, contract))}" for column in contract.columns)]
    named = [f"  {condition.name}: {_scalar(condition.sql)}" for condition in contract.rules]
    named += [f"  {one.code}: {_named_reference(one)}" for one in contract.references if one.code != "references"]
    named += [f"  {call.name}: {{python: {call.function}, severity: {call.severity}}}" for call in contract.calls]
    skips = [f"  {condition.name}: {_scalar(condition.sql)}" for condition in contract.skip]
    for title, conditions in (("rules", named), ("skip", skips)):
        lines += [f"{title}:", *conditions] if conditions else []
    if contract.refuse_at_most:
        lines.append(f"refuse_at_most: {_limit(contract.refuse_at_most)}")
    lines += ["children:", *(f"  {line}" for child in contract.children for line in _child(child))] * bool(
        contract.children
    )
    return "\n".join(lines) + "\n"


def _child(child: Child) -> list[str]:
    """A child's lines under `children:`."""
    links = ", ".join(f"{key}: {name}" for key, name in child.links)
    body = [f"from: {child.source}", f"position: {child.position}"]
    body += [f"parent: {{{links}}}"] * (not child.above)  # inside of lines the names are those that nobody says
    contract = Contract(child.columns, child.rules, uniques=tuple(Unique((one,)) for one in child.unique))
    body += short_form(contract).splitlines()
    body += ["children:", *(f"  {line}" for inner in child.children for line in _child(inner))] * bool(child.children)
    return [f"{child.table}:", *(f"  {line}" for line in body)]


def ingest_form(flow: Flow, source: str) -> str:
    """The flow as a whole ingest file that reads `source` (what stands after `from:`)."""
    lines = [f"table: {flow.table}", f"from: {source}", f"load: {_load(flow)}"]
    for name, default in (("on_change", "error"), ("twin_files", "load"), ("extra", "error"), ("missing", "error")):
        if getattr(flow, name) != default:
            lines.append(f"{name}: {getattr(flow, name)}")
    if flow.evolution:
        lines.append(f"evolution: {{{', '.join(f'{case}: {word}' for case, word in flow.evolution)}}}")
    return "\n".join(lines) + "\n" + short_form(flow.contract)


def _load(flow: Flow) -> str:
    if flow.keys:
        keys = flow.keys[0] if len(flow.keys) == 1 else f"[{', '.join(flow.keys)}]"
        word = "scd6" if flow.latest else "scd3" if flow.previous else flow.disposition
        return f"{{{word}: {keys}" + _beside(flow) + "}"
    if flow.disposition == "replace" and flow.allow_empty:
        return "{replace: true, allow_empty: true}"
    return flow.disposition


def _beside(flow: Flow) -> str:
    said = [("order_by", flow.order_by or ""), ("vanished", "close" if flow.snapshots else "")]
    said += [("duplicates", flow.duplicates if flow.duplicates != "latest" else "")]
    said += [("deleted_if", flow.deleted_if.sql if flow.deleted_if else ""), ("keep_deleted", flow.keep_deleted)]
    said += [("as", "date" if flow.dates else "")]
    said += [("by", flow.by or ""), ("within", f"{int(flow.within.total_seconds()) // 60} m" if flow.within else "")]
    for key, shown in (("current", flow.latest), ("previous", flow.previous)):
        said += [(key, f"{{{', '.join(f'{one}: {name}' for one, name in shown)}}}" if shown else "")]
    said += [("allow_empty", "true" if flow.allow_empty else "")]
    return "".join(f", {key}: {value}" for key, value in said if value)


def _limit(limit: Limit) -> str:
    if limit.kind == "rows":
        return str(limit.value)
    percent = Fraction(limit.value) * 100
    return f"{percent.numerator if percent.denominator == 1 else float(percent)}%"


def _column(column: Column, contract: Contract) -> str:
    uniques = [unique for unique in contract.uniques if column.name in unique.columns]
    if any(len(unique.columns) > 1 for unique in uniques):
        raise ValueError("a unique rule over several columns has no short form")
    references = [one for one in contract.references if one.columns == (column.name,) and one.code == "references"]
    severities = {rule.severity for rule in column.rules} | {one.severity for one in references if not one.nulls}
    severities |= {column.required} if column.required else set()
    if len(severities) > 1:
        raise ValueError("`warn` covers all rules of a column")
    parts = [
        column.type,
        *(["required"] if column.required else []),
        *(["key"] if column.key else []),
        *(_rule(rule) for rule in column.rules),
        *("unique" if unique.keep == "first" else f"unique(keep={unique.keep})" for unique in uniques),
        *(_reference(reference) for reference in references),
        *([f"from({_quoted(column.source)})"] if column.source else []),
        *([f"was({', '.join(map(_quoted, column.was))})"] if column.was else []),
        *(["warn"] if "warn" in severities else []),
    ]
    return ", ".join(parts)


def _reference(reference: Reference) -> str:
    nulls = ", unmatched=null" if reference.nulls else ""
    return f"references({reference.to_table}.{reference.to_columns[0]}{nulls})"


def _named_reference(reference: Reference) -> str:
    """A reference as it stands under `rules:`."""
    unmatched = "null" if reference.nulls else "quarantine" if reference.severity == "error" else "warn"
    columns, to = (f"[{', '.join(names)}]" for names in (reference.columns, reference.to_columns))
    return f"{{references: {reference.to_table}, columns: {columns}, to: {to}, unmatched: {unmatched}}}"


def _rule(rule: Rule) -> str:
    quote = rule.code == "pattern"
    if rule.code == "length" and rule.args[1] is None:
        return f"length({rule.args[0]}, *)"
    texts = [written(arg) or "" for arg in rule.args]
    return f"{rule.code}({', '.join(_quoted(t) if quote or not _WORD.fullmatch(t) else t for t in texts)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _scalar(text: str) -> str:
    """The text as a YAML value on one line: plain where YAML reads it as it is."""
    plain = text and text[0].isalpha() and not any(mark in text for mark in (": ", " #", "\n")) and text[-1] != ":"
    return text if plain and text == text.strip() else _quoted(text)

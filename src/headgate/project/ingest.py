"""One ingest file: `table / from / load / columns` and what goes with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from headgate.books.history import History
from headgate.contracts import named, short
from headgate.contracts.children import places as children_places
from headgate.contracts.grammar import PlacedText
from headgate.contracts.great_expectations.suite import Suite
from headgate.contracts.model import Contract, Limit
from headgate.contracts.short import Beside
from headgate.core.errors import ContractError, Location, nearest
from headgate.core.values import TableRef
from headgate.project import (
    beside,
    children,
    contractfile,
    evolution,
    fields,
    landing,
    load,
    models,
    observing,
    pythonic,
    settings,
    source,
)
from headgate.project.fields import Notes
from headgate.project.model import Ingest, LoadSpec, SourceSpec
from headgate.project.yaml import Mapping, Node, Scalar, Sequence

KEYS = (
    "table",
    "from",
    "land",
    "load",
    "columns",
    "contract",
    "rules",
    "skip",
    "refuse_at_most",
    "extra",
    "missing",
    "evolution",
    "on_change",
    "twin_files",
    "allow_empty",
    "children",
    "freshness",
    *settings.KEYS,
)
LATER = ("schedule", "tests", "owner", "description")
CHOICES = {
    "extra": ("error", "ignore", "quarantine", "evolve"),
    "missing": ("error", "null"),
    "on_change": ("error", "ignore", "reload"),
    "twin_files": ("load", "skip"),
}
_PART = re.compile(r"[^\W\d]\w*")
RESERVED_SCHEMAS = ("_headgate", "information_schema", "pg_catalog")


def read(notes: Notes, node: Mapping, where: Location, root: Path = Path()) -> Ingest | None:
    """What the file says; None where table or source can't be known. Everything wrong with it is noted."""
    fields.known(notes, node, KEYS, "an ingest file", LATER)
    whole, node = node, landing.plain(notes, node) if node.get("land") is not None else node
    for key in ("table", "from"):
        if node.get(key) is None:
            notes.error("missing-key", f"{key} is missing", where, "write table: schema.name and from: path")
    before = len(notes.findings)
    table = _table(notes, node.get("table"))
    spec = source.read(notes, from_) if (from_ := node.get("from")) is not None else None
    how = load.read(notes, node.get("load"))
    words = {key: _anywhere(notes, node, key) for key in (*CHOICES, "allow_empty")}
    how = replace(how, allow_empty=bool(words.pop("allow_empty")))
    if how.history is not None and how.history.closes and spec is not None and spec.kind == "python":
        what = "vanished: close needs files: what a function yields does not say when it is all there is"
        notes.error("bad-value", what, how.where or where, "remove vanished, or have the function write files")
    given = node.get("contract")
    made = _given(notes, node, given, root, table) if given is not None else _contract(notes, node, how, root)
    if isinstance(made, Suite):
        _needs_key(notes, how)
    contract = made if isinstance(made, Contract) else None
    suite = made if isinstance(made, Suite) else None
    if contract is not None and len(notes.findings) == before:
        contract, how = _identity(notes, contract, how, str(table))
        spec = _positions(spec, contract)
        _source_columns(notes, contract, spec)
    contract = _with_children(notes, node, contract, (table, how, spec), root)
    policy = evolution.read(notes, node.get("evolution"))
    if words["extra"] == "quarantine" and contract is None and suite is None and node.get("contract") is None:
        fix = "write columns: with name: type lines, or extra: ignore"
        notes.error("bad-value", "extra: quarantine needs columns:", where, fix)
    if words["extra"] == "evolve":
        evolution.may_grow(notes, node, policy, how, contract)
    words["freshness_secs"] = observing.freshness(notes, node.get("freshness"))
    if table is None or spec is None:
        return None
    chosen: dict[str, Any] = {key: word for key, word in words.items() if word is not None}
    entry = Ingest(
        table, spec, how, contract, evolution=policy, where=where, places=_places(node), suite=suite,
        settings=settings.read(notes, whole), **chosen,
    )  # fmt: skip
    return landing.settled(notes, whole, entry, words["on_change"] is not None)


def _with_children(notes: Notes, node: Mapping, contract: Contract | None, about: Any, root: Path) -> Contract | None:
    """The contract with the lists that become tables of their own."""
    given = node.get("children")
    if None in about or (given is None and (contract is None or not contract.children)):
        return contract
    if contract is None:
        if not notes.findings and given is not None:
            fix = "write columns: with name: type lines, one of them a key"
            notes.error("missing-key", "children need columns:", given.where, fix)
        return None
    read = children.Reader(
        _table,
        lambda notes, body, columns: _stated(notes, body, columns, None, root),
        lambda notes, body, lines: _joined(notes, _beside(notes, body, None, root), lines),
    )
    return children.read(notes, given, contract, about, read)


def _table(notes: Notes, node: Node | None) -> TableRef | None:
    word = fields.text(notes, node, "table") if node is not None else None
    if node is None or word is None:
        return None
    parts = word.split(".")
    fix = "write name or schema.name, of letters, digits and underscores"
    if len(parts) > 2 or not all(_PART.fullmatch(part) for part in parts):
        notes.error("bad-value", f"{word!r} does not name a table", node.where, fix)
        return None
    ref = TableRef.parse(word)
    schema, name = ref.schema.lower(), ref.name.lower()
    if schema.startswith("_hg") or schema in RESERVED_SCHEMAS or name.startswith("_hg_") or "__hg_" in name:
        notes.error(
            "reserved-name", f"{word!r} is a name that Headgate keeps for itself", node.where, "rename the table"
        )
        return None
    return ref


def _anywhere(notes: Notes, node: Mapping, key: str) -> Any:
    """The value of a key that may stand in the file itself, under `load:` or among the source's options."""
    found = [holder for holder in _holders(node) if holder.get(key) is not None]
    for holder in found[1:]:
        place = holder.key(key)
        notes.error("duplicate-key", f"{key} is written twice", place.where if place else holder.where, "keep one")
    if not found:
        return None
    value = found[0].get(key)
    assert value is not None
    return fields.choice(notes, value, key, CHOICES[key]) if key in CHOICES else fields.flag(notes, value, key)


def _holders(node: Mapping) -> Iterator[Mapping]:
    yield node
    if isinstance(how := node.get("load"), Mapping):
        yield how
    if isinstance(from_ := node.get("from"), Mapping):
        yield from_
        yield from (value for _, value in from_.entries if isinstance(value, Mapping))


def _contract(notes: Notes, node: Mapping, how: LoadSpec, root: Path = Path()) -> Contract | None:
    """The contract; None for a two-line ingest or where it can't be known."""
    limit = load.limit(notes, node.get("refuse_at_most"))
    columns = fields.mapping(notes, node.get("columns"), "columns")
    if columns is None:
        if node.get("columns") is None:
            _needs_columns(notes, node, how)
        return None
    if not columns.entries:
        notes.error("missing-key", "columns: lists no column", columns.where, "write name: type, or remove columns:")
    return _stated(notes, node, columns, limit, root)


def _stated(notes: Notes, node: Mapping, columns: Mapping, limit: Limit | None, root: Path) -> Contract | None:
    """What the file itself says of columns and rows."""
    lines, beside = _pairs(notes, columns, "columns", "type, rule, rule"), _beside(notes, node, limit, root)
    try:
        made = short.parse(lines, beside.rules, beside.skips, limit, columns.where)
    except ContractError as error:
        notes.take(error)
        return None
    return replace(made, calls=beside.calls)


def _beside(notes: Notes, node: Mapping, limit: Limit | None, root: Path) -> Beside:
    """What stands beside the columns: rules, skips and the limit."""
    calls = pythonic.python_rules(notes, node.get("rules"), root)
    rules = _rules(notes, fields.mapping(notes, pythonic.others(node.get("rules")), "rules"))
    skip = fields.mapping(notes, node.get("skip"), "skip")
    skips = _pairs(notes, skip, "skip", "SQL condition") if skip is not None else []
    return Beside(tuple(rules), tuple(skips), limit, calls)


def _given(notes: Notes, node: Mapping, given: Node, root: Path, table: TableRef | None) -> Contract | Suite | None:
    """The contract that `contract:` names, with what this file says besides."""
    if node.get("columns") is not None:
        notes.error("duplicate-key", "contract: and columns: both say what the columns are", given.where, "keep one")
        return None
    limit = load.limit(notes, node.get("refuse_at_most"))
    if isinstance(given, Mapping) and models.names_model(given):
        own = _stated(notes, node, Mapping((), given.where), limit, root)
        return models.read(notes, given, root, own) if own is not None else None
    found = contractfile.read(notes, given, root, str(table or ""), children.asked(node.get("children")))
    beside = _beside(notes, node, limit, root)
    if isinstance(found, Suite):
        return replace(found, beside=beside)
    return _joined(notes, beside, found) if found is not None else None


def _joined(notes: Notes, beside: Beside, found: Contract) -> Contract | None:
    """The contract of another file with what this one says besides."""
    try:
        return beside.joined(found)
    except ContractError as error:
        notes.take(error)
        return None


def _needs_columns(notes: Notes, node: Mapping, how: LoadSpec) -> None:
    for key in ("rules", "skip", "refuse_at_most"):
        place = node.key(key)
        if place is not None:
            notes.error("missing-key", f"{key} needs columns:", place.where, "write columns: with name: type lines")
    _needs_key(notes, how)


def _needs_key(notes: Notes, how: LoadSpec) -> None:
    """Without columns, only the load can name the key that it needs."""
    if how.history is not None and ((how.history.dates and how.order_by) or how.history.deleted_if):
        what = "as: date and deleted_if need columns:, to know what they speak of"
        notes.error("missing-key", what, how.where or "", "write columns: with name: type lines")
    if how.tombstones is not None:
        what = "deleted_if needs columns:, to know what it speaks of"
        notes.error("missing-key", what, how.where or "", "write columns: with name: type lines")
    beside.needs_columns(notes, how)
    if how.kind in load.KEYED and not how.keys:
        fix = f"write {{{how.kind}: column}}, or columns: with a key"
        notes.error("missing-key", _no_keys(how), how.where or "", fix)


def _pairs(notes: Notes, node: Mapping, key: str, form: str) -> list[tuple[PlacedText, PlacedText]]:
    """Name and text of every entry; an entry that is no text is noted and left out."""
    pairs = []
    for name, value in node.entries:
        if isinstance(value, Scalar) and not value.empty:
            pairs.append((name.placed, value.placed))
            continue
        example = f"{name.text}: text" if key == "columns" else f"{name.text}: amount >= 0"
        if isinstance(value, Scalar) and key == "columns":
            notes.error("missing-type", f"column {name.text!r} has no type", name.where, f"write {example}")
        else:
            what = f"{name.text!r} under {key} must be `{form}`, not {fields.kind(value)}"
            notes.error("bad-value", what, value.where, f"write one line: {example}")
    return pairs


def _rules(notes: Notes, node: Mapping | None) -> list[tuple[PlacedText, named.Value]]:
    """Name and condition, or mapping, of every entry of `rules:`."""
    found: list[tuple[PlacedText, named.Value]] = []
    for name, value in node.entries if node is not None else ():
        if isinstance(value, Mapping):
            form = _form(notes, name, value)
            found += [(name.placed, form)] if form is not None else []
        else:
            assert node is not None
            found += _pairs(notes, Mapping(((name, value),), node.where), "rules", "SQL condition")
    return found


def _form(notes: Notes, name: Scalar, node: Mapping) -> named.Form | None:
    """A mapping of texts and lists of texts; None and a note where it holds something else."""
    parts = []
    for key, value in node.entries:
        items = value.items if isinstance(value, Sequence) else (value,)
        texts = tuple(item.placed for item in items if isinstance(item, Scalar) and not item.empty)
        if len(texts) < len(items) or not items:
            what = f"{key.text!r} of rule {name.text!r} must be a value, not {fields.kind(value)}"
            notes.error("bad-value", what, value.where, f"write {key.text}: value")
            return None
        parts.append(named.Part(key.placed, texts, isinstance(value, Sequence)))
    return named.Form(tuple(parts), node.where)


def _identity(notes: Notes, contract: Contract, how: LoadSpec, table: str) -> tuple[Contract, LoadSpec]:
    """Contract and load that agree on the identity; columns that do not exist are noted."""
    if how.kind not in load.KEYED:
        return contract, how
    where = how.where or Location("")
    names = [column.name for column in contract.columns]
    keys = how.keys if how.kind == "partition" else how.keys or contract.key
    if not keys:
        fix = "name its columns: {partition: day}" if how.kind == "partition" else "mark the identity: id: int, key"
        notes.error("missing-key", _no_keys(how), where, fix)
    for name in (*keys, *((how.order_by,) if how.order_by else ())):
        if name not in names:
            what = f"load names column {name!r}, which the contract does not have{nearest(name, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
    if how.kind != "partition" and how.keys and contract.key and set(how.keys) != set(contract.key):
        what = f"{how.kind} names {', '.join(how.keys)}, but the key is {', '.join(contract.key)}"
        notes.error("bad-value", what, where, f"write load: {how.kind}, or mark the same columns as key")
    if how.history is not None:
        _versions(notes, contract, how, how.history, table)
    if how.tombstones is not None:
        gone = how.tombstones.column
        if gone.lower() in [name.lower() for name in names] or gone.lower().startswith("_hg_"):
            what = f"{gone!r} can't say what was deleted: the contract has such a column, or the name is reserved"
            notes.error("reserved-name", what, where, "choose another: keep_deleted: is_deleted")
    contract = beside.checked(notes, contract, how, keys)
    return short.as_loaded(contract, how.kind, keys), replace(how, keys=tuple(keys))


def _versions(notes: Notes, contract: Contract, how: LoadSpec, history: History, table: str) -> None:
    """What would keep the table from keeping versions."""
    where = how.where or Location("")
    names = [column.name for column in contract.columns]
    for name in history.track:
        if name not in names:
            what = f"track names column {name!r}, which the contract does not have{nearest(name, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
    time = next((column.type.name for column in contract.columns if column.name == how.order_by), "timestamp")
    if history.dates and time not in ("date", "timestamp", "timestamptz"):
        what = f"as: date needs a time to order by, and {how.order_by} is {time}"
        notes.error("bad-value", what, where, "remove as, or order by a date, timestamp or timestamptz")
    for name, _ in history.latest:
        if name not in names:
            what = f"current names column {name!r}, which the contract does not have{nearest(name, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
    lower = [name.lower() for name in names]
    for name in history.beside:
        if name.lower() in lower or name.lower().startswith("_hg_"):
            what = f"{name!r} can't stand beside the versions: the contract has such a column, or the name is reserved"
            notes.error("reserved-name", what, where, "choose others: columns: {from: since, to: until, current: now}")
    if len({name.lower() for name in history.beside}) < len(history.beside):
        notes.error("duplicate-key", "the columns of a history need a name each", where, "choose others")
    for rule in contract.uniques:
        if rule.code != "key":
            what = f"unique ({', '.join(rule.columns)}) does not go with scd2: versions of one identity repeat it"
            notes.error("bad-value", what, rule.where or where, "make it a test of a model over the current versions")
    for reference in contract.references:
        if reference.to_table == table:
            what = "a reference to the own table does not go with scd2"
            notes.error("bad-value", what, reference.where or where, "make it a test of a model")


def _no_keys(how: LoadSpec) -> str:
    return f"{how.kind} has no {'column' if how.kind == 'partition' else 'key'}"


def _positions(spec: SourceSpec | None, contract: Contract) -> SourceSpec | None:
    """The source with the contract's columns in their order, where neither a header nor an option names them."""
    options = spec.options if spec is not None else {}
    named = options.get("header", True) or options.get("columns") is not None or options.get("hive")
    if spec is None or spec.kind not in ("csv", "excel") or named:
        return spec
    listed = tuple(one.source for one in contract.columns if one.source != options.get("file_column"))
    return replace(spec, options={**options, "columns": listed})


def _source_columns(notes: Notes, contract: Contract, spec: SourceSpec | None) -> None:
    """What the source's options name must be columns of the contract."""
    options = spec.options if spec is not None else {}
    places = spec.places if spec is not None else {}
    fed = {column.source: column for column in contract.columns}
    file_column = options.get("file_column")
    if file_column is not None and file_column not in fed:
        fix = f"add it to columns: {file_column}: text"
        notes.error("unknown-column", f"file_column {file_column!r} is no column", places["file_column"], fix)
    elif file_column is not None and fed[file_column].type.name != "text":
        fix = f"write {fed[file_column].name}: text"
        notes.error("bad-value", f"file_column {file_column!r} is not a text", places["file_column"], fix)
    listed: tuple[str, ...] = tuple(options.get("columns") or ())
    for column in contract.columns if listed and not options.get("hive") else ():
        if column.source not in (*listed, file_column):
            what = f"column {column.name!r} is fed from {column.source!r}, which the source's columns do not list"
            fix = "add it to the source's columns, or feed it: from('Name')"
            notes.error("unknown-column", what + nearest(column.source, listed), column.where or "", fix)


def _places(node: Mapping) -> dict[str, Location]:
    """Where each key stands, and each condition: `load`, `rules.<name>`, `skip.<name>`, `load.deleted_if`; those of a
    child behind its table: `children.<table>.rules.<name>`."""
    places: dict[str, Location] = {key.text: key.where for key, _ in node.entries}
    for name, value in (
        _rules(Notes(), rules) if isinstance(rules := pythonic.others(node.get("rules")), Mapping) else ()
    ):
        places |= named.places(name.text, value)
    skips = node.get("skip")
    for key, text in skips.entries if isinstance(skips, Mapping) else ():
        if isinstance(text, Scalar):
            places[f"skip.{key.text}"] = named.condition_place(text.placed)
    inner = node.get("children")
    for child, body in inner.entries if isinstance(inner, Mapping) else ():
        head = children_places(str(TableRef.parse(child.text)))
        of_child = _places(body) if isinstance(body, Mapping) else {}
        places |= {f"{head}{key}": place for key, place in of_child.items()}
    how = node.get("load")
    deleted = how.get("deleted_if") if isinstance(how, Mapping) else None
    if isinstance(deleted, Scalar):
        places["load.deleted_if"] = named.condition_place(deleted.placed)
    return places


def rows_contract(notes: Notes, node: Mapping, root: Path) -> tuple[Contract | None, dict[str, Location]]:
    """The contract that `columns:`, `rules:`, `skip:` and `refuse_at_most:` of a mapping say, and where each stands."""
    limit = load.limit(notes, node.get("refuse_at_most"))
    columns = fields.mapping(notes, node.get("columns"), "columns")
    if columns is None or not columns.entries:
        if columns is not None or node.get("columns") is None:
            notes.error(
                "missing-key", "the contract names no column", node.where, "write columns: with name: type lines"
            )
        return None, {}
    return _stated(notes, node, columns, limit, root), _places(node)

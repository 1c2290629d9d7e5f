"""What stands under `children:`: lists inside of each record whose elements become rows of tables of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from headgate.contracts.children import POSITION, Asked, family
from headgate.contracts.grammar import PlacedText
from headgate.contracts.model import Child, Contract, ContractColumn
from headgate.core.errors import Location, nearest
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.model import Ingest, LoadSpec, SourceSpec
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.types.logical import of_engine

KEYS = ("from", "columns", "rules", "parent", "position", "children")
SOURCES = ("ndjson", "json", "parquet", "avro", "orc", "python", "table")
"""Kinds of sources whose records may hold lists."""


@dataclass(frozen=True)
class Reader:
    """How an ingest file reads what a child has in common with it. `joined`: what stands beside a contract's lines."""

    table: Callable[[Notes, Scalar], TableRef | None]
    contract: Callable[[Notes, Mapping, Mapping], Contract | None]
    joined: Callable[[Notes, Mapping, Contract], Contract | None]


def asked(node: Node | None) -> Asked:
    """The lists of a contract in a file of its own that the entries without `columns:` want as tables."""
    found: dict[str, Asked] = {}
    for _, body in node.entries if isinstance(node, Mapping) else ():
        source = body.get("from") if isinstance(body, Mapping) else None
        if isinstance(body, Mapping) and body.get("columns") is None and isinstance(source, Scalar):
            found[source.text] = asked(body.get("children"))
    return Asked(found)


def read(
    notes: Notes, node: Node | None, contract: Contract, about: tuple[TableRef, LoadSpec, SourceSpec], reader: Reader
) -> Contract:
    """The contract with its own children and those that the node names. Everything wrong is noted."""
    table, how, source = about
    where = node.where if node is not None else contract.children[0].where or Location("")
    if not _fits(notes, where, contract, how, source):
        return replace(contract, children=())
    identity = tuple((name, f"{table.name}_{name}") for name in contract.key)
    found = _all_children(notes, node, contract.children, _Parent(table, identity), reader)
    names: dict[str, Child] = {}
    for child in _all(found):
        if names.setdefault(child.table.lower(), child) is not child or child.table.lower() == str(table).lower():
            notes.error("duplicate-table", f"{child.table} is filled twice", child.where or "", "give one another name")
    _references(notes, found, {*names, str(table).lower()})
    return replace(contract, children=found)


def _fits(notes: Notes, where: Location, contract: Contract, how: LoadSpec, source: SourceSpec) -> bool:
    """Whether a table may have children at all."""
    what = fix = ""
    if how.kind == "scd2":
        what = "children do not go with scd2: a line belongs to a record, and of its versions to which, nobody says"
        fix = "load {upsert: key}, or take the list as a json column"
    elif how.horizon is not None:
        what = "children do not go with within: a line belongs to a record, and of several of one identity to which?"
        fix = "load {insert: key} without within, or take the list as a json column"
    elif contract.model is not None:
        what, fix = "children do not go with a Pydantic model", "write columns: with name: type lines"
    elif source.kind not in SOURCES:
        what, fix = f"records of {source.kind} hold no lists", f"children go with {', '.join(SOURCES)}"
    elif not contract.key:
        what = "children need a key of the record, to say whose lines they are"
        fix = "mark it: id: int, key"
    if what:
        notes.error("bad-value" if contract.key else "missing-key", what, where, fix)
    return not what


@dataclass(frozen=True)
class _Parent:
    """What a list belongs to: its table, and (column that identifies a record, its name in the child by default)."""

    table: TableRef
    identity: tuple[tuple[str, str], ...]


def _all_children(
    notes: Notes, node: Node | None, own: tuple[Child, ...], parent: _Parent, reader: Reader
) -> tuple[Child, ...]:
    """Those that a contract in a file of its own names, and those under `children:`, whose lines it may describe."""
    named = [_settled(notes, child, parent, reader) for child in own if child.table]
    lines = {child.source: child for child in own if not child.table}
    given = _children(notes, node, parent, reader, lines) if node is not None else ()
    return (*(child for child in named if child is not None), *given)


def _settled(notes: Notes, child: Child, parent: _Parent, reader: Reader) -> Child | None:
    """A child that a contract names, as if the ingest file had said it."""
    where = child.where or Location("")
    placed = PlacedText(child.table, where.path, where.line, where.column)
    table = reader.table(notes, Scalar(child.table, where, placed))
    if table is None:
        return None
    links = _named_links(notes, [(key, name, where) for key, name in child.links], parent)
    made = replace(child, table=str(table), links=links)
    _rules_of_lines(notes, made.contract, where)
    _names(notes, made)
    return _with_inner(notes, None, made, reader)


def _children(notes: Notes, node: Node, parent: _Parent, reader: Reader, lines: dict[str, Child]) -> tuple[Child, ...]:
    entries = fields.mapping(notes, node, "children")
    if entries is None:
        return ()
    if not entries.entries:
        notes.error(
            "missing-key", "children: names no table", node.where, "write children: {schema.name: {from: list}}"
        )
    made = [_child(notes, name, value, parent, reader, lines) for name, value in entries.entries]
    return tuple(child for child in made if child is not None)


def _child(
    notes: Notes, name: Scalar, value: Node, parent: _Parent, reader: Reader, lines: dict[str, Child]
) -> Child | None:
    table = reader.table(notes, name)
    body = fields.mapping(notes, value, f"child {name.text}")
    if table is None or body is None:
        return None
    fields.known(notes, body, KEYS, f"child {name.text}")
    source = fields.text(notes, from_, "from") if (from_ := body.get("from")) is not None else None
    told = lines.get(source or "")
    for key in ("from", "columns"):
        if body.get(key) is None and (key == "from" or told is None):
            fix = "write from: the key of the list, and columns: with name: type lines"
            notes.error("missing-key", f"child {name.text}: {key} is missing", name.where, fix)
    if source is None or (body.get("columns") is None and told is None):
        return None
    if not all(source.split(".")):
        notes.error("bad-value", f"{source!r} leads to no list", body.where, "write from: items, or from: a.items")
    contract = _contract(notes, name, body, reader, told)
    if contract is None:
        return None
    _rules_of_lines(notes, contract, name.where)
    place = fields.text(notes, where, "position") if (where := body.get("position")) is not None else None
    links = _links(notes, body.get("parent"), parent)
    child = Child(str(table), source, contract, links, place or POSITION, name.where)
    _names(notes, child)
    return _with_inner(notes, body.get("children"), child, reader)


def _contract(notes: Notes, name: Scalar, body: Mapping, reader: Reader, told: Child | None) -> Contract | None:
    """What a line must be: as the file's columns say, else as the contract `told` it."""
    columns = fields.mapping(notes, body.get("columns"), "columns")
    if columns is None:
        return reader.joined(notes, body, told.contract) if told is not None and body.get("columns") is None else None
    if not columns.entries:
        what, fix = f"child {name.text} has no column", "write name: type lines under columns:"
        notes.error("missing-key", what, columns.where, fix)
        return None
    return reader.contract(notes, body, columns)


def _with_inner(notes: Notes, node: Node | None, child: Child, reader: Reader) -> Child:
    """The child with the lists inside of its lines."""
    own = child.contract.children
    if node is None and not own:
        return child
    table = TableRef.parse(child.table)
    identity = (*((name, name) for _, name in child.links), (child.position, f"{table.name}_{child.position}"))
    inner = _all_children(notes, node, own, _Parent(table, identity), reader)
    return replace(child, contract=replace(child.contract, children=inner))


def _links(notes: Notes, node: Node | None, parent: _Parent) -> tuple[tuple[str, str], ...]:
    """The columns that repeat what identifies the record, under their own names."""
    names = dict(parent.identity)
    if isinstance(node, Scalar) and not node.empty and len(names) == 1:
        return ((parent.identity[0][0], node.text),)
    given = fields.mapping(notes, node, "parent")
    said = [(key, fields.text(notes, value, key.text)) for key, value in (given.entries if given is not None else ())]
    return _named_links(notes, [(key.text, word or names.get(key.text, ""), key.where) for key, word in said], parent)


def _named_links(
    notes: Notes, said: Sequence[tuple[str, str, Location]], parent: _Parent
) -> tuple[tuple[str, str], ...]:
    """What identifies the parent, each with the name that is said for it here, or the usual one."""
    names = dict(parent.identity)
    for key, word, where in said:
        if key not in names:
            what = f"{parent.table} is not told by {key!r}{nearest(key, names)}"
            notes.error("unknown-column", what, where, "use one of " + ", ".join(names))
        else:
            names[key] = word
    return tuple(names.items())


def _names(notes: Notes, child: Child) -> None:
    """All columns of a child's table have names of their own, and none that is kept for Headgate."""
    where = child.where or Location("")
    taken = {column.name.lower() for column in child.contract.columns}
    for name in (*(name for _, name in child.links), child.position):
        fix = "choose another: parent: {id: order_id}, position: line"
        if name.lower() in taken:
            notes.error("duplicate-column", f"{child.table} would have two columns {name!r}", where, fix)
        if name.lower().startswith("_hg_") or not name:
            notes.error("reserved-name", f"{name!r} can't be a column of {child.table}", where, fix)
        taken.add(name.lower())


def _rules_of_lines(notes: Notes, contract: Contract, where: Location) -> None:
    """A line is judged by itself and beside the lines of its own list; what asks for more is noted."""
    odd: list[tuple[str, Location | None]] = []
    odd += [(f"rule {rule.code!r} calls a function", rule.where) for rule in contract.calls]
    odd += [(f"rule {rule.name!r} is about a whole load", rule.where) for rule in contract.batches]
    odd += [(f"mostly of {one.code!r} is about a whole load", one.where) for one in contract.thresholds]
    odd += [(f"unique with keep={one.keep}", one.where) for one in contract.uniques if one.keep != "first"]
    odd += [
        ("a reference that refuses nothing", one.where) for one in contract.references if one.unmatched != "quarantine"
    ]
    odd += [(f"was of {column.name!r}", column.where) for column in contract.columns if column.was]
    for what, place in odd:
        fix = "lines take types, rules of columns, conditions, key and unique within a list, and references"
        notes.error("not-supported", f"{what}: that is not supported in a child", place or where, fix)


def declared(ingests: Iterable[Ingest]) -> list[TableRef]:
    """Every table that the ingest files fill, those of children too."""
    return [one.table for ingest in ingests for one in tables(ingest)]


def tables(ingest: Ingest) -> Iterator[Ingest]:
    """The ingest itself, and each of its children as if a file of its own loaded it: with all columns of its table."""
    yield ingest
    for kin in family(ingest.contract) if ingest.contract is not None else ():
        own = {column.name: column for column in kin.child.contract.columns}
        columns = tuple(
            own.get(name) or ContractColumn(name, of_engine(kind), name, True) for name, kind in kin.columns
        )
        contract = replace(kin.child.contract, columns=columns)
        table = TableRef.parse(kin.child.table)
        yield replace(ingest, table=table, contract=contract, where=kin.child.where or ingest.where)


def _all(found: Sequence[Child]) -> Iterator[Child]:
    for child in found:
        yield child
        yield from _all(child.contract.children)


def _references(notes: Notes, found: Sequence[Child], own: set[str]) -> None:
    for child in _all(found):
        for rule in child.contract.references:
            if rule.to_table.lower() in own:
                what = f"{child.table} can't refer to {rule.to_table}, which is filled with it"
                notes.error("not-supported", what, rule.where or child.where or "", "make it a test of a model")

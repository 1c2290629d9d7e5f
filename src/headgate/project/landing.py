"""`land: raw`, which keeps records as received, and `from: {table: ...}`, which reads what was landed so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headgate.contracts.evolution import Policy
from headgate.core.errors import Location, nearest
from headgate.core.values import TableRef
from headgate.project import fields, load
from headgate.project.fields import Notes
from headgate.project.model import Ingest
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence

WORDS = ("raw",)
LOADS = ("append", "replace", "partition")
FILES = ("csv", "excel", "fixed", "ndjson", "json", "parquet", "avro", "orc")
BELONGS = ("contract", "rules", "skip", "extra", "missing")
"""Keys that judge records; those of a raw landing are judged by whoever reads it."""


def plain(notes: Notes, node: Mapping) -> Mapping:
    """The ingest file without what only a raw landing reads otherwise: `land`, `columns`, `refuse_at_most`."""
    if not _is_raw(notes, node):
        return _without(node, ("land",))
    for name in BELONGS:
        place = node.key(name)
        if place is not None:
            what = f"{name} does not go with land: raw, which keeps every record as it was received"
            fix = f"write {name} into the file of the table that reads this one: from: {{table: ...}}"
            notes.error("bad-value", what, place.where, fix)
    return _without(node, ("land", "columns", "refuse_at_most", *BELONGS))


def _is_raw(notes: Notes, node: Mapping) -> bool:
    value = node.get("land")
    return value is not None and fields.choice(notes, value, "land", WORDS) == "raw"


def _without(node: Mapping, names: Sequence[str]) -> Mapping:
    return replace(node, entries=tuple(entry for entry in node.entries if entry[0].text not in names))


def settled(notes: Notes, node: Mapping, made: Ingest, change_said: bool) -> Ingest:
    """The ingest with what a raw landing, or reading one, means beside. `node`: the whole file."""
    if made.source.kind == "table":
        return _reading(notes, node, made, change_said)
    value = node.get("land")
    if not (isinstance(value, Scalar) and value.text == "raw"):
        return made
    where = value.where
    if made.source.kind not in FILES:
        what = f"land: raw keeps records of files, and from: {made.source.kind} yields none"
        notes.error("bad-value", what, where, "remove land:, and write columns:")
    if made.load.kind not in LOADS:
        what = f"land: raw keeps every record: load: {made.load.kind}, which goes by identities, does not go with it"
        fix = f"land by {', '.join(LOADS)}, and write load: {made.load.kind} into the file of the table that reads it"
        notes.error("bad-value", what, made.load.where or where, fix)
    source = replace(made.source, options={**made.source.options, **_names(notes, node.get("columns"), made)})
    policy = made.evolution if node.get("evolution") is not None else Policy(narrowed="evolve")
    limit = load.limit(notes, node.get("refuse_at_most"))
    return replace(made, land="raw", limit=limit, source=source, evolution=policy, missing="null")


def _names(notes: Notes, node: Node | None, made: Ingest) -> dict[str, Any]:
    """The option that names the columns of a file without a header."""
    if node is None:
        return {}
    options = made.source.options
    if made.source.kind not in ("csv", "excel") or options.get("header", True):
        fix = "remove columns:, or write header: false where the first record is none"
        notes.error("bad-value", "under land: raw the source itself names the columns", node.where, fix)
        return {}
    if options.get("columns") is not None:
        notes.error("duplicate-key", "the source's options name the columns, too", node.where, "keep one")
        return {}
    items = node.items if isinstance(node, YamlSequence) else ()
    if isinstance(node, Mapping):
        items = tuple(name for name, _ in node.entries)
        typed = [value for _, value in node.entries if not (isinstance(value, Scalar) and value.empty)]
        if typed:
            fix = "write columns: [id, name]; types go into the file of the table that reads this one"
            notes.error("bad-value", "under land: raw columns have names and no types", typed[0].where, fix)
    names = [name for item in items if (name := fields.text(notes, item, "columns"))]
    if not names or len({name.lower() for name in names}) < len(names):
        fix = "write columns: [id, name], each name once"
        notes.error("bad-value", "columns: must list the names of the columns", node.where, fix)
    return {"columns": tuple(names)}


def _reading(notes: Notes, node: Mapping, made: Ingest, change_said: bool) -> Ingest:
    where = made.source.where
    if node.get("land") is not None:
        notes.error("bad-value", "a table is not landed once more", where, "remove land:, and write columns:")
    if made.twin_files != "load":
        what = "twin_files does not go with from: table, which knows no contents of files"
        notes.error("bad-value", what, where, "write it into the file that lands the table")
    return made if change_said else replace(made, on_change="reload")


def linked(notes: Notes, ingests: Sequence[Ingest]) -> tuple[Ingest, ...]:
    """The ingests, each that reads a table with what the file that lands it says; what lands nowhere is noted."""
    landed = {str(one.table).lower(): one for one in ingests if one.land == "raw"}
    return tuple(_linked(notes, one, landed, ingests) for one in ingests)


def _linked(notes: Notes, one: Ingest, landed: dict[str, Ingest], ingests: Sequence[Ingest]) -> Ingest:
    if one.reads is None:
        return one
    bronze = landed.get(str(one.reads).lower())
    if bronze is None:
        _not_landed(notes, one, one.reads, ingests)
        return one
    zone = bronze.source.options.get("timezone")
    options = {**({"timezone": zone} if zone else {}), **one.source.options, "table": str(bronze.table)}
    return replace(one, source=replace(one.source, options=options))


def _not_landed(notes: Notes, one: Ingest, table: TableRef, ingests: Sequence[Ingest]) -> None:
    where: Location = one.source.places.get("table", one.source.where)
    there = next((each for each in ingests if str(each.table).lower() == str(table).lower()), None)
    if there is None:
        names = [str(each.table) for each in ingests if each.land == "raw"]
        what = f"no ingest file lands {table}{nearest(str(table), names)}"
        fix = f"land it: a file under ingest/ with table: {table}, from: and land: raw"
    else:
        what = f"{table} is loaded by a contract ({there.where}); only what was landed raw is read again by one"
        fix = f"write land: raw into {there.where}, or read {table} by a model"
    notes.error("not-landed", what, where, fix)

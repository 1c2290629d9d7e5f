"""Exposures: what outside of the project reads its tables (dashboards, applications), as YAML files name it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from headgate.core.errors import Location
from headgate.core.records import dataclass
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping, Node, Scalar
from headgate.project.yaml import Sequence as YamlSequence

KEYS = (
    "name",
    "type",
    "owner",
    "url",
    "depends_on",
    "label",
    "description",
    "maturity",
    "meta",
    "tags",
    "config",
)
TYPES = ("dashboard", "notebook", "analysis", "ml", "application")
OWNER_KEYS = ("name", "email")
ON_KEYS = ("table", "columns")
_CALL = re.compile(r"\s*(ref|source)\s*\(\s*(.*?)\s*\)\s*", re.DOTALL)
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True)
class Dependency:
    """A table that an exposure reads, as it was named: a model, `schema.name`, or either with a column behind a dot.

    `columns`: those that are read; empty for all of them, unless `table` names one.
    """

    table: str
    columns: tuple[str, ...]
    where: Location


@dataclass(frozen=True)
class Exposure:
    """One exposure as a file says it."""

    name: str
    type: str
    owner: str
    url: str
    depends_on: tuple[Dependency, ...]
    where: Location


def read(notes: Notes, node: Mapping) -> list[Exposure]:
    """The exposures that the file names; everything wrong is noted."""
    listed = node.get("exposures")
    if listed is None or (isinstance(listed, Scalar) and listed.empty):
        return []
    if not isinstance(listed, YamlSequence):
        what = f"exposures must be a list, not {fields.kind(listed)}"
        notes.error("bad-value", what, listed.where, "write - name: ... under exposures:")
        return []
    entries = [fields.mapping(notes, item, "an exposure") for item in listed.items]
    found = [_exposure(notes, entry) for entry in entries if entry is not None]
    return [one for one in found if one is not None]


def unique(notes: Notes, exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """The exposures of all files by name; a name that is taken is noted."""
    found: dict[str, Exposure] = {}
    for one in exposures:
        other = found.setdefault(one.name.casefold(), one)
        if other is not one:
            what = f"exposure {one.name!r} is described twice, first at {other.where}"
            notes.error("duplicate-key", what, one.where, "keep one of the two")
    return tuple(sorted(found.values(), key=lambda one: one.name))


def _exposure(notes: Notes, node: Mapping) -> Exposure | None:
    fields.known(notes, node, KEYS, "an exposure")
    name = node.get("name")
    if name is None:
        notes.error("missing-key", "an exposure has no name", node.where, "write - name: ...")
        return None
    said = fields.text(notes, name, "name")
    kind = node.get("type")
    word = fields.choice(notes, kind, "type", TYPES) if kind is not None else ""
    url = node.get("url")
    link = fields.text(notes, url, "url") if url is not None else ""
    if said is None:
        return None
    return Exposure(said, word or "", _owner(notes, node.get("owner")), link or "", _depends(notes, node), node.where)


def _owner(notes: Notes, node: Node | None) -> str:
    """`owner: Anna`, or `owner: {name: Anna, email: anna@shop.example}`."""
    if node is None:
        return ""
    if not isinstance(node, Mapping):
        return fields.text(notes, node, "owner") or ""
    fields.known(notes, node, OWNER_KEYS, "the owner of an exposure")
    parts = [fields.text(notes, value, key.text) or "" for key, value in node.entries if key.text in OWNER_KEYS]
    return f"{parts[0]} <{parts[1]}>" if len(parts) == 2 else "".join(parts)


def _depends(notes: Notes, node: Mapping) -> tuple[Dependency, ...]:
    given = node.get("depends_on")
    if given is None:
        fix = "write depends_on: [ref('daily_sales')], or with columns: [{table: daily_sales, columns: [revenue]}]"
        notes.error("missing-key", "an exposure that depends on nothing", node.where, fix)
        return ()
    items = given.items if isinstance(given, YamlSequence) else (given,)
    found = [_dependency(notes, item) for item in items]
    return tuple(one for one in found if one is not None)


def _dependency(notes: Notes, node: Node) -> Dependency | None:
    if isinstance(node, Mapping):
        fields.known(notes, node, ON_KEYS, "depends_on")
        table, columns = node.get("table"), node.get("columns")
        if table is None:
            notes.error("missing-key", "depends_on names no table", node.where, "write {table: ..., columns: [...]}")
            return None
        name = fields.text(notes, table, "table")
        listed = fields.texts(notes, columns, "columns") or () if columns is not None else ()
        return Dependency(_bare(name), listed, node.where) if name is not None else None
    name = fields.text(notes, node, "depends_on")
    return Dependency(_bare(name), (), node.where) if name is not None else None


def _bare(text: str) -> str:
    """`ref('daily_sales')` as `daily_sales`, `source('raw', 'orders')` as `raw.orders`; anything else as it is."""
    call = _CALL.fullmatch(text)
    names = [one or two for one, two in _TEXT.findall(call[2])] if call is not None else []
    return ".".join(names) if names else text.strip()

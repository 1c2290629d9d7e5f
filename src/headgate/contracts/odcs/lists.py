"""Lists of ODCS whose elements are rows of tables of their own: properties of type array, as children of the contract.

A property is such a list where its `customProperties` say so (`headgateChild`), or where the ingest file asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headgate.contracts.children import ITSELF, POSITION, Asked
from headgate.contracts.document import Document, Path
from headgate.contracts.model import Child, Contract
from headgate.core.errors import ContractError
from headgate.core.records import dataclass

OWN = "headgateChild"
"""Our entry of a list's `customProperties`: `{table, parent: {column: name}, position}`."""

ELEMENT = "value"
"""What the column of an element that is no object is called, where its `items` have no name."""


@dataclass(frozen=True)
class Found:
    """One list. `table` is empty where the ingest file names it."""

    path: Path
    source: str
    asked: Asked
    table: str = ""
    links: tuple[tuple[str, str], ...] = ()
    position: str = POSITION


def find(document: Document, value: Mapping[str, Any], path: Path, asked: Asked) -> list[Found]:
    """The lists among the object's properties that become tables: those that say so, then those that are asked for.

    *Errors*: ContractError `odcs-object` for one that is asked for and is no list, or does not say what a line is;
    `bad-value` for a list that names no table.
    """
    own = [_said(document, prop, here) for here, prop in _properties(value, path)]
    found = [one for one in own if one is not None and one.source not in asked.lists]
    return found + [_asked(document, value, path, source, inner) for source, inner in asked.lists.items()]


def _said(document: Document, prop: Mapping[str, Any], path: Path) -> Found | None:
    for number, item in enumerate(prop.get("customProperties") or []):
        if item["property"] != OWN:
            continue
        value, source = item["value"], str(prop.get("physicalName") or prop["name"])
        parent = value.get("parent", {}) if isinstance(value, dict) else None
        if not isinstance(parent, dict) or not isinstance(value.get("table"), str):
            where = document.at((*path, "customProperties", number, "value"))
            raise ContractError.of("bad-value", f"{OWN} names no table", where, "write {table: schema.name}")
        links = tuple((str(one), str(name)) for one, name in parent.items())
        found = Found(path, source, Asked(), value["table"], links, str(value.get("position", POSITION)))
        return _telling(document, prop, found)
    return None


def _asked(document: Document, value: Mapping[str, Any], path: Path, source: str, inner: Asked) -> Found:
    """The list at `source`: the name of a property, or names with dots between that lead into objects."""
    for here, prop in _properties(value, path):
        name = str(prop.get("physicalName") or prop["name"])
        if name == source:
            return _telling(document, prop, Found(here, source, inner))
        if source.startswith(f"{name}.") and prop.get("properties"):
            found = _asked(document, prop, here, source.removeprefix(f"{name}."), inner)
            return Found(found.path, source, inner)
    where = document.at((*path, "properties"))
    raise ContractError.of(
        "odcs-object", f"no property leads to the list {source!r}", where, "name a list, or columns:"
    )


def _telling(document: Document, prop: Mapping[str, Any], found: Found) -> Found:
    """The list, if it says what its elements are."""
    items = prop.get("items") or {}
    if prop.get("logicalType") == "array" and items and (items.get("properties") or not _is_object(items)):
        return found
    what = f"the property {prop['name']!r} is no list that says what a line is"
    fix = "write logicalType: array with items: {logicalType: object, properties: [...]}"
    raise ContractError.of("odcs-object", what, document.at(found.path), fix)


def _is_object(items: Mapping[str, Any]) -> bool:
    return items.get("logicalType") in (None, "object", "map", "array", "vector")


def element(items: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The property of an element that is no object; None where it is one."""
    return None if items.get("properties") else {"name": ELEMENT, **items, "physicalName": ITSELF}


def plain(contract: Contract) -> bool:
    """Whether the lines are elements that are no objects, of which no more is said than of one column."""
    first = contract.columns[0]
    alone = len(contract.columns) == 1 and first.source == ITSELF and first.type.name != "json"
    told = [*(rule.column for rule in contract.rows), *(rule.code in ("key", "unique") for rule in contract.uniques)]
    return alone and all(told) and not contract.children and _in_line(contract)


def _in_line(contract: Contract) -> bool:
    return contract.references == tuple(contract.references_of(contract.columns[0].name))


def own(child: Child) -> list[dict[str, Any]]:
    """What our entry says of the child."""
    value = {"table": child.table, "parent": dict(child.links), "position": child.position}
    return [{"property": OWN, "value": value}]


def _properties(value: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for number, prop in enumerate(value.get("properties") or []):
        yield (*path, "properties", number), prop

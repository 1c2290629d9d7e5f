"""The `relationships` of ODCS: foreign keys of properties and of objects, as references of the contract and back.

A property's relationship is a reference in its column's line, as is an object's that names one property. One that lists
properties is an entry of `rules:`. What the standard has no word for (`unmatched`, `mostly`, `message`) stands in the
relationship's own `customProperties`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headgate.contracts.assembly import Assembly, Line, word
from headgate.contracts.document import Document, Path
from headgate.contracts.model import COLUMN_REFERENCE, Contract, ReferenceRule
from headgate.contracts.named import standing
from headgate.core.records import dataclass

OWN = {"headgateUnmatched": "unmatched", "headgateMostly": "mostly", "headgateMessage": "message"}
"""Our own entries of a relationship's `customProperties`, and the words that they stand for."""

_SHORTHAND = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)+")
_ID = re.compile(r"[A-Za-z0-9_-]+")
_ELSEWHERE = "a reference leads to columns of one table that this project loads"


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A property of the document, or of a table outside of it: `object` is its object's index, None outside."""

    object: int | None
    table: str
    name: str


def of_property(made: Assembly, line: Line, relation: Mapping[str, Any], path: Path) -> None:
    """Adds what a property's relationship asks for to its line."""
    to = _listed(relation["to"])
    target = find(made.document, to[0]) if len(to) == 1 else None
    _refer(made, line, target, relation, path)


def of_objects(made: Assembly, index: int) -> None:
    """Adds what relationships between objects ask of the object at `index`, whichever object they stand at."""
    for at, one in enumerate(made.document.value.get("schema") or []):
        for number, relation in enumerate(one.get("relationships") or []):
            _of_object(made, index, at, relation, ("schema", at, "relationships", number))


def _of_object(made: Assembly, index: int, at: int, relation: Mapping[str, Any], path: Path) -> None:
    start, to = ([find(made.document, one) for one in _listed(relation[key])] for key in ("from", "to"))
    owners = {one.object if one is not None else None for one in start}
    if owners != {index}:
        if at == index and len(owners) == 1 and None not in owners:
            table = next(one.table for one in start if one is not None)
            what = f"the relationship of {table} is metadata only here: its own contract checks it"
            made.note("metadata-only", "info", what, path)
        elif at == index:
            made.unenforced("the relationship", path, "from names properties of one object of this document")
        return None
    names = [one.name for one in start if one is not None]
    if len(names) == 1 and not (isinstance(relation["from"], list) and relation.get("id")):
        line = made.line(names[0])
        assert line is not None
        return _refer(made, line, to[0] if len(to) == 1 else None, relation, path)
    targets = [one for one in to if one is not None]
    if len(targets) != len(names) or len(to) != len(names) or len({one.table for one in targets}) > 1:
        return made.unenforced("the relationship", path, _ELSEWHERE + ", one beside each of from")
    others = [one.name for one in targets]
    if not _loadable(targets[0].table) or len(set(names)) < len(names) or len(set(others)) < len(others):
        return made.unenforced("the relationship", path, _ELSEWHERE + ", each named once")
    rule: dict[str, Any] = {"references": targets[0].table, "columns": names}
    rule |= ({"to": others} if others != names else {}) | _said(relation)
    name = str(relation.get("id") or f"references_{'_'.join(names)}")
    return made.rule(name, rule, made.document.at((*path, "to")))


def _refer(made: Assembly, line: Line, target: Column | None, relation: Mapping[str, Any], path: Path) -> None:
    """Adds a reference of one column to its line."""
    if target is None or not _loadable(target.table):
        return made.unenforced(f"the relationship of {line.name!r}", path, _ELSEWHERE)
    said = [f"{key}={value}" for key, value in _said(relation).items() if key != "message"]
    return line.call("references", [word(f"{target.table}.{target.name}"), *said], made.document.at((*path, "to")))


def _said(relation: Mapping[str, Any]) -> dict[str, str]:
    """What our own entries say."""
    own = {one["property"]: one["value"] for one in relation.get("customProperties") or []}
    return {key: str(own[name]) for name, key in OWN.items() if name in own}


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _loadable(table: str) -> bool:
    return table.count(".") <= 1


def find(document: Document, text: str) -> Column | None:
    """The column that a reference in either notation names: `table.column`, `/schema/<id>/properties/<id>`.

    None where it leads out of the document, into another's value, or to a property that its object does not have.
    """
    if "/" in text:
        return _qualified(document, text)
    owner, _, column = text.rpartition(".")
    index = _object(document, owner)
    if index is not None:
        return _property(document, index, "name", column)
    inside = owner.split(".")[0] if "." in owner else ""
    if inside and any(inside == one["name"] for one in document.value["schema"]):
        return None  # within a value: object.property.property
    return Column(None, owner, column)


def _object(document: Document, owner: str) -> int | None:
    """The object of this name, or of this name in a warehouse, before which its database may stand."""
    for keys in (("name",), ("physicalName",)):
        for index, one in enumerate(document.value["schema"]):
            if owner in [one.get(key) for key in keys]:
                return index
    behind = owner.partition(".")[2]
    return _object(document, behind) if "." in behind else None


def _qualified(document: Document, text: str) -> Column | None:
    parts = text.strip("/").split("/")
    if "#" in text or len(parts) != 4 or parts[0] != "schema" or parts[2] != "properties":
        return None
    objects = document.value["schema"]
    index = next((index for index, one in enumerate(objects) if one.get("id") == parts[1]), None)
    return _property(document, index, "id", parts[3]) if index is not None else None


def _property(document: Document, index: int, key: str, value: str) -> Column | None:
    one = document.value["schema"][index]
    found = next((prop for prop in one.get("properties") or [] if prop.get(key) == value), None)
    return Column(index, str(one.get("physicalName") or one["name"]), found["name"]) if found is not None else None


# -- writing -----------------------------------------------------------------------------------------------------------


def of_column(rule: ReferenceRule) -> dict[str, Any] | None:
    """A property's relationship; None where the standard can't name the column that it leads to."""
    if not _SHORTHAND.fullmatch(rule.target):
        return None
    return {"type": "foreignKey", "to": rule.target} | _own(rule)


def of_contract(contract: Contract, name: str) -> tuple[list[dict[str, Any]], list[ReferenceRule]]:
    """The relationships of the object `name`, and the named references before them that are none.

    They come back behind all other rules: so from the last one that can't be written on, every one is.
    """
    named = [rule for rule in contract.references if rule.code != COLUMN_REFERENCE]
    made = [_of_rule(rule, name) for rule in named]
    first = max((number + 1 for number, one in enumerate(made) if one is None), default=0)
    return [one for one in made[first:] if one is not None], named[:first]


def _of_rule(rule: ReferenceRule, name: str) -> dict[str, Any] | None:
    start = [f"{name}.{column}" for column in rule.columns]
    to = [f"{rule.to_table}.{column}" for column in rule.to_columns]
    if not _ID.fullmatch(rule.code) or not all(_SHORTHAND.fullmatch(one) for one in (*start, *to)):
        return None
    return {"id": rule.code, "type": "foreignKey", "from": start, "to": to} | _own(rule)


def _own(rule: ReferenceRule) -> dict[str, Any]:
    own: dict[str, str | None] = {"unmatched": rule.unmatched if rule.unmatched != "quarantine" else None}
    own |= {"mostly": str(rule.mostly) if rule.mostly is not None else None}
    own |= {"message": rule.message if rule.message != standing(rule) else None}
    found = [{"property": name, "value": own[key]} for name, key in OWN.items() if own[key] is not None]
    return {"customProperties": found} if found else {}


def foreign_properties(relations: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Path]:
    """The entries of relationships' `customProperties` that are not ours."""
    for number, relation in enumerate(relations):
        for at, one in enumerate(relation.get("customProperties") or []):
            if one["property"] not in OWN:
                yield (*path, "relationships", number, "customProperties", at)

"""A file of a contract read as a Document: YAML or JSON, by its name."""

from __future__ import annotations

from headgate.contracts.document import Document, Path, plain, read_json
from headgate.core.errors import Location
from headgate.project import yaml
from headgate.project.yaml import Mapping, Node, Scalar


def read(text: str, path: str) -> Document:
    """The document. Scalars of YAML have the types of its core schema 1.2.

    *Errors*: ContractError json-syntax; ProjectError yaml-syntax, duplicate-key, unknown-anchor.
    """
    if path.lower().endswith(".json"):
        return read_json(text, path)
    places: dict[Path, Location] = {(): Location(path, 1, 1)}
    node = yaml.read(text, path)
    return Document(None if node is None else _value(node, (), places), path, places)


def _value(node: Node, path: Path, places: dict[Path, Location]) -> object:
    places.setdefault(path, node.where)
    if isinstance(node, Scalar):
        return plain(node.text) if node.plain else node.text
    if isinstance(node, Mapping):
        for key, _ in node.entries:
            places[(*path, key.text)] = key.where
        return {key.text: _value(value, (*path, key.text), places) for key, value in node.entries}
    return [_value(item, (*path, number), places) for number, item in enumerate(node.items)]

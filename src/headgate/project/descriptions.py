"""What the files of a project say about models and their columns in words: the `description:` of their YAML."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import field
from pathlib import Path

from headgate.core.errors import HeadgateError
from headgate.core.records import dataclass
from headgate.project import yaml
from headgate.project.yaml import Mapping, Node, Scalar, Sequence


@dataclass(frozen=True)
class Told:
    """The words for a model, and for its columns by their names in lower case."""

    text: str = ""
    columns: Map[str, str] = field(default_factory=dict)


def descriptions(root: Path) -> dict[str, Told]:
    """By model. A file that can't be read says nothing here: whoever opens the project is told of it."""
    found: dict[str, Told] = {}
    for path in sorted((*root.glob("models/**/*.yml"), *root.glob("models/**/*.yaml"))):
        try:
            node = yaml.read(path.read_text(encoding="utf-8-sig"), path.name)
        except (HeadgateError, OSError, UnicodeDecodeError):
            continue
        for model in _list(node, "models"):
            name = _text(model.get("name"))
            columns = {_text(one.get("name")).lower(): _text(one.get("description")) for one in _list(model, "columns")}
            found[name] = Told(_text(model.get("description")), columns)
    return found


def _list(node: Node | None, key: str) -> list[Mapping]:
    value = node.get(key) if isinstance(node, Mapping) else None
    return [item for item in value.items if isinstance(item, Mapping)] if isinstance(value, Sequence) else []


def _text(node: Node | None) -> str:
    return " ".join(node.text.split()) if isinstance(node, Scalar) and not node.empty else ""

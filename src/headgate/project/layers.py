"""What stands under `layers:` of headgate.yml: which schemas are bronze, silver and gold; what is allowed anyway."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import field

from headgate.core.errors import Location, nearest
from headgate.core.records import dataclass
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.yaml import Node, Scalar

LAYERS = ("bronze", "silver", "gold")
"""From what was received to what is read; a layer reads itself and those before it."""
DETECT = "detect"
USUAL = {"bronze": ("bronze", "raw"), "silver": ("silver", "staging"), "gold": ("gold", "marts")}
"""The schemas that `layers: detect` takes."""
ALLOW = "allow"
CODES = (
    "bronze-not-raw",
    "silver-untyped",
    "silver-no-key",
    "silver-untested",
    "gold-not-shaped",
    "gold-reads-bronze",
    "layer-reads-higher",
)


@dataclass(frozen=True)
class Layers:
    """`schemas`: the layer of each schema, its name in lower case. `allowed`: by table in lower case, the codes that
    are not told of it, each with the place where it was allowed."""

    schemas: Dict[str, str]
    allowed: Dict[str, Dict[str, Location]] = field(default_factory=dict)


def read(notes: Notes, node: Node | None) -> Layers | None:
    """The layers; None where none are declared. Everything wrong is noted."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        fields.choice(notes, node, "layers", (DETECT,))
        return Layers(_layers_of(USUAL))
    given = fields.mapping(notes, node, "layers")
    if given is None:
        return None
    fields.known(notes, given, (*LAYERS, ALLOW), "layers")
    said = {layer: one for layer in LAYERS if (one := given.get(layer)) is not None}
    schemas = {layer: fields.texts(notes, one, layer) or () for layer, one in said.items()}
    _once(notes, said, schemas)
    return Layers(_layers_of(schemas if said else USUAL), _allowed(notes, given.get(ALLOW)))


def _layers_of(schemas: Dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {schema.lower(): layer for layer, names in schemas.items() for schema in names}


def _once(notes: Notes, said: Dict[str, Node], schemas: Dict[str, tuple[str, ...]]) -> None:
    """A schema is in one layer."""
    found: dict[str, str] = {}
    for layer, names in schemas.items():
        for name in names:
            other = found.setdefault(name.lower(), layer)
            if other != layer:
                what = f"the schema {name!r} is in two layers, {other} and {layer}"
                notes.error("duplicate-key", what, said[layer].where, "keep it in one of the two")


def _allowed(notes: Notes, node: Node | None) -> dict[str, dict[str, Location]]:
    given = fields.mapping(notes, node, ALLOW)
    return {key.text.lower(): _codes(notes, value) for key, value in given.entries} if given is not None else {}


def _codes(notes: Notes, node: Node) -> dict[str, Location]:
    codes = fields.texts(notes, node, ALLOW) or ()
    for code in codes:
        if code not in CODES:
            what = f"{code!r} is no finding about layers{nearest(code, CODES)}"
            notes.error("bad-value", what, node.where, "use one of " + ", ".join(CODES))
    return dict.fromkeys(codes, node.where)

"""A contract in a file of its own: `contract: contracts/orders.odcs.yaml`, `contract: {json_schema: file}`."""

from __future__ import annotations

from pathlib import Path

from headgate.contracts.children import Asked
from headgate.contracts.great_expectations.suite import Suite
from headgate.contracts.model import Contract
from headgate.core.errors import ContractError, HeadgateError, Location, ProjectError
from headgate.project import document, fields
from headgate.project.fields import Notes
from headgate.project.yaml import Mapping, Node, Scalar

KINDS = ("odcs", "json_schema", "great_expectations")
"""The keys under `contract:` that name a kind of file."""

SUFFIXES = {
    ".odcs.yaml": "odcs",
    ".odcs.yml": "odcs",
    ".odcs.json": "odcs",
    ".schema.json": "json_schema",
    ".schema.yaml": "json_schema",
    ".schema.yml": "json_schema",
}
"""What the end of a file's name says about its kind."""

MOST_BYTES = 20_000_000


def read(notes: Notes, node: Node, root: Path, table: str, asked: Asked | None = None) -> Contract | Suite | None:
    """The contract that the node names, or the suite that needs types from the data; None and a note otherwise.

    `asked`: the lists of a contract of ODCS that become children (see `contracts.odcs.read`).
    """
    named = _named(notes, node)
    if named is None:
        return None
    kind, file, part = named
    try:
        return open_file(root / file.text, file.text, kind, table, part, file.where, asked)
    except HeadgateError as error:
        notes.take(error)
        return None


def kind_of(name: str) -> str | None:
    """The kind of file that the name says."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), None)


def open_file(
    path: Path,
    shown: str,
    kind: str,
    table: str,
    part: str | None = None,
    where: Location | None = None,
    asked: Asked | None = None,
) -> Contract | Suite:
    """The contract in a file of this kind; messages call the file `shown`.

    *Errors*: HeadgateError of the reader; ProjectError unreadable-file, bad-encoding.
    """
    text = read_text(path, shown, where)
    if kind == "great_expectations":
        from headgate.contracts.great_expectations import read as suite

        if shown.lower().endswith(".py"):
            return suite.of_python(text, shown)
        return suite.of_document(document.read(text, shown))
    found = document.read(text, shown)
    if not isinstance(found.value, dict):
        raise ContractError.of("bad-value", f"{shown} does not hold a mapping", found.at(()), "write key: value")
    if kind == "odcs":
        from headgate.contracts.odcs import read as odcs

        return odcs.read(found, table, part, asked)
    from headgate.contracts.json_schema import read as json_schema

    return json_schema.read(found)


def read_text(path: Path, shown: str, where: Location | None = None) -> str:
    """The file's text. *Errors*: ProjectError unreadable-file, bad-encoding."""
    try:
        if path.stat().st_size > MOST_BYTES:
            what = f"{shown} has more than {MOST_BYTES // 10**6} MB"
            raise ProjectError.of("unreadable-file", what, where or shown, "name a contract's file")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = "the file is not UTF-8"
        raise ProjectError.of("bad-encoding", what, Location(shown, line), "save it as UTF-8") from error
    except OSError as error:
        what = f"the contract {shown} can't be read: {error.strerror}"
        fix = "write it, or correct the path (it begins at the project's folder)"
        raise ProjectError.of("unreadable-file", what, where or shown, fix) from error


def _named(notes: Notes, node: Node) -> tuple[str, Scalar, str | None] | None:
    """Kind, file and object that the node names."""
    if isinstance(node, Scalar) and not node.empty:
        kind = kind_of(node.text)
        if kind is None:
            what = f"the name {node.text!r} does not say what kind of contract it holds"
            fix = f"name the kind: contract: {{odcs: {node.text}}}, or end the file in {', '.join(SUFFIXES)}"
            notes.error("unknown-format", what, node.where, fix)
            return None
        return kind, node, None
    found = fields.mapping(notes, node, "contract")
    kinds = [key for key in KINDS if found is not None and found.get(key) is not None]
    if found is None or len(kinds) != 1:
        fix = "write contract: contracts/orders.odcs.yaml, or contract: {odcs: file}"
        notes.error("bad-value", f"contract: names one of {', '.join(KINDS)}", node.where, fix)
        return None
    fields.known(notes, found, (kinds[0], *(("object",) if kinds[0] == "odcs" else ())), "contract")
    file, part = found.get(kinds[0]), found.get("object")
    if not isinstance(file, Scalar) or file.empty:
        notes.error("bad-value", f"{kinds[0]} must name a file", node.where, f"write {kinds[0]}: contracts/file")
        return None
    name = fields.text(notes, part, "object") if part is not None else None
    return kinds[0], file, name


def is_file(node: Node) -> bool:
    """Whether the node under `contract:` names a file of one of KINDS."""
    return isinstance(node, Scalar) or (isinstance(node, Mapping) and any(key in node.names() for key in KINDS))

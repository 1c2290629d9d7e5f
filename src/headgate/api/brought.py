"""Columns that files brought (`extra: evolve`) and the ingest file does not name yet, and the lines that name them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from headgate.core.errors import Edit, Finding, Location
from headgate.core.protocols import Session
from headgate.gate import pin
from headgate.run.flow import Flow
from headgate.run.learned import grows, unwritten

CODE = "column-brought"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def brought(flow: Flow, session: Session) -> Iterator[Finding]:
    """A finding for each, with the line that its ingest file lacks."""
    if not grows(flow) or flow.contract is None:
        return
    for column in unwritten(flow.contract, pin.brought(session, flow.table)):
        line = f"{_spelled(column.name)}: {column.type}"
        edits = _edits(flow, line)
        what = f"files brought {flow.name} the column {column.name!r}, which only the books name: {column.type}"
        fix = "let the contract say it: headgate check --fix" if edits else f"add it to the contract: {line}"
        where = str(flow.ingest.where or flow.name)
        yield Finding(CODE, "info", what, where, fix, {"column": column.name, "type": str(column.type)}, edits)


def _edits(flow: Flow, line: str) -> tuple[Edit, ...]:
    """The line before the first one under `columns:`; none where the contract is in another file."""
    first = flow.contract.columns[0] if flow.contract and flow.contract.columns else None
    here = flow.ingest.where
    if first is None or first.where is None or here is None or first.where.path != here.path:
        return ()
    name, indent = _spelled(first.name), " " * (first.where.column - 1)
    return (Edit.at(Location(here.path, first.where.line, first.where.column), name, f"{line}\n{indent}{name}"),)


def _spelled(name: str) -> str:
    """The name as YAML, in quotes unless it is plain."""
    plain = _PLAIN.fullmatch(name) and name.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    return name if plain else json.dumps(name, ensure_ascii=False)

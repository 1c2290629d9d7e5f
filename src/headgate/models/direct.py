"""Tables that a model names itself, past `ref()`: the plan cannot see them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from headgate.core.errors import Finding
from headgate.core.protocols import Session
from headgate.core.values import TableRef
from headgate.models.model import Model


def direct_reads(session: Session, models: Sequence[Model], loaded: Iterable[TableRef]) -> list[Finding]:
    """A warning `direct-read` for every loaded table or model that a model reads as `schema.name` without `ref()`.

    Nothing is executed. Names without a schema are not looked at: they may be common table expressions.
    """
    known = {str(table).casefold(): str(table) for table in loaded}
    known |= {str(model.target).casefold(): model.name for model in models}
    findings = []
    for model in models:
        ((tree,),) = session.execute("SELECT json_serialize_sql(CAST(? AS VARCHAR))", [model.sql])
        read = {known[name.casefold()] for name in _tables(json.loads(tree)) if name.casefold() in known}
        findings += [_finding(model, name) for name in sorted(read - set(model.inputs))]
    return findings


def _tables(node: Any) -> Iterator[str]:
    """`schema.name` of every table in a serialized statement that was written with its schema."""
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node.get("schema_name"):
            yield f"{node['schema_name']}.{node['table_name']}"
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _tables(item)


def _finding(model: Model, name: str) -> Finding:
    what = f"model {model.name!r} reads {name} without ref(): it is not rebuilt when {name} changes"
    return Finding("direct-read", "warning", what, str(model.path), f"Write {{{{ ref('{name}') }}}}")

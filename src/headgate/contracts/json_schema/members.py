"""What a schema asks of one value, member by member: one condition for each keyword of each nested property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from headgate.contracts.document import Path
from headgate.contracts.json_schema.dialect import DEEPEST, check, resolve
from headgate.contracts.json_schema.sql import ROW, Compiler, Condition, Unsupported


def flat(
    compiler: Compiler, schema: Mapping[str, Any], key: str, x: str, path: Path, guards: tuple[str, ...]
) -> Iterator[Condition | Unsupported]:
    """The conditions of one keyword, true where one of `guards` is; what has no condition in their place.

    *Errors*: ContractError `json-schema-invalid`.
    """
    if key == "properties" and x != ROW:
        for name, one in schema[key].items():
            yield from _member(compiler, name, one, x, (*path, key, name), guards)
        return
    try:
        found = compiler.keyword(schema, key, x, path)
    except Unsupported as error:
        yield error
        return
    if found is not None:
        yield replace(found, sql=" OR ".join((*guards, found.sql)))


def _member(
    compiler: Compiler, name: str, schema: Any, x: str, path: Path, guards: tuple[str, ...]
) -> Iterator[Condition | Unsupported]:
    item = compiler.member(x, name)
    inside = (*guards, f"json_type({x}) <> 'OBJECT'", f"{item} IS NULL")
    schema, where = resolve(compiler.document, schema, path)
    check(compiler.document, schema, where)
    if len(guards) > 2 * DEEPEST:
        yield Unsupported("a schema that contains itself", path)
    elif isinstance(schema, bool):
        if not schema:
            yield Condition(path, " OR ".join(inside), "must not be there")
    else:
        for key in schema:
            yield from flat(compiler, schema, key, item, where, inside)

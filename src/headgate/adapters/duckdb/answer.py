"""The rows of one SELECT of a user, read so that JSON can hold them whatever their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headgate.core.protocols import Answer
from headgate.sql import quote
from headgate.types.moments import iso

if TYPE_CHECKING:
    from headgate.adapters.duckdb.store import DuckDBSession

Read = Callable[[Any], Any]

_EXACT = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    *("float", "double", "varchar", "blob"),
}
"""Types whose Python value loses nothing. All others are read as the engine's own text."""


def answer(session: DuckDBSession, sql: str, limit: int | None) -> Answer:
    """The rows of one SELECT. Raises ValueError where the text is not one."""
    text = _one_select(session, sql)
    columns = session.shape(text)
    names = [f"c{number}" for number in range(len(columns))]
    casts, reads = zip(*(_column(name, kind) for name, (_, kind) in zip(names, columns, strict=True)), strict=True)
    inner = f"(\n{text}\n) AS q({', '.join(names)})"
    cut = f" LIMIT {int(limit)}" if limit is not None else ""
    rows = session.execute(f"SELECT {', '.join(casts)} FROM {inner}{cut}")
    total = len(rows)
    if limit is not None and total >= limit:
        total = session.execute(f"SELECT count(*) FROM {inner}")[0][0]
    values = [[read(value) if read else value for read, value in zip(reads, row, strict=True)] for row in rows]
    return Answer([(name, str(kind)) for name, kind in columns], values, total)


def _one_select(session: DuckDBSession, sql: str) -> str:
    """The statement's text without what ends it."""
    found = [(one.type.name, one.query) for one in session.cursor.extract_statements(sql)]
    if not found:
        raise ValueError("there is no statement")
    if any(not text for _, text in found):  # a PIVOT is taken apart by the parser, which then leaves the texts out
        found = [(found[-1][0], sql)]
    if len(found) > 1:
        raise ValueError(f"{len(found)} statements; one is answered at a time")
    kind, text = found[0]
    if kind != "SELECT":
        raise ValueError(f"a statement of kind {kind}; the warehouse is only looked at here")
    return text.strip().rstrip("; \t\r\n")


def _column(name: str, kind: Any) -> tuple[str, Read | None]:
    target, read = _reading(kind)
    return (name if target is None else f"CAST({name} AS {target})"), read


def _reading(kind: Any) -> tuple[str | None, Read | None]:
    """The type to cast to (None: as it is), and what then makes the value JSON-able beyond `wire.cell`."""
    if kind.id in _EXACT:
        return None, None
    if kind.id.startswith("timestamp"):
        return "VARCHAR", iso
    if kind.id in ("list", "array"):
        return _list(kind)
    if kind.id == "struct":
        return _struct(kind)
    if kind.id == "map" and kind.children[0][1].id in _EXACT | {"date", "uuid", "decimal", "enum"}:
        return _map(kind)
    return "VARCHAR", None


def _list(kind: Any) -> tuple[str | None, Read | None]:
    inner = kind.children[0][1]
    target, read = _reading(inner)
    size = kind.children[1][1] if kind.id == "array" else ""
    made = None if target is None else f"{target}[{size}]"
    return made, _each(read) if read else None


def _each(read: Read) -> Read:
    return lambda values: None if values is None else [read(value) for value in values]


def _struct(kind: Any) -> tuple[str | None, Read | None]:
    fields = [(name, inner, *_reading(inner)) for name, inner in kind.children]
    if any(not name for name, *_ in fields):  # row(1, 2): fields without names can't be cast to
        return "VARCHAR", None
    listed = ", ".join(f"{quote.ident(name)} {target or inner}" for name, inner, target, _ in fields)
    made = None if all(target is None for _, _, target, _ in fields) else f"STRUCT({listed})"
    reads = {name: read for name, _, _, read in fields if read}
    return made, _fields(reads) if reads else None


def _fields(reads: dict[str, Read]) -> Read:
    def read(value: Any) -> Any:
        return None if value is None else {name: reads.get(name, _same)(part) for name, part in value.items()}

    return read


def _map(kind: Any) -> tuple[str | None, Read | None]:
    key, value = kind.children[0][1], kind.children[1][1]
    (key_cast, _), (cast, read) = _reading(key), _reading(value)
    made = None if key_cast is None and cast is None else f"MAP({key_cast or key}, {cast or value})"
    return made, _values(read) if read else None


def _values(read: Read) -> Read:
    return lambda value: None if value is None else {name: read(part) for name, part in value.items()}


def _same(value: Any) -> Any:
    return value

"""Where a database is: the warehouse, or one under `connections:`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from headgate.core.errors import HeadgateError, nearest
from headgate.project import fields, secrets
from headgate.project.fields import Notes
from headgate.project.model import Warehouse
from headgate.project.secrets import Secret
from headgate.project.yaml import Mapping, Node

DEFAULT = "duckdb:warehouse.duckdb"


def address(notes: Notes, root: Path, node: Node, noun: str = "warehouse") -> Warehouse | None:
    """What `duckdb:file` or `postgres://...` names. A secret's text stays out of every note."""
    written = fields.text(notes, node, noun)
    if written is None:
        return None
    try:
        resolved = secrets.resolve(written, root, node.where)
    except HeadgateError as error:
        notes.take(error)
        return None
    text = resolved.reveal() if isinstance(resolved, Secret) else resolved
    secret = f"from secret {', '.join(resolved.names)}" if isinstance(resolved, Secret) else ""
    kind, _, file = text.partition(":")
    if kind in ("postgres", "postgresql") and file.startswith("//"):
        return _server(notes, node, text, secret, noun)
    # What stands behind `://` may hold a password, whoever wrote it there.
    shown = secret or repr(f"{kind}://..." if "://" in text else text)
    fix = f"write warehouse: {DEFAULT}, or warehouse: ${{secret:WAREHOUSE}} for a postgres:// address"
    if kind != "duckdb":
        notes.error("not-supported", f"the {noun} ({shown}) is no DuckDB file and no PostgreSQL", node.where, fix)
    elif not file or file.startswith(":") or "\x00" in file or file.endswith("/"):
        notes.error("bad-value", f"the {noun} ({shown}) names no file", node.where, fix)
    else:
        return Warehouse("duckdb", str(root / file), f"the {noun} {secret}" if secret else str(root / file))
    return None


def _server(notes: Notes, node: Node, text: str, secret: str, noun: str) -> Warehouse | None:
    """A PostgreSQL database, called by host, port and name; a password in plain text is refused."""
    try:
        parts = urlsplit(text)
        password = parts.password or "password=" in parts.query
        shown = f"postgres://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        what = f"the {noun} ({secret or 'postgres://...'}) is no address"
        notes.error("bad-value", what, node.where, "write postgres://user@host:port/database")
        return None
    if password and not secret:
        fix = f"write {noun}: ${{secret:{noun.upper()}}} and keep the address in the environment or in secrets.yml"
        notes.error("bad-value", f"the {noun}'s address holds a password in plain text", node.where, fix)
        return None
    return Warehouse("postgres", text, f"the {noun} {secret}" if secret else shown)


def connection(notes: Notes, root: Path, holders: Sequence[Mapping], node: Node) -> Warehouse | None:
    """The database that `connections:` calls so; the profile's word goes before that of the main file."""
    name = fields.text(notes, node, "connection")
    known = [given for holder in holders if isinstance(given := holder.get("connections"), Mapping)]
    written = next((found for given in known if name and (found := given.get(name)) is not None), None)
    if name is None or written is None:
        names = [key.text for given in known for key, _ in given.entries]
        what = f"there is no connection {name!r}{nearest(name or '', names)}"
        notes.error("unknown-connection", what, node.where, "write it under connections: in headgate.yml")
        return None
    return address(notes, root, written, "connection")

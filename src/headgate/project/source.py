"""What stands under `from:`: a path, or the one key that names the adapter with its options."""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from headgate.core.errors import Location, nearest
from headgate.core.suffixes import kind_of, unpacked_name
from headgate.project import fields, secrets
from headgate.project.fields import Notes
from headgate.project.model import SourceSpec
from headgate.project.yaml import Mapping, Node, Scalar

LATER = (
    "postgres",
    "mysql",
    "sqlite",
    "kafka",
    "rest",
    "s3",
    "http",
)
INGEST_OPTIONS = ("extra", "on_change", "twin_files")
"""Keys of the ingest file that may also stand among the source's options."""

CELLS = re.compile(r"[A-Za-z]{1,3}[1-9][0-9]*(:[A-Za-z]{1,3}([1-9][0-9]*)?)?")

SPAN = re.compile(r"\s*([1-9][0-9]*)\s*(?:-\s*([1-9][0-9]*)\s*)?")

Reader = Callable[[Notes, Node, str], Any]


def _path(notes: Notes, node: Node, what: str) -> str | None:
    path = fields.text(notes, node, what)
    if path is not None and (not path.strip() or "\x00" in path):
        notes.error("bad-value", f"{what} is empty", node.where, "write a path or a glob, e.g. data/orders/*.csv")
        return None
    if path is not None and secrets.names(path):
        notes.error("not-supported", "a path can't hold a secret", node.where, "write the path itself")
        return None
    if path is not None and os.path.normpath(path).startswith(".."):
        fix = "put the files inside the project folder, or give an absolute path"
        notes.error("path-escapes", f"the path {path!r} leaves the project folder", node.where, fix)
        return None
    return path


def _nulls(notes: Notes, node: Node, what: str) -> tuple[str, ...] | None:
    """Texts that stand for NULL; the empty text is one."""
    nulls = (node.text,) if isinstance(node, Scalar) else fields.texts(notes, node, what)
    for control in (char for word in nulls or () for char in word if unicodedata.category(char) == "Cc"):
        found = f"{what} holds the control character U+{ord(control):04X}"
        fix = r"in double quotes YAML reads \N and its like as one character; in single quotes it is text: null: '\N'"
        notes.error("bad-value", found, node.where, fix)
        return None
    return nulls


def _character(notes: Notes, node: Node, what: str) -> str | None:
    word = fields.text(notes, node, what)
    char = {"\\t": "\t", "tab": "\t"}.get(word or "", word)
    if char is not None and (len(char) != 1 or char in "\r\n\x00"):
        notes.error("bad-value", f"{what} must be one character, not {word!r}", node.where, f"write {what}: ';'")
        return None
    return char


def _quote(notes: Notes, node: Node, what: str) -> str | None:
    """One character, or empty text where nothing quotes."""
    return "" if isinstance(node, Scalar) and not node.text and not node.empty else _character(notes, node, what)


def _encoding(notes: Notes, node: Node, what: str) -> str | None:
    """The encoding's name as written, in lower case."""
    word = (fields.text(notes, node, what) or "").lower()
    try:
        if not word or codecs.lookup(word)._is_text_encoding:
            return word or None
    except (LookupError, ValueError):
        pass
    hint = nearest(word, ("utf-8", "utf-16", "latin-1", "cp1252", "iso-8859-15"))
    notes.error("bad-value", f"unknown encoding {word!r}{hint}", node.where, "use utf-8, utf-16, latin-1, cp1252, ...")
    return None


def _zone(notes: Notes, node: Node, what: str) -> str | None:
    word = fields.text(notes, node, what)
    zones = available_timezones()
    # A machine without the zone database can't tell; the engine brings its own.
    if word is None or word in zones or not zones:
        return word
    hint = nearest(word, zones)
    notes.error("bad-value", f"unknown time zone {word!r}{hint}", node.where, "use an IANA name, e.g. Europe/Paris")
    return None


def function(notes: Notes, node: Node, what: str) -> str | None:
    """`path.py:name`, relative to the project."""
    word = fields.text(notes, node, what)
    if word is None:
        return None
    file, _, name = word.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        fix = f"write {what}: sources/x.py:function"
        notes.error("bad-value", f"{word!r} does not name a function of a .py file", node.where, fix)
        return None
    if os.path.isabs(file) or os.path.normpath(file).startswith(".."):
        fix = "put the file inside the project folder, and name it from there"
        notes.error("path-escapes", f"{file!r} leaves the project folder", node.where, fix)
        return None
    return word


def _replay(notes: Notes, node: Node, what: str) -> str | None:
    return fields.choice(notes, node, what, ("stable", "moving"))


def _name(notes: Notes, node: Node, what: str) -> str | None:
    return fields.text(notes, node, what)


def _names(notes: Notes, node: Node, what: str) -> tuple[str, ...] | None:
    names = fields.texts(notes, node, what)
    for name in names or ():
        if (names or ()).count(name) > 1:
            notes.error("bad-value", f"{what} names {name!r} twice", node.where, "give every column its own name")
            return None
    return names


def _records(notes: Notes, node: Node, what: str) -> str | None:
    """Names of keys with dots between."""
    word = fields.text(notes, node, what)
    if word is not None and not all(word.split(".")):
        notes.error("bad-value", f"{word!r} is no path of keys", node.where, f"write {what}: result.items")
        return None
    return word


def _cells(notes: Notes, node: Node, what: str) -> str | None:
    """A range as Excel writes it: `B3`, `B3:F` or `B3:F100`."""
    word = fields.text(notes, node, what)
    if word is not None and not CELLS.fullmatch(word):
        notes.error("bad-value", f"{word!r} is no range of cells", node.where, f"write {what}: B3:F100, B3:F or B3")
        return None
    return word


def _spans(notes: Notes, node: Node, what: str) -> dict[str, str] | None:
    """Column -> `first-last`, characters from 1."""
    named = fields.mapping(notes, node, what)
    if named is None:
        return None
    found = {}
    for key, value in named.entries:
        span = SPAN.fullmatch(value.text) if isinstance(value, Scalar) else None
        if span is None or int(span[2] or span[1]) < int(span[1]):
            fix = f"write {key.text}: 1-10, or {key.text}: 7"
            notes.error("bad-value", f"column {key.text!r} has no place in the line", value.where, fix)
            return None
        assert isinstance(value, Scalar)
        found[key.text] = value.text
    if not found:
        notes.error("bad-value", f"{what} names no column", node.where, f"write {what}: {{id: 1-10, name: 11-30}}")
    return found or None


def _table(notes: Notes, node: Node, what: str) -> str | None:
    """`schema.name`, or `name` of schema `main`."""
    word = fields.text(notes, node, what)
    if word is not None and (word.count(".") > 1 or not all(word.split("."))):
        notes.error("bad-value", f"{word!r} does not name a table", node.where, "write table: bronze.orders")
        return None
    return word


_FROM_PATHS: dict[str, Reader] = {"timezone": _zone, "file_column": _name, "hive": fields.flag}

ADAPTERS: dict[str, dict[str, Reader]] = {
    "csv": {
        "path": _path,
        "header": fields.flag,
        "null": _nulls,
        "delim": _character,
        "quote": _quote,
        "escape": _character,
        "encoding": _encoding,
        "columns": _names,
        "timezone": _zone,
        "file_column": _name,
        "hive": fields.flag,
        "comment": _character,
    },
    "excel": {
        "path": _path,
        "sheet": fields.text,
        "range": _cells,
        "header": fields.flag,
        "columns": _names,
        "null": _nulls,
        **_FROM_PATHS,
    },
    "fixed": {"path": _path, "columns": _spans, "pad": fields.flag, "encoding": _encoding, **_FROM_PATHS},
    "avro": {"path": _path, **_FROM_PATHS},
    "orc": {"path": _path, **_FROM_PATHS},
    "ndjson": {"path": _path, "encoding": _encoding, **_FROM_PATHS},
    "json": {"path": _path, "records": _records, "encoding": _encoding, **_FROM_PATHS},
    "parquet": {"path": _path, **_FROM_PATHS},
    "python": {"function": function, "partitions": function, "replay": _replay, "timezone": _zone},
    "table": {"table": _table, "timezone": _zone},
}
"""Every adapter that `from:` can name, and how each of its options is read."""
MAIN = {"python": ("function", "sources/x.py:function"), "table": ("table", "bronze.orders")}
"""The option that an adapter must have and that may stand right behind its name, with an example; else `path`."""


def read(notes: Notes, node: Node) -> SourceSpec | None:
    """The source; None where it can't be known. Everything wrong with it is noted."""
    if isinstance(node, Mapping):
        return _named(notes, node)
    path = _path(notes, node, "from")
    if path is None:
        return None
    kind = kind_of(path)
    if kind is None:
        fix = f"name the adapter: from: {{csv: {{path: {path}}}}} (or parquet)"
        notes.error("unknown-format", f"the name of {path!r} does not say what it holds", node.where, fix)
        return None
    return SourceSpec(kind, _defaults(kind, {"path": path}), node.where, {"path": node.where})


def _named(notes: Notes, node: Mapping) -> SourceSpec | None:
    """`{csv: {path: ...}}`, or `{python: file.py:function, replay: ...}`."""
    named = [(key, value) for key, value in node.entries if key.text in ADAPTERS]
    if len(named) == 1 and named[0][0].text in MAIN and isinstance(named[0][1], Scalar):
        return _beside(notes, named[0][0].text, node)
    fields.known(notes, node, ADAPTERS, "from", LATER)
    if len(named) != 1 or len(node.entries) != 1:
        if len(named) == len(node.entries):
            fix = "write from: path, or from: {csv: {path: ...}}"
            notes.error("bad-value", "from: must name exactly one adapter", node.where, fix)
        return None
    key, value = named[0]
    kind = key.text
    if isinstance(value, Scalar):
        path = _path(notes, value, kind)
        if path is None:
            return None
        return SourceSpec(kind, _defaults(kind, {"path": path}), key.where, {"path": value.where})
    options = fields.mapping(notes, value, kind)
    return _options(notes, kind, options, key.where) if options is not None else None


def _beside(notes: Notes, kind: str, node: Mapping) -> SourceSpec | None:
    """The main option behind the adapter's name, the others beside it."""
    name, value = next((key, value) for key, value in node.entries if key.text == kind)
    option = MAIN[kind][0]
    entries = tuple(
        (replace(key, text=option) if key is name else key, value)
        for key, value in node.entries
        if key is name or key.text != option
    )
    if len(entries) < len(node.entries):
        notes.error("duplicate-key", f"{kind} and {option} mean the same", value.where, "keep one")
    return _options(notes, kind, Mapping(entries, node.where), name.where)


def _options(notes: Notes, kind: str, node: Mapping, where: Location) -> SourceSpec | None:
    main, example = MAIN.get(kind, ("path", f"data/x/*.{kind}"))
    readers = ADAPTERS[kind]
    fields.known(notes, node, (*readers, *INGEST_OPTIONS), f"from: {kind}")
    options, places = {}, {}
    for key, value in node.entries:
        reader = readers.get(key.text)
        option = reader(notes, value, key.text) if reader else None
        if option is not None:
            options[key.text], places[key.text] = option, value.where
    if node.get(main) is None:
        notes.error("missing-key", f"from: {kind} has no {main}", where, f"write {kind}: {{{main}: {example}}}")
    if kind == "fixed" and node.get("columns") is None:
        notes.error("missing-key", "from: fixed has no columns", where, "write columns: {id: 1-10, name: 11-30}")
        return None
    if options.get("columns") is not None and options.get("header", "header" in readers):
        fix = "remove columns, or write header: false"
        notes.error("bad-value", "columns are matched by the header's names", places["columns"], fix)
    if main not in options:
        return None
    return SourceSpec(kind, _defaults(kind, options), where, places)


def _defaults(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options with what the path's name implies: `.tsv` is separated by tabs."""
    tabs = kind == "csv" and unpacked_name(options["path"]).endswith(".tsv")
    return {"delim": "\t", **options} if tabs else options

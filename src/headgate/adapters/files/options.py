"""The options of sources that read text, checked."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headgate.adapters.files.constants import Constants
from headgate.adapters.files.records import Dialect
from headgate.adapters.files.text import Format
from headgate.core.errors import ProjectError, nearest
from headgate.core.suffixes import unpacked_name

ENCODINGS = {"utf-8": "utf-8", "iso8859-1": "latin-1", "utf-16": "utf-16", "cp1252": "cp1252"}
"""Python's canonical names of the encodings we read, and ours."""


def csv_format(options: Mapping[str, Any]) -> tuple[Format, tuple[bytes, ...]]:
    """How the text is to be read, and the texts that stand for NULL. *Errors*: ProjectError `bad-option`."""
    header = flag(options.get("header", True))
    names = _names(options.get("columns"), header)
    dialect = _dialect(options)
    nulls = _nulls(options.get("null"), dialect)
    return Format(dialect, encoding(options.get("encoding")), header, names), nulls


def constants(options: Mapping[str, Any], root: Path) -> Constants:
    """The columns that paths give. *Errors*: ProjectError `bad-option`."""
    hive = options.get("hive")
    return Constants(root.absolute(), options.get("file_column"), hive is not None and flag(hive, "hive"))


def _bad(option: str, what: str, fix: str) -> ProjectError:
    made = ProjectError.of("bad-option", f"`{option}`: {what}", "", fix)
    assert isinstance(made, ProjectError)
    return made


def flag(value: object, option: str = "header") -> bool:
    """Whether the option is true. *Errors*: ProjectError `bad-option`."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        fix = f"write `{option}: true` or `{option}: false`"
        raise _bad(option, f"expected true or false, not {value!r}", fix)
    return text == "true"


def _dialect(options: Mapping[str, Any]) -> Dialect:
    delim = _mark(options, "delim", "\t" if _tabs(options.get("path")) else ",")
    quote = _mark(options, "quote", '"', optional=True)
    escape = _mark(options, "escape", quote.decode(), optional=True) if quote else b""
    escape = escape or quote
    comment = _mark(options, "comment", "", optional=True)
    marks = [mark for mark in (delim, quote, comment) if mark]
    if len(set(marks)) < len(marks) or (escape in (delim, comment) and escape):
        raise _bad("delim", "delimiter, quote, escape and comment must differ", "choose different characters")
    return Dialect(delim, quote, escape, comment)


def _tabs(path: object) -> bool:
    """Whether the paths' suffix says that tabs delimit."""
    paths = path if isinstance(path, list | tuple) else [path]
    return all(unpacked_name(str(one)).endswith(".tsv") for one in paths)


def _mark(options: Mapping[str, Any], option: str, default: str, *, optional: bool = False) -> bytes:
    value = options.get(option)
    text = default if value is None else str(value)
    text = "\t" if text == "\\t" else text
    if not text and optional:
        return b""
    if len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise _bad(option, f"expected one ASCII character, not {text!r}", f"give `{option}` one ASCII character")
    return text.encode()


def _nulls(value: object, dialect: Dialect) -> tuple[bytes, ...]:
    texts = value if isinstance(value, list | tuple) else ["" if value is None else value]
    if not texts:
        raise _bad("null", "expected a text", "write `null: NA`, or `null: ['', NA]`")
    return tuple(dict.fromkeys(_null(str(text), dialect) for text in texts))


def _null(text: str, dialect: Dialect) -> bytes:
    marks = "\r\n\0" + b"".join((dialect.delim, dialect.quote, dialect.escape)).decode()
    if any(mark in text for mark in marks):
        raise _bad("null", "must not hold a delimiter, quote, escape or line end", "give another text")
    return text.encode()


def encoding(value: object) -> str:
    """Our name of the encoding. *Errors*: ProjectError `bad-option`."""
    text = "utf-8" if value is None else str(value)
    try:
        name = codecs.lookup(text).name
    except LookupError:
        name = ""
    if name == "utf-8-sig":
        name = "utf-8"
    if name not in ENCODINGS:
        known = ", ".join(ENCODINGS.values())
        raise _bad("encoding", f"unknown encoding {text!r}{nearest(text, ENCODINGS.values())}", f"use one of: {known}")
    return ENCODINGS[name]


def _names(value: object, header: bool) -> tuple[str, ...]:
    if value is None:
        return ()
    if header:
        raise _bad("columns", "the names come from the header", "remove `columns`, or set `header: false`")
    if not isinstance(value, list | tuple) or not value:
        raise _bad("columns", "expected a list of names", "write `columns: [id, name]`")
    names = tuple(str(name) for name in value)
    if "" in names or len({name.lower() for name in names}) < len(names):
        raise _bad("columns", "a name is empty or stands twice (upper and lower case are the same)", "mend the list")
    return names

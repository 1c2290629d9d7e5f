"""Columns that a file's path gives: its name, and the values of folders called `key=value`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from headgate.adapters.files.shape import RESERVED
from headgate.core.errors import AdapterError
from headgate.core.records import dataclass
from headgate.core.values import Partition, SourceColumn
from headgate.sql.quote import ident, literal

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Constants:
    """Which columns the path gives. Folders above `root`, the project's, don't count; outside of it all do."""

    root: Path
    file_column: str | None = None
    hive: bool = False

    def of(self, partition: Partition) -> dict[str, str | None]:
        """Column and value, in order. *Errors*: AdapterError `bad-path`."""
        found = self._folders(Path(partition.location)) if self.hive else {}
        if self.file_column is None:
            return found
        if self.file_column.lower() in (name.lower() for name in found):
            raise _bad(partition.location, f"a folder, too, gives a column {self.file_column!r}")
        return {**found, self.file_column: partition.name}

    def named(self, partition: str) -> dict[str, str | None]:
        """As `of`, for a partition of which only the name is known."""
        return self.of(Partition(partition, "new", 0, location=str(self.root / partition)))

    def beside(self, names: Sequence[str], partition: Partition, where: str, code: str) -> dict[str, str | None]:
        """As `of`, for a file with columns `names`. *Errors*: also AdapterError `code` where one is there already."""
        given = self.of(partition)
        there = {name.lower() for name in names}
        for name in given:
            if name.lower() in there:
                fix = (
                    "choose another name for `file_column:`"
                    if name == self.file_column
                    else "set `hive: false`, or write the files without the column"
                )
                raise AdapterError.of(code, f"the file already has a column {name!r}", where, fix)
        return given

    def _folders(self, path: Path) -> dict[str, str | None]:
        parts = path.relative_to(self.root).parts if path.is_relative_to(self.root) else path.parts
        found: dict[str, str | None] = {}
        for part in parts[:-1]:
            key, sign, value = part.partition("=")
            name = _decoded(key, path)
            if not sign or not name or name.lower() == RESERVED:
                continue
            if name.lower() in (one.lower() for one in found):
                raise _bad(str(path), f"two folders give a column {name!r}")
            found[name] = None if value == HIVE_NULL else _decoded(value, path)
        return found


def columns(given: dict[str, str | None]) -> tuple[SourceColumn, ...]:
    """They are text."""
    return tuple(SourceColumn(name, "VARCHAR") for name in given)


def selected(given: dict[str, str | None]) -> list[str]:
    """Items of a SELECT."""
    return [
        f"{'CAST(NULL AS VARCHAR)' if value is None else literal(value)} AS {ident(name)}"
        for name, value in given.items()
    ]


def _decoded(text: str, path: Path) -> str:
    try:
        made = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _bad(str(path), f"the folder's name {text!r} is no text in UTF-8 once it is decoded") from None
    if "\0" in made:
        raise _bad(str(path), f"the folder's name {text!r} holds a NUL")
    return made


def _bad(where: str, what: str) -> AdapterError:
    made = AdapterError.of("bad-path", what, where, "rename the folder, or set `hive: false`")
    assert isinstance(made, AdapterError)
    return made

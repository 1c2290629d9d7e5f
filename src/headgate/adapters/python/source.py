"""A function of the user as a source: it yields rows, and a position from which it can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from headgate.adapters.python.arrow import pyarrow
from headgate.adapters.python.code import Code
from headgate.adapters.python.reader import Call, Memory, PythonReader
from headgate.core.errors import AdapterError, Finding, HeadgateError, ProjectError
from headgate.core.protocols import Engine, Session
from headgate.core.values import Partition, PartitionStatus, Position

ALL = "all"
"""The one partition of a function without a listing."""


class PythonSource:
    """`options["function"]` and `["partitions"]`: `path.py:name`, relative to `root`; `["replay"]`: stable | moving;
    `["cells"]`: dicts are given as cells of JSON that keep each value's type (see `cells`), not as texts.

    Nothing of the user's is run before `partitions`, `open` or `check`. `tmp`: an existing folder for temporary files.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"function", "partitions", "replay", "timezone"})
    unit = "partition"
    typed = False

    def __init__(self, options: Mapping[str, Any], root: Path, tmp: Path) -> None:
        self.replay: Literal["stable", "moving"] = "stable" if options.get("replay") == "stable" else "moving"
        self._root, self._tmp = root, tmp
        self._codes: dict[str, Code] = {}
        self._function: tuple[Code, str] = self._named(options["function"])
        listing = options.get("partitions")
        self._listing = self._named(listing) if listing else None
        self._cells = bool(options.get("cells"))
        self._identities: dict[str, Any] = {}
        self._memory = Memory()

    def _named(self, written: str) -> tuple[Code, str]:
        file, _, name = str(written).rpartition(":")
        if not file or not name.isidentifier():
            what = f"{written!r} does not name a function of a file"
            raise ProjectError.of("bad-value", what, "", "write python: sources/orders.py:orders")
        return self._codes.setdefault(file, Code(self._root, file)), name

    def partitions(self, known: Mapping[str, Position]) -> list[Partition]:
        """What the listing names, in name order; without one, a single partition that is asked for more by every run.

        *Errors*: those of the user's file; AdapterError `bad-partitions`.
        """
        if self._listing is None:
            self._identities = {ALL: None}
            position = known.get(ALL)
            status: PartitionStatus = "new" if position is None else "open" if position["done"] else "partial"
            return [Partition(ALL, status, 0, location=self._function[0].file)]
        self._identities = self._listed()
        return [self._judged(name, known.get(name)) for name in sorted(self._identities)]

    def _judged(self, name: str, position: Position | None) -> Partition:
        location = f"{self._function[0].file} ({name})"
        if position is None:
            return Partition(name, "new", 0, location=location)
        if position["identity"] != self._identities[name]:
            return Partition(name, "changed", 0, "its identity differs", location=location)
        if position["done"]:
            return Partition(name, "unchanged", 0, location=location)
        return Partition(name, "partial", 0, "a load stopped inside it", location=location)

    def _listed(self) -> dict[str, Any]:
        assert self._listing is not None
        code, name = self._listing
        function = code.function(name, ())
        with code.running():
            made = code.call(function, {})
            try:
                made = dict(made) if isinstance(made, Mapping) else dict.fromkeys(made)
            except (Exception, SystemExit) as error:
                if not isinstance(error, TypeError):
                    raise code.raised(function, error) from error
                made = None
        fix = "return a list of names, or a dict of name -> identity (text, number, or lists and dicts of them)"
        where = code.line_of(function)
        what = f"{code.name_of(function)} gave no list of names"
        if made is None or not all(isinstance(one, str) and one for one in made):
            raise AdapterError.of("bad-partitions", what, where, fix)
        try:
            return {one: json.loads(json.dumps(identity, allow_nan=False)) for one, identity in made.items()}
        except (TypeError, ValueError, RecursionError):
            what = f"an identity that {code.name_of(function)} gave is no JSON"
            raise AdapterError.of("bad-partitions", what, where, fix) from None

    def open(self, session: Engine, partition: Partition, at: Position | None) -> PythonReader:
        """A reader that calls the function when it is first read.

        *Errors*: those of the user's file; AdapterError `missing-extra`, `file-changed`, `position-lost`.
        """
        pyarrow()
        if partition.name not in self._identities:
            self.partitions({})
        code, name = self._function
        function = code.function(name, ("position", "partition"))
        identity = self._identities.get(partition.name)
        if at is not None and at["identity"] != identity:
            what = f"partition {partition.name!r} is no longer the one that was begun"
            raise AdapterError.of("file-changed", what, code.line_of(function), "run again")
        again = self._listing is None
        call = Call(
            code, function, partition.name, identity, self.replay == "stable", again, self._tmp, self._memory,
            self._cells,
        )  # fmt: skip
        return PythonReader(session, call, at)

    def check(self, session: Session, columns: Sequence[str]) -> list[Finding]:
        """Whether the file can be run and has the function, and whether the listing names anything.

        The function is not called, so its columns are not known.
        """
        try:
            pyarrow()
            code, name = self._function
            code.function(name, ("position", "partition"))
            if self.partitions({}):
                return []
        except HeadgateError as error:
            return list(error.findings)
        code, name = self._listing or self._function
        fix = "see what it looks at; without partitions there is nothing to load"
        return [Finding("no-partitions", "error", f"{name}() of {code.file} names no partition", code.file, fix)]

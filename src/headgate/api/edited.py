"""An edited export read back: which records, at which revision, say what now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from headgate.adapters.files.records import Dialect, Splitter
from headgate.api.export import GUARD, ID, META, RAW, REVISION, unguard
from headgate.core.errors import ProjectError
from headgate.run.fix import Given

Cells = Mapping[str, str | None]


def edited(path: Path) -> tuple[dict[int, Given], bool]:
    """What the file says of each record, by id; and whether it was written for a spreadsheet, where an empty cell may
    have been NULL or an empty text.

    *Errors*: ProjectError `export-format`, `import-unreadable`.
    """
    readers = {".csv": _csv, ".ndjson": _ndjson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        what = f"the name of {path.name!r} does not say how to read it"
        raise ProjectError.of(
            "export-format", what, path, "name a .csv or .ndjson file, as `quarantine export` wrote it"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _bad(path, f"the file can't be read: {error.strerror}") from None
    found: dict[int, Given] = {}
    guarded = False
    for line, cells in reader(path, data.removeprefix(b"\xef\xbb\xbf")):
        guarded = guarded or cells.get(GUARD) == "yes"
        number = _number(path, line, cells, ID)
        if number in found:
            raise _bad(path, f"record {number} is there twice", line)
        found[number] = _given(path, line, cells)
    return found, guarded


def _given(path: Path, line: int, cells: Cells) -> Given:
    if cells.get(GUARD) == "yes":
        cells = {name: unguard(text) for name, text in cells.items()}
    columns = {name: text for name, text in cells.items() if name not in (*META, GUARD)}
    return Given(_number(path, line, cells, REVISION), columns, cells.get(RAW))


def _number(path: Path, line: int, cells: Cells, name: str) -> int:
    text = cells.get(name) or ""
    if not (text.isascii() and text.isdigit()):
        raise _bad(path, f"{name} is {text!r}, not a number" if name in cells else f"there is no column {name}", line)
    return int(text)


def _bad(path: Path, what: str, line: int = 0) -> ProjectError:
    fix = "export again, and edit only the columns of the source and _hg_raw: headgate quarantine export --to edit.csv"
    made = ProjectError.of("import-unreadable", what, f"{path}:{line}" if line else str(path), fix)
    assert isinstance(made, ProjectError)
    return made


def _csv(path: Path, data: bytes) -> Iterator[tuple[int, Cells]]:
    splitter = Splitter(Dialect(), 0)
    heads: list[str] = []
    line, last = 1, 0
    for start, _, _, problem in splitter.extents(data):
        if problem is None:
            continue
        line, last = line + data.count(b"\n", last, start), start
        walked = problem or splitter.walk(data, start)
        if not isinstance(walked, tuple):
            raise _bad(path, str(walked), line)
        cells = [
            None if not value and not quoted else value.decode("utf-8")
            for value, quoted in splitter.values(data, walked[0])
        ]
        if not heads:
            heads = [cell or "" for cell in cells]
            if len(set(heads)) < len(heads) or "" in heads:
                raise _bad(path, "a column has no name, or the name of another", line)
        elif len(cells) != len(heads):
            raise _bad(path, f"expected {len(heads)} fields, found {len(cells)}", line)
        else:
            yield line, dict(zip(heads, cells, strict=True))


def _ndjson(path: Path, data: bytes) -> Iterator[tuple[int, Cells]]:
    for line, text in enumerate(data.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            cells = json.loads(text)
        except ValueError:
            raise _bad(path, "the line is no JSON", line) from None
        if not isinstance(cells, dict):
            raise _bad(path, "the line is no JSON object", line)
        odd = [name for name, value in cells.items() if value is not None and not isinstance(value, str | int)]
        if odd or any(isinstance(value, bool) for value in cells.values()):
            raise _bad(path, f"the value of {(odd or ['a column'])[0]!r} is neither text nor null", line)
        yield line, {name: value if value is None else str(value) for name, value in cells.items()}

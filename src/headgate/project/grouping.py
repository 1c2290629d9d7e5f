"""Which files belong to one table: those of one name pattern, or of one folder."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from headgate.core import registry
from headgate.core.records import dataclass

_GENERIC = {
    "", "data", "dataset", "datasets", "input", "inputs", "in", "inbox", "raw", "files", "file", "source", "sources",
    "src", "export", "exports", "download", "downloads", "tmp", "temp", "csv", "tsv", "parquet", "json", "lake",
    "landing", "seeds", "part", "output", "out", "dump", "table", "tables", "incoming",
}  # fmt: skip
"""Names that say nothing of what is inside."""
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_RUNS = re.compile(rf"(?:{_UUID}|[0-9]+)(?:[-_.T:+ ]?(?:{_UUID}|[0-9]+))*(?:Z(?![a-zA-Z]))?", re.IGNORECASE)
_DATE = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?[0-3][0-9])?(?![0-9])")
_PARTITION = re.compile(r"[^=/]+=[^/]*")
LONGEST = 50
"""Characters of a table's name that is taken from a file's."""


@dataclass(frozen=True)
class Group:
    """Files that are one table. `pattern`: the path or glob that names exactly these; `kind` of the source."""

    name: str
    kind: str
    pattern: str
    files: tuple[Path, ...]


Columns = Callable[[Path], Sequence[str] | None]
"""A file's columns; None where they can't be known cheaply."""


def expanded(words: Iterable[str], base: Path) -> tuple[list[Path], list[str]]:
    """The files that paths, folders and globs name, in order, and the words that name none.

    Of a folder: every file of a known kind below it, hidden ones left out.
    """
    files: dict[Path, None] = {}
    lost = []
    for word in words:
        path = Path(os.path.abspath(base / word))
        if path.is_dir():
            found = sorted(_below(path))
        elif path.exists():
            found = [path]
        else:
            found = sorted(Path(text) for text in glob.glob(str(path), recursive=True) if os.path.isfile(text))
        files |= dict.fromkeys(found)
        lost += [] if found else [word]
    return list(files), lost


def _below(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent) / name for name in names if not name.startswith((".", "_")) and registry.surveyed(name)]
    return found


def groups(files: Sequence[Path], root: Path, columns: Columns) -> list[Group]:
    """The tables that the files are, in the order of their names, each name once.

    `root`: patterns of files below it are relative to it. Files of one pattern that have other columns are tables of
    their own. Only files of a known kind may be given.
    """
    made: list[Group] = []
    for members in _by_folder(_by_pattern(files, root), root, columns):
        alike = _alike(members, columns)
        made += [group for some in alike for group in _grouped(some, root, len(alike) == 1)]
    return _distinct(sorted(made, key=lambda group: (group.name, group.pattern)))


def _by_pattern(files: Sequence[Path], root: Path) -> list[list[Path]]:
    found: dict[tuple[str, str, str], list[Path]] = {}
    for path in files:
        stem, suffix = split(path.name)
        folder = "/".join(_vague_folder(part) for part in relative(path.parent, root).split("/"))
        found.setdefault((folder, _vague(stem), suffix.lower()), []).append(path)
    return list(found.values())


def _by_folder(patterns: list[list[Path]], root: Path, columns: Columns) -> list[list[Path]]:
    """Patterns that share a folder with a telling name, a suffix and their columns put together."""
    found: dict[tuple[Path, str], list[list[Path]]] = {}
    rest = []
    for members in patterns:
        parents = {path.parent for path in members}
        parent = members[0].parent
        if len(parents) > 1 or parent == root or _plain(parent.name) in _GENERIC:
            rest.append(members)
        else:
            found.setdefault((parent, split(members[0].name)[1].lower()), []).append(members)
    for several in found.values():
        together = [path for members in several for path in members]
        same = len(several) > 1 and len(_alike(together, columns)) == 1 and columns(together[0]) is not None
        rest += [together] if same else several
    return rest


def _alike(members: Sequence[Path], columns: Columns) -> list[list[Path]]:
    """The files by their columns, upper and lower case alike, in any order."""
    found: dict[object, list[Path]] = {}
    for path in members:
        names = columns(path) if len(members) > 1 else None
        found.setdefault(tuple(sorted(map(str.lower, names))) if names is not None else None, []).append(path)
    return list(found.values())


def _grouped(members: list[Path], root: Path, whole: bool) -> list[Group]:
    kind = registry.surveyed(members[0].name)
    assert kind is not None
    if len(members) == 1 and not (whole and _DATE.search(split(members[0].name)[0])):
        return [_single(members[0], root, kind)]
    pattern = next((one for one in _patterns(members, root) if _matched(one, root) == set(members)), None)
    if pattern is None:
        return [_single(path, root, kind) for path in members]
    return [Group(_name(members, root, len(members) > 1), kind, pattern, tuple(members))]


def _single(path: Path, root: Path, kind: str) -> Group:
    return Group(_name([path], root, False), kind, relative(path, root), (path,))


def _patterns(members: Sequence[Path], root: Path) -> list[str]:
    """Globs that may name exactly these files, the widest first."""
    first = members[0]
    suffix = split(first.name)[1]
    folders = [relative(path.parent, root).split("/") for path in members]
    if len({len(parts) for parts in folders}) > 1:
        return []
    parts = [glob.escape(same[0]) if len(set(same)) == 1 else "*" for same in zip(*folders, strict=True)]
    folder = "/".join(parts) + "/" if parts != ["."] else ""
    vague = _vague(split(first.name)[0], glob.escape)
    shared = _prefix([split(path.name)[0] for path in members])
    alone = len(members) == 1 and not folder
    names = [vague, vague.replace("*", "[0-9]*")]
    names += [] if alone else [f"{glob.escape(shared)}*"]
    widest = [] if alone or (len(members) == 1 and _vague(split(first.name)[0]) != "*") else ["*"]
    return [f"{folder}{name}{glob.escape(suffix)}" for name in (*widest, *names)]


def _matched(pattern: str, root: Path) -> set[Path]:
    full = os.path.join(root, pattern)
    return {Path(os.path.normpath(text)) for text in glob.iglob(full, recursive=True) if not os.path.isdir(text)}


def _name(members: Sequence[Path], root: Path, several: bool) -> str:
    """The table's name: what the files' names have in common, else the folder's."""
    stems = {_plain(_vague(split(path.name)[0])) for path in members}
    stem = stems.pop() if len(stems) == 1 else ""
    folders = [_plain(_vague_folder(part)) for part in relative(members[0].parent, root).split("/")]
    telling = [name for name in folders if name not in _GENERIC]
    if stem in _GENERIC:
        stem = telling[-1] if telling else stem
    stem = stem or next((name for name in reversed(folders) if name), "") or "data"
    name = stem[:LONGEST].strip("_")
    if re.match(r"[0-9]", name):
        name = f"t_{name}"
    return "table" if name.startswith("_hg_") or "__hg_" in name or not name else name


def _prefix(texts: Sequence[str]) -> str:
    """What all begin with."""
    low, high = min(texts), max(texts)
    return low[: next((at for at, char in enumerate(low) if high[at : at + 1] != char), len(low))]


def _plain(text: str) -> str:
    words = re.sub(r"[^\w]+|_+", "_", text.replace("*", "_").lower())
    return words.strip("_")


def _vague(stem: str, literally: Callable[[str], str] = lambda text: text) -> str:
    """The stem with `*` for every number, date and UUID."""
    parts, last = [], 0
    for run in _RUNS.finditer(stem):
        parts += [literally(stem[last : run.start()]), "*"]
        last = run.end()
    return "".join([*parts, literally(stem[last:])])


def _vague_folder(name: str) -> str:
    return "*" if _PARTITION.fullmatch(name) or _RUNS.fullmatch(name) else name


def split(name: str) -> tuple[str, str]:
    """`orders.csv.gz` -> `orders`, `.csv.gz`."""
    packed = next((one for one in registry.PACKED if name.lower().endswith(one)), "")
    bare = name[: len(name) - len(packed)]
    stem, dot, _ = bare.rpartition(".")
    return (stem, name[len(stem) :]) if dot and stem else (name, "")


def relative(path: Path, root: Path) -> str:
    """The path relative to `root` if it lies below it, else as it is; with slashes."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _distinct(made: Sequence[Group]) -> list[Group]:
    """The groups with a number behind names that came before."""
    taken: set[str] = set()
    found = []
    for group in made:
        name, number = group.name, 1
        while name in taken:
            number += 1
            name = f"{group.name}_{number}"
        taken.add(name)
        found.append(Group(name, group.kind, group.pattern, group.files))
    return found

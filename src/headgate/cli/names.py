"""The names of a project's tables, models, tags and folders, out of its files as they lie there.

Nothing is parsed: a name that is written in an unusual way is missing, and that is all. What was read is kept in
`.headgate/names.json`, and read again only from files that changed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from headgate.core.errors import ProjectError

CACHE = Path(".headgate") / "names.json"
LARGEST = 1 << 16
"""Characters of a file that are looked at."""

_TABLE = re.compile(r"^table:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_TAGS = re.compile(r"\btags\b\s*[=:]\s*(\[[^\]]*\]|[\"']?[\w-]+[\"']?)")
_WORD = re.compile(r"[\w-]+")


class Names(NamedTuple):
    """`steps`: each with what it is."""

    steps: Mapping[str, str]
    tags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def names_of(project: str | None) -> Names:
    """Those of the project that is meant; none where there is no project. Never raises."""
    from headgate.cli.locate import project_root

    try:
        root = project_root(project)
    except (ProjectError, OSError):
        return Names({})
    known = _known(root)
    found = {path: _entry(path, seen, known.get(path)) for path, seen in _files(root)}
    if found != known:
        _keep(root, found)
    steps = {name: entry["kind"] for entry in found.values() for name in entry["names"]}
    tags = sorted({tag for entry in found.values() for tag in entry["tags"]})
    return Names(dict(sorted(steps.items())), tuple(tags), tuple(sorted(set(_folders(root, found)))))


_KINDS = {"ingest": "table", "models": "model", "tasks": "task"}
_SUFFIXES = {"ingest": (".yml", ".yaml"), "models": (".sql", ".py"), "tasks": (".yml", ".yaml")}


def _files(root: Path) -> Iterator[tuple[str, list[int]]]:
    """Every file that may name a step, with its size and time."""
    for top in _KINDS:
        for folder, _, names in os.walk(root / top):
            for name in names:
                if name.endswith(_SUFFIXES[top]) and not name.startswith((".", "_")):
                    path = os.path.join(folder, name)
                    with suppress(OSError):
                        seen = os.stat(path)
                        yield path, [seen.st_size, seen.st_mtime_ns]


def _entry(path: str, seen: list[int], known: Any) -> dict[str, Any]:
    if isinstance(known, dict) and known.get("seen") == seen:
        return known
    text = ""
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        text = file.read(LARGEST)
    kind = _kind(path)
    stem = os.path.basename(path).rpartition(".")[0]
    names = _TABLE.findall(text) if kind == "table" else [stem]
    tags = [word for one in _TAGS.findall(text) for word in _WORD.findall(one)]
    return {"seen": seen, "kind": kind, "names": names, "tags": tags}


def _kind(path: str) -> str:
    parts = Path(path).parts
    return next(_KINDS[part] for part in reversed(parts) if part in _KINDS)


def _folders(root: Path, found: Mapping[str, Any]) -> Iterator[str]:
    for path, entry in found.items():
        if entry["kind"] == "model":
            parts = Path(path).relative_to(root / "models").parts[:-1]
            if parts:
                yield ".".join(parts)
        yield from (name.partition(".")[0] for name in entry["names"] if "." in name)


def _known(root: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        kept = json.loads((root / CACHE).read_text(encoding="utf-8"))
        if isinstance(kept, dict) and all(_whole(one) for one in kept.values()):
            return kept
    return {}


def _whole(entry: object) -> bool:
    return isinstance(entry, dict) and entry.keys() == {"seen", "kind", "names", "tags"}


def _keep(root: Path, found: Mapping[str, Any]) -> None:
    """In the folder that a run has made; who may not write there reads the files again."""
    path = root / CACHE
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        if path.parent.is_dir():
            beside.write_text(json.dumps(found), encoding="utf-8")
            os.replace(beside, path)

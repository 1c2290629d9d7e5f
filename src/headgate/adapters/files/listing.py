"""Which files a source has, by what name, and what became of them since they were loaded."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from headgate.adapters.files.compress import digest
from headgate.adapters.files.origin import Identity, bad_archive, identity, is_archive, members, unreadable
from headgate.core.errors import AdapterError, Finding, ProjectError
from headgate.core.records import dataclass
from headgate.core.values import Partition, Position


@dataclass(frozen=True)
class Found:
    """A file: its partition name (path relative to the pattern's fixed prefix), where it is, and its identity."""

    name: str
    path: Path
    identity: Identity

    @property
    def partition(self) -> Partition:
        """The file as a partition that nobody has judged yet."""
        return Partition(self.name, "new", self.identity.size, location=str(self.path))


def changed_error(path: Path) -> AdapterError:
    made = AdapterError.of(
        "file-changed",
        "the file changed while it was read",
        path,
        "deliver files under another name and rename them when they are whole, then run again",
    )
    assert isinstance(made, AdapterError)
    return made


class Listing:
    """The files that one or more patterns name, relative to the project folder.

    Of a zip archive, every member whose name ends in one of `suffixes` is a file of its own; without `suffixes` the
    archive itself is one.
    """

    def __init__(self, patterns: str | list[str], root: Path, suffixes: Sequence[str] = ()) -> None:
        self._suffixes = tuple(suffixes)
        self._patterns = [patterns] if isinstance(patterns, str) else list(patterns)
        self._root = root
        self._digests: dict[tuple[Path, Identity], str] = {}

    def files(self) -> list[Found]:
        """Every file in name order.

        *Errors*: `path-escapes`, `not-a-file`, `same-name`, `unreadable-file`, `corrupt-file`, `bad-archive`.
        """
        found: dict[Path, Found] = {}
        names: dict[str, Path] = {}
        for pattern in self._patterns:
            for name, path in self._unpacked(pattern):
                if path in found:
                    continue
                if name in names:
                    raise _same_name(name, names[name], path)
                names[name] = path
                found[path] = Found(name, path, identity(path))
        return sorted(found.values(), key=lambda file: file.name)

    def none_found(self) -> Finding:
        """The finding for a source without a single file."""
        tried = ", ".join(str(self._root / pattern) for pattern in self._patterns)
        fix = "correct `path:` (it is relative to the project folder), or deliver a file"
        return Finding("no-files", "error", "no file matches", tried, fix)

    def _unpacked(self, pattern: str) -> Iterator[tuple[str, Path]]:
        for name, path in self._matches(pattern):
            if self._suffixes and is_archive(path):
                yield from self._members(name, path)
            else:
                yield name, path

    def _members(self, name: str, archive: Path) -> Iterator[tuple[str, Path]]:
        there = members(archive)
        for nested in (one.name for one in there if is_archive(Path(one.name))):
            raise bad_archive(archive / nested, "an archive inside of an archive is not opened", "unpack the outer one")
        wanted = [one.name for one in there if one.name.lower().endswith(self._suffixes)]
        if not wanted:
            listed = ", ".join(self._suffixes)
            raise bad_archive(archive, f"no member has a name in one of {listed}", "deliver another, or name another")
        for one in wanted:
            yield _name(f"{name}/{one}", archive / one), archive / one

    def _matches(self, pattern: str) -> Iterator[tuple[str, Path]]:
        full = self._inside(pattern)
        if _there(full, glob.has_magic(pattern)):
            if full.is_dir():
                raise AdapterError.of("not-a-file", "the path is a folder", full, f"name its files: {pattern}/*.csv")
            yield _name(full.name, full), full
            return
        prefix = _fixed_prefix(full)
        _see_folders(prefix, full.relative_to(prefix).parts[:-1])
        for text in glob.iglob(str(full), recursive=True):
            path = Path(text)
            if not path.is_dir():
                yield _name(path.relative_to(prefix).as_posix(), path), path

    def _inside(self, pattern: str) -> Path:
        if os.path.isabs(pattern):
            return Path(os.path.normpath(pattern))
        root = os.path.abspath(self._root)
        full = os.path.normpath(os.path.join(root, pattern))
        if os.path.commonpath([root, full]) != root:
            fix = "put the files inside the project folder, or give an absolute path"
            raise ProjectError.of("path-escapes", f"the path {pattern!r} leaves the project folder", root, fix)
        return Path(full)

    def digest(self, file: Found) -> str:
        """The file's digest, computed once per identity."""
        key = (file.path, file.identity)
        if key not in self._digests:
            self._digests[key] = digest(file.path)
        return self._digests[key]

    def remember(self, path: Path, seen: Identity, made: str) -> None:
        """Keeps a digest that was computed while the file was read."""
        self._digests[(path, seen)] = made

    def judge(self, known: Mapping[str, Position]) -> list[Partition]:
        """Every file against the end positions of earlier loads.

        *Guarantee*: a file whose content equals that of a known or an earlier new file under another name is a twin;
        files are read for that only where sizes collide.
        """
        made: list[Partition] = []
        files = self.files()
        against = {file.name: self._against(file, known[file.name]) for file in files if file.name in known}
        changed = {name for name, (status, _) in against.items() if status == "changed"}
        twins = _Twins(known, changed, self.digest)
        for file in files:
            status, reason = against.get(file.name, ("new", ""))
            twin, former = twins.of(file) if status in ("new", "changed") else ("", False)
            if twin and status == "new":
                status, reason = "twin", f"same content as {twin}"
            size, place = file.identity.size, str(file.path)
            made.append(Partition(file.name, status, size, reason, twin, place, former))  # type: ignore[arg-type]
        return made

    def _against(self, file: Found, position: Position) -> tuple[str, str]:
        seen = file.identity
        same = (position.get("size"), position.get("mtime_ns")) == (seen.size, seen.mtime_ns)
        if not same and position.get("size") == seen.size:
            same = self.digest(file) == position.get("digest")
        if same:
            return ("unchanged", "") if position.get("done") else ("partial", "a load stopped inside it")
        before = position.get("size")
        reason = "its content differs" if before == seen.size else f"{before} bytes before, {seen.size} bytes now"
        return "changed", reason


class _Twins:
    """Contents seen so far, by size and then by digest: a file is read only where its size came before."""

    def __init__(self, known: Mapping[str, Position], changed: set[str], digest: Callable[[Found], str]) -> None:
        self._digest = digest
        self._changed = changed
        self._known: dict[object, dict[object, str]] = {}
        self._fresh: dict[int, list[Found]] = {}
        self._hashed: dict[int, dict[str, str]] = {}
        for name in sorted(known, key=lambda name: (name in changed, name), reverse=True):
            self._known.setdefault(known[name].get("size"), {})[known[name].get("digest")] = name

    def of(self, file: Found) -> tuple[str, bool]:
        """The first known partition, else the first new or changed file, with this content; empty if there is none.

        True behind it: the partition had this content when it was loaded, and has changed since.
        """
        size = file.identity.size
        known, waiting = self._known.get(size, {}), self._fresh.setdefault(size, [])
        hashed = self._hashed.setdefault(size, {})
        waiting.append(file)
        if not known and len(waiting) == 1 and not hashed:
            return "", False
        for one in waiting:
            hashed.setdefault(self._digest(one), one.name)
        waiting.clear()
        first = hashed[self._digest(file)]
        standing = known.get(self._digest(file), "")
        fresh = "" if first == file.name else first
        if standing in self._changed and fresh:
            return fresh, False
        return standing or fresh, standing in self._changed


def _there(path: Path, pattern: bool) -> bool:
    """Whether the path itself exists. *Errors*: AdapterError `unreadable-file` where a folder above hides that."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if pattern:
            return False
        raise unreadable(path, error) from error
    return True


def _see_folders(prefix: Path, parts: tuple[str, ...]) -> None:
    """Opens every folder that the pattern leads through: glob passes over those that it may not read, silently.

    *Errors*: AdapterError `unreadable-file`.
    """
    for depth in range(len(parts) + 1):
        for text in glob.iglob(str(prefix.joinpath(*parts[:depth])), recursive=True) if depth else (str(prefix),):
            try:
                os.scandir(text).close()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise unreadable(Path(text), error) from error


def _fixed_prefix(pattern: Path) -> Path:
    fixed = Path(pattern.anchor)
    for part in pattern.parts[1:]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed


def _name(name: str, path: Path) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise AdapterError.of("bad-file-name", "the file's name is not UTF-8", shown, "rename the file") from None
    return name


def _same_name(name: str, one: Path, other: Path) -> ProjectError:
    what = f"two files are both called {name!r} behind the fixed part of their pattern: {one} and {other}"
    fix = "use one pattern whose fixed part is the folder above both"
    made = ProjectError.of("same-name", what, str(other), fix)
    assert isinstance(made, ProjectError)
    return made

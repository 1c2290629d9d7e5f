"""Where bytes come from: a file, or a member of a zip archive, which has the path `archive.zip/member`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from headgate.core.errors import AdapterError
from headgate.core.records import dataclass

if TYPE_CHECKING:
    from zipfile import ZipFile

RATIO, RATIO_FROM = 500, 10 << 20
"""A member that unpacks to so many times its packed size, and to more than so many bytes, is not unpacked."""
ENCRYPTED = 0x1
JUNK = ("__MACOSX/",)
"""What archivers put beside the files."""


@dataclass(frozen=True)
class Identity:
    """What tells one state of a file from another without reading it."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Member:
    """One file of an archive as its directory tells it: sizes in bytes, unpacked and packed."""

    name: str
    size: int
    packed: int
    flags: int


def open_file(path: Path) -> BinaryIO:
    """The file, open for reading. *Errors*: AdapterError `unreadable-file`."""
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file or member, open for reading. *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `bad-archive`."""
    split = member_of(path)
    if split is None:
        with open_file(path) as file:
            yield file
        return
    archive, name = split
    _refuse_bomb(path, _directory(archive).get(name))
    with _zip(archive) as opened_zip:
        try:
            with opened_zip.open(name) as stream:
                yield stream
        except (AdapterError, GeneratorExit):
            raise
        except Exception as error:  # zipfile's own, zlib's, lzma's: all of them mean damage here
            raise corrupt(path, f"the archive is damaged there ({error})") from error


def identity(path: Path) -> Identity:
    """Size and time of change; those of a member: its unpacked size, and the archive's time.

    *Errors*: AdapterError `unreadable-file`, `not-a-file`, `corrupt-file`.
    """
    split = member_of(path)
    real = split[0] if split else path
    try:
        seen = real.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(seen.st_mode):  # a pipe would be waited for, a device has no end
        raise AdapterError.of("not-a-file", "this is a pipe, a socket or a device", path, "deliver plain files")
    if split is None:
        return Identity(seen.st_size, seen.st_mtime_ns)
    member = _directory(real).get(split[1])
    return Identity(member.size if member else -1, seen.st_mtime_ns)


def is_archive(path: Path) -> bool:
    """Whether the name says that the file holds others."""
    return path.name.lower().endswith(".zip")


def member_of(path: Path) -> tuple[Path, str] | None:
    """The archive and the member's name, where the path leads into one."""
    parts = path.parts
    for depth in range(1, len(parts)):
        if parts[depth - 1].lower().endswith(".zip"):
            archive = Path(*parts[:depth])
            if archive.is_file():
                return archive, "/".join(parts[depth:])
    return None


def members(archive: Path) -> list[Member]:
    """The archive's files in name order. *Errors*: AdapterError `unreadable-file`, `corrupt-file`, `bad-archive`."""
    found = [one for one in _directory(archive).values() if not one.name.endswith("/")]
    kept = sorted((one for one in found if not one.name.startswith(JUNK)), key=lambda one: one.name)
    for one in kept:
        if one.flags & ENCRYPTED:
            raise bad_archive(archive / one.name, "the member is encrypted", "deliver it without a password")
        if one.name.startswith("/") or ".." in one.name.split("/") or "\\" in one.name:
            raise bad_archive(archive, f"a member's name leads out of the archive: {one.name!r}", "rename it")
    return kept


def _directory(archive: Path) -> dict[str, Member]:
    try:
        seen = archive.stat()
    except OSError as error:
        raise unreadable(archive, error) from error
    return _listed(archive, seen.st_size, seen.st_mtime_ns)


@lru_cache(64)
def _listed(archive: Path, size: int, mtime_ns: int) -> dict[str, Member]:
    with _zip(archive) as opened_zip:
        found: dict[str, Member] = {}
        for one in opened_zip.infolist():
            if one.filename in found:
                raise bad_archive(archive, f"two members are called {one.filename!r}", "pack it anew")
            found[one.filename] = Member(one.filename, one.file_size, one.compress_size, one.flag_bits)
        return found


@contextmanager
def _zip(archive: Path) -> Iterator[ZipFile]:
    import zipfile

    with open_file(archive) as file:
        try:
            made = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise corrupt(archive, f"this is no readable zip archive ({error})") from error
        with made:
            yield made


def _refuse_bomb(path: Path, member: Member | None) -> None:
    if member is None:
        raise unreadable(path, FileNotFoundError(2, "the archive has no such member"))
    if member.size > RATIO_FROM and member.size > RATIO * max(member.packed, 1):
        what = f"{member.packed} bytes would unpack to {member.size}, more than {RATIO} times as many"
        raise bad_archive(path, what, "if it is what it should be, deliver it unpacked or as gzip")


def unreadable(path: Path, error: OSError) -> AdapterError:
    kind = "folder" if os.path.isdir(path) else "file"
    what = f"cannot read the {kind}: {error.strerror or error}"
    made = AdapterError.of("unreadable-file", what, path, f"make the {kind} readable for this user, then run again")
    assert isinstance(made, AdapterError)
    return made


def corrupt(path: Path, what: str) -> AdapterError:
    fix = "have the file delivered again (nothing of it was loaded), then run again"
    made = AdapterError.of("corrupt-file", what, path, fix)
    assert isinstance(made, AdapterError)
    return made


def bad_archive(path: Path, what: str, fix: str) -> AdapterError:
    made = AdapterError.of("bad-archive", what, path, fix)
    assert isinstance(made, AdapterError)
    return made

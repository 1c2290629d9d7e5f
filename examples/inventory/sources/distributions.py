"""The installed packages under `data/site`: what is there, what each says of itself, and what it needs.

A package is named by its site's number and its folder, `1/pip-24.0.dist-info`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

from requirement import environment, parse

SITES = Path(__file__).resolve().parents[1] / "data" / "site"
KINDS = (".dist-info", ".egg-info")
TOLD = ("METADATA", "PKG-INFO", "requires.txt")
"""The files that say something of a package, of either kind; an old .egg-info is itself such a file."""
LONGEST = 100


def metadata() -> dict[str, Any]:
    """The packages, with size and time of the files that `packages` reads."""
    return {name: _state(path) for name, path in _found().items()}


def metadata_here() -> dict[str, Any]:
    """The same for `requirements`, whose markers also look at the Python that runs this."""
    return {name: [state, environment()] for name, state in metadata().items()}


def sites() -> dict[str, str]:
    """One partition; its digest differs once a package comes or goes."""
    there = json.dumps(list(installed()))
    return {"all": hashlib.sha256(there.encode()).hexdigest()}


def installed() -> Iterator[dict[str, Any]]:
    for name, path in _found().items():
        yield {"package": name, "site": name.split("/")[0], "has_record": (path / "RECORD").is_file()}


def packages(partition: str) -> Iterator[Any]:
    """The package's one row; an exception in its place where it says nothing that can be read."""
    said = _said(partition)
    if said is None:
        yield ValueError("it has no metadata, or none that can be read")
        return
    license_, license_from = _license(said)
    yield {
        "package": partition,
        "name": said.get("Name"),
        "version": said.get("Version"),
        "license": license_,
        "license_from": license_from,
        "summary": _known(said.get("Summary")),
    }


def requirements(partition: str) -> Iterator[dict[str, Any]]:
    """A row for each; none of a package whose metadata can't be read, which `packages` tells."""
    requires = Distribution.at(SITES / partition).requires if _said(partition) else None
    for number, text in enumerate(requires or [], start=1):
        yield {"package": partition, "number": number, "requires": text, **parse(text)}


def _found() -> dict[str, Path]:
    return {
        f"{site.name}/{path.name}": path
        for site in sorted(SITES.iterdir(), key=lambda site: int(site.name))
        for path in sorted(site.iterdir())
        if path.suffix in KINDS
    }


def _said(package: str) -> Any | None:
    """The metadata by header. Where there are none, some versions of Python raise, others give no header."""
    try:
        said = Distribution.at(SITES / package).metadata
    except (OSError, ValueError, PackageNotFoundError):
        return None
    return said or None


def _state(path: Path) -> list[list[int]]:
    files = [path] if path.is_file() else [path / name for name in TOLD if (path / name).is_file()]
    return [[file.stat().st_size, file.stat().st_mtime_ns] for file in files]


def _license(said: Any) -> tuple[str | None, str | None]:
    """The licence and where it is said: the expression of PEP 639, else a short field, else classifiers, else the
    field, which then holds the licence's whole text."""
    field = _known(said.get("License"))
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in said.get_all("Classifier") or []
        if line.startswith("License ::") and line != "License :: OSI Approved"
    ]
    if _known(said.get("License-Expression")):
        return said.get("License-Expression"), "expression"
    if field and len(field) <= LONGEST:
        return field, "field"
    if classifiers:
        return ", ".join(classifiers), "classifier"
    return field, "field" if field else None


def _known(text: str | None) -> str | None:
    """The text on one line; None also for what old tools write where nothing was said."""
    line = " ".join((text or "").split())
    return None if line in ("", "UNKNOWN") else line

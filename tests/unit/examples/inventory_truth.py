"""What an inventory must come out as, by the standard library and `packaging` alone: no Headgate, no DuckDB."""

from __future__ import annotations

import csv
import email
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Claim = tuple[str, str, str | None, int | None]
"""package, path, hash, size"""


@dataclass
class Truth:
    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    files: list[Claim] = field(default_factory=list)
    refused: list[tuple[str, list[str]]] = field(default_factory=list)
    requirements: list[tuple[str, str]] = field(default_factory=list)

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Files and bytes of every package."""
        claims = defaultdict(list)
        for package, _, _, size in self.files:
            claims[package].append(size or 0)
        return {package: (len(claims[package]), sum(claims[package])) for package in self.packages}

    @property
    def contested(self) -> dict[tuple[str, str], str]:
        claimed = defaultdict(list)
        for package, path, _, _ in self.files:
            claimed[package.split("/")[0], path].append(package)
        return {key: ", ".join(sorted(packages)) for key, packages in claimed.items() if len(packages) > 1}

    @property
    def licenses(self) -> Counter[str]:
        return Counter(package["license"] or "none said" for package in self.packages.values())

    @property
    def found(self) -> dict[str, str]:
        """The package that Python finds under a name, of those with the same one."""
        made: dict[str, str] = {}
        for package in sorted(self.packages, key=lambda package: (int(package.split("/")[0]), package)):
            made.setdefault(canonicalize_name(self.packages[package]["name"]), package)
        return made

    def verdict(self, text: str) -> tuple[str, bool, str | None, bool | None]:
        """The name needed, whether it applies here, the package that has the name, and whether it meets the version."""
        one = Requirement(text)
        name = canonicalize_name(one.name)
        package = self.found.get(name)
        applies = one.marker is None or one.marker.evaluate({"extra": ""})
        if package is None:
            return name, applies, None, False
        if one.url:
            return name, applies, package, None
        return name, applies, package, _meets(one.specifier, self.packages[package]["version"])


def _meets(specifier: SpecifierSet, version: str) -> bool | None:
    try:
        Version(version)
    except InvalidVersion:
        arbitrary = all(one.operator == "===" for one in specifier)
        return all(one.version == version for one in specifier) if arbitrary else None
    return specifier.contains(version, prereleases=True)


def truth(sites: list[Path]) -> Truth:
    """The truth of these folders, named 1, 2, ... as the inventory does."""
    made = Truth()
    for number, site in enumerate(sites, start=1):
        for found in distributions(path=[str(site)]):
            folder: Path = found._path  # type: ignore[attr-defined]
            if folder.parent != site or folder.suffix not in (".dist-info", ".egg-info"):
                continue
            _take(made, f"{number}/{folder.name}", folder, found)
    return made


def _take(made: Truth, package: str, folder: Path, found: Distribution) -> None:
    said = _said(folder)
    if said is None or not said["name"] or not said["version"]:
        made.unreadable.add(package)
    else:
        made.packages[package] = said
        made.requirements += [(package, text) for text in found.requires or []]
    seen: set[str] = set()
    for row in _rows(folder / "RECORD"):
        if len(row) == 3 and row[0] and row[0] not in seen and re.fullmatch("[0-9]*", row[2]):
            seen.add(row[0])
            made.files.append((package, row[0], row[1] or None, int(row[2]) if row[2] else None))
        else:
            made.refused.append((package, row))


def _rows(record: Path) -> list[list[str]]:
    if record.parent.suffix != ".dist-info" or not record.is_file():
        return []
    return [_fields(line) for line in re.split("\r?\n", record.read_bytes().decode("utf-8")) if line]


def _fields(line: str) -> list[str]:
    """The fields of a line; none where it is no record. No path in a RECORD goes over a line's end."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return []


def _said(folder: Path) -> dict[str, Any] | None:
    places = [folder] if folder.is_file() else [folder / "METADATA", folder / "PKG-INFO"]
    data = next((place.read_bytes() for place in places if place.is_file()), None)
    try:
        head = email.message_from_string(data.decode("utf-8")) if data is not None else None
    except UnicodeDecodeError:
        head = None
    if head is None:
        return None
    said = {name: (head[name] or "").strip() for name in ("Name", "Version", "License", "License-Expression")}
    said = {name: "" if text == "UNKNOWN" else text for name, text in said.items()}
    trove = [
        line.split(" :: ")[-1]
        for line in head.get_all("Classifier", [])
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    field = said["License"]
    license_ = said["License-Expression"] or (field if 0 < len(field) <= 100 else ", ".join(trove) or field)
    return {"name": said["Name"], "version": said["Version"], "license": " ".join(license_.split()) or None}

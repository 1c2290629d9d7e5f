"""Seeds: CSV files that belong to the project, each loaded through the gate as a table of its own.

A seed is an ingest file that nobody has to write: `seeds/geo/countries.csv` is `geo.countries`, which is replaced
whenever the file changes. YAML beside it may give it a contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from headgate.contracts.grammar import PlacedText
from headgate.core.errors import Location, nearest
from headgate.core.records import dataclass
from headgate.project import contractfile, fields, ingest
from headgate.project.datatests import listed
from headgate.project.fields import Notes
from headgate.project.model import Ingest
from headgate.project.yaml import Mapping, Node, Scalar

FILE_KEYS = ("version", "seeds")
SEED_KEYS = ("name", "description", "contract", "columns", "config", "docs", "meta", "tags")
COLUMN_KEYS = ("name", "description", "data_type", "docs", "meta", "tags")
CONFIG_KEYS = ("delimiter", "meta", "tags")
CONTRACT_KEYS = ("columns", "rules", "skip", "refuse_at_most")
LATER = ("tests", "data_tests", "column_types", "quote_columns", "schema", "alias", "enabled")
SUFFIXES = (".csv", ".tsv")
_GLOB = "*?["


@dataclass(frozen=True)
class Described:
    """What YAML says of one seed: keys of an ingest file, and options of its source."""

    name: str
    where: Location
    keys: tuple[tuple[Scalar, Node], ...] = ()
    delim: Node | None = None


def describe(notes: Notes, node: Mapping) -> Iterator[Described]:
    """The seeds that a file names; everything wrong is noted."""
    fields.known(notes, node, FILE_KEYS, "a file about seeds")
    for entry in listed(notes, node.get("seeds"), "seeds"):
        seed = fields.mapping(notes, entry, "a seed")
        if seed is None:
            continue
        if (named := seed.get("name")) is None:
            notes.error("missing-key", "a seed has no name", seed.where, "write - name: ...")
            continue
        fields.known(notes, seed, SEED_KEYS, "a seed (rules for its rows stand in contract:)", LATER)
        for column in listed(notes, seed.get("columns"), "columns"):
            if (given := fields.mapping(notes, column, "a column")) is not None:
                fields.known(notes, given, COLUMN_KEYS, "a column of a seed", LATER)
        name, config = fields.text(notes, named, "name"), fields.mapping(notes, seed.get("config"), "config")
        if config is not None:
            fields.known(notes, config, CONFIG_KEYS, "config of a seed", LATER)
        if name is not None:
            delim = config.get("delimiter") if config is not None else None
            yield Described(name, seed.where, tuple(_contract(notes, seed)), delim)


def _contract(notes: Notes, seed: Mapping) -> Iterator[tuple[Scalar, Node]]:
    """The contract as keys of an ingest file."""
    named = seed.get("contract")
    if named is None:
        return
    if contractfile.is_file(named):
        yield _scalar("contract", named.where), named
    elif (given := fields.mapping(notes, named, "contract")) is not None:
        fields.known(notes, given, CONTRACT_KEYS, "the contract of a seed")
        yield from given.entries


def ingests(notes: Notes, root: Path, paths: Iterable[Path], described: Iterable[Described]) -> Iterator[Ingest]:
    """Every seed as an ingest file would say it; everything wrong is noted."""
    told: dict[str, Described] = {}
    for one in described:
        if told.setdefault(one.name.lower(), one) is not one:
            what = f"seed {one.name!r} is described twice, first at {told[one.name.lower()].where}"
            notes.error("duplicate-key", what, one.where, "keep one of the two")
    files = list(paths)
    known = [path.stem for path in files]
    for one in told.values():
        if one.name.lower() not in {name.lower() for name in known}:
            what = f"there is no seed {one.name!r}{nearest(one.name, known)}"
            notes.error("unknown-model", what, one.where, f"write seeds/{one.name}.csv, or remove the entry")
    for path in files:
        made = _ingest(notes, root, path, told.get(path.stem.lower()))
        if made is not None:
            yield made


def _ingest(notes: Notes, root: Path, path: Path, told: Described | None) -> Ingest | None:
    shown = path.relative_to(root).as_posix()
    where = Location(shown)
    if any(sign in shown for sign in _GLOB):
        fix = f"rename it: {', '.join(_GLOB)} stand for other names"
        notes.error("reserved-name", f"{shown!r} can't be the path of a seed", where, fix)
        return None
    folder = path.parent.relative_to(root / "seeds").parts
    table = f"{folder[0] if folder else 'main'}.{path.stem}"
    options: list[tuple[Scalar, Node]] = [(_scalar("path", where), _scalar(shown, where))]
    if told is not None and told.delim is not None:
        options.append((_scalar("delim", told.delim.where), told.delim))
    source = Mapping(((_scalar("csv", where), Mapping(tuple(options), where)),), where)
    words = (("table", table), ("load", "replace"), ("on_change", "reload"))
    keys: list[tuple[Scalar, Node]] = [(_scalar(key, where), _scalar(word, where)) for key, word in words]
    entries = (*keys, (_scalar("from", where), source), *(told.keys if told is not None else ()))
    return ingest.read(notes, Mapping(entries, where), where, root)


def _scalar(text: str, where: Location) -> Scalar:
    return Scalar(text, where, PlacedText(text, where.path, where.line, where.column))

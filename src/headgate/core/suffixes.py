"""What a file's name says it holds: one table for everybody who asks."""

from __future__ import annotations

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".parquet": "parquet",
    ".avro": "avro",
    ".orc": "orc",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
"""The kind of source that each suffix names."""
PACKED = (".gz", ".zst", ".bz2", ".xz")
"""Suffixes of packed text, behind the one that names its kind."""
ARCHIVE = ".zip"
TEXT = frozenset({"csv", "ndjson", "json"})
"""The kinds that may be packed."""


def unpacked_name(path: str) -> str:
    """The file's name in lower case, without the suffix that says how it is packed."""
    name = path.rsplit("/", 1)[-1].lower()
    return next((name.removesuffix(suffix) for suffix in (*PACKED, ARCHIVE) if name.endswith(suffix)), name)


def kind_of(path: str) -> str | None:
    """The kind of source that a path or glob names by its suffix (`.csv.gz` counts as `.csv`); None if none does."""
    bare = unpacked_name(path)
    kind = next((SUFFIXES[suffix] for suffix in SUFFIXES if bare.endswith(suffix)), None)
    return None if kind not in TEXT and not path.lower().endswith(bare) else kind


def suffixes(kind: str) -> tuple[str, ...]:
    """Every suffix by which a member of an archive is known to be of this kind."""
    plain = [suffix for suffix, one in SUFFIXES.items() if one == kind]
    return tuple(suffix + packed for suffix in plain for packed in (("", *PACKED) if kind in TEXT else ("",)))

"""What `config(...)` says of a snapshot, in dbt's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from headgate.core.errors import nearest
from headgate.models.model import HardDeletes, Snapshot, SnapshotColumns
from headgate.models.template import Refused

KEYS = (
    "strategy",
    "updated_at",
    "check_cols",
    "hard_deletes",
    "invalidate_hard_deletes",
    "snapshot_meta_column_names",
    "dbt_valid_to_current",
)
STRATEGIES = ("timestamp", "check")
HARD_DELETES = ("ignore", "invalidate", "new_record")
COLUMNS = ("dbt_valid_from", "dbt_valid_to", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted")
DEFAULTS = SnapshotColumns(*COLUMNS)


def snapshot(said: Mapping[str, object], unique_key: tuple[str, ...]) -> Snapshot:
    """The settings, checked. Raises Refused `model-config`."""
    if not unique_key:
        raise wrong("a snapshot needs to know a row by its key", "Write unique_key='id' or unique_key=['id', 'day']")
    if "strategy" not in said:
        raise wrong("a snapshot needs a strategy", "Write strategy='timestamp' with updated_at, or strategy='check'")
    strategy = _one_of("strategy", said["strategy"], STRATEGIES)
    updated_at = _column("updated_at", said["updated_at"]) if "updated_at" in said else ""
    if strategy == "timestamp" and not updated_at:
        raise wrong("strategy='timestamp' needs to know when a row changed", "Write updated_at='changed_at'")
    if strategy == "timestamp" and "check_cols" in said:
        raise wrong("check_cols goes with strategy='check'", "Leave check_cols out, or write strategy='check'")
    return Snapshot(
        unique_key,
        "timestamp" if strategy == "timestamp" else "check",
        updated_at,
        _checked(said) if strategy == "check" else (),
        _hard_deletes(said),
        _names(said.get("snapshot_meta_column_names", {})),
        _current(said.get("dbt_valid_to_current", "")),
    )


def _checked(said: Mapping[str, object]) -> tuple[str, ...]:
    """The columns that are compared; empty for all."""
    value = said.get("check_cols")
    if value is None:
        raise wrong("strategy='check' needs to know what to compare", "Write check_cols='all', or a list of columns")
    if value == "all":
        return ()
    names = value if isinstance(value, list | tuple) else ()
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise wrong(f"check_cols={value!r} names no columns", "Write check_cols='all', or check_cols=['name', 'city']")
    return tuple(names)


def _hard_deletes(said: Mapping[str, object]) -> HardDeletes:
    if "invalidate_hard_deletes" in said:
        flag = said["invalidate_hard_deletes"]
        if not isinstance(flag, bool) or "hard_deletes" in said:
            raise wrong("invalidate_hard_deletes is true or false, and an older hard_deletes", "Write hard_deletes")
        return "invalidate" if flag else "ignore"
    return cast(HardDeletes, _one_of("hard_deletes", said.get("hard_deletes", "ignore"), HARD_DELETES))


def _names(value: object) -> SnapshotColumns:
    if not isinstance(value, Mapping):
        fix = "Write snapshot_meta_column_names={'dbt_valid_from': 'valid_from'}"
        raise wrong(f"snapshot_meta_column_names={value!r} names no columns", fix)
    stray = next((one for one in value if one not in COLUMNS), None)
    if stray is not None:
        what = f"snapshot_meta_column_names has no {stray!r}{nearest(str(stray), COLUMNS)}"
        raise wrong(what, f"Use {', '.join(COLUMNS)}")
    given: dict[str, Any] = {str(key)[len("dbt_") :]: _column(str(key), name) for key, name in value.items()}
    made = replace(DEFAULTS, **given)
    if len({name.casefold() for name in made.all}) < len(made.all):
        raise wrong("snapshot_meta_column_names gives two columns one name", "Give each a name of its own")
    return made


def _current(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise wrong(f"dbt_valid_to_current={value!r} is no SQL", """Write dbt_valid_to_current="date '9999-12-31'" """)
    return value.strip()


def _column(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value or value.lower().startswith("_hg_"):
        raise wrong(f"{key}={value!r} is no column", f"Write {key}='changed_at'")
    return value


def _one_of(key: str, value: object, words: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in words:
        return value
    raise wrong(f"{key}={value!r} is unknown{nearest(str(value), words)}", f"Use one of {', '.join(words)}")


def wrong(what: str, fix: str) -> Refused:
    return Refused("model-config", what, fix)

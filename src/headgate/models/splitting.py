"""The contract of an incremental model: how it goes together with the way in which new rows join those that stand."""

from __future__ import annotations

from dataclasses import replace

from headgate.contracts import short
from headgate.core.errors import HeadgateError, ProjectError, nearest
from headgate.models.model import Incremental, ModelContract
from headgate.models.render import Draft


def joined(draft: Draft, split: ModelContract) -> ModelContract:
    """The contract as the rows of a build are judged by: its `unique_key` is required and names the identity.

    *Errors*: ProjectError `model-contract`.
    """
    config, contract = draft.config, split.contract
    if config.time_column:
        what = (
            "is built by intervals: one that is built again would bring back rows that were mended under another time"
        )
        fix = "write unique_key in the place of time_column, with a filter under is_incremental(); or build a table"
        raise _refused(draft, split, what, fix)
    if "on_schema_change" in config.said:
        what = "says on_schema_change: its table follows the contract"
        raise _refused(draft, split, what, "Leave on_schema_change out")
    known = {column.name.casefold(): column for column in contract.columns}
    for name in config.unique_key:
        column = known.get(name.casefold())
        if column is None or column.source.casefold() != column.name.casefold():
            hint = nearest(name, [one.name for one in contract.columns])
            what = f"has unique_key {name!r}, which the contract does not name, or takes from another column{hint}"
            raise _refused(draft, split, what, "Name a column of the contract, without from()")
    if not config.unique_key:
        return split
    keys = _spelled(config.unique_key, split)
    if contract.key and set(contract.key) != set(keys):
        what = f"has unique_key {', '.join(keys)}, and its contract says that the key is {', '.join(contract.key)}"
        raise _refused(draft, split, what, "Mark the same columns as key, or none")
    return replace(split, contract=short.as_loaded(contract, "upsert", keys))


def spelled(incremental: Incremental, split: ModelContract) -> Incremental:
    """The same with its key as the contract spells it: that is how the table's columns are called."""
    return replace(incremental, unique_key=_spelled(incremental.unique_key, split))


def _spelled(names: tuple[str, ...], split: ModelContract) -> tuple[str, ...]:
    known = {column.name.casefold(): column.name for column in split.contract.columns}
    return tuple(known[name.casefold()] for name in names)


def _refused(draft: Draft, split: ModelContract, what: str, fix: str) -> HeadgateError:
    return ProjectError.of(
        "model-contract", f"model {draft.source.name!r} has a contract, and {what}", split.where, fix
    )

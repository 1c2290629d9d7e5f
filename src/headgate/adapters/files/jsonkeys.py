"""Which keys of a JSON record are columns, and which of them are paths into it."""

from __future__ import annotations

from headgate.adapters.files.jsontext import at_path, members
from headgate.adapters.files.shape import RESERVED
from headgate.core.records import dataclass


@dataclass(frozen=True)
class Keys:
    """`wanted`: what the contract's columns are fed from; those with dots are paths unless a record has such a key."""

    wanted: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(name for name in self.wanted if "." in name and all(name.split(".")))

    @property
    def parents(self) -> frozenset[str]:
        """Keys that only paths lead through: they are no columns."""
        return frozenset(path.split(".")[0] for path in self.paths) - frozenset(self.wanted)

    def is_column(self, key: str) -> bool:
        return key.lower() != RESERVED and key not in self.parents

    def values(self, text: str) -> dict[str, str | None]:
        """The columns of a record and their values' own texts. Raises NoRecord."""
        found = members(text)
        paths = {path: at_path(found, path) for path in self.paths}
        own = {key: value for key, value in found.items() if self.is_column(key)}
        taken = {key.lower() for key in own}
        return {**own, **{path: value for path, value in paths.items() if path.lower() not in taken}}

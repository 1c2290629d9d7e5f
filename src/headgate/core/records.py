"""`dataclass` for the hundreds of frozen classes of the house: the same to use, made in a quarter of the time.

The standard decorator compiles six functions for every frozen class, and a command would spend more time on that than
on a small project. Here one is compiled, `__init__`; how to compare, hash, show and refuse a change is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import dataclass as _standard
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """As `dataclasses.dataclass`: `fields`, `replace`, `asdict` and `__post_init__` work as they do there."""
        make = _frozen if options == {"frozen": True} else _standard(**options)
        return make if cls is None else make(cls)


def _frozen(cls: type) -> type:
    if cls.__doc__ is None:
        cls.__doc__ = ""  # the standard decorator would make up one from a signature, which takes as long as all else
    own = frozenset(vars(cls))
    made: Any = _standard(init=False, repr=False, eq=False)(cls)
    compared = tuple(one.name for one in fields(made) if one.compare)
    made.__compared__ = attrgetter(*compared) if compared else staticmethod(lambda _: ())
    made.__shown__ = tuple(one.name for one in fields(made) if one.repr)
    for name, method in {**_SHARED, "__init__": _init(made)}.items():
        if name not in own:
            setattr(made, name, method)
    return cls


def _init(cls: Any) -> Callable[..., None]:
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    taken, lines = ["self"], []
    for at, one in enumerate(fields(cls)):
        name = value = one.name
        if one.default_factory is not MISSING:
            scope[f"_{at}"] = one.default_factory
            value = f"_{at}() if {name} is _missing else {name}" if one.init else f"_{at}()"
            taken += [f"{name}=_missing"] if one.init else []
        elif not one.init:
            continue  # __post_init__ sets it
        elif one.default is not MISSING:
            scope[f"_{at}"] = one.default
            taken.append(f"{name}=_{at}")
        else:
            taken.append(name)
        lines.append(f" _set(self, {name!r}, {value})")
    lines += [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    exec(f"def __init__({', '.join(taken)}):\n" + ("\n".join(lines) or " pass"), scope)  # noqa: S102 - names of fields alone
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {one.name: one.type for one in fields(cls) if one.init}
    return made


def _same(self: Any, other: Any) -> Any:
    if self.__class__ is not other.__class__:
        return NotImplemented
    compared = self.__compared__
    return compared(self) == compared(other)


def _hashed(self: Any) -> int:
    return hash(self.__compared__(self))


def _told(self: Any) -> str:
    said = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__shown__)
    return f"{self.__class__.__qualname__}({said})"


def _set(self: Any, name: str, _: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _deleted(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_SHARED: dict[str, Any] = {
    "__eq__": _same,
    "__hash__": _hashed,
    "__repr__": _told,
    "__setattr__": _set,
    "__delattr__": _deleted,
}

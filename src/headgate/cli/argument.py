"""What a command is made of: flags, names, and the kinds of values that they take."""

from __future__ import annotations

from typing import Any, NamedTuple


class Argument(NamedTuple):
    """Flags (or one positional name) and what argparse is told about them."""

    flags: tuple[str, ...]
    options: dict[str, Any]

    @property
    def valued(self) -> bool:
        """Whether it is an option that is followed by a value."""
        return self.flags[0].startswith("-") and self.options.get("action", "append") == "append"


class Command(NamedTuple):
    """One command. `usage` and `examples` are without the leading `headgate`. `anywhere`: it needs no project."""

    name: str
    summary: str
    usage: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    anywhere: bool = False


def argument(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


def whole_number(text: str) -> int:
    """The text as an integer from 0; argparse turns the ValueError into a usage error that has this function's name."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


whole_number.__name__ = "whole number"


def positive(text: str) -> int:
    """The text as an integer from 1; else a usage error as `whole_number` makes one."""
    number = whole_number(text)
    if not number:
        raise ValueError(text)
    return number


positive.__name__ = "number above 0"


def share(text: str) -> float:
    """`1%` or `0.01` as 0.01, less than 1; else a usage error as `whole_number` makes one."""
    number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= number < 1:
        raise ValueError(text)
    return number


share.__name__ = "share"

"""Headgate: files through a contract into a warehouse, and not one row unaccounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headgate.core.errors import TransientError

__all__ = ["TransientError", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What a command line has no use for is loaded when it is asked for."""
    if name != "TransientError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from headgate.core.errors import TransientError

    return TransientError

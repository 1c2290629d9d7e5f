"""Headgate: files through a contract into a warehouse, and not one row unaccounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headgate.core.errors import TransientError
    from headgate.models.python.words import config, ref, source

__all__ = ["TransientError", "__version__", "config", "ref", "source"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What a command line has no use for is loaded when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from headgate.core.errors import TransientError
    from headgate.models.python import words

    return TransientError if name == "TransientError" else getattr(words, name)

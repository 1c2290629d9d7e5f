"""The Python API: `Project` and what its verbs answer; `init` and `profile_files`, which need no project."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headgate.api.project import Project

if TYPE_CHECKING:
    from headgate.api.init import init
    from headgate.api.profiling import profile_files

__all__ = ["Project", "init", "profile_files"]


def __getattr__(name: str) -> Any:
    """What a run has no use for is loaded when it is asked for."""
    modules = {"init": "headgate.api.init", "profile_files": "headgate.api.profiling"}
    if name not in modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(modules[name]), name)
    globals()[name] = found  # in place of the module of that name
    return found

"""The Python API: `Project` and what its verbs answer; `init` and `profile_files`, which need no project."""

from headgate.api.init import init
from headgate.api.profiling import profile_files
from headgate.api.project import Project

__all__ = ["Project", "init", "profile_files"]

"""The Python API: `Project` and what its verbs answer."""

from headgate.api.project import Project

__all__ = ["Project"]

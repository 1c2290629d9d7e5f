"""The only place that reads the process environment."""

from __future__ import annotations

import os


def variable(name: str) -> str | None:
    """The environment variable, or None where it is not set."""
    return os.environ.get(name)

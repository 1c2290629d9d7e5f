"""The only place that reads the process environment."""

from __future__ import annotations

import os


def variable(name: str) -> str | None:
    """The environment variable, or None where it is not set."""
    return os.environ.get(name)


def every() -> dict[str, str]:
    """All variables of the environment, for a program that is to have them."""
    return dict(os.environ)


def user() -> str:
    """Who runs this process, for the books; `unknown` where the system does not say."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"

"""Where a Chromium comes from: an installed one, or Debian's package if we may install."""

from __future__ import annotations

from pathlib import Path

from tests.services.child import find_program
from tests.services.debian import alone, apt, may_install

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_chromium() -> Path | None:
    """The program, or None. The shell without a window is smaller and comes first."""
    found = _installed()
    if found is None and may_install():
        with alone():
            if _installed() is None and not apt("install", "--no-install-recommends", _NAMES[0]):
                apt("update")
                apt("install", "--no-install-recommends", _NAMES[0])
        found = _installed()
    return found


def _installed() -> Path | None:
    return next((found for name in _NAMES if (found := find_program(name)) is not None), None)

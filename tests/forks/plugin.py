"""The fixture for those who start processes by the means of `headgate.testing`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from tests.forks.client import Popen


@pytest.fixture(scope="module")
def forked_runs() -> Iterator[None]:
    """The runs that are killed, and those that race, are forks: kills at a random moment meet the work of a run, and
    hardly ever its imports."""
    from headgate.testing import kills, races

    started = SimpleNamespace(Popen=Popen, PIPE=subprocess.PIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kills, "subprocess", started)
        patch.setattr(races, "subprocess", started)
        yield

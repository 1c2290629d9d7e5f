"""The runs that are killed, and those that race, are forks of a process that has loaded Headgate."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from tests.forks.client import Popen

from headgate.testing import kills, races


@pytest.fixture(scope="module", autouse=True)
def _forked() -> Iterator[None]:
    """So that kills at a random moment meet the work of a run, and hardly ever its imports."""
    started = SimpleNamespace(Popen=Popen, PIPE=subprocess.PIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kills, "subprocess", started)
        patch.setattr(races, "subprocess", started)
        yield

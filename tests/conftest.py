"""How hard the property tests look: HEADGATE_HYPOTHESIS = fast (default), ci or deep. And the fixtures of real servers.

fast and ci draw the same examples every time, so that a change is judged by itself; deep draws new ones, to search.
mutants looks as hard as ci, but does not shrink what it finds: tests/mutants.py only asks whether a test fails.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ["tests.services.plugin", "tests.forks.plugin"]

UNIT = Path(__file__).parent / "unit"

# A shell starts what it runs in the background with Ctrl-C ignored, and children would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of commands are run as processes of their own: each would compile the code anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_EXAMPLES = {"fast": 12, "ci": 16, "deep": 2000, "mutants": 40}
_PROFILE = os.environ.get("HEADGATE_HYPOTHESIS", "fast")

for _name, _examples in _EXAMPLES.items():
    # No deadline: meaning is measured here, and the machine may be busy. The blob reproduces a failure anywhere.
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        derandomize=_name != "deep",
        print_blob=True,
        phases=(Phase.explicit, Phase.generate) if _name == "mutants" else tuple(Phase),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

if _PROFILE not in _EXAMPLES:
    raise pytest.UsageError(f"HEADGATE_HYPOTHESIS={_PROFILE}: choose one of {', '.join(_EXAMPLES)}")
settings.load_profile(_PROFILE)


@pytest.fixture(scope="session", autouse=True)
def _no_pages() -> Iterator[None]:
    """Runs inside this process write no page: that is tested where it is asked for, and thousands of runs add up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headgate.api.leaving.WRITES_PAGES", False)
        yield


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """In unit tests DuckDB works with one thread: more of them cost a quarter of the time of so few rows. In all others
    it works as for a user; what threads might do to an answer is looked for there."""
    if UNIT not in request.path.parents:
        yield
        return
    import duckdb

    connect = duckdb.connect

    def alone(*words: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        made = connect(*words, **options)
        if "threads" not in options.get("config", {}):
            made.execute("SET threads = 1")
        return made

    with patch.object(duckdb, "connect", alone):
        yield


def pytest_report_header() -> str:
    return f"headgate: hypothesis profile {_PROFILE}, {_EXAMPLES[_PROFILE]} examples (HEADGATE_HYPOTHESIS)"

"""Where the data of others is found, and a project beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.real.kit import Lab

HERE = Path(__file__).parent
NAME = "HEADGATE_REAL_DATA"


def folder_of_data(value: str | None) -> Path:
    """The folder that the variable names. Without it the test is skipped; a name that leads nowhere is a failure."""
    if not value:
        pytest.skip(f"{NAME} is not set: name a folder with openflights/ and weather2013/ to test on real data")
    folder = Path(value).resolve()
    missing = [name for name in ("openflights", "weather2013") if not (folder / name).is_dir()]
    if missing:
        pytest.fail(f"{NAME}={value}: there is no folder {' and no folder '.join(missing)} in it", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    return folder_of_data(os.environ.get(NAME))


@pytest.fixture(scope="module")
def make(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Lab]:
    """A fresh copy of the project of this name, over the data in this folder."""
    return lambda project, data: Lab.make(HERE / project, real_data / data, tmp_path_factory.mktemp(project) / "lab")

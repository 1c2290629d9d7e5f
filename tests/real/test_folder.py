"""How the tests on real data find it: without the folder's name they are skipped, a wrong name is no skip."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.real.conftest import folder_of_data


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_tests_are_skipped_with_the_reason(value: str | None) -> None:
    with pytest.raises(pytest.skip.Exception, match="HEADGATE_REAL_DATA is not set"):
        folder_of_data(value)


def test_a_name_that_leads_nowhere_fails(tmp_path: Path) -> None:
    (tmp_path / "openflights").mkdir()
    with pytest.raises(pytest.fail.Exception, match="no folder weather2013 in it"):
        folder_of_data(str(tmp_path))
    (tmp_path / "weather2013").mkdir()
    assert folder_of_data(str(tmp_path)) == tmp_path.resolve()

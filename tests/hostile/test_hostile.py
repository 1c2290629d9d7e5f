"""Every hostile file meets its fate: what it holds is loaded, or set aside with a reason, or the load stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hostile import corpus
from tests.hostile.case import Case, judge


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
def test_it_meets_its_fate(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len({case.name for case in corpus.CASES}) == len(corpus.CASES) >= 120

"""Texts that need not be computed again: what was not asked for goes, each table by itself, and nothing ever raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.state.kept import FILE, Kept
from headgate.state.owner import FOLDER


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def test_what_was_put_is_found_and_what_nobody_asks_for_is_forgotten(root: Path) -> None:
    with Kept.open(root) as kept:
        kept.put("a", "1")
        kept.put("b", "2")
    with Kept.open(root) as kept:
        assert (kept.get("a"), kept.get("none")) == ("1", None)
    with Kept.open(root) as kept:
        assert (kept.get("a"), kept.get("b")) == ("1", None)


def test_texts_of_the_page_and_others_do_not_push_each_other_out(root: Path) -> None:
    with Kept.open(root) as kept, Kept.open(root, "page") as page:
        kept.put("a", "1")
        page.put("a", "2")
    with Kept.open(root, "page") as page:
        assert page.get("a") == "2"
    with Kept.open(root) as kept:
        assert kept.get("a") == "1"


def test_a_file_that_is_none_keeps_nothing_and_harms_nobody(root: Path) -> None:
    (root / FOLDER / FILE).write_bytes(b"no database" * 100)
    with Kept.open(root, "page") as kept:
        assert kept.get("a") is None
        kept.put("a", "1")
    assert (root / FOLDER / FILE).read_bytes() == b"no database" * 100

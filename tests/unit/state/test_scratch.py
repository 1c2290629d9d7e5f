from __future__ import annotations

from pathlib import Path

from headgate.state.scratch import Scratch


def test_it_is_made_on_first_use_and_goes_with_close(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    path = scratch.path
    assert path.parent == tmp_path / ".headgate/tmp"
    assert scratch.path == path
    (path / "x").write_text("x")
    scratch.close()
    assert not path.exists()
    scratch.close()
    assert scratch.path != path
    scratch.close()


def test_others_are_removed_only_once_nobody_holds_them(tmp_path: Path) -> None:
    left, living = tmp_path / ".headgate/tmp/left", Scratch(tmp_path)
    left.mkdir(parents=True)
    (left / "big").write_text("x")
    held = living.path
    assert not left.exists()
    other = Scratch(tmp_path)
    assert other.path != held
    assert held.is_dir()
    living.close()
    other.close()
    assert list((tmp_path / ".headgate/tmp").iterdir()) == []


def test_a_project_that_can_not_be_written_to_uses_the_systems_place(tmp_path: Path) -> None:
    (tmp_path / ".headgate").write_text("a file")
    scratch = Scratch(tmp_path)
    path = scratch.path
    assert path.is_dir()
    assert tmp_path not in path.parents
    scratch.close()
    assert not path.exists()

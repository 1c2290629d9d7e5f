from __future__ import annotations

import os
from pathlib import Path

import pytest

from headgate.adapters.files.listing import Listing
from headgate.core.errors import HeadgateError


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(patterns: str | list[str], root: Path) -> list[str]:
    return [file.name for file in Listing(patterns, root).files()]


def test_names_are_relative_to_the_fixed_prefix(tmp_path: Path) -> None:
    put(tmp_path, "data/x/b.csv", "data/x/a.csv", "data/y/a.csv", "data/y/deep/c.csv", "data/.hidden.csv")
    assert names("data/x/*.csv", tmp_path) == ["a.csv", "b.csv"]
    assert names("data/*/*.csv", tmp_path) == ["x/a.csv", "x/b.csv", "y/a.csv"]
    assert names("data/**/*.csv", tmp_path) == ["x/a.csv", "x/b.csv", "y/a.csv", "y/deep/c.csv"]
    assert names("data/x/a.csv", tmp_path) == ["a.csv"]
    assert names(str(tmp_path / "data/x/*.csv"), Path("/nowhere")) == ["a.csv", "b.csv"]


def test_moving_the_data_folder_keeps_the_names(tmp_path: Path) -> None:
    put(tmp_path, "one/data/a.csv", "two/elsewhere/a.csv")
    assert names("one/data/*.csv", tmp_path) == names("two/elsewhere/*.csv", tmp_path)


def test_a_file_named_by_two_patterns_comes_once(tmp_path: Path) -> None:
    put(tmp_path, "data/a.csv", "data/b.csv")
    assert names(["data/*.csv", "data/a.csv"], tmp_path) == ["a.csv", "b.csv"]


def test_a_literal_name_with_magic_characters(tmp_path: Path) -> None:
    put(tmp_path, "data/[1].csv", "data/1.csv")
    assert names("data/[1].csv", tmp_path) == ["[1].csv"]


@pytest.mark.parametrize(
    ("patterns", "code"),
    [
        ("../x/*.csv", "path-escapes"),
        ("data/../../x.csv", "path-escapes"),
        ("data", "not-a-file"),
        (["data/*.csv", "more/*.csv"], "same-name"),
    ],
)
def test_paths_that_cannot_be_used(tmp_path: Path, patterns: str | list[str], code: str) -> None:
    root = tmp_path / "root"
    put(root, "data/a.csv", "more/a.csv")
    with pytest.raises(HeadgateError) as caught:
        names(patterns, root)
    assert caught.value.finding.code == code
    assert all((caught.value.finding.where, caught.value.finding.fix))


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    listing = Listing("data/none.csv", tmp_path)
    assert listing.files() == []
    assert listing.none_found().code == "no-files"
    assert "none.csv" in listing.none_found().where


def test_a_dangling_link_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone")
    with pytest.raises(HeadgateError) as caught:
        names("*.csv", tmp_path)
    assert caught.value.finding.code == "unreadable-file"


def test_a_touched_file_is_unchanged_and_a_rewritten_one_is_not(tmp_path: Path) -> None:
    put(tmp_path, "a.csv")
    listing = Listing("*.csv", tmp_path)
    (file,) = listing.files()
    size, mtime = file.identity.size, file.identity.mtime_ns
    known = {"a.csv": {"size": size, "mtime_ns": mtime, "digest": listing.digest(file), "done": True}}
    os.utime(tmp_path / "a.csv", ns=(1, 1))
    assert [p.status for p in Listing("*.csv", tmp_path).judge(known)] == ["unchanged"]
    (tmp_path / "a.csv").write_text("A.csv")
    os.utime(tmp_path / "a.csv", ns=(2, 2))
    (partition,) = Listing("*.csv", tmp_path).judge(known)
    assert (partition.status, partition.reason) == ("changed", "its content differs")


def test_twins_are_not_looked_for_where_sizes_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.csv", "bb.csv")
    listing = Listing("*.csv", tmp_path)
    monkeypatch.setattr("headgate.adapters.files.listing.digest", lambda path: pytest.fail(f"read {path}"))
    assert [p.status for p in listing.judge({})] == ["new", "new"]

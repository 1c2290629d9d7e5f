"""Files become tables by folder and name; a glob names exactly the files of its table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.adapters.files.listing import Listing
from headgate.project.grouping import Group, expanded, groups, relative, split


def made(root: Path, *names: str, columns: dict[str, list[str]] | None = None) -> list[Group]:
    """The groups of these files, which have the columns named, or all the same."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id\n1\n")
    told = columns or {}
    return groups([root / name for name in names], root, lambda path: told.get(relative(path, root), ["id"]))


@pytest.mark.parametrize(
    ("names", "tables"),
    [
        (["data/customers.csv"], [("customers", "data/customers.csv")]),
        (["data/orders/2026-06-01.csv", "data/orders/2026-06-02.csv"], [("orders", "data/orders/*.csv")]),
        (["orders-2026-06-01.csv"], [("orders", "orders-*.csv")]),
        (
            ["data/a_1.csv", "data/a_2.csv", "data/b_1.csv", "data/b_2.csv"],
            [("a", "data/a_*.csv"), ("b", "data/b_*.csv")],
        ),
        (["data/dt=2026-01-01/p.csv", "data/dt=2026-01-02/p.csv"], [("p", "data/*/*.csv")]),
        (["data/sales/north.csv", "data/sales/south.csv"], [("sales", "data/sales/*.csv")]),
        (["data/north.csv", "data/south.csv"], [("north", "data/north.csv"), ("south", "data/south.csv")]),
        (["data/part-00000.csv", "data/part-00001.csv"], [("part", "data/*.csv")]),
        (["exports/events/part-1.parquet", "exports/events/part-2.parquet"], [("events", "exports/events/*.parquet")]),
        (["data/2019.csv"], [("data", "data/2019.csv")]),
        (["a/x.csv", "b/x.csv"], [("x", "a/x.csv"), ("x_2", "b/x.csv")]),
        (["data/x.csv", "data/x.parquet"], [("x", "data/x.csv"), ("x_2", "data/x.parquet")]),
        (["data/_hg_.csv"], [("hg", "data/_hg_.csv")]),
        (["data/we ird[1].csv"], [("we_ird", "data/we ird[1].csv")]),
    ],
)
def test_tables_of_files(tmp_path: Path, names: list[str], tables: list[tuple[str, str]]) -> None:
    assert [(one.name, one.pattern) for one in made(tmp_path, *names)] == tables


def test_files_with_other_columns_are_other_tables(tmp_path: Path) -> None:
    found = made(tmp_path, "data/a1.csv", "data/a2.csv", "data/a3.csv", columns={"data/a3.csv": ["id", "more"]})
    assert [(one.pattern, len(one.files)) for one in found] == [
        ("data/a1.csv", 1), ("data/a2.csv", 1), ("data/a3.csv", 1),
    ]  # fmt: skip


def test_a_glob_never_takes_a_file_that_was_not_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a_total.csv").write_text("x\n")
    assert [one.pattern for one in made(tmp_path, "data/a_1.csv", "data/a_2.csv")] == ["data/a_[0-9]*.csv"]


_NAMES = st.lists(
    st.sampled_from(
        ["a", "b", "a_1", "a_2", "a-2026-01-01", "a-2026-01-02", "1", "2", "[x]", "x*", "ü 3", "part-0", "q1"]
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


@given(st.lists(st.tuples(st.sampled_from(["", "data/", "data/s/", "y=1/", "y=2/"]), _NAMES), min_size=1, max_size=3))
def test_every_file_is_in_one_table_and_patterns_name_exactly_their_files(
    tmp_path_factory: pytest.TempPathFactory, folders: list[tuple[str, list[str]]]
) -> None:
    root = tmp_path_factory.mktemp("g")
    names = sorted({f"{folder}{name}.csv" for folder, some in folders for name in some})
    found = made(root, *names)
    assert sorted(relative(path, root) for one in found for path in one.files) == names
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert {file.path for file in Listing(one.pattern, root).files()} == set(one.files)


def test_folders_globs_and_files_are_expanded(tmp_path: Path) -> None:
    for name in ("data/a.csv", "data/sub/b.parquet", "data/.hidden.csv", "data/notes.md", "data/_tmp.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files, lost = expanded(["data", "data/*.csv", "gone.csv", "data/notes.md"], tmp_path)
    assert [relative(path, tmp_path) for path in files] == [
        "data/a.csv", "data/sub/b.parquet", "data/_tmp.csv", "data/notes.md",
    ]  # fmt: skip
    assert lost == ["gone.csv"]


def test_suffixes() -> None:
    assert [split(name) for name in ("a.b.csv.gz", "a.csv", "a", ".csv")] == [
        ("a.b", ".csv.gz"), ("a", ".csv"), ("a", ""), (".csv", ""),
    ]  # fmt: skip

"""The user's file: where it is, what it may import, what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from python_kit import Bench

from headgate.adapters.python import arrow
from headgate.adapters.python.code import Code
from headgate.adapters.python.source import PythonSource
from headgate.core.errors import HeadgateError
from headgate.testing.source_suite import DuckSession


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def finding(bench: Bench, **options: Any) -> Any:
    found = bench.source(**options).check(bench.session, ["a"])
    assert len(found) == 1
    assert found[0].fix
    assert "secret" not in found[0].render()
    return found[0]


def test_check_runs_the_file_and_does_not_call_the_function(bench: Bench) -> None:
    bench.code("def rows(): raise ValueError\ndef days(): return ['one']")
    assert bench.source().check(bench.session, ["a"]) == []
    assert bench.source(partitions="sources/x.py:days").check(bench.session, []) == []


@pytest.mark.parametrize(
    ("code", "found", "where"),
    [
        ("def row(): ...", "unknown-function", "sources/x.py"),
        ("rows = 5", "bad-function", "sources/x.py"),
        ("async def rows(): ...", "bad-function", "sources/x.py:1"),
        ("def rows(positon): ...", "bad-function", "sources/x.py:1"),
        ("def rows(position, /): ...", "bad-function", "sources/x.py:1"),
        ("x = 1\nimport nowhere_to_be_found", "python-file", "sources/x.py:2"),
        ("x = 1\nint('secret')", "python-file", "sources/x.py:2"),
        ("raise SystemExit('secret')", "python-file", "sources/x.py:1"),
        ("def rows(:", "python-file", "sources/x.py:1:10"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_line(bench: Bench, code: str, found: str, where: str) -> None:
    bench.code(code)
    told = finding(bench)
    assert (told.code, told.where) == (found, where)


def test_near_names_are_told(bench: Bench) -> None:
    bench.code("def row(): ...")
    assert "did you mean 'row'" in finding(bench).what
    bench.code("def rows(positon): ...")
    assert "did you mean 'position'" in finding(bench).what


def test_a_file_that_is_not_there_or_outside(bench: Bench, tmp_path: Path) -> None:
    bench.code("")
    assert finding(bench, function="sources/y.py:rows").code == "python-file"
    outside = tmp_path.parent / f"{tmp_path.name}_outside.py"
    outside.write_text("def rows(): ...")
    (tmp_path / "sources" / "link.py").symlink_to(outside)
    assert finding(bench, function="sources/link.py:rows").code == "path-escapes"
    with pytest.raises(HeadgateError) as caught:
        bench.source(function="sources/x.py")
    assert caught.value.finding.code == "bad-value"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return []", "no-partitions"),
        ("return 5", "bad-partitions"),
        ("return [1]", "bad-partitions"),
        ("return ['']", "bad-partitions"),
        ("return {'a': {1}}", "bad-partitions"),
        ("raise KeyError('secret')", "source-raised"),
    ],
)
def test_what_is_wrong_with_a_listing_is_told(bench: Bench, body: str, code: str) -> None:
    bench.code(f"def rows(): ...\ndef days():\n    {body}")
    assert finding(bench, partitions="sources/x.py:days").code == code


def test_partitions_are_judged_by_their_identity(bench: Bench) -> None:
    bench.code("def rows(): ...\ndef days():\n    return {'b': [1, 2], 'a': 'x', 'c': None, 'd': 1}")
    source = bench.source(partitions="sources/x.py:days")
    known = {
        "a": {"identity": "y", "done": True},
        "b": {"identity": [1, 2], "done": True},
        "c": {"identity": None, "done": False},
    }
    found = [(one.name, one.status) for one in source.partitions(known)]
    assert found == [("a", "changed"), ("b", "unchanged"), ("c", "partial"), ("d", "new")]


def test_a_function_without_a_listing_is_asked_for_more(bench: Bench) -> None:
    bench.code("def rows(): ...")
    statuses = [bench.source().partitions(known)[0].status for known in ({}, {"all": {"done": True}})]
    assert statuses == ["new", "open"]
    assert bench.source().partitions({"all": {"done": False}})[0].status == "partial"


def test_parameters_are_given_by_name(bench: Bench) -> None:
    for head in ("partition", "*, partition='x', other=1", "position, partition", "**given"):
        given = "given['partition']" if head == "**given" else "partition"
        bench.code(f"def rows({head}): return [{{'p': {given}}}]")
        (one,) = bench.read()
        assert one.rows == {1: ("all",)}


def test_modules_beside_the_file_are_its_own(tmp_path: Path) -> None:
    session, found = DuckSession(), []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shared_words.py").write_text(f"WORD = {name!r}")
        (tmp_path / name / "x.py").write_text(
            "import shared_words\ndef rows():\n    import shared_words as again\n"
            "    assert again is shared_words\n    yield {'w': again.WORD}"
        )
    before = list(sys.path)
    for name in ("one", "two", "one"):
        source = PythonSource({"function": f"{name}/x.py:rows"}, tmp_path, tmp_path)
        reader = source.open(session, source.partitions({})[0], None)
        batch = reader.read(10, 10**6)
        assert batch is not None
        found += [row[1] for row in session.execute(batch.relation)]
        reader.close()
    assert found == ["one", "two", "one"]
    assert sys.path == before
    assert "shared_words" not in sys.modules


def test_a_file_is_run_anew_and_leaves_nothing_beside_it(bench: Bench) -> None:
    for number in (1, 2):
        bench.code(f"from dataclasses import dataclass, asdict\n@dataclass\nclass R:\n    n: int\n"
                   f"def rows(): return [asdict(R({number}))]")  # fmt: skip
        (one,) = bench.read()
        assert one.rows == {1: (str(number),)}
    assert [path.name for path in (bench.root / "sources").iterdir()] == ["x.py"]


def test_what_it_prints_goes_to_standard_error(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.code("print('at import')\ndef rows():\n    print('while reading')\n    yield {'n': 1}")
    bench.read()
    out, err = capsys.readouterr()
    assert (out, err.split("\n")[:2]) == ("", ["at import", "while reading"])


def test_without_pyarrow_the_extra_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.code("def rows(): ...")
    arrow.pyarrow.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = finding(bench)
    assert (told.code, told.fix) == ("missing-extra", "pip install 'headgate[arrow]'")


def test_what_is_installed_inside_of_a_project_stays_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "venv" / "lib" / "site-packages"
    for name in (installed / "hg_installed.py", tmp_path / "hg_owned" / "part.py"):
        name.parent.mkdir(parents=True)
        name.touch()
    monkeypatch.syspath_prepend(str(installed))
    (tmp_path / "x.py").write_text("import hg_installed, hg_owned.part\nhere = hg_owned.part.__file__\n")
    code = Code(tmp_path, "x.py", (tmp_path,))
    before = list(sys.path)
    assert code.named("here", "text") == str(tmp_path / "hg_owned" / "part.py")
    loaded = [name for name in ("hg_installed", "hg_owned", "hg_owned.part") if sys.modules.pop(name, None)]
    assert (loaded, sys.path) == (["hg_installed"], before)
    assert not list((tmp_path / "hg_owned").glob("__pycache__"))
    with code.running():
        assert {"hg_owned", "hg_owned.part"} <= sys.modules.keys()
    assert "hg_owned" not in sys.modules

"""The inventory: a folder of packages with every fault of daily life, and the environment in use, against the truth."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from tests.unit.examples.inventory_truth import Truth, truth

from headgate.api import Project

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "inventory"
LEFT_OUT = shutil.ignore_patterns("data", ".headgate", "__pycache__", "warehouse.*")
HASH = "sha256=" + "A" * 43
ENTRIES = """select id, table_name, "partition" from _headgate.entry where kind = 'load'"""
TROVE = ("OSI Approved :: BSD License", "OSI Approved")
BROKEN = [
    f"good.py,{HASH},1",
    f'"open,{HASH},1',
    f"less.py,{HASH},-4",
    f"more.py,{HASH},1.5",
    f"two.py,{HASH}",
    f",{HASH},3",
    "md5.py,md5=abc,7",
    "",
]
LOADS = ("raw.files", "raw.installed", "raw.packages", "raw.requirements")


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"inventory_{path.stem}", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


RUN = _module(EXAMPLE / "run.py")


def package(site: Path, folder: str, metadata: bytes | str | None, record: bytes | str | None) -> Path:
    """A .dist-info folder as an installer, or life, leaves it."""
    home = site / folder
    home.mkdir(parents=True)
    for name, text in (("METADATA", metadata), ("RECORD", record)):
        if text is not None:
            (home / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return home


def said(name: str, version: str, *more: str) -> str:
    return "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more, "", "What it is."])


def lines(*paths: str, size: int = 10) -> str:
    return "".join(f"{path},{HASH},{size}\r\n" for path in paths)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Thirteen packages; each but the first has something of its own that is wrong or odd."""
    site = tmp_path / "site-packages"
    alpha = lines(
        "alpha/__init__.py", '"alpha/with, comma.py"', '"alpha/say ""hi"".py"', "alpha/größe.py", "shared/__init__.py"
    )
    alpha += "alpha/__pycache__/x.pyc,,\nalpha-1.5.dist-info/RECORD,,\n"
    package(site, "alpha-1.5.dist-info", said("Alpha", "1.5", "License: MIT", "Summary: one"), alpha)
    needs = [
        "alpha>=1.0",
        "ALPHA (<2,!=1.4)",
        "alpha~=1.4 ; python_version >= '3'",
        "alpha[fast]>=9",
        "missing_one>=1 ; (os_name == 'posix' or os_name != 'posix') and python_version >= \"3.8\"",
        "not.there ; sys_platform == 'none'",
        "optional>=1 ; extra == 'more' and python_version > '3'",
        "old-egg>=0.1",
        "date.util==2.9.*",
        "date-util>=2.9",
        "date-util>=2.8.2",
        "date-util @ https://example.org/date-util.zip ; python_version > '3'",
        "no requirement at all!",
    ]
    beta = said("Beta.Tool", "2.0", "License-Expression: Apache-2.0", *(f"Requires-Dist: {need}" for need in needs))
    package(
        site, "beta_tool-2.0.dist-info", beta, lines("beta/__init__.py", "shared/__init__.py", "beta/a.py", "beta/a.py")
    )
    package(
        site,
        "broken-1.dist-info",
        said("broken", "1", "License: UNKNOWN", *(f"Classifier: License :: {one}" for one in TROVE)),
        "\n".join([*BROKEN, f"last.py,{HASH},2"]),
    )
    package(site, "norecord-3.dist-info", said("norecord", "3", "License: " + "All of it. " * 30), None)
    package(site, "nometadata-1.dist-info", None, lines("nometadata.py"))
    package(
        site, "noversion.dist-info", "Metadata-Version: 2.1\nName: noversion\nRequires-Dist: alpha\n\n", lines("nv.py")
    )
    package(site, "latin-1.dist-info", said("latin", "1", "Summary: größe").encode("latin-1"), lines("latin.py"))
    package(site, "empty-1.dist-info", said("empty", "1"), "")
    package(site, "Date_Util-2.9.0.post0.dist-info", said("Date-Util", "2.9.0.post0"), lines("date.py"))
    package(site, "again-1.dist-info", said("again", "1"), lines("again.py"))
    package(site, "Again-2.dist-info", said("Again", "2"), lines("again2.py"))
    egg = site / "old_egg-0.1.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text(said("old-egg", "0.1", "License: MIT"), encoding="utf-8")
    (egg / "requires.txt").write_text("alpha>=1\n\n[test]\nmissing-two\n", encoding="utf-8")
    (site / "older-0.2.egg-info").write_text(said("older", "0.2", "License: MIT"), encoding="utf-8")
    return site


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "inventory", ignore=LEFT_OUT))


def run(home: Path, sites: Iterable[Path]) -> dict[str, Any]:
    RUN.link(home, list(sites))
    with Project.open(home) as project:
        result = project.run().to_json()
    assert result["status"] == "ok", result["findings"]
    assert result["balanced"]
    return result


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with Project.open(home) as project:
        answer = project.query(f"select cast(to_json(list(found)) as varchar) from ({query}) as found").to_json()
    return [tuple(row.values()) for row in json.loads(answer["rows"][0][0] or "[]")]


def read(result: dict[str, Any]) -> dict[str, int]:
    return {step["id"]: step["rows_read"] for step in result["steps"] if step["id"] in LOADS}


def compare(home: Path, expected: Truth) -> None:
    """Everything that the models say, but the requirements, against the truth."""
    packages = rows(home, "select package, name, version, license from silver.stg_packages")
    assert {package: tuple(known) for package, *known in packages} == {
        package: (known["name"], known["version"], known["license"]) for package, known in expected.packages.items()
    }
    files = rows(home, "select package, path, hash, size from silver.stg_files")
    assert sorted(files, key=str) == sorted(expected.files, key=str)
    sizes = rows(home, "select package, files, bytes from gold.package_sizes")
    assert {package: (count, size) for package, count, size in sizes} == expected.sizes
    contested = rows(home, "select site, path, packages, claims from gold.contested_files")
    assert {(str(number), path): names for number, path, names, _ in contested} == expected.contested
    said = rows(home, "select coalesce(license, 'none said'), count(*) from silver.stg_packages group by all")
    assert dict(said) == expected.licenses
    assert rows(home, "select sum(packages), sum(bytes) from gold.licenses") == [
        (len(expected.packages), sum(size for _, size in expected.sizes.values()))
    ]
    asked = rows(home, "select package, requires from silver.stg_requirements")
    assert sorted(asked) == sorted(one for one in expected.requirements if not one[1].startswith("no requirement"))


def compare_needs(home: Path, expected: Truth) -> list[tuple[str, bool, str | None, bool | None]]:
    """Each requirement against `packaging`. Returns those that the models leave open."""
    unjudged = []
    for requires, needs, applies, package, is_met in rows(
        home, "select requires, needs, applies, needs_package, is_met from gold.who_needs_whom"
    ):
        name, applied, found, met = expected.verdict(requires)
        assert (needs, package) == (name, found), requires
        assert applies in (applied, None), requires
        assert is_met in (met, None), requires
        if applies is None or is_met is None:
            unjudged.append((requires, applied, found, met))
    unmet = rows(home, "select package, requires from gold.unmet_requirements")
    left = {one[0] for one in unjudged}
    asked = [one for one in expected.requirements if not one[1].startswith("no requirement") and one[1] not in left]
    assert sorted(unmet) == sorted(one for one in asked if expected.verdict(one[1])[1::2] == (True, False))
    return unjudged


def test_a_dirty_folder_comes_out_as_the_truth(site: Path, home: Path) -> None:
    result = run(home, [site])
    expected = truth([site])
    compare(home, expected)
    assert {one[0] for one in compare_needs(home, expected)} == {
        "date-util>=2.9",
        "date-util @ https://example.org/date-util.zip ; python_version > '3'",
    }
    unmet = rows(home, "select requires, reason from gold.unmet_requirements order by requires")
    assert [(text.partition(" ;")[0], reason) for text, reason in unmet] == [
        ("alpha[fast]>=9", "another version"),
        ("missing_one>=1", "not installed"),
    ]
    found = {step["id"]: [one["evidence"] for one in step["warnings"]] for step in result["steps"]}
    assert found["raw.files"] == [{"rule": "hash.required", "rows": 2}, {"rule": "hash.pattern", "rows": 1}]
    assert {one["rule"] for one in found["raw.packages"]} == {"license.required", "license.length", "summary.required"}


@pytest.mark.slow
def test_every_line_of_a_record_is_loaded_or_has_its_reason(site: Path, home: Path) -> None:
    run(home, [site])
    reasons = rows(
        home, """select "partition", raw, reasons from _headgate.quarantine where table_name = 'raw.files'"""
    )
    shown = {raw or "": [(one["rule"], one.get("column")) for one in json.loads(text)] for _, raw, text in reasons}
    assert len(reasons) == 6
    assert sorted(found for made in shown.values() for found in made) == sorted(
        [
            ("key", "record, path"),
            ("record", None),
            ("min", "size"),
            ("type", "size"),
            ("record", None),
            ("required", "path"),
        ]
    )
    written = sum(len(re.findall(rb"[^\r\n]+", path.read_bytes())) for path in site.glob("*/RECORD"))
    assert rows(home, "select count(*) from raw.files") == [(written - 6,)]
    told = rows(home, """select "partition", reasons from _headgate.quarantine where table_name = 'raw.packages'""")
    assert {name: json.loads(text)[0]["rule"] for name, text in told} == {
        "1/nometadata-1.dist-info": "record",
        "1/noversion.dist-info": "required",
        "1/latin-1.dist-info": "record",
    }
    ((_, text),) = rows(
        home,
        """select "partition", reasons from _headgate.quarantine where table_name = 'raw.requirements'
           and reasons not like '%references%'""",
    )
    assert [(one["rule"], one["column"]) for one in json.loads(text)] == [("required", "name")]


@pytest.mark.slow
def test_a_second_run_reads_nothing(site: Path, home: Path) -> None:
    run(home, [site])
    again = run(home, [site])
    assert {step["status"] for step in again["steps"]} == {"skipped"}


def wheel(path: Path, name: str, version: str, *requires: str) -> Path:
    """A wheel of one module, with the RECORD that it must have."""
    info = f"{name}-{version}.dist-info"
    said_ = said(name, version, "License: MIT", "Summary: tiny", *(f"Requires-Dist: {one}" for one in requires))
    record = lines(f"{name}.py") + lines(f"{info}/METADATA", size=len(said_)) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "x = 1\n")
        archive.writestr(f"{info}/METADATA", said_)
        archive.writestr(f"{info}/RECORD", record)
    return path


def partitions_read(home: Path, before: set[tuple[str, ...]]) -> set[tuple[str, str]]:
    return {entry[1:] for entry in entries(home) - before}


def entries(home: Path) -> set[tuple[str, ...]]:
    return set(rows(home, ENTRIES))


def install(made: Path, site: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        archive.extractall(site)


@pytest.mark.slow
def test_only_what_was_installed_is_read(site: Path, home: Path, tmp_path: Path) -> None:
    run(home, [site])
    before = entries(home)
    install(wheel(tmp_path / "missing_one-1.0-py3-none-any.whl", "missing_one", "1.0", "alpha>=1"), site)
    expected = truth([site])
    again = run(home, [site])
    assert read(again) == {
        "raw.files": 3,
        "raw.installed": len(expected.packages) + len(expected.unreadable),
        "raw.packages": 1,
        "raw.requirements": 1,
    }
    assert partitions_read(home, before) == {
        ("raw.files", "1/missing_one-1.0.dist-info/RECORD"),
        ("raw.installed", "all"),
        ("raw.packages", "1/missing_one-1.0.dist-info"),
        ("raw.requirements", "1/missing_one-1.0.dist-info"),
    }
    compare(home, expected)
    compare_needs(home, expected)
    assert rows(home, "select requires from gold.unmet_requirements") == [("alpha[fast]>=9",)]


@pytest.mark.slow
def test_a_package_that_is_installed_anew_is_read_anew(site: Path, home: Path) -> None:
    run(home, [site])
    before = entries(home)
    info = site / "alpha-1.5.dist-info"
    (info / "METADATA").write_text(said("Alpha", "1.5", "License: ISC", "Requires-Dist: gone"), encoding="utf-8")
    (info / "RECORD").write_text(lines("alpha/__init__.py", size=77), encoding="utf-8")
    again = run(home, [site])
    assert read(again) == {"raw.files": 1, "raw.installed": 0, "raw.packages": 1, "raw.requirements": 1}
    assert {partition.split("/")[1] for _, partition in partitions_read(home, before)} == {info.name}
    compare(home, truth([site]))
    assert rows(home, "select bytes from gold.package_sizes where name = 'Alpha'") == [(77,)]


@pytest.mark.slow
def test_a_package_that_was_removed_leaves_the_models(site: Path, home: Path) -> None:
    run(home, [site])
    shutil.rmtree(site / "alpha-1.5.dist-info")
    (site / "beta_tool-2.0.dist-info" / "RECORD").unlink()
    again = run(home, [site])
    expected = truth([site])
    assert read(again) == {"raw.files": 0, "raw.installed": len(expected.packages) + len(expected.unreadable),
                           "raw.packages": 0, "raw.requirements": 0}  # fmt: skip
    compare(home, expected)
    compare_needs(home, expected)
    assert rows(home, "select count(*) from raw.packages where name = 'Alpha'") == [(1,)]


@pytest.mark.slow
def test_of_two_sites_the_first_is_found(site: Path, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    package(other, "alpha-9.dist-info", said("alpha", "9"), lines("alpha/__init__.py", "shared/__init__.py"))
    for sites in ([site, other], [other, site], [other]):
        run(home, sites)
        expected = truth(sites)
        compare(home, expected)
        compare_needs(home, expected)
    assert rows(home, "select package from gold.package_sizes") == [("1/alpha-9.dist-info",)]


def test_without_any_record_the_rest_is_there_and_says_what_is_missing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package(tmp_path / "bare", "alpha-1.dist-info", said("alpha", "1", "Requires-Dist: beta"), None)
    assert RUN.main(["--site", str(tmp_path / "bare")], home) == 1
    assert "raw.files has not been loaded or built yet" in capsys.readouterr().out
    assert rows(home, "select requires from gold.unmet_requirements") == [("beta",)]


def test_a_folder_without_packages_is_a_usage_error(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(SystemExit) as left:
        RUN.main(["--site", str(tmp_path / "bare")], home)
    assert left.value.code == 2
    assert "no package is installed" in capsys.readouterr().err


MARKERS = [
    "python_version >= '3.8'",
    "python_version<'3.8'",
    "'3.8' <= python_version",
    "python_version == '3.*'",
    "python_version != '2.*' and python_version >= '3.10.0'",
    "python_full_version >= '3.11.0b1'",
    "python_full_version < '4' and implementation_name == 'cpython'",
    "python_version in '2.6 2.7 3.2'",
    "python_version not in '2.6, 2.7'",
    "python_version ~= '3.8'",
    "sys_platform == 'win32' or sys_platform != 'win32'",
    "sys_platform not  in 'win32,cygwin'",
    "'linux' in sys_platform or platform_system == 'Darwin'",
    "platform_python_implementation != 'PyPy'",
    "platform_release >= '2'",
    "extra == 'dev'",
    "extra == 'dev' or (os_name == 'posix' and extra != 'docs')",
    "(python_version > '3' and (sys_platform == 'none' or os_name != 'none'))",
    "os_name == os_name",
    "sys_platform == 'none' and platform_release >= '20'",
    "os_name == 'posix' or os_name == 'nt' or platform_release ~= '20.1'",
]


def test_markers_hold_as_packaging_says_or_are_left_open() -> None:
    from packaging.markers import InvalidMarker, Marker

    requirement = _module(EXAMPLE / "sources" / "requirement.py")
    here = requirement.environment()
    left = []
    for marker in MARKERS:
        verdict = requirement.applies(marker, here)
        try:
            right = Marker(marker).evaluate({"extra": ""})
        except InvalidMarker:
            right = None
        assert verdict in (right, None), marker
        left += [marker] if verdict is None else []
    assert set(left) <= {
        "python_full_version >= '3.11.0b1'",
        "python_version ~= '3.8'",
        "platform_release >= '2'",
        "os_name == os_name",
    }


@pytest.mark.parametrize(
    "text", ["python_version", "and", "(os_name == 'nt'", "os_name == 'nt' os_name", "x == '1'", "os_name = 'nt'"]
)
def test_what_is_no_marker_is_left_open(text: str) -> None:
    requirement = _module(EXAMPLE / "sources" / "requirement.py")
    assert requirement.applies(text, requirement.environment()) is None


VERSIONS = re.findall(r"\S+", "1 1.0 1.0.1 1.1 1.2.3 2.0.0 2.0rc1 2.0.post1 2.0+cpu 1!1.0 20240101 1.10 0.0 nightly")
SPECIFIERS = re.findall(
    r"\S+",
    """>=1 <2 <=1.0 ==1 ==1.0.0 ==1.* !=1.0.* ~=1.0 ~=1.0.1 !=1.1 >1.0 ===1.0 ==2.0.0 >=2.0rc1 <2.0rc1 ==2.0+cpu >=1!1
    >=1.9 ==0 <20240102 ==1.0.1.* >2 <=2.0.post1 >=0.5,<1.5,!=1.1""",
)


@pytest.mark.slow
def test_versions_meet_specifiers_as_packaging_says_or_are_left_open(home: Path, tmp_path: Path) -> None:
    site = tmp_path / "versions"
    for number, version in enumerate(VERSIONS):
        package(site, f"v{number}.dist-info", said(f"v{number}", version), "")
    needs = [f"v{number}{specifier}" for number in range(len(VERSIONS)) for specifier in SPECIFIERS]
    package(site, "all.dist-info", said("all", "1", *(f"Requires-Dist: {need}" for need in needs)), "")
    run(home, [site])
    expected = truth([site])
    unjudged = compare_needs(home, expected)
    plain = {f"v{number}" for number, version in enumerate(VERSIONS) if re.fullmatch("[0-9.]+", version)}
    odd = re.compile("rc|post|[+]|!")
    surprising = [text for text, *_ in unjudged if re.match("v[0-9]+", text)[0] in plain and not odd.search(text)]  # type: ignore[index]
    assert surprising == []
    assert len(rows(home, "select 1 as one from gold.who_needs_whom")) == len(needs)
    assert len(unjudged) < len(needs) // 3


@pytest.mark.slow
def test_the_environment_in_use_comes_out_as_the_truth(home: Path) -> None:
    def started(*arguments: str) -> subprocess.CompletedProcess[str]:
        command: Sequence[str] = [sys.executable, str(home / "run.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    made = started()
    assert made.returncode == 0, made.stdout + made.stderr
    sites = [link.resolve() for link in sorted((home / "data" / "site").iterdir(), key=lambda link: int(link.name))]
    expected = truth(sites)
    assert {"pytest", "packaging"} <= {canonicalize_name(one["name"]) for one in expected.packages.values()}
    compare(home, expected)
    compare_needs(home, expected)
    records = [record.read_bytes() for site in sites for record in site.glob("*.dist-info/RECORD")]
    loaded = rows(
        home, "select sum(rows_loaded), sum(rows_quarantined) from _headgate.entry where table_name = 'raw.files'"
    )
    assert sum(loaded[0]) == sum(len(re.findall(rb"[^\r\n]+", record)) for record in records)
    assert f"{len(expected.packages)} packages; the biggest:" in made.stdout
    assert f"{len(expected.contested)} files are claimed by more than one package" in made.stdout
    shown = (home / "README.md").read_text(encoding="utf-8").partition("```text\n")[2]
    assert re.findall(r"^[\w.]+ +ok", shown, re.M) == re.findall(r"^[\w.]+ +ok", made.stdout, re.M)
    again = started()
    assert again.returncode == 0, again.stdout + again.stderr
    steps = [line.split() for line in again.stdout.split("\n\n")[0].splitlines()[1:]]
    assert {step[1] for step in steps} == {"skipped"}
    facts = f"{len(expected.packages)} packages"
    assert again.stdout.partition(facts)[2] == made.stdout.partition(facts)[2]


def test_a_folder_that_is_not_there_is_a_usage_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        RUN.main(["--site", str(home / "nowhere")], home)
    assert left.value.code == 2
    assert "no such folder" in capsys.readouterr().err

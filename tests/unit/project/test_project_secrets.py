"""Secrets: found where they are looked for, shown nowhere."""

from __future__ import annotations

import json
import pickle
import traceback
from pathlib import Path

import pytest

from headgate.core.errors import Location, ProjectError
from headgate.project.read import read_project
from headgate.project.secrets import Secret, resolve

WHERE = Location("headgate.yml", 2, 12)
VALUE = "s3cr3t-9f2"


def test_the_environment_comes_first_then_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".headgate").mkdir()
    (tmp_path / ".headgate/secrets.yml").write_text("HG_T_A: hidden\nHG_T_B: NO\n")
    assert revealed("x-${secret:HG_T_B}", tmp_path) == "x-NO"
    (tmp_path / "secrets.yml").write_text("HG_T_A: beside\n")
    assert revealed("${secret:HG_T_A}/${ secret:HG_T_B }", tmp_path) == "beside/NO"
    monkeypatch.setenv("HG_T_A", "environment")
    assert revealed("${secret:HG_T_A}", tmp_path) == "environment"


def revealed(text: str, root: Path) -> str:
    found = resolve(text, root, WHERE)
    assert isinstance(found, Secret)
    return found.reveal()


def test_text_without_secrets_stays_text(tmp_path: Path) -> None:
    assert resolve("duckdb:a$b.duckdb", tmp_path, WHERE) == "duckdb:a$b.duckdb"


def test_a_missing_secret_names_the_places(tmp_path: Path) -> None:
    (tmp_path / "secrets.yml").write_text(f"WAREHOUSE: {VALUE}\n")
    with pytest.raises(ProjectError) as caught:
        resolve("${secret:WAREHOUS}", tmp_path, WHERE)
    assert caught.value.finding.render() == (
        "error[secret-missing]: secret 'WAREHOUS' is not set (did you mean 'WAREHOUSE'?); "
        "looked for in the environment, secrets.yml and .headgate/secrets.yml\n"
        "  where: headgate.yml:2:12\n"
        "  fix:   set the environment variable WAREHOUS, or add it to secrets.yml"
    )


@pytest.mark.parametrize("text", ["${secret:}", "${SECRET:A}", "${env:A}", "${secret:A", "${secret:A-B}"])
def test_what_looks_like_a_secret_must_be_one(text: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="names no secret"):
        resolve(text, tmp_path, WHERE)


def test_no_way_of_showing_shows_the_value() -> None:
    secret = Secret(VALUE, ("A",))
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr([secret]),
        repr({"a": secret}),
    ]
    assert [text for text in shown if VALUE in text] == []
    assert repr(secret) == "Secret(A)"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret == Secret(VALUE, ("B",))
    assert secret != VALUE


@pytest.mark.parametrize(
    "file",
    [
        "A: [s3cr3t-9f2]",
        "A: 's3cr3t-9f2",
        "s3cr3t-9f2",
        "- s3cr3t-9f2",
        "A: s3cr3t-9f2\nA: s3cr3t-9f2",
        "A: !s3cr3t-9f2 x",
        "A: *s3cr3t-9f2",
        "A: x: s3cr3t-9f2",
    ],
)
def test_a_broken_secrets_file_shows_no_value(file: str, tmp_path: Path) -> None:
    (tmp_path / "secrets.yml").write_text(file)
    with pytest.raises(ProjectError) as caught:
        resolve("${secret:A}", tmp_path, WHERE)
    assert caught.value.finding.where.startswith("secrets.yml")
    assert VALUE not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "value", [f"mysql://u:{VALUE}@h/db", f"postgres://u:{VALUE}@h:port/db", f"duckdb::{VALUE}", f"duckdb:{VALUE}/"]
)
def test_a_warehouse_that_does_not_fit_shows_no_value(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HG_T_WAREHOUSE", value)
    (tmp_path / "headgate.yml").write_text("project: p\nwarehouse: ${secret:HG_T_WAREHOUSE}\n")
    with pytest.raises(ProjectError) as caught:
        read_project(tmp_path)
    finding = caught.value.finding
    assert VALUE not in json.dumps(finding.to_json()) + "".join(traceback.format_exception(caught.value))
    assert "from secret HG_T_WAREHOUSE" in finding.what
    assert finding.where == "headgate.yml:2:12"

"""How steps are run, as files say it: tags, optional, timeout, retries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.unit.project_kit import Folder

from headgate.core.errors import ProjectError
from headgate.project.editor import schema
from headgate.project.model import Retries, StepSettings
from headgate.project.read import read_project

INGEST = "table: raw.a\nfrom: data/*.csv\n"


def read(tmp_path: Path, said: str) -> StepSettings:
    folder = Folder.make(tmp_path, {"ingest/a.yml": INGEST + said})
    Draft202012Validator(schema("ingest")).validate(yaml.safe_load(INGEST + said))
    [ingest] = read_project(folder.root).ingests
    return ingest.settings


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", {}),
        ("tags: daily\n", {"tags": ("daily",)}),
        ("tags: [daily, crm, daily]\n", {"tags": ("daily", "crm")}),
        ("optional: true\n", {"optional": True}),
        ("timeout: 10m\n", {"timeout": 600.0}),
        ("timeout: 1h30m\n", {"timeout": 5400.0}),
        ("timeout: 250ms\n", {"timeout": 0.25}),
        ("retries: 3\n", {"retries": Retries(3, 1.0, 2.0, 60.0, 0.0)}),
        ("retries: {attempts: 1}\n", {"retries": Retries(1)}),
        ("retries: {attempts: 3, wait: 5m}\n", {"retries": Retries(3, 300.0, 2.0, 300.0)}),
        (
            "retries: {attempts: 5, wait: 2s, backoff: 1.5, max: 5m, jitter: 20%}\n",
            {"retries": Retries(5, 2.0, 1.5, 300.0, 0.2)},
        ),
    ],
)
def test_what_an_ingest_file_says(tmp_path: Path, said: str, expected: Mapping[str, Any]) -> None:
    assert read(tmp_path, said) == StepSettings(**expected)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("tags: [a b]\n", "'a b' can't be a tag"),
        ("tags: 'a,b'\n", "'a,b' can't be a tag"),
        ("tags: {a: b}\n", "tags must be one value"),
        ("optional: maybe\n", "optional is true or false"),
        ("timeout: 10\n", "timeout is a length of time, not '10'"),
        ("timeout: 0s\n", "timeout is a length of time, not '0s'"),
        ("timeout: -1s\n", "timeout is a length of time"),
        ("retries: 0\n", "attempts is a number from 1 to 100, not '0'"),
        ("retries: many\n", "attempts is a number from 1 to 100, not 'many'"),
        ("retries: 101\n", "attempts is a number from 1 to 100"),
        ("retries: [3]\n", "retries must be a mapping"),
        ("retries: {wait: 1s}\n", "does not say how many attempts"),
        ("retries: {attempts: 3, pause: 1s}\n", "unknown key 'pause'"),
        ("retries: {attempts: 3, wait: 1}\n", "wait is a length of time, not '1'"),
        ("retries: {attempts: 3, backoff: 0.5}\n", "backoff is a number from 1"),
        ("retries: {attempts: 3, max: soon}\n", "max is a length of time, not 'soon'"),
        ("retries: {attempts: 3, wait: 5m, max: 1m}\n", "max is shorter than the first wait"),
        ("retries: {attempts: 3, jitter: 120%}\n", "jitter is a share from 0% to 100%"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, said: str, what: str) -> None:
    folder = Folder.make(tmp_path, {"ingest/a.yml": INGEST + said})
    with pytest.raises(ProjectError) as caught:
        read_project(folder.root)
    [found] = caught.value.findings
    assert (what in found.what, found.where.startswith("ingest/a.yml:3:"), bool(found.fix)) == (True, True, True), found


def test_the_project_speaks_for_steps_that_do_not(tmp_path: Path) -> None:
    main = "project: p\nthreads: 3\ntimeout: 1h\nretries: {attempts: 2, wait: 5s}\n"
    models = "models:\n  - {name: m, tags: [a], config: {tags: [b], optional: yes, timeout: 5m, retries: 4}}\n"
    folder = Folder.make(
        tmp_path,
        {
            "ingest/a.yml": INGEST + "retries: 3\n",
            "models/m.sql": "{{ config(tags='c') }} select 1 as x",
            "models/n.sql": "select 1 as x",
            "models/models.yml": models,
        },
    )
    folder.write("headgate.yml", main)
    Draft202012Validator(schema("project")).validate(yaml.safe_load(main))
    Draft202012Validator(schema("models")).validate(yaml.safe_load(models))
    assert read_project(folder.root).threads == 3
    pipeline = folder.open()._pipeline()
    assert dict(pipeline.settings) == {
        "raw.a": StepSettings(timeout=3600.0, retries=Retries(3)),
        "m": StepSettings(("a", "b"), True, 300.0, Retries(4)),
        "n": StepSettings(timeout=3600.0, retries=Retries(2, 5.0)),
    }
    assert {node.id: node.tags for node in pipeline.web.nodes} == {"raw.a": (), "m": ("c", "a", "b"), "n": ()}


@pytest.mark.parametrize("said", ["0", "many", "257", "-1"])
def test_threads_are_a_number(tmp_path: Path, said: str) -> None:
    folder = Folder.make(tmp_path, {})
    folder.write("headgate.yml", f"project: p\nthreads: {said}\n")
    with pytest.raises(ProjectError, match="threads is a number from 1 to 256"):
        read_project(folder.root)

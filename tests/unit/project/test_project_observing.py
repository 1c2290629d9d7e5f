"""`history:`, `health:`, `report:` of headgate.yml, `freshness:` of an ingest file; the editor takes what is read."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from headgate.contracts.model import Limit
from headgate.core.errors import ProjectError
from headgate.project.editor import schema
from headgate.project.model import Observing, Project
from headgate.project.read import read_project

INGEST = "table: raw.a\nfrom: data/*.csv\ncolumns: {id: int}\n"


def read(tmp_path: Path, main: str = "", ingest: str = INGEST) -> Project:
    (tmp_path / "headgate.yml").write_text(main)
    (tmp_path / "ingest").mkdir(exist_ok=True)
    (tmp_path / "ingest" / "a.yml").write_text(ingest)
    return read_project(tmp_path)


def test_without_a_word_there_are_defaults(tmp_path: Path) -> None:
    project = read(tmp_path)
    assert project.observing == Observing(90 * 86_400, Limit(share=0.05), True, 0)
    assert project.ingests[0].freshness_secs is None


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        ("history: {keep: 36h}", Observing(36 * 3600)),
        ("history: {keep: 2 weeks}", Observing(14 * 86_400)),
        ("history: {keep: forever}", Observing(None)),
        ("health: {quarantine_at_most: 0}", Observing(quarantine_at_most=Limit(rows=0))),
        ("health: {quarantine_at_most: 2.5%}", Observing(quarantine_at_most=Limit(share=0.025))),
        ("report: {after_run: no, samples: 3}", Observing(page=False, samples=3)),
    ],
)
def test_what_is_said_holds(tmp_path: Path, main: str, expected: Observing) -> None:
    assert read(tmp_path, main).observing == expected
    key, _, rest = main.partition(": {")
    values = dict(part.split(": ") for part in rest.rstrip("}").split(", "))
    jsonschema.validate({key: values}, schema("project"))


@pytest.mark.parametrize(
    ("word", "secs"), [("26h", 93_600), ("45 minutes", 2700), ("1 day", 86_400), ("2w", 1_209_600)]
)
def test_freshness_is_a_number_and_a_unit(tmp_path: Path, word: str, secs: int) -> None:
    assert read(tmp_path, "", f"{INGEST}freshness: {word}\n").ingests[0].freshness_secs == secs
    jsonschema.validate({"table": "raw.a", "from": "x.csv", "freshness": word}, schema("ingest"))


@pytest.mark.parametrize(
    ("main", "ingest", "told"),
    [
        ("history: {keep: 90}", INGEST, "headgate.yml:1:17"),
        ("history: {keep: 0 days}", INGEST, "keep can't be '0 days'"),
        ("history: {kept: 1d}", INGEST, "did you mean 'keep'?"),
        ("history: 90 days", INGEST, "history must be a mapping"),
        ("health: {quarantine_at_most: some}", INGEST, "quarantine_at_most is a number of records or a share"),
        ("report: {samples: 21}", INGEST, "samples is a number from 0 to 20, not '21'"),
        ("report: {after_run: maybe}", INGEST, "after_run is true or false"),
        ("", f"{INGEST}freshness: often\n", "write a number and a unit: freshness: 36h"),
        ("", f"{INGEST}freshness: forever\n", "freshness can't be 'forever'"),
    ],
)
def test_what_makes_no_sense_is_told_where_it_stands(tmp_path: Path, main: str, ingest: str, told: str) -> None:
    with pytest.raises(ProjectError) as raised:
        read(tmp_path, main, ingest)
    assert [one.code for one in raised.value.findings] in (["bad-value"], ["unknown-key"])
    assert told in raised.value.finding.render()

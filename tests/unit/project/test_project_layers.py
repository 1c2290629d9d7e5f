"""`layers:` of headgate.yml, as it is read and as the editor takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from headgate.core.errors import ProjectError
from headgate.project.editor import schema
from headgate.project.layers import Layers
from headgate.project.read import read_project

USUAL = {"bronze": "bronze", "raw": "bronze", "silver": "silver", "staging": "silver", "gold": "gold", "marts": "gold"}


def read(folder: Path, main: str) -> Layers | None:
    (folder / "headgate.yml").write_text(main)
    return read_project(folder).layers


@pytest.mark.parametrize(
    ("main", "value", "schemas", "allowed"),
    [
        ("layers: detect", "detect", USUAL, {}),
        ("layers: {bronze: Land, gold: [a, b]}", {"bronze": "Land", "gold": ["a", "b"]},
         {"land": "bronze", "a": "gold", "b": "gold"}, {}),
        ("layers: {allow: {Gold.X: [gold-not-shaped], gold.y: gold-reads-bronze}}",
         {"allow": {"Gold.X": ["gold-not-shaped"], "gold.y": "gold-reads-bronze"}}, USUAL,
         {"gold.x": ["gold-not-shaped"], "gold.y": ["gold-reads-bronze"]}),
    ],
)  # fmt: skip
def test_what_is_said_holds(
    tmp_path: Path, main: str, value: Any, schemas: dict[str, str], allowed: dict[str, list[str]]
) -> None:
    found = read(tmp_path, main)
    assert found is not None
    assert (found.schemas, {table: list(codes) for table, codes in found.allowed.items()}) == (schemas, allowed)
    jsonschema.validate({"layers": value}, schema("project"))


def test_without_a_word_there_are_none(tmp_path: Path) -> None:
    assert read(tmp_path, "project: p") is None


@pytest.mark.parametrize(
    ("main", "told"),
    [
        ("layers: detct", "bad-value headgate.yml:1:9: layers can't be 'detct' (did you mean 'detect'?)"),
        ("layers: {brnze: raw}",
         "unknown-key headgate.yml:1:10: unknown key 'brnze' in layers (did you mean 'bronze'?)"),
        ("layers: {bronze: raw, gold: RAW}",
         "duplicate-key headgate.yml:1:29: the schema 'RAW' is in two layers, bronze and gold"),
        ("layers: {allow: {gold.x: gold-shaped}}",
         "bad-value headgate.yml:1:26: 'gold-shaped' is no finding about layers (did you mean 'gold-not-shaped'?)"),
        ("layers: [raw]", "bad-value headgate.yml:1:9: layers must be a mapping, not a list"),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_place(tmp_path: Path, main: str, told: str) -> None:
    with pytest.raises(ProjectError) as caught:
        read(tmp_path, main)
    assert [f"{one.code} {one.where}: {one.what}" for one in caught.value.findings] == [told]

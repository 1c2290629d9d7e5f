"""YAML: text stays text, every character has its place, every trap is an error at its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.core.errors import ProjectError
from headgate.project import yaml
from headgate.project.yaml import Mapping, Scalar, Sequence


def plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.text if isinstance(node, Scalar) else node


def scalar(text: str, key: str = "a") -> Scalar:
    node = yaml.read(text, "f.yml")
    assert isinstance(node, Mapping)
    value = node.get(key)
    assert isinstance(value, Scalar)
    return value


@pytest.mark.parametrize(
    "word",
    [
        "NO",
        "yes",
        "on",
        "null",
        "~",
        "1.10",
        "010",
        "0x1F",
        "1_000",
        "12:30:45",
        "2024-01-01",
        "1e3",
        ".inf",
        "=",
        "5%",
    ],
)
def test_scalars_stay_text(word: str) -> None:
    assert plain(yaml.read(f"a: {word}\n{word}: b\n", "f")) == {"a": word, word: "b"}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "\ufeff# bom"])
def test_nothing_is_none(text: str) -> None:
    assert yaml.read(text.lstrip("\ufeff"), "f") is None


def test_empty_is_told_from_empty_text() -> None:
    assert scalar("a:\n").empty
    assert not scalar("a: ''\n").empty
    assert not scalar("a: null\n").empty


def test_nesting_and_flow() -> None:
    text = "a: {b: [1, {c: d}], e: 'x, y'}\nf:\n  - g\n  - h: i\n"
    assert plain(yaml.read(text, "f")) == {"a": {"b": ["1", {"c": "d"}], "e": "x, y"}, "f": ["g", {"h": "i"}]}


def test_windows_line_ends() -> None:
    node = scalar("x: 1\r\na: |\r\n  b\r\n  c\r\n")
    assert node.text == "b\nc\n"
    assert str(node.placed.at(2)) == "f.yml:4:3"


def test_anchors_and_merge() -> None:
    text = "base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\nc: {<<: [*b, {z: 4}]}\nd: *b\n"
    found = plain(yaml.read(text, "f"))
    assert found["a"] == {"y": "3", "x": "1"}
    assert found["c"] == {"x": "1", "y": "2", "z": "4"}
    assert found["d"] == {"x": "1", "y": "2"}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: text, key", ["f.yml:1:4", "f.yml:1:10"]),
        ("é👍: 1\na: é👍, key", ["f.yml:2:4", "f.yml:2:8"]),
        ("a: 'text, key'", ["f.yml:1:5", "f.yml:1:11"]),
        ("a: 'it''s, key'", ["f.yml:1:5", "f.yml:1:12"]),
        ('a: "t\\x41\\u00e9\\n, key"', ["f.yml:1:5", "f.yml:1:20"]),
        ("a:\n  text,\n    key", ["f.yml:2:3", "f.yml:3:5"]),
        ("a: >\n  text,\n  key\n", ["f.yml:2:3", "f.yml:3:3"]),
        ("a: |-\n    text,\n    key\n", ["f.yml:2:5", "f.yml:3:5"]),
        ('a: "text,\n  key"', ["f.yml:1:5", "f.yml:2:3"]),
        ('a: "text, \\\n  key"', ["f.yml:1:5", "f.yml:2:3"]),
    ],
)
def test_every_character_has_its_place(text: str, places: list[str]) -> None:
    node = scalar(text)
    assert [str(node.placed.at(0)), str(node.placed.at(node.text.index("key")))] == places


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20), st.sampled_from("'\"|"))
def test_places_point_at_the_same_character(text: str, style: str) -> None:
    if style == "'":
        source = "a: '" + text.replace("'", "''") + "'"
    elif style == '"':
        source = 'a: "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        source = "a: |-\n  x" + text
    try:
        node = scalar(source)
    except ProjectError:
        return  # characters that YAML does not print, or breaks of its own
    lines = source.split("\n")
    if node.text not in (text, "x" + text):
        return  # a line break of Unicode was folded
    for offset, char in enumerate(node.text):
        place = node.placed.at(offset)
        found = lines[place.line - 1][place.column - 1]
        assert found == char or (style == '"' and found == "\\" and char in '\\"')


@pytest.mark.parametrize(
    ("text", "code", "where", "what"),
    [
        ("a:\n\tb: c", "yaml-syntax", "f.yml:2:1", "found character"),
        ("a: b: c", "yaml-syntax", "f.yml:1:5", "mapping values are not allowed"),
        ("a: 1\n  b: 2", "yaml-syntax", "f.yml:2:4", "mapping values are not allowed"),
        ("a: [1, 2", "yaml-syntax", "f.yml:1:9", None),
        ("a: 'x", "yaml-syntax", "f.yml:1:6", "found unexpected end of stream"),
        ("a: 1\nb: 2\na: 3", "duplicate-key", "f.yml:3:1", "'a' is written twice, first at f.yml:1:1"),
        ("a: {b: 1, b: 2}", "duplicate-key", "f.yml:1:11", "'b' is written twice, first at f.yml:1:5"),
        ("a: 1\n---\nb: 2", "yaml-syntax", "f.yml:2:1", "a second document begins"),
        ("a: *none", "unknown-anchor", "f.yml:1:4", "unknown anchor 'none'"),
        ("a: &a [*a]", "unknown-anchor", "f.yml:1:8", "unknown anchor 'a'"),
        (
            "a: !!python/object:os.system x",
            "yaml-syntax",
            "f.yml:1:4",
            "the tag tag:yaml.org,2002:python/object:os.system is not understood",
        ),
        ("a: !env X", "yaml-syntax", "f.yml:1:4", "the tag !env is not understood"),
        ("? [a]\n: b", "yaml-syntax", "f.yml:1:3", "a key must be plain text"),
        ("a: {<<: x}", "yaml-syntax", "f.yml:1:5", "<< merges mappings only"),
        ("a: 1\nb: \x07", "yaml-syntax", None, None),
        ("%YAML 9.0\n---\na: b", "yaml-syntax", None, None),
    ],
)
def test_traps(text: str, code: str, where: str | None, what: str | None) -> None:
    with pytest.raises(ProjectError) as caught:
        yaml.read(text, "f.yml")
    finding = caught.value.finding
    assert finding.code == code
    assert where is None or finding.where == where
    assert what is None or finding.what.startswith(what)  # libyaml and PyYAML word some differently
    assert finding.fix


def test_tabs_are_named_in_the_fix() -> None:
    with pytest.raises(ProjectError, match="indent with spaces, YAML takes no tabs"):
        yaml.read("a:\n\tb: c", "f.yml")


def test_depth_is_no_danger() -> None:
    node = yaml.read("a: " + "[" * 900 + "]" * 900, "f.yml")
    depth = 0
    found = node.get("a") if isinstance(node, Mapping) else None
    while isinstance(found, Sequence):
        depth, found = depth + 1, found.items[0] if found.items else None
    assert depth == 900

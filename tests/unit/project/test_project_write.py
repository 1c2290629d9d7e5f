"""What is written is read back as it was meant, whatever it holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headgate.project import write, yaml
from headgate.project.draft import contract_names
from headgate.project.yaml import Mapping, Scalar, Sequence

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def plain(node: Any) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {name.text: plain(value) for name, value in node.entries}


@given(TEXTS, TEXTS, TEXTS)
def test_a_line_reads_back(key: str, value: str, comment: str) -> None:
    (line,) = write.aligned([(write.key(key), write.scalar(value), write.shown(comment))])
    assert plain(yaml.read(f"columns:\n{line}\n", "x")) == {"columns": {key: value}}


@given(st.dictionaries(TEXTS, st.one_of(TEXTS, st.lists(TEXTS, max_size=3)), max_size=4))
def test_a_flow_mapping_reads_back(data: dict[str, Any]) -> None:
    assert plain(yaml.read(f"from: {write.flow({'csv': data})}\n", "x")) == {"from": {"csv": data}}


@given(st.lists(TEXTS, max_size=8, unique_by=str.lower))
def test_contract_names_are_plain_and_distinct(columns: list[str]) -> None:
    names = contract_names(columns)
    assert list(names) == columns
    assert len({name.lower() for name in names.values()}) == len(columns)
    assert all(not name.lower().startswith("_hg_") and name.isidentifier() for name in names.values())


def test_names_are_taken_as_they_are_where_they_can_be() -> None:
    found = contract_names(["id", "Order ID", "Größe", "order_id", "_hg_x", "1st", "%", "select"])
    assert list(found.values()) == ["id", "order_id_2", "Größe", "order_id", "c_x", "c_1st", "column_7", "select"]

from __future__ import annotations

from collections.abc import Callable

import pytest

from headgate.core.errors import ProjectError
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.graph import Graph, graph
from headgate.models.model import ModelSource

Make = Callable[..., ModelSource]


@pytest.fixture
def diamond(source: Make) -> Graph:
    sources = [
        source("top", "from {{ ref('left') }}, {{ ref('right') }}"),
        source("left", "from {{ ref('base') }}, {{ ref('raw.orders') }}"),
        source("right", "from {{ ref('base') }}"),
        source("base", "from {{ ref('raw.customers') }}"),
        source("alone", "select 1"),
    ]
    return graph(compile_models(sources, [TableRef("raw", "orders"), TableRef("raw", "customers")]))


def test_inputs_run_first_and_equals_by_name(diamond: Graph) -> None:
    assert diamond.order == ("alone", "base", "left", "right", "top")


def test_upstream_is_all_that_is_read(diamond: Graph) -> None:
    assert diamond.upstream("top") == ("raw.customers", "raw.orders", "base", "left", "right")
    assert diamond.upstream("alone") == ()


def test_downstream_is_all_that_reads(diamond: Graph) -> None:
    assert diamond.downstream("raw.orders") == ("left", "top")
    assert diamond.downstream("base") == ("left", "right", "top")
    assert diamond.downstream("top") == ()


def test_a_cycle_is_named_with_file_and_line(source: Make) -> None:
    sources = [
        source("a", "\nfrom {{ ref('b') }}"),
        source("b", "from {{ ref('c') }}"),
        source("c", "\n\nfrom {{ ref('a') }}"),
    ]
    with pytest.raises(ProjectError) as caught:
        graph(compile_models(sources, []))
    finding = caught.value.finding
    cycle = finding.evidence["cycle"]
    assert finding.code == "model-cycle"
    assert cycle[0] == cycle[-1]
    assert "".join(cycle) in ("abca", "bcab", "cabc")
    for place in ("models/a.sql:2: a reads b", "models/b.sql:1: b reads c", "models/c.sql:3: c reads a"):
        assert place in finding.fix
    assert finding.where in finding.fix


def test_a_model_that_reads_itself_is_a_cycle(source: Make) -> None:
    with pytest.raises(ProjectError) as caught:
        graph(compile_models([source("a", "from {{ ref('a') }}")], []))
    assert caught.value.finding.evidence["cycle"] == ["a", "a"]

"""The layout of graphs: order, distance, and no crossing where none is needed."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.report.dag import Edge, Placed, place

SHOP = [
    ("customers", "stg_customers"), ("orders", "stg_orders"), ("products", "stg_products"),
    ("stg_customers", "dim"), ("stg_orders", "dim"), ("stg_orders", "daily"), ("stg_orders", "revenue"),
    ("stg_products", "revenue"), ("revenue", "category"),
]  # fmt: skip


def nodes_of(edges: list[Edge]) -> list[str]:
    return list(dict.fromkeys(node for edge in edges for node in edge))


def crossings(placed: Placed) -> int:
    """Counted pair by pair, from the points alone."""
    pieces = [piece for path in placed.paths.values() for piece in pairwise(path)]
    return sum(
        one[0][0] == two[0][0] and (one[0][1] - two[0][1]) * (one[1][1] - two[1][1]) < -1e-9
        for one, two in combinations(pieces, 2)
    )


def test_a_graph_that_can_be_drawn_without_a_crossing_is() -> None:
    placed = place(nodes_of(SHOP), SHOP)
    assert crossings(placed) == 0
    assert placed.layers == 4
    assert {node: at[0] for node, at in placed.at.items()}["products"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_order_in_which_nodes_are_given_does_not_tangle_a_tree(seed: int) -> None:
    edges = [(f"n{at // 2}", f"n{at}") for at in range(2, 32)]
    nodes = nodes_of(edges)
    random.Random(seed).shuffle(nodes)
    assert crossings(place(nodes, edges)) <= 2


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] < pair[1]), max_size=30))
def test_every_edge_goes_to_the_right_and_no_two_nodes_meet(pairs: set[tuple[int, int]]) -> None:
    nodes = [f"n{number}" for number in range(13)]
    edges = [(f"n{one}", f"n{two}") for one, two in pairs]
    placed = place(nodes, [*edges, ("n1", "elsewhere")])
    assert set(placed.paths) == set(edges)
    for (one, two), path in placed.paths.items():
        assert [point[0] for point in path] == list(range(placed.at[one][0], placed.at[two][0] + 1))
        assert (path[0], path[-1]) == (placed.at[one], placed.at[two])
    for one, two in combinations(placed.at.values(), 2):
        assert one[0] != two[0] or abs(one[1] - two[1]) > 0.99
    assert all(0 <= at[1] <= placed.height - 1 + 1e-9 for at in placed.at.values())


def test_no_node_is_no_graph() -> None:
    assert place([], []) == Placed({}, {}, 0, 1.0)

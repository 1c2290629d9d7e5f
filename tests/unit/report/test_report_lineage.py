"""Column lineage on the page: which edges there are around a table, how they are drawn, how they are told."""

from __future__ import annotations

import re
from itertools import combinations

from tests.unit.report.pages import AT, life, many, table

from headgate.report import lineage
from headgate.report.document import document
from headgate.report.model import Column, Link, Page, Table
from headgate.report.origins import Places
from headgate.report.ways import Edge, Port, Ways, around


def linked(name: str, *links: tuple[str, str, str | None, str], rows: tuple[Link, ...] = ()) -> Table:
    """A model's table; each link is (own column, table, column of it, kind)."""
    made: dict[str, list[Link]] = {}
    for own, *rest in links:
        made.setdefault(own, []).append(Link(*rest))
    columns = tuple(Column(own, "int", comes_from=tuple(some)) for own, some in made.items())
    return table(name, kind="table", columns=columns, rows_from=rows)


def ways_of(*tables: Table) -> Ways:
    return Ways(Page("p", "w", AT, "0", (), tables))


RAW = linked("raw.a", ("x", "a.csv", "x", "identity"), ("y", "a.csv", "y", "identity"))
MIDDLE = linked(
    "m.b", ("x", "raw.a", "x", "identity"), ("n", "raw.a", None, "rows"),
    rows=(Link("raw.a", "y", "filter"), Link("raw.a", None, "rows")),
)  # fmt: skip
LAST = linked("g.c", ("sum", "m.b", "x", "aggregation"), ("flag", "m.b", "n", "conditional"))
AFTER = linked("g.d", ("sum", "g.c", "sum", "identity"))


def test_the_edges_around_a_table_go_two_hops_for_values_and_one_for_what_decides() -> None:
    ways = ways_of(RAW, MIDDLE, LAST, AFTER)
    assert set(around(ways, MIDDLE, 10)) == {
        Edge(Port("raw.a", "x"), Port("m.b", "x"), True),
        Edge(Port("raw.a", None), Port("m.b", "n"), False),
        Edge(Port("raw.a", "y"), Port("m.b", None), False),
        Edge(Port("a.csv", "x"), Port("raw.a", "x"), True),
        Edge(Port("m.b", "x"), Port("g.c", "sum"), True),
        Edge(Port("m.b", "n"), Port("g.c", "flag"), False),
        Edge(Port("g.c", "sum"), Port("g.d", "sum"), True),
    }
    assert Port("a.csv", "x") not in {edge.source for edge in around(ways, LAST, 10)}


def test_that_rows_decide_rows_is_told_only_where_nothing_else_joins_the_tables() -> None:
    counted = linked("g.n", rows=(Link("raw.a", None, "rows"),))
    assert around(ways_of(RAW, counted), counted, 10) == [Edge(Port("raw.a", None), Port("g.n", None), False)]


def test_a_table_that_reads_itself_has_no_edge_for_it() -> None:
    grown = linked("g.e", ("x", "g.e", "x", "identity"), rows=(Link("g.e", "x", "filter"),))
    assert around(ways_of(grown), grown, 10) == []


def corners(drawn: str) -> dict[str, tuple[float, float, float]]:
    """Left edge, top and height of each box, by its title."""
    found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="164" height="([\d.]+)".*?<title>(.*?)</title>', drawn)
    return {title: (float(x), float(y), float(tall)) for x, y, tall, title in found}


def drawn(ways: Ways, one: Table) -> str:
    anchors = {name: f"t{at}" for at, name in enumerate(ways.tables)}
    return lineage.drawing(Places(ways, anchors), one) or ""


def test_a_table_stands_between_what_it_is_made_of_and_what_is_made_of_it() -> None:
    ways = ways_of(RAW, MIDDLE, LAST, AFTER)
    boxes = corners(drawn(ways, MIDDLE))
    assert sorted(boxes, key=lambda name: boxes[name][0]) == ["a.csv", "raw.a", "m.b", "g.c", "g.d"]
    assert drawn(ways, MIDDLE).count("<path") == 7
    assert drawn(ways, MIDDLE).count('class="decides"') == 3


def test_boxes_never_meet_and_edges_go_to_the_right() -> None:
    page = many(60)
    ways = Ways(page)
    for one in page.tables:
        picture = drawn(ways, one)
        for (x1, y1, tall), (x2, y2, _) in combinations(sorted(corners(picture).values()), 2):
            assert x1 != x2 or y1 + tall < y2
        ends = re.findall(r"M([\d.]+) [\d.]+C[^Z]*? ([\d.]+) [\d.]+\"", picture)
        assert all(float(left) < float(right) for left, right in ends)
        assert len(ends) == picture.count("<path")


def test_a_shortcut_past_a_table_keeps_both_ways() -> None:
    """What a table reads itself and through another stands before that other."""
    short = linked("g.s", ("one", "m.b", "x", "identity"), ("two", "raw.a", "y", "identity"))
    picture = drawn(ways_of(RAW, MIDDLE, short), short)
    boxes = corners(picture)
    assert boxes["raw.a"][0] < boxes["m.b"][0] < boxes["g.s"][0]
    assert picture.count("<path") == 3


def test_what_is_not_drawn_is_told() -> None:
    links = [(f"c{at}", "raw.a", "x", "identity") for at in range(lineage.COLUMNS + 5)]
    wide = linked("g.wide", *links)
    picture = drawn(ways_of(RAW, wide), wide)
    assert "headgate lineage g.wide" in picture
    assert picture.count("<path") == lineage.COLUMNS + 1
    assert "headgate lineage" not in drawn(ways_of(RAW, MIDDLE), MIDDLE)


def cells(page: str, anchor: str) -> str:
    """The text of one row of the dictionary."""
    row = re.search(rf'<tr id="{anchor}">(.*?)</tr>', page, re.S)
    assert row is not None
    return " ".join(re.sub(r"<[^>]+>", " ", row[1]).split())


def test_the_dictionary_tells_where_a_column_comes_from_and_who_uses_it() -> None:
    page = document(life())
    assert cells(page, "t2c0").endswith("orders.c0 Sales board dashboard")
    assert cells(page, "t2c1") == "amount In euros decimal(38,2) — orders.c1 aggregation Sales board dashboard"
    assert cells(page, "t2c2").endswith("rows of orders")
    assert cells(page, "t0c0").endswith("sales.day rows of sales")
    assert cells(page, "t1c2").endswith("rows of sales")
    assert '<a href="#t0c1"><bdi>orders.c1</bdi></a>' in page


def test_exposures_stand_at_the_end_of_the_graph_and_in_the_dictionary() -> None:
    page = document(life())
    assert 'data-from="t2" data-to="e0"' in page
    entry = re.search(r'<details id="e0".*?</details>', page, re.S)
    assert entry is not None
    said = " ".join(re.sub(r"<[^>]+>", " ", entry[0]).split())
    assert said == "Sales board dashboard owner Ines where https://boards.example/sales reads sales.day sales.amount"
    assert 'href="https' not in page


def test_a_project_of_which_nothing_was_traced_has_no_empty_columns() -> None:
    page = life()
    plain = tuple(one._replace(columns=(Column("c", "int"),), rows_from=()) for one in page.tables)
    made = document(page._replace(tables=plain, exposures=()))
    assert "Comes from" not in made
    assert 'class="graph ways"' not in made

"""The page as text: what it holds, what it lets in, how large it is, and that no name is more than a name."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser

import pytest
from tests.unit.report.pages import HOSTILE, hostile, life, many, table

from headgate.report import charts, lineage, origins
from headgate.report.document import document
from headgate.report.markup import el, name, text
from headgate.report.model import Column, Page, Run
from headgate.report.told import TABLES

VOID = {"meta", "link", "input"}


class Seen(HTMLParser):
    """Elements and attributes of a page, and whether they are properly nested."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.said.append(data)


@pytest.mark.parametrize("page", [life(), hostile(), many(30), Page("p", "w", "2026-06-01T00:00:00+00:00", "0", ())])
def test_every_page_is_well_formed_and_asks_for_nothing(page: Page) -> None:
    seen = Seen(document(page))
    assert seen.open == []
    assert seen.tags.count("script") == seen.tags.count("style") == 1
    assert not {"img", "iframe", "form", "object", "embed", "base", "b\x00"} & set(seen.tags)
    for tag, key, value in seen.attributes:
        assert not key.startswith("on"), (tag, key)
        assert key not in ("src", "srcset", "style", "action"), (tag, key)
        assert key != "href" or value.startswith(("#", "data:image/svg+xml,")), (tag, value)
    names = [value for _, key, value in seen.attributes if key == "id"]
    assert len(names) == len(set(names))
    links = {value[1:] for tag, key, value in seen.attributes if tag == "a" and key == "href"}
    assert links <= {*names, "main"}


def test_hostile_names_are_names() -> None:
    page = document(hostile())
    said = "".join(Seen(page).said)
    for one in HOSTILE[:5]:
        assert one in said
    assert "\\u202egnp.exe \\u2066x\\u2069" in said
    assert "\\x00\\x1b[31m\\ud800" in said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert "n" * 601 not in page
    page.encode()


def test_the_policy_lets_in_exactly_what_is_there() -> None:
    page = document(life())
    policy = next(value for tag, key, value in Seen(page).attributes if tag == "meta" and value.startswith("default"))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert inside is not None
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_head_says_what_needs_a_look() -> None:
    said = "".join(Seen(document(life())).said)
    assert "1 of 2 checks need a look." in said
    assert "raw.customers: too old" in said
    well = life()._replace(checks=life().checks[:1])
    assert "All is well." in "".join(Seen(document(well)).said)


def test_what_is_not_listed_is_told() -> None:
    said = "".join(Seen(document(life())).said)
    assert "48 older runs: headgate runs" in said
    assert "39 older entries: headgate ledger" in said
    wide = life().tables[0]._replace(columns=tuple(Column(f"c{n}", "int") for n in range(origins.COLUMNS + 7)))
    crowd = life()._replace(tables=(wide, *(table(f"x.t{n}", columns=()) for n in range(TABLES + 200))))
    said = "".join(Seen(document(crowd)).said)
    assert "7 more columns" in said
    assert "201 more tables are not listed here." in said


def test_five_hundred_tables_are_drawn_by_layers_in_less_than_a_second_and_four_megabytes() -> None:
    page = many(500)
    before = time.process_time()
    made = document(page)
    assert time.process_time() - before < 3  # 0.5 on an idle machine
    assert len(made) < 4_000_000
    assert "500 tables, drawn by layers" in made
    assert made.count('data-node="t') == 0
    drawings = re.findall(r"<svg class=\"graph ways\".*?</svg>", made)
    assert lineage.DRAWN <= sum(map(len, drawings)) + 20_000 <= lineage.DRAWN + 40_000
    assert "Column lineage of layer9.model_499" in made


def test_a_page_of_life_is_small() -> None:
    assert len(document(life())) < 70_000


def test_what_is_html_already_stays_and_everything_else_is_escaped() -> None:
    assert el("p", "<", el("b", "&"), 1234, None, ["x"], class_="a'b", hidden=True, id=None) == (
        '<p class="a&#x27;b" hidden>&lt;<b>&amp;</b>1,234x</p>'
    )
    assert text(None) == "None"
    assert name("x" * 100).startswith("<bdi title=")


def test_bars_are_as_high_as_their_share() -> None:
    drawn = charts.durations(
        [Run("b", "2026-06-02T00:00:00", "failed", seconds=2.0), Run("a", "2026-06-01T00:00:00", "ok", seconds=1.0)]
    )
    assert re.findall(r'height="([\d.]+)" rx="1.5" class="([\w-]+)"', drawn) == [
        ("32.0", "run-ok"),
        ("64.0", "run-bad"),
    ]
    assert charts.spark([5]) == ""
    assert charts.fates([("loaded", 0)]) == ""
    assert re.findall(r'width="([\d.]+)"', charts.fates([("loaded", 3), ("quarantined", 1)])) == ["748.0", "248.0"]

"""What is told of the ways of columns is found again while no way changes, and told anew where one does."""

from __future__ import annotations

import pytest
from tests.unit.report.pages import HOSTILE, hostile, life, many

from headgate.report import told
from headgate.report.document import document, pieces
from headgate.report.model import Link, Page, Table


class Texts(dict[str, str]):
    """A store of texts in memory, which counts how often something was put."""

    puts = 0

    def put(self, key: str, text: str) -> None:
        self.puts += 1
        self[key] = text


def written(page: Page, kept: Texts) -> str:
    return "".join(pieces(page, kept))


def with_first(page: Page, table: Table) -> Page:
    return page._replace(tables=(table, *page.tables[1:]))


def test_a_page_is_the_same_whether_its_ways_are_told_or_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "LEAST", 1)
    for page in (life(), hostile(), many(30)):
        kept = Texts()
        assert written(page, kept) == written(page, kept) == document(page)
        assert kept.puts == 1


def test_what_changes_from_run_to_run_is_told_although_ways_are_found() -> None:
    page, kept = many(100), Texts()
    written(page, kept)
    table = page.tables[0]
    column = table.columns[0]._replace(missing=0.25, description="The first one", pii=True)
    changed = table._replace(rows=77, open=5, columns=(column, *table.columns[1:]), scores={"validity": 0.5})
    again = written(with_first(page, changed), kept)
    assert kept.puts == 1
    assert again == document(with_first(page, changed)) != document(page)


@pytest.mark.parametrize("change", ["link", "column", "order", "version"])
def test_a_change_of_ways_or_of_places_is_told(change: str) -> None:
    page, kept = many(100), Texts()
    written(page, kept)
    last, column = page.tables[-1], page.tables[-1].columns[0]
    other = {
        "link": column._replace(comes_from=(Link("layer0.model_3", "c7", "aggregation"),)),
        "column": column._replace(name="renamed"),
    }.get(change, column)
    tables = (*page.tables[:-1], last._replace(columns=(other, *last.columns[1:])))
    changed = page._replace(
        tables=tables[::-1] if change == "order" else tables, version="9" if change == "version" else page.version
    )
    assert written(changed, kept) == document(changed)
    assert kept.puts == 2


@pytest.mark.parametrize(
    "spoil", [lambda text: "", lambda text: text[:-400], lambda text: text + "\x1e", lambda _: "x\x1f" * 9]
)
def test_a_text_that_is_none_of_ours_is_told_anew(spoil: object) -> None:
    page, kept = many(100), Texts()
    written(page, kept)
    (key,) = kept
    kept[key] = spoil(kept[key])  # type: ignore[operator]
    assert written(page, kept) == document(page)
    assert kept.puts == 2


def test_of_few_tables_nothing_is_kept() -> None:
    kept = Texts()
    written(life(), kept)
    assert not kept
    assert len(life().tables) < told.LEAST > len(HOSTILE)

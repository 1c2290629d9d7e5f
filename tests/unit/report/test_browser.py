"""The page in a real browser: narrow and wide, light and dark, by keyboard; it asks for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.report.pages import hostile, life, many

from headgate.report.document import document
from headgate.report.model import Page

PAGES = {
    "life": life,
    "hostile": hostile,
    "many": lambda: many(300),
    "empty": lambda: Page("p", "w", "2026-06-01T00:00:00+00:00", "0", ()),
}
CONTRAST = """() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = (rgb) => {
    const curve = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.slice(0, 3).map((v) => curve(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const bad = [];
  for (const node of document.querySelectorAll("body *:not(script):not(svg *)")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.getClientRects().length || node.closest(".skip")) continue;
    const [one, two] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) bad.push(`${node.className || node.tagName} ${node.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""
OUTSIDE = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !node.closest(".scroll, nav, .skip, .sr, thead");
}).map((node) => node.outerHTML.slice(0, 80))"""


@pytest.fixture
def show(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a page; in the end nothing was asked for, and nothing stood on the console."""
    wrong: list[str] = []
    contexts = []

    def shown(which: str, width: int = 1440, scheme: str = "light") -> Any:
        path = tmp_path / f"{which}.html"
        path.write_text(document(PAGES[which]()), encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on("request", lambda asked: wrong.append(asked.url) if asked.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page

    yield shown
    for context in contexts:
        context.close()
    assert [one for one in wrong if not one.startswith("data:image/svg+xml")] == []


@pytest.mark.parametrize("which", PAGES)
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_sticks_out(show: Callable[..., Any], which: str, width: int) -> None:
    page = show(which, width)
    page.evaluate("document.querySelectorAll('details').forEach((one, at) => { if (at < 40) one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["life", "hostile"])
def test_every_text_stands_out_from_what_is_behind_it(show: Callable[..., Any], which: str, scheme: str) -> None:
    page = show(which, 1440, scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate(CONTRAST) == []


def test_the_theme_follows_the_system_until_it_is_chosen(show: Callable[..., Any]) -> None:
    page = show("life", 1440, "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    button = page.locator("#theme")
    assert button.inner_text() == "Auto"
    button.click()
    assert button.inner_text() == "Light"
    assert page.evaluate(ground) != dark
    button.click()
    assert page.evaluate(ground) == dark
    page.reload()
    assert button.inner_text() == "Dark"


def test_the_keyboard_reaches_everything(show: Callable[..., Any]) -> None:
    page = show("life")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    places = "#theme, nav, #find, .tables, .graph, summary, .scroll"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("(places) => document.activeElement.closest(places)?.tagName", places))
    assert {"BUTTON", "NAV", "INPUT", "TABLE", "svg", "SUMMARY", "DIV"} <= seen


def test_a_table_is_found_and_opened_by_keyboard(show: Callable[..., Any]) -> None:
    page = show("life")
    page.keyboard.press("/")
    page.keyboard.type("gold sal")
    assert page.locator(".tables tr[data-find]:visible").count() == 1
    assert page.locator(".entry:visible").count() == 1
    page.locator(".tables a:visible").press("Enter")
    # The change of the hash is told by an event of its own, after the key's.
    page.locator(".entry[open] .description").first.wait_for(state="visible")
    page.locator("#find").press("Escape")
    assert page.locator(".tables tr[data-find]:visible").count() == 3


def test_the_graph_shows_what_a_table_is_made_of(show: Callable[..., Any]) -> None:
    page = show("life")
    page.locator("#pipeline .node").first.focus()
    assert page.locator(".edges path.lit").count() == 2
    assert page.locator("#pipeline .node.faint").count() == 1
    page.locator("#pipeline .node").first.blur()
    assert page.locator(".graph .faint").count() == 0


def test_a_column_shows_its_way_and_leads_to_where_it_comes_from(show: Callable[..., Any]) -> None:
    page = show("life", 360)
    page.evaluate("location.hash = '#t2'")
    drawing = page.locator("#t2 .ways")
    drawing.wait_for(state="visible")
    # What is too wide scrolls in its window, by keyboard, too; it begins with the table itself.
    page.wait_for_function("document.querySelector('#t2 .scroll').scrollLeft > 0")
    assert page.locator("#t2 .scroll").get_attribute("tabindex") == "0"
    own = drawing.locator("a[aria-label='gold.sales, column amount']")
    own.focus()
    assert drawing.locator("path.lit").count() == 2
    assert drawing.locator(".node.lit").count() == 3
    above = drawing.locator("a[aria-label='raw.orders, column c1']")
    above.focus()
    above.press("Enter")
    page.locator("#t0c1").wait_for(state="visible")
    assert page.locator("#t0").get_attribute("open") is not None


def test_paper_shows_what_is_closed(show: Callable[..., Any]) -> None:
    page = show("life")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("nav").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0

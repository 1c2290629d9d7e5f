"""The whole page: one file, with its style and script inside and nothing outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Set
from functools import cache
from importlib.resources import files

from headgate.report import activity, dictionary, sections
from headgate.report.markup import Markup, clipped, el, name
from headgate.report.model import Page
from headgate.report.parts import moment
from headgate.report.told import Kept, telling
from headgate.report.ways import OUTSIDE

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 3v10M14 3v10M2 6h12M5 6v4h6V6' fill='none' stroke='%230b6b6b' stroke-width='2'/%3E%3C/svg%3E"
)
_MARK = Markup(
    '<svg class="mark" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">'
    '<path d="M2 3v10M14 3v10M2 6h12M5 6v4h6V6" fill="none" stroke="currentColor" stroke-width="1.6"/></svg>'
)


def document(page: Page) -> str:
    """The page as HTML. Its policy lets nothing in but its own style and script, and no request out."""
    return "".join(pieces(page))


def pieces(page: Page, kept: Kept | None = None) -> Iterator[str]:
    """The page, piece by piece: of a large project it is longer than it is good to hold at once.

    `kept`: where what is told of ways is found again while no way changes.
    """
    style, script = _file("page.css"), _file("page.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="robots", content="noindex"),
        el("title", f"{clipped(page.project)} · Headgate"),
        el("link", rel="icon", href=_ICON),
        el("style", Markup(style)),
    )
    skip = el("a", "Skip to the content", href="#main", class_="skip")
    yield f'<!doctype html>\n<html lang="en">{head}<body>{skip}'
    yield from _body(page, kept)
    yield f"{el('script', Markup(script))}</body></html>\n"


def _body(page: Page, kept: Kept | None) -> Iterator[str]:
    exposures = {OUTSIDE + one.name: one for one in page.exposures}
    anchors = {table.name: f"t{number}" for number, table in enumerate(page.tables)}
    anchors |= {key: f"e{number}" for number, key in enumerate(exposures)}
    parts = {
        "health": sections.verdict(page),
        "tables": sections.tables(page, anchors),
        "pipeline": sections.pipeline(page, exposures, anchors),
        "quality": sections.scores(page),
        "quarantine": activity.quarantine(page),
        "runs": activity.runs(page),
        "ledger": activity.ledger(page),
    }
    there = {anchor for anchor, part in parts.items() if part is not None}
    yield _header(page, there | {"dictionary"} if page.tables else there)
    yield '<main id="main">'
    yield from (part for part in parts.values() if part is not None)
    if page.tables:
        yield from dictionary.dictionary(page, anchors, telling(page, anchors, kept))
    yield "</main>"
    yield _footer(page)


_NAV = (
    ("tables", "Tables"),
    ("pipeline", "Pipeline"),
    ("quality", "Quality"),
    ("quarantine", "Quarantine"),
    ("runs", "Runs"),
    ("ledger", "Ledger"),
    ("dictionary", "Dictionary"),
)


def _header(page: Page, there: Set[str]) -> Markup:
    links = [el("a", title, href=f"#{anchor}") for anchor, title in _NAV if anchor in there]
    toggle = el("button", "Theme", type="button", id="theme", hidden=True)
    title = el("span", _MARK, name(page.project, 40), class_="project")
    return el("header", el("div", title, el("nav", *links, aria_label="Sections"), toggle, class_="topbar"))


def _footer(page: Page) -> Markup:
    said = f"Headgate {page.version} wrote this page from the books of {clipped(page.warehouse)}. It makes no request."
    return el("footer", el("p", said), el("p", moment(page.at, ago=False), " UTC; all times are in UTC."))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    """A text beside this module; it is ours, and ends no element that it stands in."""
    found = files("headgate.report").joinpath(name).read_text(encoding="utf-8")
    assert "</" not in found, f"{name} must not end an element"
    return found

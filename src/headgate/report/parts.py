"""What sections are made of: headings, times, numbers, words with a colour."""

from __future__ import annotations

from headgate.report import charts
from headgate.report.markup import LONGEST, Child, Markup, clipped, count, el, joined, many, quoted, text
from headgate.report.model import Table

CELL = 240
"""A sentence is cut after so many characters."""

CLOSING = Markup("</section>")


def section(anchor: str, title: str, *content: Child, note: Child = None) -> Markup:
    """A section with its heading and what is said beside it."""
    return joined([opening(anchor, title, note), *content, CLOSING])


def opening(anchor: str, title: str, note: Child = None) -> Markup:
    """The beginning of a section up to its content, behind which stands `CLOSING`: for one too large to be held."""
    head = el("h2", title, id=f"{anchor}-title")
    aside = el("p", note, class_="note") if note is not None else None
    head = el("div", head, aside, class_="head")
    return Markup(f'<section id="{text(anchor)}" aria-labelledby="{text(anchor)}-title">{head}')


def headings(*heads: tuple[str, str]) -> Markup:
    """The head of a table: titles and what kind of cells stand below."""
    return el("thead", el("tr", *(el("th", title, scope="col", class_=kind or None) for title, kind in heads)))


def more(number: int, one: str, several: str, command: str, besides: str = "") -> Markup | None:
    """What is not listed here, and which command lists it; nothing where all is."""
    if number <= 0:
        return None
    return el("p", f"{many(number, one, several)}{besides}: ", el("code", command), class_="more")


def scrolled(drawn: Markup, label: str, kind: str = "") -> Markup:
    """Something wide, in a window that the keyboard can scroll, too."""
    return el(
        "div", drawn, class_=f"scroll {kind}".strip(), tabindex="0", role="region", aria_label=f"{label}, scrollable"
    )


def moment(at: str, ago: bool = True) -> Markup:
    """A time in UTC; the page's script adds how long ago it was."""
    if not at:
        return Markup("—")
    kind = ' class="ago"' if ago else ""
    return Markup(f'<time datetime="{text(at)}"{kind}>{quoted(at[:16].replace("T", " "))}</time>')


def seconds(value: float | None) -> str:
    """`0.42 s`, `75 s`, `12 min`."""
    if value is None:
        return "—"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s" if value < 600 else f"{value / 60:.0f} min"


def size(value: int | None) -> str:
    """`312 B`, `4.2 MB`."""
    if value is None:
        return "—"
    number, unit = float(value), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if number >= 100 or unit == "B" else f"{number:.1f} {unit}"


def percent(share: float | None) -> str:
    """`99.9%`, rounded down: only what is perfect reads 100%."""
    if share is None:
        return "—"
    return "100%" if share >= 1 else f"{int(share * 1000) / 10:.1f}%"


def badge(status: str) -> Markup:
    """How something ended, as a word with its colour."""
    return el("span", clipped(status, 24), class_=f"badge is-{charts.tone(status)}")


def findable(table: Table) -> str:
    """What the search looks through: the names of the table and its columns."""
    names = [table.name, *[column.name for column in table.columns]]
    if any(len(one) > LONGEST for one in names):
        names = list(map(clipped, names))
    return clipped(" ".join(names).lower(), 4000)


def faint(number: int) -> Child:
    """The number; a zero is there, but does not ask to be read."""
    return count(number) if number else el("span", "0", class_="zero")

"""What docs/errors.md (and, for models, docs/models.md) says of each code, as `headgate explain` shows it.

`python -m tests.unit.docs.codes` writes it into `src/headgate/api/codes.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CLOSER = {"kit.md": "What ends a query"}
"""Pages, and a heading of each, that say more closely what the codes of models mean."""

FILE = ROOT / "src" / "headgate" / "api" / "codes.json"


def rows(page: str) -> Iterator[tuple[str, str, str, str]]:
    """Heading, code, what it means, what to do: of each row of a table whose first cell is codes."""
    heading = ""
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if found := re.match(r"## (.*)", line):
            heading = found[1]
        elif found := re.match(r"\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (.*) \|$", line):
            means, _, do = re.sub(r"\\\|", "\0", found[2]).partition(" | ")
            for code in re.findall(r"`([a-z-]+)`", found[1]):
                yield heading, code, plain(means), _BACKUP.sub(r"\g<0> the warehouse's file from a backup", plain(do))


_BACKUP = re.compile(r"^restore\b")


def plain(cell: str) -> str:
    """The cell with the pages that it links to in brackets."""
    text = cell.replace("\0", "|").strip(" |")
    return re.sub(r"\[([^\]]*)\]\(([\w-]*(?:\.md)?)[^)]*\)", _linked, text)


def _linked(link: re.Match[str]) -> str:
    return f"{link[1]} (docs/{link[2]})" if link[2] else link[1]


def documented() -> dict[str, dict[str, str]]:
    """Code -> area, means, do; in the order of the page."""
    more = {code: means for heading, code, means, _ in rows("models.md") if heading == "Errors"}
    for page, title in CLOSER.items():
        more |= {code: means for heading, code, means, _ in rows(page) if heading == title}
    found = {}
    for area, code, means, do in rows("errors.md"):
        of_models = area == "Models"
        found[code] = {"area": area, "means": more.get(code, means) if of_models else means, "do": do}
    return found


def written() -> str:
    return json.dumps(documented(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")

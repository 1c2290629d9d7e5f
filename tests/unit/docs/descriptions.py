"""What the documentation says of keys, options, types and rules, as editors show it.

`python -m tests.unit.docs.descriptions` writes it into `src/headgate/project/descriptions.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "src" / "headgate" / "project" / "descriptions.json"
SECTIONS = {
    "headgate.yml": "headgate.yml",
    "Ingest files": "ingest",
    "load": "load",
    "children": "children",
    "Tasks": "tasks",
}


def described() -> dict[str, dict[str, str]]:
    """Section -> key -> text, from the tables of docs/project-files.md."""
    found: dict[str, dict[str, str]] = {}
    section = table = ""
    page = (ROOT / "docs" / "project-files.md").read_text(encoding="utf-8")
    for line in re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL).splitlines():
        if heading := re.match(r"#+ (.*)", line):
            section, table = SECTIONS.get(heading[1], ""), ""
        elif option := re.match(r"\| option of ((?:`\w+`,? )+)", line):
            table = option[1]
        elif re.match(r"\| key of a test ", line):
            table = "test"
        elif re.match(r"\| test \| for ", line):
            table = "tests"
        elif cells := re.match(r"\| (`[^|]*?) \| (.*?) \|", line):
            text = plain(cells[2] if table != "tests" else line.split(" | ")[2].rstrip(" |"))
            for key in re.findall(r"`([\w.]+)`", cells[1]):
                for one in re.findall(r"`(\w+)`", table) or [table or section]:
                    found.setdefault(one, {}).setdefault(key, text)
    return {name: keys for name, keys in sorted(found.items()) if name}


def plain(text: str) -> str:
    """The cell without links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).strip()


def written() -> str:
    return json.dumps(described(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")

"""The reference of the transform kit, out of what its files of macros say themselves.

`python -m tests.unit.docs.kit` writes it into docs/kit.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.docs.sessions import ROOT

from headgate.models import kit

PAGE = ROOT / "docs" / "kit.md"
BEGIN, END = "## Reference\n\n", "## What ends a query\n"
_MACRO = re.compile(r"\{#\n(.*?)\n#\}\n\{%-? (macro|test) (\w+)\((.*?)\) -?%\}", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A macro, or a test, with what its comment says. `takes`: as a template or YAML writes it."""

    name: str
    takes: str
    text: str
    test: bool

    @property
    def shown(self) -> str:
        title = f"`hg.{self.name}`" + (", a test" if self.test else "")
        call = f"hg.{self.name}: {{{self.takes}}}" if self.test else f"hg.{self.name}({self.takes})"
        return f"### {title}\n\n`{call}`\n\n{self.text}\n"


def entries() -> Iterator[Entry]:
    """Every macro that has a comment, in the order of the files."""
    for file in kit.FILES:
        for text, kind, name, takes in _MACRO.findall(kit.text(file)):
            test = kind == "test"
            own = [one for one in takes.split(", ") if one not in ("model", "column_name")]
            yield Entry(name, ", ".join(own).replace("=", ": ") if test else takes, text.strip("\n"), test)


def reference() -> str:
    """The part of the page between BEGIN and END."""
    return "\n".join(entry.shown for entry in entries()) + "\n"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(head + BEGIN + reference() + END + tail, encoding="utf-8")

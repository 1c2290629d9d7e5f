"""The pages about files: every YAML block is read, every word of the code is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headgate.contracts.rules import RULES
from headgate.contracts.verify import verify
from headgate.project import condition, datatests, ingest, load, modeltests, read, source, tasks
from headgate.project.read import read_project
from headgate.types.logical import ALIASES

DOCS = Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def files(text: str) -> dict[str, str]:
    """File name -> content of every YAML block; its first line is the comment that names the file."""
    return {name: f"# {name}\n{content}" for name, content in BLOCK.findall(text)}


@pytest.mark.parametrize(("name", "blocks"), [("contracts.md", 5), ("project-files.md", 9)])
def test_every_block_is_read(name: str, blocks: int, tmp_path: Path) -> None:
    text = page(name)
    found = files(text)
    assert len(found) == text.count("```yaml") == blocks
    for file, content in {"headgate.yml": "", "models/gold/daily.sql": "select 1", **found}.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    project = read_project(tmp_path)
    for entry in project.ingests:
        assert entry.contract is None or verify(entry.contract, entry.places) == []


def test_the_error_on_the_page_is_real(tmp_path: Path) -> None:
    text = page("contracts.md")
    block = files(text)["ingest/orders.yml"].replace("or closed is not null", "or closd is not null")
    customers = files(text)["ingest/customers.yml"]
    (tmp_path / "ingest").mkdir()
    (tmp_path / "headgate.yml").write_text("")
    (tmp_path / "ingest/orders.yml").write_text(block)
    (tmp_path / "ingest/customers.yml").write_text(customers)
    entry = next(entry for entry in read_project(tmp_path).ingests if entry.table.name == "orders")
    assert entry.contract is not None
    (finding,) = verify(entry.contract, entry.places)
    assert finding.render() in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contracts.md", RULES),
        ("contracts.md", ALIASES),
        ("project-files.md", read.KEYS),
        ("project-files.md", ingest.KEYS),
        ("project-files.md", [word for options in source.ADAPTERS.values() for word in options]),
        ("project-files.md", load.WORDS),
        ("project-files.md", tasks.KEYS),
        (
            "tasks.md",
            [*tasks.TRIGGERS, *condition.CALENDAR, *condition.RESULT, *condition.FUNCTIONS, *condition.STATUSES],
        ),
        ("project-files.md", [word for words in ingest.CHOICES.values() for word in words]),
        ("project-files.md", (*modeltests.FILE_KEYS, *modeltests.MODEL_KEYS, *modeltests.COLUMN_KEYS)),
        ("project-files.md", (*datatests.COLUMN_TESTS, *datatests.MODEL_TESTS, *datatests.ARGUMENTS)),
    ],
)
def test_every_word_is_documented(name: str, words: list[str]) -> None:
    text = page(name)
    assert [word for word in words if not re.search(rf"`{{?{re.escape(word)}\b", text)] == []

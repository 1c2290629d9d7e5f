"""The documentation knows every finding, every table of the books and every page; its links lead somewhere."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.unit.docs import codes
from tests.unit.docs.sessions import ROOT, blocks, file_of

from headgate.adapters.duckdb.store import DuckDBSession
from headgate.books.schema import migrate
from headgate.project.read import read_project

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
CODE = re.compile(r"[a-z]+(-[a-z]+)+")
NO_CODES = {
    "headgate-mark",  # an error handler of codecs
    "time-millis", "time-micros", "timestamp-millis", "timestamp-micros",  # types of Avro
    "local-timestamp-millis", "local-timestamp-micros",
    "utf-8", "utf-16", "latin-1", "iso-8859-15", "utf-8-sig",  # encodings
    "date-time", "json-schema",  # a format of JSON Schema, a form of contracts
    "last-run",  # a check of health
    "site-packages", "dist-packages",  # folders of what is installed
}  # fmt: skip
ONE_WORD = {"usage", "interrupted"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def codes_of(tree: ast.AST) -> Iterator[str]:
    """The codes of findings in a module: texts in kebab case, and what a Finding is made with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Finding") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def raised() -> set[str]:
    """Every code that the product may raise."""
    package = ROOT / "src" / "headgate"
    apart = {"testing", "report"}  # what is told to authors of adapters; classes of a page
    modules = [path for path in package.rglob("*.py") if not apart & set(path.relative_to(package).parts)]
    found = {code for path in modules for code in codes_of(ast.parse(path.read_text(encoding="utf-8")))}
    return found - NO_CODES


def first_cells(text: str) -> list[str]:
    """The first cell of every line of every table."""
    return re.findall(r"^\| (.*?) \|", text, re.MULTILINE)


def test_every_finding_is_documented_and_every_documented_one_exists() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    documented = [code for cell in first_cells(page) for code in re.findall(r"`([a-z-]+)`", cell)]
    assert sorted(raised()) == sorted(documented)


def test_explain_says_of_every_code_what_the_page_says() -> None:
    assert codes.FILE.read_text(encoding="utf-8") == codes.written(), "run: python -m tests.unit.docs.codes"
    more = tomllib.loads((codes.FILE.parent / "codes.toml").read_text(encoding="utf-8"))
    assert sorted(more["codes"]) == sorted(codes.documented()), "of each code src/headgate/api/codes.toml says why"


def test_a_code_that_is_raised_anyhow_is_seen() -> None:
    source = "Finding('usage', 'error', x)\nnotes.error('new-code', what)\nraise E.of('other-code')\nprint('a word')"
    assert set(codes_of(ast.parse(source))) == {"usage", "new-code", "other-code"}
    assert raised() >= ONE_WORD


def test_the_tables_of_the_books_are_documented() -> None:
    session = DuckDBSession(duckdb.connect())
    migrate(session)
    there = session.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '_headgate'"
    )
    assert sorted(_documented()) == sorted(there)


def _documented() -> Iterator[tuple[str, str]]:
    text = (DOCS / "books.md").read_text(encoding="utf-8").partition("\n## The tables\n")[2]
    for title, section in re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL):
        own = re.match(r"`_headgate\.(\w+)`", title)
        table = own[1] if own else ""
        for line in re.findall(r"^\| (?!column|table|-).*$", section, re.MULTILINE):
            cells = line.split(" | ")
            table = found[1] if (found := re.match(r"\| `_headgate\.(\w+)`", line)) else table
            for column in re.findall(r"`(\w+)`", cells[0 if own else 1]):
                yield table, column


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_yaml_block_is_read_by_the_project_reader(path: Path, tmp_path: Path) -> None:
    every = list(blocks(path.read_text(encoding="utf-8")))
    made = [block for block in every if block.kind == "yaml"]
    for block in (one for one in every if one.kind == "python" and file_of(one)):
        _write(tmp_path / str(file_of(block)), block.text)  # a contract may name a model in it
    files = {str(file_of(block)): block.text for block in reversed(made)}
    assert "None" not in files, "a yaml block begins with a comment that names its file"
    for block in (one for one in every if one.kind == "csv" and "`seeds/" in one.before):
        _write(tmp_path / str(file_of(block)), block.text)
    (tmp_path / "headgate.yml").touch()
    for name in re.findall(r"^  - name: (\w+)", "".join(files.values()), re.MULTILINE):
        if not list(tmp_path.glob(f"models/**/{name}.py")):
            _write(tmp_path / "models" / f"{name}.sql", "select 1\n")
    for name, text in files.items():
        _write(tmp_path / name, text)
    for block in made:
        _write(tmp_path / str(file_of(block)), block.text)
        read_project(tmp_path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@pytest.mark.parametrize("folder", [DOCS, DOCS / "decisions"], ids=named)
def test_every_page_is_in_the_index_of_its_folder(folder: Path) -> None:
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\(([\w.-]+\.md)(?:#[\w-]+)?\)", index)) == pages

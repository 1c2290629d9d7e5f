"""Promises about the whole: what is loaded when, and that the documentation fits the commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.cli.argument import Command
from headgate.cli.commands import BY_NAME, COMMANDS
from headgate.cli.parse import Usage, parse

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
HEAVY = {
    "duckdb",
    "_duckdb",
    "yaml",
    "jinja2",
    "markupsafe",
    "zstandard",
    "pyarrow",
    "openpyxl",
    "fastavro",
    "numpy",
    "pandas",
    "pydantic",
    "sqlglot",
    "headgate.api",
}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `code`, whatever it printed."""
    report = "import sys; print('\\nLOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import headgate",
        "import headgate.cli.main",
        *(
            f"from headgate.cli.main import main; main({words})"
            for words in (["--help"], ["--version"], ["run", "--help"])
        ),
        "from headgate.cli.main import main; main(['quarantine', 'lst'])",
        "from headgate.cli.main import main; main(['completion', 'bash'])",
        "from headgate.cli.main import main; main(['__complete', 'line', 'headgate run r'])",
        "from headgate.cli.main import main; main(['run', '--project', '/missing'])",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str) -> None:
    loaded = loaded_by(code)
    assert "headgate" in loaded
    assert loaded & HEAVY == set()


def test_a_run_with_nothing_to_do_loads_nothing_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "headgate.yml").write_text("warehouse: duckdb:w.duckdb\n")
    run = f"from headgate.cli.main import main; main(['run', '--project', {str(tmp_path)!r}])"
    assert {"headgate.api.page", "headgate.report.document", "headgate.observe.health"} <= loaded_by(run)
    loaded = loaded_by(run)  # the page of the first one is recent
    only_of_the_page = ("headgate.report", "headgate.api.page", "headgate.run.lineage", "headgate.observe.health")
    assert [name for name in loaded if name.startswith(only_of_the_page)] == []


def test_importing_the_package_loads_nothing_of_it() -> None:
    assert {name for name in loaded_by("import headgate") if name.startswith("headgate")} == {"headgate"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_is_documented(command: Command) -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    sections = dict(re.findall(r"^## `headgate (.*?)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert list(sections) == [known.name for known in COMMANDS]
    section = sections[command.name]
    for argument in command.arguments:
        assert argument.options.get("metavar", argument.flags[0]) in section
        assert argument.flags[0] in section or not argument.flags[0].startswith("-")


def lines_of(page: Path) -> Iterator[str]:
    """Every command line of a page: in blocks of shell, and in `code` that begins with headgate."""
    text = page.read_text()
    for block in re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.M | re.S):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            if found := re.match(r"\s*(?:\$ )?(?:\S*/bin/)?(headgate .*)", line):
                yield found[1]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    yield from re.findall(r"`(headgate [^`\n]+)`", prose)


def is_understood(line: str) -> bool:
    """Whether the parser takes the line. What is a usage (`[TABLE...]`, `a / b`) needs only begin with a command."""
    words = list(shlex.shlex(line, posix=True, punctuation_chars="|;<>&"))[1:]
    end = next((number for number, word in enumerate(words) if set(word) <= set("|;<>&")), len(words))
    words = shlex.split(line, comments=True)[1 : end + 1] if end == len(words) else words[:end]
    if re.search(r"\[|\.\.\.| / ", line):
        return any(name.split() == words[: len(name.split())] or name.split()[0] == words[0] for name in BY_NAME)
    try:
        parse(words)
    except Usage as wrong:
        # `headgate quarantine replay` in prose names a command; it need not say everything.
        return wrong.command == " ".join(words)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_in_the_documentation_is_understood(page: Path) -> None:
    assert [line for line in lines_of(page) if not is_understood(line)] == []


def test_wrong_command_lines_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`headgate runn` and `headgate run --ful`\n\n```sh\n$ headgate check --all | jq .\nheadgate plan # why\n```\n"
    )
    assert [line for line in lines_of(page) if not is_understood(line)] == [
        "headgate check --all | jq .",
        "headgate runn",
        "headgate run --ful",
    ]


def test_the_documentation_has_command_lines_at_all() -> None:
    assert sum(len(list(lines_of(page))) for page in PAGES) > 20

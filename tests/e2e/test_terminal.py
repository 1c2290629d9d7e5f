"""What a person sees: progress and colour on a terminal only, and nothing that a hostile value could do to it."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Mapping

from conftest import Lab

ESCAPE = "\x1b"


def on_terminal(lab: Lab, words: list[str], env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Exit code and all that reached the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(lab.root)
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "TERM")}
        command = [sys.executable, "-m", "headgate", *words]
        os.execve(sys.executable, command, {**clean, "TERM": "xterm", **(env or {})})
    shown = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode().replace("\r\n", "\n")


def left(shown: str) -> list[str]:
    """The lines that stay on the screen: a run that takes long enough for progress to be drawn rubs it out."""
    return re.sub(r"\x1b\[\d*[AJK]", "", shown.rpartition("\r")[2]).splitlines()


def test_a_run_ends_with_the_table_of_steps(orders: Lab) -> None:
    code, shown = on_terminal(orders, ["run"])
    assert code == 0
    last = left(shown)
    assert last[0].split()[:5] == ["step", "status", "read", "loaded", "quarantined"]
    assert last[2].split()[:7] == ["raw.orders", "ok", "3", "2", "1", "0", "0"]
    assert last[4] == "\x1b[32mbalanced\x1b[0m: 3 read = 2 loaded + 1 quarantined + 0 deduplicated + 0 skipped"


def test_names_of_steps_are_whole_on_a_narrow_terminal(orders: Lab) -> None:
    for columns, reason in ((80, False), (100, True)):
        lines = left(on_terminal(orders, ["run"], {"COLUMNS": str(columns)})[1])
        assert max(map(len, lines[:3])) <= columns
        assert lines[2].startswith("raw.orders")
        assert ("reason" in lines[0]) is reason


def test_a_pipe_sees_neither_progress_nor_colour(orders: Lab) -> None:
    ran = orders.headgate("run")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("step ")
    assert ESCAPE not in ran.out
    assert "\r" not in ran.out
    failed = orders.headgate("query", "selct")
    assert (failed.out, ESCAPE in failed.err) == ("", False)


def test_colour_can_be_declined(loaded: Lab) -> None:
    assert on_terminal(loaded, ["check"])[1] == "\x1b[32mok\x1b[0m: 0 errors, 0 warnings\n"
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_terminal(loaded, ["check"], env)[1] == "ok: 0 errors, 0 warnings\n"


def test_tables_keep_to_the_width_of_the_terminal(loaded: Lab) -> None:
    sql = "SELECT repeat('x', 100000) AS a, 123456789 AS n, repeat('漢', 1000) AS w"
    for columns in (60, 100):
        code, shown = on_terminal(loaded, ["query", sql], {"COLUMNS": str(columns)})
        _, rule, row, count = shown.splitlines()
        assert (code, count) == (0, "1 row")
        assert len(rule) == columns
        assert "123456789" in row
        assert row.count("…") == 2


def test_hostile_values_do_nothing_to_a_terminal(lab: Lab) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\u202e\u200b"
    lab.write(
        {
            "ingest/e.yml": "table: raw.e\nfrom: data/*.csv\ncolumns:\n  id: int, key\n  name: text, length(3)\n",
            f"data/{evil.replace('/', '')}.csv": f"id,name\n1,{evil}\n{evil},a\n",
        }
    )
    assert lab.step()["rows_quarantined"] == 2
    hostile = set(evil) - set("[2J]0;owned")
    for words in (
        ["quarantine", "list"],
        ["quarantine", "show", "1", "2"],
        ["ledger"],
        ["query", f"SELECT '{evil}' AS \"{evil}\""],
        ["query", f'SELECT "{evil}"'],
        ["run", evil],
        [evil],
    ):
        _, shown = on_terminal(lab, words, {"NO_COLOR": "1"})
        assert not hostile & set(shown), words
    assert "\\x1b[2J" in on_terminal(lab, ["quarantine", "list"])[1]


def test_a_huge_cell_is_cut_and_shown_whole_when_asked_for(lab: Lab) -> None:
    big = "x" * 500_000
    lab.write(
        {
            "ingest/e.yml": "table: raw.e\nfrom: data/e.csv\ncolumns:\n  id: int, key\n  name: text\n",
            "data/e.csv": f"id,name\nno,{big}\n",
        }
    )
    assert lab.step()["rows_quarantined"] == 1
    assert len(on_terminal(lab, ["quarantine", "list"])[1]) < 2_000
    assert lab.ok("quarantine", "list")["records"][0]["row"]["name"] == big
    assert big in lab.headgate("quarantine", "show", "1").out

"""Progress on a recorded terminal, by a clock that the test turns."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from terminal import Terminal

from headgate.api.results import Progress
from headgate.cli import live as live_module
from headgate.cli import pace_text
from headgate.cli.live import Live
from headgate.core import clock


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "monotonic", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    monkeypatch.setattr(live_module, "size", lambda stream: (stream.columns, stream.lines))
    return made


def told(live: Live, turned: Clock, after: float, step: str, rows: int = 0, **more: Any) -> None:
    turned.now += after
    live(Progress(step, rows, more.pop("phase", "loading"), ended=2, steps=9, **more))


def test_a_line_for_each_step_and_one_for_all(turned: Clock) -> None:
    live = Live(terminal := Terminal(), ticks=False)
    told(live, turned, 0, "raw.orders", bytes_total=200)
    assert terminal.shown() == []  # what is over at once is not worth a line
    told(live, turned, 1, "gold.daily", phase="building")
    told(live, turned, 1, "raw.orders", 1_000_000, bytes=50, bytes_total=200)
    assert terminal.shown() == [
        "raw.orders  loading  █████░░░░░░░░░░░░░░░   25%  0:06 left  1,000,000 rows",
        "gold.daily  building  0:01",
        "2 of 9 steps  0:02",
    ]
    told(live, turned, 1, "raw.orders", phase="ended")
    assert terminal.shown() == ["gold.daily  building  0:02", "2 of 9 steps  0:03"]
    live.clear()
    assert terminal.shown() == []
    told(live, turned, 9, "gold.daily", phase="building")
    assert terminal.shown() == []


def test_frames_are_never_nearer_than_a_tenth_of_a_second(turned: Clock) -> None:
    live = Live(terminal := Terminal(), ticks=False)
    for number in range(1000):
        told(live, turned, 0.01, "raw.orders", number)
    assert 80 <= len(terminal.frames) <= 100


def test_clocks_go_on_where_nothing_is_told(turned: Clock) -> None:
    live = Live(terminal := Terminal(), ticks=False)
    told(live, turned, 0, "gold.daily", phase="building")
    turned.now += 65
    live.frame()
    assert terminal.shown() == ["gold.daily  building  1:05", "2 of 9 steps  1:05"]


def test_a_clock_of_its_own_ticks_until_it_is_cleared(turned: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, waits = threading.Event(), []

    def awaited(event: threading.Event, secs: float) -> bool:
        waits.append(secs)
        turned.now += secs
        if len(waits) > 3:
            drawn.set()
            return event.wait()
        return False

    monkeypatch.setattr(clock, "awaited", awaited)
    live = Live(terminal := Terminal())
    live(Progress("raw.orders", 0, "reading"))
    assert drawn.wait(60)
    assert terminal.shown() == ["raw.orders  reading  0:01"]
    live.clear()
    assert "progress" not in [thread.name for thread in threading.enumerate()]
    assert terminal.shown() == []


@pytest.mark.parametrize("columns", [10, 20, 33, 47, 60, 79, 120, 200])
def test_whatever_the_width_a_line_is_one_line(turned: Clock, columns: int) -> None:
    live = Live(terminal := Terminal(columns), ticks=False)
    name = "raw.価格_\x1b[2J" + "x" * 50
    told(live, turned, 0, name, bytes_total=10**12)
    told(live, turned, 5, name, 10**9, bytes=10**11, bytes_total=10**12)  # the terminal asserts that nothing is broken
    line, total = terminal.shown()
    assert "\x1b" not in line
    assert total == "2 of 9 steps  0:05"[: columns - 2] + ("…" if columns < 20 else "")
    assert ("10%" in line) == (columns >= 33)
    assert ("1,000,000,000 rows" in line) == (columns >= 120)
    assert ("100 GB of 1.0 TB" in line) == (columns >= 200)


def test_a_terminal_that_was_made_narrower_is_left_clean(turned: Clock) -> None:
    live = Live(terminal := Terminal(79), ticks=False)
    terminal.write("before\n")
    told(live, turned, 0, "raw.orders", bytes_total=200)
    told(live, turned, 2, "raw.orders", 1_000_000, bytes=50, bytes_total=200)
    terminal.resize(30)
    assert len(terminal.shown()) > 3
    told(live, turned, 2, "raw.orders", 2_000_000, bytes=100, bytes_total=200)
    assert terminal.shown() == ["before", "raw.orders  loading   50%", "2 of 9 steps  0:04"]
    live.clear()
    assert terminal.shown() == ["before"]


def test_more_steps_than_the_terminal_has_lines(turned: Clock) -> None:
    live = Live(terminal := Terminal(60, 6), ticks=False)
    for number in range(20):
        told(live, turned, 0.5, f"raw.t{number}")
    assert [line.split("  ")[0].strip() for line in terminal.shown()] == [
        "raw.t0", "raw.t1", "raw.t2", "and 17 more", "2 of 9 steps",
    ]  # fmt: skip


def test_what_others_print_stands_above(turned: Clock) -> None:
    live = Live(terminal := Terminal(), ticks=False)
    with live.beside():
        told(live, turned, 0, "raw.orders")
        told(live, turned, 1, "raw.orders", 5)
        print("one line,", end="")
        print(" and another half")
        assert terminal.shown() == [
            "one line, and another half",
            "raw.orders  loading  0:01  5 rows  5 rows/s",
            "2 of 9 steps  0:01",
        ]
        print("without an end", end="")
    assert terminal.shown() == ["one line, and another half", "without an end"]


def test_an_exception_leaves_a_clean_terminal_and_no_thread(turned: Clock) -> None:
    live = Live(terminal := Terminal())

    def broken() -> None:
        with live.beside():
            told(live, turned, 0, "raw.orders")
            told(live, turned, 1, "raw.orders", 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert terminal.shown() == []
    assert "?25l" not in terminal.getvalue()  # no cursor was hidden, so that none must be brought back
    assert "progress" not in [thread.name for thread in threading.enumerate()]


def test_a_terminal_that_is_gone_takes_no_run_with_it(turned: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live(terminal := Terminal(), ticks=False)

    def gone(text: str) -> int:
        raise OSError("input/output error")

    monkeypatch.setattr(terminal, "write", gone)
    told(live, turned, 0, "raw.orders")
    told(live, turned, 1, "raw.orders")
    live.clear()


@pytest.mark.parametrize(
    ("term", "tty", "wanted"), [("dumb", True, True), ("xterm", False, True), ("xterm", True, False)]
)
def test_nothing_is_shown_where_nobody_can_see_it(
    turned: Clock, monkeypatch: pytest.MonkeyPatch, term: str, tty: bool, wanted: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal = Terminal()
    monkeypatch.setattr(terminal, "isatty", lambda: tty)
    live = Live(terminal, wanted)
    with live.beside():
        told(live, turned, 0, "raw.orders")
        told(live, turned, 9, "raw.orders")
    assert terminal.getvalue() == ""
    assert live._thread is None


def test_bars_are_made_of_what_the_encoding_has(turned: Clock) -> None:
    terminal = Terminal()
    terminal.encoding = "ascii"  # type: ignore[misc]
    live = Live(terminal, ticks=False)
    told(live, turned, 0, "raw.orders", bytes=1, bytes_total=2)
    told(live, turned, 1, "raw.orders", bytes=1, bytes_total=2)
    assert "##########----------   50%" in terminal.shown()[0]


def test_without_a_count_of_steps_only_the_last_one_is_shown(turned: Clock) -> None:
    live = Live(terminal := Terminal(), ticks=False)
    live(Progress("raw.a", 0, "profiling"))
    turned.now += 1
    live(Progress("raw.b", 0, "profiling"))
    assert terminal.shown() == ["raw.b  profiling  0:00"]


@pytest.mark.parametrize(
    ("secs", "expected"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3599, "59:59"), (3661, "1:01:01")]
)
def test_time_is_told_as_a_clock_does(secs: float, expected: str) -> None:
    assert pace_text.lasting(secs) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1200, "1.2 kB"),
        (120_000, "120 kB"),
        (5_400_000, "5.4 MB"),
        (10**15, "1,000.0 TB"),
    ],
)
def test_amounts_are_told_by_thousands(size: int, expected: str) -> None:
    assert pace_text.amount(size) == expected

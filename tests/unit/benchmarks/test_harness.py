"""The harness measures children and judges medians; it never starts the work it measures in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import harness  # noqa: E402
from benchmarks.harness import REFERENCE, SUBJECT, Bar, Limit, Side  # noqa: E402


def bar(*limits: Limit, **sides: Side) -> Bar:
    return Bar("help_text", "a title", limits, sides)


def prints(text: str) -> Side:
    """A side that prints a number, which its check reports as `value`."""
    return Side(
        lambda folder: harness.python("-c", f"print({text})"),
        lambda folder: None,
        lambda output, scale: {"value": float(output) * scale},
    )


MEASURES = """
import json, sys
from benchmarks import harness
print(json.dumps(harness.measure(harness.python("-c", sys.argv[1]))))
"""


def test_a_child_is_measured_with_its_output() -> None:
    """From a process as small as the benchmarks' own: a child's peak begins with its parent's memory."""
    work = "sum(range(3_000_000)); x = bytearray(60_000_000); print('done')"
    found = subprocess.run([sys.executable, "-c", MEASURES, work], cwd=ROOT, capture_output=True, text=True, check=True)
    values, output = json.loads(found.stdout)
    assert output == "done\n"
    assert values["CPU s"] > 0.01
    assert values["wall s"] > 0.01
    assert 60 < values["peak MB"] < 200


def test_a_child_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(RuntimeError, match=r"exited with 3:\n.*no such luck"):
        harness.measure(harness.python("-c", "import sys; sys.stderr.write('no such luck'); sys.exit(3)"))


def test_a_ratio_is_that_of_subject_to_reference(tmp_path: Path) -> None:
    sides = {REFERENCE: prints("2"), SUBJECT: prints("3")}
    found = harness.run(bar(Limit("value", 1.5, ratio=True), **sides), tmp_path, 1.0, 2)
    (verdict,) = found.verdicts
    assert (verdict["median"], verdict["least"], verdict["most"]) == (1.5, 1.5, 1.5)
    assert verdict["holds"]
    stricter = harness.run(bar(Limit("value", 1.49, ratio=True), **sides), tmp_path, 1.0, 1)
    assert not stricter.verdicts[0]["holds"]


def test_below_is_stricter_than_at_most() -> None:
    assert Limit("peak MB", 800).holds(800)
    assert not Limit("peak MB", 800, below=True).holds(800)
    assert [str(Limit("x", 800)), str(Limit("x", 0.6, below=True))] == ["<= 800", "< 0.6"]


def test_reset_comes_before_every_run_and_sides_alternate(tmp_path: Path) -> None:
    seen: list[str] = []
    sides = {
        name: Side(lambda folder: harness.python("-c", "pass"), lambda folder, name=name: seen.append(name))  # type: ignore[misc]
        for name in (REFERENCE, SUBJECT)
    }
    harness.run(bar(**sides), tmp_path, 1.0, 2)
    assert seen == [REFERENCE, SUBJECT, REFERENCE, SUBJECT]


def test_one_side_alone_gives_no_ratio(tmp_path: Path) -> None:
    sides = {REFERENCE: prints("2"), SUBJECT: prints("3")}
    limits = (Limit("value", 1.5, ratio=True), Limit("value", 9))
    assert harness.run(bar(*limits, **sides), tmp_path, 1.0, 1, REFERENCE).verdicts == []
    (verdict,) = harness.run(bar(*limits, **sides), tmp_path, 1.0, 1, SUBJECT).verdicts
    assert verdict["what"] == "value"


def test_a_broken_limit_stands_out_in_the_table(tmp_path: Path) -> None:
    result = harness.run(bar(Limit("value", 2), **{SUBJECT: prints("3")}), tmp_path, 1.0, 1)
    table = harness.to_markdown([result])
    assert "| a title | value | <= 2 | 3 | 3 - 3 | **no** |" in table
    assert "| a title | subject | wall s |" in table
    assert harness.to_json([result])["results"][0]["rounds"][SUBJECT][0]["value"] == 3


def test_counts_refuse_a_run_that_did_not_balance() -> None:
    step = '{"id": "raw.t", "rows_read": 3, "rows_loaded": 2, "rows_quarantined": 1, "rows_deduplicated": 0, '
    run = '{"status": "ok", "balanced": %s, "steps": [' + step + '"rows_skipped": 0}]}'
    assert harness.counts(run % "true", "raw.t")["quarantined"] == 1
    with pytest.raises(AssertionError):
        harness.counts(run % "false", "raw.t")


def test_unknown_bars_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["parquet_ten_milion"])
    assert "no such bar" in capsys.readouterr().err


def test_every_bar_has_its_module() -> None:
    modules = {path.stem for path in (ROOT / "benchmarks" / "bars").glob("*.py")} - {"__init__"}
    assert modules == set(command.NAMES)

"""Programs of tasks: run in a group of their own, ended with all that they started, their output kept and masked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from headgate.core import clock, environ
from headgate.core.errors import AdapterError, Finding, HeadgateError, ProjectError
from headgate.project.condition import Condition
from headgate.project.model import Task
from headgate.run.errand import Errand, Given, Performed, performed

KEPT = 16_000
"""Characters of the end of the output that are kept."""
GRACE_SECS = 5.0
"""Between asking a program to end and ending it."""
CONTEXT = "HEADGATE_CONTEXT"


def run(errand: Errand) -> Performed:
    """Runs the program. The result: `exit_code`, `output` and, where its last line is JSON, `value`.

    *Errors*: ProjectError `program-missing`; AdapterError `task-failed`, `transient-error` for an exit code of
    `retry_on_exit`. Both have the end of the output as evidence.
    """
    task, given = errand.task, errand.given()
    with tempfile.TemporaryDirectory(dir=errand.home.temp, prefix="task-") as folder:
        program = _Program(_begun(errand, given, Path(folder)), given)
        with errand.watch.lent(program):
            code, output = program.finished()
    result: dict[str, object] = {"exit_code": code, "output": output}
    if code:
        raise _failed(task, code, output)
    with suppress(ValueError):
        result["value"] = json.loads(_last(output))
    return performed(task, result, given)


def _begun(errand: Errand, given: Given, folder: Path) -> subprocess.Popen[bytes]:
    task = errand.task
    words = _words(errand)
    told = folder / "context.json"
    told.write_text(json.dumps({"needs": errand.needs, "vars": dict(errand.home.variables)}, default=str))
    values = {name: _text(value) for name, value in given.values.items()}
    try:
        return subprocess.Popen(  # noqa: S603 - the program is the project's own word
            words,
            cwd=errand.home.root,
            env={**environ.every(), **values, CONTEXT: str(told)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or type(error).__name__
        what = f"{task.name} can't start {words[0]!r}: {said}"
        fix = "install the program, or correct its name or its values"
        raise ProjectError.of("program-missing", what, task.where, fix) from None


def _words(errand: Errand) -> list[str]:
    does = errand.task.does
    if isinstance(does, str):
        return ["sh", "-c", does]
    return [_text(errand.computed(word)) if isinstance(word, Condition) else word for word in does]


def _text(value: object) -> str:
    """A value as programs are told it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


class _Program:
    """One program that runs, with everything that it starts."""

    def __init__(self, process: subprocess.Popen[bytes], given: Given) -> None:
        self._process, self._given = process, given
        self._margin = max((len(one.encode()) for one in given.hidden), default=0)
        self._tail = bytearray()
        self._cut = False
        self._asked_at: float | None = None
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), name="output of a task", daemon=True)
        self._reader.start()

    def finished(self) -> tuple[int, str]:
        """Its exit code and the end of its output, once it has ended; also where this is left early, it has."""
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        finally:
            self._signal(signal.SIGKILL)  # what it left behind; until `wait` has it, its number is nobody else's
            self._process.wait()
            self._reader.join(GRACE_SECS)  # only what took itself out of the group may still hold the pipe
        return self._process.returncode, self._output()

    def _wait(self) -> None:
        """Until it has ended, and its group can still be named."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()

    def interrupt(self) -> None:
        """Called by another thread, again and again: asks the program to end, and ends it where it does not."""
        if self._asked_at is None:
            self._asked_at = clock.monotonic()
            self._signal(signal.SIGTERM)
        elif clock.monotonic() - self._asked_at >= GRACE_SECS:
            self._signal(signal.SIGKILL)

    def _end(self) -> None:
        self.interrupt()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECS)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read(self, pipe: IO[bytes]) -> None:
        """Keeps the end of the output, with room for a secret that the cut would go through."""
        most = 4 * KEPT + self._margin
        with pipe:
            while part := os.read(pipe.fileno(), 1 << 16):
                self._tail += part
                if len(self._tail) > most:
                    del self._tail[: len(self._tail) - most]
                    self._cut = True

    def _output(self) -> str:
        kept = bytes(self._tail)
        text = self._given.masked(kept.decode("utf-8", "replace"))
        if self._cut:  # the beginning may be the rest of a secret
            text = text[self._margin :]
        return text if len(text) <= KEPT else "..." + text[3 - KEPT :]


def _last(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1].strip()


def _failed(task: Task, code: int, output: str) -> HeadgateError:
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    last = _last(output)
    said = f": {last[:200]}" if last else ""
    if code in task.retry_on_exit:
        what = f"{task.name} ended with {how}, which may pass{said}"
        fix = "run again, or have it tried again: retries: {attempts: 3, wait: 1s}"
        return AdapterError.of("transient-error", what, task.where, fix, exit_code=code, output=output)
    fix = "see all that it said: headgate runs last --json"
    return AdapterError.of("task-failed", f"{task.name} ended with {how}{said}", task.where, fix,
                           exit_code=code, output=output)  # fmt: skip


def check(task: Task, root: Path, path: Mapping[str, str]) -> list[Finding]:
    """Whether the program is there."""
    first = "sh" if isinstance(task.does, str) else task.does[0]
    if isinstance(first, Condition) or shutil.which(first, path=path.get("PATH")) or _inside(root, task.does):
        return []
    what = f"{task.name} starts {first!r}, which is not on this machine"
    return [Finding("program-missing", "error", what, str(task.where), "install it, or correct its name")]


def _inside(root: Path, words: str | Sequence[object]) -> bool:
    return not isinstance(words, str) and "/" in str(words[0]) and os.access(root / str(words[0]), os.X_OK)

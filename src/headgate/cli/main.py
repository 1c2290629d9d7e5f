"""The command line: parse, call the API, show. One answer, one exit code, whatever happens.

Exit codes: 0 ok, 1 failed or refused, 2 wrong usage or a mistake in the project's files, 130 interrupted,
143 terminated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from argparse import Namespace

    from headgate.cli.live import Live
    from headgate.cli.screen import Screen
    from headgate.cli.verbs import Verb
    from headgate.core.errors import Finding


class Outcome(NamedTuple):
    """What is to be printed where, and the exit code."""

    code: int
    out: str = ""
    err: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    _stand_in()
    from headgate.cli.signals import heard

    with heard():
        try:
            outcome = _outcome(words)
        except BaseException as error:
            if isinstance(error, SystemExit | GeneratorExit):
                raise
            outcome = _failure(error, words)
        told = _print(outcome.err, sys.stderr)
        return outcome.code if _print(outcome.out, sys.stdout) and told else outcome.code or 1


def _stand_in() -> None:
    """Something to write to where the caller closed a standard stream (`>&-`); its number is then taken, too.

    Else the next file that is opened, the warehouse, would be what a library takes for its standard output.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115


def _outcome(words: Sequence[str]) -> Outcome:
    if words[:1] == ["__complete"]:
        return _completed(words[1:])
    from headgate.cli.parse import Usage, parse

    try:
        given = parse(words)
    except Usage as error:
        return _misused(error, words)
    if given.command == "help":
        return _help(given)
    if given.command == "version":
        return _version(given)
    if given.command == "schema editor":
        return _schema(given)
    if given.command == "completion":
        return _completion(given)
    return _command(given)


def _completed(asked: Sequence[str]) -> Outcome:
    """What a shell asks while a line is typed; it has no use for an error."""
    from headgate.cli.complete import answer

    try:
        return Outcome(0, answer(asked))
    except Exception:
        return Outcome(1)


def _completion(given: Namespace) -> Outcome:
    from headgate.cli.shells import SCRIPTS

    script = SCRIPTS[given.shell]
    return Outcome(0, _json({"shell": given.shell, "script": script}) if given.json else script)


def _schema(given: Namespace) -> Outcome:
    """Needs no project: the schema is the same for all."""
    import json

    from headgate.project.editor import schema

    found = schema(given.kind)
    return Outcome(0, _json(found) if given.json else json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _command(given: Namespace) -> Outcome:
    from headgate.cli.commands import BY_NAME
    from headgate.cli.locate import project_root
    from headgate.core.environ import variable

    root = Path() if BY_NAME[given.command].anywhere else project_root(given.project)
    from headgate.cli import verbs  # loads the API: not before there is a project
    from headgate.cli.screen import Screen

    if given.command == "check" and given.fix:
        return _mend(given, root)
    if given.command in verbs.ANYWHERE:
        return _anywhere(given, verbs.ANYWHERE[given.command])
    verb = verbs.VERBS[given.command]
    live, out = _live(given), sys.stdout
    profile = given.profile or variable("HEADGATE_PROFILE") or None
    # Whatever else prints (a user's Python, a driver) must not come between a program and its JSON.
    with live.beside(), verbs.open_project(root, given.wait, _say, profile, given.vars) as project:
        answer = verb.ask(project, given, live)
    return _answered(given, verb, answer, Screen.of(out), root)


def _live(given: Namespace) -> Live:
    """Progress on a terminal, for people only."""
    from headgate.cli.live import Live

    machines = given.json or getattr(given, "log_format", "text") == "json"
    return Live(sys.stderr, wanted=not (machines or given.no_progress or given.quiet))


def _anywhere(given: Namespace, verb: Verb) -> Outcome:
    """A command that finds out by itself whether there is a project."""
    from headgate.cli.screen import Screen

    live, out = _live(given), sys.stdout
    with live.beside():
        answer = verb.ask(_say, given, live)
    return _answered(given, verb, answer, Screen.of(out), Path(given.project or os.curdir))


def _answered(given: Namespace, verb: Verb, answer: Any, screen: Screen, root: Path) -> Outcome:
    if given.json:
        return Outcome(verb.code(answer), _json(answer.to_json()))
    lines = verb.lines(answer, screen)
    if screen.width is not None and not given.quiet and given.command in ("run", "init"):
        from headgate.cli.hints import hints

        lines += hints(given.command, answer, root)
    return Outcome(verb.code(answer), "\n".join(lines) + "\n")


def _mend(given: Namespace, root: Path) -> Outcome:
    """Before any project is opened: the files may be what keeps it from being."""
    from contextlib import redirect_stdout

    from headgate.api import Project
    from headgate.cli import show
    from headgate.cli.screen import Screen
    from headgate.core.environ import variable

    out = sys.stdout
    profile = given.profile or variable("HEADGATE_PROFILE") or None
    with redirect_stdout(sys.stderr):
        answer = Project.mend(root, given.wait, _say, profile, given.vars)
    code = 0 if answer.ok else 1
    if given.json:
        return Outcome(code, _json(answer.to_json()))
    return Outcome(code, "\n".join(show.check(answer, Screen.of(out))) + "\n")


def _help(given: Namespace) -> Outcome:
    from headgate.cli.help import help_text

    text = help_text(given.topic)
    return Outcome(0, _json({"help": text}) if given.json else text)


def _version(given: Namespace) -> Outcome:
    from headgate import __version__

    return Outcome(0, _json({"version": __version__}) if given.json else f"headgate {__version__}\n")


def _misused(error: Exception, words: Sequence[str]) -> Outcome:
    from headgate.cli.failure import USAGE, usage
    from headgate.cli.help import help_text, usage_line

    command = getattr(error, "command", "")
    if not words:
        return Outcome(USAGE, err=help_text())
    told = _told((usage(str(error), command),), USAGE, words)
    return told if told.out else told._replace(err=f"{usage_line(command)}\n{told.err}")


def _failure(error: BaseException, words: Sequence[str]) -> Outcome:
    from headgate.cli.failure import explain, wants_traceback

    if wants_traceback():
        import traceback

        traceback.print_exception(error)
    found, code = explain(error)
    return _told(found, code, words)


def _told(found: tuple[Finding, ...], code: int, words: Sequence[str]) -> Outcome:
    """Findings where nothing else can be answered: on standard error, or as the one JSON object."""
    from headgate.cli.parse import wants_json, wants_json_log

    facts = [item.to_json() for item in found]
    if wants_json(words):
        return Outcome(code, _json({"status": "error", "findings": facts}))
    if wants_json_log(words):
        from headgate.core.clock import stamp

        event = {"at": stamp(), "level": "error", "event": "command.failed", "findings": facts}
        return Outcome(code, err=_json(event))
    from headgate.cli.findings import findings
    from headgate.cli.screen import Screen

    return Outcome(code, err="\n".join(findings(found, Screen.of(sys.stderr))) + "\n")


def _json(data: object) -> str:
    """ASCII only: right under every locale, also with half characters from broken files."""
    import json

    return json.dumps(data, allow_nan=False, default=str) + "\n"


def _say(message: str) -> None:
    from headgate.cli.text import safe

    _print(f"{safe(message)}\n", sys.stderr)


def _print(text: str, stream: TextIO) -> bool:
    """Whether the text could be written. Characters that the stream's encoding lacks are escaped.

    A reader that has seen enough (`| head`) is no failure: what was done is done.
    """
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        # The interpreter flushes once more on its way out: let it have somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return isinstance(error, BrokenPipeError) or _unwritten(stream, error)
    return True


def _unwritten(stream: TextIO, error: OSError) -> bool:
    if stream is not sys.stderr:
        _print(f"the answer can't be written: {error.strerror}\n", sys.stderr)
    return False

"""What could stand next on a command line that is being typed: commands, options, values, names of the project.

Shells ask by `headgate __complete`; it answers in a tenth of a second, opens no warehouse and never fails.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from headgate.cli.argument import Argument, Command
from headgate.cli.commands import BY_NAME, COMMANDS, GLOBALS, VALUED

ASKED = "__complete"
"""`__complete line TEXT`: the line up to the cursor, as typed; `__complete words WORD...`: its words, the last one
perhaps empty. The first line of the answer says what is wanted (words, files, folders), the second repeats the last
word, the others are candidates, each with its description behind a tab."""


class Candidate(NamedTuple):
    """What the word may become, and what that is."""

    value: str
    about: str = ""


class Wanted(NamedTuple):
    """`kind`: words (those of `found`), or files or folders, which shells know best."""

    kind: str
    found: tuple[Candidate, ...] = ()


FILES, FOLDERS, NOTHING = Wanted("files"), Wanted("folders"), Wanted("words")
_LINE = ("\x01", "\x01'", '\x01"')


def answer(asked: Sequence[str]) -> str:
    """The whole answer to a shell."""
    how, *rest = asked or ("words",)
    words = _words(rest[0] if rest else "") if how == "line" else [word for word in rest if word != "--"] or [""]
    wanted = complete(words)
    lines = [wanted.kind, words[-1]]
    lines += [f"{one.value}\t{one.about}" if one.about else one.value for one in wanted.found if _plain(one.value)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> bool:
    """Nothing in it breaks a line or moves a cursor."""
    return text.isprintable()


def _words(line: str) -> list[str]:
    """The words behind the program's name, the last one as far as it was typed; a quote may still be open."""
    for mark in _LINE:
        try:
            words = shlex.split(line + mark)
        except ValueError:
            continue
        return [word.replace("\x01", "") for word in words[1:]] or [""]
    return [""]


def complete(words: Sequence[str]) -> Wanted:
    """What the last word may become, after those before it."""
    *before, current = words
    if "--" in before:
        return NOTHING
    command, rest = _command(before)
    flag, sign, typed = current.partition("=")
    if sign and flag.startswith("--"):
        wanted = _of(_argument(flag, command), typed, before)
        return Wanted(wanted.kind, tuple(Candidate(f"{flag}={one.value}", one.about) for one in wanted.found))
    if before and before[-1] in VALUED:
        return _of(_argument(before[-1], command), current, before)
    if current.startswith("-"):
        return _starting(current, _flags(command, before))
    own = _positional(command, rest, current, before) if command is not None else NOTHING
    further = _starting(current, [] if rest else _further(before)).found
    return Wanted(own.kind if not further else "words", (*further, *own.found))


def _command(before: Sequence[str]) -> tuple[Command | None, list[str]]:
    """The command that the words name, and the words that are its own: neither options nor their values."""
    plain = _plain_words(before)
    for length in (2, 1):
        name = " ".join(plain[:length])
        if name in BY_NAME and len(plain) >= length:
            return BY_NAME[name], plain[length:]
    return None, []


def _plain_words(before: Sequence[str]) -> list[str]:
    """Neither options nor their values."""
    return [
        word
        for number, word in enumerate(before)
        if not word.startswith("-") and not (number and before[number - 1] in VALUED)
    ]


def _further(before: Sequence[str]) -> list[Candidate]:
    """The next words of commands that begin like this."""
    plain = _plain_words(before)
    found: dict[str, str] = {}
    for command in COMMANDS:
        words = command.name.split()
        if len(words) > len(plain) and words[: len(plain)] == plain:
            last = len(words) == len(plain) + 1
            found.setdefault(words[len(plain)], command.summary if last else "")
    return [Candidate(word, about) for word, about in found.items()]


def _flags(command: Command | None, before: Sequence[str]) -> list[Candidate]:
    """Options that may still be given; the long form of each."""
    arguments = [*(command.arguments if command else ()), *GLOBALS]
    return [
        Candidate(flag, argument.options["help"].replace("%%", "%"))
        for argument in arguments
        if argument.options.get("action") == "append" or not set(argument.flags) & set(before)
        for flag in argument.flags
        if flag.startswith("--")
    ] + ([] if command else [Candidate("--version", "show the version")])


def _argument(flag: str, command: Command | None) -> Argument | None:
    arguments = [*(command.arguments if command else ()), *GLOBALS]
    return next((one for one in arguments if flag in one.flags), None)


def _positional(command: Command, rest: Sequence[str], current: str, before: Sequence[str]) -> Wanted:
    """The word of the command that comes next: the last one may be given again and again."""
    places = [one for one in command.arguments if not one.flags[0].startswith("-")]
    if not places:
        return NOTHING
    many = places[-1].options.get("nargs") in ("*", "+")
    if len(rest) >= len(places) and not many:
        return NOTHING
    return _of(places[min(len(rest), len(places) - 1)], current, before)


def _of(argument: Argument | None, current: str, before: Sequence[str]) -> Wanted:
    """What the value of this option or word may be."""
    if argument is None:
        return NOTHING
    if "choices" in argument.options:
        return _starting(current, [Candidate(str(one)) for one in argument.options["choices"]])
    kind = argument.options.get("metavar", "")
    if kind in ("FILE", "FILES"):
        return FILES
    if kind == "DIR":
        return FOLDERS
    found = list(_named(kind, current, before))
    made = _starting(current, found)
    or_file = kind in ("OLD", "NEW") or (argument.flags == ("what",) and kind == "TABLE")
    return FILES if or_file and not made.found else made


def _named(kind: str, current: str, before: Sequence[str]) -> Iterator[Candidate]:
    """Names of the project, by what the command calls the value."""
    from headgate.cli.names import names_of

    if kind == "RUN":
        yield Candidate("last", "the last run")
        return
    if kind == "CODE":
        yield from _codes()
    if kind not in ("STEP", "TABLE", "NAME", "CODE", "OLD", "NEW"):
        return
    names = names_of(_project(before))
    plus = current[: len(current) - len(current.lstrip("+@"))] if kind == "STEP" else ""
    yield from (Candidate(plus + name, about) for name, about in names.steps.items())
    if kind == "STEP":
        yield from (Candidate(f"tag:{tag}") for tag in names.tags)
        yield from (Candidate(f"state:{state}") for state in ("new", "modified", "stale"))
        yield from (Candidate(f"{folder}.*") for folder in names.folders)


def _codes() -> Iterator[Candidate]:
    from importlib.resources import files

    known = json.loads((files("headgate") / "api" / "codes.json").read_text(encoding="utf-8"))
    yield from (Candidate(code, said["means"]) for code, said in known.items())


def _project(before: Sequence[str]) -> str | None:
    return next((before[number + 1] for number, word in enumerate(before[:-1]) if word == "--project"), None)


def _starting(current: str, found: Iterable[Candidate]) -> Wanted:
    return Wanted("words", tuple(dict.fromkeys(one for one in found if one.value.startswith(current))))

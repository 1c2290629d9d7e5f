"""From the words of a command line to a command and its values. Global options may stand anywhere."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from headgate.cli.argument import Argument, Command
from headgate.cli.commands import BY_NAME, COMMANDS, GLOBALS, VALUED
from headgate.core.environ import variable


class Usage(Exception):
    """The command line can't be understood. `command` is as much of a command's name as was understood."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing and leaving, so that `--json` can answer in its own form."""

    command = ""

    def error(self, message: str) -> NoReturn:
        raise Usage(message + _near_choice(message), self.command)


def _near_choice(message: str) -> str:
    """The nearest of the choices, where the value is none of them."""
    found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message, re.DOTALL)
    if found is None:
        return ""
    from headgate.core.errors import nearest

    return nearest(found[1], [one.strip(" '") for one in found[2].split(",")])


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What was asked: `command` (its name), `project`, `json`, `wait`, and the command's own values.

    `command` is `help` with `topic` (a command, a group of commands, or nothing), or `version`. Raises Usage.
    """
    words, rest = _split(argv)
    name = " ".join(words)
    if _asks(rest, "-h", "--help"):
        return argparse.Namespace(command="help", topic=name, json="--json" in rest)
    if _asks(rest, "--version"):
        return argparse.Namespace(command="version", json="--json" in rest)
    if name not in BY_NAME:
        raise Usage(_unknown(name, rest), name)
    return _values(BY_NAME[name], rest)


def wants_json(argv: Sequence[str]) -> bool:
    """Whether the answer, even to a command line that makes no sense, is to be JSON."""
    return _asks(argv, "--json")


LOG_FORMAT = "HEADGATE_LOG_FORMAT"
"""What `run --log-format` is where the option is not given."""


def wants_json_log(argv: Sequence[str]) -> bool:
    """Whether standard error is to hold JSON alone, also where the command line is understood in part only."""
    given = [word for flag, word in zip(argv, [*argv[1:], ""], strict=True) if flag == "--log-format"]
    given += [word.partition("=")[2] for word in argv if word.startswith("--log-format=")]
    return "run" in argv and (given or [variable(LOG_FORMAT) or ""])[-1] == "json"


def parser_of(command: Command) -> argparse.ArgumentParser:
    """The parser of one command, with the global options."""
    parser = _Parser(
        prog=f"headgate {command.name}",
        usage=f"headgate {command.usage} [options]",
        description=command.summary[0].upper() + command.summary[1:] + ".",
        epilog=_examples(command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.command = command.name
    for argument in command.arguments:
        _add(parser, argument)
    everywhere = parser.add_argument_group("options of every command")
    for argument in GLOBALS:
        _add(everywhere, argument)
    return parser


def _add(target: Any, argument: Argument) -> None:
    target.add_argument(*argument.flags, **argument.options)


def _examples(command: Command) -> str:
    return "examples:\n" + "\n".join(f"  headgate {example}" for example in command.examples)


def _values(command: Command, rest: Sequence[str]) -> argparse.Namespace:
    parser = parser_of(command)
    # Intermixed: `run --full-refresh TABLE` and `run TABLE --full-refresh TABLE` are the same; it can't see past `--`.
    read = parser.parse_known_args if "--" in rest else parser.parse_known_intermixed_args
    given, left = read(rest)
    if left:
        raise Usage(_not_taken(left[0], command), command.name)
    given.command = command.name
    if command.name == "quarantine fix":
        for text in given.set:
            assignment(text)
    if command.name == "check":
        _check_words(given)
    if command.name == "run":
        given.log_format = given.log_format or _log_format()
    if command.name == "quarantine replay" and (given.all, given.table is not None, bool(given.id)).count(True) != 1:
        raise Usage("say what to replay: --all, or --table TABLE, or the ids of records", command.name)
    return given


def _log_format() -> str:
    told = variable(LOG_FORMAT) or "text"
    if told not in ("text", "json"):
        raise Usage(f"{LOG_FORMAT} is text or json, not {told!r}", "run")
    return told


def _check_words(given: argparse.Namespace) -> None:
    if given.fix and given.data:
        raise Usage("--fix mends files, --data counts rows: say one of them", "check")
    if given.data and given.exclude:
        raise Usage("--data counts the tables that are named; it takes no --exclude", "check")


_ASSIGNMENT = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^="]+?))\s*=(?!=)(.*\S.*)', re.DOTALL)


def assignment(text: str) -> tuple[str, str]:
    """Column and SQL of `column = expression`; a name with an equals sign stands in double quotes. Raises Usage."""
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise Usage(f'--set takes "column = SQL expression", not {text!r}', "quarantine fix")
    return (found[1].replace('""', '"') if found[1] else found[2]), found[3].strip()


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command's words, and everything else in its order."""
    words: list[str] = []
    rest: list[str] = []
    queue = list(argv)
    while queue:
        word = queue.pop(0)
        if word == "--":
            return words, [*rest, word, *queue]
        if word in VALUED and queue:
            rest += [word, queue.pop(0)]
        elif word.startswith("-") or not _leads_on([*words, word]):
            rest.append(word)
            if not word.startswith("-"):
                return words, rest + queue
        else:
            words.append(word)
    return words, rest


def _not_taken(word: str, command: Command) -> str:
    from headgate.core.errors import nearest

    flags = [flag for argument in (*command.arguments, *GLOBALS) for flag in argument.flags if flag.startswith("--")]
    return f"headgate {command.name} does not take {word!r}{nearest(word, flags)}"


def _leads_on(words: Sequence[str]) -> bool:
    return any(command.name.split()[: len(words)] == list(words) for command in COMMANDS)


def _asks(argv: Sequence[str], *flags: str) -> bool:
    before = argv[: argv.index("--")] if "--" in argv else argv
    skipped = {number + 1 for number, word in enumerate(before) if word in VALUED}
    return any(word in flags for number, word in enumerate(before) if number not in skipped)


def _unknown(name: str, rest: Sequence[str]) -> str:
    from headgate.core.errors import nearest

    known = sorted({command.name.removeprefix(name).split()[0] for command in COMMANDS if _within(command, name)})
    after = [word for number, word in enumerate(rest) if not word.startswith("-") and not _is_value(rest, number)]
    if not after:
        return f"headgate {name}: which one? {', '.join(known)}" if name else "no command given"
    said = f"{name} {after[0]}".strip()
    return f"unknown command {said!r}{nearest(after[0], known) or ': the commands are ' + ', '.join(known)}"


def _within(command: Command, name: str) -> bool:
    return not name or command.name.startswith(name + " ")


def _is_value(rest: Sequence[str], number: int) -> bool:
    return number > 0 and rest[number - 1] in VALUED

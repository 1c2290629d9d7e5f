"""The texts of `--help`."""

from __future__ import annotations

from headgate.cli.argument import Command
from headgate.cli.commands import BY_NAME, COMMANDS, GLOBALS

_HEAD = """\
Headgate: files through a contract into a warehouse, and not one row unaccounted for.

usage: headgate COMMAND [options]
"""
_FOOT = """\
begin with: headgate init --from FILES, or headgate init for a small example
exit codes: 0 ok, 1 failed or refused, 2 wrong usage or a mistake in the project's files, 130 interrupted
"""


def help_text(topic: str = "") -> str:
    """The help of a command, of a group of commands (`quarantine`), or of everything."""
    if topic in BY_NAME:
        from headgate.cli.parse import parser_of

        return parser_of(BY_NAME[topic]).format_help()
    commands = [command for command in COMMANDS if not topic or command.name.startswith(topic + " ")]
    return "\n".join((_HEAD, _list("commands:", [_line(command) for command in commands]), _options(), _FOOT))


def usage_line(name: str) -> str:
    """How the command is called, in one line."""
    return f"usage: headgate {BY_NAME[name].usage if name in BY_NAME else f'{name} COMMAND'.strip()} [options]"


def _line(command: Command) -> tuple[str, str]:
    return command.name, command.summary


def _options() -> str:
    rows = [
        (" ".join((", ".join(item.flags), item.options.get("metavar", ""))), item.options["help"]) for item in GLOBALS
    ]
    return _list("options of every command, before or after it:", [*rows, ("--version", "show the version")])


def _list(title: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join((title, *(f"  {name:<18} {text}" for name, text in rows), ""))

"""Every command as data: its words, what it does, what it takes. Help, parser and the test of the docs read this."""

from __future__ import annotations

from typing import Any, NamedTuple

PAGE = 50
"""How many records a person is shown where `--limit` says nothing."""

STATUSES = ("open", "held", "replayed", "superseded", "purged", "all")


FORMS = ("short", "odcs", "json-schema")
VERDICTS = ("breaking", "forward", "backward")


class Argument(NamedTuple):
    """Flags (or one positional name) and what argparse is told about them."""

    flags: tuple[str, ...]
    options: dict[str, Any]

    @property
    def valued(self) -> bool:
        """Whether it is an option that is followed by a value."""
        return self.flags[0].startswith("-") and "action" not in self.options


class Command(NamedTuple):
    """One command. `usage` and `examples` are without the leading `headgate`."""

    name: str
    summary: str
    usage: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()


def _argument(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


def whole_number(text: str) -> int:
    """The text as an integer from 0; argparse turns the ValueError into a usage error that has this function's name."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


whole_number.__name__ = "whole number"

GLOBALS = (
    _argument("--project", metavar="DIR", help="the project's folder (default: the nearest one with a headgate.yml)"),
    _argument("--profile", metavar="NAME", help="the settings of this profile (default: HEADGATE_PROFILE)"),
    _argument("--json", action="store_true", help="one JSON object on standard output, nothing else there"),
    _argument("--wait", action="store_true", help="wait while another run holds the warehouse"),
    _argument("-h", "--help", action="store_true", help="show this help"),
)

_TABLE = _argument("--table", metavar="TABLE", help="only records of this table")
_TABLES = _argument("table", nargs="*", metavar="TABLE", help="a table or model (default: all)")
_IDS = "id of a record, as `headgate quarantine list` shows it"


def _limit(things: str) -> Argument:
    text = f"at most N {things}, 0 = all (default: {PAGE}; with --json all)"
    return _argument("--limit", metavar="N", type=whole_number, help=text)


COMMANDS = (
    Command(
        "check",
        "look for mistakes in files, sources and contracts before anything runs",
        "check",
        examples=("check",),
    ),
    Command(
        "plan", "say what would run, in order, and why", "plan [TABLE...]", (_TABLES,), ("plan", "plan raw.orders")
    ),
    Command(
        "run",
        "make it so: load what is new, build what depends on it",
        "run [TABLE...] [--full-refresh]",
        (
            _TABLES,
            _argument("--full-refresh", action="store_true", help="read everything again and replace the tables"),
        ),
        ("run", "run raw.orders raw.customers", "run --full-refresh raw.orders"),
    ),
    Command("audit", "prove from the warehouse that the books balance", "audit", examples=("audit", "audit --json")),
    Command(
        "ledger",
        "list what was committed, newest first",
        "ledger [TABLE] [--limit N]",
        (_argument("table", nargs="?", metavar="TABLE", help="only entries of this table"), _limit("entries")),
        ("ledger", "ledger raw.orders --limit 10"),
    ),
    Command(
        "ledger adjust",
        "accept a change that was made to a table by hand, as an entry of its own",
        "ledger adjust TABLE --reason TEXT",
        (
            _argument("table", metavar="TABLE", help="the table that was changed"),
            _argument("--reason", metavar="TEXT", required=True, help="why it was changed; kept in the books"),
        ),
        ('ledger adjust raw.orders --reason "deleted the test orders of 3 June"',),
    ),
    Command(
        "quarantine list",
        "list refused records with every reason",
        "quarantine list [--table TABLE] [--status STATUS] [--limit N]",
        (
            _TABLE,
            _argument("--status", choices=STATUSES, default="open", help="which records (default: open)"),
            _limit("records"),
        ),
        ("quarantine list", "quarantine list --table raw.orders --limit 5", "quarantine list --status held"),
    ),
    Command(
        "quarantine show",
        "show refused records whole: reasons, place, original text, columns",
        "quarantine show ID...",
        (_argument("id", nargs="+", metavar="ID", help=_IDS),),
        ("quarantine show ID",),
    ),
    Command(
        "quarantine replay",
        "judge refused records again, by the contract as it stands now",
        "quarantine replay --all | --table TABLE | ID...",
        (
            _argument("id", nargs="*", metavar="ID", help=_IDS),
            _TABLE,
            _argument("--all", action="store_true", help="every open record"),
        ),
        ("quarantine replay --all", "quarantine replay --table raw.orders", "quarantine replay ID"),
    ),
    Command(
        "contract show",
        "write the contract of a table in one of three forms",
        "contract show TABLE [--as FORM]",
        (
            _argument("table", metavar="TABLE", help="a table that an ingest file loads"),
            _argument("--as", dest="form", choices=FORMS, default="short", help="how (default: short)"),
        ),
        ("contract show raw.orders", "contract show raw.orders --as odcs"),
    ),
    Command(
        "contract diff",
        "say what changed between two contracts, and whom it breaks",
        "contract diff OLD NEW [--fail-on VERDICT]",
        (
            _argument("old", metavar="OLD", help="a contract's file, an ingest file, or a table"),
            _argument("new", metavar="NEW", help="another"),
            _argument("--fail-on", choices=VERDICTS, help="exit with 1 if this is the verdict"),
        ),
        ("contract diff raw.orders new.odcs.yaml", "contract diff old.schema.json raw.orders --fail-on breaking"),
    ),
    Command(
        "query",
        "look at tables, read-only",
        "query SQL [--limit N]",
        (_argument("sql", metavar="SQL", help="one SELECT statement"), _limit("rows")),
        ('query "select status, count(*) from raw.orders group by all"',),
    ),
)

BY_NAME = {command.name: command for command in COMMANDS}

VALUED = {
    flag
    for arguments in (GLOBALS, *(command.arguments for command in COMMANDS))
    for argument in arguments
    if argument.valued
    for flag in argument.flags
}
"""Options whose next word is their value, in any command."""

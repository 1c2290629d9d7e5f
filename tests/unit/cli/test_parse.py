"""Command lines: global options anywhere, commands in two words, and what is said of a wrong one."""

from __future__ import annotations

import shlex

import pytest

from headgate.cli.argument import Command
from headgate.cli.commands import COMMANDS, GLOBALS, VALUED
from headgate.cli.help import help_text
from headgate.cli.parse import Usage, assignment, parse, parser_of, wants_json


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run", {"command": "run", "table": [], "full_refresh": False, "json": False, "wait": False, "project": None}),
        ("--json --project p run", {"command": "run", "json": True, "project": "p"}),
        ("run --json --project=p", {"command": "run", "json": True, "project": "p"}),
        ("--project p run --project q", {"project": "q"}),
        ("--wait run a --full-refresh b", {"wait": True, "full_refresh": True, "table": ["a", "b"]}),
        ("run --full-refresh a", {"full_refresh": True, "table": ["a"]}),
        ("--project run plan", {"command": "plan", "project": "run"}),
        ("ledger", {"command": "ledger", "table": None, "limit": None}),
        ("ledger --limit 3 raw.a", {"command": "ledger", "table": "raw.a", "limit": 3}),
        ("ledger adjust raw.a --reason 'by hand'", {"command": "ledger adjust", "table": "raw.a", "reason": "by hand"}),
        ("ledger --json adjust --reason=r raw.a", {"command": "ledger adjust", "json": True, "table": "raw.a"}),
        ("quarantine --json list --table t", {"command": "quarantine list", "table": "t", "status": "open"}),
        ("quarantine show a b", {"command": "quarantine show", "id": ["a", "b"]}),
        ("quarantine replay a --wait b", {"command": "quarantine replay", "id": ["a", "b"], "wait": True}),
        ("quarantine replay --all", {"id": [], "all": True}),
        ("query 'select 1' --limit 0", {"command": "query", "sql": "select 1", "limit": 0}),
        ("query '-- a remark\nselect 1'", {"sql": "-- a remark\nselect 1"}),
        ("query -- -1", {"sql": "-1"}),
        ("query run", {"command": "query", "sql": "run"}),
    ],
)
def test_what_a_command_line_means(line: str, expected: dict[str, object]) -> None:
    given = vars(parse(shlex.split(line)))
    assert {name: given[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("line", "message", "command"),
    [
        ("", "no command given", ""),
        ("--json", "no command given", ""),
        ("runn", "unknown command 'runn' (did you mean 'run'?)", ""),
        (
            "--project p xyz",
            "unknown command 'xyz': the commands are adopt, audit, check, completion, contract, explain, health, init",
            "",
        ),
        ("quarantine", "headgate quarantine: which one? export, fix, list, purge, replay, sample, show", "quarantine"),
        ("quarantine lst", "unknown command 'quarantine lst' (did you mean 'list'?)", "quarantine"),
        ("run --fullrefresh", "headgate run does not take '--fullrefresh' (did you mean '--full-refresh'?)", "run"),
        ("audit raw.a", "headgate audit does not take 'raw.a'", "audit"),
        ("check --data --exclude a", "it takes no --exclude", "check"),
        ("check --fix --data", "--fix mends files, --data counts rows: say one of them", "check"),
        ("ledger adjust raw.a", "the following arguments are required: --reason", "ledger adjust"),
        ("ledger adjust --reason r", "the following arguments are required: TABLE", "ledger adjust"),
        ("query", "the following arguments are required: SQL", "query"),
        ("query x --limit -1", "argument --limit: invalid whole number value: '-1'", "query"),
        ("run --threads 0", "argument --threads: invalid number above 0 value: '0'", "run"),
        ("query x --limit many", "argument --limit: invalid whole number value: 'many'", "query"),
        ("quarantine list --status done", "invalid choice: 'done'", "quarantine list"),
        ("quarantine show", "the following arguments are required: ID", "quarantine show"),
        (
            "quarantine replay",
            "say what to replay: --all, or --table TABLE, or the ids of records",
            "quarantine replay",
        ),
        ("quarantine replay --all a", "say what to replay", "quarantine replay"),
        ("quarantine replay --all --table t", "say what to replay", "quarantine replay"),
    ],
)
def test_what_is_said_of_a_wrong_command_line(line: str, message: str, command: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(shlex.split(line))
    assert message in str(caught.value)
    assert caught.value.command == command


@pytest.mark.parametrize("line", ["--help", "-h", "run --help", "--help run", "quarantine -h", "ledger adjust --help"])
def test_help_is_found_anywhere(line: str) -> None:
    given = parse(line.split())
    assert given.command == "help"
    assert given.topic == line.replace("--help", "").replace("-h", "").strip()


def test_a_value_is_not_an_option() -> None:
    assert parse(["ledger", "adjust", "t", "--reason=--help"]).reason == "--help"
    assert not wants_json(["query", "--", "--json"])
    assert not wants_json(["--project", "--json", "run"])
    assert wants_json(["nonsense", "--json"])


def test_options_that_take_a_value_are_known() -> None:
    taking = {
        "--project",
        "--profile",
        "--table",
        "--limit",
        "--status",
        "--reason",
        "--rule",
        "--column",
        "--partition",
        "--as",
        "--fail-on",
    }
    taking |= {"--since", "--per-reason", "--set", "--raw", "--from", "--to", "--revision", "--older-than", "--kind"}
    taking |= {"--source", "--name", "--warehouse", "--tolerate", "--tier", "--sample", "--log-format", "--out"}
    taking |= {"--samples", "--depth", "--select", "--exclude", "--threads", "--vars", "--backfill"}
    assert taking == VALUED
    for command in COMMANDS:
        for action in parser_of(command)._actions:
            assert all((flag in VALUED) == (action.nargs in (None, "+")) for flag in action.option_strings)


def test_the_help_names_every_command_and_global_option() -> None:
    text = help_text()
    for command in COMMANDS:
        assert f"  {command.name} " in text
        assert command.summary in text
    for argument in GLOBALS:
        assert argument.flags[-1] in text
    assert "0 ok, 1 failed or refused, 2 wrong usage" in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_help_of_a_command_names_its_options_and_its_examples_parse(command: Command) -> None:
    text = help_text(command.name)
    for argument in command.arguments:
        assert argument.options.get("metavar", argument.flags[0]) in text
    assert command.examples
    for example in command.examples:
        assert parse(shlex.split(example)).command == command.name


def test_the_help_of_a_group_lists_the_group() -> None:
    text = help_text("quarantine")
    assert "quarantine replay" in text
    assert "full" not in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("amount = 1", ("amount", "1")),
        ("amount=replace(amount, '=', '')", ("amount", "replace(amount, '=', '')")),
        ('"a = ""b""" = upper(x)', ('a = "b"', "upper(x)")),
        (" Order ID  = NULL ", ("Order ID", "NULL")),
    ],
)
def test_an_assignment_is_a_column_and_an_expression(text: str, found: tuple[str, str]) -> None:
    assert assignment(text) == found


@pytest.mark.parametrize("text", ["amount", "= 1", "amount =", "amount == 1", ""])
def test_what_is_no_assignment_is_told(text: str) -> None:
    with pytest.raises(Usage, match="column = SQL expression"):
        parse(["quarantine", "fix", "1", "--set", text, "--reason", "x"])

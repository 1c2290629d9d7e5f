"""Every command as data: its words, what it does, what it takes. Help, parser and the test of the docs read this."""

from __future__ import annotations

from headgate.cli.argument import Argument, Command, positive, share, whole_number
from headgate.cli.argument import argument as _argument

PAGE = 50
"""How many records a person is shown where `--limit` says nothing."""

STATUSES = ("open", "held", "replayed", "superseded", "purged", "all")


SHELLS = ("bash", "zsh", "fish")
FORMS = ("short", "odcs", "json-schema")
VERDICTS = ("breaking", "forward", "backward")

GLOBALS = (
    _argument("--project", metavar="DIR", help="the project's folder (default: the nearest one with a headgate.yml)"),
    _argument("--profile", metavar="NAME", help="the settings of this profile (default: HEADGATE_PROFILE)"),
    _argument("--vars", metavar="YAML", help="what var() in models answers: 'day: 2024-01-01'"),
    _argument("--json", action="store_true", help="one JSON object on standard output, nothing else there"),
    _argument("--wait", action="store_true", help="wait while another run holds the warehouse"),
    _argument("--no-progress", action="store_true", help="show no progress on the terminal"),
    _argument("--quiet", "-q", action="store_true", help="neither progress nor hints of what to do next"),
    _argument("-h", "--help", action="store_true", help="show this help"),
)

_TABLE = _argument("--table", metavar="TABLE", help="only records of this table")
_RULE = _argument("--rule", metavar="RULE", help="only records that this rule refused, e.g. min or type")
_REASON = _argument("--reason", "--rule", dest="rule", metavar="RULE", help="only what this rule refused, e.g. min")
_WHERE = (
    _argument("--column", metavar="COLUMN", help="only records that a rule of this column refused"),
    _argument("--partition", metavar="PARTITION", help="only records of this file (`from`, without the line)"),
    _argument("--since", metavar="WHEN", help="only records refused since: 2026-06-01, a time, or an age (12h, 7d)"),
)
_UNMASK = _argument(
    "--unmask", action="store_true", help="show values of columns marked pii; the books note who saw them"
)
_SOME_IDS = _argument("id", nargs="*", metavar="ID", help="id of a record, as `headgate quarantine list` shows it")
_ALL = _argument("--all", action="store_true", help="every open record")
_STEPS = (
    _argument(
        "table",
        nargs="*",
        metavar="STEP",
        help="a table, model or folder; +NAME, NAME+, 2+NAME, @NAME, gold.*, tag:X, path:X, source:X, state:X;"
        " words with a comma between them: both (default: all)",
    ),
    _argument("--select", metavar="STEP", nargs="+", help="the same, as an option"),
    _argument("--exclude", metavar="STEP", nargs="+", help="all but these"),
)
_FULL_REFRESH = _argument("--full-refresh", action="store_true", help="read everything again and replace the tables")
_BACKFILL = _argument(
    "--backfill", metavar="FROM..TO", help="build the intervals of this time once more (models by time)"
)
_RESUME = _argument(
    "--resume", action="store_true", help="only what failed, was blocked or did not run in the last run of these steps"
)
_IDS = "id of a record, as `headgate quarantine list` shows it"


def _limit(things: str) -> Argument:
    text = f"at most N {things}, 0 = all (default: {PAGE}; with --json all)"
    return _argument("--limit", metavar="N", type=whole_number, help=text)


COMMANDS = (
    Command(
        "init",
        "make a project: out of your files, or with a small example",
        "init [--from FILES...] [--name NAME] [--warehouse URL] [--with-models] [--tolerate SHARE]",
        (
            _argument(
                "--from", metavar="FILES", dest="files", nargs="+", help="files, folders or globs to make tables of"
            ),
            _argument("--name", metavar="NAME", help="the project's name (default: the folder's)"),
            _argument(
                "--warehouse", metavar="URL", help="duckdb:FILE, or postgres://... (default: duckdb:warehouse.duckdb)"
            ),
            _argument("--with-models", action="store_true", dest="models", help="write a view over each table, too"),
            _argument(
                "--tolerate",
                metavar="SHARE",
                type=share,
                default=0.0,
                help="the share of values that may contradict a type or a key, to be refused (default: 0%%)",
            ),
        ),
        ("init", "init --from data", "init --from exports/*.csv --project shop --tolerate 1%"),
        anywhere=True,
    ),
    Command(
        "profile",
        "say what stands in files, tables and models: types, gaps, values, keys",
        "profile [FILE... | TABLE... | MODEL...] [--tier 0|1|2] [--sample N]",
        (
            _argument(
                "what", nargs="*", metavar="TABLE", help="a file, folder, glob, table or model (default: all tables)"
            ),
            _argument(
                "--tier",
                metavar="N",
                type=int,
                choices=(0, 1, 2),
                default=1,
                help="0: rows, NULLs, bounds; 1: all measures; 2: shapes, keys, references, outliers too (default: 1)",
            ),
            _argument(
                "--sample", metavar="N", type=whole_number, help="look at N rows, drawn at random (default: all)"
            ),
        ),
        ("profile data/orders.csv", "profile raw.orders --tier 2", "profile data --json"),
        anywhere=True,
    ),
    Command(
        "check",
        "look for mistakes in files, sources and contracts, or in the rows that stand in tables",
        "check [STEP...] [--exclude STEP...] [--fix | --data]",
        (
            *_STEPS,
            _argument("--fix", action="store_true", help="put right what is certainly meant otherwise, and show it"),
            _argument(
                "--data", action="store_true", help="count the rows that break rules and tests in tables as they stand"
            ),
        ),
        ("check", "check +gold.orders", "check --fix", "check --data", "check --data raw.orders --json"),
    ),
    Command(
        "plan",
        "say what would run, in order, and why",
        "plan [STEP...] [--exclude STEP...] [--full-refresh] [--backfill FROM..TO] [--resume]",
        (*_STEPS, _FULL_REFRESH, _BACKFILL, _RESUME),
        (
            "plan",
            "plan raw.orders+",
            "plan state:stale",
            "plan --backfill 2024-01-01..2024-02-01",
            "plan --resume",
        ),
    ),
    Command(
        "lineage",
        "say where columns come from, and what is made of them",
        "lineage [NAME] [--up] [--down] [--depth N]",
        (
            _argument(
                "name", nargs="?", metavar="NAME", help="a table, model or exposure, or one column: orders.amount"
            ),
            _argument("--up", action="store_true", help="only where it comes from"),
            _argument("--down", action="store_true", help="only what is made of it"),
            _argument("--depth", metavar="N", type=whole_number, help="so many tables far, 0 = all (default: all)"),
        ),
        ("lineage daily_sales.revenue --up", "lineage raw.orders.amount --down", "lineage daily_sales --json"),
    ),
    Command(
        "explain",
        "say what the code of a finding means, or what a step does and where its time goes",
        "explain [CODE | STEP] [--analyze] [--full-refresh]",
        (
            _argument(
                "what",
                nargs="?",
                metavar="CODE",
                help="a finding's code, or a table or model; code:NAME, step:NAME if it is both (default: all codes)",
            ),
            _argument(
                "--analyze",
                action="store_true",
                help="run the model's query, keep no row, and show time and rows of each operator",
            ),
            _argument("--full-refresh", action="store_true", help="of a run that builds all of it anew"),
        ),
        ("explain refuse-limit", "explain daily_sales", "explain daily_sales --analyze"),
        anywhere=True,
    ),
    Command(
        "run",
        "make it so: load what is new, build what depends on it",
        "run [STEP...] [--exclude STEP...] [--resume] [--full-refresh] [--backfill FROM..TO] [--fail-fast]"
        " [--threads N]",
        (
            *_STEPS,
            _FULL_REFRESH,
            _argument("--fail-fast", action="store_true", help="begin no step after one that did not succeed"),
            _argument(
                "--threads",
                metavar="N",
                type=positive,
                help="carry out N steps that don't need each other at once (default: threads: of headgate.yml, or 1)",
            ),
            _BACKFILL,
            _RESUME,
            _argument(
                "--log-format",
                choices=("text", "json"),
                help="json: on standard error one JSON object a line for each event (default: HEADGATE_LOG_FORMAT or"
                " text, progress only)",
            ),
        ),
        (
            "run",
            "run +gold.daily",
            "run tag:hourly --exclude raw.clicks",
            "run daily --backfill 2024-01-01..2024-02-01",
            "run --full-refresh raw.orders",
            "run --resume",
        ),
    ),
    Command(
        "runs",
        "list what ran, latest first, or show one run with its steps",
        "runs [RUN] [--limit N]",
        (
            _argument("run", nargs="?", metavar="RUN", help="id of a run or its beginning, or last: show its steps"),
            _limit("runs"),
        ),
        ("runs", "runs last", "runs --limit 5 --json"),
    ),
    Command(
        "health",
        "say whether tables are fresh, of usual size and shape, balanced, and how good what came in is",
        "health",
        examples=("health", "health --json"),
    ),
    Command(
        "report",
        "write the page that shows all of it: one HTML file that makes no request",
        "report [--out FILE] [--samples N] [--open]",
        (
            _argument("--out", metavar="FILE", help="where (default: .headgate/report.html)"),
            _argument(
                "--samples",
                metavar="N",
                type=whole_number,
                help="show N refused records of each reason, values of columns marked pii hidden (default: none)",
            ),
            _argument("--open", action="store_true", help="show it in the browser"),
        ),
        ("report", "report --out public/index.html --samples 3", "report --open"),
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
        "schema history",
        "list how the columns and contracts of tables changed, newest first",
        "schema history [TABLE] [--limit N]",
        (_argument("table", nargs="?", metavar="TABLE", help="only changes of this table"), _limit("changes")),
        ("schema history", "schema history raw.orders"),
    ),
    Command(
        "adopt",
        "give books to a table that somebody else made, rows and all",
        "adopt TABLE [--source seen|new] [--quarantine] [--dry-run]",
        (
            _argument("table", metavar="TABLE", help="a table of the warehouse for which an ingest file stands"),
            _argument(
                "--source",
                choices=("seen", "new"),
                help="what its source holds now: its rows are in the table already, or the next run adds them",
            ),
            _argument("--quarantine", action="store_true", help="move rows there that break the contract"),
            _argument("--dry-run", action="store_true", help="change nothing; say what would become of it"),
        ),
        ("adopt raw.orders --source seen --dry-run", "adopt raw.orders --source new --quarantine"),
    ),
    Command(
        "restore",
        "bring back the table that a replace or a full refresh took the place of",
        "restore TABLE",
        (_argument("table", metavar="TABLE", help="the table that was replaced"),),
        ("restore raw.orders",),
    ),
    Command(
        "quarantine list",
        "list refused records with every reason",
        "quarantine list [--table TABLE] [--status STATUS] [--reason RULE] [--column COLUMN] [--limit N]",
        (
            _TABLE,
            _argument("--status", choices=STATUSES, default="open", help="which records (default: open)"),
            _REASON,
            *_WHERE,
            _UNMASK,
            _limit("records"),
        ),
        (
            "quarantine list",
            "quarantine list --table raw.orders --limit 5",
            "quarantine list --reason min --column amount --since 7d",
            "quarantine list --status held",
        ),
    ),
    Command(
        "quarantine sample",
        "show some records of each reason, and how many there are",
        "quarantine sample [--table TABLE] [--per-reason N]",
        (
            _TABLE,
            _argument("--per-reason", metavar="N", type=whole_number, default=3, help="records of each (default: 3)"),
            _argument("--status", choices=STATUSES, default="open", help="which records (default: open)"),
            _REASON,
            *_WHERE,
            _UNMASK,
        ),
        ("quarantine sample", "quarantine sample --table raw.orders --per-reason 1"),
    ),
    Command(
        "quarantine show",
        "show refused records whole: reasons, place, original text, columns, fixes",
        "quarantine show ID...",
        (_argument("id", nargs="+", metavar="ID", help=_IDS), _UNMASK),
        ("quarantine show ID",),
    ),
    Command(
        "quarantine fix",
        "change what refused records say; what they said before is kept",
        'quarantine fix ID... | FILTERS --set "COLUMN = EXPRESSION" --reason TEXT',
        (
            _SOME_IDS,
            _argument(
                "--set",
                metavar="ASSIGNMENT",
                action="append",
                default=[],
                help='"column = SQL expression" over the columns of the record, which are texts; again for another',
            ),
            _argument("--raw", metavar="TEXT", help="the whole record anew, where it could not be taken apart (CSV)"),
            _argument("--from", dest="file", metavar="FILE", help="an edited export (.csv or .ndjson)"),
            _argument("--reason", metavar="TEXT", default="", help="why; kept in the books"),
            _argument("--dry-run", action="store_true", help="change nothing; show before, after, what would pass"),
            _argument("--replay", action="store_true", help="send them through the gate again at once"),
            _argument("--revision", metavar="N", type=whole_number, help="the revision that was seen; no other"),
            _TABLE,
            _ALL,
            _RULE,
            *_WHERE,
            _limit("changes"),
        ),
        (
            "quarantine fix ID --set \"amount = replace(amount, ',', '.')\" --dry-run",
            "quarantine fix --table raw.orders --rule type --column amount"
            " --set \"amount = replace(amount, ',', '.')\" --reason 'decimal commas' --replay",
            "quarantine fix --from edit.csv --reason 'mended by the shop'",
        ),
    ),
    Command(
        "quarantine export",
        "write refused records into a file, to be looked at or edited",
        "quarantine export --to FILE [ID... | FILTERS]",
        (
            _SOME_IDS,
            _argument("--to", metavar="FILE", required=True, help="a new .csv, .ndjson or .parquet file"),
            _argument("--spreadsheet", action="store_true", help="make cells harmless that begin like a formula"),
            _TABLE,
            _argument("--status", choices=STATUSES, default="open", help="which records (default: open)"),
            _REASON,
            *_WHERE,
            _UNMASK,
        ),
        ("quarantine export --table raw.orders --to edit.csv", "quarantine export --to all.parquet --status all"),
    ),
    Command(
        "quarantine purge",
        "erase what refused records say; a receipt stays in the ledger",
        "quarantine purge ID... | FILTERS --reason TEXT --yes",
        (
            _SOME_IDS,
            _argument("--reason", metavar="TEXT", default="", help="why; kept in the books"),
            _argument("--yes", action="store_true", help="do it; without it only their number is told"),
            _argument("--older-than", metavar="AGE", help="only records refused before: 30d, or a date"),
            _TABLE,
            _argument(
                "--status",
                choices=("open", "replayed", "superseded", "all"),
                default="open",
                help="which records (default: open)",
            ),
            _ALL,
            _RULE,
            *_WHERE,
        ),
        (
            "quarantine purge --older-than 30d --status all --reason 'retention of 30 days' --yes",
            "quarantine purge ID --reason 'asked by the customer' --yes",
        ),
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
        "schema editor",
        "print the JSON Schema by which an editor checks and completes project files",
        "schema editor [--kind KIND]",
        (
            _argument(
                "--kind",
                choices=("ingest", "project", "models", "tasks"),
                default="ingest",
                help="of which files (default: ingest); project is headgate.yml",
            ),
        ),
        ("schema editor", "schema editor --kind project"),
    ),
    Command(
        "completion",
        "print the script by which a shell completes commands, options and names of the project",
        "completion SHELL",
        (_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish"),),
        ("completion bash", "completion zsh", "completion fish"),
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

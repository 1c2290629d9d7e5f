"""Hypothesis strategies for whole histories of a pipeline: contracts, files with every fault, slicings, crashes.

What they draw is oracle data; `short_form`, `ingest_form` and `to_csv` say the same in the spellings of users, so that
one case drives the oracle and the real system. Domains are small on purpose: keys collide, limits are met exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from hypothesis import strategies as st

from headgate.testing import called
from headgate.testing.oracle.loads import full_refresh, load, replay
from headgate.testing.oracle.model import (
    Column,
    Contract,
    CrossRule,
    Disposition,
    Duplicates,
    Fields,
    File,
    Flow,
    Keep,
    Limit,
    Malformed,
    Reference,
    Row,
    Rule,
    Severity,
    State,
    Unique,
)
from headgate.testing.oracle.restore import restore
from headgate.testing.oracle.values import spelling
from headgate.testing.render import ingest_form, short_form, to_csv

__all__ = [
    "PARENTS",
    "TYPES",
    "Step",
    "contracts",
    "crash_schedules",
    "files",
    "flows",
    "histories",
    "ingest_form",
    "interleavings",
    "parents",
    "play",
    "records",
    "short_form",
    "slicings",
    "texts",
    "to_csv",
]

TABLE = "raw.orders"
PARENTS = "raw.parents"
"""The table that references point to; its columns `pid` and `qid` (int) hold 1 and 2, 2 and NULL, NULL and 1 in
`parents()`."""

TYPES = (
    "int", "bigint", "decimal(5,2)", "decimal(38,9)", "double", "text", "text(3)", "bool", "date", "timestamp",
    "timestamptz", "time", "uuid", "json", "binary",
)  # fmt: skip

DISPOSITIONS: tuple[Disposition, ...] = (
    "append", "append", "upsert", "upsert", "insert", "replace", "partition", "scd2",
)  # fmt: skip

_UUID = "0a0b0c0d-0000-4000-8000-00000000000"
_GOOD: dict[str, list[str]] = {
    "int": ["1", "2", "3", "4", "5", "+2", "007", "-1"],
    "decimal": ["1", "2.50", "3.", ".5", "-1.00", "99.1000", "+007.25"],
    "double": ["1", "2.5", "-0", "1e2", "NaN", "-inf", "0.1"],
    "text": ["a", "b", "c", "é", "", "😀b"],
    "bool": ["true", "F", "yes", "0", "On"],
    "date": ["2024-02-29", "0001-01-01", "2024-01-02", "9999-12-31"],
    "timestamp": ["2024-01-02", "2024-01-02T03:04", "2024-01-02 03:04:05.1234560", "2024-01-02 03:04:05.5"],
    "timestamptz": ["2024-01-02", "2024-01-02 03:04Z", "2024-01-02T03:04:05+0530", "2024-01-02 03:04-01"],
    "time": ["03:04", "23:59:59.5", "00:00:00.0000010"],
    "uuid": [_UUID + "1", _UUID.upper() + "2"],
    "json": ["1", '{"a": [1, null]}', ' "x" ', "-0.5e3", "[]"],
    "binary": ["\\x", "\\x00ff", "\\xABcd"],
}
_NEAR: dict[str, list[str]] = {
    "int": ["1.0", "0x1F", "1_000", " 1", "1 ", "1e3", "", "９", "9223372036854775808", "x"],
    "decimal": ["1e2", "1,5", "1.2345678901", ".", "", " 1", "nan", "9" * 40, "--1"],
    "double": ["1e999", "1e-999", "0x1p3", "1_0", "", ".", "infinit", "1 "],
    "text": ["long text", " a", "a,b", 'say "a"', "two\nlines", "null", "#a", "'"],
    "bool": ["2", "truee", "", " true", "null"],
    "date": ["2024-02-30", "2024-1-2", "2024-01-02 junk", "20240102", "0000-01-01", "", "2024-01-02 "],
    "timestamp": ["2024-01-02 24:00", "2024-01-02T03:04Z", "2024-01-02 03:04:05.1234567", "2024-01-02  03:04", ""],
    "timestamptz": ["2024-01-02 03:04+16", "2024-01-02 03:04 UTC", "2024-02-30 00:00Z", "2024-01-02T", ""],
    "time": ["24:00", "3:04", "12:60", "12:00Z", ""],
    "uuid": ["0a0b0c0d00004000800000000000000f", "{" + _UUID + "1}", _UUID, ""],
    "json": ["{a: 1}", "NaN", "[1,]", "01", "'a'", '"\\ud800"', ""],
    "binary": ["00ff", "\\x0", "\\xgg", ""],
}


def _texts_of(name: str) -> str:
    return "int" if name == "bigint" else name


def texts(type_spelling: str) -> st.SearchStrategy[str | None]:
    """Texts for a column of the type: mostly values, some near misses, some NULL."""
    # The rare sides of the dice here are inner ones: Hypothesis draws the ends of a range more often than the rest.
    name = _texts_of(spelling(type_spelling)[0])
    good, near = st.sampled_from(_GOOD[name]), st.sampled_from(_NEAR[name])
    return st.integers(0, 11).flatmap(lambda die: near if die == 5 else st.none() if die == 7 else good)


# Contracts


@st.composite
def _columns(draw: st.DrawFn, name: str, types: Sequence[str], severity: Severity) -> Column:
    type_ = draw(st.sampled_from(types))
    required: Severity | None = severity if draw(st.booleans()) else None
    source = draw(st.sampled_from(["", "", f"The {name}"]))
    return Column(name, type_, source, required, rules=draw(_rules(type_, severity)))


def _rules(type_spelling: str, severity: Severity) -> st.SearchStrategy[tuple[Rule, ...]]:
    name = spelling(type_spelling)[0]
    number: Any = Decimal if name in ("decimal", "double") else int
    rules: list[tuple[str, tuple[Any, ...]]] = []
    if name in ("int", "bigint", "decimal", "double"):
        rules = [("min", (number(2),)), ("max", (number(4),)), ("between", (number(0), number(3)))]
        rules += [("in", (number(1), number(3), number(-1))), ("not_in", (number(1), number(5)))]
        rules += [("above", (number(1),)), ("below", (number(4),))]
        rules += [("multiple_of", (number(2),))] if name != "double" else []
    elif name == "text":
        rules = [("length", (1, 2)), ("pattern", ("^[a-c]+$",)), ("pattern", ("b",)), ("in", ("a", "b", "c"))]
        rules += [("not_in", ("a",)), ("length", (2, None))]
    made = [Rule(code, args, severity) for code, args in rules]
    none: st.SearchStrategy[tuple[Rule, ...]] = st.just(())
    some = st.lists(st.sampled_from(made), max_size=2, unique_by=lambda rule: rule.code).map(tuple) if made else none
    return st.one_of(none, some)


def _compare(left: str, right: Any, symbol: Literal["<=", "<>"]) -> CrossRule:
    """`left <= right` (two columns) or `left <> right` (a column and a value), with SQL's NULL."""

    def check(row: Row) -> bool | None:
        a, b = row[left], row[right] if symbol == "<=" else right
        if a is None or b is None:
            return None
        return bool(a <= b) if symbol == "<=" else bool(a != b)

    shown = f"'{right}'" if isinstance(right, str) and symbol == "<>" else right
    return CrossRule(f"check_{left}", check, f"{left} {symbol} {shown}")


def _either(left: str, right: str) -> CrossRule:
    return CrossRule(
        f"either_{left}",
        lambda row: row[left] is not None or row[right] is not None,
        f"{left} is not null or {right} is not null",
    )


def _equals(name: str, column: str, value: Any) -> CrossRule:
    shown = f"'{value}'" if isinstance(value, str) else value
    return CrossRule(name, lambda row: None if row[column] is None else row[column] == value, f"{column} = {shown}")


def _conditions(columns: Sequence[Column]) -> list[CrossRule]:
    """Rules across columns that these columns allow."""
    whole = [column.name for column in columns if spelling(column.type)[0] in ("int", "bigint", "decimal")]
    found = [_compare(a, b, "<=") for a, b in pairwise(whole)]
    found += [_compare(name, 3, "<>") for name in whole]
    found += [_compare(column.name, "a", "<>") for column in columns if spelling(column.type)[0] == "text"]
    return [*found, _either(columns[0].name, columns[1].name)]


def _limits() -> st.SearchStrategy[Limit | None]:
    shares = st.sampled_from(["0", "0.05", "0.29", "0.5", "1"]).map(lambda share: Limit.of("share", share))
    rows = st.integers(0, 3).map(lambda rows: Limit.of("rows", rows))
    return st.integers(0, 5).flatmap(lambda die: shares if die == 2 else rows if die == 3 else st.none())


@st.composite
def contracts(
    draw: st.DrawFn,
    types: Sequence[str] = TYPES,
    references: Sequence[str] = (f"{PARENTS}.pid",),
    keeps: Sequence[Keep] = ("first", "first", "last", "none"),
    limits: bool = True,
    calls: bool = False,
) -> Contract:
    """Contracts with an int column `id`, an int column `n` and up to three columns of `types`, all of it expressible
    in the short form. With `calls`, some have rules in Python of `testing.called`. `references` are the columns
    (`schema.table.column`, of type int) that `n` may refer to, alone or together with `id`."""
    id_ = Column("id", "int", required=draw(st.sampled_from([None, "error"])), key=draw(st.booleans()))
    levels: st.SearchStrategy[Severity] = st.sampled_from(["error", "error", "warn"])
    severity = draw(levels)
    number = replace(draw(_columns("n", ("int", "bigint"), severity)), source="")
    names = ("v", "w", "x")[: draw(st.integers(0, 3))]
    columns = (id_, number, *(draw(_columns(name, types, draw(levels))) for name in names))
    conditions = draw(st.lists(st.sampled_from(_conditions(columns)), max_size=1))
    skip = draw(st.lists(st.sampled_from([_equals("test_orders", "id", 5), _equals("nothing", "n", -1)]), max_size=1))
    unique = draw(st.sampled_from([(), (), *((Unique((name,), keep),) for name in ("id", "n") for keep in keeps)]))
    refers: tuple[Reference, ...] = ()
    if references and draw(st.integers(0, 3)) == 2:
        table, _, column = draw(st.sampled_from(references)).rpartition(".")
        refers = (Reference(("n",), table, (column,), severity),)
        if draw(st.booleans()):
            others = ("pid", "qid") if table == PARENTS else ("id", "n")
            refers = (*refers[: draw(st.integers(0, 1))], Reference(("n", "id"), table, others, severity, code="pair"))
    limit = draw(_limits()) if limits else None
    judges = draw(st.lists(st.sampled_from(called.NAMES), max_size=2, unique=True)) if calls else []
    made = tuple(called.call(name, draw(levels)) for name in judges)
    return Contract(columns, tuple(conditions), tuple(skip), unique, refers, limit, made)


def _unmatched(reference: Reference, kept: set[str]) -> st.SearchStrategy[Reference]:
    """The reference, or one that empties what is not there; one to the own table can't, nor of columns that are
    `kept`."""
    emptying = replace(reference, severity="error", nulls=True)
    fixed = reference.to_table == TABLE or kept & set(reference.columns)
    return st.sampled_from([reference] if fixed else [reference, emptying, emptying])


def _kept(contract: Contract, keys: Sequence[str], order_by: str | None) -> set[str]:
    """The columns of `n` and `id` that no reference may empty."""
    kept = {one.name for one in contract.columns if one.required == "error" or one.key} | {*keys, order_by or ""}
    return kept | {name for name in ("n", "id") if any(re.search(rf"\b{name}\b", one.sql) for one in contract.rules)}


@st.composite
def flows(
    draw: st.DrawFn,
    dispositions: Sequence[Disposition] = DISPOSITIONS,
    made: st.SearchStrategy[Contract] | None = None,
) -> Flow:
    """Flows into raw.orders. Upsert and insert are by `id`, the first with or without `order_by: n`; `partition` is by
    `id` or by `n`; scd2 is by `id` and ordered by `n`."""
    contract = draw(made if made is not None else contracts())
    disposition = draw(st.sampled_from(dispositions))
    if disposition in ("replace", "partition") and contract.refuse_at_most is None and draw(st.booleans()):
        contract = replace(contract, refuse_at_most=Limit.of("share", 1))
    if disposition == "scd2":  # every version of an identity repeats what is unique in one
        references = tuple(one for one in contract.references if one.to_table != TABLE)
        columns = tuple(replace(one, required=None) if one.name == "n" else one for one in contract.columns)
        contract = replace(contract, columns=columns, uniques=(), references=references)
    duplicates: st.SearchStrategy[Duplicates] = st.sampled_from(["latest", "latest", "refuse"])
    upsert = disposition == "upsert"
    keys = ("id",) if disposition in ("upsert", "insert", "scd2") else ()
    keys = (draw(st.sampled_from(["id", "n"])),) if disposition == "partition" else keys
    snapshots = disposition == "scd2" and draw(st.booleans())
    if snapshots and contract.refuse_at_most is None and draw(st.integers(0, 3)) < 3:
        contract = replace(contract, refuse_at_most=Limit.of("share", 1))
    free = all(column.required != "error" for column in contract.columns if column.name == "n")
    order_by = "n" if disposition == "scd2" or (upsert and free and draw(st.booleans())) else None
    if disposition != "scd2":
        kept = _kept(contract, keys, order_by)
        contract = replace(contract, references=tuple(draw(_unmatched(one, kept)) for one in contract.references))
    return Flow(
        TABLE,
        contract,
        disposition,
        keys=keys,
        order_by=order_by,
        duplicates=draw(duplicates) if disposition in ("upsert", "insert") else "latest",
        vanished="close" if snapshots else "keep",
        deleted_if=_equals("deleted_if", "n", 4) if disposition == "scd2" and draw(st.booleans()) else None,
        latest=draw(st.sampled_from([(), (("n", "n_now"),)])) if disposition == "scd2" else (),
        allow_empty=(disposition == "replace" or snapshots) and draw(st.booleans()),
        on_change=draw(st.sampled_from(["error", "ignore", "reload", "reload"])),
        twin_files=draw(st.sampled_from(["load", "load", "skip"])),
        extra=draw(st.sampled_from(["error", "ignore"])),
    )


# Files


@st.composite
def records(draw: st.DrawFn, flow: Flow, header: tuple[str, ...]) -> Fields | Malformed:
    """A record of the file: well-formed with values and near misses, or malformed (one in ten)."""
    if draw(st.integers(0, 9)) == 7:
        return draw(_malformed(len(header)))
    types = {column.read_as: column.type for column in flow.contract.columns}
    return {name: draw(texts(types.get(name, "text"))) for name in header}


@st.composite
def _malformed(draw: st.DrawFn, width: int) -> Malformed:
    kind = draw(st.sampled_from(["more", "fewer", "unclosed", "junk"]))
    if kind == "more":
        return Malformed(",".join("x" * (width + 1)), "too many fields")
    if kind == "fewer":
        return Malformed(",".join("x" * (width - 1)), "too few fields")
    quoted = '"x' if kind == "unclosed" else '"x"y'
    return Malformed(",".join([quoted, *"z" * (width - 1)]), f"{kind} quote")


@st.composite
def files(draw: st.DrawFn, flow: Flow, identity: str = "1", max_records: int = 8, faults: bool = True) -> File:
    """A file for the flow: its header in any order. With `faults`, one in twenty has a wrong structure."""
    names = [column.read_as for column in flow.contract.columns]
    header = list(draw(st.permutations(names)))
    if flow.extra == "ignore" and draw(st.booleans()):
        header.append("more")
    if faults and draw(st.integers(0, 19)) == 13:
        header = draw(st.sampled_from([header[:-1], [*header, "other"]]))
    if len(header) < 2:
        header = names
    count = draw(st.integers(0, max_records))
    rows = draw(st.lists(records(flow, tuple(header)), min_size=count, max_size=count))
    return _one_stray_quote(File(identity, tuple(rows), tuple(header)))


def _one_stray_quote(file: File) -> File:
    """The same file with at most one malformed record that has a quote, and only if nothing else has one: a quote
    further down could close it, and both would be one well-formed record."""
    strays = [i for i, r in enumerate(file.records) if isinstance(r, Malformed) and '"' in r.raw]
    others = File("", tuple(r for r in file.records if not isinstance(r, Malformed)), file.columns)
    if b'"' not in to_csv(others):
        strays = strays[1:]
    plain = Malformed(",".join("x" * (len(file.header) + 1)), "too many fields")
    return replace(file, records=tuple(plain if i in strays else r for i, r in enumerate(file.records)))


@st.composite
def slicings(draw: st.DrawFn, of: Mapping[str, File]) -> dict[str, list[int]]:
    """For each file, record numbers after which a commit ends."""
    return {
        name: sorted(draw(st.sets(st.integers(1, max(1, len(file.records) - 1)), max_size=3)))
        for name, file in of.items()
    }


# Histories


StepKind = Literal["load", "replay", "full_refresh", "restore"]


@dataclass(frozen=True)
class Step:
    """One thing that a user does. load and full_refresh: with the files as they are then. replay: of the open records
    at `picks` (modulo their number, in order of partition, number, id), all if `picks` is empty. restore: of the table
    that was replaced last, nothing where none was."""

    kind: StepKind
    files: Mapping[str, File] = field(default_factory=dict)
    slices: Mapping[str, Sequence[int]] = field(default_factory=dict)
    picks: tuple[int, ...] = ()


def play(state: State, flow: Flow, step: Step) -> State:
    """The state after the step, by the oracle."""
    if step.kind == "load":
        return load(state, flow, step.files, step.slices)
    if step.kind == "full_refresh":
        return full_refresh(state, flow, step.files)
    if step.kind == "restore":
        return restore(state, flow) if flow.table in state.kept else state
    open_ = [r.id for r in sorted(state.records(flow.table), key=lambda r: (r.partition, r.number, r.id))]
    picked = {open_[pick % len(open_)] for pick in step.picks} if open_ and step.picks else set(open_)
    return replay(state, flow, picked)


NAMES = ("2024/c.csv", "a.csv", "b.csv", "d e.csv")


@st.composite
def histories(
    draw: st.DrawFn,
    flow: Flow,
    max_steps: int = 4,
    kinds: Sequence[StepKind] = ("load", "load", "load", "replay", "full_refresh"),
    faults: bool = True,
) -> list[Step]:
    """Steps over a folder in which files appear, change, are touched, copied and removed. The first is a load.

    Identities are texts of growing integers: a file with another identity is another version.
    """
    folder: dict[str, File] = {}
    steps: list[Step] = []
    version = 0
    for number in range(draw(st.integers(1, max_steps))):
        kind = "load" if number == 0 else draw(st.sampled_from(kinds))
        if kind == "load":
            for _ in range(draw(st.integers(1 if number == 0 else 0, 2))):
                version += 1
                folder = draw(_changed(folder, flow, str(version), faults))
        slices = draw(slicings(folder)) if kind == "load" else {}
        picks = tuple(draw(st.lists(st.integers(0, 9), max_size=3))) if kind == "replay" else ()
        steps.append(Step(kind, {} if kind == "replay" else dict(folder), slices, picks))
    return steps


@st.composite
def _changed(draw: st.DrawFn, folder: dict[str, File], flow: Flow, version: str, faults: bool) -> dict[str, File]:
    """The folder after one change: a file written (new or over another), touched, copied or removed."""
    name = draw(st.sampled_from(NAMES))
    change = draw(st.sampled_from(["write", "write", "touch", "copy", "remove"])) if folder else "write"
    if change == "write":
        return {**folder, name: draw(files(flow, version, faults=faults))}
    old = draw(st.sampled_from(sorted(folder)))
    if change == "remove":
        return {other: file for other, file in folder.items() if other != old}
    return {**folder, (old if change == "touch" else name): replace(folder[old], identity=version)}


def parents() -> State:
    """A state in which the referenced table stands, made by hand: no entry tells of it."""
    return State(tables={PARENTS: [{"pid": 1, "qid": 2}, {"pid": 2, "qid": None}, {"pid": None, "qid": 1}]})


def crash_schedules(
    points: Sequence[str], max_commits: int = 4, max_crashes: int = 3
) -> st.SearchStrategy[list[tuple[int, str]]]:
    """When each attempt dies: (number of the commit, 1-based, and the fault point in it). The one after the last lives.

    `points` as in `headgate.core.faults.POINTS`.
    """
    return st.lists(st.tuples(st.integers(1, max_commits), st.sampled_from(list(points))), max_size=max_crashes)


def interleavings(runners: int = 2, max_turns: int = 24) -> st.SearchStrategy[list[int]]:
    """Whose turn it is at each fault point: numbers of runners, in order; when it ends, all run on to their end."""
    return st.lists(st.integers(0, runners - 1), max_size=max_turns)

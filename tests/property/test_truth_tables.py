"""Every kind of value in every role: DuckDB, PostgreSQL and the oracle judge it alike and keep the same value."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from tests.property.driver import PAIR, Referenced, Warehouse, differences, oracle_view
from tests.property.postgres import warehouse

from headgate.testing import oracle
from headgate.testing.oracle.values import NotAccepted, accept
from headgate.testing.strategies import PARENTS, TABLE, Step, play

UUID_1, UUID_2 = "00000000-0000-4000-8000-000000000001", "ffffffff-0000-4000-8000-00000000000f"
LONG = "long text of " + "é" * 600_000

# Type -> values, among them equal ones in another spelling, and texts that almost are values.
VALUES: dict[str, list[str]] = {
    "int": ["0", "-0", "+1", "1", "001", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.0"],
    "decimal(38,0)": ["9" * 38, "-" + "9" * 38, "1" + "0" * 37, "0", "-0", "1", "1.0", "1.5", "1" + "0" * 38],
    "decimal(38,38)": [".5", "0.5", "-." + "9" * 38, "0." + "0" * 37 + "1", "-0.0", "1", "0." + "0" * 38 + "1"],
    "decimal(38,9)": ["1", "1.0", "-0", "0.000000001", "9" * 29, "9" * 29 + "." + "9" * 9, "9" * 30, "0.0000000001"],
    "decimal(5,2)": ["1", "1.00", "-0.01", "-0", "0", "999.99", "-999.99", "1000", "0.001"],
    "double": [
        "0", "-0.0", "1", "1.0", "nan", "-nan", "NaN", "inf", "-inf", "infinity", "1e308", "-1.7976931348623157e308",
        "1e309", "5e-324", "4.9e-324", "2.2250738585072009e-308", "0.1", "0.30000000000000004", "1e16", "123456789.125",
        "9007199254740993",
    ],
    "text": [
        "", " ", "a", "A", "a ", "ä", "a\u0308", "z", "Z", "_", "null", "NULL", "\\N", "\\.", "a\n\\.\nb", "\n\\.\n", ",", '"',
        '""', "'", "a,b", 'say "a"', "line\nbreak", "line\r\nbreak", "line\rbreak", "\n", "\r", "\t", "\\", "\\\\", "\\x41",
        "\u2028", "\ufeff", "\u2400", "\x01", "\x7f", "😀", "日本語", "true", "1", "2024-01-02",
    ],
    "text(3)": ["abc", "abcd", "äöü", "😀😀😀", "a\u0308b", "", "   "],
    "bool": ["true", "t", "yes", "1", "false", "OFF", "0", "2", ""],
    "date": ["0001-01-01", "9999-12-31", "2024-02-29", "2023-02-29", "1582-10-10", "1900-02-28", "infinity", "0000-01-01"],
    "timestamp": [
        "0001-01-01", "0001-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999", "2024-01-02", "2024-01-02 00:00",
        "2024-01-02T00:00:00.000", "2024-03-31 02:30:00", "1969-12-31 23:59:59.5", "2024-01-02 03:04Z", "infinity",
    ],
    "timestamptz": [
        "0001-01-01 00:00Z", "9999-12-31 23:59:59.999999Z", "2024-01-02 03:04Z", "2024-01-02 04:04+01", "2024-01-02",
        "2024-01-02 08:34:00+0530", "9999-12-31 23:00:00-01:00", "9999-12-31 23:00-01", "9999-12-31 23:59:59+00:00", "0001-01-01 00:00+01", "2024-03-31 02:30:00", "2024-01-02 03:04 UTC", "now",
    ],
    "time": ["00:00", "00:00:00.0", "23:59:59.999999", "12:30", "24:00", "12:30:60"],
    "uuid": [UUID_1, UUID_2, UUID_2.upper(), "{" + UUID_1 + "}", UUID_1.replace("-", ""), "x"],
    "json": [
        "1", "1.0", " 1", '"a"', '"\\u0061"', '"\\u0000"', '"\\ud83d\\ude00"', '"😀"', '{"a": 1, "a": 2}', '{"a":1,"a":2}',
        "[]", "null", '"\\n"', '"a,b"', '{"x": "say \\"a\\""}', "1e400", "-0", "123456789012345678901234567890", "[1,", "NaN",
        '"line\nbreak"', "",
    ],
    "binary": ["\\x", "\\x00", "\\x00ff", "\\xAB", "\\xab", "\\x5c", "\\x22", "\\x0a", "\\x0", "ab"],
}  # fmt: skip


def _file(identity: str, values: list[str | None]) -> oracle.File:
    records = tuple({"id": str(number), "v": value} for number, value in enumerate(values, 1))
    return oracle.File(identity, records, ("id", "v"))


def _as_value(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """Read back as they were, and refused ones shown as they were."""
    contract = oracle.Contract((oracle.Column("id", "int"), oracle.Column("v", kind)))
    return oracle.Flow(TABLE, contract), [Step("load", {"a": _file("1", [*VALUES[kind], None])})]


def _as_unique(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """Doubled in one load, and against the rows of an earlier one."""
    columns = (oracle.Column("id", "int"), oracle.Column("v", kind))
    contract = oracle.Contract(columns, uniques=(oracle.Unique(("v",), "first"),))
    half = VALUES[kind][::2]
    files = {"a": _file("1", [*half, None, *half]), "b": _file("2", [*VALUES[kind], None, *reversed(VALUES[kind])])}
    return oracle.Flow(TABLE, contract), [Step("load", {"a": files["a"]}), Step("load", files), Step("replay")]


def _as_identity(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """The key of an upsert: the later row of a value wins, in one load and over an earlier one."""
    contract = oracle.Contract((oracle.Column("id", "int"), oracle.Column("v", kind, required="error")))
    files = {"a": _file("1", [*VALUES[kind], None, *VALUES[kind]]), "b": _file("2", VALUES[kind][::2])}
    flow = oracle.Flow(TABLE, contract, "upsert", keys=("v",))
    return flow, [Step("load", {"a": files["a"]}), Step("load", files)]


def _as_order(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """Each value against each other one as the version of a key: the greater or equal one stays."""
    contract = oracle.Contract((oracle.Column("id", "int", required="error"), oracle.Column("v", kind)))
    good = [value for value in VALUES[kind] if _accepted(value, kind) and len(value) < 1000][:16]
    pairs = [(one, two) for one in good for two in good]

    def chosen(which: int) -> oracle.File:
        return _file(str(which), [pair[which] for pair in pairs])

    flow = oracle.Flow(TABLE, contract, "upsert", keys=("id",), order_by="v")
    return flow, [Step("load", {"a": chosen(0)}), Step("load", {"a": chosen(0), "b": chosen(1)})]


def _as_order_within(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """All values as versions of one key in one load."""
    contract = oracle.Contract((oracle.Column("id", "int", required="error"), oracle.Column("v", kind)))
    good = [value for value in VALUES[kind] if _accepted(value, kind) and len(value) < 1000]
    records = tuple(
        {"id": str(first), "v": value} for first in range(0, len(good), 3) for value in (*good[first:], *good[:first])
    )
    flow = oracle.Flow(TABLE, contract, "upsert", keys=("id",), order_by="v")
    return flow, [Step("load", {"a": oracle.File("1", records, ("id", "v"))})]


def _as_own_reference(kind: str) -> tuple[oracle.Flow, list[Step]]:
    """A value of the table's own other column, and two that stand side by side in one of its rows."""
    columns = (oracle.Column("id", "int"), oracle.Column("v", kind), oracle.Column("w", kind))
    alone = oracle.Reference(("v",), TABLE, ("w",), "error")
    pair = oracle.Reference(("v", "w"), TABLE, ("w", "v"), "warn", code="pair")
    contract = oracle.Contract(columns, references=(alone, pair))
    values = VALUES[kind]
    told = [(None, value) for value in values[::2]] + [(value, values[at - 1]) for at, value in enumerate(values)]
    records = tuple({"id": str(at), "v": value, "w": other} for at, (value, other) in enumerate(told))
    files = {"a": oracle.File("1", records, ("id", "v", "w")), "b": oracle.File("2", records[::-1], ("id", "v", "w"))}
    return oracle.Flow(TABLE, contract), [Step("load", {"a": files["a"]}), Step("load", files)]


ROLES: dict[str, Callable[[str], tuple[oracle.Flow, list[Step]]]] = {
    "value": _as_value,
    "unique": _as_unique,
    "identity": _as_identity,
    "order": _as_order,
    "order within": _as_order_within,
    "own reference": _as_own_reference,
}


def _accepted(value: str, kind: str) -> bool:
    try:
        accept(value, kind)
    except NotAccepted:
        return False
    return True


@contextmanager
def _stores(url: str, flow: oracle.Flow, referenced: Referenced = PAIR) -> Iterator[list[Warehouse]]:
    with closing(Warehouse(flow, referenced=referenced)) as own, warehouse(url, flow, referenced) as other:
        yield [own, other]


def _agree(url: str, flow: oracle.Flow, steps: list[Step], referenced: Referenced = PAIR) -> dict[str, Any]:
    """Plays the steps on both stores and in the oracle; the view that all of them end in."""
    with _stores(url, flow, referenced) as stores:
        state = referenced.state()
        for step in steps:
            state = play(state, flow, step)
            for real in stores:
                real.play(step)
                assert differences(real.view(), oracle_view(state)) == [], type(real.store)
                assert real.findings() == []
    return oracle_view(state)[TABLE]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_judged_and_kept_alike(postgres_of_worker: str, kind: str, role: str) -> None:
    flow, steps = ROLES[role](kind)
    shown = _agree(postgres_of_worker, flow, steps)
    assert shown["rows"]
    assert shown["open"] or kind == "text" or role in ("order", "order within")


@pytest.mark.parametrize("kind", VALUES)
def test_a_reference_finds_equal_values_only(postgres_of_worker: str, kind: str) -> None:
    good = [value for value in VALUES[kind] if _accepted(value, kind)]
    referenced = Referenced(kind, (*good[::2], None))
    _agree(postgres_of_worker, *_referring(kind), referenced)


@pytest.mark.parametrize("role", ["value", "unique"])
def test_long_texts_are_judged_and_kept_alike(postgres_of_worker: str, role: str) -> None:
    """More than an index of PostgreSQL takes, and different at the very end only."""
    flow, _ = ROLES[role]("text")
    one, two = (_file(name, [LONG, LONG + "z", LONG]) for name in "12")
    steps = [Step("load", {"a": one}), Step("load", {"a": one, "b": two})]
    shown = _agree(postgres_of_worker, flow, steps)
    assert shown["open"].total() == (0 if role == "value" else 4)


NUMBERS = {
    "int": ["0", "1", "9007199254740993", "9223372036854775807"],
    "decimal(38,9)": ["0", "1", "1.5", "0.1", "9007199254740993", "9223372036854775807", "0.000000001"],
    "decimal(5,2)": ["0", "1", "1.5", "0.1"],
    "double": ["0", "-0.0", "1", "1.5", "0.1", "9007199254740992", "9223372036854775807", "nan", "inf"],
}


@pytest.mark.parametrize("one", NUMBERS)
@pytest.mark.parametrize("two", NUMBERS)
def test_references_between_kinds_of_numbers(postgres_of_worker: str, one: str, two: str) -> None:
    """As text and as numbers these are equal or far apart, but for the ones that a double can't tell apart."""
    flow, _ = _referring(one)
    step = Step("load", {"a": _file("1", [*NUMBERS[one], None])})
    with _stores(postgres_of_worker, flow, Referenced(two, tuple(NUMBERS[two]))) as (own, other):
        own.play(step)
        other.play(step)
        assert differences(other.view(), own.view()) == []


def _referring(kind: str) -> tuple[oracle.Flow, list[Step]]:
    columns = (oracle.Column("id", "int"), oracle.Column("v", kind))
    contract = oracle.Contract(columns, references=(oracle.Reference(("v",), PARENTS, ("pid",), "error"),))
    return oracle.Flow(TABLE, contract), [Step("load", {"a": _file("1", [*VALUES[kind], None])})]

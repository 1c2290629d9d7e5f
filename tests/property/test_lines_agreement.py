"""Records with lists inside end in the oracle's state: child tables, too, over slicings, replays and restores."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st
from tests.property.driver import Warehouse, _canonical, differences, oracle_view
from tests.property.postgres import warehouse

from headgate.sql import quote
from headgate.testing import oracle
from headgate.testing.render import ingest_form
from headgate.testing.strategies import Step, StepKind, parents, play

LINES, TAGS = "raw.order_items", "raw.item_tags"
TAG = oracle.Child(
    TAGS,
    "tags",
    (oracle.Column("tag", "text(3)", source=".", required="error"),),
    (("id", "order_id"),),
    above=("order_items_position",),
)
ITEM = oracle.Child(
    LINES,
    "items",
    (
        oracle.Column("sku", "text", required="error", key=True),
        oracle.Column("qty", "int", rules=(oracle.Rule("min", (1,)),)),
        oracle.Column("price", "decimal(6,2)", rules=(oracle.Rule("max", (99,), "warn"),)),
    ),
    (("id", "order_id"),),
    rules=(
        oracle.CrossRule("not_free", lambda row: None if row["price"] is None else row["price"] != 0, "price <> 0"),
    ),
    unique=("qty",),
    children=(TAG,),
)
CONTRACT = oracle.Contract(
    (
        oracle.Column("id", "int", key=True),
        oracle.Column("at", "int"),
        oracle.Column("day", "text", rules=(oracle.Rule("in", ("a", "b")),)),
    ),
    children=(ITEM,),
)
FLOWS = [
    oracle.Flow("raw.orders", CONTRACT, "append", on_change="reload", extra="ignore"),
    oracle.Flow("raw.orders", CONTRACT, "upsert", ("id",), on_change="reload", extra="ignore"),
    oracle.Flow("raw.orders", CONTRACT, "upsert", ("id",), "at", on_change="reload", extra="ignore"),
    oracle.Flow("raw.orders", CONTRACT, "insert", ("id",), on_change="reload", extra="ignore"),
    oracle.Flow("raw.orders", CONTRACT, "partition", ("day",), on_change="reload", extra="ignore"),
    oracle.Flow("raw.orders", CONTRACT, "replace", on_change="reload", extra="ignore"),
]
ALLOWED = oracle.Limit("share", 1)
"""A load that may refuse everything: replacements would else stop at 5%."""

TAG_LISTS = st.sampled_from(
    ["[]", '["x"]', '["x","y"]', '["abc","x"]', "null", '["long!"]', "[null]", '{"a":1}', "[1.50]"]
)
VALUES = {
    "sku": st.sampled_from(['"a"', '"b"', '"c"', '"$\\"d"', "null", "7", "7.0", '"\\u00e9"']),
    "qty": st.sampled_from(["1", "2", "3", "0", "null", '"4"', "1.0", "true"]),
    "price": st.sampled_from(["1.10", "2.5", "100", "0.00", "1e1", "null", '"3.3"', "[1]"]),
    "tags": TAG_LISTS,
    "other": st.sampled_from(["1", '{"sku":"z"}']),
}


@st.composite
def lists(draw: st.DrawFn) -> str | None:
    """The text of a list of lines, mostly good; now and then something else."""
    odd = draw(st.integers(0, 14))
    if odd < 3:
        return draw(
            st.sampled_from([None, "null", "{}", '"[]"', "5", "[[]]", "[3]", "[null]", '[{"sku":"a","sku":"b"}]'])
        )
    lines = []
    for number in range(draw(st.integers(0, 3))):
        good = {"sku": f'"{"abc"[number]}"', "qty": str(number + 1), "price": "1.5"}
        keys = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True)) if draw(st.booleans()) else []
        line = good | {key: draw(VALUES[key]) for key in keys}
        lines.append("{" + ",".join(f'"{key}":{value}' for key, value in line.items()) + "}")
    return f"[{','.join(lines)}]"


@st.composite
def files(draw: st.DrawFn, identity: str) -> oracle.File:
    records = [
        {
            "id": draw(st.sampled_from(["1", "2", "3", "4", "x", None])),
            "at": draw(st.sampled_from(["1", "2", "3"])),
            "day": draw(st.sampled_from(["a", "b", "b", "c"])),
            "items": draw(lists()),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]
    return oracle.File(identity, tuple(records), ("id", "at", "day", "items"))


@st.composite
def cases(draw: st.DrawFn) -> tuple[oracle.Flow, list[Step]]:
    flow = draw(st.sampled_from(FLOWS))
    contract = oracle.Contract(**{**vars(CONTRACT), "refuse_at_most": ALLOWED})
    flow = oracle.Flow(**{**vars(flow), "contract": contract})
    steps, there = [], dict[str, oracle.File]()
    for number in range(draw(st.integers(1, 4))):
        kinds: tuple[StepKind, ...] = ("load", "load", "load", "replay", "full_refresh", "restore")
        kind = draw(st.sampled_from(kinds)) if number else "load"
        if kind in ("load", "full_refresh"):
            for name in draw(st.lists(st.sampled_from(["a.csv", "b.csv"]), min_size=1, unique=True)):
                there[name] = draw(files(f"{name}{number}"))
        slices = {name: tuple(range(1, len(file.records))) for name, file in there.items() if draw(st.booleans())}
        steps.append(Step(kind, dict(there), slices if kind == "load" else {}))
    return flow, steps


def child_tables(real: Warehouse, flow: oracle.Flow) -> dict[str, Counter[Any]]:
    """The child tables of the warehouse, as `oracle.lines_of` tells them."""
    found: dict[str, Counter[Any]] = {}
    with real.store.session() as session:
        for child in (one for top in flow.contract.children for one in top.family):
            kinds = {name: "int" for _, name in child.links} | dict.fromkeys((*child.above, child.position), "int")
            kinds |= {column.name: column.type for column in child.columns}
            named = ", ".join(f"CAST({quote.ident(name)} AS VARCHAR)" for name in kinds)
            rows = session.execute(f"SELECT {named} FROM {child.table}")
            found[child.table] = Counter(
                tuple(sorted((name, _canonical(text, kinds[name])) for name, text in zip(kinds, row, strict=True)))
                for row in rows
            )
    return found


def agree(real: Warehouse, flow: oracle.Flow, steps: list[Step]) -> None:
    note(ingest_form(flow, "orders/*.ndjson"))
    state = parents()
    for step in steps:
        note(f"{step.kind} {step.files} slices={step.slices}")
        state = play(state, flow, step)
        real.play(step)
        assert differences(real.view(), oracle_view(state)) == []
        expected = oracle.lines_of(state, flow.contract, flow.table)
        event(f"{flow.disposition} with lines" if any(expected.values()) else "no line")
        assert child_tables(real, flow) == expected
        assert real.findings() == []


@settings(max_examples=max(10, settings().max_examples // 3))
@given(cases())
def test_child_tables_end_in_the_state_of_the_oracle(case: tuple[oracle.Flow, list[Step]]) -> None:
    flow, steps = case
    real = Warehouse(flow)
    try:
        agree(real, flow, steps)
    finally:
        real.close()


@settings(max_examples=max(3, settings().max_examples // 10))
@given(case=cases())
def test_on_postgres_too(postgres_of_worker: str, case: tuple[oracle.Flow, list[Step]]) -> None:
    flow, steps = case
    with warehouse(postgres_of_worker, flow) as real:
        agree(real, flow, steps)

"""What the strategies draw can be said in the spellings of users, and reaches every fate."""

from __future__ import annotations

import csv
import io

import pytest
import yaml
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from oracle_kit import AMOUNT, ID, orders, unique

from headgate.core.faults import POINTS
from headgate.testing.oracle import Column, Contract, CrossRule, File, Flow, Limit, Malformed, Reference, Rule, State
from headgate.testing.strategies import (
    TYPES,
    Step,
    contracts,
    crash_schedules,
    files,
    flows,
    histories,
    ingest_form,
    interleavings,
    parents,
    play,
    short_form,
    slicings,
    texts,
    to_csv,
)

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIRST = settings(max_examples=3000, deadline=None, phases=[Phase.generate], database=None)


def test_the_short_form_is_one_line_per_column() -> None:
    contract = Contract(
        (
            Column("id", "int", "Order ID", key=True),
            Column("amount", "decimal(12,2)", required="error", rules=(Rule("min", (0,)), Rule("max", (9,)))),
            Column("country", "text(2)", rules=(Rule("in", ("FR", "d e"), "warn"), Rule("length", (1, 2), "warn"))),
            Column("mail", "text", rules=(Rule("pattern", ("^it's: #",)),)),
            Column("n", "bigint", rules=(Rule("between", (1, 2)),)),
        ),
        rules=(CrossRule("closed", lambda row: True, "n <> 1 or mail is not null"),),
        skip=(CrossRule("tests", lambda row: False, "id < 0"),),
        uniques=(unique("mail", keep="last"), unique("n")),
        references=(Reference(("n",), "raw.parents", ("pid",)),),
        refuse_at_most=Limit.of("share", "0.05"),
    )
    assert yaml.safe_load(short_form(contract)) == {
        "columns": {
            "id": "int, key, from('Order ID')",
            "amount": "decimal(12,2), required, min(0), max(9)",
            "country": "text(2), in(FR, 'd e'), length(1, 2), warn",
            "mail": "text, pattern('^it''s: #'), unique(keep=last)",
            "n": "bigint, between(1, 2), unique, references(raw.parents.pid)",
        },
        "rules": {"closed": "n <> 1 or mail is not null"},
        "skip": {"tests": "id < 0"},
        "refuse_at_most": "5%",
    }


@pytest.mark.parametrize(
    "contract",
    [
        Contract((ID, AMOUNT), uniques=(unique("id", "amount"),)),
        Contract((Column("v", "int", required="warn", rules=(Rule("min", (0,)),)),)),
    ],
)
def test_what_one_line_per_column_cannot_say_is_an_error(contract: Contract) -> None:
    with pytest.raises(ValueError, match="column"):
        short_form(contract)


def test_an_ingest_file_says_the_whole_flow() -> None:
    flow = orders(disposition="upsert", keys=("id",), order_by="amount", on_change="reload", extra="ignore")
    said = yaml.safe_load(ingest_form(flow, "data/*.csv"))
    assert {key: said[key] for key in ("table", "from", "load", "on_change", "extra")} == {
        "table": "raw.orders",
        "from": "data/*.csv",
        "load": {"upsert": "id", "order_by": "amount"},
        "on_change": "reload",
        "extra": "ignore",
    }
    assert "twin_files" not in said


def test_csv_tells_null_from_empty_and_keeps_malformed_lines() -> None:
    records = ({"a": None, "b": ""}, Malformed('1,"2'), {"a": 'x,"y"', "b": "two\nlines"}, {"a": " b", "b": 'c"d'})
    assert to_csv(File("1", records, ("a", "b"))) == b'a,b\n,""\n1,"2\n"x,""y""","two\nlines"\n" b","c""d"\n'


def test_csv_refuses_a_record_that_would_be_a_blank_line() -> None:
    with pytest.raises(ValueError, match="blank"):
        to_csv(File("1", ({"a": None},), ("a",)))


@QUICK
@given(flows().flatmap(lambda flow: st.tuples(st.just(flow), files(flow, faults=False))))
def test_csv_without_malformed_lines_reads_back_as_it_was(case: tuple[Flow, File]) -> None:
    _, file = case
    good = File("", tuple(r for r in file.records if not isinstance(r, Malformed)), file.columns)
    rows = list(csv.DictReader(io.StringIO(to_csv(good).decode(), newline="")))
    assert rows == [{name: text or "" for name, text in record.items()} for record in good.records]


@QUICK
@given(flows())
def test_every_drawn_flow_can_be_written_as_yaml(flow: Flow) -> None:
    said = yaml.safe_load(ingest_form(flow, "data/*.csv"))
    assert list(said["columns"]) == [column.name for column in flow.contract.columns]
    assert all(line.startswith(c.type) for line, c in zip(said["columns"].values(), flow.contract.columns, strict=True))


@pytest.mark.parametrize("fate", ["inserted", "updated", "quarantined", "deduplicated", "skipped", "warnings"])
def test_every_fate_is_drawn(fate: str) -> None:
    @st.composite
    def played(draw: st.DrawFn) -> State:
        flow, state = draw(flows()), parents()
        for step in draw(histories(flow)):
            state = play(state, flow, step)
        return state

    assert find(played(), lambda state: any(getattr(e, fate) for e in state.entries), settings=FIRST)


@pytest.mark.parametrize("code", ["changed", "structure", "limit", "empty"])
def test_every_way_to_stop_a_load_is_drawn(code: str) -> None:
    @st.composite
    def played(draw: st.DrawFn) -> State:
        flow, state = draw(flows()), parents()
        for step in draw(histories(flow)):
            state = play(state, flow, step)
        return state

    assert find(played(), lambda state: any(r.code == code for r in state.refusals), settings=FIRST)


@pytest.mark.parametrize("type_", TYPES)
def test_texts_hold_values_near_misses_and_null(type_: str) -> None:
    flow = orders(ID, Column("v", type_))

    def fate(text: str | None) -> int:
        state = play(State(), flow, Step("load", {"a": File("1", ({"id": "1", "v": text},), ("id", "v"))}))
        return state.entries[0].quarantined

    assert find(texts(type_), lambda text: text is None, settings=FIRST) is None
    assert fate(find(texts(type_), lambda text: text is not None and fate(text) == 0, settings=FIRST)) == 0
    if type_ != "text":
        assert fate(find(texts(type_), lambda text: fate(text) == 1, settings=FIRST)) == 1


@QUICK
@given(crash_schedules(POINTS), interleavings(), st.data())
def test_schedules_name_known_points_runners_and_records(
    crashes: list[tuple[int, str]], turns: list[int], data: st.DataObject
) -> None:
    assert all(commit >= 1 and point in POINTS for commit, point in crashes)
    assert set(turns) <= {0, 1}
    flow = data.draw(flows(made=contracts(limits=False)))
    folder = {"a": data.draw(files(flow))}
    cuts = data.draw(slicings(folder))["a"]
    assert cuts == sorted(set(cuts))

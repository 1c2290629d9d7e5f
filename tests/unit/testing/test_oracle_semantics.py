"""Every line of SEMANTICS about fates, loads, keys and values, by the counter-example that forced it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from oracle_kit import AMOUNT, ID, counts, file, orders, refused, run, unique, values

from headgate.testing.oracle import (
    Child,
    Column,
    Contract,
    CrossRule,
    File,
    Flow,
    Kept,
    Limit,
    Malformed,
    Reference,
    Rule,
    State,
    adjust,
    adopt,
    brought,
    check_laws,
    fix,
    full_refresh,
    grow,
    lines_of,
    load,
    purge,
    replay,
    same_state,
    view,
)

EMAIL = Column("email", "text")
AT = Column("at", "int")
UPSERT = {"disposition": "upsert", "keys": ("id",)}


def more_or_equal(limit: int) -> Rule:
    return Rule("min", (limit,))


# Lists inside of records


def test_a_line_has_the_fate_of_its_record() -> None:
    sku = Column("sku", "text", required="error")
    child = Child("raw.items", "items", (sku,), (("id", "order_id"),))
    flow = Flow("raw.orders", Contract((ID,), children=(child,)), "upsert", ("id",))

    def records(*pairs: tuple[str, str]) -> File:
        return File("1", tuple({"id": number, "items": text} for number, text in pairs), ("id", "items"))

    first = records(("1", '[{"sku":"a"},{"sku":"b"}]'), ("2", '[{"sku":"c"},{"sku":null}]'))
    state = run(flow, {"a": first}, {"a": first, "b": records(("1", '[{"sku":"d"}]'))})
    assert lines_of(state, flow.contract, flow.table)["raw.items"] == {
        (("order_id", "1"), ("position", "1"), ("sku", "d")): 1
    }
    assert refused(state) == [(2, [("required", "raw.items.sku")])]
    assert state.records(flow.table)[0].reasons[0].message == "line 2: required"


# 1 to 9: loads


def test_s1_the_default_load_is_append() -> None:
    state = run(
        orders(), {"a": file("id,amount", "1,1.00")}, {"a": file("id,amount", "1,1.00"), "b": file("id,amount", "2,2")}
    )
    assert values(state, "id") == [1, 2]
    assert counts(state) == (2, 2, 0, 0, 0)


def test_s1_unchanged_files_are_not_read_again() -> None:
    files = {"a": file("id,amount", "1,1.00", "1,2.00")}
    once = run(orders(), files)
    again = run(orders(), files, state=once)
    assert again == once


def test_s2_a_limit_stops_only_when_exceeded() -> None:
    at = orders(refuse_at_most=Limit.of("share", "0.5"))
    state = run(at, {"a": file("id,amount", "1,1", "2,-1")})
    assert counts(state) == (2, 1, 1, 0, 0)
    beyond = run(at, {"a": file("id,amount", "1,1", "2,-1", "3,-1")})
    assert (values(beyond, "id"), beyond.entries, beyond.positions) == ([], [], {})
    assert [refusal.code for refusal in beyond.refusals] == ["limit"]


def test_s2_a_share_is_exact() -> None:
    """29 of 100 is not more than 29%, though 0.29 * 100 is 28.999999999999996."""
    lines = [f"{i},{-1 if i < 29 else 1}" for i in range(100)]
    state = run(orders(refuse_at_most=Limit.of("share", "0.29")), {"a": file("id,amount", *lines)})
    assert counts(state) == (100, 71, 29, 0, 0)


def test_s2_skipped_records_count_as_read_in_a_share() -> None:
    skip = (CrossRule("tests", lambda row: row["id"] is not None and row["id"] > 90, "id > 90"),)
    flow = orders(skip=skip, refuse_at_most=Limit.of("share", "0.25"))
    assert counts(run(flow, {"a": file("id,amount", "1,1", "2,-1", "91,-1", "92,-1")})) == (4, 1, 1, 0, 2)


def test_s2_a_number_limits_the_whole_load_not_each_file() -> None:
    flow = orders(refuse_at_most=Limit.of("rows", 1))
    files = {"a": file("id,amount", "1,-1"), "b": file("id,amount", "2,-1", identity="2")}
    assert run(flow, files).refusals[0].quarantined == 2


def test_s2_a_limit_of_all_is_no_limit() -> None:
    flow = orders(refuse_at_most=Limit.of("share", 1))
    assert counts(run(flow, {"a": file("id,amount", "1,-1")})) == (1, 0, 1, 0, 0)
    assert not flow.judged


def test_s2_replace_stops_at_5_percent_and_when_empty() -> None:
    flow = orders(disposition="replace")
    good = [f"{i},1" for i in range(19)]
    full = run(flow, {"a": file("id,amount", *good, "19,-1")})
    assert len(values(full, "id")) == 19
    for worse in (file("id,amount", *good[:18], "18,-1", identity="2"), file("id,amount", identity="2")):
        stopped = run(flow, {"a": worse}, state=full)
        assert same_state(stopped, full)
        assert len(stopped.refusals) == 1
    gone = load(full, flow, {})
    assert [r.code for r in gone.refusals] == ["empty"]


def test_s2_replace_obeys_what_is_declared_instead() -> None:
    flow = orders(disposition="replace", allow_empty=True, refuse_at_most=Limit.of("share", 1))
    state = run(flow, {"a": file("id,amount", "1,1")}, {"a": file("id,amount", "1,-1", identity="2")})
    assert (values(state, "id"), refused(state)) == ([], [(1, [("min", "amount")])])
    assert (values(load(state, flow, {}), "id"), check_laws(load(state, flow, {}))) == ([], [])


@pytest.mark.parametrize(("header", "line"), [("id", "1"), ("id,amount,note", "1,1,x")])
def test_s2_a_file_without_a_contract_column_or_with_an_unknown_one_stops_the_load(header: str, line: str) -> None:
    state = run(orders(), {"a": file("id,amount", "1,1"), "b": file(header, line)})
    assert (values(state, "id"), [r.code for r in state.refusals]) == ([], ["structure"])


def test_s2_extra_ignore_lets_unknown_columns_pass() -> None:
    state = run(orders(extra="ignore"), {"a": file("id,note,amount", "1,x,1")})
    assert values(state, "id", "amount") == [(1, Decimal("1.00"))]


def test_s2_a_changed_file_stops_the_load_unless_told_otherwise() -> None:
    first = {"a": file("id,amount", "1,1")}
    second = {"a": file("id,amount", "2,2", identity="2"), "b": file("id,amount", "3,3")}
    assert values(run(orders(), first, second), "id") == [1]
    assert values(run(orders(on_change="ignore"), first, second), "id") == [1, 3]
    assert values(run(orders(on_change="reload"), first, second), "id") == [2, 3]


def test_s2_quarantined_rows_alone_stop_nothing() -> None:
    state = run(orders(), {"a": file("id,amount", "1,-1", "2,-1", "3,-1")})
    assert (counts(state), state.refusals) == ((3, 0, 3, 0, 0), [])


@pytest.mark.parametrize(
    "flow",
    [
        orders(refuse_at_most=Limit.of("rows", 9)),
        orders(disposition="replace"),
        orders(ID, EMAIL, uniques=(unique("email", keep="last"),)),
        orders(ID, EMAIL, uniques=(unique("email", keep="none"),)),
        orders(ID, EMAIL, uniques=(unique("email"),), **UPSERT),
        orders(ID, AT, references=(Reference(("at",), "raw.orders", ("id",)),)),
    ],
)
def test_s3_what_needs_the_whole_load_is_one_commit(flow: Flow) -> None:
    header = ",".join(column.name for column in flow.contract.columns)
    files = {"a": file(header, "1,1", "2,2"), "b": file(header, "3,3")}
    state = load(State(), flow, files, slices={"a": [1]}, stop_after=1)
    assert (state.versions["raw.orders"], values(state, "id")) == (1, [1, 2, 3])


def test_s3_a_visible_load_commits_slice_by_slice_and_goes_on_where_it_died() -> None:
    files = {"a": file("id,amount", "1,1", "1,2", "3,3"), "b": file("id,amount", "4,4")}
    died = load(State(), orders(), files, slices={"a": [1, 2]}, stop_after=2)
    assert (counts(died), check_laws(died)) == ((2, 1, 1, 0, 0), [])
    assert same_state(load(died, orders(), files), load(State(), orders(), files))


def test_s4_held_records_are_not_replayed_and_the_next_load_discards_them() -> None:
    flow = orders(refuse_at_most=Limit.of("rows", 0))
    state = run(flow, {"a": file("id,amount", "1,1", "2,-1")})
    assert refused(state, "held") == [(2, [("min", "amount")])]
    with pytest.raises(ValueError, match="open"):
        replay(state, flow, [state.quarantine[0].id])
    mended = run(flow, {"a": file("id,amount", "1,1", "2,1", identity="2")}, state=state)
    assert (values(mended, "id"), refused(mended, "held"), check_laws(mended)) == ([1, 2], [], [])
    assert [record.status for record in mended.quarantine] == ["discarded"]


def test_s5_a_partition_is_its_name_so_moving_the_folder_doubles_nothing() -> None:
    """The name is relative to the glob's fixed prefix: the oracle is given it, wherever the folder stands."""
    files = {"2024/a.csv": file("id,amount", "1,1")}
    assert run(orders(), files, dict(files)) == run(orders(), files)


def test_s5_twin_files_are_loaded_or_skipped() -> None:
    twin = {"a": file("id,at", "1,1"), "b": file("id,at", "1,1", identity="2")}
    free = (Column("id", "int"), AT)
    assert values(run(orders(*free), twin), "id") == [1, 1]
    skipping = run(orders(*free, twin_files="skip"), twin)
    assert (values(skipping, "id"), counts(skipping), check_laws(skipping)) == ([1], (2, 1, 0, 0, 1), [])
    renamed = run(orders(*free, twin_files="skip"), {"b": twin["b"]}, {"a": twin["a"]})
    assert counts(renamed) == (2, 1, 0, 0, 1)


def test_s5_a_declared_skip_is_judged_no_further() -> None:
    skip = (CrossRule("tests", lambda row: None if row["id"] is None else row["id"] < 0, "id < 0"),)
    state = run(orders(skip=skip), {"a": file("id,amount", "-1,junk", "x,1", "2,2", ",1")})
    assert counts(state) == (4, 1, 2, 0, 1)
    assert refused(state) == [(2, [("type", "id")]), (4, [("required", "id")])]


def test_s6_a_replay_writes_one_entry_per_origin_partition() -> None:
    strict = orders(ID, replace(AMOUNT, rules=(more_or_equal(10),)))
    files = {"a": file("id,amount", "1,1", "2,2"), "b": file("id,amount", "3,3", identity="2")}
    state = run(strict, files)
    after = replay(state, orders(), [record.id for record in state.records("raw.orders")])
    replays = [(e.partition, e.seq, e.read, e.inserted) for e in after.entries if e.kind == "replay"]
    assert replays == [("a", 2, 2, 2), ("b", 2, 1, 1)]
    assert all(e.start == e.end for e in after.entries if e.kind == "replay")
    assert (values(after, "id"), refused(after), check_laws(after)) == ([1, 2, 3], [], [])


def test_s6_a_reload_removes_the_replayed_rows_of_its_partition() -> None:
    """Else: quarantined, replayed, file corrected and reloaded: the row is there twice."""
    strict = orders(ID, replace(AMOUNT, rules=(more_or_equal(10),)), on_change="reload")
    lax = replace(strict, contract=orders().contract)
    state = run(strict, {"a": file("id,amount", "1,1", "2,20"), "b": file("id,amount", "3,3")})
    state = replay(state, lax, [1])
    state = run(
        strict, {"a": file("id,amount", "1,11", "2,20", identity="2"), "b": file("id,amount", "3,3")}, state=state
    )
    assert values(state, "id", "amount") == [(1, Decimal("11.00")), (2, Decimal("20.00"))]
    assert (refused(state), check_laws(state)) == ([(1, [("min", "amount")])], [])


def test_s6_a_reload_supersedes_the_open_records_of_its_partition_only() -> None:
    flow = orders(on_change="reload")
    first = {"a": file("id,amount", "1,-1"), "b": file("id,amount", "2,-2")}
    state = run(flow, first, {**first, "a": file("id,amount", "1,1", identity="2")})
    assert [(r.partition, r.status) for r in state.quarantine] == [("a", "superseded"), ("b", "open")]
    assert state.positions["raw.orders", "a"].generation == 2


def test_s6_a_fixed_record_stays_open_until_a_replay_and_keeps_what_it_was() -> None:
    state = run(orders(), {"a": file("id,amount", "1,-1", "2,2")})
    fixed = fix(state, 1, 0, {"id": "1", "amount": "1"})
    assert (refused(fixed), values(fixed, "id"), check_laws(fixed)) == ([(1, [("min", "amount")])], [2], [])
    assert (fixed.quarantine[0].revision, fixed.quarantine[0].before) == (1, ({"id": "1", "amount": "-1"},))
    after = replay(fixed, orders(), [1])
    assert (values(after, "id", "amount"), check_laws(after)) == ([(1, Decimal("1.00")), (2, Decimal("2.00"))], [])


def test_s6_a_fix_needs_the_revision_that_it_saw_and_an_open_record() -> None:
    state = run(orders(), {"a": file("id,amount", "1,-1")})
    fixed = fix(state, 1, 0, {"id": "1", "amount": "1"})
    for broken, seen in ((fixed, 0), (replay(fixed, orders(), [1]), 1)):
        with pytest.raises(ValueError, match="fixed meanwhile"):
            fix(broken, 1, seen, {"id": "1", "amount": "5"})


def test_s6_a_malformed_record_is_fixed_by_the_whole_record() -> None:
    state = run(orders(), {"a": File("1", (Malformed("1,2,3"),), ("id", "amount"))})
    after = replay(fix(state, 1, 0, {"id": "1", "amount": "2"}), orders(), [1])
    assert (values(after, "id", "amount"), check_laws(after)) == ([(1, Decimal("2.00"))], [])


def test_s4_a_purge_is_an_entry_and_the_fourth_law_counts_it() -> None:
    state = run(orders(), {"a": file("id,amount", "1,-1", "2,-2", "3,3")})
    after = purge(state, "raw.orders", [1], "asked by the customer")
    assert [(r.status, r.erased, r.settled_by) for r in after.quarantine] == [
        ("purged", True, 2),
        ("open", False, None),
    ]
    assert (after.entries[-1].kind, after.entries[-1].purged, check_laws(after)) == ("purge", 1, [])
    with pytest.raises(ValueError, match="not every record is open"):
        replay(after, orders(), [1])


def test_s4_a_purge_empties_what_a_record_was_before_its_replays() -> None:
    """Else: the record that was refused again is erased, and the one that it was still tells everything."""
    state = run(orders(), {"a": file("id,amount", "1,-1")})
    after = purge(replay(state, orders(), [1]), "raw.orders", [2], "asked by the customer")
    assert [(r.status, r.erased) for r in after.quarantine] == [("replayed", True), ("purged", True)]
    assert check_laws(after) == []
    with pytest.raises(ValueError, match="nothing to purge"):
        purge(after, "raw.orders", [1, 2], "again")


def test_s6_a_reload_removes_before_set_rules_are_judged() -> None:
    """The new file `a` is judged after the old rows of `b` are gone, though `b` comes later by name."""
    flow = orders(on_change="reload")
    files = {"a": file("id,amount", "1,1"), "b": file("id,amount", "2,2", identity="2")}
    state = run(flow, {"b": file("id,amount", "1,1")}, files)
    assert (values(state, "id"), refused(state)) == ([1, 2], [])


def test_s6_a_record_refused_again_is_a_new_record_with_its_parent() -> None:
    state = run(orders(), {"a": file("id,amount", "1,-1")})
    after = replay(state, orders(), [1])
    assert [(r.id, r.parent, r.status) for r in after.quarantine] == [(1, None, "replayed"), (2, 1, "open")]
    assert (counts(after), check_laws(after)) == ((2, 0, 2, 0, 0), [])
    with pytest.raises(ValueError, match="open"):
        replay(after, orders(), [1, 2])


def test_s6_a_replay_knows_no_limit() -> None:
    lax = orders(ID, AMOUNT, refuse_at_most=Limit.of("rows", 5))
    state = run(lax, {"a": file("id,amount", "1,-1")})
    after = replay(state, orders(refuse_at_most=Limit.of("rows", 0)), [1])
    assert (len(after.refusals), refused(after)) == (0, [(1, [("min", "amount")])])


def test_s7_generations_change_only_for_replace_full_refresh_and_reload() -> None:
    flow = orders(on_change="reload")
    files = {"a": file("id,amount", "1,1"), "b": file("id,amount", "2,-2")}
    state = replay(run(flow, files), flow, [1])
    assert {position.generation for position in state.positions.values()} == {1}
    state = run(flow, {**files, "a": file("id,amount", "1,5", identity="2")}, state=state)
    assert [state.positions["raw.orders", name].generation for name in "ab"] == [2, 1]
    state = full_refresh(state, flow, files)
    assert {position.generation for position in state.positions.values()} == {3}
    assert (values(state, "id"), [r.status for r in state.quarantine][-1], check_laws(state)) == ([1], "open", [])


def test_s7_a_position_is_seq_and_end_of_the_last_entry() -> None:
    state = replay(run(orders(), {"a": file("id,amount", "1,1", "2,-1")}), orders(), [1])
    position, last = state.positions["raw.orders", "a"], state.entries[-1]
    assert (position.seq, position.end) == (last.seq, last.end) == (2, ("1", 2))


def test_s7_replace_reads_everything_when_a_file_is_new_changed_or_gone() -> None:
    flow = orders(disposition="replace", refuse_at_most=Limit.of("share", 1))
    one, two = file("id,amount", "1,1", "9,-9"), file("id,amount", "2,2")
    both = run(flow, {"a": one, "b": two})
    assert run(flow, {"a": one, "b": two}, state=both) == both
    gone = run(flow, {"b": two}, state=both)
    assert (values(gone, "id"), refused(gone), check_laws(gone)) == ([2], [], [])
    assert view(gone)["raw.orders"]["positions"] == {"b": ("1", 1)}


def test_s8_a_table_that_does_not_agree_with_its_last_entry_is_found() -> None:
    state = run(orders(), {"a": file("id,amount", "1,1")})
    del state.tables["raw.orders"]
    assert any(law.startswith("L2") for law in check_laws(state))
    state.tables["raw.orders"] = []
    assert any(law.startswith("L5") for law in check_laws(state))


def test_s8_adjust_accepts_what_was_done_by_hand() -> None:
    state = run(orders(), {"a": file("id,amount", "1,1", "2,2")})
    state.tables["raw.orders"] = [state.rows("raw.orders")[0], {"id": 7, "amount": None, "_hg_load": None}]
    assert check_laws(state) != []
    state = adjust(state, "raw.orders", "a test order of ours")
    assert (check_laws(state), state.entries[-1].why) == ([], "a test order of ours")
    assert check_laws(run(orders(), {"b": file("id,amount", "3,3")}, state=state)) == []


def test_s9_hg_load_names_the_entry() -> None:
    state = run(orders(), {"a": file("id,amount", "1,1")}, {"b": file("id,amount", "2,2")})
    assert [row["_hg_load"] for row in state.rows("raw.orders")] == [entry.id for entry in state.entries]


# 10 to 14: rows and keys


def test_s10_a_refused_row_takes_no_key() -> None:
    """A(id=1, bad amount), B(id=1, good): B loads, in one slice as in two."""
    files = {"a": file("id,amount", "1,-1", "1,5")}
    one = load(State(), orders(), files)
    assert (values(one, "id", "amount"), refused(one)) == ([(1, Decimal("5.00"))], [(1, [("min", "amount")])])
    assert same_state(one, load(State(), orders(), files, slices={"a": [1]}))


def test_s10_refused_rows_are_tested_against_earlier_accepted_rows_too() -> None:
    files = {"a": file("id,amount", "1,5", "1,-1", "1,x")}
    state = load(State(), orders(), files, slices={"a": [1]})
    assert refused(state) == [(2, [("min", "amount"), ("key", "id")]), (3, [("type", "amount"), ("key", "id")])]
    assert same_state(state, load(State(), orders(), files))


def test_s10_a_row_refused_by_one_set_rule_takes_no_key_of_another() -> None:
    flow = orders(ID, EMAIL, uniques=(unique("email"),))
    state = run(flow, {"a": file("id,email", "1,x", "1,y", "2,y")})
    assert (values(state, "id", "email"), refused(state)) == ([(1, "x"), (2, "y")], [(2, [("key", "id")])])


def test_s10_a_row_refused_for_its_reference_takes_no_key() -> None:
    flow = orders(ID, AT, references=(Reference(("at",), "raw.days", ("day",)),))
    days = State(tables={"raw.days": [{"day": 5, "_hg_load": None}]})
    state = run(flow, {"a": file("id,at", "1,4", "1,5")}, state=days)
    assert (values(state, "id", "at"), refused(state)) == ([(1, 5)], [(1, [("references", "at")])])


@pytest.mark.parametrize(("keep", "left"), [("first", [1]), ("last", [3]), ("none", [])])
def test_s10_unique_keeps_the_first_the_last_or_none(keep: str, left: list[int]) -> None:
    free = Column("id", "int", rules=(more_or_equal(0),))
    flow = orders(free, EMAIL, uniques=(unique("email", keep=keep),))
    state = run(flow, {"a": file("id,email", "1,x", "2,x"), "b": file("id,email", "3,x", "-4,x", "9,")})
    assert values(state, "id") == [*left, 9]
    later = run(flow, {"c": file("id,email", "5,x")}, state=state)
    assert values(later, "id") == ([5, 9] if keep == "none" else [*left, 9])


def test_s10_keep_last_and_none_mind_only_rows_that_pass_everything_else() -> None:
    columns = (Column("id", "int", rules=(more_or_equal(0),)), EMAIL)
    for keep in ("last", "none"):
        flow = orders(*columns, uniques=(unique("email", keep=keep),))
        state = run(flow, {"a": file("id,email", "1,x", "-2,x")})
        reasons = [("min", "id")] if keep == "last" else [("min", "id"), ("unique", "email")]
        assert (values(state, "id"), refused(state)) == ([1], [(2, reasons)])


def test_s10_a_row_that_keep_none_refuses_takes_no_key() -> None:
    flow = orders(ID, EMAIL, uniques=(unique("email", keep="none"),))
    state = run(flow, {"a": file("id,email", "1,x", "2,x", "1,y")})
    assert (values(state, "id", "email"), check_laws(state)) == ([(1, "y")], [])


def test_s11_key_is_required_and_unique_over_all_key_columns() -> None:
    flow = orders(ID, Column("line", "int", key=True))
    state = run(flow, {"a": file("id,line", "1,1", "1,2", "1,1", ",1", ",")})
    assert values(state, "id", "line") == [(1, 1), (1, 2)]
    assert refused(state) == [
        (3, [("key", "id, line")]),
        (4, [("required", "id")]),
        (5, [("required", "id"), ("required", "line")]),
    ]


def test_s11_under_append_a_key_violation_is_quarantined_and_under_upsert_deduplicated() -> None:
    files = {"a": file("id,amount", "1,1", "1,2")}
    assert counts(run(orders(), files)) == (2, 1, 1, 0, 0)
    upserted = run(orders(**UPSERT), files)
    assert (counts(upserted), values(upserted, "amount")) == ((2, 1, 0, 1, 0), [Decimal("2.00")])


def test_s11_under_upsert_the_key_is_not_checked_against_the_table() -> None:
    state = run(orders(**UPSERT), {"a": file("id,amount", "1,1")}, {"b": file("id,amount", "1,2")})
    assert (values(state, "id", "amount"), refused(state)) == ([(1, Decimal("2.00"))], [])
    assert [(entry.inserted, entry.updated) for entry in state.entries] == [(1, 0), (0, 1)]
    assert check_laws(state) == []


def test_s11_the_columns_of_an_upsert_are_required() -> None:
    """NULL keys would pile up."""
    flow = orders(Column("id", "int"), AT, **UPSERT)
    state = run(flow, {"a": file("id,at", ",1", ",2")})
    assert (values(state, "id"), refused(state)) == ([], [(1, [("required", "id")]), (2, [("required", "id")])])


def test_s11_unique_under_upsert_is_judged_over_the_winners() -> None:
    flow = orders(ID, EMAIL, uniques=(unique("email"),), **UPSERT)
    state = run(flow, {"a": file("id,email", "1,x", "2,y")})
    swapped = run(flow, {"b": file("id,email", "1,y", "2,x")}, state=state)
    assert (values(swapped, "id", "email"), refused(swapped)) == ([(1, "y"), (2, "x")], [])
    taken = run(flow, {"b": file("id,email", "3,y", "4,z", "5,z")}, state=state)
    assert refused(taken) == [(1, [("unique", "email")]), (3, [("unique", "email")])]


def test_s11_a_refused_winner_does_not_free_the_value_of_its_old_row() -> None:
    """Table (1, x), (2, y); load (1, y), (3, x): 1 may not become y, so x is still taken."""
    flow = orders(ID, EMAIL, uniques=(unique("email"),), **UPSERT)
    state = run(flow, {"a": file("id,email", "1,x", "2,y")}, {"b": file("id,email", "1,y", "3,x")})
    assert values(state, "id", "email") == [(1, "x"), (2, "y")]
    assert (refused(state), check_laws(state)) == ([(1, [("unique", "email")]), (2, [("unique", "email")])], [])


def test_s12_without_order_by_the_later_in_source_order_wins_and_files_go_by_name() -> None:
    files = {"b": file("id,amount", "1,3"), "a": file("id,amount", "1,1", "1,2")}
    assert values(run(orders(**UPSERT), files), "amount") == [Decimal("3.00")]


def test_s12_order_by_decides_within_the_load_and_against_the_table() -> None:
    flow = orders(ID, AT, Column("v", "text"), order_by="at", **UPSERT)
    state = run(flow, {"a": file("id,at,v", "1,5,new", "1,3,old", "2,7,x", "2,7,tie")})
    assert values(state, "id", "v") == [(1, "new"), (2, "tie")]
    state = run(flow, {"b": file("id,at,v", "1,4,older", "2,7,equal")}, state=state)
    assert (values(state, "id", "v"), counts(state), check_laws(state)) == (
        [(1, "new"), (2, "equal")],
        (6, 3, 0, 3, 0),
        [],
    )


def test_s12_null_order_by_is_refused() -> None:
    flow = orders(ID, AT, order_by="at", **UPSERT)
    state = run(flow, {"a": file("id,at", "1,", "2,x", "3,1")})
    assert refused(state) == [(1, [("order_by", "at")]), (2, [("type", "at")])]


def test_s12_a_replay_loses_ties_and_wins_only_with_a_newer_row() -> None:
    strict = orders(ID, AT, Column("v", "text", rules=(Rule("length", (0, 3)),)), order_by="at", **UPSERT)
    lax = replace(strict, contract=Contract((ID, AT, Column("v", "text"))))
    state = run(strict, {"a": file("id,at,v", "1,5,long tie", "2,6,long newer", "1,5,ok", "2,5,ok")})
    state = replay(state, lax, [1, 2])
    assert (values(state, "id", "v"), check_laws(state)) == ([(1, "ok"), (2, "long newer")], [])
    assert state.entries[-1].deduplicated == 1


def test_s12_a_replay_without_order_by_may_not_undo_a_later_load() -> None:
    strict = orders(ID, AMOUNT, **UPSERT)
    lax = orders(ID, Column("amount", "decimal(12,2)"), **UPSERT)
    state = run(strict, {"a": file("id,amount", "1,-1", "2,-2")}, {"b": file("id,amount", "1,5")})
    state = replay(state, lax, [1, 2])
    assert values(state, "id", "amount") == [(1, Decimal("5.00")), (2, Decimal("-2.00"))]
    assert refused(state) == [(1, [("replay", "id")])]
    again = replay(state, lax, [state.quarantine[-1].id])
    assert (refused(again), check_laws(again)) == ([(1, [("replay", "id")])], [])


def test_s13_references_pass_null_and_refuse_what_is_not_there() -> None:
    flow = orders(ID, AT, references=(Reference(("at",), "raw.days", ("day",)),))
    days = State(tables={"raw.days": [{"day": 5, "_hg_load": None}, {"day": None, "_hg_load": None}]})
    state = run(flow, {"a": file("id,at", "1,5", "2,", "3,6")}, state=days)
    assert (values(state, "id"), refused(state)) == ([1, 2], [(3, [("references", "at")])])
    assert refused(run(flow, {"a": file("id,at", "1,5")})) == [(1, [("references", "at")])]


def test_s13_unmatched_null_loads_the_row_with_null_and_refuses_nothing() -> None:
    emptied = Reference(("at",), "raw.days", ("day",), nulls=True)
    flow = orders(ID, AT, references=(emptied,), uniques=(unique("at"),))
    state = State(tables={"raw.days": [{"day": 5, "_hg_load": None}]})
    state = run(flow, {"a": file("id,at", "1,5", "2,", "3,6", "4,6", "5,5")}, state=state)
    assert values(state, "id", "at") == [(1, 5), (2, None), (3, None), (4, None)]
    assert refused(state) == [(5, [("unique", "at")])]


def test_s13_an_unmatched_value_is_asked_by_every_reference_before_it_is_emptied() -> None:
    both = (Reference(("at",), "raw.days", ("day",), nulls=True), Reference(("at",), "raw.dates", ("day",)))
    tables = {"raw.days": [{"day": 5, "_hg_load": None}], "raw.dates": [{"day": 6, "_hg_load": None}]}
    state = run(orders(ID, AT, references=both), {"a": file("id,at", "1,5", "2,6", "3,7")}, state=State(tables=tables))
    assert (values(state, "id", "at"), refused(state)) == (
        [(2, None)],
        [(1, [("references", "at")]), (3, [("references", "at")])],
    )


def test_s13_a_reference_of_two_columns_needs_one_row_that_has_both_and_any_null_passes() -> None:
    pair = Reference(("id", "at"), "raw.days", ("n", "day"), code="of_the_day")
    flow = orders(Column("id", "int"), AT, references=(pair,))
    tables = {"raw.days": [{"n": 1, "day": 5, "_hg_load": None}, {"n": 2, "day": 6, "_hg_load": None}]}
    files = {"a": file("id,at", "1,5", "1,6", "2,6", "9,", ",9", ",")}
    state = run(flow, files, state=State(tables=tables))
    assert values(state, "id", "at") == [(1, 5), (2, 6), (9, None), (None, 9), (None, None)]
    assert refused(state) == [(2, [("of_the_day", "id, at")])]
    emptied = orders(Column("id", "int"), AT, references=(replace(pair, nulls=True),))
    state = run(emptied, files, state=State(tables=tables))
    assert values(state, "id", "at") == [(1, 5), (2, 6), (9, None), (None, 9), (None, None), (None, None)]
    assert refused(state) == []


def test_s13_a_reference_to_the_own_table_sees_the_whole_load() -> None:
    flow = orders(ID, AT, references=(Reference(("at",), "raw.orders", ("id",)),))
    state = run(flow, {"a": file("id,at", "2,1", "1,", "3,3", "4,9", "5,4", "6,5")})
    assert values(state, "id") == [1, 2, 3]
    assert refused(state) == [(n, [("references", "at")]) for n in (4, 5, 6)]
    more = run(flow, {"b": file("id,at", "7,1", "7,2")}, state=state)
    assert (values(more, "id"), refused(more)[-1]) == ([1, 2, 3, 7], (2, [("key", "id")]))


def test_s14_warn_covers_the_other_rules_but_never_type_or_key() -> None:
    id_ = replace(ID, required="warn", rules=(Rule("min", (10,), "warn"),))
    note = Column("note", "text(3)", required="warn", rules=(Rule("in", ("x",), "warn"),))
    state = run(orders(id_, note), {"a": file("id,note", "1,x", "1,x", "2,", "3,y", "4,long", ",x")})
    assert values(state, "id") == [1, 2, 3]
    assert refused(state) == [(2, [("key", "id")]), (5, [("type", "note")]), (6, [("required", "id")])]
    assert state.entries[0].warnings == 7


def test_s14_a_warned_reference_lets_the_row_in() -> None:
    flow = orders(ID, AT, references=(Reference(("at",), "raw.days", ("day",), "warn"),))
    state = run(flow, {"a": file("id,at", "1,5")})
    assert (values(state, "id"), state.entries[0].warnings) == ([1], 1)


def test_s14_a_condition_that_is_null_passes() -> None:
    def closed(row: dict[str, object]) -> bool | None:
        return None if row["at"] is None else row["at"] != 1

    flow = orders(ID, AT, rules=(CrossRule("not_one", closed, "at <> 1"),))
    state = run(flow, {"a": file("id,at", "1,", "2,1", "3,x", "4,4")})
    assert (values(state, "id"), refused(state)) == ([1, 4], [(2, [("not_one", None)]), (3, [("type", "at")])])


def test_s14_no_rule_no_refusal() -> None:
    state = run(orders(Column("id", "int"), AT), {"a": file("id,at", ",", ",")})
    assert values(state, "id", "at") == [(None, None)] * 2


def test_s14_reasons_come_by_column_then_across_then_key_then_references() -> None:
    flow = orders(
        replace(ID, rules=(Rule("max", (5,)), Rule("in", (1, 2)))),
        Column("at", "int", required="error", rules=(Rule("min", (0,)),)),
        rules=(CrossRule("never", lambda row: False, "false"),),
        references=(Reference(("at",), "raw.days", ("day",)),),
        uniques=(unique("at"),),
    )
    table = [{"id": 9, "at": -1, "_hg_load": None}]
    state = run(flow, {"a": file("id,at", "9,-1", "9,")}, state=State(tables={"raw.orders": table}))
    across = [("never", None), ("key", "id")]
    assert refused(state) == [
        (1, [("max", "id"), ("in", "id"), ("min", "at"), *across, ("unique", "at"), ("references", "at")]),
        (2, [("max", "id"), ("in", "id"), ("required", "at"), *across]),
    ]


# 15 to 19: values and records


@pytest.mark.parametrize(
    ("type_", "text"),
    [("int", "3.7"), ("decimal(12,2)", "1.239"), ("date", "2024-01-02 junk"), ("int", "0x1F"), ("int", "1_000")],
)
def test_s15_a_value_is_accepted_only_without_loss(type_: str, text: str) -> None:
    state = run(orders(ID, Column("v", type_)), {"a": file("id,v", f"1,{text}")})
    assert refused(state) == [(1, [("type", "v")])]


def test_s15_a_bad_value_of_a_required_column_has_one_reason() -> None:
    column = Column("v", "int", required="error", rules=(Rule("min", (0,)),))
    state = run(orders(ID, column), {"a": file("id,v", "1,x")})
    assert refused(state) == [(1, [("type", "v")])]
    assert state.quarantine[0].reasons[0].message == "expected int"


def test_s16_int_and_bigint_are_64_bit() -> None:
    for type_ in ("int", "bigint"):
        state = run(orders(ID, Column("v", type_)), {"a": file("id,v", f"1,{2**63 - 1}", f"2,{2**63}")})
        assert (values(state, "v"), refused(state)) == ([2**63 - 1], [(2, [("type", "v")])])


def test_s17_the_zone_of_the_source_decides_for_values_without_one() -> None:
    files = {"a": file("id,v", "1,2024-01-02 03:04", "2,2024-01-02 03:04Z")}
    state = run(orders(ID, Column("v", "timestamptz"), timezone="+02:00"), files)
    assert [value.hour for value in values(state, "v")] == [1, 3]


def test_s18_columns_are_matched_by_name() -> None:
    """A file whose header says `amount,id` must not load swapped."""
    state = run(orders(), {"a": file("amount,id", "7,1")})
    assert values(state, "id", "amount") == [(1, Decimal("7.00"))]
    named = orders(replace(ID, source="Order ID"), AMOUNT)
    assert values(run(named, {"a": file("Order ID,amount", "3,1")}), "id") == [3]


def test_s18_empty_is_null_and_quoted_empty_is_empty_text() -> None:
    flow = orders(ID, Column("v", "text", required="error"))
    state = run(flow, {"a": file("id,v", '1,""', "2,")})
    assert (values(state, "v"), refused(state)) == ([""], [(2, [("required", "v")])])


def test_s19_a_malformed_record_is_quarantined_alone_and_whole() -> None:
    state = run(orders(), {"a": file("id,amount", Malformed('1,"2', "unclosed quote"), "2,2")})
    assert (values(state, "id"), refused(state)) == ([2], [(1, [("record", None)])])
    assert state.quarantine[0].record == Malformed('1,"2', "unclosed quote")
    assert counts(state) == (2, 1, 1, 0, 0)


def test_s19_record_numbers_count_malformed_records() -> None:
    state = run(orders(), {"a": file("id,amount", Malformed("x"), "1,-1")})
    assert [number for number, _ in refused(state)] == [1, 2]


def test_an_empty_file_moves_its_position_once() -> None:
    files = {"a": File("1", (), ("id", "amount"))}
    state = run(orders(), files)
    assert (len(state.entries), state.positions["raw.orders", "a"].end, check_laws(state)) == (1, ("1", 0), [])
    assert run(orders(), files, state=state) == state


# Tables that stand, columns that come


def test_adopted_rows_are_one_entry_and_the_files_behind_them_are_read_from_where_it_says() -> None:
    rows = file("id,amount", "1,1.00", "2,-1.00", "1,3.00")
    files = {"a": file("id,amount", "9,9.00")}
    seen = adopt(State(), orders(), rows, files, "seen", True)
    assert (values(seen, "id"), refused(seen)) == ([1], [(2, [("min", "amount")]), (3, [("key", "id")])])
    assert counts(seen) == (4, 1, 2, 0, 1)
    assert run(orders(), files, state=seen) == seen
    new = run(orders(), files, state=adopt(State(), orders(), rows, files, "new", True))
    assert values(new, "id") == [1, 9]
    assert check_laws(seen) == check_laws(new) == []


def test_of_adopted_rows_of_one_identity_none_stays() -> None:
    flow = orders(Column("id", "int"), AMOUNT, **UPSERT)
    state = adopt(State(), flow, file("id,amount", "1,1.00", "1,2.00", "2,2.00"), {}, "new", True)
    assert (values(state, "id"), len(refused(state))) == ([2], 2)


def test_a_brought_column_is_null_before_and_stays_where_a_file_lacks_it() -> None:
    flow, state = orders(extra="evolve"), State()
    texts = (("id,amount", "1,1"), ("id,amount,note", "2,2,x"), ("id,amount", "3,3"))
    for name, text in zip("abc", texts, strict=True):
        state, grown = grow(state, flow, {name: file(*text)})
        state = load(state, grown, {name: file(*text)})
    assert values(state, "id", "note") == [(1, None), (2, "x"), (3, None)]
    assert [column.name for column in brought(state, flow).contract.columns] == ["id", "amount", "note"]
    assert check_laws(state) == []


def test_an_older_record_does_not_bring_back_what_was_deleted() -> None:
    gone = CrossRule("deleted_if", lambda row: row["at"] == 5, "at = 5")
    columns = (Column("id", "int"), AT)
    flow = orders(*columns, **UPSERT, order_by="at", deleted_if=gone, keep_deleted="gone")
    state = run(
        flow, {"a": file("id,at", "1,1", "2,1")}, {"b": file("id,at", "1,5")}, {"c": file("id,at", "1,3", "2,3")}
    )
    assert values(state, "id", "at", "gone") == [(1, 5, True), (2, 3, False)]
    assert check_laws(state) == []


CITY = Column("city", "text")


def test_beside_a_column_stands_what_it_said_before_it_last_changed() -> None:
    flow = orders(Column("id", "int"), CITY, **UPSERT, previous=(("city", "city_before"),))
    state = run(flow, {"a": file("id,city", "1,Rome", "1,Oslo", "1,Oslo", "2,Bonn", "3,")})
    assert values(state, "id", "city", "city_before") == [(1, "Oslo", "Rome"), (2, "Bonn", None), (3, None, None)]
    state = run(flow, {"b": file("id,city", "1,Oslo", "2,", "3,Nice")}, {"c": file("id,city", "2,Lyon")}, state=state)
    assert values(state, "id", "city", "city_before") == [(1, "Oslo", "Rome"), (2, "Lyon", None), (3, "Nice", None)]
    assert check_laws(state) == []


@pytest.mark.parametrize("slices", [{}, {"a": (1, 2, 3)}])
def test_a_late_record_changes_no_former_value(slices: dict[str, tuple[int, ...]]) -> None:
    flow = orders(Column("id", "int"), CITY, AT, **UPSERT, order_by="at", previous=(("city", "city_before"),))
    state = load(State(), flow, {"a": file("id,city,at", "1,Rome,3", "1,Oslo,1", "1,Bonn,4", "1,Rome,2")}, slices)
    assert values(state, "city", "city_before") == [("Bonn", "Rome")]


DAY = Column("day", "date")
WITHIN = {"disposition": "insert", "keys": ("id",), "by": "day", "within": timedelta(days=3)}


@pytest.mark.parametrize("slices", [{}, {"a": (1, 2, 3, 4, 5)}])
def test_a_record_near_one_that_entered_is_a_repetition(slices: dict[str, tuple[int, ...]]) -> None:
    flow = orders(Column("id", "int"), DAY, **WITHIN)
    days = file("id,day", *(f"1,2024-01-{day:02}" for day in (10, 13, 14, 7, 6, 17)), "2,2024-01-10")
    state = load(State(), flow, {"a": days}, slices)
    assert [str(day)[-2:] for day in values(state, "day")] == ["06", "10", "10", "14"]
    assert counts(state) == (7, 4, 0, 3, 0)


def test_what_has_no_time_can_not_be_told_from_a_repetition() -> None:
    state = run(orders(Column("id", "int"), DAY, **WITHIN), {"a": file("id,day", "1,", ",2024-01-01", "1,2024-01-01")})
    assert refused(state) == [(1, [("required", "day")]), (2, [("required", "id")])]


def test_under_refuse_all_that_are_near_each_other_are_refused() -> None:
    flow = orders(Column("id", "int"), DAY, **WITHIN, duplicates="refuse")
    state = run(flow, {"a": file("id,day", "1,2024-01-01", "1,2024-01-04", "1,2024-01-08", "1,2024-01-12")})
    assert [str(day)[-2:] for day in values(state, "day")] == ["08", "12"]


@pytest.mark.parametrize(
    ("versions", "kept"),
    [
        (("1,1,1,4,false", "1,4,4,,true", "2,1,1,,true"), ""),
        (("1,1,1,3,false", "1,4,4,,true"), "versions"),
        (("1,1,1,5,false", "1,4,4,,true"), "versions"),
        (("1,1,1,,true", "1,4,4,,true"), "versions"),
        (("1,1,1,4,false",), "versions"),
        (("1,1,2,,true",), "versions"),
        (("1,1,1,,false",), "versions"),
        ((",1,1,,true",), "refused"),
    ],
)
def test_versions_are_adopted_if_loads_could_have_made_them(versions: tuple[str, ...], kept: str) -> None:
    flow = orders(Column("id", "int"), AT, disposition="scd2", keys=("id",), order_by="at")
    rows = file("id,at,valid_from,valid_to,is_current", *versions)
    if kept:
        with pytest.raises(Kept, match=kept):
            adopt(State(), flow, rows, {}, "new", True)
        return
    state = run(flow, {"a": file("id,at", "1,6", "3,1")}, state=adopt(State(), flow, rows, {}, "new", True))
    assert values(state, "id", "valid_from", "valid_to", "is_current") == [
        (1, 1, 4, False), (1, 4, None, True), (2, 1, None, True), (3, 1, None, True),
    ]  # fmt: skip
    assert check_laws(state) == []


def test_a_version_may_end_alone_where_loads_end_some() -> None:
    gone = CrossRule("deleted_if", lambda row: row["at"] == 5, "at = 5")
    flow = orders(Column("id", "int"), AT, disposition="scd2", keys=("id",), order_by="at", deleted_if=gone)
    rows = file("id,at,valid_from,valid_to,is_current", "1,1,1,3,false", "1,4,4,4,false")
    assert values(adopt(State(), flow, rows, {}, "new", False), "valid_to") == [3, 4]

"""Mutants of loads that look back: former values beside a row, repetitions within a horizon."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

FORMER = "tests/unit/run/test_run_former.py::test_"
HORIZON = "tests/unit/run/test_run_horizon.py::test_"
LATE = f"{FORMER}changes_of_one_load_follow_each_other_and_late_ones_change_nothing"
EACH = f"{FORMER}each_column_keeps_what_it_said_before_it_last_changed"
AGAIN = f"{HORIZON}what_comes_again_within_the_time_is_left_out_and_later_it_enters"
CHAIN = f"{HORIZON}a_chain_is_taken_one_by_one"

MUTANTS = (
    mutant(
        "late-record-was-before",
        "gate/former.py",
        'late = "_hg_turn < coalesce(_hg_before, 0)"',
        'late = "false"',
        "a record from before the last change stands as the former value",
        LATE,
    ),
    mutant(
        "losers-said-nothing",
        "gate/former.py",
        "AND v.fate <> {DEDUPLICATED})",
        ")",
        "the former value depends on how a load was sliced",
        LATE,
    ),
    mutant(
        "replay-was-before-its-equal",
        "gate/former.py",
        "if self.identity.order_by and self.identity.ties_lose:",
        "if False:",
        "a replayed record that lost is taken for the last one said",
        "tests/property/test_former_agreement.py",
    ),
    mutant(
        "null-was-nothing",
        "gate/former.py",
        "IS DISTINCT FROM l._hg_c{n}",
        "<> l._hg_c{n}",
        "a change from or to NULL is not seen",
        EACH,
    ),
    mutant(
        "unchanged-forgets",
        "gate/former.py",
        "IS NULL THEN s._hg_k{n} ELSE",
        "IS NULL THEN NULL ELSE",
        "a record that repeats the present erases the past",
        EACH,
    ),
    mutant(
        "former-of-the-first-change",
        "gate/former.py",
        "ORDER BY t._hg_id DESC) AS _hg_number",
        "ORDER BY t._hg_id) AS _hg_number",
        "the former value is the first that a load knew, not the last",
        LATE,
    ),
    mutant(
        "former-values-not-written",
        "books/write.py",
        "if expected and (former := work.judgement.former()):",
        "if False and (former := work.judgement.former()):",
        "the columns stay empty",
        EACH,
    ),
    mutant(
        "former-keeps-an-old-type",
        "books/evolve.py",
        "found = changes(have, _with_kept(edit), session.physical)",
        "found = changes([h for h in have if h.name not in dict((n, c) for c, n in edit.kept)], edit.contract,"
        " session.physical)",
        "the next former value does not fit its column",
        f"{FORMER}a_former_value_follows_the_type_of_its_column",
    ),
    mutant(
        "standing-table-waits-for-its-columns",
        "run/evolve.py",
        "return any(name not in there for _, name in flow.ingest.load.previous)",
        "return False",
        "a table of upsert can only be loaded anew",
        f"{FORMER}a_standing_table_gets_the_columns_by_itself",
    ),
    mutant(
        "horizon-looks-one-way",
        "gate/horizon.py",
        'f"{value} {sign} INTERVAL',
        'f"{value} - INTERVAL',
        "a late record enters beside its repetition",
        AGAIN,
    ),
    mutant(
        "horizon-forgets-the-table",
        "gate/versions.py",
        "    if target:\n        seen = temp.keep",
        "    if False:\n        seen = temp.keep",
        "what an earlier load has enters again",
        AGAIN,
    ),
    mutant(
        "chain-is-one",
        "gate/horizon.py",
        "AS _hg_tight, min(_hg_id)",
        "OR true AS _hg_tight, min(_hg_id)",
        "of a chain of records one enters, however far apart its ends are",
        CHAIN,
    ),
    mutant(
        "chain-by-its-last",
        "gate/horizon.py",
        "entered[max(0, at - 1) : at + 1]",
        "entered[-1:]",
        "a record is compared with the latest time only",
        CHAIN,
    ),
    mutant(
        "the-earliest-enters",
        "gate/horizon.py",
        'ORDER BY _hg_cluster, _hg_id"""',
        'ORDER BY _hg_cluster, 3"""',
        "what enters depends on how a load was sliced",
        CHAIN,
    ),
    mutant(
        "time-may-be-missing",
        "project/beside.py",
        "return short.as_required(contract, (by,))",
        "return contract",
        "a record without time enters every time",
        f"{HORIZON}a_record_without_key_or_time_is_refused",
    ),
    mutant(
        "ends-of-time-overflow",
        "gate/horizon.py",
        'return f"CASE WHEN {value} BETWEEN {low} AND {high} THEN {moved} ELSE {value} END"',
        "return moved",
        "one absurd date ends the load",
        f"{HORIZON}no_value_of_the_engine_is_a_fault",
    ),
    mutant(
        "adopted-near-rows-are-chosen-among",
        "run/adopt.py",
        "            horizon=spec.horizon,\n",
        "",
        "rows of one identity that are far apart keep a table from being adopted",
        f"{HORIZON}of_adopted_rows_that_are_near_none_is_told_to_be_the_first",
    ),
)

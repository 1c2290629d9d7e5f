"""Mutants of loads that look back: former values, repetitions within a horizon, adopted histories."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

FORMER = "tests/unit/run/test_run_former.py::test_"
HORIZON = "tests/unit/run/test_run_horizon.py::test_"
LATE = f"{FORMER}changes_of_one_load_follow_each_other_and_late_ones_change_nothing"
EACH = f"{FORMER}each_column_keeps_what_it_said_before_it_last_changed"
AGAIN = f"{HORIZON}what_comes_again_within_the_time_is_left_out_and_later_it_enters"
ADOPTED = "tests/unit/run/test_run_adopt_versions.py::test_"
UNFIT = f"{ADOPTED}what_no_load_could_have_made_is_left_alone"
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
        f"{FORMER}a_replayed_record_of_the_same_time_tells_nothing",
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
    mutant(
        "adopted-versions-overlap",
        "run/versions.py",
        "(_hg_open OR _hg_b1 > _hg_next)",
        "_hg_open",
        "an instant has two versions of one identity",
        UNFIT,
    ),
    mutant(
        "adopted-history-has-holes",
        "run/versions.py",
        'gap = "_hg_next IS NOT NULL AND _hg_b1 <> _hg_next"',
        'gap = "false"',
        "ends that are included pass as ends that are not",
        UNFIT,
    ),
    mutant(
        "adopted-history-ends",
        "run/versions.py",
        '"_hg_last AND NOT _hg_b2"',
        '"false"',
        "an identity without a current version comes back as another",
        UNFIT,
    ),
    mutant(
        "adopted-versions-hold-from-anywhen",
        "run/versions.py",
        'f"_hg_b0 <> {since}"',
        'f"_hg_b0 <> {since} AND false"',
        "every late record is taken for one that is too old",
        UNFIT,
    ),
    mutant(
        "adopted-versions-may-lack-a-time",
        "run/versions.py",
        '"_hg_b0 IS NULL OR _hg_b2 IS NULL"',
        '"false"',
        "a version without a beginning is told as something else",
        UNFIT,
    ),
    mutant(
        "adopted-digest-is-of-another-row",
        "adapters/duckdb/takeover.py",
        "{table}.{_ROWID} = s._hg_row - 1",
        "{table}.{_ROWID} = s._hg_row",
        "the next load opens a version for what is unchanged",
        f"{ADOPTED}a_history_is_adopted_and_goes_on",
    ),
    mutant(
        "adopted-version-goes-to-quarantine",
        "books/adopt.py",
        "if work.versions or not work.quarantine:",
        "if not work.quarantine:",
        "a bad version leaves a hole in its history",
        UNFIT,
    ),
    mutant(
        "adopted-records-have-lines",
        "run/adopt.py",
        "    if flow.children:\n",
        "    if False:\n",
        "a table has books with which no run can go on",
        f"{ADOPTED}a_table_whose_records_have_lines_is_refused_before_anything_is_changed",
    ),
)

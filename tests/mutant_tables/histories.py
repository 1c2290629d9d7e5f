"""Mutants of loads that keep versions, exchange partitions, or take what comes first."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

RUN = "tests/unit/run/test_run_"
CURRENT = f"{RUN}current.py"
SNAPSHOTS, VERSIONS, PARTITIONS = f"{RUN}snapshots.py", f"{RUN}versions.py", f"{RUN}partitions.py"
TWIN = f"{SNAPSHOTS}::test_a_twin_that_is_skipped_ends_nothing"
INSERT = f"{PARTITIONS}::test_insert_leaves_what_the_table_knows"

FOLD = (
    mutant(
        "older-record-opens-a-version",
        "gate/history.py",
        "elif time < newest[1] or (",
        "elif False or (",
        "a late file rewrites what is known of later days",
        VERSIONS,
    ),
    mutant(
        "replay-wins-a-tie",
        "gate/history.py",
        "and ties_lose):",
        "and not ties_lose):",
        "a mended record of yesterday takes the place of what came after it",
        SNAPSHOTS,
        VERSIONS,
    ),
    mutant(
        "both-of-one-time-enter",
        "gate/history.py",
        "if time == newest[1] and newest[0] is not None:",
        "if False:",
        "a version that never held stands in the table",
        VERSIONS,
    ),
    mutant(
        "ties-taken-for-order",
        "gate/history.py",
        "WHERE since <= p_since OR",
        "WHERE since < p_since OR",
        "two versions begin at one time",
        VERSIONS,
    ),
    mutant(
        "texts-run-together",
        "gate/history.py",
        "length({text}) || ':' || {text}",
        "{text}",
        "a change that moves text from one column to the next is not seen",
        VERSIONS,
    ),
    mutant(
        "ended-version-goes-by-its-start",
        "gate/history.py",
        "CASE WHEN {current} THEN {start} ELSE {end} END AS since,",
        "{start} AS since,",
        "a record from before the end opens a version that lies inside another",
        SNAPSHOTS,
    ),
    mutant(
        "ended-version-still-speaks",
        "gate/history.py",
        "CASE WHEN {current} THEN {HASH_COLUMN} END AS {HASH_COLUMN},",
        "{HASH_COLUMN},",
        "what comes back unchanged stays gone",
        SNAPSHOTS,
    ),
    mutant(
        "first-end-counts",
        "gate/history.py",
        "ORDER BY {current} DESC, {end} DESC) AS age",
        "ORDER BY {current} DESC, {end}) AS age",
        "after the second end, records from before it open a version",
        SNAPSHOTS,
    ),
    mutant(
        "version-of-the-same-time-stays",
        "books/history.py",
        "AND old.{start} = new.since",
        "AND false",
        "a version of no duration stands beside the one that took its place",
        VERSIONS,
    ),
    mutant(
        "ended-version-stays-current",
        "books/history.py",
        "SET {end} = new.since, {current} = false",
        "SET {end} = new.since, {current} = old.{current}",
        "an identity has two current versions",
        VERSIONS,
    ),
)
SNAPSHOT = (
    mutant(
        "identity-of-good-records-only",
        "gate/history.py",
        "    judged = verdict.judged()\n    table = verdict",
        "    judged = verdict.passing()\n    table = verdict",
        "one bad value ends the version of a customer who is there",
        SNAPSHOTS,
    ),
    mutant(
        "torn-record-is-nobody",
        "gate/history.py",
        "return table, malformed + int(rows)",
        "return table, int(rows)",
        "whoever stands in a torn line is taken for gone",
        SNAPSHOTS,
    ),
    mutant(
        "blind-snapshot-ends-versions",
        "gate/judge.py",
        "        if unknown:\n",
        "        if unknown < 0:\n",
        "whoever's identity can't be read is taken for gone",
        SNAPSHOTS,
    ),
    mutant(
        "late-snapshot-ends-versions",
        "gate/judge.py",
        "if any(name > self.snapshot for name in seats):",
        "if any(name > self.snapshot for name in ()):",
        "an old file ends what a newer one has confirmed",
        SNAPSHOTS,
    ),
    mutant(
        "ended-before-it-began",
        "books/history.py",
        "WHERE old.{current} AND old.{start} < u.till",
        "WHERE old.{current} AND old.{start} <= u.till",
        "a version holds for no time at all",
        SNAPSHOTS,
    ),
    mutant(
        "late-replay-joins-the-history",
        "gate/judge.py",
        "if bits.replay_bit is not None and rules.replaced_whole:",
        'if bits.replay_bit is not None and rules.disposition == "partition":',
        "who is gone since comes back by the replay of an old record",
        SNAPSHOTS,
    ),
    mutant(
        "refresh-begins-with-every-file",
        "run/load.py",
        "if choice.anew and flow.snapshots:",
        "if False:",
        "of a full refresh only the last file is left",
        SNAPSHOTS,
    ),
    mutant(
        "skipped-twin-is-a-snapshot",
        "run/loader.py",
        "if self.job.flow.snapshots and not goes_on and reads_records(reading):",
        "if self.job.flow.snapshots and not goes_on:",
        "a file that is not read ends every version",
        TWIN,
    ),
)
DELETIONS = (
    mutant(
        "an-end-erases",
        "books/history.py",
        " AND NOT new.ended",
        "",
        "an identity that was made and ended at one time leaves no trace, and a record of before brings it back",
        SNAPSHOTS,
    ),
    mutant(
        "deleted-counted-as-a-row",
        "books/history.py",
        'counted.get("unchanged", 0) + counted.get("deleted", 0)',
        'counted.get("unchanged", 0)',
        "every end is a row too few for the audit",
        SNAPSHOTS,
    ),
    mutant(
        "end-of-nobody-opens-a-version",
        "gate/history.py",
        "effects[number] = UNCHANGED if digest is None else INSERT",
        "effects[number] = INSERT",
        "a record that tells of an end makes a row",
        SNAPSHOTS,
    ),
    mutant(
        "condition-of-an-end-not-looked-at",
        "run/load.py",
        "elif flow.ingest.load.deleted_if:",
        "elif False:",
        "a condition that is other every time decides what has ended",
        SNAPSHOTS,
    ),
)
EXCHANGE = (
    mutant(
        "bad-record-delivers-nothing",
        "gate/judge.py",
        "FROM ({self.verdict.judged()}) AS judged WHERE {known}",
        "FROM ({self.verdict.passing()}) AS judged WHERE {known}",
        "a partition whose only record is bad keeps rows that its source has no more",
        PARTITIONS,
    ),
    mutant(
        "old-partition-holds-its-keys",
        "gate/judge.py",
        "if target and self._delivered:",
        "if False:",
        "a partition that is delivered again is refused by itself",
        PARTITIONS,
    ),
    mutant(
        "exchange-leaves-open-records",
        "books/write.py",
        "changes.settled[0] = settled + quarantine.supersede_keys(session, work.table, delivered.texts, base + 1)",
        "changes.settled[0] = settled",
        "a record that was corrected since is replayed beside its correction",
        PARTITIONS,
    ),
    mutant(
        "exchange-settles-what-is-settled",
        "books/quarantine.py",
        "where = f\"table_name = ? AND status = 'open' AND key IN ({listed})\"",
        'where = f"table_name = ? AND key IN ({listed})"',
        "a replayed record is counted as superseded, too: the quarantine no longer adds up",
        PARTITIONS,
    ),
    mutant(
        "last-of-an-insert-enters",
        "gate/versions.py",
        'latest = "_hg_id" if identity.first else "_hg_id DESC"',
        'latest = "_hg_id DESC"',
        "which of two repetitions is kept depends on how the load was sliced",
        INSERT,
    ),
    mutant(
        "known-identity-inserted-again",
        "gate/versions.py",
        "if (identity.order_by or identity.first) and target:",
        "if identity.order_by and target:",
        "what the table knows is doubled by the next delivery",
        INSERT,
    ),
)
LATEST = (
    mutant(
        "the-present-of-those-delivered-alone",
        "books/write.py",
        "whole = work.replace or not tail.rows or changes.vanished",
        "whole = work.replace or not tail.rows",
        "versions of who is gone go on saying what holds now",
        CURRENT,
    ),
    mutant(
        "the-present-is-not-shown-on-the-past",
        "books/history.py",
        'session.execute(f"UPDATE {target} AS old SET {quote.ident(name)} = {value} WHERE {differs}{among}")',
        "pass",
        "versions say what held when they were written",
        CURRENT,
    ),
    mutant(
        "what-is-null-does-not-differ",
        "books/history.py",
        'return f"{one} IS DISTINCT FROM {two}"',
        'return f"{one} <> {two}"',
        "who comes back is nothing on the versions of before",
        CURRENT,
    ),
)

MUTANTS = (*FOLD, *SNAPSHOT, *DELETIONS, *EXCHANGE, *LATEST)

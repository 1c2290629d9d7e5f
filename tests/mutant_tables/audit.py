"""Mutants of the audit: each is one kind of damage that it would pass over."""

from __future__ import annotations

from tests.mutant_tables.mutant import FOUND, mutant

AUDIT = tuple(
    mutant(name, "books/audit.py", old, new, why, f"{FOUND}[{corruption}]", FOUND)
    for name, corruption, old, new, why in (
        (
            "audit-row-law",
            "a count edited",
            "if entry.rows_read != fates:",
            "if False:",
            "records without a fate are not found",
        ),
        (
            "audit-seals",
            "a count edited",
            "elif not entry.is_sealed(previous):",
            "elif False:",
            "edited entries are not found",
        ),
        (
            "audit-missing-entries",
            "first entry removed",
            "if entry.id != expected:",
            "if False:",
            "a deleted entry is called an edited one",
        ),
        (
            "audit-last-entry",
            "last entry removed",
            "if state.version > last:",
            "if False:",
            "a deleted last entry is not found",
        ),
        (
            "audit-live-generation",
            "generation moved back",
            "if state.live_generation != opened[-1]:",
            "if False:",
            "an edited line is not found",
        ),
        (
            "audit-contract",
            "all entries removed",
            'if (state.contract or "") != judged[-1]:',
            "if False:",
            "an edited contract is not found",
        ),
        (
            "audit-growth-begins",
            "first entry removed",
            "if entry.rows_before != before:",
            "if False:",
            "rows vanish between two entries",
        ),
        (
            "audit-growth-adds-up",
            "rows after edited",
            "if entry.rows_after != entry.rows_before + entry.rows_inserted - entry.rows_removed:",
            "if False:",
            "rows vanish inside an entry",
        ),
        (
            "audit-sequence",
            "sequence edited",
            "elif entry.seq != seq:",
            "elif False:",
            "a slice left out of the chain is not found",
        ),
        (
            "audit-chain",
            "start position edited",
            "elif entry.start_position != start:",
            "elif False:",
            "a part of a file nobody read is not found",
        ),
        (
            "audit-position-gone",
            "partition renamed in an entry",
            "if not _was_replaced(history, entry):",
            "if False:",
            "the next run loads a file again",
        ),
        (
            "audit-position",
            "end position edited",
            "(seat.generation, seat.seq, ledger.dumps(seat.position)) != (\n            entry.generation,\n"
            "            entry.seq,\n            entry.end_position,\n        )",
            "(seat.generation, seat.seq) != (entry.generation, entry.seq)",
            "an edited position loads a part of a file twice, or never",
        ),
        (
            "audit-quarantine-count",
            "two counts edited consistently",
            "if have != entry.rows_quarantined:",
            "if False:",
            "deleted records are not found",
        ),
        (
            "audit-settled-count",
            "superseded to open",
            "    if have != wanted:",
            "    if False:",
            "records set back to open are not found",
        ),
        (
            "audit-settled-ids",
            "two records' fates exchanged",
            'elif have and ids != entry.facts.get("settled_ids"):',
            "elif False:",
            "one record set back and another settled in its place is not found",
        ),
        (
            "audit-digests",
            "record's text edited",
            "AND digest IS DISTINCT FROM {LINKED}",
            "AND false",
            "edited records are not found",
        ),
        (
            "audit-doubled-records",
            "record doubled",
            "HAVING count(*) > 1",
            "HAVING count(*) > 2",
            "a record kept twice is not found",
        ),
        (
            "audit-held",
            "open to held",
            "if wanted.get(attempt, 0) != have.get(attempt, 0):",
            "if False:",
            "lost held records",
        ),
        ("audit-pins", "all entries removed", "if kept != said:", "if False:", "edited types are not found"),
        ("audit-table-rows", "row deleted", "if sum(now.values()) != rows:", "if False:", "deleted rows are not found"),
        (
            "audit-origin",
            "row deleted",
            "for load, difference in record.differences(history, now).items():",
            "for load, difference in dict[int, int]().items():",
            "one row deleted and another put in its place is not found",
        ),
        (
            "audit-models",
            "model's table changed",
            "if rows != last.rows_after:",
            "if False:",
            "a change in a model's table is not found",
        ),
        (
            "audit-strangers",
            "line of no table in position",
            "if row[0] not in names:",
            "if False:",
            "lines of the books of no table are not found",
        ),
        (
            "audit-shapes",
            "columns of refused records edited",
            "if shape not in kept or shape_id(kept[shape]) != shape:",
            "if shape not in kept:",
            "a replay reads records by columns that somebody edited",
        ),
    )
)

MUTANTS = (*AUDIT,)

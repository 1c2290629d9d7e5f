"""Mutants of child tables: lines that come without their record, stay behind it, or are lost on the way."""

from __future__ import annotations

from tests.mutant_tables.mutant import STORE, mutant

CHILDREN = "tests/unit/run/test_children.py"
FATE = f"{CHILDREN}::test_a_record_loads_with_its_lines_and_is_refused_with_them"
NEWER = f"{CHILDREN}::test_a_newer_record_takes_the_lines_of_the_older_with_it"
NUMBERS = f"{CHILDREN}::test_numbers_and_texts_are_those_that_were_received"
HOSTILE = f"{CHILDREN}::test_what_is_no_list_of_lines_is_told_with_its_place"
SPOILED = f"{CHILDREN}::test_whatever_is_changed_in_a_child_table_is_found"
BY_HAND = f"{CHILDREN}::test_a_change_by_hand_is_accepted_with_the_records"

LINES = (
    mutant(
        "lines-of-the-older-record-stay",
        "books/lines.py",
        'if work.disposition == "upsert":',
        "if False:",
        "the lines of two versions of a record are mixed",
        NEWER,
    ),
    mutant(
        "lines-not-counted",
        "books/lines.py",
        "if count.read != new + count.quarantined + count.deduplicated + count.skipped:",
        "if False:",
        "lines that were lost between list and table are committed as loaded",
        f"{CHILDREN}::test_lines_that_no_record_brought_stop_the_commit",
    ),
    mutant(
        "lines-of-a-reload-stay",
        "books/lines.py",
        "if self.work.disposition not in IDENTIFIED:",
        "if False:",
        "a file that was delivered anew has its lines twice",
        f"{STORE}lines_come_and_go_with_their_records",
    ),
    mutant(
        "lines-of-a-partition-stay",
        "books/lines.py",
        "if delivered is None or not delivered.texts:",
        "if True:",
        "lines stay behind the records of a partition that was exchanged",
        f"{CHILDREN}::test_lines_go_with_the_records_of_their_partition",
    ),
    mutant(
        "numbers-written-anew",
        "gate/lines.py",
        """whole = "'[' || array_to_string(v, ',') || ']' = l\"""",
        'whole = "true"',
        "1.10 is loaded as 1.1, and long numbers lose their last digits",
        NUMBERS,
    ),
    mutant(
        "a-key-twice",
        "gate/lines.py",
        'f"CASE WHEN {more} THEN {twice} ELSE false END AS {TWICE}",',
        'f"false AS {TWICE}",',
        "of a key that stands twice the first is loaded",
        HOSTILE,
    ),
    mutant(
        "no-list-has-no-line",
        "gate/children.py",
        "            for none in table.not_lists:\n                documents.add(",
        "            for none in ():\n                documents.add(",
        "a record whose list is an object loads without its lines",
        HOSTILE,
    ),
    mutant(
        "key-of-a-line-in-any-list",
        "gate/childtable.py",
        "names = [DOC, *(place(level) for level in range(table.wanted.level)), *map(quote.ident, columns)]",
        "names = [*map(quote.ident, columns)]",
        "two orders of one article refuse each other",
        FATE,
    ),
    mutant(
        "audit-lines-without-record",
        "books/audit_lines.py",
        'if standing.told.get("above") in (None, *whole):',
        "if False:",
        "lines of no record are not found",
        SPOILED,
    ),
    mutant(
        "audit-places",
        "books/audit_lines.py",
        "            yield from _places(session, name, child, standing)",
        "            pass",
        "a list with a gap is not found",
        SPOILED,
    ),
    mutant(
        "adjusted-child-alone",
        "books/record.py",
        "    if parent is not None:\n        raise _child(table, parent)",
        "    if False:\n        raise _child(table, str(parent))",
        "a child gets entries of its own, beside those of its records",
        BY_HAND,
    ),
)

MUTANTS = (*LINES,)

"""Mutants of fixes, purges and hidden values."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

_FIX = "tests/unit/api/test_workbench_fix.py::test_"
_PURGE = "tests/unit/api/test_workbench_purge.py::test_"
_LOOK = "tests/unit/api/test_workbench_look.py::test_"

MUTANTS = (
    mutant(
        "fix-of-any-revision",
        "books/revise.py",
        "AND q.table_name = {name} AND q.revision = f.revision",
        "AND q.table_name = {name}",
        "a fix that somebody else made in between is lost",
        f"{_FIX}a_fix_in_between_is_a_conflict_for_the_slower_one",
    ),
    mutant(
        "replay-claims-any-revision",
        "run/replay.py",
        "ON now.id = r.id AND now.revision = r.revision",
        "ON now.id = r.id",
        "a replay settles a record that was fixed after it was judged",
        f"{_FIX}a_replay_that_a_fix_overtakes_judges_what_the_record_says_now",
    ),
    mutant(
        "record-does-not-seal-its-fixes",
        "books/revise.py",
        "ELSE md5(concat_ws(chr(31), {DIGEST}, _link)) END",
        "ELSE {DIGEST} END",
        "all that a record said before can be edited away",
        f"{_FIX}an_audit_finds_what_was_edited_about_a_fix",
        f"{_FIX}every_revision_is_kept_in_order",
    ),
    mutant(
        "audit-images",
        "books/audit_bench.py",
        "yield from _images(session, name)",
        "yield from ()",
        "an image that was edited with its own digest is not found",
        f"{_FIX}a_before_image_that_was_edited_with_its_own_digest_is_found",
    ),
    mutant(
        "purge-leaves-what-it-was",
        "books/purge.py",
        "JOIN line ON line.parent = q.id",
        "JOIN line ON line.parent = q.id AND false",
        "erased data stays in the record that was refused before",
        f"{_PURGE}a_purge_empties_what_a_record_was_before_a_replay_refused_it_again",
    ),
    mutant(
        "purge-leaves-images",
        "books/purge.py",
        'session.execute(f"DELETE FROM _headgate.revision WHERE record IN ({mine})")',
        "pass",
        "erased data stays in what was kept before a fix",
        f"{_PURGE}a_purge_takes_the_before_images_with_it",
    ),
    mutant(
        "raw-shows-what-is-hidden",
        "api/quarantine.py",
        "return replace(record, raw=mask_text(record.raw), row=row,",
        "return replace(record, row=row,",
        "the original text shows every hidden value",
        f"{_LOOK}personal_values_are_hidden_everywhere",
    ),
    mutant(
        "looks-are-not-noted",
        "api/project.py",
        "            if unmask:\n                note(self._masks",
        "            if False:\n                note(self._masks",
        "nobody knows who saw hidden values",
        f"{_LOOK}who_sees_hidden_values_is_noted",
    ),
)

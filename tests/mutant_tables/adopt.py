"""Mutants of adopted tables, of columns that files bring, and of deletions that stay."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

SUITE = "tests/suites/test_store_duckdb.py::TestDuckDBAdoption::test_"
ADOPT = "tests/unit/run/test_run_adopt.py::test_"
GONE = "tests/unit/run/test_run_tombstones.py::test_"
GROWING = "tests/unit/run/test_run_growing.py::test_"

MUTANTS = (
    mutant(
        "adopted-files-look-loaded",
        "run/adopt.py",
        "end = {**batch.end, ADOPTED: True}",
        "end = batch.end",
        "a reload adds the file's rows beside those that the table had of it",
        f"{SUITE}a_changed_file_whose_rows_nobody_knows_is_not_loaded_beside_them",
    ),
    mutant(
        "adoption-guesses-the-right-row",
        "run/adopt.py",
        "            flow.disposition in IDENTIFIED and not versions,\n",
        "            False,\n",
        "of several rows of one identity all but one vanish, and no file holds them",
        f"{SUITE}of_rows_of_one_identity_none_is_told_to_be_the_right_one",
    ),
    mutant(
        "adoption-asks-nothing",
        "run/adopt.py",
        'if word is None and there and flow.ingest.load.kind == "append":',
        "if False:",
        "files whose rows the table has are loaded beside them",
        f"{ADOPT}it_must_be_said_whether_the_table_has_what_its_source_holds",
    ),
    mutant(
        "adoption-takes-rows-unasked",
        "books/adopt.py",
        "if work.versions or not work.quarantine:",
        "if work.versions:",
        "rows vanish from a table that others read, and nobody asked for it",
        f"{SUITE}a_row_that_breaks_the_contract_keeps_the_table_as_it_is",
    ),
    mutant(
        "adoption-strikes-the-next-row",
        "adapters/duckdb/takeover.py",
        'numbers = f"SELECT s.n - 1 FROM ({select}) AS s(n)"',
        'numbers = f"SELECT s.n FROM ({select}) AS s(n)"',
        "a good row is deleted and a bad one stays",
        f"{SUITE}rows_that_keep_the_contract_stay_and_the_others_go_to_the_quarantine",
    ),
    mutant(
        "adoption-keeps-what-it-refused",
        "books/adopt.py",
        "    if refused and not takeover.strikes_first:\n        struck = takeover.strike(gone)\n",
        "    struck = refused\n",
        "a refused row is in the table and in the quarantine",
        f"{SUITE}rows_that_keep_the_contract_stay_and_the_others_go_to_the_quarantine",
    ),
    mutant(
        "adopted-keys-are-held-twice",
        "adapters/duckdb/takeover.py",
        'held = next((promise.text for promise in self.promises() if promise.kind == "unique"), "")',
        'held = ""',
        "no upsert into the adopted table ever commits",
        f"{ADOPT}what_keeps_a_table_from_having_books_is_told_with_the_way_out",
    ),
    mutant(
        "adopted-promises-are-not-asked",
        "books/adopt.py",
        "    unsaid = [one for one in promises if not _said(one, work)]",
        "    unsaid = []",
        "one record without a value ends a load of a million",
        f"{SUITE}a_promise_that_the_contract_does_not_make_is_told",
    ),
    mutant(
        "trial-is-kept",
        "books/adopt.py",
        "        raise _Undone(outcome.entries)",
        '        session.execute("COMMIT")\n        raise _Undone(outcome.entries)',
        "a dry run adopts the table",
        f"{SUITE}a_trial_tells_and_changes_nothing",
    ),
    mutant(
        "calls-see-no-row-of-a-transaction",
        "gate/calls.py",
        "    first, last = scan.session.execute("
        'f"SELECT coalesce(min(rowid), 0), coalesce(max(rowid), -1) FROM {copy}")[0]\n',
        '    first, last = 0, int(scan.session.execute(f"SELECT count(_hg_id) FROM {copy}")[0][0]) - 1\n',
        "rules in Python let everything pass where rows are judged inside a transaction",
        f"{ADOPT}a_rule_in_python_sees_the_rows_that_stand",
    ),
    mutant(
        "first-file-says-the-type",
        "gate/pin.py",
        "    seen = [readable(session, one) for one in having]\n    found =",
        "    seen = [readable(session, one) for one in having[:1]]\n    found =",
        "values of the second file do not fit a type that was guessed from the first",
        f"{GROWING}a_column_that_files_bring_is_typed_by_all_of_them_and_null_before",
    ),
    mutant(
        "what-is-brought-is-left-out",
        "run/loader.py",
        'extra=flow.ingest.extra in ("ignore", "quarantine"),',
        'extra=flow.ingest.extra != "error",',
        "values of a column that was to be taken in are lost, and nobody is told",
        f"{GROWING}a_column_that_files_bring_is_typed_by_all_of_them_and_null_before",
    ),
    mutant(
        "brought-columns-are-missed",
        "gate/scan.py",
        "may_lack = scan.lenient or column.name in scan.optional",
        "may_lack = scan.lenient",
        "files from before a column came stop every load",
        f"{GROWING}a_column_that_files_bring_is_typed_by_all_of_them_and_null_before",
    ),
    mutant(
        "brought-column-is-not-kept",
        "books/evolve.py",
        "    if edit.pin:\n        pin(session, table, edit.contract.digest(), edit.pin)\n",
        "",
        "the table has a column that no contract knows of: the next run stops",
        f"{GROWING}a_column_that_files_bring_is_typed_by_all_of_them_and_null_before",
    ),
    mutant(
        "made-anew-with-what-was",
        "run/loader.py",
        "        if made.optional or (self.choice.rebuild and pin.brought(self.session, flow.table)):",
        "        if made.optional:",
        "a column comes back that no file has any more",
        f"{GROWING}a_table_is_made_with_what_its_first_files_bring_and_forgets_it_when_made_anew",
    ),
    mutant(
        "null-says-deleted",
        "gate/judge.py",
        'yield f"coalesce(({condition}), false) AS {quote.ident(name)}"',
        'yield f"coalesce(({condition}), true) AS {quote.ident(name)}"',
        "rows of which nobody said anything are read as deleted",
        f"{GONE}a_null_condition_deletes_nothing",
    ),
    mutant(
        "deletions-are-not-counted",
        "gate/judge.py",
        '            counts[part] += Counts(details={"deleted": rows})\n',
        "            pass\n",
        "the ledger does not say that rows went",
        f"{GONE}an_older_record_does_not_bring_back_what_was_deleted_and_a_newer_one_does",
    ),
    mutant(
        "others-say-what-was-deleted",
        "run/adopt.py",
        "    if flow.gone is not None:\n",
        "    if False:\n",
        "an adopted table lacks the column: no load fits it any more",
        f"{GONE}a_table_of_others_cannot_say_what_was_deleted",
    ),
)

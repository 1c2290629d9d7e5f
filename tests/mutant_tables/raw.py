"""Mutants of what is landed raw, and of reading it again."""

from __future__ import annotations

from tests.mutant_tables.mutant import RAW, mutant

LANDING = "adapters/table/landing.py"

MUTANTS = (
    mutant(
        "raw-shape-not-kept",
        "books/write.py",
        "**part.facts, ",
        "",
        "nobody knows which columns a landed file had: its rows are never loaded",
        f"{RAW}a_record_is_kept_as_received_and_judged_by_who_reads_it",
    ),
    mutant(
        "raw-numbers-overlap",
        "gate/scan.py",
        "batch.extent or batch.records",
        "batch.records",
        "a record of one file is refused for what another file's record says",
        f"{RAW}records_that_are_none_leave_gaps_that_nobody_else_fills",
    ),
    mutant(
        "raw-generation-ignored",
        LANDING,
        "if at.generation != chain.generation:",
        "if False:",
        "rows that came back with the table are taken for those that were read",
        f"{RAW}a_restored_landing_is_read_again",
    ),
    mutant(
        "raw-lost-rows-ignored",
        LANDING,
        "if rows != at.rows:",
        "if False:",
        "rows that the landing gave up stay",
        f"{RAW}a_landing_by_partitions_takes_its_rows_along",
    ),
    mutant(
        "raw-other-table-continued",
        LANDING,
        'if position.get("table") != str(table):',
        "if False:",
        "a position in a file is taken for one in the landing",
        f"{RAW}a_table_that_was_loaded_from_the_files_reads_the_landing_instead",
    ),
    mutant(
        "raw-rows-not-counted",
        "adapters/table/reader.py",
        "if total != entry.rows or (not after and rows != total):",
        "if False:",
        "rows that somebody deleted by hand were never there",
        f"{RAW}rows_that_somebody_took_away_are_no_records_that_were_never_there",
    ),
    mutant(
        "raw-gone-stays",
        "adapters/table/source.py",
        "if self.landing is not None and self.landing.there:",
        "if False:",
        "rows of a file that the landing has no more stay",
        f"{RAW}what_the_landing_gave_up_goes_from_the_table_too",
    ),
    mutant(
        "raw-gone-is-judged",
        "run/readings.py",
        ' or reading.partition.status == "gone")',
        ")",
        "a file that the landing has no more stops every run",
        f"{RAW}rows_with_an_identity_stay_when_what_brought_them_is_gone",
    ),
    mutant(
        "raw-lacking-is-null",
        "run/bronze.py",
        'columns = shapes.get(entry.facts.get("shape", ""))',
        'columns = next(iter(shapes.values()), None) if "shape" in entry.facts else None',
        "a file that lacks a column passes for one whose values are NULL",
        f"{RAW}a_column_that_a_file_lacks_is_lacking_and_not_null",
    ),
)

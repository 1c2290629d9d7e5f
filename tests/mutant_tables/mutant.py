"""A mutant, and the tests that its lists name."""

from __future__ import annotations

from dataclasses import dataclass

ORACLE = "tests/property/test_oracle_agreement.py"
CRASHES = "tests/property/test_crashes.py"
RACES = f"{CRASHES}::test_two_runners_of_the_first_load"
FAULTS = f"{CRASHES}::test_every_fault_point_is_reached_and_survived"
STORE = "tests/suites/test_store_duckdb.py::TestDuckDB::test_"
COMMIT = "tests/unit/books/test_commit.py"
QUARANTINE = "tests/unit/books/test_books_quarantine.py"
CORRUPTIONS = "tests/unit/books/test_corruptions.py"
FOUND = f"{CORRUPTIONS}::test_audit_finds_the_corruption_and_names_its_place"
CLEAN = f"{CORRUPTIONS}::test_without_a_corruption_nothing_is_found"
TORN = f"{CORRUPTIONS}::test_a_run_adds_nothing_to_a_ledger_whose_end_is_torn"
ADJUST = "tests/unit/books/test_adjust.py"
CONTRACTS = "tests/unit/run/test_run_contracts.py"
EVOLUTION = "tests/unit/run/test_run_evolution.py"
RESTORE = "tests/unit/run/test_run_restore.py"
FILES = "tests/unit/run/test_run_files.py"
COMMITS = "tests/unit/run/test_run_commits.py"
HISTORIES = "tests/unit/run/test_run_histories.py"
FIRST = "tests/unit/run/test_first_load.py"
VERSIONS = "tests/unit/gate/test_gate_versions.py"
REPEATS = "tests/unit/gate/test_repeats.py"
BITS = "tests/unit/gate/test_gate_bits.py"
SCAN = "tests/unit/gate/test_gate_scan.py"
PIN = "tests/unit/gate/test_gate_pin.py"
UNMATCHED = "tests/unit/run/test_run_unmatched.py"
SETS = "tests/unit/gate/test_gate_sets.py"
RECORDS = "tests/unit/adapters/test_files_records.py"
LISTING = "tests/unit/adapters/test_files_listing.py"
JSON = "tests/unit/adapters/test_files_json.py"
CSV = "tests/unit/adapters/test_files_csv.py"
POSTGRES = "tests/unit/adapters/test_postgres_texts.py"


@dataclass(frozen=True)
class Mutant:
    """`file` below src/headgate; `old` becomes `new`; `why`: what would be lost, doubled or not noticed."""

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]


def mutant(name: str, file: str, old: str, new: str, why: str, *tests: str) -> Mutant:
    return Mutant(name, file, old, new, why, tests)

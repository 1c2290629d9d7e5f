"""The comparison accepts exactly the books that the truth asks for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
sys.path.insert(0, str(SHOP))

import generate  # noqa: E402
from shopgen.compare import FATES, Line, compare  # noqa: E402

Books = tuple[list[dict[str, Any]], list[dict[str, Any]], dict[int, str]]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = generate.generate(tmp_path_factory.mktemp("shop"), 2500)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def books(truth: dict[str, Any]) -> Books:
    """Books as they must come out: an entry per file that has something to tell, a record per refused place."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    refused = []
    for kind in truth["kinds"]:
        for file, places in kind["places"].items() if kind["fate"] != "no record" else ():
            count = len(places) or kind["planted"]
            entry = entries.setdefault((kind["table"], file), _entry(kind["table"], file))
            entry[f"rows_{kind['fate']}"] += count
            if kind["fate"] == "quarantined":
                refused += [_refused(kind, file, record) for record, _ in places]
    for table, counts in truth["tables"].items():
        entries[table, "rest"] = _entry(table, "rest")
        for fate in FATES:
            named = sum(entry[f"rows_{fate}"] for entry in entries.values() if entry["table_name"] == table)
            entries[table, "rest"][f"rows_{fate}"] = counts[fate] - named
    survivors = {key: version for kind in truth["kinds"] for key, version in kind["survivors"]}
    return list(entries.values()), refused, survivors


def _entry(table: str, file: str) -> dict[str, Any]:
    return {"table_name": table, "partition": file, **{f"rows_{fate}": 0 for fate in FATES}}


def _refused(kind: dict[str, Any], file: str, record: int) -> dict[str, Any]:
    reasons = [{"rule": rule, "column": column, "message": "..."} for rule, column in kind["reasons"]]
    return {"table_name": kind["table"], "partition": file, "record": record, "reasons": json.dumps(reasons)}


def wrong(lines: list[Line]) -> set[tuple[str, int]]:
    return {(line.kind, line.found - line.planted) for line in lines if not line.is_equal}


def test_right_books_are_equal(truth: dict[str, Any], books: Books) -> None:
    lines = compare(truth, *books)
    assert wrong(lines) == set()
    assert len([line for line in lines if line.planted]) == len(truth["kinds"]) + 3


def test_a_lost_record_is_missed(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    lost = next(item for item in refused if '"references"' in item["reasons"] and '"product_id"' in item["reasons"])
    refused.remove(lost)
    assert wrong(compare(truth, entries, refused, survivors)) == {("unknown product", -1)}


def test_a_record_refused_for_another_reason_is_not_found(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    changed = next(item for item in refused if '"between"' in item["reasons"])
    changed["reasons"] = changed["reasons"].replace("between", "min")
    assert wrong(compare(truth, entries, refused, survivors)) == {("quantity zero", -1), ("refused without cause", 1)}


def test_a_good_record_refused_is_a_stranger(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    refused.append({**refused[0], "record": 10**9})
    assert wrong(compare(truth, entries, refused, survivors)) == {("refused without cause", 1)}


@pytest.mark.parametrize(
    ("file", "kind"), [("2026-06-17_again.csv.gz", "file delivered twice"), ("rest", "test order")]
)
def test_skipped_records_are_counted_by_file(truth: dict[str, Any], books: Books, file: str, kind: str) -> None:
    entries, refused, survivors = books
    entry = next(item for item in entries if (item["table_name"], item["partition"]) == ("raw.orders", file))
    entry["rows_skipped"] += 1
    assert wrong(compare(truth, entries, refused, survivors)) - {("blank line", -1)} == {(kind, 1)}


def test_an_older_version_that_won_is_noticed(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    key = next(kind for kind in truth["kinds"] if kind["kind"] == "older version arrives late")["survivors"][0][0]
    survivors[key] = "2026-05-01 00:00:00"
    found = dict(wrong(compare(truth, entries, refused, survivors)))
    assert found["older version arrives late"] < 0


def test_a_customer_who_is_there_twice_is_noticed(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    key = next(kind for kind in truth["kinds"] if kind["kind"] == "customer twice in one file")["survivors"][0][0]
    del survivors[key]
    assert dict(wrong(compare(truth, entries, refused, survivors)))["customer twice in one file"] < 0


def test_deduplicated_records_are_all_explained(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    next(item for item in entries if item["table_name"] == "raw.customers")["rows_deduplicated"] += 1
    lines = compare(truth, entries, refused, survivors)
    assert wrong(lines) == {("replaced by a newer version in the same load", 1)}


def test_a_blank_line_taken_for_a_record_is_noticed(truth: dict[str, Any], books: Books) -> None:
    entries, refused, survivors = books
    entry = next(item for item in entries if item["table_name"] == "raw.orders")
    entry["rows_loaded"] += 1
    assert wrong(compare(truth, entries, refused, survivors)) == {("blank line", -1), ("good", 1)}

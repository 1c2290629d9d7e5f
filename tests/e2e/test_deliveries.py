"""Files as they are delivered: encodings, line ends, compression, damage, hostile headers."""

from __future__ import annotations

import gzip
import os
from typing import Any

import pytest
import zstandard
from tests.e2e.conftest import Lab

LINES = b"id,name\n1,a\n2,b\n"
COLUMNS = "columns:\n  id: int, key\n  name: text\n"

GOOD: dict[str, tuple[str, str, bytes]] = {
    # table -> what stands under from:, file name, content
    "plain": ("data/plain.csv", "plain.csv", LINES),
    "unended": ("data/unended.csv", "unended.csv", LINES[:-1]),
    "bom_crlf": ("data/bom.csv", "bom.csv", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n")),
    "semicolons": ('{csv: {path: data/semi.csv, delim: ";"}}', "semi.csv", LINES.replace(b",", b";")),
    "tabs": ("data/tabs.tsv", "tabs.tsv", LINES.replace(b",", b"\t")),
    "gz": ("data/g.csv.gz", "g.csv.gz", gzip.compress(LINES)),
    "two_members": ("data/gg.csv.gz", "gg.csv.gz", gzip.compress(LINES[:12]) + gzip.compress(LINES[12:])),
    "zst": ("data/z.csv.zst", "z.csv.zst", zstandard.compress(LINES)),
    "latin": ("{csv: {path: data/l.csv, encoding: latin-1}}", "l.csv", LINES.replace(b"2,b", b"2,\xe9")),
    "utf16": ("{csv: {path: data/u.csv, encoding: utf-16}}", "u.csv", LINES.decode().encode("utf-16")),
    "swapped": ("data/swapped.csv", "swapped.csv", b"name,id\na,1\nb,2\n"),
}
EMPTY: dict[str, bytes] = {
    "header_only": b"id,name\n",
    "header_without_end": b"id,name",
    "bom_header": b"\xef\xbb\xbfid,name\r\n",
}
BAD: dict[str, tuple[str, bytes, str]] = {
    # table -> file name, content, code
    "empty": ("empty.csv", b"", "no-header"),
    "no_header": ("bare.csv", b"1,a\n2,b\n", "unknown-column"),
    "names_twice": ("twice.csv", b"id,ID\n1,2\n", "bad-header"),
    "no_name": ("noname.csv", b"id,\n1,2\n", "bad-header"),
    "other_delimiter": ("semi2.csv", b"id;name\n1;a\n", "unknown-column"),
    "cut_gz": ("cut.csv.gz", gzip.compress(LINES)[:-9], "corrupt-file"),
    "no_gz": ("no.csv.gz", LINES, "corrupt-file"),
    "cut_zst": ("cut.csv.zst", zstandard.compress(LINES)[:-4], "corrupt-file"),
    "no_parquet": ("no.parquet", b"hello", "corrupt-file"),
    "empty_parquet": ("empty.parquet", b"", "corrupt-file"),
}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Every delivery as a table of its own, loaded in one run: the lab, the steps by table, the findings."""
    lab = Lab(tmp_path_factory.mktemp("delivered"))
    for table, (source, name, content) in GOOD.items():
        lab.write({f"ingest/{table}.yml": f"table: {table}\nfrom: {source}\n{COLUMNS}", f"data/{name}": content})
    for table, content in EMPTY.items():
        text = f"table: {table}\nfrom: data/{table}.csv\n{COLUMNS}"
        lab.write({f"ingest/{table}.yml": text, f"data/{table}.csv": content})
    for table, (name, content, _) in BAD.items():
        text = f"table: {table}\nfrom: data/{name}\n{COLUMNS}"
        lab.write({f"ingest/{table}.yml": text, f"data/{name}": content})
    ran = lab.headgate("run", "--json")
    assert ran.code == 1
    answer = ran.json()
    return lab, {step["id"].removeprefix("main."): step for step in answer["steps"]}, answer["findings"]


@pytest.mark.parametrize("table", GOOD)
def test_a_good_delivery_is_loaded(delivered: tuple[Lab, dict[str, Any], Any], table: str) -> None:
    step = delivered[1][table]
    assert (step["status"], step["rows_read"], step["rows_loaded"]) == ("ok", 2, 2)


def test_what_was_loaded_is_what_was_sent(delivered: tuple[Lab, dict[str, Any], Any]) -> None:
    union = " UNION ALL ".join(f"SELECT '{table}', id, name FROM {table}" for table in GOOD)
    expected = [[table, 1, "a"] for table in GOOD] + [[table, 2, "é" if table == "latin" else "b"] for table in GOOD]
    assert sorted(delivered[0].rows(union)) == sorted(expected)


@pytest.mark.parametrize("table", EMPTY)
def test_a_file_without_records_is_loaded_once(delivered: tuple[Lab, dict[str, Any], Any], table: str) -> None:
    assert (delivered[1][table]["status"], delivered[1][table]["rows_read"]) == ("ok", 0)
    again = delivered[0].headgate("run", table, "--json").json()["steps"][0]
    assert (again["status"], again["reason"]) == ("skipped", "nothing new")


@pytest.mark.parametrize("table", BAD)
def test_a_damaged_delivery_is_told_and_loads_nothing(
    delivered: tuple[Lab, dict[str, Any], list[dict[str, Any]]], table: str
) -> None:
    name, _, code = BAD[table]
    lab, steps, findings = delivered
    assert steps[table]["status"] in ("failed", "refused")
    assert steps[table]["rows_read"] == steps[table]["rows_loaded"] == 0
    mine = [one for one in findings if name in one["where"]]
    assert [one["code"] for one in mine] == [code]
    assert mine[0]["fix"]
    told = [one["code"] for one in lab.headgate("check", "--json").json()["findings"] if name in one["where"]]
    assert code in told


def test_the_books_balance_after_all_of_that(delivered: tuple[Lab, dict[str, Any], Any]) -> None:
    assert delivered[0].ok("audit")["balanced"] is True
    assert delivered[0].ok("quarantine", "list", "--status", "all")["total"] == 0


def test_bytes_that_are_no_text_stop_only_their_record(orders: Lab) -> None:
    orders.write({"data/orders/1.csv": b"id,amount\n1,1\n\xe9,2\n3,\x003\n4,4\n"})
    step = orders.step()
    assert (step["rows_read"], step["rows_loaded"], step["rows_quarantined"]) == (4, 2, 2)
    records = orders.ok("quarantine", "list")["records"]
    assert [(one["position"]["line"], one["raw"]) for one in records] == [(3, "\\xe9,2"), (4, "3,\\x003")]


HOSTILE = 'id,"na\nme","<script>alert(1)</script>","""; DROP TABLE raw.h; --",😀,a.b\n1,b,3,4,5,6\n'


def test_hostile_names_are_only_names(lab: Lab) -> None:
    lab.write({"ingest/h.yml": "table: raw.h\nfrom: data/h.csv\n", "data/h.csv": HOSTILE})
    assert lab.step()["rows_loaded"] == 1
    answer = lab.ok("query", "SELECT * EXCLUDE (_hg_load) FROM raw.h")
    names = ["id", "na\nme", "<script>alert(1)</script>", '"; DROP TABLE raw.h; --', "😀", "a.b"]
    assert [column["name"] for column in answer["columns"]] == names
    assert answer["rows"] == [[1, "b", 3, 4, 5, 6]]
    assert "na\\nme" in lab.headgate("query", "FROM raw.h").out.splitlines()[0]
    lab.write(
        {
            "ingest/h.yml": "table: raw.h\nfrom: data/h.csv\nextra: ignore\ncolumns:\n  id: int, key\n"
            "  evil: int, from('\"; DROP TABLE raw.h; --'), max(3)\n  face: int, from(😀)\n"
        }
    )
    assert lab.step("--full-refresh")["rows_quarantined"] == 1
    assert lab.ok("quarantine", "list")["records"][0]["row"]['"; DROP TABLE raw.h; --'] == "4"
    assert lab.ok("audit")["balanced"] is True


def test_places_without_a_file(lab: Lab) -> None:
    lab.write({"ingest/o.yml": f"table: o\nfrom: data/*.csv\n{COLUMNS}"})
    (lab.root / "data" / "x.csv").mkdir(parents=True)
    step = lab.step()
    assert (step["status"], step["reason"]) == ("skipped", "no file yet")
    assert lab.fails(1, "check")["code"] == "no-files"
    lab.write({"ingest/o.yml": f"table: o\nfrom: data/x.csv\n{COLUMNS}"})
    found = lab.fails(1, "run")
    assert (found["code"], found["what"]) == ("not-a-file", "the path is a folder")


@pytest.mark.parametrize("kind", ["pipe", "dangling link"])
def test_what_is_no_plain_file_is_told_and_never_waited_for(orders: Lab, kind: str) -> None:
    path = orders.root / "data/orders/2.csv"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(orders.root / "nowhere.csv")
    for command in ("check", "run"):
        found = orders.fails(1, command)
        assert (found["code"], found["where"]) == (
            "not-a-file" if kind == "pipe" else "unreadable-file",
            str(path),
        )


def test_a_first_load_that_failed_leaves_nothing_that_the_mended_contract_could_disagree_with(lab: Lab) -> None:
    lab.write({"ingest/o.yml": "table: raw.o\nfrom: data/o.csv\ncolumns: {id: int, nmae: text}\n", "data/o.csv": LINES})
    found = lab.fails(1, "run")
    assert "did you mean" in found["what"]
    lab.edit("ingest/o.yml", "nmae", "name")
    assert lab.ok("check")["ok"] is True
    assert lab.step()["rows_loaded"] == 2

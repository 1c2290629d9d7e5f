"""How a CSV file is written is found out from what stands in it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.adapters.files.sniff import guess


@pytest.mark.parametrize(
    ("text", "options", "columns"),
    [
        ("id,name\n1,a\n2,b\n", {}, ["id", "name"]),
        ("id;betrag\n1;2,5\n2;3,5\n", {"delim": ";"}, ["id", "betrag"]),
        ("id\tname\n1\ta\n", {"delim": "\t"}, ["id", "name"]),
        ("id|name\n1|a,b\n2|c\n", {"delim": "|"}, ["id", "name"]),
        ("id,name\n1,'a,b'\n2,'c,d'\n", {"quote": "'"}, ["id", "name"]),
        ('id,name\n1,"a \\"b\\" c"\n', {"escape": "\\"}, ["id", "name"]),
        ('id,name\n1,"a ""b"" c;;;;"\n2,"x\ny"\n', {}, ["id", "name"]),
        ("# made today\nid,name\n1,a\n2,b\n", {"comment": "#"}, ["id", "name"]),
        ("1,2026-01-01\n2,2026-01-02\n", {"header": False}, ["column1", "column2"]),
        ("name,city\nada,paris\nben,lyon\n", {}, ["name", "city"]),
        ("id,name\n1,a\nid,name\n2,b\n", {}, ["id", "name"]),
        ("only\nx\ny\n", {}, ["only"]),
        ("a,b\n", {}, ["a", "b"]),
        ("red,small\nblue,large\nred,small\nblue,small\nred,large\n", {"header": False}, ["column1", "column2"]),
    ],
)
def test_a_dialect(tmp_path: Path, text: str, options: dict[str, Any], columns: list[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    found = guess(path)
    assert (found.options, list(found.columns)) == (options, columns)


def test_what_is_not_usual_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\ufeffid;v\n1;ä\n", encoding="utf-8")
    assert guess(path).notes == ("a byte order mark was skipped", "fields are separated by semicolons")


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", None), ("utf-16", "utf-16"), ("cp1252", "cp1252"), ("utf-8-sig", None)]
)
def test_an_encoding(tmp_path: Path, encoding: str, found: str | None) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,name\n" + "1,Müller €\n" * 5, encoding=encoding)
    assert guess(path).options.get("encoding") == found


def test_bytes_that_cp1252_does_not_know_are_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,name\n1,\x81\xe4\n2,\xe4\n")
    assert guess(path).options == {"encoding": "latin-1"}


def test_a_few_broken_lines_do_not_decide_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("id,name\n1,ä\n2,ö\n3,ü\n".encode() + b"4,\xe4\n")
    found = guess(path)
    assert (found.options, found.notes) == ({}, ("UTF-8, though not in 1 of its lines",))


def test_a_packed_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"id;v\n1;2\n"))
    assert guess(path).options == {"delim": ";"}


def test_tabs_are_usual_in_tsv(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("id\tv\n1\t2\n")
    assert guess(path).options == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("b") / "x.csv"
    path.write_bytes(data)
    assert isinstance(guess(path).options, dict)

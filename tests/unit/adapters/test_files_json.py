"""JSON records: the fast way and the exact one agree, whatever stands in the lines and however they are sliced."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.project_kit import Folder

from headgate.adapters.files.json import JsonSource, NdjsonSource
from headgate.adapters.files.jsontext import NoRecord, members
from headgate.core.errors import AdapterError
from headgate.core.values import Batch
from headgate.testing.source_suite import DuckSession

SESSION = DuckSession()


def source(folder: Path, **options: Any) -> NdjsonSource:
    tmp = folder / "tmp"
    tmp.mkdir(exist_ok=True)
    return NdjsonSource({"path": "*.ndjson", **options}, folder, tmp)


def put(folder: Path, data: bytes, name: str = "a.ndjson") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def used(batch: Batch) -> Batch:
    """The batch as the gate uses it."""
    if batch.careful is not None:
        try:
            if len(SESSION.execute(batch.relation)) == batch.records:
                return batch
        except Exception:
            return batch.careful()
        return batch.careful()
    return batch


def read(made: NdjsonSource, max_rows: int = 1 << 40) -> tuple[dict[int, dict[str, str]], dict[int, str], int]:
    """Values by record (without NULLs), messages by record, and the count of records."""
    rows: dict[int, dict[str, str]] = {}
    bad: dict[int, str] = {}
    records = 0
    (partition,) = made.partitions({})
    reader = made.open(SESSION, partition, None)  # type: ignore[arg-type]
    while (batch := reader.read(max_rows, 1 << 50)) is not None:
        batch = used(batch)
        records += batch.records
        names = [column.name for column in batch.columns]
        found = SESSION.execute(batch.relation)
        for place, row in enumerate(found):
            number, *values = (batch.row_base + place, *row) if batch.row_base is not None else row
            rows[number] = {name.lower(): value for name, value in zip(names, values, strict=True) if value is not None}
        if batch.malformed:
            bad |= {number: message for number, _, _, message in SESSION.execute(batch.malformed_relation)}
    reader.close()
    return rows, bad, records


def expected(lines: list[str]) -> tuple[dict[int, dict[str, str]], dict[int, str], int]:
    rows, bad, number = {}, {}, 0
    for line in lines:
        if not line.strip(" \t\r"):
            continue
        number += 1
        try:
            found = members(line)
        except NoRecord as why:
            bad[number] = str(why)
            continue
        rows[number] = {key.lower(): value for key, value in found.items() if value is not None}
    return rows, bad, number


SCALARS = r"""1|-0|1.5|1.50|1e5|0.1|12345678901234567890.5|true|false|null|"x"|"a b"|""|"\u00e9"|"\/"|"é😀"|"1"|NaN|-inf
[]|{}|"x,\"y\":1"|[1, 2.50]|[1,{"a":1.5}]|{"a":{"b":2}}|01|'x'|{"a":1,"a":2}|"\ud800"|"NaN"|":NaN"|1E400
1e-400|9999999999999999999"""
scalars = st.sampled_from(SCALARS.replace("\n", "|").split("|"))
keys = st.sampled_from(["a", "b", "c", "A", "a b", "", "x/y", "~", 'q\\"q', "é"])
gaps = st.sampled_from([("", ""), ("", ""), (" ", " "), (" ", ""), ("", " ")])


@st.composite
def line(draw: Any) -> str:
    after_comma, after_colon = draw(gaps)
    pairs = draw(st.lists(st.tuples(keys, scalars), max_size=4))
    made = "{" + f",{after_comma}".join(f'"{key}":{after_colon}{value}' for key, value in pairs) + "}"
    return made + draw(st.sampled_from(["", "", "", "", " ", ",", "}", "\r"]))


regular = st.builds(lambda *values: '{{"a":{},"b":{},"c":{}}}'.format(*values), scalars, scalars, scalars)


@settings(max_examples=150, deadline=None)
@given(st.lists(line() | regular | st.just(""), max_size=12), st.integers(1, 5))
def test_both_ways_of_reading_agree(lines: list[str], max_rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        put(Path(name), "\n".join(lines).encode())
        made = source(Path(name))
        assert read(made) == expected(lines)
        assert read(made, max_rows) == expected(lines)


@settings(max_examples=40, deadline=None)
@given(st.lists(regular, min_size=1, max_size=6), st.integers(0, 30))
def test_lines_that_prove_themselves_and_others_keep_their_order(odd: list[str], step: int) -> None:
    lines = [f'{{"a":{n},"b":"x{n}","c":null}}' for n in range(1500)]
    for place, one in enumerate(odd):
        lines[(place * 250 + step) % 1500] = one
    with tempfile.TemporaryDirectory() as name:
        put(Path(name), "\n".join(lines).encode())
        assert read(source(Path(name))) == expected(lines)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), scalars), max_size=5))
def test_what_is_exact_is_what_the_json_module_reads(pairs: list[tuple[str, str]]) -> None:
    text = "{" + ", ".join(f"{json.dumps(key)} : {value}" for key, value in pairs) + "}"
    try:
        found = members(text)
    except NoRecord:
        return
    as_read = {key: None if raw is None else json.loads(raw) for key, raw in found.items()}
    assert as_read == json.loads(text)


def test_clean_lines_are_read_in_place(tmp_path: Path) -> None:
    path = put(tmp_path, b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n')
    made = source(tmp_path)
    reader = made.open(SESSION, made.partitions({})[0], None)  # type: ignore[arg-type]
    batch = reader.read(10, 1 << 30)
    assert batch is not None
    assert str(path) in batch.relation
    assert SESSION.execute(batch.relation) == [("1", '"x"'), ("2", '"y"')]
    reader.close()


def test_a_record_tells_its_line_in_the_document(tmp_path: Path) -> None:
    put(tmp_path, b'[\n  {"a": 1},\n  {"a":\n   2}, 5,\n {"a": 3}]', "a.json")
    (tmp_path / "tmp").mkdir()
    made = JsonSource({"path": "a.json"}, tmp_path, tmp_path / "tmp")
    reader = made.open(SESSION, made.partitions({})[0], None)  # type: ignore[arg-type]
    batch = reader.read(10, 1 << 30)
    assert batch is not None
    found = SESSION.execute(batch.originals([1, 2, 3, 4]))
    assert [row[:3] for row in found] == [(1, 2, '{"a": 1}'), (2, 3, '{"a":    2}'), (3, 4, "5"), (4, 5, '{"a": 3}')]
    reader.close()


def test_a_missing_column_is_one_that_no_file_has(tmp_path: Path) -> None:
    put(tmp_path, b'{"a":1}\n')
    put(tmp_path, b'{"b":1}\n{"a":2}\n', "b.ndjson")
    made = source(tmp_path)
    assert made.check(SESSION, ["a", "b"]) == []
    found = made.check(SESSION, ["a", "c"])
    assert [(one.code, one.evidence["column"]) for one in found] == [("missing-column", "c"), ("unknown-column", "b")]


def test_too_many_keys_are_an_error(tmp_path: Path) -> None:
    put(tmp_path, "".join(json.dumps({f"k{number}": 1}) + "\n" for number in range(6000)).encode())
    made = source(tmp_path)
    reader = made.open(SESSION, made.partitions({})[0], None)  # type: ignore[arg-type]
    with pytest.raises(AdapterError) as caught:
        used(reader.read(10_000, 1 << 30))  # type: ignore[arg-type]
    reader.close()
    assert caught.value.finding.code == "too-many-columns"
    assert "json column" in caught.value.finding.fix


INGEST = """table: raw.t
from: data/*.ndjson
columns:
  id: int, key
  v: {kind}
  city: text, from('home.city')
"""


def test_refused_records_come_back_by_replay(tmp_path: Path) -> None:
    folder = Folder.make(tmp_path, {
        "ingest/t.yml": INGEST.format(kind="int"),
        "data/a.ndjson": '{"id":1,"v":"12.50","home":{"city":"5"}}\n{"ID":2,"v":1.50}\n{"id":3,"v":{"a":1.0}}\n'
        '{"id":4,"v":4}\n{"id":5,"v":"{x"}\n{"id":6\n',
    })  # fmt: skip
    assert folder.step("raw.t").rows_quarantined == 5
    folder.write("ingest/t.yml", INGEST.format(kind="text"))
    assert folder.codes() == []
    folder.run("raw.t", full_refresh=True)
    assert folder.refused("raw.t") == [("a.ndjson", 3, [("type", "v")]), ("a.ndjson", 6, [("record", None)])]
    folder.write("ingest/t.yml", INGEST.format(kind="json"))
    folder.run("raw.t", full_refresh=True)
    rows = folder.rows("select id, v, city from raw.t order by id")
    assert [(number, json.dumps(v) if not isinstance(v, str) else v, city) for number, v, city in rows] == [
        (1, '"12.50"', "5"), (2, "1.50", None), (3, '{"a":1.0}', None), (4, "4", None), (5, '"{x"', None),
    ]  # fmt: skip


def test_replay_judges_a_value_as_the_file_did(tmp_path: Path) -> None:
    strict = "table: raw.t\nfrom: data/*.ndjson\ncolumns:\n  id: int, key\n  v: json\n  w: int, between(0, {most})\n"
    folder = Folder.make(tmp_path, {
        "ingest/t.yml": strict.format(most=1),
        "data/a.ndjson": '{"id":1,"v":"true","w":5}\n{"Id":2,"v":true,"w":5}\n{"id":3,"v":"x y","w":"5"}\n'
        '{"id":4,"w":5}\n',
    })  # fmt: skip
    assert folder.step("raw.t").rows_loaded == 0
    folder.write("ingest/t.yml", strict.format(most=9))
    replayed = folder.open().replay(table="raw.t")
    assert (replayed.rows_read, replayed.rows_loaded) == (4, 4)
    assert folder.behind("select id, v::varchar, w from raw.t order by 1") == [
        (1, '"true"', 5), (2, "true", 5), (3, '"x y"', 5), (4, None, 5),
    ]  # fmt: skip
    assert folder.codes() == []


def test_a_key_that_only_a_late_line_has_is_not_passed_over(tmp_path: Path) -> None:
    lines = [f'{{"id":{number}}}\n' for number in range(150)]
    late = '{"id":150,"x":1}\n'
    contract = "table: raw.t\nfrom: data/*.ndjson\n{more}columns:\n  id: int, key\n"
    folder = Folder.make(tmp_path, {"ingest/t.yml": contract.format(more=""), "data/a.ndjson": "".join([*lines, late])})
    [finding] = folder.run().findings
    assert (finding.code, "'x'" in finding.what) == ("unknown-column", True)
    folder.write("ingest/t.yml", contract.format(more="extra: ignore\n"))
    assert folder.step("raw.t").rows_loaded == 151
    untyped = "table: raw.t\nfrom: data/*.ndjson\n"
    two_lines = Folder.make(tmp_path / "b", {"ingest/t.yml": untyped, "data/a.ndjson": "".join([*lines, late])})
    two_lines.run()
    assert two_lines.rows("select count(*), count(x) from raw.t") == [(151, 1)]

"""Slices and positions of a function: what is read, where it is cut, and where the next run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from python_kit import WHOLE, Bench

from headgate.adapters.python import reader as reading
from headgate.core.errors import HeadgateError


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def refusal(bench: Bench, **how: Any) -> Any:
    with pytest.raises(HeadgateError) as caught:
        bench.read(**how)
    finding = caught.value.finding
    assert finding.where
    assert finding.fix
    assert "secret" not in finding.render()
    return finding


def test_a_mixture_comes_in_order_in_pieces_of_one_shape(bench: Bench) -> None:
    bench.code(
        """
        import pyarrow as pa
        def rows():
            yield {"a": 1}
            yield [{"b": 2}, ValueError("lost\\nsecond line"), {"a": object()}]
            yield pa.table({"a": [5, 6]})
            yield pa.table({"a": [None]}), "p"
            yield {"a": 8}
        """
    )
    (one,) = bench.read()
    assert one.rows == {1: ("1", None), 2: (None, "2"), 5: (5,), 6: (6,), 7: (None,), 8: ("8", None)}
    assert one.refused == {3: "ValueError: lost", 4: "column 'a': a value of type 'object' has no text"}
    assert [(p.first_record, p.records, p.malformed, p.sparse) for p in one.batch.pieces] == [
        (1, 4, 2, True), (5, 2, 0, False), (7, 1, 0, False), (8, 1, 0, True),
    ]  # fmt: skip
    assert one.batch.end == {"at": "p", "after": 0, "records": 8, "done": True, "identity": None}
    assert one.batch.uncovered == 1


@pytest.mark.parametrize(
    "returned",
    ["{'a': 1}", "[{'a': 1}]", "[[{'a': 1}]]", "iter([{'a': 1}])", "([{'a': 1}], 3)", "pa.table({'a': ['1']})",
     "pa.table({'a': ['1']}).to_batches()", "map(dict, [[('a', 1)]])", "({'a': n} for n in (1,))"],
)  # fmt: skip
def test_whatever_holds_rows_may_be_returned(bench: Bench, returned: str) -> None:
    bench.code(f"import pyarrow as pa\ndef rows(): return {returned}")
    (one,) = bench.read()
    assert one.rows == {1: ("1",)}


@pytest.mark.parametrize("returned", ["None", "[]", "()", "{}.values()", "pa.table({'a': pa.nulls(0)})"])
def test_nothing_moves_the_position_once(bench: Bench, returned: str) -> None:
    bench.code(f"import pyarrow as pa\ndef rows(): return {returned}")
    (one,) = bench.read()
    assert (one.batch.total, one.batch.end["done"]) == (0, True)
    assert bench.read(one.batch.end) == []


STABLE = """
def rows(position):
    with open({calls!r}, "a") as calls:
        calls.write(f"{{position}} ")
    for number in range(position or 0, 10):
        yield {{"n": number}}
        if number == 3:
            yield [], 4
"""


def test_a_stable_source_is_cut_anywhere_and_reopened_behind_its_last_position(bench: Bench, tmp_path: Path) -> None:
    bench.code(STABLE.format(calls=str(tmp_path / "calls")))
    batches = bench.read(rows=3, replay="stable")
    assert [list(one.rows) for one in batches] == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]
    assert [(one.batch.end["at"], one.batch.end["after"]) for one in batches] == [(None, 3), (4, 2), (4, 5), (4, 6)]
    for number, one in enumerate(batches):
        rest = bench.read(one.batch.end, rows=4, replay="stable")
        assert {n: row for part in rest for n, row in part.rows.items()} == {
            n: (str(n - 1),) for n in range(number * 3 + 4, 11)
        }
    assert (tmp_path / "calls").read_text().split() == ["None", "None", "4", "4", "4"]


def test_a_stable_source_may_grow_but_not_shrink(bench: Bench) -> None:
    bench.code("def rows(): return [{'n': n} for n in range(5)]")
    (one,) = bench.read(replay="stable")
    assert bench.read(one.batch.end, replay="stable") == []
    bench.code("def rows(): return [{'n': n} for n in range(7)]")
    (more,) = bench.read(one.batch.end, replay="stable")
    assert more.rows == {6: ("5",), 7: ("6",)}
    bench.code("def rows(): return [{'n': n} for n in range(4)]")
    finding = refusal(bench, at=one.batch.end, replay="stable")
    assert (finding.code, finding.where) == ("source-shrank", "sources/x.py:1")
    assert "gave 4 of the 5 records" in finding.what
    assert refusal(bench, at=one.batch.end, replay="moving").code == "position-lost"


def test_a_moving_source_is_cut_at_its_positions_only(bench: Bench) -> None:
    bench.code(
        """
        def rows(position):
            for number in range(position or 0, 12):
                yield {"n": number}
                if number % 5 == 4:
                    yield [], number + 1
        """
    )
    batches = bench.read(rows=2)
    assert [list(one.rows) for one in batches] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]
    assert [one.batch.end["at"] for one in batches] == [5, 10, 10]
    assert [one.batch.uncovered for one in batches] == [0, 0, 2]
    (again,) = bench.read(batches[-1].batch.end)
    assert again.rows == {13: ("10",), 14: ("11",)}


def test_conditions_on_arrow_rows_are_those_of_the_engine(bench: Bench) -> None:
    bench.code(
        """
        import pyarrow as pa
        def rows():
            yield pa.table({
                "x": [1.0, float("nan"), None, 7.0], "f": pa.array([1.0, float("nan"), None, 7.0], pa.float32()),
                "s": pa.array(["a", "b", None, "c"], pa.string_view()),
                "d": pa.array(["a", "b", None, "c"]).dictionary_encode(),
            }), 4
        """
    )
    source = bench.source()
    reader = source.open(bench.session, source.partitions({})[0], None)
    batch = reader.read(10, 10**6)
    assert batch is not None
    for condition in ("x > 5", "x >= 2", "f > 5", "s > 'a'", "d <> 'a'", "NOT (x <= 5)"):
        found = bench.session.execute(f"SELECT _hg_row FROM ({batch.relation}) WHERE {condition} ORDER BY 1")
        assert found == [(2,), (4,)], condition
    assert bench.session.execute(f"SELECT _hg_row FROM ({batch.relation}) WHERE x IS NULL") == [(3,)]
    reader.close()


def test_small_yields_are_put_together(bench: Bench) -> None:
    bench.code("import pyarrow as pa\ndef rows():\n    for n in range(400): yield pa.table({'n': [n]}), n")
    (one,) = bench.read()
    assert len(one.rows) == 400
    assert len(one.batch.pieces) == 1


@pytest.mark.parametrize("memory", [1, 1 << 30])
def test_a_load_that_is_judged_whole_is_one_batch_in_bounded_memory(
    bench: Bench, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MEMORY_BYTES", memory)
    bench.code(
        """
        import pyarrow as pa
        def rows():
            for n in range(2500): yield {"n": n}
            for n in range(3): yield pa.table({"n": pa.array(["a", "b"]).dictionary_encode(), "m": [n, None]}), n
            yield pa.table({"n": pa.array(["c"]).dictionary_encode(), "m": [3]})
            yield ValueError("last")
        """
    )
    (one,) = bench.read(rows=WHOLE)
    assert one.batch.total == 2508
    assert one.rows[2500] == ("2499",)
    assert [one.rows[number] for number in (2501, 2502, 2507)] == [("a", 0), ("b", None), ("c", 3)]
    assert one.refused == {2508: "ValueError: last"}


def test_the_last_two_batches_stay_readable_and_older_ones_are_released(bench: Bench) -> None:
    bench.code("def rows(): return [{'n': n} for n in range(9)]")
    source = bench.source("stable")
    (partition,) = source.partitions({})
    reader = source.open(bench.session, partition, None)
    batches = [reader.read(2, 1 << 60) for _ in range(4)]
    counts = [bench.session.execute(f"SELECT count(*) FROM ({one.relation})") for one in batches[2:] if one]
    assert counts == [[(2,)], [(2,)]]
    assert batches[0] is not None
    with pytest.raises(Exception, match="does not exist"):
        bench.session.execute(batches[0].relation)
    reader.close()
    assert bench.session.execute("SELECT count(*) FROM duckdb_views() WHERE view_name LIKE 'hg_rows%'") == [(0,)]
    assert reader.read(2, 1 << 60) is None


GOES_ON = """
def parse(line):
    return {"n": int(line)}
class Lines:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n == 2: raise KeyError("secret")
        if self.n > 3: raise StopIteration
        return {"n": self.n}
"""


@pytest.mark.parametrize("returned", ["map(parse, ['1', 'x', '3'])", "Lines()"])
def test_an_iterator_that_raises_loses_one_record(bench: Bench, returned: str) -> None:
    bench.code(GOES_ON + f"def rows(): return {returned}")
    (one,) = bench.read()
    assert one.rows == {1: ("1",), 3: ("3",)}
    assert list(one.refused) == [2]


DIES = """
def lines():
    yield "1"
    raise KeyError("secret")
def parse(line):
    return {"n": line}
class Wrapped:
    def __init__(self): self.inner = lines()
    def __iter__(self): return self
    def __next__(self): return parse(next(self.inner))
class Broken:
    def __iter__(self): return self
    def __next__(self): raise ConnectionError("secret")
def quits():
    yield {"n": 1}
    raise SystemExit("secret")
def asked():
    raise ValueError("secret")
"""


@pytest.mark.parametrize(
    ("returned", "line"),
    [("lines()", 3), ("map(parse, lines())", 3), ("Wrapped()", 3), ("Broken()", 12), ("quits()", 15), ("asked()", 17)],
)
def test_what_can_not_go_on_stops_the_load(bench: Bench, returned: str, line: int) -> None:
    yields = returned.replace("lines()", "({'n': line} for line in lines())") if returned == "lines()" else returned
    bench.code(DIES.strip() + f"\ndef rows(): return {yields}")
    finding = refusal(bench)
    code = "transient-error" if returned == "Broken()" else "source-raised"  # a connection that broke may come back
    assert (finding.code, finding.where) == (code, f"sources/x.py:{line}")


FAILS_LATE = """
import pyarrow as pa
def rows():
    yield [{"n": 1}, {"n": 2}], 2
    yield ValueError("bad")
    yield pa.table({"n": [4, 5]}), 5
    yield {"n": 6}
    yield {"n": 7}, 7
    yield {"n": 8}
    yield pa.table({"n": [9]})
    raise KeyError("secret")
"""


@pytest.mark.parametrize("memory", [1, 1 << 30])
@pytest.mark.parametrize(("replay", "kept"), [("moving", 7), ("stable", 9)])
def test_what_came_before_a_failure_is_kept(
    bench: Bench, replay: str, kept: int, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MEMORY_BYTES", memory)
    bench.code(FAILS_LATE)
    (one,) = bench.read(replay=replay, limit=1)
    assert sorted([*one.rows, *one.refused]) == list(range(1, kept + 1))
    end = {"at": 7, "after": kept - 7, "records": kept, "done": False, "identity": None}
    assert one.batch.end == end
    assert refusal(bench, replay=replay).where == "sources/x.py:11"
    assert refusal(bench, replay=replay, rows=WHOLE).code == "source-raised"
    found = [number for one in bench.read(replay=replay, rows=2, limit=3) for number in one.rows]
    assert found == ([1, 2, 4, 5, 6, 7] if replay == "moving" else [1, 2, 4, 5, 6])


def test_an_iterator_that_never_recovers_is_given_up(bench: Bench) -> None:
    bench.code("from itertools import repeat\ndef rows(): return map(int, repeat('secret'))")
    finding = refusal(bench)
    assert (finding.code, finding.where) == ("too-many-failures", "sources/x.py:2")


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("yield 5", "not-rows", 1),
        ("yield 'secret'", "not-rows", 1),
        ("yield None", "not-rows", 1),
        ("yield ('secret', 2, 3)", "not-rows", 1),
        ("return object()", "not-rows", 1),
        ("yield {'a': 1}, None", "bad-position", 1),
        ("yield {'a': 1}, {'secret'}", "bad-position", 1),
        ("yield {'a': 1}, float('nan')", "bad-position", 1),
        ("import pyarrow as pa; yield pa.table({'a': [[1]]}).cast(pa.schema({'a': pa.list_(pa.float16())}))",
         "unreadable-type", 0),
    ],
)  # fmt: skip
def test_what_is_no_row_or_no_position_is_told(bench: Bench, body: str, code: str, line: int) -> None:
    bench.code(f"def rows():\n    {body}")
    finding = refusal(bench)
    assert (finding.code, finding.where) == (code, f"sources/x.py:{line}" if line else "sources/x.py")


def test_a_full_disk_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MEMORY_BYTES", 1)
    bench.code("import shutil\ndef rows(): yield {'n': 1}")
    source = bench.source()
    (partition,) = source.partitions({})
    reader = source.open(bench.session, partition, None)
    (bench.root / "tmp").rmdir()
    with pytest.raises(HeadgateError) as caught:
        reader.read(WHOLE, WHOLE)
    assert caught.value.finding.code == "no-space"
    reader.close()

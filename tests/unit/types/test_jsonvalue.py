from __future__ import annotations

import json

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from headgate.types import jsonvalue
from headgate.types.codec import decode, encode

CONNECTION = duckdb.connect()
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["true", "5", "{", "[x", '"', "-1x", "null"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(values, st.booleans())
def test_a_value_comes_back_from_its_row(value: object, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped)
    if "\\u0000" in raw or value is None:
        return
    shown = f"SELECT {encode('r', jsonvalue.PHYSICAL)} AS e FROM (SELECT ?::VARCHAR AS r)"
    sql = f"SELECT e, {decode('e', jsonvalue.PHYSICAL)} FROM ({shown})"
    text, back = CONNECTION.execute(sql, [raw]).fetchall()[0]
    assert text == jsonvalue.encoded(raw)
    assert json.loads(back) == value

"""DuckDB's spelling of types is read whole, and what is read is spelled so that DuckDB means the same."""

from __future__ import annotations

import duckdb
import pytest

from headgate.types.schema import parse_physical

VALUES = [
    "1::TINYINT",
    "1.5::DECIMAL(7,3)",
    "now()",
    "'10:00+01'::TIMETZ",
    "[[1, 2]]::INTEGER[2][]",
    "'x'::ENUM('x', 'a)b', 'it''s', 'q,', '\"')",
    "{'select': 1, 'a(b': 2, 'x, y': 3, 'A b': {'q\"': [1]}, 'é': 4, '1': 5, 'time': 6, 'with': 7, '[': 8}",
    "{'time': now(), 'timestamp': [now()]}",
    "{'a\nb': 1, '\t': 2}",
    "map{'a': map{DATE '2024-01-01': [1.5]}}",
    'union_value("k y" := 1)::UNION("k y" INTEGER, s STRUCT(a ENUM(\'z\')[]))',
    "'a'::BLOB",
    "'1'::BIGNUM",
    "INTERVAL 1 DAY",
]


@pytest.mark.parametrize("value", VALUES)
def test_types_survive_reading(value: str) -> None:
    with duckdb.connect() as connection:
        ((_, spelled, *_),) = connection.execute(f"DESCRIBE SELECT {value} AS v").fetchall()
        again = connection.execute(f"DESCRIBE SELECT CAST(NULL AS {parse_physical(spelled).text}) AS v").fetchall()
    assert again[0][1] == spelled


def test_the_tree_of_a_nested_type() -> None:
    tree = parse_physical('STRUCT(a DECIMAL(5,2)[3], "b ""c" MAP(VARCHAR, TIMESTAMP WITH TIME ZONE))[]')
    struct = tree.value
    assert (tree.name, tree.nested) == ("LIST", True)
    assert struct is not None
    assert [name for name, _ in struct.fields] == ["a", 'b "c']
    (_, array), (_, mapped) = struct.fields
    assert (array.name, mapped.name) == ("ARRAY", "MAP")
    assert array.value is not None
    assert (array.value.precision, array.value.scale) == (5, 2)
    assert [leaf.name for leaf in tree.leaves()] == ["DECIMAL", "VARCHAR", "TIMESTAMP WITH TIME ZONE"]
    assert tree.without_arrays().text == tree.text.replace("[3]", "[]")


def test_structs_without_names_are_told_apart() -> None:
    tree = parse_physical("STRUCT(INTEGER, TIME WITH TIME ZONE, STRUCT(a INTEGER))")
    assert [(name, kind.name) for name, kind in tree.fields] == [
        ("", "INTEGER"),
        ("", "TIME WITH TIME ZONE"),
        ("", "STRUCT"),
    ]
    assert tree.unnamed
    assert not parse_physical("STRUCT(a INTEGER)[]").unnamed
    assert parse_physical("MAP(VARCHAR, STRUCT(INTEGER)[])").unnamed

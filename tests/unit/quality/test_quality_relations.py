"""Keys, references, shapes, outliers and equal columns: counted, not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.quality.quality_kit import column_of, profiled, surveyed

from headgate.quality.keys import identifies, rank, singular, words
from headgate.quality.links import named
from headgate.quality.model import LinkProfile, PairProfile, Share


def test_duplicate_keys_with_their_counts(tmp_path: Path) -> None:
    found = profiled(tmp_path, "id,v\n1,a\n1,b\n2,a\n2,b\n2,c\n3,a\n")
    (key,) = [one for one in found.keys if one.columns == ("id",)]
    assert (key.unique, key.repeated, key.rows) == (False, 2, 5)
    assert key.examples == (Share("2", 3), Share("1", 2))


def test_a_unique_column_with_a_gap_is_no_key(tmp_path: Path) -> None:
    (key,) = [one for one in profiled(tmp_path, "id,v\n1,a\n2,a\n,b\n").keys if one.columns == ("id",)]
    assert (key.unique, key.repeated) == (False, 0)


def test_a_key_of_several_columns_where_no_one_will_do(tmp_path: Path) -> None:
    rows = [(order, line) for order in range(20) for line in range(5)]
    found = profiled(tmp_path, "order_id,line_no,v\n" + "".join(f"{order},{line},7\n" for order, line in rows))
    assert [one.columns for one in found.keys if one.unique] == [("order_id", "line_no")]


def test_references_are_verified_over_every_row(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,v\n" + "".join(f"{number},a\n" for number in range(1500)))
    (tmp_path / "good.csv").write_text(
        "n,customer_id\n" + "".join(f"x{number},{number % 1200}\n" for number in range(3000))
    )
    (tmp_path / "bad.csv").write_text("n,customer_id\n" + "".join(f"y{one},{one}\n" for one in [*range(1501), 0]))
    tables = {"raw.customers": "c.csv", "raw.good": "good.csv", "raw.bad": "bad.csv"}
    with surveyed(tmp_path, tables) as (_, (customers, good, bad)):
        assert good.profile.links == (LinkProfile("customer_id", "raw.customers", "id", 0.8),)
        assert (customers.profile.links, bad.profile.links) == ((), ())


def test_small_numbers_are_no_references(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,v\n" + "".join(f"{number},a\n" for number in range(300)))
    (tmp_path / "o.csv").write_text("n,quantity\n" + "".join(f"x{number},{number % 20}\n" for number in range(300)))
    with surveyed(tmp_path, {"raw.customers": "c.csv", "raw.o": "o.csv"}) as (_, (_, orders)):
        assert orders.profile.links == ()


@pytest.mark.parametrize(
    ("column", "table", "key", "speaks"),
    [
        ("customer_id", "raw.customers", "id", True),
        ("customerId", "raw.customers", "id", True),
        ("country_code", "raw.countries", "code", True),
        ("iata_code", "raw.airports", "iata_code", True),
        ("quantity", "raw.customers", "id", False),
        ("id", "raw.customers", "id", False),
        ("seller_id", "raw.customers", "id", False),
    ],
)
def test_names_speak_for_references(column: str, table: str, key: str, speaks: bool) -> None:
    assert named(column, table, key) is speaks


def test_words_of_names() -> None:
    assert words("customerId") == words("customer_id") == words("Customer ID") == ["customer", "id"]
    assert [singular(word) for word in ("orders", "countries", "addresses", "status", "boxes", "class")] == [
        "order", "country", "address", "status", "box", "class",
    ]  # fmt: skip
    assert rank("id", "raw.orders", 5) < rank("sku", "raw.orders", 1) < rank("customer_id", "raw.orders", 1)
    assert not identifies("amount")


def test_shapes_outliers_and_equal_columns(tmp_path: Path) -> None:
    rows = "".join(f"AB-{number:04},{number % 10},{number % 10},{2 * (number % 10)}\n" for number in range(99))
    found = profiled(tmp_path, "code,a,b,c\n" + rows + "AB-0099,500,500,1000\n")
    assert found.column("code").shapes == (Share("AA-9999", 100),)
    assert found.column("a").outliers == 1
    assert PairProfile("a", "b", "same", 1.0) in found.pairs
    assert PairProfile("a", "c", "correlated", 1.0) in found.pairs


def test_equal_values_have_no_outliers(tmp_path: Path) -> None:
    assert profiled(tmp_path, column_of(["1"] * 60 + ["2", "9"])).column("v").outliers is None

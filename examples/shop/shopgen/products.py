"""The catalogue: one Parquet file, as another system exports it (prices as DOUBLE)."""

from __future__ import annotations

import random
from pathlib import Path

from shopgen.truth import Kind, Truth

TABLE = "raw.products"
CATEGORIES = {
    "kitchen": ("Kettle", "Pan", "Knife", "Mug", "Grater"),
    "garden": ("Rake", "Pot", "Hose", "Spade", "Lantern"),
    "office": ("Lamp", "Pen", "Chair", "Shelf", "Notebook"),
    "sport": ("Ball", "Mat", "Rope", "Bottle", "Glove"),
    "toys": ("Puzzle", "Kite", "Bear", "Blocks", "Train"),
}
MATERIALS = ("steel", "oak", "linen", "glass", "cork", "wool", "bamboo", "clay")

NAMELESS = Kind("product without a name", TABLE, "quarantined", 0.00001, (("required", "name"),))
NEGATIVE = Kind("negative price", TABLE, "quarantined", 0.00001, (("min", "price"),))
THIRD_DECIMAL = Kind("price with a tenth of a cent", TABLE, "quarantined", 0.00001, (("type", "price"),))
KINDS = (NAMELESS, NEGATIVE, THIRD_DECIMAL)

Row = tuple[int, str | None, str, float, int]


def make_products(rng: random.Random, number: int) -> list[Row]:
    """Good products with the ids 1 to `number`: id, name, category, price, weight in grams.

    Prices end in 49 or 99, so no total of up to five pieces is a whole number: an amount never looks like an id.
    """
    categories = list(CATEGORIES)
    rows: list[Row] = []
    for product in range(1, number + 1):
        category = categories[product % len(categories)]
        noun = CATEGORIES[category][product // len(categories) % 5]
        cents = 199 + 50 * int(280 * rng.random() ** 3)
        name = f"{noun} of {MATERIALS[int(rng.random() * len(MATERIALS))]} no. {product}"
        rows.append((product, name, category, cents / 100, 50 + int(5000 * rng.random())))
    return rows


def write_products(path: Path, good: list[Row], orders: int, truth: Truth) -> None:
    """The file: good products first, then the faulty ones, which nobody ordered (else an order would be at fault)."""
    rows = list(good)
    truth.count(TABLE, "loaded", len(good))
    for kind in KINDS:
        for _ in range(kind.count(orders)):
            rows.append(_faulty(kind, len(rows) + 1))
            truth.planted(kind, path.name, len(rows), 0)
            truth.count(TABLE, kind.fate)
    _write_parquet(path, rows)


def _faulty(kind: Kind, product: int) -> Row:
    if kind is NAMELESS:
        return product, None, "office", 9.95, 300
    return product, f"Sample no. {product}", "office", -9.95 if kind is NEGATIVE else 9.955, 300


def _write_parquet(path: Path, rows: list[Row]) -> None:
    import duckdb

    columns = [list(column) for column in zip(*rows, strict=True)]
    query = """
        copy (select unnest($1::BIGINT[]) as id, unnest($2::VARCHAR[]) as name, unnest($3::VARCHAR[]) as category,
                     unnest($4::DOUBLE[]) as price, unnest($5::INTEGER[]) as weight_grams)
        to '{}' (format parquet, compression zstd)"""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(query.format(str(path).replace("'", "''")), columns)

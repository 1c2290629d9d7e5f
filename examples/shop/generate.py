"""Writes a month of a web shop into `data/`, with the faults of daily life and the truth about them.

The same parameters give the same bytes.    python examples/shop/generate.py --orders 300000 --seed 20260601
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path

from shopgen import customers, faults, products
from shopgen.orders import write_orders
from shopgen.truth import Truth

HERE = Path(__file__).resolve().parent
ORDERS, SEED, VERSION, LEAST = 300_000, 20260601, 1, 2_000


def parameters(orders: int = ORDERS, seed: int = SEED) -> dict[str, int]:
    """What the data depend on; kept in `data/truth.json`."""
    return {"orders": orders, "seed": seed, "version": VERSION}


def is_made(root: Path, orders: int = ORDERS, seed: int = SEED) -> bool:
    """True if `root/data` holds exactly the data that `generate` would write."""
    path = root / "data" / "truth.json"
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["parameters"] == parameters(orders, seed)


def generate(root: Path, orders: int = ORDERS, seed: int = SEED) -> Path:
    """The path of the truth; `root/data` is written anew. Raises ValueError for fewer than 2,000 orders.

    *Guarantee*: the truth is written last, so data without a truth are unfinished.
    """
    if orders < LEAST:
        raise ValueError(f"a month needs at least {LEAST} orders: with fewer, the faults would pass the limit of 5%")
    data = root / "data"
    if data.exists():
        shutil.rmtree(data)
    for folder in ("customers", "products", "orders"):
        (data / folder).mkdir(parents=True)
    truth = Truth({kind.name: kind for kind in (*products.KINDS, *customers.KINDS, *faults.KINDS)})
    catalogue = products.make_products(random.Random(f"{seed}/products"), 1000)
    products.write_products(data / "products" / "products.parquet", catalogue, orders, truth)
    buyers = customers.write_customers(data / "customers", random.Random(f"{seed}/customers"), orders, truth)
    write_orders(data / "orders", random.Random(f"{seed}/orders"), orders, buyers, catalogue, truth)
    truth.write(data / "truth.json", parameters(orders, seed))
    return data / "truth.json"


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the example's data.")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    print(generate(HERE, options.orders, options.seed))


if __name__ == "__main__":
    main()

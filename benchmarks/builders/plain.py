"""The reference: a loop that knows the order and creates every table. `python plain.py DATABASE QUERIES.json`."""

from __future__ import annotations

import json
import sys

import duckdb


def main() -> None:
    database, queries = sys.argv[1:]
    with duckdb.connect(database, config={"threads": 2}) as connection, open(queries, encoding="utf-8") as file:
        for name, query in json.load(file).items():
            connection.execute(f'create or replace table "{name}" as {query}')


main()

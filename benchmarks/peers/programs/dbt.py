"""A dbt project over a table of a DuckDB file: `python dbt.py FOLDER prepare`. It runs in dbt's own environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

PROFILES = """bench:
  target: dev
  outputs:
    dev: {{type: duckdb, path: '{path}', threads: 2}}
"""
PROJECT = """name: bench
version: '1.0'
profile: bench
model-paths: [models]
flags: {{send_anonymous_usage_stats: false}}
"""
BROKEN = """{{% test broken(model, column_name, condition) %}}
select * from {{{{ model }}}} where {{{{ condition }}}}
{{% endtest %}}
"""
SOURCES = """version: 2
sources:
  - name: raw
    schema: main
    tables:
      - name: customers
      - name: orders
        columns:
          - {{name: id, data_tests: [{{unique: {{name: id__unique}}}}]}}
          - name: customer_id
            data_tests:
              - not_null: {{name: customer_id__required}}
              - relationships:
                  name: customer_id__references
                  arguments: {{to: "source('raw', 'customers')", field: id}}
          - name: status
            data_tests: [{{accepted_values: {{name: status__in, arguments: {{values: {statuses}}}}}}}]
          - {{name: amount, data_tests: [{{broken: {{name: amount__min, arguments: {{condition: "amount < 0"}}}}}}]}}
          - {{name: order_date, data_tests: [{{not_null: {{name: order_date__required}}}}]}}
          - name: email
            data_tests:
              - broken: {{name: email__pattern, arguments: {{condition: "not regexp_matches(email, '{email}')"}}}}
          - name: country
            data_tests: [{{accepted_values: {{name: country__in, arguments: {{values: {countries}}}}}}}]
          - name: quantity
            data_tests:
              - broken: {{name: quantity__between, arguments: {{condition: "quantity not between 1 and 100"}}}}
          - {{name: price, data_tests: [{{broken: {{name: price__max, arguments: {{condition: "price > 10000"}}}}}}]}}
"""


def main() -> None:
    folder = Path(sys.argv[1])
    facts = json.loads((folder / "facts.json").read_text())
    connection = duckdb.connect(str(folder / "bench.duckdb"))
    for name in ("orders", "customers"):
        connection.execute(f"create table {name} as from '{facts[name]}'")
    connection.close()
    files = {
        "profiles.yml": PROFILES.format(path=folder / "bench.duckdb"),
        "dbt_project.yml": PROJECT.format(),
        "tests/generic/broken.sql": BROKEN.format(),
        "models/sources.yml": SOURCES.format(**facts),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


main()

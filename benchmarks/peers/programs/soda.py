"""A Soda Core scan of a table of a DuckDB file: `python soda.py FOLDER [prepare]`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"
sys.path.pop(0)  # this file has the name of the package

CHECKS = """
checks for orders:
  - duplicate_count(id) = 0: {{name: id.unique}}
  - missing_count(customer_id) = 0: {{name: customer_id.required}}
  - values in (customer_id) must exist in customers (id): {{name: customer_id.references}}
  - invalid_count(status) = 0: {{name: status.in, valid values: {statuses}}}
  - invalid_count(amount) = 0: {{name: amount.min, valid min: 0}}
  - missing_count(order_date) = 0: {{name: order_date.required}}
  - invalid_count(email) = 0: {{name: email.pattern, valid regex: "{email}"}}
  - invalid_count(country) = 0: {{name: country.in, valid values: {countries}}}
  - invalid_count(quantity) = 0: {{name: quantity.between, valid min: 1, valid max: 100}}
  - invalid_count(price) = 0: {{name: price.max, valid max: 10000}}
"""


def prepare(folder: Path, facts: dict[str, object]) -> None:
    import duckdb

    connection = duckdb.connect(str(folder / "bench.duckdb"))
    for name in ("orders", "customers"):
        connection.execute(f"create table {name} as from '{facts[name]}'")
    connection.close()


def scan(folder: Path, facts: dict[str, object]) -> dict[str, int]:
    from soda.scan import Scan

    one = Scan()
    one.set_data_source_name("bench")
    one.add_configuration_yaml_str(
        f"data_source bench:\n  type: duckdb\n  path: {folder / 'bench.duckdb'}\n  read_only: true\n"
    )
    one.add_sodacl_yaml_str(CHECKS.format(**facts))
    code = one.execute()
    assert code in (0, 2), one.get_logs_text()
    found = {}
    for check in one.get_scan_results()["checks"]:
        value = (check.get("diagnostics") or {}).get("value")
        found[check["name"]] = int(value) if value is not None else -1
    return found


home = Path(sys.argv[1])
given = json.loads((home / "facts.json").read_text())
if len(sys.argv) > 2:
    prepare(home, given)
else:
    print(json.dumps(scan(home, given)))

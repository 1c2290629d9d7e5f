"""An ODCS contract tested by datacontract-cli over the Parquet files: `python datacontract.py FOLDER [prepare]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.pop(0)  # this file has the name of the package

CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: bench
name: bench
version: 1.0.0
status: active
servers:
  - {{server: local, type: local, path: '{home}/data/{{model}}.parquet', format: parquet}}
schema:
  - name: customers
    physicalType: table
    properties:
      - {{name: id, logicalType: integer}}
  - name: orders
    physicalType: table
    properties:
      - {{name: id, logicalType: integer, unique: true}}
      - name: customer_id
        logicalType: integer
        required: true
        quality:
          - type: sql
            description: customer_id.references
            query: >-
              select count(*) from orders where customer_id is not null
              and not exists (select 1 from customers where customers.id = orders.customer_id)
            mustBe: 0
      - name: status
        logicalType: string
        quality: [{{metric: invalidValues, arguments: {{validValues: {statuses}}}, mustBe: 0}}]
      - {{name: amount, logicalType: number, logicalTypeOptions: {{minimum: 0}}}}
      - {{name: order_date, logicalType: date, required: true}}
      - {{name: email, logicalType: string, logicalTypeOptions: {{pattern: '{email}'}}}}
      - name: country
        logicalType: string
        quality: [{{metric: invalidValues, arguments: {{validValues: {countries}}}, mustBe: 0}}]
      - {{name: quantity, logicalType: integer, logicalTypeOptions: {{minimum: 1, maximum: 100}}}}
      - {{name: price, logicalType: number, logicalTypeOptions: {{maximum: 10000}}}}
"""


def prepare(folder: Path, facts: dict[str, object]) -> None:
    (folder / "data").mkdir()
    for name in ("orders", "customers"):
        (folder / "data" / f"{name}.parquet").symlink_to(str(facts[name]))
    (folder / "contract.odcs.yaml").write_text(CONTRACT.format(home=folder, **facts))


RULES = {
    "field_required": "required",
    "field_unique": "unique",
    "field_invalid_values": "in",
    "field_minimum": "min",
    "field_maximum": "max",
    "field_regex": "pattern",
}


def test(folder: Path) -> dict[str, int]:
    from datacontract.data_contract import DataContract

    run = DataContract(data_contract_file=str(folder / "contract.odcs.yaml"), server="local").test()
    found: dict[str, int] = {}
    for one in run.checks:
        name = one.name if one.type == "field_quality_sql" else f"{one.field}.{RULES.get(one.type)}"
        if name.endswith(".None"):
            continue
        name = "quantity.between" if one.field == "quantity" else name  # two checks of theirs
        found[name] = found.get(name, 0) + int(one.diagnostics["value"])
    return found


home = Path(sys.argv[1])
if len(sys.argv) > 2:
    prepare(home, json.loads((home / "facts.json").read_text()))
else:
    print(json.dumps(test(home)))

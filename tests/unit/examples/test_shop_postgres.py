"""The example's contracts and models on PostgreSQL: what was planted is found there, too."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
sys.path.insert(0, str(SHOP))

import generate  # noqa: E402
import run as shop  # noqa: E402
from shopgen.compare import compare  # noqa: E402

from headgate.api import Project  # noqa: E402


def rows(project: Project, query: str) -> list[dict[str, Any]]:
    answer = project.query(query).to_json()
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def test_planted_is_found_on_postgres(postgres: str, tmp_path: Path) -> None:
    home = Path(
        shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("data", ".headgate", "warehouse.*"))
    )
    generate.generate(home, generate.LEAST)
    (home / "headgate.yml").write_text(f"project: shop\nwarehouse: {postgres}\n")
    truth = json.loads((home / "data" / "truth.json").read_text(encoding="utf-8"))
    keys = {str(key) for kind in truth["kinds"] for key, _ in kind["survivors"]}
    with Project.open(home) as project:
        assert project.check().ok
        result = project.run()
        assert (result.status, result.balanced) == ("ok", True)
        survivors = rows(project, shop.SURVIVORS.format(keys=", ".join(sorted(keys))))
        lines = compare(
            truth,
            rows(project, shop.ENTRIES),
            rows(project, shop.REFUSED),
            {row["id"]: row["version"] for row in survivors},
        )
        assert [line for line in lines if not line.is_equal] == []
        sums = "select (select sum(amount) from stg_orders where is_sale), (select sum(revenue) from gold.daily_sales)"
        ((one, two),) = project.query(sums.replace("stg_orders", "silver.stg_orders")).rows
        assert one == two
        assert project.audit().balanced
        found = project.lineage("daily_sales.revenue", down=False)
        assert {(one.from_table, one.from_column) for one in found.up if one.direct} >= {("raw.orders", "amount")}
        assert [one.name for one in found.tables if one.doubt or one.unknown] == []
        assert {step.status for step in project.run().steps} == {"skipped"}

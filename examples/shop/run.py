"""Runs the shop: makes its data if they are missing, loads them, builds the models, and compares with the truth.

    python examples/shop/run.py [--orders N] [--fresh]

Exit code 0 if every planted fault was found and nothing else, 1 if not, 2 for a wrong option.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from generate import HERE, LEAST, ORDERS, generate, is_made
from shopgen.compare import FATES, Line, compare

from headgate.api import Project

Facts = Mapping[str, Any]
REFUSED = """select table_name, "partition", record, reasons from _headgate.quarantine
             where parent is null and status not in ('held', 'superseded')"""
ENTRIES = """select table_name, "partition", rows_loaded, rows_quarantined, rows_deduplicated, rows_skipped
             from _headgate.entry where kind = 'load'"""
SURVIVORS = """select id, cast(min(updated_at) as varchar) as version from raw.customers where id in ({keys})
               group by id having count(*) = 1"""
SALES = """select sum(revenue) as total, arg_max(order_date, revenue) as best, max(revenue) as most
           from gold.daily_sales"""
# A record counts with quantity x price, which most faults leave readable; a doubled order would be no revenue.
HELD = """with held as (
              select json_extract_string(reasons, '$[0].rule') as rule,
                     json_extract_string(reasons, '$[0].column') as col,
                     try_cast(json_extract_string("row", '$.quantity') as integer)
                       * try_cast(json_extract_string("row", '$.unit_price') as decimal(10,2)) as worth
              from _headgate.quarantine where table_name = 'raw.orders' and status = 'open'),
          per_reason as (select rule, col, count(*) as orders, sum(worth) as worth from held
                         where rule <> 'key' group by all)
          select coalesce(sum(worth), 0) as worth, arg_max(coalesce(col || ': ', '') || rule, worth) as reason,
                 coalesce(max(worth), 0) as most, coalesce(arg_max(orders, worth), 0) as orders from per_reason"""
BUYERS = """select count(*) filter (orders = 0) / count(*) as idle,
                   sum(revenue) filter (place <= 0.1) / sum(revenue) as best
            from (select orders, revenue, percent_rank() over (order by revenue desc) as place
                  from gold.dim_customers)"""


def main(arguments: Sequence[str] | None = None, root: Path = HERE) -> int:
    options = _options(arguments)
    if options.fresh or not is_made(root, options.orders):
        _make(root, options.orders)
    with Project.open(root) as project:
        truth = json.loads((root / "data" / "truth.json").read_text(encoding="utf-8"))
        result = project.run(progress=_progress if sys.stderr.isatty() else None).to_json()
        _show_steps(result, truth["tables"])
        if result["status"] != "ok":
            return 1
        lines = compare(truth, _rows(project, ENTRIES), _rows(project, REFUSED), _survivors(project, truth))
        _show_lines(lines)
        _show_numbers(project)
    print("The page that shows all of it is .headgate/report.html in the example's folder.")
    return 0 if result["balanced"] and all(line.is_equal for line in lines) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description="Runs the example shop and compares with the truth.")
    parser.add_argument("--orders", type=int, default=ORDERS, metavar="N", help=f"orders of the month ({ORDERS})")
    parser.add_argument("--fresh", action="store_true", help="begin with new data and an empty warehouse")
    options = parser.parse_args(arguments)
    if options.orders < LEAST:
        parser.error(f"--orders: at least {LEAST}, so that the planted faults stay below the limits of the contracts")
    return options


def _make(root: Path, orders: int) -> None:
    """New data and no warehouse: one that knows other files under the same names would rightly refuse these."""
    began = time.perf_counter()
    shutil.rmtree(root / ".headgate", ignore_errors=True)
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
        (root / name).unlink(missing_ok=True)
    print(f"making a month of {orders:,} orders ...", end=" ", flush=True)
    generate(root, orders)
    print(f"{time.perf_counter() - began:.1f} s\n")


def _progress(progress: Any) -> None:
    print(f"\r\033[K{progress.step}: {progress.phase} {progress.rows:,}", end="", file=sys.stderr, flush=True)


def _rows(project: Project, query: str) -> list[dict[str, Any]]:
    """All rows of the query as one JSON value, so that no limit on shown rows cuts them."""
    answer = project.query(f"select cast(to_json(list(found)) as varchar) from ({query}) as found").to_json()
    return json.loads(answer["rows"][0][0] or "[]")  # type: ignore[no-any-return]


def _survivors(project: Project, truth: Facts) -> dict[int, str]:
    """The version by key of the customers who came late or twice, as far as the table holds them once."""
    keys = {str(key) for kind in truth["kinds"] for key, _ in kind["survivors"]}
    return {row["id"]: row["version"] for row in _rows(project, SURVIVORS.format(keys=", ".join(sorted(keys))))}


def _show_steps(result: Facts, delivered: Container[str]) -> None:
    """What became of each step; and of what was delivered: seeds and models that have a contract are read, too."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    counts = ("read", *FATES)
    rows = [
        (step["id"], step["status"], *(f"{step[f'rows_{name}']:,}" for name in counts), f"{step['seconds']:.2f}")
        for step in result["steps"]
    ]
    _table(("step", "status", *counts, "seconds"), rows, left=2)
    sums = {name: sum(step[f"rows_{name}"] for step in result["steps"] if step["id"] in delivered) for name in counts}
    balance = " + ".join(f"{sums[name]:,} {name}" for name in FATES)
    print(f"\n{'balanced' if result['balanced'] else 'NOT BALANCED'}: {sums['read']:,} read = {balance}\n")
    for finding in result.get("findings", ()):
        print(f"{finding['level']}[{finding['code']}]: {finding['what']}\n  fix: {finding['fix']}")


def _show_lines(lines: Iterable[Line]) -> None:
    shown = [line for line in lines if line.planted or line.found]
    rows = [
        (line.table, line.kind, line.fate, f"{line.planted:,}", f"{line.found:,}", "ok" if line.is_equal else "WRONG")
        for line in shown
    ]
    _table(("table", "kind", "fate", "planted", "found", ""), rows, left=3)
    kinds, wrong = sum(line.fate != "loaded" for line in shown), sum(not line.is_equal for line in shown)
    verdict = f"{wrong} of them wrong" if wrong else "all found, and nothing refused without cause"
    print(f"\n{kinds} kinds of records that must not load: {verdict}\n")


def _show_numbers(project: Project) -> None:
    (sales,), (held,), (buyers,) = (_rows(project, query) for query in (SALES, HELD, BUYERS))
    total, worth = float(sales["total"]), float(held["worth"])
    print(f"Sales of the month: {total:,.2f}; the best day was {sales['best']} with {float(sales['most']):,.2f}.")
    print(
        f"Waiting in quarantine: orders worth {worth:,.2f}, {worth / total:.2%} of the sales; the dearest reason is "
        f"{held['reason']} ({held['orders']} orders, {float(held['most']):,.2f})."
    )
    print(
        f"The best tenth of the customers made {buyers['best']:.0%} of the sales; {buyers['idle']:.0%} bought nothing."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> None:
    """Columns as wide as their widest cell; the first `left` columns to the left, numbers to the right."""
    grid = [head, *rows]
    widths = [max(len(row[column]) for row in grid) for column in range(len(head))]
    for row in grid:
        cells = (
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())

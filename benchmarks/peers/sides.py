"""Every side: what it is installed from, its project, the command that is measured, and what it counted.

A side is given the rows in the form that it reads fastest: a table of a DuckDB file that its own engine wrote, or the
Parquet file itself. Making that form is not measured.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import harness, project
from benchmarks.data import WORK
from benchmarks.peers import rules

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = WORK / "peers"
QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SODA_CORE_TELEMETRY_ENABLED": "false",
    "ANONYMIZED_TELEMETRY": "false",
}


@dataclass(frozen=True)
class Side:
    """`packages`: what pip installs; `prepare(folder, scale)`; `command(folder)`; `counted(folder, output)`: rows that
    break each rule of `rules.BROKEN`, as the side tells them (of `id.unique`, however it counts). `codes`: exit codes
    that mean "it counted"."""

    name: str
    packages: tuple[str, ...]
    prepare: Callable[[Path, float], None]
    command: Callable[[Path], list[str]]
    counted: Callable[[Path, str], Mapping[str, int]]
    codes: tuple[int, ...] = (0, 1)

    @property
    def python(self) -> str:
        """The interpreter of its own environment; ours for Headgate."""
        return str(ENVIRONMENTS / self.name / "bin" / "python") if self.packages else sys.executable


def _printed(folder: Path, output: str) -> Mapping[str, int]:
    found: dict[str, int] = json.loads(output.strip().splitlines()[-1])
    return found


# Headgate

LOADED = """
    table: raw.orders
    from: data/orders.parquet
    columns:
      id: bigint{id}
      customer_id: bigint{customer_id}
      status: text{status}
      amount: decimal(12,2){amount}
      order_date: date{order_date}
      email: text{email}
      country: text{country}
      quantity: int{quantity}
      price: decimal(10,2){price}
      discount: double
      note: text
      updated_at: timestamp
"""
NAMES = ("id", "customer_id", "status", "amount", "order_date", "email", "country", "quantity", "price")
STRICT = {
    "id": ", unique",
    "customer_id": ", required, references(raw.customers.id)",
    "status": ", in(new, paid, shipped, delivered)",
    "amount": ", min(0)",
    "order_date": ", required",
    "email": f", pattern('{rules.EMAIL}')",
    "country": ", in(DE, FR, ES, IT, NL)",
    "quantity": ", between(1, 100)",
    "price": ", max(10000)",
}
REFERRED = "table: raw.customers\nfrom: data/customers.parquet\ncolumns:\n  id: bigint\n"


def _prepare_headgate(folder: Path, scale: float) -> None:
    """Loads the rows by a contract that lets all of them pass, and writes the strict one."""
    harness.measure(harness.python("-m", "compileall", "-q", str(harness.ROOT / "src")))  # as an installation does it
    files = [("data/orders.parquet", rules.orders(scale)), ("data/customers.parquet", rules.customers(scale))]
    home = project.write(folder, {"orders": LOADED.format(**dict.fromkeys(NAMES, "")), "customers": REFERRED}, files)
    harness.measure(harness.run_project(folder))
    strict = {"orders": LOADED.format(**STRICT), "customers": REFERRED}
    for name, text in strict.items():
        (home / "ingest" / f"{name}.yml").write_text(project.textwrap.dedent(text).lstrip(), encoding="utf-8")


def _headgate(folder: Path) -> list[str]:
    return harness.headgate("check", "--data", "raw.orders", "--json", "--project", str(folder / "project"))


def _counted_headgate(folder: Path, output: str) -> Mapping[str, int]:
    (table,) = json.loads(output)["tables"]
    found = {f"{one['column']}.{one['rule']}": one["broken"] for one in table["rules"]}
    return {**found, "id.unique": found["id.unique"] // 2}  # both rows of a value are told


# Peers


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _program(name: str, *arguments: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        return [SIDES[name].python, str(PROGRAMS / f"{name}.py"), str(folder), *arguments]

    return command


def _make(name: str) -> Callable[[Path, float], None]:
    """Lets the side's own environment make what it reads."""

    def prepare(folder: Path, scale: float) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        facts = {
            "orders": str(rules.orders(scale)),
            "customers": str(rules.customers(scale)),
            "statuses": rules.STATUSES,
            "countries": rules.COUNTRIES,
            "email": rules.EMAIL,
        }
        _write(folder, {"facts.json": json.dumps(facts)})
        harness.measure([*_program(name)(folder), "prepare"])

    return prepare


def _dbt(folder: Path) -> list[str]:
    dbt = str(Path(SIDES["dbt"].python).parent / "dbt")
    return [dbt, "--quiet", "test", "--threads", "2", "--project-dir", str(folder), "--profiles-dir", str(folder)]


def _counted_dbt(folder: Path, output: str) -> Mapping[str, int]:
    found = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    return {one["unique_id"].split(".")[2].replace("__", "."): one["failures"] for one in found["results"]}


SIDES = {
    one.name: one
    for one in (
        Side("headgate", (), _prepare_headgate, _headgate, _counted_headgate),
        Side("dbt", ("dbt-core==1.11.*", "dbt-duckdb==1.10.*"), _make("dbt"), _dbt, _counted_dbt),
        Side("pandera", ("pandera[polars]",), _make("pandera"), _program("pandera"), _printed),
        Side("soda", ("soda-core-duckdb==3.5.*", "setuptools<81"), _make("soda"), _program("soda"), _printed),
        Side("datacontract", ("datacontract-cli[duckdb]",), _make("datacontract"), _program("datacontract"), _printed),
    )
}

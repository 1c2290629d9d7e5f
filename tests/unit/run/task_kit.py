"""Projects with tasks, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.unit.project_kit import Folder

from headgate.api.results import RunResult, Step

ORDERS = "table: raw.orders\nfrom: data/*.csv\n{0}columns:\n  id: int, key\n"


def project(root: Path, files: Mapping[str, str], more: str = "") -> Folder:
    """A load of two rows, a model over it, and whatever the test adds."""
    base = {
        "headgate.yml": f"project: p\nwarehouse: duckdb:w.duckdb\nreport: {{after_run: no}}\n{more}",
        "ingest/orders.yml": ORDERS.format(""),
        "data/1.csv": "id\n1\n2\n",
        "models/daily.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('raw.orders') }}",
    }
    return Folder.make(root, {**base, **files})


def statuses(done: RunResult) -> dict[str, str]:
    return {step.id: step.status for step in done.steps}


def step(done: RunResult, name: str) -> Step:
    return next(step for step in done.steps if step.id == name)

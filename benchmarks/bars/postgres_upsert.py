"""Upsert of 200,000 changes into 2 M rows of PostgreSQL, against a bare stage and INSERT .. ON CONFLICT: 70%."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data, harness, project, server
from benchmarks.bars.upsert_million import INGEST, TABLE

PLAIN, WHOLE = "bench_upsert_plain", "bench_upsert"
COLUMNS = "id bigint, name text, balance numeric(12,2), status text, points bigint, updated_at timestamp"
APPLY = """insert into accounts select distinct on (id) * from changes order by id, updated_at desc
    on conflict (id) do update set name = excluded.name, balance = excluded.balance, status = excluded.status,
    points = excluded.points, updated_at = excluded.updated_at"""
CAST = "select * replace (points::bigint as points) from '{}'"


def prepare(folder: Path, scale: float) -> None:
    """A template for each side, with the base in it; every run begins with a copy."""
    base, changes = data.accounts(0.2 * scale), data.changes(0.2 * scale)
    server.project_at(folder, {"accounts": INGEST}, [("data/1-base.parquet", base)], WHOLE)
    server.anew(f"{WHOLE}_base")
    server.anew(WHOLE)
    harness.measure(harness.run_project(folder))
    server.anew(f"{WHOLE}_base", WHOLE)
    project.link(changes, folder / "project" / "data" / "2-changes.parquet")
    server.anew(f"{PLAIN}_base")
    server.run(f"{PLAIN}_base", f"create table accounts ({COLUMNS})")
    server.ingest(f"{PLAIN}_base", CAST.format(base), "accounts")
    server.run(f"{PLAIN}_base", "alter table accounts add primary key (id)", "vacuum analyze accounts")
    server.run(f"{WHOLE}_base", "vacuum analyze raw.accounts")


def reset_reference(folder: Path) -> None:
    server.anew(PLAIN, f"{PLAIN}_base")


def reset_subject(folder: Path) -> None:
    server.anew(WHOLE, f"{WHOLE}_base")


def reference(folder: Path) -> None:
    server.run(PLAIN, f"create unlogged table changes ({COLUMNS})")
    server.ingest(PLAIN, CAST.format(folder / "project/data/2-changes.parquet"), "changes")
    server.run(PLAIN, "analyze changes", APPLY)


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["read"] == data.rows(0.2 * scale, 1_000_000), found
    assert found["loaded"] > found["deduplicated"] > 0, found
    return {}


BAR = harness.Bar(
    "postgres_upsert",
    "PostgreSQL upsert of 200,000 into 2 M rows, to a bare stage + ON CONFLICT",
    (harness.Limit("wall s", 1 / 0.7, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("postgres_upsert", "reference", folder), reset_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, reset_subject, check),
    },
)

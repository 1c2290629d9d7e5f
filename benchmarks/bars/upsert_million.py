"""Upsert of 1 M changes into 10 M rows, against dedupe + DELETE USING + INSERT in one process."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks import data, harness, project

TABLE = "raw.accounts"
INGEST = """
    table: raw.accounts
    from: data/*.parquet
    load: {upsert: id, order_by: updated_at}
    columns:
      id:         bigint
      name:       text
      balance:    decimal(12,2)
      status:     text
      points:     int
      updated_at: timestamp
"""
DEDUPE = """
    create temp table winners as
    select * exclude (place) from (select *, row_number() over () as place from '{changes}')
    qualify row_number() over (partition by id order by updated_at desc, place desc) = 1"""


def prepare(folder: Path, scale: float) -> None:
    """The base in a plain database, kept aside; every run begins with a copy, and so does one of the subject."""
    base = data.accounts(scale)
    data.changes(scale)
    project.write(folder, {"accounts": INGEST}, [("data/1-base.parquet", base)])
    link = folder / "changes.parquet"
    link.unlink(missing_ok=True)
    project.link(data.changes(scale), link)
    project.forget_reference(folder)
    project.create_table_as(folder, f"select * from '{base}'")
    (folder / "reference.duckdb").rename(folder / "reference.base")


def reset_reference(folder: Path) -> None:
    project.forget_reference(folder)
    shutil.copyfile(folder / "reference.base", folder / "reference.duckdb")


def reset_subject(folder: Path) -> None:
    """The warehouse with the base in it (loaded through the gate the first time), and the changes beside the base."""
    project.forget(folder)
    home, kept = folder / "project", folder / "project" / "warehouse.base"
    if not kept.exists():
        harness.measure(harness.run_project(folder))
        (home / "warehouse.duckdb").rename(kept)
        project.link(folder / "changes.parquet", home / "data" / "2-changes.parquet")
    shutil.copyfile(kept, home / "warehouse.duckdb")


def reference(folder: Path) -> None:
    connection = project.open_reference(folder)
    connection.execute("begin")
    connection.execute(DEDUPE.format(changes=folder / "changes.parquet"))
    connection.execute("delete from loaded using winners where loaded.id = winners.id")
    connection.execute("insert into loaded select * from winners")
    connection.execute("commit")
    connection.close()


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["read"] == data.rows(scale, 1_000_000), found
    assert found["loaded"] > found["deduplicated"] > 0, found
    return {}


BAR = harness.Bar(
    "upsert_million",
    "Upsert of 1 M into 10 M rows",
    (harness.Limit("CPU s", 2, ratio=True), harness.Limit("wall s", 2, ratio=True)),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("upsert_million", "reference", folder), reset_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, reset_subject, check),
    },
)

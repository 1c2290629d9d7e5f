"""5 M x 16 rows as Arrow batches of 500,000, through a function and 8 row rules, against the bare insert of each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks import data, harness, project
from benchmarks.bars.parquet_row_rules import COLUMNS, TABLE

BATCH_ROWS = 500_000
INGEST = f"""
    table: raw.lineitem
    from: {{python: sources/lines.py:lines, replay: stable}}
    columns:{COLUMNS}
"""
FUNCTION = """\
import pyarrow as pa


def lines():
    reader = pa.ipc.open_file(pa.memory_map({path!r}))
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)
"""


def prepare(folder: Path, scale: float) -> None:
    home = project.write(folder, {"lineitem": INGEST})
    path = data.lineitem_arrow(scale, BATCH_ROWS)
    (home / "sources").mkdir()
    (home / "sources" / "lines.py").write_text(FUNCTION.format(path=str(path)), encoding="utf-8")
    shutil.rmtree(folder / "reference", ignore_errors=True)
    (folder / "reference").mkdir()
    (folder / "reference" / "lines.py").write_text(FUNCTION.format(path=str(path)), encoding="utf-8")


def reference(folder: Path) -> None:
    import runpy

    batches: Any = runpy.run_path(str(folder / "reference" / "lines.py"))["lines"]()
    connection = project.open_reference(folder)
    for number, batch in enumerate(batches):
        connection.register("batch", _table(batch))
        if not number:
            connection.execute("create table loaded as select * from batch limit 0")
        connection.execute("begin")
        connection.execute("insert into loaded select * from batch")
        connection.execute("commit")
        connection.unregister("batch")
    connection.close()


def _table(batch: Any) -> Any:
    import pyarrow

    return pyarrow.Table.from_batches([batch])


def check(output: str, scale: float) -> harness.Values:
    found = harness.counts(output, TABLE)
    assert found["loaded"] == found["read"] == data.rows(scale, 5_000_000), found
    return {}


BAR = harness.Bar(
    "arrow_row_rules",
    "Arrow 5 M x 16, 8 row rules",
    (harness.Limit("CPU s", 1.35, ratio=True),),
    {
        harness.REFERENCE: harness.Side(
            lambda folder: harness.child("arrow_row_rules", "reference", folder), project.forget_reference
        ),
        harness.SUBJECT: harness.Side(harness.run_project, project.forget, check),
    },
)

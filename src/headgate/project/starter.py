"""The files of a new project: settings, what git leaves out, an example where there are no data yet."""

from __future__ import annotations

import os
from pathlib import Path

from headgate.core.errors import ProjectError
from headgate.project.draft import Table
from headgate.project.secrets import FILES
from headgate.project.write import scalar
from headgate.sql.quote import ident

IGNORED = ("warehouse.duckdb", "warehouse.duckdb.wal", ".headgate/", *FILES[:1])

EXAMPLE = {
    "data/orders/2026-06-01.csv": """\
id,customer,ordered_at,amount,status
1,ada@example.com,2026-06-01 08:15:00,12.50,paid
2,ben@example.com,2026-06-01 09:02:11,7.25,paid
3,cleo@example.com,2026-06-01 11:40:59,31.10,open
4,dan@example.com,2026-06-01 17:23:05,20.00,shipped
""",
    "data/orders/2026-06-02.csv": """\
id,customer,ordered_at,amount,status
5,eve@example.com,2026-06-02 07:58:30,8.00,paid
6,ada@example.com,2026-06-02 10:11:12,40.00,open
7,fay@example.com,2026-06-02 19:45:00,-3.00,paid
""",
    "ingest/orders.yml": """\
# Orders arrive as one file a day. The last line of 2026-06-02.csv breaks a rule: headgate quarantine list
table: raw.orders
from: data/orders/*.csv
columns:
  id:         int, key
  customer:   text, required, pattern('^[^@ ]+@[^@ ]+$'), pii
  ordered_at: timestamp, required
  amount:     decimal(10,2), required, min(0)
  status:     text, required, in(open, paid, shipped)
""",
    "models/daily_sales.sql": """\
select cast(ordered_at as date) as day, count(*) as orders, sum(amount) as revenue
from {{ ref('raw.orders') }}
group by day
""",
}


def settings(name: str, warehouse: str | None) -> str:
    """headgate.yml."""
    lines = [f"project: {scalar(name)}"]
    lines += [f"warehouse: {scalar(warehouse)}"] if warehouse else []
    return "\n".join(lines) + "\n"


def ignored() -> str:
    """.gitignore."""
    return "".join(f"{line}\n" for line in IGNORED)


def view_of(table: Table) -> str:
    """A model that passes the table on, column by column: the place for names and cleaning."""
    columns = ",\n    ".join(map(ident, table.names.values()))
    return f"select\n    {columns}\nfrom {{{{ ref('{table.name}') }}}}\n"


class Folder:
    """Writes new files below `root`; what is there already stays as it is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written: list[str] = []
        self.kept: list[str] = []

    def write(self, name: str, text: str) -> bool:
        """Whether the file is new. *Errors*: ProjectError `unwritable-folder`."""
        path = self.root / name
        if os.path.lexists(path):
            self.kept.append(name)
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            fix = "name a folder that can be written to: headgate init --project DIR"
            raise ProjectError.of("unwritable-folder", f"can't write: {error.strerror}", path, fix) from error
        self.written.append(name)
        return True

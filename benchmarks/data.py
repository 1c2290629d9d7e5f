"""The data of the benchmarks: the same bytes for the same size, made once and kept under `benchmarks/work/data`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

WORK = Path(__file__).resolve().parent / "work"
MALFORMED = (0.001, 0.01, 0.1, 0.6)

# 8 rules, each broken by one row in {one_in}. A double id is that of the row before.
ORDERS = """
    select case when b = 0 and i > 0 then i - 1 else i end as id,
           case when b = 1 then null else 1 + hash(i + 1) % 500000 end :: BIGINT as customer_id,
           case when b = 2 then 'shiped' else ['new', 'paid', 'shipped', 'delivered'][1 + (hash(i + 2) % 4)::BIGINT]
             end as status,
           (case when b = 3 then -1 else (hash(i + 3) % 1000000) / 100 end)::DECIMAL(12,2) as amount,
           date '2026-01-01' + (hash(i + 4) % 365)::INTEGER as order_date,
           'customer' || (hash(i + 5) % 500000) || case when b = 4 then '.example.com' else '@example.com' end as email,
           case when b = 5 then 'XX' else ['DE', 'FR', 'ES', 'IT', 'NL'][1 + (hash(i + 6) % 5)::BIGINT] end as country,
           case when b = 6 then 0 else 1 + hash(i + 7) % 50 end :: INTEGER as quantity,
           (case when b = 7 then 20000 else (hash(i + 8) % 1000000) / 100 end)::DECIMAL(10,2) as price,
           (hash(i + 9) % 30) / 100.0 :: DOUBLE as discount,
           case when hash(i + 10) % 10 = 0 then 'note ' || (hash(i + 11) % 100000) end as note,
           timestamp '2026-01-01' + to_seconds((hash(i + 12) % 31536000)::BIGINT) as updated_at
    from (select i, hash(i) % {one_in} as b from range({rows}) t(i))"""

LINES = """
    select i as orderkey, (hash(i + 1) % 200000)::INTEGER as partkey, (hash(i + 2) % 10000)::INTEGER as suppkey,
           (1 + i % 7)::INTEGER as linenumber, (1 + hash(i + 3) % 50)::DECIMAL(12,2) as quantity,
           ((hash(i + 4) % 10000000) / 100.0)::DECIMAL(12,2) as extendedprice,
           ((hash(i + 5) % 11) / 100.0)::DECIMAL(12,2) as discount, ((hash(i + 6) % 9) / 100.0)::DECIMAL(12,2) as tax,
           ['A', 'N', 'R'][1 + (hash(i + 7) % 3)::BIGINT] as returnflag,
           ['O', 'F'][1 + (hash(i + 8) % 2)::BIGINT] as linestatus,
           date '1992-01-01' + (hash(i + 9) % 2500)::INTEGER as shipdate,
           date '1992-01-01' + (hash(i + 10) % 2500)::INTEGER as commitdate,
           date '1992-01-01' + (hash(i + 11) % 2500)::INTEGER as receiptdate,
           ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK'][1 + (hash(i + 12) % 4)::BIGINT] as shipinstruct,
           ['AIR', 'MAIL', 'SHIP', 'RAIL'][1 + (hash(i + 13) % 4)::BIGINT] as shipmode,
           'comment ' || (hash(i + 14) % 100000000) || ' of the line' as comment
    from range({rows}) t(i)"""

ACCOUNTS = """
    select {id} as id, 'account ' || {id} as name, (hash(i + {salt}) % 100000000 / 100)::DECIMAL(12,2) as balance,
           ['open', 'closed', 'held'][1 + (hash(i + {salt} + 1) % 3)::BIGINT] as status,
           (hash(i + {salt} + 2) % 100)::INTEGER as points,
           timestamp '{since}' + to_seconds((hash(i + {salt} + 3) % 2000000)::BIGINT) as updated_at
    from range({rows}) t(i)"""


def orders(scale: float, bad: float = 0.01) -> Path:
    """10 M x 12 as Parquet, ids growing, this share of bad rows: 8 kinds of them, as many of each."""
    name = "orders" if bad == 0.01 else f"orders{bad:g}"
    query = ORDERS.replace("{one_in}", str(round(8 / bad)))
    return copied(name, scale, 10_000_000, query, "parquet")


def lineitem_parquet(scale: float) -> Path:
    """5 M x 16 as Parquet, all rows good."""
    return copied("lineitem", scale, 5_000_000, LINES, "parquet")


def lineitem_csv(scale: float) -> Path:
    """The same 5 M x 16 as CSV."""
    return copied("lineitem", scale, 5_000_000, LINES, "csv")


def lineitem_ndjson(scale: float) -> Path:
    """The same 5 M x 16 as JSON lines."""
    return copied("lineitem", scale, 5_000_000, LINES, "ndjson")


def lineitem_arrow(scale: float, batch_rows: int) -> Path:
    """The same 5 M x 16 as an Arrow file of batches of so many rows."""
    return _kept(_path("lineitem", scale, "arrow"), lambda part: _write_arrow(part, rows(scale, 5_000_000), batch_rows))


def accounts(scale: float) -> Path:
    """10 M x 6 as Parquet: the base of the upsert."""
    query = ACCOUNTS.format(id="i", salt=20, since="2026-01-01", rows="{rows}")
    return copied("accounts", scale, 10_000_000, query, "parquet")


def changes(scale: float) -> Path:
    """1 M changes of the accounts as Parquet: nine tenths known ids, one tenth new ones, some ids more than once."""
    base = rows(scale, 10_000_000)
    known = f"case when i % 10 = 0 then {base} + i else (hash(i + 40) % {base})::BIGINT end"
    query = ACCOUNTS.format(id=known, salt=50, since="2026-03-01", rows="{rows}")
    return copied("changes", scale, 1_000_000, query, "parquet")


def slices(scale: float, number: int = 100) -> list[Path]:
    """100 Parquet files of 100,000 rows x 5; the ids grow from file to file."""
    size = rows(scale, 100_000)
    query = """select {start} + i as id, hash(i) % 1000 as customer_id, (hash(i + 1) % 10000 / 100)::DECIMAL(10,2)
               as amount, date '2026-01-01' + {part} as day, 'note ' || i as note from range({rows}) t(i)"""
    return [
        copied(f"slice{part:03}", scale, 100_000, query.format(start=part * size, part=part, rows="{rows}"), "parquet")
        for part in range(number)
    ]


def random_slices(scale: float, number: int) -> list[Path]:
    """Parquet files of 1 M rows x 3 with random ids, no id twice over all of them."""
    size = rows(scale, 1_000_000)
    query = """select (hash({start} + i) >> 1)::BIGINT as id, (hash(i) % 10000 / 100)::DECIMAL(10,2) as amount,
               'note ' || i as note from range({rows}) t(i)"""
    return [
        copied(f"random{part:02}", scale, 1_000_000, query.format(start=part * size, rows="{rows}"), "parquet")
        for part in range(number)
    ]


def malformed(scale: float, share: float) -> Path:
    """A CSV of 2 M lines x 6, this share malformed: too few or too many fields, an unclosed quote, junk bytes."""
    path = _path(f"malformed{share:g}", scale, "csv")
    return _kept(path, lambda part: _write_malformed(part, rows(scale, 2_000_000), share))


def malformed_lines(scale: float, share: float) -> int:
    """How many lines of that file are malformed."""
    return int(rows(scale, 2_000_000) * share)


def rows(scale: float, full: int) -> int:
    return max(1, round(full * scale))


def _write_malformed(path: Path, lines: int, share: float) -> None:
    bad, broken = int(lines * share), 0
    with path.open("wb") as file:
        file.write(b"id,customer_id,day,amount,status,note\n")
        for number in range(lines):
            due = bad * (number + 1) // lines
            file.write(_broken(number) if due > broken else _line(number))
            broken = due


def _line(number: int) -> bytes:
    note = '"ring, then knock"' if number % 7 == 0 else "plain"
    spread = number * 2654435761 % 2**32
    day = f"2026-{1 + spread % 12:02}-{1 + spread % 28:02}"
    return f"{number},{spread % 50000},{day},{spread % 100000 / 100:.2f},paid,{note}\n".encode()


def _broken(number: int) -> bytes:
    kind = number * 2654435761 // 64 % 4
    if kind == 0:
        return f"{number},17,2026-01-01\n".encode()
    if kind == 1:
        return f"{number},17,2026-01-01,1.00,paid,ring,then,knock\n".encode()
    if kind == 2:
        return f'{number},17,2026-01-01,1.00,paid,"leave at the door\n'.encode()
    return f"{number},17,2026-01-01,1.00,paid,f".encode() + b"\xfcr Frau M\n"


def copied(name: str, scale: float, full: int, query: str, kind: str) -> Path:
    """What the query gives for that many `{rows}`, as a file of the kind: parquet | csv."""
    return _kept(_path(name, scale, kind), lambda part: _copy(query.format(rows=rows(scale, full)), part, kind))


_FORMATS = {
    "parquet": "format parquet, row_group_size 122880",
    "csv": "format csv, header",
    "ndjson": "format json",
}


def _copy(query: str, path: Path, kind: str) -> None:
    connection: Any = _connect()
    connection.execute(f"copy ({query}) to '{path}' ({_FORMATS[kind]})")
    connection.close()


def _write_arrow(path: Path, count: int, batch_rows: int) -> None:
    import pyarrow

    writer: Any = None
    for start in range(0, count, batch_rows):
        query = LINES.format(rows=f"{start}, {min(start + batch_rows, count)}")
        table = _connect().execute(query).to_arrow_table().combine_chunks()
        writer = writer or pyarrow.ipc.new_file(str(path), table.schema)
        writer.write_table(table)
    writer.close()


def _connect() -> Any:
    import duckdb

    return duckdb.connect()


def _path(name: str, scale: float, kind: str) -> Path:
    return WORK / "data" / f"{name}-{scale:g}.{kind}"


def _kept(path: Path, write: Callable[[Path], None]) -> Path:
    """The path; written beside it and renamed, so that a half-written file is never taken for the whole."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(path.suffix + ".part")
        write(part)
        part.rename(path)
    return path

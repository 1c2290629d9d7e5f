"""Pages made by hand for the tests: one as in life, one as hostile as can be, one of very many tables."""

from __future__ import annotations

from headgate.report.model import (
    Check,
    Column,
    Entry,
    Exposure,
    Fates,
    Link,
    Page,
    Reason,
    Remark,
    Run,
    Sample,
    Step,
    Table,
)

AT = "2026-06-30T06:00:00+00:00"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style></script><!--",
    "javascript:alert(1)",
    "&lt;b&gt;{{ 7 * 7 }}${x}",
    "\u202egnp.exe \u2066x\u2069",
    "שלום עולם",
    "\x00\x1b[31m\ud800",
    "n" * 10_000,
    "' onmouseover='alert(1)",
)


def table(name: str, **facts: object) -> Table:
    columns = tuple(Column(f"c{number}", "bigint", ("required",), missing=0.0) for number in range(10))
    made = Table(name, name.rpartition(".")[0], "load", 1000, AT, "ok", loads=(10, 20, 30), columns=columns)
    return made._replace(**facts)


def sales() -> Table:
    """A table of three columns: one is handed on, one is a sum, one is counted."""
    columns = (
        Column("day", "date", comes_from=(Link("raw.orders", "c0", "identity"),)),
        Column(
            "amount", "decimal(38,2)", comes_from=(Link("raw.orders", "c1", "aggregation"),), description="In euros"
        ),
        Column("orders", "bigint", comes_from=(Link("raw.orders", None, "rows"),)),
    )
    rows = (
        Link("raw.orders", None, "rows"), Link("raw.orders", "c0", "group_by"), Link("raw.customers", "c2", "join"),
        Link("raw.customers", None, "rows"),
    )  # fmt: skip
    reads = ("raw.orders", "raw.customers")
    return table("gold.sales", kind="table", reads=reads, description="Sales of a day", columns=columns, rows_from=rows)


def life() -> Page:
    tables = (
        table("raw.orders", open=3, quality=0.998, scores={"validity": 0.998, "completeness": None}),
        table("raw.customers", fresh="bad", bad=True),
        sales(),
    )
    checks = (Check("last-run", "ok", 1), Check("freshness", "bad", 2, (Remark("raw.customers", "bad", "too old"),)))
    runs = tuple(
        Run(f"a{number}", AT, "ok", seconds=1.5 + number, read=100, loaded=97, quarantined=3) for number in range(20)
    )
    steps = (
        Step("raw.orders", "load", "ok", seconds=1.2, rows=1000, bytes=4096),
        Step("gold.sales", "model", "skipped"),
    )
    entry = Entry(AT, "raw.orders", 7, "load", "1.csv", 100, 97, 3, 0, 0, 1000)
    reason = Reason("raw.orders", "min", "amount", "must be at least 0", 3, (Sample("1.csv:5", "amount=-1"),))
    fates = Fates(100, 97, 3, 0, 0, AT)
    reads = (Link("gold.sales", "day", "identity"), Link("gold.sales", "amount", "identity"))
    board = Exposure("Sales board", "dashboard", "Ines", "https://boards.example/sales", reads)
    return Page(
        "shop", "w.duckdb", AT, "0.1", checks, tables, runs, 60, steps, (entry,), 40, (reason,), 3, fates,
        0.998, {"validity": 0.998},
        exposures=(board,),
    )  # fmt: skip


def hostile() -> Page:
    """Every text that comes from somebody is one of the hostile ones."""
    tables, entries, reasons, steps = [], [], [], []
    for text in HOSTILE:
        column = Column(
            text,
            text,
            (text,),
            text,
            True,
            0.5,
            (Link(f"{HOSTILE[0]}.t", HOSTILE[0], "identity"), Link(text, text, text)),
        )
        tables.append(
            Table(
                f"{text}.t", text, "load", 5, AT, "bad", loads=(1, 2), open=2, quality=0.5, description=text,
                source=text, how=text, reads=tuple(f"{one}.t" for one in HOSTILE[:1] if one != text), rules=(text,),
                columns=(column,), bad=True, rows_from=(Link(text, None, "rows"), Link(text, "", text)),
            )
        )  # fmt: skip
        entries.append(Entry(AT, text, 1, text, text, 1, 1, 0, 0, 0, 1))
        reasons.append(Reason(text, text, text, text, 1, (Sample(text, text),)))
        steps.append(Step(text, "load", "failed", text, 1.0, findings=(text,)))
    exposures = tuple(Exposure(text, text, text, text, (Link(f"{text}.t", text, "identity"),)) for text in HOSTILE)
    remarks = tuple(Remark(text, "bad", text, text) for text in HOSTILE)
    runs = tuple(Run(text, AT, text, text, 1.0) for text in HOSTILE)
    return Page(
        HOSTILE[0], HOSTILE[1], AT, "0.1", (Check("nulls", "bad", 1, remarks),), tuple(tables), runs, 99, tuple(steps),
        tuple(entries), 99, tuple(reasons), 9, Fates(1, 1, 0, 0, 0, AT), 0.5, {"validity": 0.5}, True,
        exposures,
    )  # fmt: skip


def many(number: int) -> Page:
    """Models in ten layers, each reading two of the layer before."""
    wide = number // 10
    tables = tuple(
        table(
            f"layer{at // wide}.model_{at}",
            reads=tuple(_before(at, wide)),
            columns=tuple(_traced(number, _before(at, wide)) for number in range(10)),
            rows_from=tuple(Link(one, "c0", "join") for one in _before(at, wide)),
        )
        for at in range(number)
    )
    return Page("many", "w.duckdb", AT, "0.1", (Check("books", "ok", number),), tables, runs_total=9000)


def _before(at: int, wide: int) -> list[str]:
    return [f"layer{at // wide - 1}.model_{at - wide - back}" for back in (0, 1) if at >= wide + back]


def _traced(number: int, before: list[str]) -> Column:
    """A column of the same name of the first table before, and every third of the second, too."""
    chosen = before if number % 3 == 0 else before[:1]
    links = tuple(Link(one, f"c{number}", "identity") for one in chosen)
    return Column(f"c{number}", "bigint", ("required",), missing=0.0, comes_from=links)

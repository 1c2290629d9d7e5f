"""What is built: many trivial models in ten layers, or a star over six million rows.

A query names what it reads in braces, `{m0_3}`: each tool spells a reference in its own way. Decimals are declared, so
that a total tells whether a tool rounded.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

LAYERS, ROWS = 10, 1_000


@dataclass(frozen=True)
class Shape:
    """`queries`: name -> text, in an order in which they can be built. `leaf`: one that nothing reads, and its text
    after an edit. `total`: a query over the tables whose one number every tool must come to."""

    queries: dict[str, str]
    leaf: tuple[str, str]
    total: str

    def parents(self, name: str) -> list[str]:
        return [other for other in self.queries if "{" + other + "}" in self.queries[name]]


def trivial(number: int) -> Shape:
    """`number` tables of 1,000 rows in ten layers; each reads one to three of the layer before it."""
    drawn = random.Random(1)
    width = max(1, number // LAYERS)
    queries = {
        f"m0_{at}": f"select cast(i as int) as id, cast(i % {at + 7} as int) as v, 'g' || (i % 10) as g "
        f"from range({ROWS}) as r(i)"
        for at in range(width)
    }
    for layer in range(1, LAYERS):
        above = [f"m{layer - 1}_{at}" for at in range(width)]
        for at in range(width):
            first, *others = drawn.sample(above, min(len(above), drawn.randint(1, 3)))
            added = " + ".join(["a.v % 1000", *(f"p{place}.v % 7" for place in range(len(others)))])
            joins = "".join(
                f" join {{{other}}} as p{place} on p{place}.id = a.id" for place, other in enumerate(others)
            )
            queries[f"m{layer}_{at}"] = (
                f"select a.id, cast({added} + {at} as int) as v, a.g from {{{first}}} as a{joins} where a.id >= 0"
            )
    leaf = f"m{LAYERS - 1}_0"
    ends = " union all ".join(f"select v from {{m{LAYERS - 1}_{at}}}" for at in range(1, width)) or "select 0 as v"
    return Shape(queries, (leaf, f"{queries[leaf]} and a.v > -1"), f"select sum(v) from ({ends})")


def star(rows: int) -> Shape:
    """A fact of `rows` rows with two dimensions, joined, aggregated by day and ranked by customer."""
    customers, products = max(10, rows // 60), max(10, rows // 600)
    queries = {
        "dim_customer": "select cast(i as int) as customer_id, 'c' || (i % 50) as country, i % 5 as tier "
        f"from range({customers}) as r(i)",
        "dim_product": "select cast(i as int) as product_id, 'k' || (i % 40) as category "
        f"from range({products}) as r(i)",
        "fct_sales": f"""select cast(i as bigint) as sale_id, cast(hash(i) % {customers} as int) as customer_id,
            cast(hash(i + 1) % {products} as int) as product_id, date '2026-01-01' + cast(i % 365 as int) as day,
            cast(cast(hash(i + 2) % 100000 as int) / 100.0 as decimal(12,2)) as price,
            cast(cast(hash(i + 3) % 30 as int) / 100.0 as decimal(12,2)) as rebate from range({rows}) as r(i)""",
        "big_table": """select s.sale_id, s.day, s.price * (1 - s.rebate) as net, c.customer_id, c.country, p.category
            from {fct_sales} as s join {dim_customer} as c on c.customer_id = s.customer_id
            join {dim_product} as p on p.product_id = s.product_id""",
        "daily": "select day, country, category, count(*) as sales, sum(net) as net from {big_table} group by all",
        "best": """select * from (select customer_id, country, sum(net) as net, row_number() over (
            partition by country order by sum(net) desc, customer_id) as place
            from {big_table} group by customer_id, country) as ranked where place <= 100""",
    }
    leaf = ("best", queries["best"].replace("<= 100", "<= 99"))
    return Shape(queries, leaf, "select sum(net) from {daily}")

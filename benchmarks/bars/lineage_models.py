"""Column lineage of 500 models in ten layers: everything walked, and everything kept from the time before."""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

from benchmarks import harness

LAYERS, TABLES, COLUMNS = 10, 5, 8
INGEST = "table: raw.t{number}\nfrom: data/t{number}.csv\ncolumns:\n  id: int, key\n{columns}"
MODEL = """\
{{{{ config(materialized='table') }}}}
with a as (select * from {{{{ ref('{first}') }}}} where c1 >= 0)
select a.id, a.c0, a.c1, a.c2, a.c3, a.c4, a.c5 + {number} as c5,
  case when a.c6 > 1 then a.c6 else 0 end as c6, sum(a.c7) over (partition by a.id) as c7
from a
{joins}"""


def models(scale: float) -> int:
    return max(LAYERS, int(500 * scale))


def prepare(folder: Path, scale: float) -> None:
    home = folder / "project"
    for part in ("models", "ingest", "data"):
        (home / part).mkdir(parents=True, exist_ok=True)
    (home / "headgate.yml").write_text("project: bench\n", encoding="utf-8")
    columns = "".join(f"  c{number}: int\n" for number in range(COLUMNS))
    for number in range(TABLES):
        text = INGEST.format(number=number, columns=columns)
        (home / "ingest" / f"t{number}.yml").write_text(text, encoding="utf-8")
    _write_models(home / "models", models(scale) // LAYERS)


def _write_models(home: Path, width: int) -> None:
    """Each reads one to three of the layer before it."""
    drawn = random.Random(1)
    above = [f"raw.t{number}" for number in range(TABLES)]
    for layer in range(LAYERS):
        names = [f"m{layer}_{number}" for number in range(width)]
        for number, name in enumerate(names):
            first, *others = [drawn.choice(above) for _ in range(drawn.randint(1, 3))]
            joins = "".join(
                f"left join {{{{ ref('{other}') }}}} as p{at} on p{at}.id = a.id\n" for at, other in enumerate(others)
            )
            text = MODEL.format(first=first, number=number, joins=joins)
            (home / f"{name}.sql").write_text(text, encoding="utf-8")
        above = names


def reset(folder: Path) -> None:
    shutil.rmtree(folder / "project" / ".headgate", ignore_errors=True)
    (folder / "project" / ".headgate").mkdir()


def subject(folder: Path) -> None:
    """Prints CPU seconds of a plan, of a first and of a second lineage, each in a project opened anew."""
    from headgate.api import Project

    def spent(lineage: bool) -> float:
        began = time.process_time()
        with Project.open(folder / "project") as project:
            if lineage:
                assert len(project.lineage("m9_0.c5", down=False).up) > LAYERS
            else:
                assert project.plan().steps
        return time.process_time() - began

    spent(lineage=False)  # what is imported once
    cold = spent(lineage=True)
    plain, warm = (min(spent(lineage=one) for _ in range(3)) for one in (False, True))
    values = {"plan s": plain, "first lineage s": cold, "next lineage s": warm}
    print(json.dumps({**values, "added at first s": cold - plain, "added next s": warm - plain}))


def check(output: str, scale: float) -> harness.Values:
    values: harness.Values = json.loads(output)
    return values


BAR = harness.Bar(
    "lineage_models",
    "Column lineage of 500 models",
    (harness.Limit("first lineage s", 1.5), harness.Limit("added next s", 0.3)),
    {harness.SUBJECT: harness.Side(lambda folder: harness.child("lineage_models", "subject", folder), reset, check)},
)

"""V1: a Pydantic model with a validator, in the spelling of either generation, is the contract of a table of sales."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydantic
import pydantic.v1
import pytest
from tests.unit.project_kit import Folder

from headgate.core import faults

pytestmark = pytest.mark.slow

INGEST = "table: raw.sales\nfrom: data/*.csv\ncontract: {pydantic: schemas.py:SalesRecord}\n"
FIELDS = """
class SalesRecord(BaseModel):
    order_id: str
    customer_id: str
    amount: Decimal
    order_date: date
"""
HEAD = "from datetime import date\nfrom decimal import Decimal\n"
SPELLINGS = {
    "field_validator": HEAD + "from pydantic import BaseModel, field_validator\n" + FIELDS + """
    @field_validator("amount")
    @classmethod
    def amount_is_positive(cls, value: Decimal) -> Decimal:
        if value <= 0:
            raise ValueError("amount must be positive")
        return value
""",
    "model_validator": HEAD + "from pydantic import BaseModel, model_validator\n" + FIELDS + """
    @model_validator(mode="after")
    def amount_is_positive(self):
        assert self.amount > 0, "amount must be positive"
        return self
""",
    "validator in pydantic 2": HEAD + "from pydantic import BaseModel, validator\n" + FIELDS + """
    @validator("amount")
    def amount_is_positive(cls, value):
        if value <= 0:
            raise ValueError("amount must be positive")
        return value
""",
    "pydantic.v1": HEAD + "from pydantic.v1 import BaseModel, validator\n" + FIELDS + """
    @validator("amount")
    def amount_is_positive(cls, value):
        if value <= 0:
            raise ValueError("amount must be positive")
        return value
""",
    "root_validator": HEAD + "from pydantic.v1 import BaseModel, root_validator\n" + FIELDS + """
    @root_validator(skip_on_failure=True)
    def amount_is_positive(cls, values):
        if values["amount"] <= 0:
            raise ValueError("amount must be positive")
        return values
""",
}  # fmt: skip
_numbers = itertools.count()


def records(seed: int, count: int = 400) -> list[list[str]]:
    """Sales, of which about every fourth has a fault: in the amount, the date, or by a field that is not there."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        row = [
            f"O-{number}",
            f"C{dice.randrange(40)}",
            f"{dice.randrange(1, 10**7) / 100:.2f}",
            f"2026-0{dice.randrange(1, 7)}-11",
        ]
        fault = dice.choice(["amount", "date", "empty", "", "", "", "", "", "", "", ""])
        if fault == "amount":
            row[2] = dice.choice(
                ["0", "-0.01", "abc", "1e2", "1_000", " 5 ", "NaN", "12.345678901", "99999999999999999999.5"]
            )
        elif fault == "date":
            row[3] = dice.choice(
                ["2026-02-30", "11.06.2026", "2026-06-11T00:00:00", "2026-06-11T10:00:00", "1750000000"]
            )
        elif fault == "empty":
            row[dice.randrange(4)] = ""
        made.append(row)
    return made


def written(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["order_id", "customer_id", "amount", "order_date"], *rows])
    return out.getvalue()


def model(path: Path) -> Any:
    name = f"sales_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.SalesRecord


def pydantics_own(cls: Any, text: str) -> tuple[list[Any], dict[int, list[tuple[str, str]]]]:
    """The good records, and the errors of the others by record number: the loop that people write without Headgate."""
    good, bad = [], {}
    first = issubclass(cls, pydantic.v1.BaseModel)
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 1):
        given = {name: value for name, value in row.items() if value != ""}
        try:
            good.append((number, cls.parse_obj(given) if first else cls.model_validate_strings(given)))
        except (pydantic.ValidationError, pydantic.v1.ValidationError) as error:
            bad[number] = [(one["type"], one["msg"]) for one in error.errors()]
    return good, bad


def refused(made: Folder) -> dict[int, list[tuple[str, str]]]:
    return {
        one.position["record"]: [(reason.rule, reason.message) for reason in one.reasons]
        for one in made.open().quarantine("raw.sales", "open", limit=None).records
    }


def loaded(made: Folder) -> list[tuple[str, str, Decimal, str]]:
    found = made.rows(
        "select order_id, customer_id, amount::varchar, order_date::varchar from raw.sales order by rowid"
    )
    return [(order, customer, Decimal(amount), day) for order, customer, amount, day in found]


def exact(amount: Decimal) -> bool:
    """Whether decimal(38,9) keeps it."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -9 and amount.adjusted() < 29


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_verdict_is_pydantics_own_row_by_row(tmp_path: Path, spelling: str, seed: int) -> None:
    text = written(records(seed))
    made = Folder.make(tmp_path, {"schemas.py": SPELLINGS[spelling], "ingest/s.yml": INGEST, "data/a.csv": text})
    good, bad = pydantics_own(model(tmp_path / "schemas.py"), text)
    lossy = {number for number, one in good if not exact(one.amount)}
    step = made.step("raw.sales")
    assert (step.status, step.rows_read) == ("ok", 400)
    found = refused(made)
    assert {number: reasons for number, reasons in found.items() if number not in lossy} == bad
    assert {number: [rule for rule, _ in found[number]] for number in lossy} == {number: ["type"] for number in lossy}
    assert loaded(made) == [
        (one.order_id, one.customer_id, one.amount, one.order_date.isoformat())
        for number, one in good
        if number not in lossy
    ]
    assert any("amount must be positive" in message for reasons in found.values() for _, message in reasons)
    assert made.codes() == []


def test_decimals_are_exact(tmp_path: Path) -> None:
    amounts = ["0.1", "0.2", "0.000000001", "12345678901234567890123456789.123456789", "1E+3"]
    text = written([[f"O{at}", "C", amount, "2026-06-11"] for at, amount in enumerate(amounts)])
    code = SPELLINGS["field_validator"]
    made = Folder.make(tmp_path, {"schemas.py": code, "ingest/s.yml": INGEST, "data/a.csv": text})
    made.run()
    assert [amount for _, _, amount, _ in loaded(made)] == [Decimal(amount) for amount in amounts]


def test_what_was_refused_is_mended_in_the_model_and_replayed(tmp_path: Path) -> None:
    text = written([["1", "C", "0", "2026-06-11"], ["2", "C", "-1", "2026-06-11"], ["3", "C", "1", "2026-06-11"]])
    code = SPELLINGS["field_validator"]
    made = Folder.make(tmp_path, {"schemas.py": code, "ingest/s.yml": INGEST, "data/a.csv": text})
    made.run()
    made.write("schemas.py", code.replace("value <= 0", "value < 0"))
    made.open().replay(table="raw.sales")
    assert sorted(order for order, *_ in loaded(made)) == ["1", "3"]
    assert [message for ((_, message),) in refused(made).values()] == ["Value error, amount must be positive"]
    assert made.codes() == []


class Dead(BaseException):
    """The process is gone."""


@contextmanager
def dying_at(point: str) -> Iterator[None]:
    def hook(reached: str) -> None:
        if reached == point:
            raise Dead

    faults.install(hook)
    try:
        yield
    finally:
        faults.install(None)


@pytest.mark.parametrize("point", ["before_write", "after_stage", "after_write", "after_commit", "before_ack"])
def test_a_run_that_dies_is_run_again(tmp_path: Path, point: str) -> None:
    text = written(records(3, 60))
    files = {"schemas.py": SPELLINGS["field_validator"], "ingest/s.yml": INGEST, "data/a.csv": text}
    whole, broken = Folder.make(tmp_path / "whole", files), Folder.make(tmp_path / "broken", files)
    whole.run()
    with pytest.raises(Dead), dying_at(point), broken.open() as project:
        project.run()
    broken.run()
    assert (loaded(broken), refused(broken)) == (loaded(whole), refused(whole))
    assert broken.codes() == []


@pytest.mark.services
def test_on_postgresql_it_is_the_same(tmp_path: Path, postgres: str) -> None:
    text = written(records(4, 60))
    files = {"schemas.py": SPELLINGS["field_validator"], "ingest/s.yml": INGEST, "data/a.csv": text}
    here, there = Folder.make(tmp_path / "here", files), Folder.make(tmp_path / "there", files)
    there.write("headgate.yml", f"project: p\nwarehouse: {postgres}\n")
    here.run()
    there.run()
    query = "select order_id, customer_id, amount::varchar, order_date::varchar from raw.sales order by order_id"
    assert there.rows(query) == here.rows(query)
    assert refused(there) == refused(here)
    assert there.codes() == []

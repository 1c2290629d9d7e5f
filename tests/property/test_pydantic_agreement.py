"""A Pydantic model as a contract refuses what Pydantic refuses, for the same reasons, and loads the values it makes."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import json
import pprint
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pydantic
import pydantic.v1
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from headgate.api.project import Project

pytestmark = pytest.mark.slow

HEAD = """
from __future__ import annotations
import enum, ipaddress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID
"""
SECOND = (
    HEAD
    + """
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Json, NaiveDatetime, PositiveInt, StringConstraints
from pydantic import AliasChoices, field_validator, model_validator

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Inner(BaseModel):
    a: int
    b: str = "x"
"""
)
FIRST = HEAD + "from pydantic.v1 import BaseModel, Field, conint, constr, root_validator, validator\n"

ANNOTATIONS = (
    "str", "int", "float", "bool", "Decimal", "date", "datetime", "time", "UUID", "bytes", "timedelta",
    "Annotated[Decimal, Field(max_digits=6, decimal_places=2)]", "Annotated[int, Field(ge=0, lt=50)]", "PositiveInt",
    "Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, pattern='^[a-z]+$')]",
    "Literal['a', 'b']", "Literal[1, 2]", "Colour", "Level", "NaiveDatetime", "AwareDatetime", "Json[list[int]]",
    "Union[int, str]", "int | Decimal", "Any", "list[int]", "dict[str, float]", "Inner", "list[Inner]",
    "ipaddress.IPv4Address", "Annotated[int, Field(strict=True)]", "set[int]", "tuple[int, str]",
)  # fmt: skip
FIRST_ANNOTATIONS = (
    "str", "int", "float", "bool", "Decimal", "date", "datetime", "time", "UUID", "conint(gt=0)",
    "constr(max_length=3)",
    "Literal['a', 'b']", "list[int]", "dict[str, int]", "Union[int, str]",
)  # fmt: skip
DEFAULTS = {"": "", "optional": " = None"}

VALIDATORS = (
    "",
    """
    @field_validator("f0")
    @classmethod
    def checked(cls, value):
        if str(value).endswith(("1", "a")):
            raise ValueError(f"{len(str(value))} is unlucky")
        return value
""",
    """
    @field_validator("f0", mode="before")
    @classmethod
    def before(cls, value):
        assert str(value) != "2", "no two"
        return value.strip() if isinstance(value, str) else value
""",
    """
    @model_validator(mode="after")
    def whole(self):
        if self.f0 == self.f1:
            raise ValueError("both the same")
        return self
""",
    """
    @field_validator("f1")
    @classmethod
    def other(cls, value):
        return None if str(value) == "1" else value
""",
)
FIRST_VALIDATORS = (
    "",
    """
    @validator("f0")
    def checked(cls, value):
        if str(value).endswith(("1", "a")):
            raise ValueError("unlucky")
        return value
""",
    """
    @root_validator
    def whole(cls, values):
        if values.get("f0") is not None and values.get("f0") == values.get("f1"):
            raise ValueError("both the same")
        return values
""",
    """
    @root_validator(pre=True)
    def before(cls, values):
        assert values.get("f1") != "2", "no two"
        return values
""",
)

TEXTS = (
    "1", "2", "0", "-1", "49", "50", "1.5", "1.50", "12345.67", "0.1234567891", "1e3", "99999999999999999999", " 7 ",
    "a",
    "b", "A ", "abc", "red", "blue", "true", "off", "2024-02-29", "2024-02-30", "2024-01-02T03:04:05",
    "2024-01-02T03:04:05.1234567Z", "2024-01-02 03:04:05+02:00", "03:04", "P1DT2H", "1.2.3.4", "NaN", "inf", "[1, 2]",
    '[1, "x"]', '{"a": 1}', '{"a": "x"}', "0a0b0c0d-0000-4000-8000-000000000001", "é😀", "'", '"', "null", "x,y",
)  # fmt: skip
UUID_ = UUID("0a0b0c0d-0000-4000-8000-000000000001")
VALUES: tuple[Any, ...] = (
    *TEXTS, None, True, False, 0, 1, 2, 49, 2**63, -1, 1.0, 1.5, 0.1, float("nan"), float("inf"), Decimal("1.50"),
    Decimal("1E+2"), Decimal("0.12345678901"), date(2024, 2, 29), datetime(2024, 1, 2, 3, 4, 5),
    datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=2))), time(3, 4), timedelta(hours=3), UUID_, b"ab", b"\xff",
    [1, 2], ["1"], [{"a": 1}], {"a": 1}, {"a": "2", "b": "y"}, {"x": 1.5}, {"$decimal": "1"}, (1, "x"), {1, 2}, [],
)  # fmt: skip


@st.composite
def models(draw: st.DrawFn, first: bool) -> str:
    """The text of a file with the class `Record`."""
    count = draw(st.integers(2, 4))
    lines = ["class Record(BaseModel):"]
    if draw(st.booleans()):
        extra = draw(st.sampled_from(["ignore", "allow"]))
        lines.append(
            f"    class Config:\n        extra = '{extra}'"
            if first
            else f"    model_config = ConfigDict(extra='{extra}')"
        )
    for number in range(count):
        kind = draw(st.sampled_from(FIRST_ANNOTATIONS if first else ANNOTATIONS))
        optional = draw(st.booleans())
        alias = draw(st.sampled_from(["", "", f"The {number}"]))
        value = "None" if optional else "..."
        said = f" = Field({value}, alias='{alias}')" if alias else " = None" if optional else ""
        lines.append(f"    f{number}: {f'Optional[{kind}]' if optional else kind}{said}")
    validator = draw(st.sampled_from(FIRST_VALIDATORS if first else VALIDATORS))
    return (FIRST if first else SECOND) + "\n".join(lines) + "\n" + validator


_numbers = itertools.count()


def names_of(text: str) -> list[str]:
    return [
        line.partition("alias='")[2].partition("'")[0] or line.strip().partition(":")[0]
        for line in text.splitlines()
        if line.startswith("    f") and line.strip()[1].isdigit()
    ]


@st.composite
def cases(draw: st.DrawFn, first: bool, values: Sequence[Any]) -> tuple[str, list[dict[str, Any]]]:
    text = draw(models(first))
    names = names_of(text)
    cell = st.sampled_from(values)
    record = st.fixed_dictionaries({}, optional=dict.fromkeys([*names, "more"], cell))
    return text, draw(st.lists(record, min_size=1, max_size=8))


def model_of(folder: Path) -> Any:
    name = f"drawn_models_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, folder / "schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.Record


def project(folder: Path, text: str, source: str) -> Path:
    (folder / "ingest").mkdir()
    (folder / "headgate.yml").write_text("project: p\nwarehouse: duckdb:w.duckdb\n")
    (folder / "schemas.py").write_text(text)
    (folder / "ingest" / "t.yml").write_text(
        f"table: raw.t\nfrom: {source}\ncontract: {{pydantic: schemas.py:Record}}\nextra: {'error'}\n"
    )
    return folder


def judged(cls: Any, record: Mapping[str, Any], strings: bool) -> tuple[list[tuple[str, str]] | None, dict[str, Any]]:
    """What Pydantic says: type and message of each error, or None and the values."""
    first = issubclass(cls, pydantic.v1.BaseModel)
    try:
        if first:
            made = cls.parse_obj(record)
        else:
            made = cls.model_validate_strings(record) if strings else cls.model_validate(record)
    except (pydantic.ValidationError, pydantic.v1.ValidationError) as error:
        return [(one["type"], one["msg"]) for one in error.errors()], {}
    return None, dict(made.__dict__)


def seen(folder: Path) -> tuple[dict[int, list[tuple[str, str]]], list[dict[str, Any]]]:
    """By record number the reasons of what was refused; and the rows in order."""
    with Project.open(folder) as opened:
        result = opened.run()
        assert result.status == "ok", result
        refused = {
            one.position["record"]: [(reason.rule, reason.message) for reason in one.reasons]
            for one in opened.quarantine("raw.t", "open", limit=None).records
        }
        answer = opened.query("select * exclude (_hg_load) from raw.t order by rowid")
        names = [column.name for column in answer.columns]
        rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
        assert not opened.audit().findings
    return refused, rows


def agrees(folder: Path, records: Sequence[Mapping[str, Any]], strings: bool) -> None:
    cls = model_of(folder)
    refused, rows = seen(folder)
    loaded = iter(rows)
    for number, record in enumerate(records, 1):
        errors, values = judged(cls, record, strings)
        note(pprint.pformat((number, record, errors, values, refused.get(number))))
        if errors is not None:
            told = [one for one in refused[number] if one[0] not in ("uuid_parsing", "union_tag_invalid")]
            assert told == [one for one in errors if one[0] not in ("uuid_parsing", "union_tag_invalid")]
        elif number in refused:
            # Only what no column can keep without loss; what that is has tests of its own.
            assert {rule for rule, _ in refused[number]} == {"type"}
        else:
            row = next(loaded)
            for name, value in values.items():
                if name in row:
                    assert same(row[name], value), (name, row[name], value)
    assert next(loaded, None) is None


def same(kept: Any, value: Any) -> bool:
    """Whether the warehouse's answer (values of JSON) is the value."""
    if kept is None or value is None:
        return kept is None and value is None
    if isinstance(value, bool):
        return kept in (value, json.dumps(value))
    if isinstance(value, datetime) and isinstance(kept, str):
        kept_ = datetime.fromisoformat(kept)
        if kept_.tzinfo is not None and value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)  # noqa: UP017
        return kept_ == value
    if isinstance(value, int | float | Decimal):
        return str(value) == "nan" or Decimal(str(kept)) == Decimal(str(value))
    return kept is not None  # texts and JSON: see the tests by example


def unquoted(text: str | None) -> str:
    if text is None:
        return ""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow([text])
    return out.getvalue()


def text_agrees(case: tuple[str, list[dict[str, Any]]]) -> None:
    text, records = case
    note(text)
    names = [*names_of(text), "more"]
    with tempfile.TemporaryDirectory() as made:
        folder = project(Path(made), text, "data.csv")
        lines = [",".join(unquoted(name) for name in names)]
        lines += [",".join(unquoted(record.get(name)) for name in names) for record in records]
        (folder / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        agrees(folder, records, strings=True)


@given(cases(first=False, values=TEXTS))
def test_csv_is_judged_as_model_validate_strings(case: tuple[str, list[dict[str, Any]]]) -> None:
    text_agrees(case)


@given(cases(first=True, values=TEXTS))
def test_csv_is_judged_as_parse_obj_by_the_first_generation(case: tuple[str, list[dict[str, Any]]]) -> None:
    text_agrees(case)


def called(case: tuple[str, list[dict[str, Any]]]) -> None:
    text, records = case
    note(text)
    with tempfile.TemporaryDirectory() as made:
        folder = project(Path(made), text, "{python: src.py:rows}")
        body = pprint.pformat(records, width=200)
        (folder / "src.py").write_text(
            "import datetime\nfrom decimal import Decimal\nfrom uuid import UUID\n"
            "nan, inf = float('nan'), float('inf')\n"
            f"def rows(position):\n    if position is None:\n        yield {body}, 1\n"
        )
        agrees(folder, records, strings=False)


@given(cases(first=False, values=VALUES))
def test_dicts_are_judged_as_model_validate(case: tuple[str, list[dict[str, Any]]]) -> None:
    called(case)


@given(cases(first=True, values=VALUES))
def test_dicts_are_judged_as_parse_obj_by_the_first_generation(case: tuple[str, list[dict[str, Any]]]) -> None:
    called(case)


COLUMNS: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (pa.string(), ("1", "a", "red", "2024-02-29", "1.5", " x", None)),
    (pa.int64(), (0, 1, 2, 50, 2**62, None)),
    (pa.float64(), (1.0, 1.5, 0.1, float("nan"), None)),
    (pa.decimal128(20, 10), (Decimal("1.5"), Decimal("0.1234567891"), None)),
    (pa.bool_(), (True, False, None)),
    (pa.date32(), (date(2024, 2, 29), None)),
    (pa.timestamp("us"), (datetime(2024, 1, 2, 3, 4, 5), None)),
    (pa.timestamp("us", "UTC"), (datetime(2024, 1, 2, tzinfo=timezone.utc), None)),  # noqa: UP017
    (pa.time64("us"), (time(3, 4), None)),
    (pa.binary(), (b"ab", b"\xff", None)),
    (pa.list_(pa.int64()), ([1, 2], [], None)),
    (pa.struct([("a", pa.int64()), ("b", pa.string())]), ({"a": 1, "b": "y"}, {"a": None, "b": None}, None)),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, pa.Table]:
    text = draw(models(False))
    count = draw(st.integers(1, 8))
    columns = {}
    for name in [*names_of(text), "more"]:
        kind, values = draw(st.sampled_from(COLUMNS))
        columns[name] = pa.array(draw(st.lists(st.sampled_from(values), min_size=count, max_size=count)), kind)
    return text, pa.table(columns)


@given(tables())
def test_parquet_is_judged_as_model_validate(case: tuple[str, pa.Table]) -> None:
    text, table = case
    note(text)
    with tempfile.TemporaryDirectory() as made:
        folder = project(Path(made), text, "data.parquet")
        pq.write_table(table, folder / "data.parquet")
        agrees(folder, table.to_pylist(), strings=False)

"""What Python models are given and what they may give, in every library; what is wrong, told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.project_kit import Folder
from tests.unit.run.test_run_python_models import DATA, ORDERS, ROWS, columns, made, rows

from headgate.models.python import result

SAME = [("id", "BIGINT"), ("day", "DATE"), ("amount", "DECIMAL(12,2)"), ("pieces", "BIGINT")]

KINDS = {
    "relation": "import duckdb\ndef model(orders: duckdb.DuckDBPyRelation):\n    return orders.filter('id > 0')\n",
    "unsaid": "def model(orders):\n    return orders.filter('id > 0')\n",
    "arrow": "import pyarrow as pa\ndef model(orders: pa.Table) -> pa.Table:\n    return orders\n",
    "batches": "from pyarrow import RecordBatchReader\n"
    "def model(orders: RecordBatchReader):\n    for batch in orders:\n        yield batch\n",
    "reader": "import pyarrow\ndef model(orders: pyarrow.RecordBatchReader):\n    return orders\n",
    "polars": "import polars as pl\ndef model(orders: pl.DataFrame):\n    return orders.filter(pl.col('id') > 0)\n",
    "lazy": "import polars as pl\ndef model(orders: 'pl.LazyFrame'):\n    return orders.filter(pl.col('id') > 0)\n",
    "pandas": "import pandas as pd\ndef model(orders: pd.DataFrame):\n    return orders[orders['id'] > 0]\n",
    "index": "import pandas as pd\ndef model(orders: pd.DataFrame):\n"
    "    return orders.set_index('day')[['id', 'amount', 'pieces']].reset_index()[['id', 'day', 'amount', 'pieces']]\n",
    "frames": "import polars as pl\ndef model(orders: pl.DataFrame | None):\n"
    "    yield orders.head(1)\n    yield orders.tail(2)\n",
}


EMPTY = {
    "relation": "def model(orders):\n    return orders.filter('false')\n",
    "lazy": "import polars as pl\ndef model(orders: pl.LazyFrame):\n    return orders.filter(pl.lit(False))\n",
    "pandas": "import pandas as pd\ndef model(orders: pd.DataFrame):\n    return orders[orders['id'] < 0]\n",
    "reader": "import pyarrow as pa\ndef model(orders: pa.RecordBatchReader):\n"
    "    return pa.RecordBatchReader.from_batches(orders.schema, [])\n",
}


MORE = {
    "elsewhere": "import duckdb\ndef model():\n    return duckdb.connect().sql('select 1::hugeint as n')\n",
    "two_streams": "import pyarrow as pa\nfrom headgate import ref\n"
    "def model(orders: pa.RecordBatchReader, again: pa.RecordBatchReader = ref('raw.orders')):\n"
    "    for one, two in zip(orders, again):\n        yield one\n        yield two\n",
    "many": "import pyarrow as pa\ndef model():\n    for start in range(0, 5000, 1000):\n"
    "        yield pa.table({'n': range(start, start + 1000)})\n",
    "mixed": "def model(inner, outer_view):\n    return inner.join(outer_view, 'id < most')\n",
    "spelled": 'def model(orders):\n    return orders.project("id, sum(pieces) over () as h, uuid() as u,'
    " interval 1 day as i, timestamptz '2024-01-01 00:00:00+02' as z\")\n",
    "turned": "def model(orders):\n    return orders.project(\"'10101'::bit as b, timetz '10:00:00+05' as t,"
    " 'infinity'::date as d, timestamp_ns '2024-01-01 00:00:00.123456789' as n, union_value(x := 1) as u\")"
    ".distinct()\n",
    "texts": "import pyarrow as pa\ndef model(turned: pa.Table):\n    return turned.select(['b', 't', 'd'])\n",
    "arrow": "import datetime as dt\nimport decimal\nimport pyarrow as pa\n\ndef model():\n    return pa.table({\n"
    "        'd': pa.array([decimal.Decimal('1.10')], pa.decimal128(20, 4)),\n"
    "        'z': pa.array([dt.datetime(2024, 1, 1)], pa.timestamp('us', 'Europe/Paris')),\n"
    "        'i': pa.array([None], pa.int16()),\n        'l': pa.array([[1, None]]),\n"
    "        'c': pa.array(['a']).dictionary_encode(),\n        'n': pa.nulls(1),\n    })\n",
}
SELECTS = {
    "models/inner.sql": "{{ config(materialized='ephemeral') }}\nselect id from {{ ref('orders') }} where id > 1",
    "models/outer_view.sql": "select max(id) as most from {{ ref('inner') }}",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A project of many models, run once. More than 1,000 bytes of rows go through a file."""
    folder = made(tmp_path_factory.mktemp("built"), {"ingest/orders.yml": ORDERS, "data/a.csv": DATA, **SELECTS})
    named = {f"as_{kind}": code for kind, code in KINDS.items()} | {f"no_{kind}": code for kind, code in EMPTY.items()}
    for name, code in (named | MORE).items():
        folder.write(f"models/gold/{name}.py", code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(result, "HELD_BYTES", 1_000)
        assert {step.status for step in folder.run().steps} == {"ok"}
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_types_come_through_every_library(built: Folder, kind: str) -> None:
    assert columns(built, f"gold.as_{kind}") == SAME
    assert rows(built, f"gold.as_{kind}") == ROWS


@pytest.mark.parametrize("kind", EMPTY)
def test_no_row_is_a_table_with_its_columns(built: Folder, kind: str) -> None:
    assert (columns(built, f"gold.no_{kind}"), rows(built, f"gold.no_{kind}")) == (SAME, [])


def test_books_agree_and_nothing_is_built_again(built: Folder) -> None:
    assert built.codes() == []
    assert {step.reason for step in built.run().steps if step.kind == "model"} == {"nothing changed"}


def test_two_streams_are_read_side_by_side(built: Folder) -> None:
    assert rows(built, "gold.two_streams") == sorted(ROWS * 2, key=repr)


def test_many_rows_go_through_a_file_of_which_nothing_is_left(built: Folder) -> None:
    assert built.behind("SELECT count(*), sum(n) FROM gold.many") == [(5000, 12497500)]
    assert list(built.root.glob(".headgate/tmp/**/*.arrow")) == []


def test_a_relation_of_another_connection_is_a_table_too(built: Folder) -> None:
    assert (columns(built, "gold.elsewhere"), rows(built, "gold.elsewhere")) == ([("n", "HUGEINT")], [(1,)])


def test_an_ephemeral_model_and_a_view_are_inputs_as_tables_are(built: Folder) -> None:
    assert rows(built, "gold.mixed") == [(2, 3)]


def test_types_that_arrow_spells_otherwise_stay_what_they_are(built: Folder) -> None:
    kinds = [kind for _, kind in columns(built, "gold.spelled")]
    assert kinds == ["BIGINT", "HUGEINT", "UUID", "INTERVAL", "TIMESTAMP WITH TIME ZONE"]
    assert built.behind("SELECT DISTINCT h, z = timestamptz '2023-12-31 22:00:00+00' FROM gold.spelled") == [(6, True)]


def test_values_that_arrow_would_change_travel_as_text(built: Folder) -> None:
    same = "b::VARCHAR, t::VARCHAR, d::VARCHAR"
    told = ("10101", "10:00:00+05", "infinity")
    assert built.behind(f"SELECT {same}, n::VARCHAR, u::VARCHAR FROM gold.turned") == [
        (*told, "2024-01-01 00:00:00.123456789", "1")
    ]
    assert [kind for _, kind in columns(built, "gold.turned")][:2] == ["BIT", "TIME WITH TIME ZONE"]
    assert built.behind(f"SELECT {same} FROM gold.texts") == [told]
    assert columns(built, "gold.texts") == [("b", "VARCHAR"), ("t", "VARCHAR"), ("d", "DATE")]


def test_arrow_types_of_the_result_are_kept(built: Folder) -> None:
    kinds = [kind for _, kind in columns(built, "gold.arrow")]
    assert kinds == ["DECIMAL(20,4)", "TIMESTAMP WITH TIME ZONE", "SMALLINT", "BIGINT[]", "VARCHAR", "VARCHAR"]


def test_lineage_says_that_every_column_may_come_of_everything(built: Folder) -> None:
    found = repr(built.open().lineage("as_arrow.amount"))
    assert "raw.orders" in found
    assert "it is a function in Python" in found


BAD = {
    "None": ("    return None\n", "not-a-table", "gave None, which is no table", 3),
    "a list of dicts": ("    return [{'a': 1}]\n", "not-a-table", "gave a dict among others, which is no table", 3),
    "a column": ("    return pa.array([1])\n", "not-a-table", "which is no table", 3),
    "no batch": ("    yield from ()\n", "not-a-table", "gave nothing, so its columns are unknown", 3),
    "other batches": (
        "    yield pa.table({'a': [1]})\n    yield pa.table({'a': ['x']})\n",
        "bad-schema",
        "column 'a' is int64, then string",
        3,
    ),
    "nanoseconds": (
        "    return pa.table({'a': pa.array([1], pa.timestamp('ns', 'UTC'))})\n",
        "unreadable-value",
        "the value has nanoseconds",
        3,
    ),
    "mixed": (
        "    import pandas as pd\n    return pd.DataFrame({'a': [1, 'x', None]}, dtype=object)\n",
        "mixed-column",
        "column 'a' with values of several kinds (int, str)",
        3,
    ),
    "objects": (
        "    import polars as pl\n    return pl.DataFrame({'a': [object()]})\n",
        "mixed-column",
        "column 'a' with objects of any kind",
        3,
    ),
    "a type of polars alone": (
        "    import polars as pl\n    return pl.DataFrame({'a': [1]}, schema={'a': pl.Int128})\n",
        "unreadable-type",
        "a type that can't be handed over",
        3,
    ),
    "times inside": (
        "    return orders.project(\"[timetz '10:00:00+05'] as a\")\n",
        "unreadable-type",
        "column 'a' of the engine's type TIME WITH TIME ZONE[]",
        3,
    ),
    "two columns": (
        "    import pandas as pd\n    return pd.DataFrame([[1, 2]], columns=['a', 'a'])\n",
        "bad-schema",
        "two columns called 'a'",
        3,
    ),
    "an error": ("    return {}['secret']\n", "model-raised", "raised KeyError", 4),
    "an error while it yields": (
        "    yield pa.table({'a': [1]})\n    raise SystemExit('secret')\n",
        "model-raised",
        "raised SystemExit",
        5,
    ),
    "an error in a module": (
        "    from helpers.prices import tax\n    return tax(orders)\n",
        "model-raised",
        "raised ZeroDivisionError",
        5,
    ),
    "SQL": (
        "    return orders.filter('nothing > 1')\n",
        "model-raised",
        'raised BinderException (Binder Error: Referenced column "nothing" not found',
        4,
    ),
    "a row": (
        "    return orders.project(\"cast('secret' || id as int) as a\")\n",
        "model-raised",
        "raised ConversionException (Conversion Error: Could not convert string <value> to INT32",
        3,
    ),
    "a write": (
        "    orders.create('sneaked')\n    return orders\n",
        "model-raised",
        "raised TransactionException",
        4,
    ),
}


def test_what_is_wrong_is_told_with_its_line_and_the_old_tables_stay(tmp_path: Path) -> None:
    names = {f"bad_{number}": kind for number, kind in enumerate(BAD)}
    folder = made(tmp_path, {"ingest/orders.yml": ORDERS, "data/a.csv": DATA})
    for name in names:
        folder.write(f"models/gold/{name}.py", "def model(orders):\n    return orders\n")
    folder.run()
    folder.write("helpers/prices.py", "def tax(orders):\n    return 1 / 0\n")
    for name, kind in names.items():
        folder.write(f"models/gold/{name}.py", f"import pyarrow as pa\n\ndef model(orders):\n{BAD[kind][0]}")
    told = {one.where.partition(":")[0]: one for one in folder.run().findings}
    for name, kind in names.items():
        _, code, said, line = BAD[kind]
        found = told[f"models/gold/{name}.py"]
        assert (kind, found.code, found.where) == (kind, code, f"models/gold/{name}.py:{line}")
        assert said in found.what
        assert found.fix
        assert "secret" not in found.render()
        assert rows(folder, f"gold.{name}") == ROWS
    assert folder.codes() == []

"""What the text of a Python model says: inputs, settings, and what makes it another model. Nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.core.errors import HeadgateError
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.model import Model, ModelSource
from headgate.models.python import canonical
from headgate.models.python.function import CodeHome
from headgate.models.python.signature import has_model

LOADED = [TableRef("raw", "orders"), TableRef("raw", "customers")]


def compiled(code: str, root: Path = Path("/nowhere"), folder: str = "gold") -> Model:
    path = Path("models") / folder / "daily.py"
    made = ModelSource("daily", path, code, folder, home=CodeHome(root, root / "tmp"))
    (model,) = compile_models([made], LOADED, "engine 1")
    return model


def refused(code: str) -> tuple[str, str, str]:
    with pytest.raises(HeadgateError) as caught:
        compiled(code)
    finding = caught.value.finding
    assert finding.fix
    return finding.code, finding.where, finding.what


def test_parameters_name_the_inputs_and_annotations_say_as_what_they_are_given() -> None:
    model = compiled(
        "from __future__ import annotations\nimport polars as pl, pyarrow\nfrom pandas import DataFrame as Frame\n"
        "from typing import Optional\nimport headgate\n"
        "def model(orders: pl.LazyFrame, people: Optional[pyarrow.Table] = headgate.source('raw', 'customers'),\n"
        "          *, again: 'Frame | None' = headgate.ref('RAW.orders'), this: pl.DataFrame): ...\n"
    )
    assert model.python is not None
    assert [(one.name, one.kind) for one in model.python.inputs] == [
        ("orders", "lazy"),
        ("people", "arrow"),
        ("again", "pandas"),
    ]
    assert model.python.this is not None
    assert (model.python.this.kind, model.inputs) == ("polars", ("raw.orders", "raw.customers"))
    assert (model.materialized, str(model.target), model.sql) == ("table", "gold.daily", "")
    assert [one.line for one in model.places] == [6, 6]


def test_settings_are_those_of_sql_models() -> None:
    model = compiled(
        "from headgate import config as settings\n"
        "@settings(materialized='incremental', unique_key=['id'], schema='silver', tags='daily')\n"
        "def model(orders): ...\n"
    )
    assert model.incremental is not None
    assert (model.incremental.strategy, model.incremental.unique_key) == ("merge", ("id",))
    assert (str(model.target), model.tags) == ("silver.daily", ("daily",))


@pytest.mark.parametrize(
    ("code", "expected", "line", "said"),
    [
        ("def model(orders=ref('raw.' + 'orders')): ...", "python-model", 2, "is computed"),
        ("def model(orders=5): ...", "python-model", 2, "the default of parameter 'orders' is no ref()"),
        ("def model(*tables): ...", "python-model", 2, "the parameter 'tables' of model() names no input"),
        ("def model(orders, **rest): ...", "python-model", 2, "the parameter 'rest' of model() names no input"),
        ("def model(orders: dict): ...", "python-model", 2, "parameter 'orders' can't be given as dict"),
        ("def model(orders: list[int]): ...", "python-model", 2, "can't be given as list[int]"),
        ("async def model(orders): ...", "python-model", 2, "asynchronous"),
        ("def model(): ...\ndef model(): ...", "python-model", 3, "a second function model()"),
        (
            "KIND = 'table'\n@config(materialized=KIND)\ndef model(): ...",
            "python-model",
            3,
            "'materialized' of config()",
        ),
        ("@config(**{})\ndef model(): ...", "python-model", 2, "is computed"),
        ("@config('table')\ndef model(): ...", "python-model", 2, "by name"),
        ("@config\ndef model(): ...", "python-model", 2, "config needs its settings"),
        ("@config(materialized='view')\ndef model(): ...", "model-config", 2, "only a table can hold"),
        ("@config(materialised='table')\ndef model(): ...", "model-config", 2, "did you mean 'materialized'"),
        ("def model(ordres): ...", "unknown-ref", 2, "did you mean"),
        ("def model(orders: 'pl.(' ): ...", "python-model", 2, "can't be given as"),
        ("def model(dbt, session):\n    name = 'orders'\n    return dbt.ref(name)", "python-model", 4, "is computed"),
        ("def model(dbt, session):\n    return dbt.ref('package', 'orders')", "unknown-ref", 3, "takes one name"),
        ("def model(:", "python-file", 2, "this is not Python"),
    ],
)
def test_what_can_not_be_told_without_running_the_file_is_refused(
    code: str, expected: str, line: int, said: str
) -> None:
    found = refused("from headgate import config, ref\n" + code)
    assert found[:2] == (expected, f"models/gold/daily.py:{line}")
    assert said in found[2]


def test_a_file_without_the_function_is_a_module_and_one_that_is_no_python_is_told() -> None:
    assert not has_model("def rate(): ...\nclass A:\n    def model(self): ...\n")
    assert has_model("def model(): ...")
    assert has_model("def model(:")
    assert not has_model("def helper(:")


def test_every_call_of_dbt_counts_whether_or_not_it_is_reached() -> None:
    model = compiled(
        "def model(dbt, spark):\n    dbt.config(materialized='table')\n    if False:\n        dbt.ref('customers')\n"
        "    return dbt.source('raw', 'orders') or dbt.source('raw', 'orders')\n"
    )
    assert model.inputs == ("raw.customers", "raw.orders")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def model(orders):\n    return orders", "# why\n\ndef model( orders ) :\n  return (orders)\n"),
        ("def model(orders):\n    return orders", 'def model(orders):\n    "What it is."\n    return orders'),
        ("x = 'a'\ndef model(): ...", 'x = "a"\ndef model(): ...'),
    ],
)
def test_layout_comments_and_docstrings_are_no_change(one: str, other: str) -> None:
    assert compiled(one).fingerprint == compiled(other).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def model(orders):\n    return orders", "def model(orders):\n    return None"),
        ("def model(orders):\n    return 1", "def model(orders):\n    return True"),
        ("def model(orders):\n    return 1", "def model(orders):\n    return 1.0"),
        ("def model(orders):\n    return b'a'", "def model(orders):\n    return 'a'"),
        ("def model(orders): ...", "import pyarrow as pa\ndef model(orders: pa.Table): ..."),
        ("LIMIT = 1\ndef model(orders): ...", "LIMIT = 2\ndef model(orders): ..."),
        ("def model():\n    'a'\n    return model.__doc__", "def model():\n    'b'\n    return model.__doc__"),
    ],
)
def test_whatever_may_change_a_row_is_a_change(one: str, other: str) -> None:
    assert compiled(one).fingerprint != compiled(other).fingerprint


def test_modules_of_the_project_belong_to_the_code_however_they_are_imported(tmp_path: Path) -> None:
    code = "def model():\n    import beside\n    from shared import rates\n    import pyarrow\n"
    files = {
        "models/gold/beside.py": "import shared.deep",
        "shared/__init__.py": "",
        "shared/rates.py": "from . import more",
        "shared/more.py": "A = 1",
        "shared/deep.py": "def f(:",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    seen = {compiled(code, tmp_path).fingerprint}
    for count, name in enumerate(files, 2):
        (tmp_path / name).write_text(files[name] + "\nB = 2\n")
        seen.add(compiled(code, tmp_path).fingerprint)
        assert len(seen) == count, name
    (tmp_path / "shared" / "unused.py").write_text("C = 3")
    assert compiled(code, tmp_path).fingerprint in seen


def test_code_that_is_too_deep_counts_by_its_text() -> None:
    deep = "x = " + "+".join(["1"] * 5_000)
    assert canonical.canonical(deep) == deep

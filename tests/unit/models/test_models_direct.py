from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headgate.core.values import TableRef
from headgate.models.build import check_models
from headgate.models.compile import compile_models
from headgate.models.model import ModelSource


def test_a_table_read_past_ref_is_told(session: Any, source: Callable[..., ModelSource]) -> None:
    loaded = [TableRef("raw", "orders")]
    texts = {
        "good": "with orders as (from {{ ref('raw.orders') }}) from orders join other.thing using (id)",
        "raw_read": "select * from (select * from RAW.Orders where id in (select id from gold.good))",
    }
    models = compile_models([source(name, text, "gold") for name, text in texts.items()], loaded)
    findings = check_models(session, models, loaded)
    assert [(finding.code, finding.level, finding.fix) for finding in findings] == [
        ("direct-read", "warning", "Write {{ ref('good') }}"),
        ("direct-read", "warning", "Write {{ ref('raw.orders') }}"),
    ]
    assert {finding.where for finding in findings} == {"models/gold/raw_read.sql"}


def test_a_broken_model_is_told_once(session: Any, source: Callable[..., ModelSource]) -> None:
    models = compile_models([source("a", "select 1,,2")], [])
    assert [finding.code for finding in check_models(session, models)] == ["model-sql"]

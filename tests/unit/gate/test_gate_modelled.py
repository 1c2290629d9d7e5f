"""A Pydantic model as the contract: its verdict, its values, and what it can't be asked to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.project_kit import Folder

from headgate.adapters.python.arrow import pyarrow
from headgate.core.errors import HeadgateError
from headgate.gate import modelled

INGEST = "table: raw.t\nfrom: data/*.csv\ncontract: {pydantic: models.py:Record}\n"
HEAD = """
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Optional
from uuid import UUID
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic import RootModel
"""
RECORD = "class Record(BaseModel):\n    id: int\n    name: str\n"


def folder(root: Path, code: str, data: str = "id,name\n1,a\nx,b\n", ingest: str = INGEST) -> Folder:
    return Folder.make(root, {"models.py": HEAD + code, "ingest/t.yml": ingest, "data/a.csv": data})


def called(root: Path, code: str, rows: str, more: str = "") -> Folder:
    """A project whose records are what the expression `rows` gives."""
    ingest = INGEST.replace("data/*.csv", "{python: src.py:rows}") + more
    source = f"{HEAD}\ndef rows(position):\n    if position is None:\n        yield {rows}, 1\n"
    return Folder.make(root, {"models.py": HEAD + code, "ingest/t.yml": ingest, "src.py": source})


def reasons(made: Folder) -> dict[int, list[tuple[str, str | None, str]]]:
    return {
        one.position["record"]: [(reason.rule, reason.column, reason.message) for reason in one.reasons]
        for one in made.open().quarantine("raw.t", "open").records
    }


def rows(made: Folder, columns: str = "* exclude (_hg_load)") -> list[tuple[Any, ...]]:
    return made.rows(f"select {columns} from raw.t order by rowid")


def mistake(made: Folder) -> Any:
    with pytest.raises(HeadgateError) as caught:
        made.open()
    return caught.value.finding


def test_what_pydantic_says_is_the_reason(tmp_path: Path) -> None:
    made = folder(tmp_path, RECORD)
    step = made.step("raw.t")
    assert (step.rows_read, step.rows_loaded, step.rows_quarantined) == (2, 1, 1)
    message = "Input should be a valid integer, unable to parse string as an integer"
    assert reasons(made) == {2: [("int_parsing", "id", message)]}
    assert made.codes() == []
    (entry,) = made.open().ledger().entries
    assert entry.detail["reasons"] == {"id.int_parsing": 1}


def test_the_values_that_validators_make_are_loaded(tmp_path: Path) -> None:
    code = RECORD + "    @field_validator('name')\n    @classmethod\n    def low(cls, v): return v.strip().lower()\n"
    made = folder(tmp_path, code, "id,name\n1, A \n")
    made.run()
    assert rows(made) == [(1, "a")]


def test_a_validator_of_the_whole_has_no_column(tmp_path: Path) -> None:
    code = RECORD + "    @model_validator(mode='after')\n    def whole(self):\n        raise ValueError('never')\n"
    made = folder(tmp_path, code, "id,name\n1,a\n")
    made.run()
    assert reasons(made) == {1: [("value_error", None, "Value error, never")]}


def test_an_exception_that_pydantic_does_not_take_refuses_its_record_alone(tmp_path: Path) -> None:
    code = (
        RECORD + "    @field_validator('id')\n    @classmethod\n    def f(cls, v):\n        return 1 // (v - 1) + v\n"
    )
    made = folder(tmp_path, code, "id,name\n1,a\n2,b\n")
    made.run()
    assert reasons(made) == {1: [("validator", None, "ZeroDivisionError: integer division or modulo by zero")]}
    assert rows(made, "id") == [(3,)]


def test_a_validator_that_ends_the_program_stops_the_load(tmp_path: Path) -> None:
    code = RECORD + "    @field_validator('id')\n    @classmethod\n    def f(cls, v): raise SystemExit\n"
    assert folder(tmp_path, code).run().findings[0].code == "rule-stopped"


def test_what_pydantic_accepts_and_no_column_keeps_is_refused_for_its_type(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int\n    amount: Decimal\n"
    data = f"id,amount\n1,0.123456789\n2,0.1234567891\n{2**63},1\n{2**63},0.1234567891\n"
    made = folder(tmp_path, code, data)
    made.run()
    assert reasons(made) == {
        2: [("type", "amount", "expected decimal(38,9)")],
        3: [("type", "id", "expected bigint")],
        4: [("type", "id", "expected bigint"), ("type", "amount", "expected decimal(38,9)")],
    }
    assert rows(made) == [(1, "0.123456789")]


def test_an_empty_field_is_absent(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int = 7\n    name: Optional[str] = None\n    word: str\n"
    made = folder(tmp_path, code, 'id,name,word\n,,a\n1,"",""\n,,\n')
    made.run()
    assert rows(made) == [(7, None, "a"), (1, "", "")]
    assert reasons(made) == {3: [("missing", "word", "Field required")]}


def test_a_file_need_not_have_a_column_with_a_default(tmp_path: Path) -> None:
    made = folder(tmp_path, "class Record(BaseModel):\n    id: int\n    name: str = 'x'\n", "id\n1\n")
    assert made.open().check().findings == ()
    made.run()
    assert rows(made) == [(1, "x")]


def test_a_file_must_have_the_others(tmp_path: Path) -> None:
    made = folder(tmp_path, RECORD, "id\n1\n")
    assert [one.code for one in made.open().check().findings] == ["missing-column"]
    assert made.run().findings[0].code == "missing-column"


@pytest.mark.parametrize(
    ("config", "more", "codes"),
    [
        ("", "", []),
        ("    model_config = ConfigDict(extra='allow')\n", "", []),
        ("    model_config = ConfigDict(extra='forbid')\n", "", ["unknown-column"]),
        ("    model_config = ConfigDict(extra='forbid')\n", "extra: ignore\n", []),
    ],
)
def test_columns_that_the_model_does_not_know(tmp_path: Path, config: str, more: str, codes: list[str]) -> None:
    made = folder(tmp_path, RECORD + config, "id,name,more\n1,a,z\n", INGEST + more)
    assert [one.code for one in made.open().check().findings] == codes
    result = made.run()
    assert [one.code for one in result.findings] == codes
    assert codes or rows(made) == [(1, "a")]


def test_of_records_without_a_fixed_shape_a_forbidden_key_refuses_its_own(tmp_path: Path) -> None:
    code = RECORD + "    model_config = ConfigDict(extra='forbid')\n"
    made = called(tmp_path, code, "[{'id': 1, 'name': 'a'}, {'id': 2, 'name': 'b', 'more': None}]")
    made.run()
    assert reasons(made) == {2: [("extra_forbidden", "more", "Extra inputs are not permitted")]}


@pytest.mark.parametrize(
    ("field", "header"),
    [
        ("Field(alias='Order ID')", "Order ID"),
        ("Field(validation_alias='it''s')".replace("''", "\\'"), "it's"),
        ("Field(validation_alias=AliasChoices('a', 'b'))", "b"),
        ("Field(validation_alias=AliasChoices('a', 'b'))", "A"),
        ("Field(alias='x')", "X"),
    ],
)
def test_a_field_is_fed_by_its_alias(tmp_path: Path, field: str, header: str) -> None:
    made = folder(tmp_path, f"class Record(BaseModel):\n    id: int = {field}\n", f'"{header}"\n1\nx\n')
    made.run()
    assert rows(made) == [(1,)]
    assert reasons(made)[2][0][:2] == ("int_parsing", "id")


def test_a_way_into_a_value_is_an_alias_too(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int = Field(validation_alias=AliasPath('ids', 1))\n"
    made = called(tmp_path, code, "[{'ids': [1, 2]}, {'ids': [1]}]")
    made.run()
    assert rows(made) == [(2,)]
    assert reasons(made)[2][0][0] == "missing"


def test_words_of_the_short_form_go_with_a_field(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int = Field(json_schema_extra={'headgate': 'key'})\n    name: str\n"
    made = folder(tmp_path, code, "id,name\nx,a\n1,\n1,b\n1,c\n")
    made.run()
    assert rows(made) == [(1, "b")]
    assert {at: [rule for rule, _, _ in found] for at, found in reasons(made).items()} == {
        1: ["int_parsing"], 2: ["missing"], 4: ["key"]
    }  # fmt: skip


def test_rules_beside_a_model_judge_what_it_makes(tmp_path: Path) -> None:
    ingest = INGEST + (
        "rules:\n  odd: id % 2 = 1\n  named: name is not null\n  py: {python: models.py:rule}\n"
        "skip:\n  none: name = 'skip' or id is null\nrefuse_at_most: 80%\n"
    )
    code = RECORD + "def rule(record): return record['id'] != 3\n"
    made = folder(tmp_path, code, "id,name\n1,a\n2,a\n3,a\nx,a\n5,skip\n", ingest)
    step = made.step("raw.t")
    assert (step.rows_loaded, step.rows_skipped) == (1, 1)
    assert {at: [rule for rule, _, _ in found] for at, found in reasons(made).items()} == {
        2: ["odd"], 3: ["py"], 4: ["int_parsing"]
    }  # fmt: skip


def test_upsert_by_a_field(tmp_path: Path) -> None:
    made = folder(tmp_path, RECORD, "id,name\n1,a\n", INGEST + "load: {upsert: id}\n")
    made.run()
    made.write("data/b.csv", "id,name\n1,b\nx,c\n2,d\n")
    made.run()
    assert sorted(rows(made)) == [(1, "b"), (2, "d")]
    assert {rule for found in reasons(made).values() for rule, _, _ in found} == {"int_parsing"}
    assert made.codes() == []


def test_pieces_and_slices_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelled, "PIECE_ROWS", 2)
    monkeypatch.setattr(modelled, "WAITING_ROWS", 3)
    lines = [f"{number if number % 3 else 'x'},n{number}" for number in range(1, 12)]
    made = folder(tmp_path, RECORD, "id,name\n" + "\n".join(lines) + "\n")
    made.run()
    assert rows(made) == [(number, f"n{number}") for number in range(1, 12) if number % 3]
    assert sorted(reasons(made)) == [3, 6, 9]
    assert made.codes() == []


def test_malformed_records_are_set_apart_before_the_model(tmp_path: Path) -> None:
    data = 'id,name\n1,a\n2,"b"x\n3\nx,d\n5,e\n'
    made = folder(tmp_path, RECORD, data)
    made.run()
    assert rows(made) == [(1, "a"), (5, "e")]
    assert {at: found[0][0] for at, found in reasons(made).items()} == {2: "record", 3: "record", 4: "int_parsing"}
    assert made.codes() == []


def test_messages_hold_no_input(tmp_path: Path) -> None:
    code = (
        "class Record(BaseModel):\n    id: UUID\n"
        "    map: dict[str, int] = Field(json_schema_extra={'headgate': 'pii'})\n"
    )
    made = called(tmp_path, code, "[{'id': 'secret-one', 'map': {'secret-two': 'secret-three'}}]")
    made.run()
    assert reasons(made)[1][0] == ("uuid_parsing", "id", "Input should be a valid UUID")
    assert reasons(made)[1][1][:2] == ("int_parsing", "map")
    assert "secret" not in str(reasons(made))


def test_nested_values_are_kept_as_json(tmp_path: Path) -> None:
    code = (
        "class Inner(BaseModel):\n    a: Decimal\n    on: date\n"
        "class Record(BaseModel):\n    one: Inner\n    all: list[Inner]\n"
    )
    made = called(tmp_path, code, "[{'one': {'a': 1, 'on': '2024-01-02'}, 'all': [{'a': 'x', 'on': date(2024, 1, 2)}]},"
                  " {'one': {'a': Decimal('1.50'), 'on': date(2024, 1, 2)}, 'all': []}]")  # fmt: skip
    made.run()
    assert rows(made, 'one::varchar, "all"::varchar') == [('{"a":"1.50","on":"2024-01-02"}', "[]")]
    assert reasons(made)[1][0][:2] == ("decimal_parsing", "all.0.a")


def test_dicts_are_judged_by_their_values_not_by_their_texts(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int = Field(strict=True)\n    name: Optional[str]\n"
    made = called(
        tmp_path, code, "[{'id': 1, 'name': None}, {'id': '1', 'name': 'a'}, {'id': True, 'name': 'a'}, {'id': 2}]"
    )
    made.run()
    assert rows(made) == [(1, None)]
    assert {at: found[0][:2] for at, found in reasons(made).items()} == {
        2: ("int_type", "id"), 3: ("int_type", "id"), 4: ("missing", "name")
    }  # fmt: skip
    made.write(
        "models.py", (made.root / "models.py").read_text().replace(", strict=True", "").replace("strict=True", "")
    )
    made.open().replay(table="raw.t")
    assert sorted(rows(made), key=str) == [(1, "a"), (1, "a"), (1, None)]
    assert {rule for found in reasons(made).values() for rule, _, _ in found} == {"missing"}


def test_arrow_and_dicts_in_one_source(tmp_path: Path) -> None:
    rows_ = (
        "[{'id': 1, 'name': 'a'}], 1\n        import pyarrow as pa\n"
        "        yield pa.table({'id': [2, None], 'name': ['b', 'c']})"
    )
    made = called(tmp_path, RECORD, rows_)
    made.run()
    assert rows(made) == [(1, "a"), (2, "b")]
    assert reasons(made) == {3: [("int_type", "id", "Input should be a valid integer")]}


FIRST = """
from pydantic.v1 import BaseModel, Field, root_validator, validator
class Record(BaseModel):
    id: int = Field(alias="ID")
    amount: Decimal
    note: Optional[str]

    @validator("amount")
    def positive(cls, value):
        if value <= 0:
            raise ValueError("amount must be positive")
        return value

    @root_validator
    def whole(cls, values):
        if values.get("id") == 9:
            raise ValueError("nine")
        return values
"""


def test_models_of_the_first_generation(tmp_path: Path) -> None:
    made = folder(tmp_path, FIRST, "ID,amount,note\n1,1.50,\n2,-1,x\nx,2,\n9,1,\n4,,\n")
    made.run()
    assert rows(made) == [(1, "1.500000000", None)]
    assert reasons(made) == {
        2: [("value_error", "amount", "amount must be positive")],
        3: [("type_error.integer", "id", "value is not a valid integer")],
        4: [("value_error", None, "nine")],
        5: [("value_error.missing", "amount", "field required")],
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_validators_of_the_first_style_in_a_model_of_the_second(tmp_path: Path) -> None:
    code = RECORD.replace("class", "from pydantic import validator\nclass")
    code += "    @validator('id')\n    def odd(cls, v):\n        assert v % 2, 'even'\n        return v\n"
    made = folder(tmp_path, code, "id,name\n1,a\n2,b\n")
    made.run()
    assert reasons(made) == {2: [("assertion_error", "id", "Assertion failed, even")]}


@pytest.mark.parametrize(
    ("code", "expected", "what"),
    [
        ("class Other(BaseModel): ...", "unknown-function", "has no class 'Record'"),
        ("class Record: ...", "bad-model", "is no model of Pydantic"),
        ("Record = 3", "bad-model", "is no model of Pydantic"),
        ("class Record(BaseModel): ...", "bad-model", "has no fields"),
        ("class Record(RootModel[int]): ...", "bad-model", "is no model of Pydantic"),
        ("class Record(BaseModel):\n    id: 'Nothing'", "bad-model", "is not complete"),
        ("class Record(BaseModel):\n    id: SecretStr", "unsupported-field", "field 'id' has no column"),
        ("class Record(BaseModel):\n    model_config = ConfigDict(arbitrary_types_allowed=True)\n    id: re.Scanner",
         "unsupported-field", "field 'id' has no column"),
        ("class Record(BaseModel):\n    id: int = Field(json_schema_extra={'headgate': 'kee'})", "unknown-rule", "kee"),
        ("raise ValueError", "python-file", "can't be imported: ValueError"),
        ("import nothing_like_it", "python-file", "No module named"),
        ("class Record(BaseModel", "python-file", "this is not Python"),
    ],
)  # fmt: skip
def test_what_is_no_contract_is_told_at_its_place(tmp_path: Path, code: str, expected: str, what: str) -> None:
    finding = mistake(folder(tmp_path, code))
    assert finding.code == expected
    assert what in finding.what
    assert finding.where.startswith("models.py")
    assert finding.fix


def test_a_model_that_is_another_each_time_is_no_contract(tmp_path: Path) -> None:
    code = "import itertools, builtins\nbuiltins.hg_turn = getattr(builtins, 'hg_turn', 0) + 1\n"
    code += (
        "from pydantic import create_model\nRecord = create_model('Record', **{f'c{builtins.hg_turn}': (int, ...)})\n"
    )
    made = folder(tmp_path, code)
    assert "bad-model" in [one.code for one in made.open().check().findings]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("contract: models.py:Record\n", "unknown-format"),
        ("contract: {pydantic: models.py}\n", "bad-value"),
        ("contract: {pydantic: ../models.py:Record}\n", "path-escapes"),
        ("contract: {pydantic: models.py:Record}\ncolumns:\n  id: int\n", "duplicate-key"),
    ],
)
def test_mistakes_in_the_ingest_file(tmp_path: Path, text: str, code: str) -> None:
    made = folder(tmp_path, RECORD, ingest="table: raw.t\nfrom: data/*.csv\n" + text)
    assert (mistake(made).code, mistake(made).where.partition(":")[0]) == (code, "ingest/t.yml")


def test_an_edit_of_the_model_is_another_contract(tmp_path: Path) -> None:
    made = folder(tmp_path, RECORD)
    before = made.open().run().steps
    digests = [entry.detail["contract"] for entry in made.open().ledger().entries]
    made.write(
        "models.py", HEAD + RECORD + "    @field_validator('id')\n    @classmethod\n    def f(cls, v): return v\n"
    )
    made.write("data/b.csv", "id,name\n2,b\n")
    made.run()
    digests += [entry.detail["contract"] for entry in made.open().ledger().entries[:1]]
    assert before
    assert len(set(digests)) == 2


def test_a_record_that_can_t_be_kept_is_judged_by_nothing_else(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int = Field(json_schema_extra={'headgate': 'key'})\n    amount: Decimal\n"
    made = folder(tmp_path, code, "id,amount\n1,1\n1,0.1234567891\n", INGEST + "rules:\n  small: amount >= 1\n")
    made.run()
    assert {at: [rule for rule, _, _ in found] for at, found in reasons(made).items()} == {2: ["type"]}


def test_a_share_counts_what_the_model_accepted(tmp_path: Path) -> None:
    ingest = INGEST + "rules:\n  named: {check: name is not null, mostly: 100%}\n"
    made = folder(tmp_path, RECORD, "id,name\n1,a\nx,b\ny,c\n", ingest)
    assert made.step("raw.t").rows_loaded == 1


def test_json_is_judged_as_its_text(tmp_path: Path) -> None:
    code = "class Record(BaseModel):\n    id: int\n    name: Optional[str]\n    n: Optional[int] = 5\n    m: int = 6\n"
    lines = (
        '{"id": 1, "name": null, "n": null}', '{"id": "2", "name": "x", "more": 1}', '{"id": 3}',
        '{"id": 1.0, "name": 5}',
        '{"id": 5, "name": "a", "m": null}', "nope",
    )  # fmt: skip
    made = folder(tmp_path, code, ingest=INGEST.replace("*.csv", "*.ndjson"))
    made.write("data/a.ndjson", "".join(line + "\n" for line in lines))
    made.run()
    assert rows(made) == [(1, None, None, 6), (2, "x", 5, 6)]
    found = {at: [(rule, column) for rule, column, _ in told] for at, told in reasons(made).items()}
    assert found == {
        3: [("missing", "name")], 4: [("string_type", "name")], 5: [("int_type", "m")], 6: [("record", None)]
    }  # fmt: skip
    made.write(
        "models.py", HEAD + code.replace("Optional[str]", "Optional[str] = None").replace("m: int", "m: Optional[int]")
    )
    made.open().replay(table="raw.t")
    assert sorted(rows(made), key=str) == [(1, None, None, 6), (2, "x", 5, 6), (3, None, 5, 6), (5, "a", 5, None)]


@pytest.mark.parametrize(("module", "extra"), [("pydantic", "headgate[pydantic]"), ("pyarrow", "headgate[arrow]")])
def test_without_its_packages_a_model_is_no_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    made = folder(tmp_path, RECORD)
    pyarrow.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    finding = mistake(made)
    assert (finding.code, finding.fix) == ("missing-extra", f"pip install '{extra}'")


def test_check_knows_every_name_of_a_field(tmp_path: Path) -> None:
    code = (
        "class Record(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    id: int\n    name: str = 'x'\n"
        "    more: int = Field(validation_alias=AliasChoices('a', 'b'))\n"
    )
    made = folder(tmp_path, code, "id,name,B\n1,a,2\n")
    assert made.open().check().findings == ()
    made.run()
    assert rows(made) == [(1, "a", 2)]
    made.write("data/b.csv", "id,b,c\n1,2,3\n")
    assert [(one.code, one.evidence["column"]) for one in made.open().check().findings] == [("unknown-column", "c")]

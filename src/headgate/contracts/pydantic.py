"""A Pydantic model as a contract: its fields are the columns, and it judges the records itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from headgate.adapters.python.arrow import pyarrow
from headgate.adapters.python.code import Code
from headgate.contracts import short
from headgate.contracts.annotations import NoColumn, logical
from headgate.contracts.grammar import PlacedText
from headgate.contracts.model import Contract, ModelRule
from headgate.core.errors import AdapterError, ContractError, Finding, HeadgateError, Location, ProjectError
from headgate.core.records import dataclass
from headgate.types.logical import LogicalType

WORDS = "headgate"
"""The key of `json_schema_extra` under which a field has rules of the short form: key, unique, references, pii ..."""


@dataclass(frozen=True)
class ModelField:
    """A field. `names`: what it goes by in a record, the first one first; `optional`: it has a default."""

    name: str
    names: tuple[str, ...]
    type: LogicalType
    optional: bool
    words: str


@dataclass(frozen=True)
class Model:
    """A class of Pydantic, of its second or its first generation (`pydantic.v1`)."""

    cls: Any
    fields: tuple[ModelField, ...]
    extra: Literal["ignore", "allow", "forbid"]
    first: bool
    where: Location


def load_model(code: Code, name: str) -> Model:
    """The class and its fields; the file is run.

    *Errors*: AdapterError `missing-extra`; those of `Code.loaded`; ProjectError `unknown-function`, `bad-model`;
    ContractError `unsupported-field`.
    """
    _installed()
    cls = code.named(name, "class")
    where = Location(code.file, _line(code, cls))
    first = _generation(cls)
    if first is None:
        what = f"{name!r} of {code.file} is no model of Pydantic"
        raise ProjectError.of("bad-model", what, where, f"write class {name}(pydantic.BaseModel): ...")
    with code.running():
        _complete(cls, name, where)
        fields = tuple(_first_fields(cls) if first else _second_fields(cls, where))
    if not fields:
        raise ProjectError.of("bad-model", f"{name!r} has no fields", where, "give it a field for each column")
    return Model(cls, fields, _extra(cls, first), first, where)


def model_contract(reference: str, root: Path, where: Location, beside: Contract | None = None) -> Contract:
    """The contract of the model that `path.py:Class` names; `beside` has what else the ingest file says of rows.

    *Errors*: those of `load_model` and of `short.parse`.
    """
    file, _, name = reference.rpartition(":")
    code = Code(root, file)
    model = load_model(code, name)
    contract = short.parse(_lines(model), where=where)
    rule = ModelRule(
        reference,
        code.fingerprint(),
        code,
        model.extra,
        tuple(field.names[0] for field in model.fields if field.optional or len(field.names) > 1),
        tuple(known for field in model.fields for known in field.names),
        where,
    )
    if beside is not None:
        contract = replace(beside, columns=contract.columns, rows=(*contract.rows, *beside.rows),
                           uniques=contract.uniques, references=contract.references, where=where)  # fmt: skip
    return replace(contract, model=rule)


def verify_model(contract: Contract) -> Iterator[Finding]:
    """Whether the file, run again, has the same model: what it makes at random can't be a contract."""
    rule = contract.model
    if rule is None:
        return
    try:
        model = load_model(rule.program.again(), rule.name)
    except HeadgateError as error:
        yield from error.findings
        return
    if _lines_of(model) != [(c.name, str(c.type), c.source) for c in contract.columns]:
        what = f"{rule.reference} has other fields each time its file is run"
        yield Finding("bad-model", "error", what, str(model.where), "let the fields depend on nothing but the file")


def _lines_of(model: Model) -> list[tuple[str, str, str]]:
    return [(field.name, str(field.type), field.names[0]) for field in model.fields]


def _lines(model: Model) -> list[tuple[PlacedText, PlacedText]]:
    """The fields in the short form, all at the place of the class."""
    path, line = model.where.path, model.where.line
    made = []
    for field in model.fields:
        quoted = field.names[0].replace("'", "''")
        fed = [] if field.names[0] == field.name else [f"from('{quoted}')"]
        text = ", ".join([str(field.type), *fed, *([field.words] if field.words else [])])
        made.append((PlacedText(field.name, path, line), PlacedText(text, path, line)))
    return made


def _installed() -> None:
    try:
        import pydantic
    except ImportError as error:
        what = "a contract by a Pydantic model needs pydantic, which is not installed"
        raise AdapterError.of("missing-extra", what, "", "pip install 'headgate[pydantic]'") from error
    if int(pydantic.VERSION.partition(".")[0]) < 2:
        what = f"a contract by a Pydantic model needs pydantic 2, and {pydantic.VERSION} is installed"
        raise AdapterError.of("missing-extra", what, "", "pip install 'headgate[pydantic]'")
    pyarrow("a contract by a Pydantic model")


def _generation(cls: Any) -> bool | None:
    """True for a model of the first generation, False for one of the second, None for anything else."""
    from pydantic import BaseModel, RootModel

    if not isinstance(cls, type):
        return None
    if issubclass(cls, BaseModel):
        return None if issubclass(cls, RootModel) or cls is BaseModel else False
    return True if any(base.__module__ == "pydantic.v1.main" for base in cls.__mro__[1:]) else None


def _line(code: Code, cls: Any) -> int:
    """Where the class is written; 0 where that is not known."""
    import ast

    try:
        tree = ast.parse(code.path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return 0
    name = getattr(cls, "__name__", "")
    return next((one.lineno for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == name), 0)


def _complete(cls: Any, name: str, where: Location) -> None:
    """Settles references of the class to classes that are written behind it."""
    try:
        if hasattr(cls, "model_rebuild"):
            cls.model_rebuild()
        else:
            cls.update_forward_refs()
    except Exception as error:
        what = f"{name!r} is not complete: {type(error).__name__}: {str(error).splitlines()[0]}"
        raise ProjectError.of("bad-model", what, where, "see that all that it names is in its file") from error


def _extra(cls: Any, first: bool) -> Literal["ignore", "allow", "forbid"]:
    said = cls.__config__.extra.value if first else cls.model_config.get("extra")
    return said if said in ("allow", "forbid") else "ignore"


def _second_fields(cls: Any, where: Location) -> Iterator[ModelField]:
    by_name = cls.model_config.get("validate_by_name") or cls.model_config.get("populate_by_name")
    by_alias = cls.model_config.get("validate_by_alias", True) is not False
    for name, info in cls.model_fields.items():
        names = _aliases(info.validation_alias or info.alias) if by_alias else ()
        names = (*names, name) if by_name or not names else names
        words = (info.json_schema_extra or {}) if not callable(info.json_schema_extra) else {}
        kind = _type(name, info.annotation, info.metadata, where)
        yield ModelField(name, tuple(dict.fromkeys(names)), kind, not info.is_required(), _words(words))


def _first_fields(cls: Any) -> Iterator[ModelField]:
    where = Location("")
    for name, field in cls.__fields__.items():
        names = (field.alias, name) if cls.__config__.allow_population_by_field_name else (field.alias,)
        kind = _type(name, field.outer_type_, [], where)
        words = field.field_info.extra
        yield ModelField(name, tuple(dict.fromkeys(names)), kind, not field.required, _words(words))


def _words(extra: Mapping[str, Any]) -> str:
    said = extra.get(WORDS, "")
    return said.strip(" ,") if isinstance(said, str) else ""


def _aliases(alias: Any) -> tuple[str, ...]:
    """The keys of a record by which Pydantic finds the field."""
    if alias is None:
        return ()
    if isinstance(alias, str):
        return (alias,)
    paths: Sequence[Any] = getattr(alias, "choices", None) or [alias]
    return tuple(one if isinstance(one, str) else str(one.path[0]) for one in paths)


def _type(name: str, annotation: Any, metadata: Sequence[Any], where: Location) -> LogicalType:
    try:
        return logical(annotation, metadata)
    except NoColumn as error:
        what = f"field {name!r} has no column: {error}"
        fix = "give it another type, or exclude it: name: ClassVar[...]"
        raise ContractError(Finding("unsupported-field", "error", what, str(where), fix)) from error

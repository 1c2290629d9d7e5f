"""Records through a Pydantic model of the user's, as Pydantic itself would judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from headgate.contracts.pydantic import Model
from headgate.core.errors import PASSING, AdapterError, ContractError, Finding
from headgate.core.garbage import uncollected
from headgate.core.records import dataclass
from headgate.gate.bits import Reason
from headgate.gate.told import message_of, plain

Manner = Literal["strings", "python", "json"]
"""By which of Pydantic's three ways records are judged: of text, of Python's values, of JSON."""
CODE = "validator"
"""The rule of a record at which the user's own code failed."""
_WITHOUT_INPUT: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "uuid_parsing": lambda context: "Input should be a valid UUID",
    "union_tag_invalid": lambda context: (
        f"Input tag found using {context.get('discriminator')} does not match any of the expected tags: "
        f"{context.get('expected_tags')}"
    ),
}
"""What is told instead of the messages of Pydantic that quote the input."""


@dataclass(frozen=True)
class Validated:
    """`values`: by field name, of each record in order, None where it is refused; `refused`: place -> its reasons."""

    values: Sequence[Mapping[str, Any] | None]
    refused: Mapping[int, list[Reason]]


def validate(model: Model, records: Iterable[Any], manner: Manner, private: frozenset[str]) -> Validated:
    """Every record through the model. `private`: fields with personal data.

    *Errors*: ContractError `rule-stopped`.
    """
    judge, invalid = _judge(model, manner)
    cls = model.cls
    values: list[Mapping[str, Any] | None] = []
    refused: dict[int, list[Reason]] = {}
    with uncollected():
        for place, record in enumerate(records):
            try:
                made = judge(record)
            except invalid as error:
                refused[place] = _reasons(model, error, private)
                made = None
            except (Exception, SystemExit) as error:
                refused[place] = [_failed(model, error, bool(private))]
                made = None
            else:
                if not isinstance(made, cls):
                    refused[place] = [Reason("type", None, f"expected a {cls.__name__} from its validators")]
                    made = None
            values.append(made if made is None else made.__dict__)
    return Validated(values, refused)


_METHODS: Mapping[Manner, tuple[str, str]] = {
    "strings": ("model_validate_strings", "validate_strings"),
    "python": ("model_validate", "validate_python"),
    "json": ("model_validate_json", "validate_json"),
}


def _judge(model: Model, manner: Manner) -> tuple[Callable[[Any], Any], Any]:
    cls = model.cls
    if model.first:
        from pydantic.v1 import ValidationError as Invalid

        return (cls.parse_raw if manner == "json" else cls.parse_obj), Invalid
    from pydantic import BaseModel, ValidationError

    method, core = _METHODS[manner]
    if getattr(cls, method).__func__ is not getattr(BaseModel, method).__func__:
        return getattr(cls, method), ValidationError
    # What the method itself calls, without the way there: a fifth of its time.
    return getattr(cls.__pydantic_validator__, core), ValidationError


def _reasons(model: Model, error: Any, private: frozenset[str]) -> list[Reason]:
    errors = error.errors() if model.first else error.errors(include_url=False, include_input=False)
    return [_reason(model, one, private) for one in errors]


def _reason(model: Model, error: Mapping[str, Any], private: frozenset[str]) -> Reason:
    told = _WITHOUT_INPUT.get(error["type"])
    message = told(error.get("ctx", {})) if told else error["msg"]
    return Reason(error["type"], _column(model, error["loc"], private), plain(message))


def _column(model: Model, loc: Sequence[Any], private: frozenset[str]) -> str | None:
    """The field, and the way inside it, with dots; None for the model as a whole."""
    way = [str(one) for one in loc if one != "__root__"]
    if not way:
        return None
    field = next((field.name for field in model.fields if way[0] in (*field.names, field.name)), way[0])
    return plain(".".join([field, *([] if field in private else way[1:])]))


def _failed(model: Model, error: BaseException, private: bool) -> Reason:
    """What the user's code raised besides what Pydantic takes for a refusal."""
    if isinstance(error, PASSING):
        what = f"a validator of {model.cls.__name__} raised {type(error).__name__}, which may pass; nothing was loaded"
        fix = "run again, or have it tried again: retries: {attempts: 3, wait: 1s}"
        raise AdapterError.of("transient-error", what, model.where, fix) from error
    if isinstance(error, SystemExit | MemoryError):
        what = f"a validator of {model.cls.__name__} raised {type(error).__name__}; nothing was loaded"
        fix = "raise ValueError for a bad row"
        raise ContractError(Finding("rule-stopped", "error", what, str(model.where), fix)) from error
    return Reason(CODE, None, message_of(error, model.where.path if private else ""))

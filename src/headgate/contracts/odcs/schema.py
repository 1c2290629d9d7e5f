"""Whether a document is ODCS: the official JSON Schema, as the package `open-data-contract-standard` carries it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from headgate.contracts.document import Document, floats, pointer
from headgate.core.errors import AdapterError, ContractError, Finding, nearest

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
"""The versions of the standard that are read."""

MOST = 20
"""So many violations are told at most."""

_METRICS = {
    "nullCheck": "nullValues",
    "duplicateCount": "duplicateValues",
    "uniqueCheck": "duplicateValues",
    "validValues": "invalidValues",
    "countCheck": "rowCount",
}
_OPERATORS = {
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
}


def check(document: Document) -> None:
    """Nothing, if the document keeps the standard.

    *Errors*: ContractError with `odcs-version` or each `odcs-invalid` at its place; AdapterError `missing-extra`.
    """
    value = document.value
    version = value.get("apiVersion") if isinstance(value, dict) else None
    if version not in VERSIONS:
        told = f"apiVersion {version!r} is not read" if version is not None else "there is no apiVersion"
        fix = f"use one of {', '.join(VERSIONS)}{nearest(str(version), VERSIONS)}"
        raise ContractError.of("odcs-version", told, document.at(("apiVersion",)), fix)
    errors = sorted(
        _validator().iter_errors(floats(value)), key=lambda error: [str(one) for one in error.absolute_path]
    )
    findings = [_finding(document, error) for error in errors[:MOST]]
    if findings:
        raise ContractError(*findings)


def _finding(document: Document, error: Any) -> Finding:
    deepest = error
    while deepest.context:
        deepest = max(deepest.context, key=lambda one: len(one.absolute_path))
    path = tuple(deepest.absolute_path)
    message = deepest.message if len(deepest.message) < 300 else deepest.message[:297] + "..."
    what = f"{pointer(path) or 'the document'} is not what ODCS allows: {message}"
    return Finding("odcs-invalid", "error", what, str(document.at(path)), "mend it as the standard says")


@lru_cache(maxsize=1)
def _validator() -> Any:
    try:
        from importlib.resources import files

        from jsonschema import Draft201909Validator

        text = files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    except ImportError as error:
        what = "contracts of ODCS need the packages open-data-contract-standard and jsonschema"
        raise AdapterError.of("missing-extra", what, "", "pip install 'headgate[odcs]'") from error
    return Draft201909Validator(_guarded(json.loads(text)))


def _guarded(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without a defect of 3.2.0: its conditions on `logicalType` hold, too, where there is none.

    (A property without it would then need a `map`. Not needed any more once every such condition requires the key.)
    """
    for case in schema["$defs"]["SchemaBaseProperty"]["allOf"]:
        condition = case.get("if")
        if condition is not None and "logicalType" in json.dumps(condition):
            case["if"] = {"allOf": [condition, {"required": ["logicalType"]}]}
    return schema


def modern(document: Document) -> Document:
    """The document with the words of 3.0 for quality checks replaced by those of 3.1; places stay."""
    version = document.value.get("apiVersion") if isinstance(document.value, dict) else None
    if not str(version).startswith("v3.0."):
        return document
    return Document(_modern(document.value), document.path, document.places)


def _modern(value: Any) -> Any:
    if isinstance(value, list):
        return [_modern(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {_OPERATORS.get(str(key), str(key)): _modern(item) for key, item in value.items()}
    rule = found.get("rule")
    if not isinstance(rule, str) or "metric" in found or found.get("type", "library") != "library":
        return found
    del found["rule"]
    found["metric"] = _METRICS.get(rule, rule)
    if "validValues" in found:
        found["arguments"] = {**found.get("arguments", {}), "validValues": found.pop("validValues")}
    if not any(str(key).startswith("must") for key in found):
        found["mustBe"] = 0
    return found

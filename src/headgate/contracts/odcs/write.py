"""A Contract as a document of ODCS. Lossless: reading it again gives a contract of the same digest.

What the standard can say is said in its words; the rest stands in `customProperties` and in custom quality of the
engine `headgate`, as text of the short form.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from headgate.contracts import ecma, render
from headgate.contracts.batch import BatchRule, Share
from headgate.contracts.document import plain
from headgate.contracts.model import Child, Contract, ContractColumn, ReferenceRule, RowRule, UniqueRule
from headgate.contracts.odcs import lists, relations
from headgate.contracts.odcs.quality import ENGINE, aggregate
from headgate.contracts.odcs.types import logical_of
from headgate.core.errors import ContractError
from headgate.types.forms import Form

WRITTEN = ("v3.1.0", "v3.2.0")
"""The versions of the standard that can be written."""

_NUMBERS = ("int", "bigint", "decimal", "double")
_STAGES = (
    "key", "required", "unique", "between", "min", "max", "above", "below", "multiple_of", "length", "pattern",
    "quality", "relationship", "extra",
)  # fmt: skip
"""The order in which `read` finds the rules of a column."""
_OPTIONS = {
    "between": ("minimum", "maximum"),
    "min": ("minimum",),
    "max": ("maximum",),
    "above": ("exclusiveMinimum",),
    "below": ("exclusiveMaximum",),
    "multiple_of": ("multipleOf",),
}


def document(contract: Contract, table: str, version: str = "v3.1.0") -> dict[str, Any]:
    """The document that says this contract for `table` (`schema.name`), as plain data in the usual order of keys.

    *Errors*: ContractError `odcs-version` for a version that is not in WRITTEN.
    """
    if version not in WRITTEN:
        fix = f"use one of {', '.join(WRITTEN)}"
        raise ContractError.of("odcs-version", f"apiVersion {version!r} is not written", "", fix)
    name = table.rpartition(".")[2]
    shown: dict[str, Any] = {"name": name, "physicalName": table}
    relationships, others = relations.of_contract(contract, name)
    shown |= _object(contract, {rule.code for rule in others})
    shown |= {"relationships": relationships} if relationships else {}
    return {
        "apiVersion": version,
        "kind": "DataContract",
        "id": table,
        "name": name,
        "version": contract.version or "1.0.0",
        "status": "active",
        "schema": [shown],
    }


def _object(contract: Contract, references: set[str]) -> dict[str, Any]:
    """What is said of one row, of the record or of a line of a list; these named references as quality."""
    columns = [_property(contract, column) for column in contract.columns]
    shown: dict[str, Any] = {"logicalType": "object", "properties": [*columns, *map(_list, contract.children)]}
    quality = _quality(contract, references)
    own = []
    if contract.skips:
        own.append({"property": "headgateSkip", "value": dict(contract.skips)})
    if contract.refuse_at_most is not None:
        own.append({"property": "headgateRefuseAtMost", "value": render.limit(contract.refuse_at_most)})
    return shown | ({"quality": quality} if quality else {}) | ({"customProperties": own} if own else {})


def _list(child: Child) -> dict[str, Any]:
    """A list whose elements are rows of a child's table."""
    name, contract = child.source.rpartition(".")[2], child.contract
    found: dict[str, Any] = {"name": name} | ({"physicalName": child.source} if name != child.source else {})
    items = _object(contract, {rule.code for rule in contract.references})
    if lists.plain(contract):
        items = {key: value for key, value in _property(contract, contract.columns[0]).items() if key != "physicalName"}
    return found | {"logicalType": "array", "items": items, "customProperties": lists.own(child)}


def text(found: dict[str, Any]) -> str:
    """The document as YAML. Text that YAML 1.1 or 1.2 would read as something else stands in quotes."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def string(dumper: Any, value: str) -> Any:
        style = '"' if not value.isprintable() else "'" if plain(value) != value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, string)
    return yaml.dump(found, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


@dataclass
class _Property:
    """One property while it is written.

    `placed`: stage and number of each rule, in the order of the contract: row rules, unique rules, references.
    """

    column: ContractColumn
    keys: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    relationships: list[dict[str, Any]] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    placed: list[tuple[int, int]] = field(default_factory=list)
    rows: int = 0
    uniques: int = 0

    def add(self, rule: RowRule | UniqueRule | ReferenceRule) -> None:
        stage = self._standard(rule)
        if stage is None:
            self.extras.append(render.rule_text(rule, self.column))
            stage = "extra"
        self.rows += isinstance(rule, RowRule)
        self.uniques += isinstance(rule, UniqueRule)
        number = {"quality": len(self.quality), "relationship": len(self.relationships), "extra": len(self.extras)}
        self.placed.append((_STAGES.index(stage), number.get(stage, 0)))

    def _standard(self, rule: RowRule | UniqueRule | ReferenceRule) -> str | None:
        """Write the rule in words of the standard, where these are free; the stage that it is read in."""
        if isinstance(rule, ReferenceRule):
            return self._reference(rule)
        if isinstance(rule, UniqueRule):
            if rule.keep != "first" or rule.mostly is not None or "unique" in self.keys:
                return None
            self.keys["unique"] = True
            return "unique"
        if rule.code == "required" and self.column.key:
            self.keys |= {"primaryKey": True, "required": True}
            return "key"
        if rule.code in ("required", "in"):
            return self._metric(rule)
        if rule.severity == "warn" or rule.mostly is not None:
            return None
        if rule.code == "length":
            return self._length(rule)
        if rule.code == "pattern":
            return self._pattern(rule)
        return self._bound(rule) if rule.code in _OPTIONS else None

    def _metric(self, rule: RowRule) -> str | None:
        if rule.code == "required" and rule.severity == "error" and rule.mostly is None:
            self.keys["required"] = True
            return "required"
        tolerated = _tolerated(rule.mostly)
        values = [_value(self.column, arg) for arg in rule.args]
        if tolerated is None or None in values:
            return None
        metric: dict[str, Any] = {"metric": "nullValues"}
        if rule.code == "in":
            metric = {"metric": "invalidValues", "arguments": {"validValues": values}}
        self.quality.append({**metric, **tolerated, **({"severity": "warning"} if rule.severity == "warn" else {})})
        return "quality"

    def _bound(self, rule: RowRule) -> str | None:
        keys = _OPTIONS[rule.code]
        values = [_value(self.column, arg) for arg in rule.args]
        if None in values or any(key in self.options for key in keys):
            return None
        self.options |= dict(zip(keys, values, strict=True))
        return rule.code

    def _length(self, rule: RowRule) -> str | None:
        if "minLength" in self.options or "maxLength" in self.options:
            return None
        low, high = rule.args if len(rule.args) == 2 else (None, rule.args[0])
        self.options |= {"minLength": int(low)} if low is not None else {}
        self.options |= {"maxLength": int(high)} if high != "*" else {}
        return "length"

    def _pattern(self, rule: RowRule) -> str | None:
        """Only a pattern that ECMA-262 and RE2 read alike, letter by letter."""
        try:
            same = ecma.to_re2(rule.args[0]) == rule.args[0]
        except ecma.Untranslatable:
            same = False
        if not same or "pattern" in self.options:
            return None
        self.options["pattern"] = rule.args[0]
        return "pattern"

    def _reference(self, rule: ReferenceRule) -> str | None:
        made = relations.of_column(rule)
        if made is None:
            return None
        self.relationships.append(made)
        return "relationship"

    def own(self) -> list[dict[str, Any]]:
        """Our own entries of customProperties."""
        found: list[dict[str, Any]] = []
        form = replace(self.column.form, pattern="") if self.column.form is not None else Form()
        words = [*(render.form_texts(form) if form != Form() else []), *render.was_texts(self.column)]
        if words:
            found.append({"property": "headgateForm", "value": words})
        if self.extras:
            found.append({"property": "headgateRules", "value": self.extras})
        # minimum and maximum are one rule, unless they were two.
        bounds = {stage for stage, _ in self.placed}
        if {_STAGES.index("min"), _STAGES.index("max")} <= bounds:
            found.append({"property": "headgateSplitBounds", "value": True})
        order = sorted(range(len(self.placed)), key=lambda number: self.placed[number])
        rows = [number for number in order if number < self.rows]
        references = [number for number in order if number >= self.rows + self.uniques]
        if rows != sorted(rows) or references != sorted(references):
            found.append({"property": "headgateOrder", "value": order})
        return found


def _property(contract: Contract, column: ContractColumn) -> dict[str, Any]:
    made = _Property(column)
    rules: list[RowRule | UniqueRule | ReferenceRule] = [one for one in contract.rows if one.column == column.name]
    rules += [one for one in contract.uniques if one.code == "unique" and one.columns == (column.name,)]
    rules += contract.references_of(column.name)
    for rule in rules:
        made.add(rule)
    found: dict[str, Any] = {"name": column.name}
    found |= {"physicalName": column.source} if column.source != column.name else {}
    kind = logical_of(column.type)
    pattern = {"format": column.form.pattern} if column.form is not None and column.form.pattern else {}
    options = kind.pop("logicalTypeOptions", {}) | pattern | made.options
    found |= kind | ({"logicalTypeOptions": options} if options else {}) | made.keys
    if column.key:
        found["primaryKeyPosition"] = contract.key.index(column.name) + 1
    found |= {"classification": "restricted"} if column.pii else {}
    for key, value in (
        ("relationships", made.relationships),
        ("quality", made.quality),
        ("customProperties", made.own()),
    ):
        found |= {key: value} if value else {}
    return found


def _value(column: ContractColumn, arg: str) -> Any:
    """An argument as a value of the document; None where it would not come back as the same."""
    if column.type.name == "bool":
        return arg == "true"
    if column.type.name not in _NUMBERS:
        return arg
    return _number(Decimal(arg))


def _number(value: Decimal) -> int | float | None:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else None


def _tolerated(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return {"mustBe": 0}
    number = _number(100 - Decimal(share.percent))
    if number is None or (share.more and not number):
        return None
    return {"mustBeLessThan" if share.more else "mustBeLessOrEqualTo": number, "unit": "percent"}


def _quality(contract: Contract, references: set[str]) -> list[dict[str, Any]]:
    """What stands under `rules:`, as quality of the object; of references only these."""
    found = []
    batches = {one.name: one for one in contract.batches}
    uniques = {one.code: one for one in contract.uniques}
    relating = {rule.code for rule in contract.references} - references
    for name, entry in render.conditions(contract).items():
        if name in relating:
            continue
        item = _rows(batches[name]) or _sql(batches[name]) if name in batches else None
        if name in uniques and name not in batches:
            item = _duplicates(uniques[name])
        found.append(item or {"name": name, "type": "custom", "engine": ENGINE, "implementation": entry})
    return found


def _duplicates(rule: UniqueRule) -> dict[str, Any] | None:
    tolerated = _tolerated(rule.mostly)
    if rule.keep != "first" or tolerated is None:
        return None
    return {
        "name": rule.code,
        "metric": "duplicateValues",
        "arguments": {"properties": list(rule.columns)},
        **tolerated,
    }


def _rows(rule: BatchRule) -> dict[str, Any] | None:
    operator = _operator(rule)
    if rule.kind != "rows" or rule.of_last is not None or operator is None:
        return None
    return {"name": rule.name, "metric": "rowCount", **operator, **_severity(rule)}


def _sql(rule: BatchRule) -> dict[str, Any] | None:
    query, operator = f"SELECT {rule.sql} FROM {{object}}", _operator(rule)
    if rule.kind != "sql" or operator is None or aggregate(query, None) != rule.sql:
        return None
    return {"name": rule.name, "type": "sql", "query": query, **operator, **_severity(rule)}


def _severity(rule: BatchRule) -> dict[str, str]:
    return {"severity": "warning"} if rule.severity == "warn" else {}


def _operator(rule: BatchRule) -> dict[str, Any] | None:
    """The bounds as the one operator that an item may have."""
    low, high = (None if edge is None else _number(edge) for edge in (rule.low, rule.high))
    if (low is None) != (rule.low is None) or (high is None) != (rule.high is None):
        return None
    if low is not None and high is not None:
        if rule.low_open or rule.high_open:
            return None
        return {"mustBe": low} if low == high else {"mustBeBetween": [low, high]}
    if low is not None:
        return {"mustBeGreaterThan" if rule.low_open else "mustBeGreaterOrEqualTo": low}
    return {"mustBeLessThan" if rule.high_open else "mustBeLessOrEqualTo": high}

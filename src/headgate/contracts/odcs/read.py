"""A document of ODCS as a Contract: what can be enforced becomes a rule, everything else is listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from headgate.contracts import bounds, ecma
from headgate.contracts.assembly import Assembly, Line, quoted, word
from headgate.contracts.children import Asked
from headgate.contracts.document import Document, Path, pointer
from headgate.contracts.model import Child, Contract, Limit
from headgate.contracts.odcs import lists, nested, quality, relations, schema
from headgate.contracts.odcs.types import BITS, type_of
from headgate.contracts.rules import MOMENTS
from headgate.core.errors import ContractError, Finding, Location, nearest
from headgate.types import forms
from headgate.types.logical import LogicalType

SECRET = ("restricted", "confidential", "sensitive", "pii", "personal", "secret", "private")
"""Values of `classification` that make a column `pii`."""

OWN = (
    "headgateRules", "headgateForm", "headgateOrder", "headgateSplitBounds", "headgateSkip", "headgateRefuseAtMost",
    lists.OWN,
)  # fmt: skip
"""Our own entries of `customProperties`."""

_USED_ROOT = ("apiVersion", "kind", "id", "name", "version", "schema", "status", "slaProperties", "customProperties")
_USED_OBJECT = (
    "id",
    "name",
    "physicalName",
    "logicalType",
    "properties",
    "quality",
    "relationships",
    "customProperties",
)
_USED_PROPERTY = (
    "id", "name", "physicalName", "logicalType", "physicalType", "logicalTypeOptions", "required", "unique",
    "primaryKey", "primaryKeyPosition", "classification", "enum", "quality", "relationships", "customProperties",
    "properties", "items",
)  # fmt: skip
_BOUNDS = (("minimum", "min"), ("maximum", "max"), ("exclusiveMinimum", "above"), ("exclusiveMaximum", "below"))
_SECONDS = {"h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400}
_SECONDS |= {"m": 60, "min": 60, "minute": 60, "minutes": 60, "s": 1, "sec": 1, "second": 1, "seconds": 1}


def read(document: Document, table: str = "", name: str | None = None, asked: Asked | None = None) -> Contract:
    """The contract of one schema object: the one called `name`, else the only one, else the one of this table.

    Lists in `asked` become children whose `table` is empty and whose `links` are none: the ingest file says these.
    `Contract.notes` lists by place what is only metadata (`metadata-only`) and what would be a check but is not made
    (`not-enforced`).
    *Errors*: ContractError `odcs-version`, `odcs-invalid`, `odcs-object`, `contract-retired`, and those of
    `short.parse`; AdapterError `missing-extra`.
    """
    document = schema.modern(document)
    schema.check(document)
    index = _object(document, table, name)
    reading = _Reading(document, ("schema", index), asked or Asked())
    reading.read(index)
    return reading.contract()


def _object(document: Document, table: str, name: str | None) -> int:
    objects = document.value.get("schema") or []
    names = [one["name"] for one in objects]
    wanted = [name] if name is not None else [table, table.rpartition(".")[2]]
    for word_ in wanted:
        for index, one in enumerate(objects):
            if word_ and word_ in (one["name"], one.get("physicalName")):
                return index
    if name is None and len(objects) == 1:
        return 0
    if not objects:
        raise ContractError.of(
            "odcs-object", "the contract has no schema", document.at(()), "add a schema with properties"
        )
    what = f"the contract has no object {name!r}{nearest(name, names)}" if name else "the contract has several objects"
    fix = f"name one of {', '.join(names)}: contract: {{odcs: file, object: {names[0]}}}"
    raise ContractError.of("odcs-object", what, document.at(("schema",)), fix)


class _Reading:
    """One object while it is read: of the document, or the items of a list."""

    def __init__(self, document: Document, path: Path, asked: Asked) -> None:
        self.made = Assembly(document)
        self.document, self.path, self.asked = document, path, asked
        self.object: Mapping[str, Any] = document.value
        for key in path:
            self.object = self.object[key]  # type: ignore[index]
        self.unused: dict[str, list[Path]] = {}
        self.formats: list[tuple[str, Location]] = []
        self.children: list[Child] = []

    def contract(self) -> Contract:
        return replace(self.made.contract(), children=tuple(self.children))

    def read(self, index: int) -> None:
        """Reads the object at `index` of the document."""
        root = self.document.value
        self._status(root.get("status"))
        self.made.version = str(root.get("version") or "")
        if not self.object.get("properties"):
            where = self.document.at(self.path)
            raise ContractError.of("odcs-object", "the object has no properties", where, "list its properties")
        self._properties()
        relations.of_objects(self.made, index)
        for number, item in enumerate(root.get("slaProperties") or []):
            self._service(item, ("slaProperties", number))
        self._own()
        self._leftover(root, (), _USED_ROOT, "")
        self._leftover(self.object, self.path, _USED_OBJECT, "schema.")
        self._tell_unused()

    def _properties(self) -> None:
        """Columns, lists that become tables, and what is asked of the object as a whole."""
        found = lists.find(self.document, self.object, self.path, self.asked)
        apart = {one.path for one in found}
        for number, prop in enumerate(self.object.get("properties") or []):
            if (path := (*self.path, "properties", number)) not in apart:
                self.made.lines.append(self._line(prop, path))
        for number, item in enumerate(self.object.get("quality") or []):
            quality.read(self.made, item, (*self.path, "quality", number), None)
        self.children += [self._child(one) for one in found]

    def _child(self, found: lists.Found) -> Child:
        """A list whose elements are rows; what is noted of them is noted of the whole."""
        path = (*found.path, "items")
        inner = _Reading(self.document, path, found.asked)
        inner.made.notes, inner.unused = self.made.notes, self.unused
        element = lists.element(inner.object)
        if element is not None:
            inner.made.lines.append(inner._line(element, path))
        else:
            inner._properties()
            inner._own()
            inner._leftover(inner.object, path, (*_USED_OBJECT, "physicalType"), "schema.properties.items.")
        self._of_list(found.path)
        contract = replace(inner.contract(), notes=())
        return Child(found.table, found.source, contract, found.links, found.position, self.document.at(found.path))

    def _of_list(self, path: Path) -> None:
        """What is said of the list as a whole, and not checked."""
        prop: Any = self.document.value
        for key in path:
            prop = prop[key]
        for key in ("required", "unique", "logicalTypeOptions", "quality", "relationships"):
            if prop.get(key):
                self.made.unenforced(f"{key} of the list {prop['name']!r}", (*path, key), "rules look at its lines")
        self._leftover(prop, path, _USED_PROPERTY, "schema.properties.")

    def _status(self, status: Any) -> None:
        if status == "retired":
            where = self.document.at(("status",))
            raise ContractError.of(
                "contract-retired", "the contract is retired", where, "load by the one that replaced it"
            )
        if status == "deprecated":
            self.made.note(
                "contract-deprecated", "warning", "the contract is deprecated", ("status",), "see its successor"
            )

    def _line(self, prop: Mapping[str, Any], path: Path) -> Line:
        at = self.document.at
        line = Line(prop["name"], at((*path, "name")))
        kind, ignored = type_of(prop)
        line.type, line.type_where = str(kind), at((*path, "logicalType" if "logicalType" in prop else "name"))
        if ignored:
            self.unused.setdefault(f"schema.properties.{ignored}", []).append((*path, ignored))
        if prop.get("primaryKey"):
            line.add("key", at((*path, "primaryKey")))
        elif prop.get("required"):
            line.add("required", at((*path, "required")))
        if prop.get("unique"):
            line.add("unique", at((*path, "unique")))
        self._options(line, prop, path)
        if prop.get("enum"):
            line.call("in", quality.listed([one["value"] for one in prop["enum"]]), at((*path, "enum")))
        for number, item in enumerate(prop.get("quality") or []):
            quality.read(self.made, item, (*path, "quality", number), line)
        for number, relation in enumerate(prop.get("relationships") or []):
            relations.of_property(self.made, line, relation, (*path, "relationships", number))
        self._extras(line, prop, path)
        self._form(line, prop, path)
        if prop.get("physicalName") not in (None, prop["name"]):
            line.call("from", [quoted(prop["physicalName"])], at((*path, "physicalName")))
        if str(prop.get("classification", "")).lower() in SECRET:
            line.add("pii", at((*path, "classification")))
        elif "classification" in prop:
            self.unused.setdefault("schema.properties.classification", []).append((*path, "classification"))
        self._leftover(prop, path, _USED_PROPERTY, "schema.properties.")
        if line.type == "json":
            self._nested(prop, path)
        return line

    def _nested(self, prop: Mapping[str, Any], path: Path) -> None:
        """What is said of the values within: conditions named by where they stand in the value."""
        if not nested.has(prop):
            return
        asked, unmet = nested.read(self.document, prop, path)
        for found, where in asked:
            self.made.rule(pointer(found.path)[1:], {"check": found.sql, "message": found.says}, where)
        for what, place in unmet:
            self.made.unenforced(what, place)

    def _options(self, line: Line, prop: Mapping[str, Any], path: Path) -> None:
        """The rules of `logicalTypeOptions`."""
        options = dict(prop.get("logicalTypeOptions") or {})
        where = (*path, "logicalTypeOptions")
        split = bool(_custom(prop, "headgateSplitBounds"))
        if "minimum" in options and "maximum" in options and not split:
            low, high = (quality.text(options.pop(key)) for key in ("minimum", "maximum"))
            line.call("between", [word(low), word(high)], self.document.at((*where, "minimum")))
        for key, rule in _BOUNDS:
            if key in options:
                line.call(rule, [word(quality.text(options.pop(key)))], self.document.at((*where, key)))
        if "multipleOf" in options:
            step = quality.text(options.pop("multipleOf"))
            if line.type == "double":
                self.made.unenforced(f"multipleOf of {line.name!r}", (*where, "multipleOf"), "write it as a decimal")
            else:
                line.call("multiple_of", [step], self.document.at((*where, "multipleOf")))
        self._lengths(line, options, where)
        if "pattern" in options:
            self.pattern(line, options.pop("pattern"), (*where, "pattern"))
        self._format(line, options.pop("format", None), where)
        options.pop("timezone", None)
        for key in options:
            if key in nested.OPTIONS and line.type == "json":
                continue
            if key in nested.OPTIONS:
                self.made.unenforced(f"{key} of {line.name!r}", (*where, key))
            else:
                self.unused.setdefault(f"schema.properties.logicalTypeOptions.{key}", []).append((*where, key))

    def _lengths(self, line: Line, options: dict[str, Any], where: Path) -> None:
        low, high = options.pop("minLength", None), options.pop("maxLength", None)
        if low is None and high is None:
            return
        at = self.document.at((*where, "maxLength" if low is None else "minLength"))
        if not line.type.startswith("text"):
            self.made.unenforced(f"the length of {line.name!r}", where, f"a {line.type} has no length")
        elif low is None:
            line.call("length", [str(high)], at)
        else:
            line.call("length", [str(low), "*" if high is None else str(high)], at)

    def pattern(self, line: Line, text: str, path: Path) -> None:
        try:
            line.call("pattern", [quoted(ecma.to_re2(text))], self.document.at(path))
        except ecma.Untranslatable as error:
            self.made.unenforced(f"the pattern of {line.name!r}", path, str(error))

    def _format(self, line: Line, form: Any, where: Path) -> None:
        if form in BITS and line.type in ("int", "bigint"):
            low, high = BITS[form]
            line.call("between", [str(low), str(high)], self.document.at((*where, "format")))
        elif form is not None and line.type in MOMENTS:
            try:
                forms.check(str(form), LogicalType(line.type))
                self.formats.append((f"format({quoted(str(form))})", self.document.at((*where, "format"))))
            except ValueError as error:
                self.made.unenforced(f"the format of {line.name!r}", (*where, "format"), str(error))
        elif form is not None and not _typed(form, line.type):
            self.unused.setdefault("schema.properties.logicalTypeOptions.format", []).append((*where, "format"))

    def _extras(self, line: Line, prop: Mapping[str, Any], path: Path) -> None:
        """Rules that only the short form has, and the order in which all were written."""
        for number, item in enumerate(prop.get("customProperties") or []):
            if item["property"] == "headgateRules" and isinstance(item["value"], list):
                for piece in item["value"]:
                    line.add(str(piece), self.document.at((*path, "customProperties", number, "value")))
        order = _custom(prop, "headgateOrder")
        if isinstance(order, list) and sorted(map(str, order)) == sorted(map(str, range(len(line.pieces)))):
            line.pieces = [piece for _, piece in sorted(zip(order, line.pieces, strict=True), key=lambda pair: pair[0])]

    def _form(self, line: Line, prop: Mapping[str, Any], path: Path) -> None:
        """How texts are written, in words of the standard and in ours."""
        line.pieces += self.formats
        self.formats = []
        for number, item in enumerate(prop.get("customProperties") or []):
            if item["property"] == "headgateForm" and isinstance(item["value"], list):
                for piece in item["value"]:
                    line.add(str(piece), self.document.at((*path, "customProperties", number, "value")))

    def _service(self, item: Mapping[str, Any], path: Path) -> None:
        """The latency of one of the object's columns is its freshness."""
        element = str(item.get("element", ""))
        owner, _, column = element.rpartition(".")
        line = self.made.line(column) if owner in ("", self.object["name"], self.object.get("physicalName")) else None
        unit, value = _SECONDS.get(str(item.get("unit", "")).lower()), bounds.number(quality.text(item["value"]))
        kind = line.type.partition("(")[0] if line is not None else ""
        if item["property"] not in ("latency", "freshness") or value is None or unit is None or value < 0:
            self.unused.setdefault(f"slaProperties.{item['property']}", []).append(path)
        elif kind not in ("date", "timestamp", "timestamptz"):
            self.made.unenforced(
                f"the {item['property']} of {element!r}", path, "name a date or timestamp of this object"
            )
        else:
            within = {"freshness": column, "within": bounds.lasting(value * unit)}
            self.made.rule(f"{item['property']}_{column}", within, self.document.at(path))

    def _own(self) -> None:
        for number, item in enumerate(self.object.get("customProperties") or []):
            path, value = (*self.path, "customProperties", number, "value"), item["value"]
            where = self.document.at(path)
            if item["property"] == "headgateSkip" and isinstance(value, dict):
                self.made.skips += [(name, str(sql), where) for name, sql in value.items()]
            if item["property"] == "headgateRefuseAtMost":
                self.made.limit = _limit(value, where)

    def _leftover(self, value: Mapping[str, Any], path: Path, used: tuple[str, ...], prefix: str) -> None:
        for key in value:
            if key not in used:
                self.unused.setdefault(prefix + key, []).append((*path, key))
        for number, item in enumerate(value.get("customProperties") or []):
            if item["property"] not in OWN:
                self.unused.setdefault(f"{prefix}customProperties", []).append((*path, "customProperties", number))
        for place in relations.foreign_properties(value.get("relationships") or [], path):
            self.unused.setdefault(f"{prefix}relationships.customProperties", []).append(place)

    def _tell_unused(self) -> None:
        """One finding for each kind of clause, at the first place, with all of them as evidence."""
        for clause, paths in self.unused.items():
            many = f" ({len(paths)} times)" if len(paths) > 1 else ""
            places = [str(self.document.at(path)) for path in paths]
            what = f"{clause}{many} is metadata only: nothing is checked by it"
            self.made.notes.append(Finding("metadata-only", "info", what, places[0], "", {"places": places}))


def _custom(value: Mapping[str, Any], name: str) -> Any:
    return next((one["value"] for one in value.get("customProperties") or [] if one["property"] == name), None)


def _typed(form: str, kind: str) -> bool:
    """Whether the type already says what the format says."""
    return (form, kind) in (("uuid", "uuid"), ("binary", "binary"), ("f64", "double"), ("f32", "double")) or (
        form in ("i64", "u64", "i128", "u128") and kind.startswith(("int", "bigint", "decimal"))
    )


def _limit(value: Any, where: Location) -> Limit:
    text = quality.text(value).strip()
    try:
        if text.endswith("%"):
            return Limit(share=float(Decimal(bounds.share(text).percent) / 100))
        return Limit(rows=int(text))
    except ValueError as error:
        raise ContractError.of("bad-value", f"{text!r} is no limit", where, "write 5% or 100") from error

"""JSON Schema of a project's files, for editors: made from the tables by which the files are read.

Keys, words and options are those tables; what the reader gains, the schema gains. The texts come from
`descriptions.json`, which is taken from the documentation. A schema refuses what the reader refuses by its shape alone:
unknown keys, words, types and rules. It never refuses what the reader takes; a key or an option whose shape is not
described here takes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from headgate.contracts import named
from headgate.contracts.named import FORMS
from headgate.contracts.rules import RULES
from headgate.models import keeping
from headgate.project import (
    ages,
    children,
    condition,
    contractfile,
    datatests,
    exposures,
    fields,
    ingest,
    landing,
    layers,
    load,
    models,
    modeltests,
    observing,
    read,
    settings,
    snapshots,
    source,
    tasks,
    unittests,
)
from headgate.types.logical import ALIASES

Kind = Literal["ingest", "project", "models", "tasks"]
KINDS: tuple[Kind, ...] = ("ingest", "project", "models", "tasks")
Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
"""Values are text as written; an editor takes some for numbers and flags."""


def _any_case(words: Iterable[str]) -> str:
    """A regular expression of the words, whatever the case of their letters; longer words first."""
    longest = sorted(words, key=lambda word: (-len(word), word))
    return "|".join("".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in word) for word in longest)


FLAG: Schema = {
    "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^({_any_case((*fields.TRUE, *fields.FALSE))})$"}]
}
TEXTS: Schema = {"anyOf": [SCALAR, {"type": "null"}, {"type": "array", "items": {"type": [*SCALAR["type"], "null"]}}]}
PATH: Schema = {"type": "string", "minLength": 1}
CONDITION: Schema = {"type": ["string", "boolean"], "maxLength": condition.LONGEST}
FUNCTION: Schema = {"type": "string", "pattern": r"^.+\.py:[^:]+$"}


def schema(kind: Kind) -> Schema:
    """The JSON Schema (draft 2020-12) of one kind of file: `ingest`, `project` (headgate.yml), `models` or `tasks`."""
    made = {"ingest": _ingest, "project": _project, "models": _models, "tasks": _tasks}[kind]()
    titles = {"ingest": "Headgate ingest file", "project": read.FILE, "models": "Headgate tests of models"}
    titles["tasks"] = "Headgate task"
    return {"$schema": DRAFT, "title": titles[kind], **made}


@cache
def _descriptions() -> dict[str, dict[str, str]]:
    text = files("headgate.project").joinpath("descriptions.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def _object(keys: Iterable[str], shapes: Mapping[str, Schema], texts: str, required: Iterable[str] = ()) -> Schema:
    """A mapping of these keys and no others; a key without a shape takes anything. `texts`: of which page's table."""
    told = _descriptions().get(texts, {})
    properties = {}
    for key in keys:
        properties[key] = {**shapes.get(key, {}), **({"description": told[key]} if key in told else {})}
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _words(words: Iterable[str | None]) -> Schema:
    return {"enum": list(words)}


# -- ingest files ----------------------------------------------------------------------------------------------------


def _ingest() -> Schema:
    anywhere = {**{key: _words(words) for key, words in ingest.CHOICES.items()}, "allow_empty": FLAG}
    shapes = {
        "table": {"type": "string", "pattern": r"^[^\s.]+(\.[^\s.]+)?$"},
        "from": _from(anywhere),
        "load": _load(anywhere),
        **_contract(),
        "contract": {"anyOf": [{"type": "string"}, *(_file(kind) for kind in (models.KEY, *contractfile.KINDS))]},
        "children": {"$ref": "#/$defs/children"},
        "land": _words(landing.WORDS),
        **anywhere,
        **_steps(),
        "freshness": {"type": "string", "pattern": f"^{ages.AGE}$"},
    }
    names = {"type": "object", "additionalProperties": {"type": "null"}}
    shapes["columns"] = {"anyOf": [shapes["columns"], {"type": "array", "items": SCALAR}, names]}
    defs = {"children": _children("children", ("from",)), "described": _children("described", ("from", "columns"))}
    return {**_object(ingest.KEYS, shapes, "ingest", ("table", "from")), "$defs": defs, **_lists_described()}


def _lists_described() -> Schema:
    """Without a contract in a file of its own, only `columns:` can say what a line is."""
    described = {"properties": {"children": {"$ref": "#/$defs/described"}}}
    return {"if": {"not": {"required": ["contract"]}}, "then": described}


def _children(name: str, needed: Iterable[str]) -> Schema:
    """Tables of lists inside of records, which may have such tables themselves."""
    contract = _contract()
    shapes = {
        "from": PATH,
        "columns": contract["columns"],
        "rules": contract["rules"],
        "parent": {"anyOf": [SCALAR, {"type": "object", "additionalProperties": SCALAR}]},
        "position": SCALAR,
        "children": {"$ref": f"#/$defs/{name}"},
    }
    child = _object(children.KEYS, shapes, "children", needed)
    return {"type": "object", "minProperties": 1, "additionalProperties": child}


def _steps() -> dict[str, Schema]:
    """How steps are run."""
    length = {"type": "string", "pattern": r"^\s*[0-9]"}
    attempts = {"type": "integer", "minimum": 1, "maximum": settings.MOST_ATTEMPTS}
    text = {"type": "string", "pattern": "^[0-9]{1,3}$"}
    shapes: dict[str, Schema] = {"attempts": {"anyOf": [attempts, text]}, "wait": length, "max": length}
    shapes |= {"backoff": SCALAR, "jitter": {"type": "string", "pattern": "%$"}}
    retries = {"anyOf": [attempts, text, _object(settings.RETRIES, shapes, "retries", ("attempts",))]}
    when = {"anyOf": [CONDITION, _object(settings.WHEN, {"if": CONDITION, "timezone": PATH}, "", ("if",))]}
    return {"tags": TEXTS, "optional": FLAG, "timeout": length, "retries": retries, "when": when, "pool": PATH}


def _tasks() -> Schema:
    """A task does one of three things."""
    code: Schema = {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 255}, {"type": "string", "pattern": "^[0-9]+$"}]
    }
    shapes: dict[str, Schema] = {
        "python": FUNCTION,
        "sql": {"type": "string", "pattern": r"\.sql\s*$"},
        "shell": {"anyOf": [PATH, {"type": "array", "items": SCALAR, "minItems": 1}]},
        "with": {"type": ["object", "null"]},
        "needs": TEXTS,
        "before": TEXTS,
        "trigger_rule": _words(tasks.TRIGGERS),
        "connection": PATH,
        "transaction": FLAG,
        "retry_on_exit": {"anyOf": [code, {"type": "array", "items": code}]},
        "description": SCALAR,
        **_steps(),
    }
    one = {"oneOf": [{"required": [kind]} for kind in tasks.KINDS]}
    return {**_object(tasks.KEYS, shapes, "tasks"), **one}


def _file(kind: str) -> Schema:
    """A mapping that names a contract's file of this kind."""
    keys = (kind, "object") if kind == "odcs" else (kind,)
    return _object(keys, {key: {"type": "string"} for key in keys}, "", (kind,))


def _contract() -> dict[str, Schema]:
    """What says a contract in the short form."""
    return {
        "columns": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": line()},
        },
        "rules": {"type": ["object", "null"], "additionalProperties": _rule()},
        "skip": {"type": ["object", "null"], "additionalProperties": SCALAR},
        "refuse_at_most": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _LIMIT}]},
    }


_LIMIT = r"^\s*([0-9]{1,15}|[0-9]{1,3}(\.[0-9]{1,12})?\s*%)\s*$"


def _rule() -> Schema:
    """A condition, or a mapping that says what kind of rule it is."""
    value = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
    unmatched = _words((*named.UNMATCHED, None))  # an editor takes the word null for none
    forms = []
    for kind, (keys, _) in FORMS.items():
        shapes = {**dict.fromkeys((kind, *keys), value), "severity": _words(("error", "warn")), "unmatched": unmatched}
        needed = (kind, "columns") if kind == "references" else (kind,)
        forms.append(_object((kind, *keys), shapes, "", needed))
    called = {"python": {"type": "string"}, "severity": _words(("error", "warn"))}
    forms.append(_object(called, called, "", ("python",)))
    return {"anyOf": [SCALAR, *forms]}


def _load(anywhere: Mapping[str, Schema]) -> Schema:
    """A word, or one word with its columns and what stands beside it."""
    options = {key: anywhere.get(key, SCALAR) for key in load.BESIDE}
    options |= {"duplicates": _words(load.DUPLICATES)}
    options |= {"track": TEXTS, "columns": _object(tuple(load.TIMES), dict.fromkeys(load.TIMES, SCALAR), "")}
    options |= {"vanished": _words(load.VANISHED), "as": _words(load.AS)}
    columns: Schema = {"anyOf": [TEXTS, {"type": "object", "additionalProperties": SCALAR}]}
    options |= {"current": columns, "previous": columns}
    shapes: dict[str, Schema] = {
        word: TEXTS if word in load.KEYED else {"enum": [True, "true", "yes", None, ""]} for word in load.WORDS
    }
    made = _object((*load.WORDS, *load.BESIDE), {**shapes, **options}, "load")
    one = {"oneOf": [{"required": [word]} for word in load.WORDS]}
    return {"anyOf": [_words(load.WORDS), {**made, **one}]}


def _from(anywhere: Mapping[str, Schema]) -> Schema:
    """A path, or one adapter by its name."""
    return {"anyOf": [PATH, *(_adapter(kind, anywhere) for kind in source.ADAPTERS)]}


SHAPES: dict[Callable[..., Any], Schema] = {
    fields.flag: FLAG,
    source._path: PATH,
    source.function: FUNCTION,
    source._nulls: TEXTS,
    source._names: {"type": "array", "items": SCALAR},
    source._replay: _words(("stable", "moving")),
    source._character: {**SCALAR},
    source._quote: {**SCALAR},
    source._encoding: {**SCALAR},
    source._zone: {"type": "string"},
    source._name: {**SCALAR},
}
"""What a reader of options takes; readers that are not here take anything."""


def _adapter(kind: str, anywhere: Mapping[str, Schema]) -> Schema:
    main = source.MAIN.get(kind, ("path", ""))[0]
    shapes = {**anywhere, **{name: SHAPES.get(reader, {}) for name, reader in source.ADAPTERS[kind].items()}}
    keys = tuple(dict.fromkeys((*source.ADAPTERS[kind], *source.INGEST_OPTIONS, *anywhere)))
    options = _object(keys, shapes, kind, (main,))
    bare = shapes.get(main, {})
    if kind not in source.MAIN:
        return _object((kind,), {kind: {"anyOf": [bare, options]}}, "from", (kind,))
    beside = [key for key in keys if key != main]
    inside = _object((kind,), {kind: options}, "from", (kind,))
    return {"anyOf": [_object((kind, *beside), {**shapes, kind: bare}, kind, (kind,)), inside]}


def line() -> str:
    """A regular expression (ECMA 262) of a line of the short form: a type and its rules, by their names."""
    arg = r"""\s*(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s,()'"][^,()'"]*)\s*"""
    args = rf"(?:\({arg}(?:,{arg})*\)|\(\s*\))?"
    types = _any_case(ALIASES)
    rules = "|".join(re.escape(name) for name in sorted(RULES, key=len, reverse=True))
    return rf"^\s*(?:{types})\s*{args}\s*(?:,\s*(?:{rules})\s*{args}\s*)*$"


# -- headgate.yml ----------------------------------------------------------------------------------------------------


def _project() -> Schema:
    number = {
        key: {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{rule.pattern}$"}]}
        for key, rule in read.ENGINE_VALUES.items()
    }
    shapes: dict[str, Schema] = {
        "project": SCALAR,
        "warehouse": {"type": "string", "pattern": r"^(duckdb:|postgres(ql)?://)|\$\{\s*secret:"},
        "engine": _object(read.ENGINE_KEYS, number, "engine"),
        "connections": {"type": "object", "additionalProperties": SCALAR},
        "vars": {"type": ["object", "null"]},
        **_observing(),
        "layers": _layers(),
    }
    shapes |= {key: _steps()[key] for key in ("timeout", "retries")}
    places = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]{1,3}$"}]}
    shapes["pools"] = {"type": ["object", "null"], "additionalProperties": places}
    shapes["threads"] = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]{1,3}$"}]}
    profile = _object(read.PROFILE_KEYS, shapes, read.FILE)
    shapes["profiles"] = {"type": "object", "additionalProperties": profile}
    return _object(read.KEYS, shapes, read.FILE)


def _observing() -> dict[str, Schema]:
    """What says how a project is watched."""
    keep = {"type": "string", "pattern": f"^({ages.AGE}|\\s*{ages.FOREVER}\\s*)$"}
    number = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 0, "maximum": observing.MOST_SAMPLES}
    limit = _contract()["refuse_at_most"]
    shapes: dict[str, dict[str, Schema]] = {
        "history": {"keep": keep},
        "health": {"quarantine_at_most": limit},
        "report": {"after_run": FLAG, "samples": number},
    }
    return {key: _object(names, shapes[key], "") for key, names in observing.KEYS.items()}


def _layers() -> Schema:
    """Which schemas are which layer, and what is allowed anyway."""
    codes = {"anyOf": [_words(layers.CODES), {"type": "array", "items": _words(layers.CODES)}]}
    shapes: dict[str, Schema] = dict.fromkeys(layers.LAYERS, TEXTS)
    shapes[layers.ALLOW] = {"type": "object", "additionalProperties": codes}
    return {"anyOf": [_words((layers.DETECT,)), _object((*layers.LAYERS, layers.ALLOW), shapes, "")]}


CONTRACT_FILES = ("odcs", "json_schema")
"""Kinds of files that a model's contract may stand in."""


# -- tests of models -------------------------------------------------------------------------------------------------


def _models() -> Schema:
    config = _object(modeltests.NOTES_ONLY, {}, "")
    names = {"name": SCALAR, "description": {}, "config": config}
    column = _object(
        modeltests.COLUMN_KEYS,
        {**names, **dict.fromkeys(("tests", "data_tests"), _tests(datatests.COLUMN_TESTS, column=True))},
        "",
        ("name",),
    )
    tests = dict.fromkeys(("tests", "data_tests"), _tests(datatests.MODEL_TESTS))
    files = [_file(kind) for kind in CONTRACT_FILES]
    stated = _object(modeltests.CONTRACT_KEYS, _contract(), "ingest", ("columns",))
    contract = {"anyOf": [{"type": "string"}, stated, *files]}
    how = _object(modeltests.CONFIG_KEYS, {"group": SCALAR, **_steps()}, "ingest")
    own = {"contract": contract, "group": SCALAR, "config": how}
    shapes = {**names, "columns": _list(column), **tests, **own}
    model = _object(modeltests.MODEL_KEYS, shapes, "", ("name",))
    together = {"anyOf": [FLAG, {"type": "array", "items": {"type": "string"}}]}
    group = _object(modeltests.GROUP_KEYS, {"name": SCALAR, "publish_together": together}, "", ("name",))
    lists = {"models": _list(model), "groups": _list(group), "unit_tests": _list(_unit())}
    lists["snapshots"] = _list(_snapshot({**shapes, "config": how}))
    return _object(modeltests.FILE_KEYS, {**lists, "exposures": _list(_exposure())}, "")


def _snapshot(model: Mapping[str, Schema]) -> Schema:
    """A snapshot; `model`: what is said of it like of a model."""
    config: dict[str, Schema] = {
        **model["config"]["properties"],
        "schema": {"type": "string"},
        "unique_key": TEXTS,
        "strategy": _words(keeping.STRATEGIES),
        "updated_at": {"type": "string"},
        "check_cols": TEXTS,
        "hard_deletes": _words(keeping.HARD_DELETES),
        "invalidate_hard_deletes": {"type": "boolean"},
        "snapshot_meta_column_names": _object(
            keeping.COLUMNS, {key: {"type": "string"} for key in keeping.COLUMNS}, ""
        ),
        "dbt_valid_to_current": {"type": "string"},
    }
    shapes = {**model, "relation": {"type": "string"}, "config": _object(snapshots.CONFIG_KEYS, config, "")}
    return _object(snapshots.KEYS, shapes, "", ("name", "relation"))


def _unit() -> Schema:
    """A unit test."""
    rows = {"anyOf": [{"type": ["string", "null"]}, _list({"type": "object"})]}
    fixture = {"rows": rows, "format": _words(unittests.FORMATS), "fixture": SCALAR, "input": SCALAR}
    over = {
        "vars": {"type": "object"},
        "macros": _object(("is_incremental",), {"is_incremental": FLAG}, ""),
    }
    shapes: dict[str, Schema] = {
        "name": SCALAR,
        "model": SCALAR,
        "given": _list(_object(unittests.GIVEN_KEYS, fixture, "", ("input",))),
        "expect": _object(unittests.EXPECT_KEYS, fixture, ""),
        "overrides": _object(unittests.OVERRIDES, over, ""),
        "config": _object(datatests.NOTES_ONLY, {}, ""),
    }
    return _object(unittests.KEYS, shapes, "", ("name", "model", "expect"))


def _exposure() -> Schema:
    owner = {"anyOf": [SCALAR, _object(exposures.OWNER_KEYS, dict.fromkeys(exposures.OWNER_KEYS, SCALAR), "")]}
    on = _object(exposures.ON_KEYS, {"table": SCALAR, "columns": TEXTS}, "", ("table",))
    one = {"anyOf": [{"type": "string"}, on]}
    shapes: dict[str, Schema] = {
        "name": {"type": "string"},
        "url": {"type": "string"},
        "type": _words(exposures.TYPES),
        "owner": owner,
        "depends_on": {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]},
    }
    return _object(exposures.KEYS, shapes, "", ("name", "depends_on"))


def _list(items: Schema) -> Schema:
    return {"type": ["array", "null"], "items": items}


def _tests(names: Iterable[str], column: bool = False) -> Schema:
    """A list of tests: a bare name, or a name with its arguments. Any other name may be a test of the project."""
    config = _object((*datatests.CONFIG, *datatests.NOTES_ONLY), {"severity": _SEVERITY, "where": SCALAR}, "")
    shapes: dict[str, Schema] = {
        "severity": _SEVERITY,
        "name": SCALAR,
        "where": SCALAR,
        "config": config,
        "arguments": {"type": "object"},
        "columns": TEXTS,
        "quote": FLAG,
    }
    told = _descriptions().get("tests", {})
    properties = {}
    for name in names:
        own = () if name == "unique" and column else datatests.NEEDS.get(name, ())
        bare = {"type": ["string", "null"]} if name in datatests.EXPRESSIONS else {"type": "null"}
        properties[name] = {
            "anyOf": [bare, _object((*datatests.OPTIONS, *own), shapes, "test")],
            **({"description": told[name]} if name in told else {}),
        }
    one = {
        "type": "object",
        "properties": properties,
        "additionalProperties": {"type": ["object", "null"]},
        "minProperties": 1,
        "maxProperties": 1,
    }
    return _list({"anyOf": [{"type": "string"}, one]})


_SEVERITY: Schema = {"type": "string", "pattern": f"^({_any_case(('error', 'warn'))})$"}

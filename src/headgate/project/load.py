"""What stands under `load:` and `refuse_at_most:`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, cast

from headgate.books.history import History
from headgate.contracts.model import Limit
from headgate.core.errors import Edit, Location, nearest, only_match
from headgate.project import fields
from headgate.project.fields import Notes
from headgate.project.model import Disposition, LoadSpec
from headgate.project.yaml import Mapping, Node, Scalar

WORDS = ("append", "upsert", "insert", "replace", "partition", "scd2", "scd6")
KEYED = ("upsert", "insert", "partition", "scd2", "scd6")
ORDERED = ("upsert", "scd2")
HISTORY = ("track", "columns", "as", "end", "vanished", "deleted_if", "current")
VANISHED = ("keep", "close")
AS = ("timestamp", "date")
BESIDE = ("order_by", "duplicates", *HISTORY, "allow_empty", "on_change")
"""Keys that stand beside the word under `load:`."""
LATER = ("scd3",)
OTHERS = {"scd0": "insert", "scd1": "upsert", "merge": "upsert", "delete_insert": "partition"}
"""What else the words are called."""
_FIX = "use append, replace, upsert, {upsert: id, order_by: at}, {insert: id}, {partition: day}, {scd2: id}"
DUPLICATES = ("latest", "refuse")
TIMES = {"from": "valid_from", "to": "valid_to", "current": "current"}
_NUMBER = re.compile(r"[0-9]{1,15}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)\s*%")


def read(notes: Notes, node: Node | None) -> LoadSpec:
    """The disposition; append where nothing is said or it can't be known. `allow_empty` beside it is the caller's."""
    if node is None:
        return LoadSpec()
    if isinstance(node, Mapping):
        return _mapping(notes, node)
    word = fields.text(notes, node, "load")
    return _word(notes, word, node.where, None) if word is not None else LoadSpec()


def _mapping(notes: Notes, node: Mapping) -> LoadSpec:
    words = [(key, value) for key, value in node.entries if key.text in (*WORDS, *LATER, *OTHERS)]
    fields.known(notes, node, (*WORDS, *BESIDE, *OTHERS), "load", LATER)
    if len(words) != 1:
        what = "load: must name one of " + ", ".join(WORDS)
        notes.error("bad-value", what, node.where, _FIX)
        return LoadSpec(where=node.where)
    key, value = words[0]
    if key.text in LATER:
        return LoadSpec(where=key.where)
    spec = _word(notes, key.text, key.where, value)
    if key.text in OTHERS:
        return spec
    order = node.get("order_by")
    if order is not None and spec.kind not in ORDERED:
        notes.error("bad-value", f"order_by does not go with {spec.kind}", order.where, "remove order_by")
        order = None
    order_by = fields.text(notes, order, "order_by") if order is not None else None
    duplicates = _duplicates(notes, node, spec)
    return LoadSpec(spec.kind, spec.keys, order_by, _history(notes, node, spec), duplicates, where=key.where)


def _duplicates(notes: Notes, node: Mapping, spec: LoadSpec) -> Any:
    """What becomes of records of one identity in one load."""
    value = node.get("duplicates")
    if value is None:
        return "latest"
    if spec.kind not in ("upsert", "insert"):
        notes.error("bad-value", f"duplicates does not go with {spec.kind}", value.where, "remove duplicates")
    return fields.choice(notes, value, "duplicates", DUPLICATES) or "latest"


def _history(notes: Notes, node: Mapping, spec: LoadSpec) -> History | None:
    """How versions are kept; None under any other load, where the keys of a history are noted."""
    said = [(key, value) for key, value in node.entries if key.text in HISTORY]
    if spec.kind != "scd2":
        for key, _ in said:
            notes.error("bad-value", f"{key.text} does not go with {spec.kind}", key.where, f"remove {key.text}")
        return None
    made: dict[str, Any] = {}
    if (track := node.get("track")) is not None:
        made["track"] = fields.texts(notes, track, "track") or ()
    if (end := node.get("end")) is not None:
        made["end"] = fields.text(notes, end, "end") or ""
    if (vanished := node.get("vanished")) is not None:
        made["closes"] = fields.choice(notes, vanished, "vanished", VANISHED) == "close"
    if (kind := node.get("as")) is not None:
        made["dates"] = fields.choice(notes, kind, "as", AS) == "date"
    if (deleted := node.get("deleted_if")) is not None:
        made["deleted_if"] = fields.text(notes, deleted, "deleted_if") or ""
    made["latest"] = _latest(notes, node, spec)
    columns = fields.mapping(notes, node.get("columns"), "columns")
    if columns is not None:
        fields.known(notes, columns, TIMES, "columns of a history")
        named = ((field, columns.get(word)) for word, field in TIMES.items())
        made |= {field: fields.text(notes, value, field) or field for field, value in named if value is not None}
    return History(**made)


def _latest(notes: Notes, node: Mapping, spec: LoadSpec) -> tuple[tuple[str, str], ...]:
    """`current: [city]` or `current: {city: city_now}`: the columns whose present value stands on every version."""
    value, wanted = node.get("current"), node.get("scd6") is not None
    fix = "write {scd6: id, current: [city]}"
    if wanted and value is None:
        notes.error("missing-key", "scd6 does not say of which columns every version has the current value",
                    spec.where or "", fix)  # fmt: skip
    if value is None:
        return ()
    if not wanted:
        notes.error("bad-value", "current does not go with scd2", value.where, fix)
        return ()
    if not isinstance(value, Mapping):
        return tuple((name, f"current_{name}") for name in fields.texts(notes, value, "current") or ())
    named = ((key.text, fields.text(notes, name, "current")) for key, name in value.entries)
    return tuple((column, name) for column, name in named if name is not None)


def _word(notes: Notes, word: str, where: Location, value: Node | None) -> LoadSpec:
    """The disposition that the word names; `value` is what stands behind it: the columns of one that has columns."""
    if word in LATER:
        notes.error("not-supported", f"load: {word} is not supported", where, _FIX)
    elif word in OTHERS:
        mended = (Edit.at(where, word, OTHERS[word]),)
        notes.error("bad-value", f"{word} is called {OTHERS[word]}", where, f"write load: {OTHERS[word]}", mended)
    elif word not in WORDS:
        sure = only_match(word, WORDS)
        edits = (Edit.at(where, word, sure),) if sure else ()
        notes.error("bad-value", f"unknown load {word!r}{nearest(word, WORDS)}", where, _FIX, edits)
    elif word in KEYED:
        kind = "scd2" if word == "scd6" else word
        history = History() if kind == "scd2" else None
        return LoadSpec(cast(Disposition, kind), _keys(notes, word, value), history=history, where=where)
    else:
        if value is not None and not (isinstance(value, Scalar) and value.text.lower() in ("true", "yes", "")):
            notes.error("bad-value", f"{word} takes no columns", value.where, f"write load: {word}")
        return LoadSpec("replace" if word == "replace" else "append", where=where)
    return LoadSpec(where=where)


def _keys(notes: Notes, word: str, value: Node | None) -> tuple[str, ...]:
    """The columns of `{upsert: ...}`; none for the bare word, which means the contract's key."""
    if value is None or (isinstance(value, Scalar) and (value.empty or value.text == "true")):
        return ()
    keys = fields.texts(notes, value, word) or ()
    if len(set(keys)) < len(keys):
        notes.error("bad-value", f"{word} names a column twice", value.where, "name each column once")
    return tuple(dict.fromkeys(keys))


def limit(notes: Notes, node: Node | None, key: str = "refuse_at_most") -> Limit | None:
    """`5` records, or `5%` of the records read, as the value of `key`. None where absent or wrong."""
    if node is None:
        return None
    word = fields.text(notes, node, key)
    if word is None:
        return None
    if _NUMBER.fullmatch(word):
        return Limit(rows=int(word))
    share = _SHARE.fullmatch(word)
    if share is not None and Decimal(share[1]) <= 100:
        return Limit(share=float(Decimal(share[1]) / 100))
    what = f"{key} is a number of records or a share, not {word!r}"
    notes.error("bad-value", what, node.where, f"write {key}: 5%, or {key}: 100")
    return None

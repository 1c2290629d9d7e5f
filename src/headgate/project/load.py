"""What stands under `load:` and `refuse_at_most:`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, cast

from headgate.books.history import History
from headgate.contracts.model import Limit
from headgate.core.errors import Edit, Location, nearest, only_match
from headgate.gate.horizon import Horizon
from headgate.project import ages, fields
from headgate.project.fields import Notes
from headgate.project.model import Disposition, LoadSpec, Tombstones
from headgate.project.yaml import Mapping, Node, Scalar

WORDS = ("append", "upsert", "insert", "replace", "partition", "scd2", "scd3", "scd6")
KEYED = ("upsert", "insert", "partition", "scd2", "scd3", "scd6")
KINDS = {"scd3": "upsert", "scd6": "scd2"}
"""Words that say more than the disposition does."""
ORDERED = ("upsert", "scd2")
HISTORY = ("track", "columns", "as", "end", "vanished", "deleted_if", "current")
VANISHED = ("keep", "close")
AS = ("timestamp", "date")
HORIZON = ("by", "within")
BESIDE = ("order_by", "duplicates", *HISTORY, "keep_deleted", "previous", *HORIZON, "allow_empty", "on_change")
"""Keys that stand beside the word under `load:`."""
OTHERS = {"scd0": "insert", "scd1": "upsert", "merge": "upsert", "delete_insert": "partition"}
"""What else the words are called."""
_FIX = "use append, replace, upsert, {upsert: id, order_by: at}, {insert: id}, {partition: day}, {scd2: id}"
DUPLICATES = ("latest", "refuse")
_WANTING = {
    "scd3": "scd3 does not say of which columns the former value is kept",
    "scd6": "scd6 does not say of which columns every version has the current value",
}
_HORIZON = {"by": "column with the time of a record", "within": "time in which its identity comes once"}
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
    if word in _WANTING:
        notes.error("missing-key", _WANTING[word], node.where, f"write {{{word}: id, ...}}")
    return _word(notes, word, node.where, None) if word is not None else LoadSpec()


def _mapping(notes: Notes, node: Mapping) -> LoadSpec:
    words = [(key, value) for key, value in node.entries if key.text in (*WORDS, *OTHERS)]
    fields.known(notes, node, (*WORDS, *BESIDE, *OTHERS), "load")
    if len(words) != 1:
        what = "load: must name one of " + ", ".join(WORDS)
        notes.error("bad-value", what, node.where, _FIX)
        return LoadSpec(where=node.where)
    key, value = words[0]
    spec = _word(notes, key.text, key.where, value)
    if key.text in OTHERS:
        return spec
    order = node.get("order_by")
    if order is not None and spec.kind not in ORDERED:
        notes.error("bad-value", f"order_by does not go with {spec.kind}", order.where, "remove order_by")
        order = None
    order_by = fields.text(notes, order, "order_by") if order is not None else None
    duplicates = _duplicates(notes, node, spec)
    history, gone = _history(notes, node, spec), _tombstones(notes, node, spec)
    return LoadSpec(
        spec.kind, spec.keys, order_by, history, duplicates, where=key.where, tombstones=gone,
        previous=_beside(notes, node, "scd3", "previous", spec.where), horizon=_horizon(notes, node, spec),
    )  # fmt: skip


def _tombstones(notes: Notes, node: Mapping, spec: LoadSpec) -> Tombstones | None:
    """What an upsert does with records that tell that their identity is gone."""
    deleted, kept = node.get("deleted_if"), node.get("keep_deleted")
    if kept is not None and spec.kind != "upsert":
        notes.error("bad-value", f"keep_deleted does not go with {spec.kind}", kept.where, "remove keep_deleted")
    elif spec.kind == "upsert" and deleted is not None and kept is None:
        what = "deleted_if needs keep_deleted: of a row that left no trace, an older record would bring it back"
        notes.error("missing-key", what, deleted.where, "name the column that tells: keep_deleted: is_deleted")
    elif spec.kind == "upsert" and kept is not None and deleted is None:
        what = "keep_deleted needs deleted_if: the condition on a record that tells that its identity is gone"
        notes.error("missing-key", what, kept.where, "write deleted_if: op = 'D'")
    elif spec.kind == "upsert" and kept is not None and deleted is not None:
        column, condition = fields.text(notes, kept, "keep_deleted"), fields.text(notes, deleted, "deleted_if")
        return Tombstones(condition, column) if column and condition else None
    return None


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
            if spec.kind == "upsert" and key.text == "deleted_if":
                continue
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
    made["latest"] = _beside(notes, node, "scd6", "current", spec.where)
    columns = fields.mapping(notes, node.get("columns"), "columns")
    if columns is not None:
        fields.known(notes, columns, TIMES, "columns of a history")
        named = ((field, columns.get(word)) for word, field in TIMES.items())
        made |= {field: fields.text(notes, value, field) or field for field, value in named if value is not None}
    return History(**made)


def _beside(notes: Notes, node: Mapping, word: str, key: str, where: Location | None) -> tuple[tuple[str, str], ...]:
    """`current: [city]` or `current: {city: city_now}`, and `previous` alike: columns, and what another is called that
    the table has beside each. Only `word` has `key`, and needs it."""
    value, wanted = node.get(key), node.get(word) is not None
    fix = f"write {{{word}: id, {key}: [city]}}"
    if wanted and value is None:
        notes.error("missing-key", _WANTING[word], where or "", fix)
    if value is None:
        return ()
    if not wanted:
        given = next(name for name in WORDS if node.get(name) is not None)
        notes.error("bad-value", f"{key} does not go with {given}", value.where, fix)
        return ()
    if not isinstance(value, Mapping):
        return tuple((name, f"{key}_{name}") for name in fields.texts(notes, value, key) or ())
    named = ((one.text, fields.text(notes, name, key)) for one, name in value.entries)
    return tuple((column, name) for column, name in named if name is not None)


def _horizon(notes: Notes, node: Mapping, spec: LoadSpec) -> Horizon | None:
    """How far apart two records of one identity are that are no repetition."""
    by, within = node.get("by"), node.get("within")
    for key, value in (("by", by), ("within", within)):
        if value is not None and spec.kind != "insert":
            notes.error("bad-value", f"{key} does not go with {spec.kind}", value.where, f"remove {key}")
    if spec.kind != "insert" or (by is None and within is None):
        return None
    if by is None or within is None:
        found, lacking = (within, "by") if within is not None else (by, "within")
        assert found is not None
        what = f"{'within' if lacking == 'by' else 'by'} needs {lacking}: the {_HORIZON[lacking]}"
        notes.error("missing-key", what, found.where, "write {insert: id, by: event_time, within: 7 days}")
        return None
    column, seconds = fields.text(notes, by, "by"), ages.age(notes, within, "within")
    return Horizon(column, seconds) if column and seconds else None


def _word(notes: Notes, word: str, where: Location, value: Node | None) -> LoadSpec:
    """The disposition that the word names; `value` is what stands behind it: the columns of one that has columns."""
    if word in OTHERS:
        mended = (Edit.at(where, word, OTHERS[word]),)
        notes.error("bad-value", f"{word} is called {OTHERS[word]}", where, f"write load: {OTHERS[word]}", mended)
    elif word not in WORDS:
        sure = only_match(word, WORDS)
        edits = (Edit.at(where, word, sure),) if sure else ()
        notes.error("bad-value", f"unknown load {word!r}{nearest(word, WORDS)}", where, _FIX, edits)
    elif word in KEYED:
        kind = KINDS.get(word, word)
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

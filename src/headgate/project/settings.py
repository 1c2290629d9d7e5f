"""How a step is run: tags, whether the rest can do without it, its time, its attempts, its condition, its pool."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from headgate.contracts.bounds import duration
from headgate.core.errors import HeadgateError, Location, nearest
from headgate.project import fields
from headgate.project.condition import Condition, condition
from headgate.project.fields import Notes
from headgate.project.model import Retries, StepSettings
from headgate.project.yaml import Mapping, Node, Scalar

KEYS = ("tags", "optional", "timeout", "retries", "when", "pool")
"""Of an ingest file, of a task, and of a model's `config:` in YAML."""
PROJECT_KEYS = ("threads", "timeout", "retries", "pools")
WHEN = ("if", "timezone")
RETRIES = ("attempts", "wait", "backoff", "max", "jitter")
MOST_ATTEMPTS = 100
MOST_THREADS = 256
_TAG = re.compile(r"[^\s,:+@*?\[\]]+")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
_MILLIS = re.compile(r"([0-9]{1,9})ms")


def read(notes: Notes, node: Mapping | None) -> StepSettings:
    """What the keys of `KEYS` say in the mapping; everything wrong is noted."""
    if node is None:
        return StepSettings()
    optional, timeout, retries = node.get("optional"), node.get("timeout"), node.get("retries")
    when, pool = node.get("when"), node.get("pool")
    return StepSettings(
        tags(notes, node.get("tags")),
        bool(fields.flag(notes, optional, "optional")) if optional is not None else False,
        _seconds(notes, timeout, "timeout") if timeout is not None else None,
        _retries(notes, retries) if retries is not None else None,
        _when(notes, when) if when is not None else None,
        (fields.text(notes, pool, "pool") or "") if pool is not None else "",
        pool.where if pool is not None else None,
    )


def _when(notes: Notes, node: Node) -> Condition | None:
    """`when: weekday == 'monday'`, or a mapping that says in which zone, too."""
    given = node if isinstance(node, Mapping) else None
    if given is not None:
        fields.known(notes, given, WHEN, "when")
        if given.get("if") is None:
            notes.error("missing-key", "when: does not say if what", given.where, "write when: {if: condition}")
            return None
    zone = given.get("timezone") if given is not None else None
    return expression(notes, given.get("if") or node if given is not None else node, _zone(notes, zone), "when")


def expression(notes: Notes, node: Node, zone: str, what: str) -> Condition | None:
    """The text as an expression; None and a note where it is none."""
    text = fields.text(notes, node, what)
    return computed(notes, text, node.where, zone) if text is not None else None


def computed(notes: Notes, text: str, where: Location, zone: str = "UTC") -> Condition | None:
    """The same of a text that stands there."""
    try:
        return condition(text, where, zone)
    except HeadgateError as error:
        notes.take(error)
        return None


def _zone(notes: Notes, node: Node | None) -> str:
    text = fields.text(notes, node, "timezone") if node is not None else None
    if node is None or text is None:
        return "UTC"
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(text, available_timezones())
        notes.error("bad-value", f"{text!r} is no time zone{hint}", node.where, "write timezone: Europe/Paris")
        return "UTC"


def pools(notes: Notes, node: Node | None) -> dict[str, int]:
    """How many steps of each pool may be carried out at once."""
    given = fields.mapping(notes, node, "pools")
    found = {}
    for name, value in given.entries if given is not None else ():
        text = fields.text(notes, value, f"pool {name.text}")
        if text is not None and not (text.isdecimal() and 1 <= int(text) <= MOST_THREADS):
            _bad(notes, f"pool {name.text}", text, f"a number from 1 to {MOST_THREADS}", value.where, "pools: {api: 2}")
        found[name.text] = int(text) if text is not None and text.isdecimal() else 1
    return found


def known_pools(notes: Notes, every: Iterable[StepSettings], known: Iterable[str]) -> None:
    """Notes every pool that headgate.yml does not name."""
    names = list(known)
    for one in every:
        if one.pool and one.pool not in names:
            what = f"there is no pool {one.pool!r}{nearest(one.pool, names)}"
            fix = f"write pools: {{{one.pool}: 2}} into headgate.yml, or name one that is there"
            notes.error("unknown-pool", what, one.pool_at or "", fix)


def threads(notes: Notes, node: Node | None) -> int:
    """How many steps may be carried out at once; one where nothing is said."""
    text = fields.text(notes, node, "threads") if node is not None else None
    if node is None or text is None:
        return 1
    if text.isdecimal() and 1 <= int(text) <= MOST_THREADS:
        return int(text)
    _bad(notes, "threads", text, f"a number from 1 to {MOST_THREADS}", node.where, "threads: 4")
    return 1


def tags(notes: Notes, node: Node | None) -> tuple[str, ...]:
    """One tag or a list of them, as `tag:` of a selection names them."""
    found = fields.texts(notes, node, "tags") if node is not None else ()
    for tag in found or ():
        if not _TAG.fullmatch(tag):
            assert node is not None
            fix = "write a word without blanks and , : + @ * ? [ ]"
            notes.error("bad-value", f"{tag!r} can't be a tag: no selection could name it", node.where, fix)
    return tuple(dict.fromkeys(found or ()))


def _seconds(notes: Notes, node: Node, what: str) -> float | None:
    """A length of time above zero: `500ms`, `1s`, `10m`, `2h`."""
    text = fields.text(notes, node, what)
    if text is None:
        return None
    millis = _MILLIS.fullmatch(text.strip())
    try:
        seconds = float(Decimal(millis[1]) / 1000 if millis else duration(text))
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        notes.error("bad-value", f"{what} is a length of time, not {text!r}", node.where, f"write {what}: 10m")
        return None
    return seconds


def _retries(notes: Notes, node: Node) -> Retries | None:
    """`retries: 3` attempts, or a mapping."""
    if isinstance(node, Scalar):
        attempts = _attempts(notes, node)
        return Retries(attempts) if attempts else None
    given = fields.mapping(notes, node, "retries")
    if given is None:
        return None
    fields.known(notes, given, RETRIES, "retries")
    readers: dict[str, Callable[[Notes, Node], Any]] = {
        "attempts": _attempts,
        "wait": lambda notes, node: _seconds(notes, node, "wait"),
        "backoff": _backoff,
        "max": lambda notes, node: _seconds(notes, node, "max"),
        "jitter": _jitter,
    }
    made = {key: readers[key](notes, value) for key in RETRIES if (value := given.get(key)) is not None}
    if "attempts" not in made:
        what = "retries: does not say how many attempts there are"
        notes.error("missing-key", what, given.where, "write retries: {attempts: 3}")
        return None
    said = {key: value for key, value in made.items() if value is not None}
    wait, most = said.get("wait", Retries.wait), said.get("max")
    if most is not None and most < wait:
        what = "max is shorter than the first wait"
        notes.error("bad-value", what, given.where, "write a longer max, or a shorter wait")
    return Retries(**{**said, "max": most if most is not None else max(Retries.max, wait)})


def _attempts(notes: Notes, node: Node) -> int | None:
    text = fields.text(notes, node, "attempts")
    if text is None:
        return None
    if text.isdecimal() and 1 <= int(text) <= MOST_ATTEMPTS:
        return int(text)
    _bad(notes, "attempts", text, f"a number from 1 to {MOST_ATTEMPTS}", node.where, "attempts: 3")
    return None


def _backoff(notes: Notes, node: Node) -> float | None:
    text = fields.text(notes, node, "backoff")
    if text is None or (_NUMBER.fullmatch(text) and float(text) >= 1):
        return float(text) if text is not None else None
    _bad(notes, "backoff", text, "a number from 1: what a wait is multiplied by for the next one", node.where,
         "backoff: 2")  # fmt: skip
    return None


def _jitter(notes: Notes, node: Node) -> float | None:
    text = fields.text(notes, node, "jitter")
    if text is None:
        return None
    share = _SHARE.fullmatch(text)
    if share is not None and Decimal(share[1]) <= 100:
        return float(Decimal(share[1]) / 100)
    _bad(notes, "jitter", text, "a share from 0% to 100%", node.where, "jitter: 20%")
    return None


def _bad(notes: Notes, key: str, text: str, what: str, where: Location, fix: str) -> None:
    notes.error("bad-value", f"{key} is {what}, not {text!r}", where, f"write {fix}")

"""Which models are published together, from the groups that YAML files name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headgate.core.errors import nearest
from headgate.project.fields import Notes
from headgate.project.model import PublishGroup
from headgate.project.modeltests import GroupEntry, ModelEntry


def groups(
    notes: Notes, entries: Sequence[GroupEntry], models: Mapping[str, ModelEntry], known: Iterable[str]
) -> tuple[PublishGroup, ...]:
    """The groups that are published together, each model in one of them at most; everything wrong is noted.

    `models`: what YAML files say of models; `known`: the names of all models, in lower case.
    """
    seen: dict[str, GroupEntry] = {}
    for entry in entries:
        if seen.setdefault(entry.name.lower(), entry) is not entry:
            what = f"group {entry.name!r} is described twice, first at {seen[entry.name.lower()].where}"
            notes.error("duplicate-key", what, entry.where, "keep one of the two")
    made = [_made(notes, entry, models, set(known)) for entry in seen.values() if entry.together]
    _once(notes, made)
    return tuple(made)


def _made(notes: Notes, entry: GroupEntry, models: Mapping[str, ModelEntry], known: set[str]) -> PublishGroup:
    if entry.members is None:
        mine = [one.name for one in models.values() if (one.group or "").lower() == entry.name.lower()]
        if not mine:
            what = f"group {entry.name!r} is published together, and no model is in it"
            fix = f"write group: {entry.name} for its models, or list them: publish_together: [orders, lines]"
            notes.error("missing-key", what, entry.where, fix)
        return PublishGroup(entry.name, tuple(sorted(mine)), entry.where)
    for item in entry.members:
        if item.text.lower() not in known:
            what = f"there is no model {item.text!r}{nearest(item.text, known)}"
            notes.error("unknown-model", what, item.where, f"write models/{item.text}.sql, or take it off the list")
    return PublishGroup(entry.name, tuple(dict.fromkeys(item.text for item in entry.members)), entry.where)


def _once(notes: Notes, made: Sequence[PublishGroup]) -> None:
    holder: dict[str, PublishGroup] = {}
    for group in made:
        for name in group.models:
            other = holder.setdefault(name.lower(), group)
            if other is not group:
                what = f"model {name!r} is published together with two groups: {other.name!r} and {group.name!r}"
                notes.error("duplicate-key", what, group.where, "make one group of them, or take it off one list")

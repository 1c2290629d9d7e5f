"""Models that are published together are one step of a run: their order among all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from graphlib import CycleError, TopologicalSorter

from headgate.core.errors import Finding, Location, ProjectError
from headgate.core.records import dataclass
from headgate.project.model import PublishGroup


@dataclass(frozen=True)
class Groups:
    """`order`: every model, inputs first, the models of one group in a row. `members`: of each group, in that order.
    `of`: the group of each model that has one."""

    order: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)

    def mates(self, name: str) -> tuple[str, ...]:
        """The models that are published with this one, itself among them."""
        return self.members[self.of[name]] if name in self.of else (name,)


def groups(declared: Sequence[PublishGroup], order: Sequence[str], inputs: Mapping[str, Sequence[str]]) -> Groups:
    """The order of all models. `order`: the models, inputs first; `inputs`: what each of them reads.

    Raises ProjectError `group-cycle` where a group would have to be published before a model that it reads.
    """
    names = {name.lower(): name for name in order}
    of = {names[one.lower()]: group.name for group in declared for one in group.models}
    members = {group.name: tuple(name for name in order if of.get(name) == group.name) for group in declared}
    # A step is a group or a model alone; the two may have the same name.
    steps = {name: (of[name], True) if name in of else (name, False) for name in order}
    needs: dict[tuple[str, bool], set[tuple[str, bool]]] = {step: set() for step in steps.values()}
    for name in order:
        needs[steps[name]] |= {steps[one] for one in inputs[name] if one in steps} - {steps[name]}
    try:
        sorted_steps = _sorted(needs)
    except CycleError as error:
        raise _cycle([name for name, _ in reversed(error.args[1])], declared) from error
    placed = [one for name, several in sorted_steps for one in (members[name] if several else (name,))]
    return Groups(tuple(placed), members, of)


def _sorted(needs: Mapping[tuple[str, bool], set[tuple[str, bool]]]) -> list[tuple[str, bool]]:
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    found: list[tuple[str, bool]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return found


def _cycle(names: Sequence[str], declared: Sequence[PublishGroup]) -> ProjectError:
    places = {group.name: group.where for group in declared}
    where = next((places[name] for name in names if name in places), Location(""))
    what = "a group can't be published at once: it reads what is built from it: " + " -> ".join(names)
    fix = "take the models between into the group, or one of its models out of it"
    return ProjectError(Finding("group-cycle", "error", what, str(where), fix, {"cycle": list(names)}))

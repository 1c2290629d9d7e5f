"""The order in which models must run, and what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from headgate.core.errors import Finding, Location, ProjectError
from headgate.core.records import dataclass
from headgate.models.model import Model


@dataclass(frozen=True)
class Graph:
    """Models and the loaded tables that they read. `order`: models only, inputs first, by name among equals."""

    order: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]

    def upstream(self, name: str) -> tuple[str, ...]:
        """All that `name` reads, however far: loaded tables by name, then models in running order."""
        return self._sorted(_reach(name, self.inputs))

    def downstream(self, name: str) -> tuple[str, ...]:
        """All models that read `name` (a model or a loaded table), however far, in running order."""
        return self._sorted(_reach(name, self.outputs))

    def _sorted(self, names: set[str]) -> tuple[str, ...]:
        models = set(self.order)
        return (*sorted(names - models), *(name for name in self.order if name in names))


def graph(models: Iterable[Model]) -> Graph:
    """The graph of compiled models. Raises ProjectError `model-cycle` that names the cycle with file and line."""
    known = {model.name: model for model in models}
    inputs = {name: known[name].inputs for name in sorted(known)}
    outputs: dict[str, list[str]] = {}
    for name, sources in inputs.items():
        for source in sources:
            outputs.setdefault(source, []).append(name)
    order = tuple(name for name in _order(inputs, known) if name in known)
    return Graph(order, inputs, {name: tuple(users) for name, users in outputs.items()})


def _order(inputs: Mapping[str, tuple[str, ...]], known: Mapping[str, Model]) -> list[str]:
    sorter = TopologicalSorter(inputs)
    try:
        sorter.prepare()
    except CycleError as error:
        # graphlib lists it from input to user; a reader follows it from a model to what it reads
        raise _cycle(list(reversed(error.args[1])), known) from error
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def _cycle(names: list[str], known: Mapping[str, Model]) -> ProjectError:
    hops = list(pairwise(names))
    places = [f"{_place(known[user], source)}: {user} reads {source}" for user, source in hops]
    first = str(_place(known[hops[0][0]], hops[0][1]))
    finding = Finding(
        "model-cycle",
        "error",
        "models read each other in a circle: " + " -> ".join(names),
        first,
        "Remove one of these references: " + "; ".join(places),
        {"cycle": names},
    )
    return ProjectError(finding)


def _place(model: Model, source: str) -> Location:
    """Where the model first names one of its inputs."""
    return dict(zip(model.inputs, model.places, strict=True))[source]


def _reach(name: str, edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything that can be reached from `name`, without `name` itself."""
    found: set[str] = set()
    todo = list(edges.get(name, ()))
    while todo:
        item = todo.pop()
        if item not in found:
            found.add(item)
            todo.extend(edges.get(item, ()))
    return found

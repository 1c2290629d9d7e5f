"""The project as steps in order: loads by their references, then models by what they read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from headgate.core.errors import Finding, ProjectError, nearest
from headgate.models.compile import compile_models
from headgate.models.context import Settings, Target
from headgate.models.graph import Graph, graph
from headgate.models.macros import library
from headgate.models.model import Model, ModelContract, ModelSource
from headgate.project.model import ModelFile, Project
from headgate.run.flow import Flow, make_flow
from headgate.run.groups import Groups, groups
from headgate.run.split import flow_of


@dataclass(frozen=True)
class Pipeline:
    """Everything that a run may do, in the order in which it does it."""

    flows: tuple[Flow, ...]
    models: tuple[Model, ...]
    graph: Graph
    groups: Groups

    def select(self, names: Sequence[str]) -> tuple[list[Flow], list[Model]]:
        """The steps named (all without a name), the models that a named model reads, and those that are published
        together with one of them. Raises ProjectError."""
        if not names:
            return list(self.flows), list(self.models)
        known = {flow.name for flow in self.flows} | {model.name for model in self.models}
        lists = {str(table).lower(): flow.name for flow in self.flows for table in flow.tables}
        aliases = (
            lists | {name.lower(): name for name in known} | {str(one.target).lower(): one.name for one in self.models}
        )
        wanted = [aliases.get(name.lower()) or aliases.get(f"main.{name.lower()}", name) for name in names]
        for name in wanted:
            if name not in known:
                raise _unknown(name, known)
        chosen = self._closed(wanted)
        return (
            [flow for flow in self.flows if flow.name in wanted],
            [model for model in self.models if model.name in chosen],
        )

    def _closed(self, names: Sequence[str]) -> set[str]:
        """Every model that must be built for these."""
        chosen: set[str] = set()
        todo = set(self.graph.select(names))
        while todo - chosen:
            chosen |= todo
            todo = set(self.graph.select([mate for name in chosen for mate in self.groups.mates(name)]))
        return chosen

    def units(self, models: Sequence[Model]) -> list[tuple[Model, ...]]:
        """The models, those that are published together in one tuple."""
        found: dict[tuple[str, ...], list[Model]] = {}
        for model in models:
            found.setdefault(self.groups.mates(model.name), []).append(model)
        return [tuple(unit) for unit in found.values()]

    def flow(self, table: str) -> Flow:
        """The flow that fills the table through the gate: a load, or a model with a contract.

        Raises ProjectError `unknown-step`.
        """
        splits = [flow_of(model) for model in self.models if model.split is not None]
        for flow in (*self.flows, *splits):
            if flow.name == table:
                return flow
        raise _unknown(table, [flow.name for flow in (*self.flows, *splits)])


def assemble(project: Project, temp: Path, engine: str) -> Pipeline:
    """The project's pipeline. Raises ProjectError for cycles and for models that do not compile."""
    flows = [make_flow(ingest, project.root, temp) for ingest in project.ingests]
    sources = [_source(file, project.root) for file in project.models]
    target = Target(project.profile, "main", project.warehouse.kind)
    settings = Settings(project.vars, target, library(project.macros))
    loaded = [table for flow in flows for table in flow.tables]
    models = compile_models(sources, loaded, engine, settings, project.sql_tests)
    shape = graph(models)
    by_name = {model.name: model for model in models}
    together = groups(project.groups, shape.order, shape.inputs)
    return Pipeline(tuple(_in_order(flows)), tuple(by_name[name] for name in together.order), shape, together)


def _source(file: ModelFile, root: Path) -> ModelSource:
    split = ModelContract(file.split.contract, file.split.where, file.split.places) if file.split else None
    return ModelSource(
        file.name, file.path.relative_to(root), file.text, file.folder, file.tests, split, file.unit_tests
    )


def _in_order(flows: Sequence[Flow]) -> Iterable[Flow]:
    by_name = {flow.name: flow for flow in flows}
    holder = {str(table): flow.name for flow in flows for table in flow.tables}
    needs = {
        flow.name: {holder[name] for name in _referenced(flow) if name in holder} - {flow.name}
        for flow in sorted(flows, key=lambda one: one.name)
    }
    try:
        return [by_name[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        cycle = error.args[1]
        raise ProjectError(
            Finding(
                "reference-cycle",
                "error",
                f"tables refer to each other in a circle: {' -> '.join(cycle)}",
                str(by_name[cycle[0]].ingest.where or cycle[0]),
                "take one reference out of the contracts, or make it a test of a model",
            )
        ) from None


def _referenced(flow: Flow) -> set[str]:
    if flow.contract is None:
        return set()
    return set(flow.contract.targets)


def _unknown(name: str, known: Iterable[str]) -> ProjectError:
    return ProjectError(
        Finding(
            "unknown-step",
            "error",
            f"the project has no table or model {name!r}{nearest(name, known)}",
            name,
            "see what there is: headgate plan",
        )
    )

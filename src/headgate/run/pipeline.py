"""The project as steps in order: loads by their references, models by what they read, tasks where they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.compile import compile_models
from headgate.models.context import Settings, Target
from headgate.models.graph import Graph, graph
from headgate.models.macros import library
from headgate.models.model import Model, ModelContract, ModelSource
from headgate.models.python.function import CodeHome
from headgate.project.model import ModelFile, Project, StepSettings, Task
from headgate.run.errand import Home
from headgate.run.flow import Flow, make_flow
from headgate.run.groups import Groups, groups
from headgate.run.selector import Node, Selection, States, Web
from headgate.run.wiring import Wires, arranged, conditions, node_of, wires

Unit = tuple[Flow, ...] | tuple[Model, ...] | tuple[Task, ...]
"""A load, a model, the models that are published together, or a task."""


@dataclass(frozen=True)
class Chosen:
    """The steps that are meant, each kind in its order."""

    flows: list[Flow]
    models: list[Model]
    tasks: list[Task]

    @property
    def count(self) -> int:
        return len(self.flows) + len(self.models) + len(self.tasks)


@dataclass(frozen=True)
class Made:
    """A table that models can read. `loaded`: its rows name the entry that wrote them."""

    table: TableRef
    loaded: bool


@dataclass(frozen=True)
class Pipeline:
    """Everything that a run may do, in the order in which it does it."""

    flows: tuple[Flow, ...]
    models: tuple[Model, ...]
    graph: Graph
    groups: Groups
    settings: Mapping[str, StepSettings]
    """By step, how it is to be run."""
    tasks: tuple[Task, ...] = ()
    wires: Wires = field(default_factory=dict)
    """By step, what it waits for because tasks say so."""
    home: Home = field(default_factory=Home)
    pools: Mapping[str, int] = field(default_factory=dict)
    """How many steps of each pool are carried out at once."""
    parts: tuple[str, ...] = ()
    """Ephemeral models, which stand within the queries of others."""

    @cached_property
    def web(self) -> Web:
        """All steps as what can be chosen of them."""
        made = [_load_node(flow) for flow in self.flows] + [_model_node(model) for model in self.models]
        made += [node_of(task) for task in self.tasks]
        nodes = [replace(node, tags=(*node.tags, *self.settings[node.id].tags)) for node in made]
        steps: list[Flow | Model | Task] = [*self.flows, *self.models, *self.tasks]
        return Web(tuple(nodes), {step.name: frozenset(self.needs(step)) for step in steps}, self.parts)

    @cached_property
    def made(self) -> dict[str, Made]:
        """By name, what models can read."""
        loads = {str(table): Made(table, True) for flow in self.flows for table in flow.tables}
        return loads | {one.name: Made(one.target, one.split is not None) for one in self.models}

    @cached_property
    def _holder(self) -> dict[str, str]:
        """By loaded table, a child table too, the load that fills it."""
        return {str(table): flow.name for flow in self.flows for table in flow.tables}

    def needs(self, step: Flow | Model | Task) -> list[str]:
        """The steps whose tables it reads or refers to, and those that it waits for because tasks say so."""
        named = () if isinstance(step, Task) else step.inputs if isinstance(step, Model) else step.needs
        found = dict.fromkeys(self._holder.get(name, name) for name in named)
        return [name for name in (*found, *self.wires.get(step.name, ())) if name != step.name]

    def select(self, selection: Selection, states: States | None = None) -> tuple[list[Flow], list[Model]]:
        """The loads and models of `choose`."""
        found = self.choose(selection, states)
        return found.flows, found.models

    def choose(self, selection: Selection, states: States | None = None) -> Chosen:
        """The steps that are meant, and the models that are published together with one of them; where one of these is
        left out, all are. Raises ProjectError."""
        chosen = selection.chosen(self.web, states)
        out = Selection((), selection.exclude).chosen(self.web, states)
        together = {mate for name in chosen for mate in self.groups.mates(name)}
        models = {name for name in together if all(mate in out for mate in self.groups.mates(name))}
        return Chosen(
            [flow for flow in self.flows if flow.name in chosen],
            [model for model in self.models if model.name in models],
            [task for task in self.tasks if task.name in chosen],
        )

    def arrange(self, chosen: Chosen) -> list[Unit]:
        """The chosen steps in the order of a run: loads, models, tasks, but each behind what it needs."""
        units: list[Unit] = [*((flow,) for flow in chosen.flows), *self.units(chosen.models)]
        if not self.tasks:
            return units
        units += [(task,) for task in chosen.tasks]
        made: dict[str, int] = {step.name: number for number, unit in enumerate(units) for step in unit}

        needs = [{made[need] for step in unit for need in self.needs(step) if need in made} for unit in units]
        return [units[at] for at in arranged([unit[0].name for unit in units], needs)]

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
        from headgate.run.split import flow_of

        splits = [flow_of(model) for model in self.models if model.split is not None]
        for flow in (*self.flows, *splits):
            if flow.name == table:
                return flow
        raise _unknown(table, [flow.name for flow in (*self.flows, *splits)])


def assemble(project: Project, temp: Path, engine: str) -> Pipeline:
    """The project's pipeline. Raises ProjectError for cycles and for models that do not compile."""
    flows = [make_flow(ingest, project.root, temp) for ingest in project.ingests]
    if any(flow.ingest.reads is not None for flow in flows):
        from headgate.run.bronze import linked

        flows = linked(flows, project.root, temp)
    sources = [_source(file, project.root, temp) for file in project.models]
    target = Target(project.profile, "main", project.warehouse.kind)
    settings = Settings(project.vars, target, library(project.macros))
    loaded = [table for flow in flows for table in flow.tables]
    models = compile_models(sources, loaded, engine, settings, project.sql_tests)
    shape = graph(models)
    by_name = {model.name: model for model in models}
    together = groups(project.groups, shape.order, shape.inputs)
    ordered = tuple(by_name[name] for name in together.order)
    parts = tuple(source.name for source in sources if source.name not in by_name)
    made = Pipeline(
        tuple(_in_order(flows)), ordered, shape, together, _settings(project), pools=project.pools, parts=parts
    )
    return _wired(replace(made, home=Home(project.root, temp, project.vars)), project)


def _wired(pipeline: Pipeline, project: Project) -> Pipeline:
    """The pipeline with its tasks. *Errors*: ProjectError for words, conditions and circles that make no sense."""
    asked = {name: one.when for name, one in pipeline.settings.items() if one.when is not None}
    if not project.tasks and not asked:
        return pipeline
    here = (project.warehouse.kind, project.warehouse.address)
    tasks = tuple(
        replace(task, connection=None) if task.connection and here == (task.connection.kind, task.connection.address)
        else task
        for task in project.tasks
    )  # fmt: skip
    pipeline = replace(pipeline, tasks=tasks)
    whole = replace(pipeline, wires=wires(pipeline.web, project.tasks))
    if problems := conditions(whole.web, asked):
        raise ProjectError(*problems)
    whole.arrange(Chosen(list(whole.flows), list(whole.models), list(whole.tasks)))
    return whole


def _settings(project: Project) -> dict[str, StepSettings]:
    """What each step says itself, and the project's word where it says nothing."""
    said = {str(one.table): one.settings for one in project.ingests}
    said |= {one.name: one.settings for one in project.models}
    said |= {one.name: one.settings for one in project.tasks}
    every = project.settings
    return {
        name: replace(own, timeout=own.timeout or every.timeout, retries=own.retries or every.retries)
        for name, own in said.items()
    }


def _source(file: ModelFile, root: Path, temp: Path) -> ModelSource:
    split = ModelContract(file.split.contract, file.split.where, file.split.places) if file.split else None
    return ModelSource(
        file.name,
        file.path.relative_to(root),
        file.text,
        file.folder,
        file.tests,
        split,
        file.unit_tests,
        CodeHome(root, temp) if file.path.suffix == ".py" else None,
    )


def _load_node(flow: Flow) -> Node:
    path = flow.ingest.where.path if flow.ingest.where else ""
    folders = _folders(path.split("/")[1:-1], flow.table.schema)
    names = (name for table in flow.tables for name in _names(str(table), table))
    return Node(flow.name, "load", tuple(dict.fromkeys(names)), folders, path)


def _model_node(model: Model) -> Node:
    path = model.path.as_posix()
    folders = _folders(path.split("/")[1:-1], model.target.schema)
    names = _names(model.name, model.target)
    return Node(model.name, "model", names, folders, path, model.tags, model.materialized)


def _names(name: str, table: TableRef) -> tuple[str, ...]:
    """The step's own name, that of its table, and that alone where its schema need not be said."""
    short = (table.name,) if table.schema == "main" else ()
    return tuple(dict.fromkeys(one.lower() for one in (name, str(table), *short)))


def _folders(parts: Sequence[str], schema: str) -> tuple[str, ...]:
    """`gold`, `gold.daily` of a file in gold/daily, and the schema."""
    dotted = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return tuple(dict.fromkeys(one.lower() for one in (*dotted, schema)))


def _in_order(flows: Sequence[Flow]) -> Iterable[Flow]:
    by_name = {flow.name: flow for flow in flows}
    holder = {str(table): flow.name for flow in flows for table in flow.tables}
    needs = {
        flow.name: {holder[name] for name in flow.needs if name in holder} - {flow.name}
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

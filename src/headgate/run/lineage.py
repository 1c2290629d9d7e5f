"""The lineage of a project: from columns of files through tables and models to what reads them outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from headgate.adapters.files.shape import DOCUMENT
from headgate.books import ledger
from headgate.contracts.children import Kin, contracts
from headgate.core.errors import Finding, Location, ProjectError, nearest
from headgate.core.protocols import StoreSession
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models.lineage import Forgetful, Kept, Surroundings, judged, settled, trace_models
from headgate.models.model import Model
from headgate.project.exposures import Dependency, Exposure
from headgate.run.change import same_code
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline
from headgate.sql.lineage import flow as way
from headgate.sql.lineage.known import Dialect, Known, Macro, Traced
from headgate.sql.lineage.walk import Lineage

TableKind = Literal["file", "table", "model", "exposure", "external"]
_MACROS = """
    SELECT function_name, parameters, macro_definition, function_type = 'table_macro' FROM duckdb_functions()
    WHERE NOT internal AND function_type IN ('macro', 'table_macro') AND macro_definition IS NOT NULL
    ORDER BY ALL
"""


@dataclass(frozen=True)
class ProjectLineage:
    """`kinds` by table: what it is. `exposures` by their name. `findings`: what they depend on and is not there."""

    lineage: Lineage
    kinds: Mapping[str, TableKind]
    exposures: Mapping[str, Exposure]
    findings: tuple[Finding, ...] = ()

    def kind(self, table: str) -> TableKind:
        return self.kinds.get(table, "external")


def lineage_of(
    pipeline: Pipeline,
    exposures: Sequence[Exposure],
    session: StoreSession,
    dialect: Dialect,
    kept: Kept | None = None,
    gone: Mapping[str, tuple[str, ...]] | None = None,
) -> ProjectLineage:
    """Everything that is known of where columns come from and go to. Nothing is executed but look-ups of columns.

    `gone`: columns that models had before an edit, so that it is seen who reads them still.
    *Errors*: findings `unknown-table`, `no-such-column` for what an exposure depends on and is not there.
    """
    tables: dict[str, Traced] = {}
    kinds: dict[str, TableKind] = {}
    loaded: dict[object, Known] = {}
    taken = {model.name for model in pipeline.models} | {one.name for one in pipeline.flows}
    for one in pipeline.flows:
        origin = _origin(one, taken)
        columns = _columns(one, session)
        tables[one.name] = _loaded(one, origin, columns)
        kinds |= {one.name: "table"} if one.bronze is not None else {origin: "file", one.name: "table"}
        loaded[one.table] = Known(one.name, columns, more=not columns)
        for kin, made in _lines(one, origin, tables[one.name].rows):
            name, listed = kin.child.table, tuple(column for column, _ in kin.columns)
            tables[name], kinds[name] = made, "table"
            loaded[TableRef.parse(name)] = Known(name, listed)
    around = Surroundings(
        dialect,
        {table: loaded[table] for one in pipeline.flows for table in one.tables},
        lambda model: built_columns(session, model),
        _macros(session, dialect),
        kept or Forgetful(),
        gone or {},
    )
    in_order = {model.name: model for model in pipeline.models}
    models = [in_order[name] for name in pipeline.graph.order]
    tables |= trace_models(models, around)
    kinds |= {model.name: "model" for model in models}
    names = Named(pipeline, Lineage(tables))
    findings: list[Finding] = []
    labels = {}
    for exposure in exposures:
        label = exposure.name if exposure.name not in kinds else f"{exposure.name} (exposure)"
        tables[label] = _exposed(exposure, names, findings)
        kinds[label], labels[label] = "exposure", exposure
    return ProjectLineage(Lineage(tables), kinds, labels, tuple(findings))


def _origin(flow: Flow, taken: Iterable[str]) -> str:
    """What a load reads, as its file says it."""
    if flow.bronze is not None:
        return flow.bronze.name
    source = flow.ingest.source
    said = next((str(source.options[key]) for key in ("path", "function") if source.options.get(key)), source.kind)
    return said if said not in taken else f"{said} ({source.kind})"


def _columns(flow: Flow, session: StoreSession) -> tuple[str, ...]:
    """The columns that models see of a loaded table; none where nobody knows them yet."""
    stands = session.columns(flow.table)
    if stands is None:
        stands = list(flow.columns(flow.contract)) if flow.contract is not None else []
    return tuple(name for name, _ in stands if not name.startswith("_hg_"))


def _loaded(flow: Flow, origin: str, columns: tuple[str, ...]) -> Traced:
    """What a load makes its table of: the file's columns, and those that decide which records are loaded."""
    read = Traced((), frozenset([way.Flow(origin, way.SAME, "identity")]), frozenset())
    there = frozenset([way.Flow(origin, way.ROWS, "rows")])
    if flow.contract is not None:
        made = judged(flow.contract, read)
        sources = {one.name: one.source for one in flow.contract.columns}
    else:  # its types are taken from the data, and records that do not fit them are refused
        deciding = frozenset(way.Flow(origin, name, "filter") for name in columns)
        made = replace(read, rows=deciding or frozenset([way.Flow(origin, way.ANY, "filter")]))
        sources = {}
    load, by_name = flow.ingest.load, dict(made.columns)
    beside = [*load.previous, *(load.history.latest if load.history is not None else ())]
    shown = tuple((name, by_name[column]) for column, name in beside if column in by_name)
    made = replace(made, columns=(*made.columns, *shown))
    chosen = [*load.keys, *([load.order_by] if load.order_by else [])]
    keyed = {way.Flow(origin, sources.get(name, name), "filter") for name in chosen}
    if load.deleted_if:
        keyed |= {way.Flow(origin, way.ANY, "filter")}
    made = replace(made, rows=made.rows | there | keyed | _judging_lines(flow, origin))
    if flow.bronze is not None and flow.kind in ("json", "ndjson"):
        made = _from_documents(made, origin)
    return settled(made, columns) if columns else made


def _judging_lines(flow: Flow, origin: str) -> frozenset[way.Flow]:
    """What lines inside of a record have to do with whether it is loaded."""
    if flow.contract is None or not flow.contract.children:
        return way.NOTHING
    lists = {way.Flow(origin, child.source, "filter") for child in flow.contract.children}
    rules = [rule for _, inner in contracts(flow.contract) for rule in inner.references]
    held = {way.Flow(rule.to_table, to, "filter") for rule in rules for to in rule.to_columns}
    return frozenset(lists | held | {way.Flow(rule.to_table, way.ROWS, "rows") for rule in rules})


def _lines(flow: Flow, origin: str, rows: way.Flows) -> Iterator[tuple[Kin, Traced]]:
    """What a load makes its child tables of: the record's key, and the list that they are in."""
    family = flow.children
    for kin in family:
        outermost = kin
        while outermost.above is not None:
            outermost = family[outermost.above]
        sources = {one.name: one.source for one in flow.contract.columns} if flow.contract is not None else {}
        keys = {here: way.Flow(origin, sources.get(key, key), "identity") for key, here in kin.key}
        own = way.Flow(origin, outermost.child.source, "transformation")
        columns = tuple((name, frozenset([keys.get(name, own)])) for name, _ in kin.columns)
        yield kin, Traced(columns, None, rows)


def _from_documents(made: Traced, origin: str) -> Traced:
    """The same, where what is called columns are keys of the one column that was landed."""

    def whole(flows: way.Flows) -> way.Flows:
        return frozenset(
            way.Flow(origin, DOCUMENT, "transformation" if one.kind in way.DIRECT else one.kind)
            if one.table == origin and one.column not in (way.ROWS, way.ANY)
            else one
            for one in flows
        )

    columns = tuple((name, whole(flows)) for name, flows in made.columns)
    return replace(
        made, columns=columns, rest=whole(made.rest) if made.rest is not None else None, rows=whole(made.rows)
    )


def built_columns(session: StoreSession, model: Model) -> tuple[str, ...]:
    """The columns that the warehouse has of a model as it is written now; none where it was not built from this."""
    last = ledger.last_build(session, model.target)
    if last is None or not same_code(last.facts, model):
        return ()
    stands = session.columns(model.target) or []
    return tuple(name for name, _ in stands if not name.startswith("_hg_"))


def _macros(session: StoreSession, dialect: Dialect) -> tuple[Macro, ...]:
    """The macros that users made in the warehouse."""
    if dialect != "duckdb":
        return ()
    rows = session.execute(_MACROS)
    return tuple(Macro(name, tuple(given or ()), text, table) for name, given, text, table in rows)


# -- names -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """Finds tables and columns by what people write."""

    pipeline: Pipeline
    lineage: Lineage

    def table(self, text: str) -> str | None:
        """The table of this name: a model, `schema.name`, or whatever else has a lineage. Case does not count."""
        folded = text.casefold()
        aliases = {str(model.target).casefold(): model.name for model in self.pipeline.models}
        aliases |= {name.casefold(): name for name in self.lineage.tables}
        short = [name for name in self.lineage.tables if name.rpartition(".")[2].casefold() == folded]
        return aliases.get(folded) or (short[0] if len(short) == 1 else None)

    def split(self, text: str, where: Location | str, strict: bool = True) -> tuple[str, str | None]:
        """Table and column of `table`, `table.column`; None for a table alone. The longest table's name counts.

        Without `strict` the column need not be there.
        *Errors*: ProjectError `unknown-table`, `no-such-column` with what is near.
        """
        whole = self.table(text)
        if whole is not None:
            return whole, None
        for at in range(len(text) - 1, 0, -1):
            table = self.table(text[:at]) if text[at] == "." else None
            if table is not None:
                return table, self.column(table, text[at + 1 :], where) if strict else text[at + 1 :]
        what = f"there is no table, model or exposure {text!r}{nearest(text, self.lineage.tables)}"
        raise ProjectError.of("unknown-table", what, where, "see what there is: headgate lineage")

    def whole(self, text: str) -> str | None:
        """The table of `table` or `table.column`; None where there is none."""
        try:
            return self.split(text, "", strict=False)[0]
        except ProjectError:
            return None

    def column(self, table: str, text: str, where: Location | str) -> str:
        """The column as its table spells it. Raises ProjectError `no-such-column`."""
        known = self.lineage.columns(table)
        found = self.lineage.node(table, text).column
        traced = self.lineage.tables.get(table)
        if found in known or traced is None or traced.rest is not None:
            return found
        what = f"{table} has no column {text!r}{nearest(text, known)}"
        raise ProjectError.of("no-such-column", what, where, "name one of " + ", ".join(known))


def _exposed(exposure: Exposure, names: Named, findings: list[Finding]) -> Traced:
    """What an exposure reads, as the rows of a table without columns."""
    flows: set[way.Flow] = set()
    for one in exposure.depends_on:
        try:
            table, column = names.split(one.table, one.where, strict=False)
        except ProjectError as error:
            findings += error.findings
            continue
        flows.add(way.Flow(table, way.ROWS, "rows"))
        for name in _read(one, names, (table, column), findings):
            flows.add(way.Flow(table, name, "identity"))
    return Traced((), None, frozenset(flows))


def _read(one: Dependency, names: Named, said: tuple[str, str | None], findings: list[Finding]) -> list[str]:
    """The columns that are read; all of them where none is named."""
    table, column = said
    if column is not None or one.columns:
        read = []
        for name in [*([column] if column else []), *one.columns]:
            try:
                read.append(names.column(table, name, one.where))
            except ProjectError as error:
                findings += error.findings
                read.append(name)  # it was there once: who reads it is told when it goes
        return read
    traced = names.lineage.tables[table]
    return [*names.lineage.columns(table), *([way.ANY] if traced.rest is not None else [])]

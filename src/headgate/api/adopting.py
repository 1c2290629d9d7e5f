"""`headgate adopt`: a table that somebody else made gets books."""

from __future__ import annotations

from headgate.api.results import AdoptResult
from headgate.books.ledger import Entry
from headgate.contracts.evolution import phrase
from headgate.core.errors import Finding, ProjectError, nearest
from headgate.core.protocols import Store
from headgate.core.values import TableRef
from headgate.run.adopt import Wanted, adopt
from headgate.run.flow import Flow
from headgate.run.pipeline import Pipeline


def adopted(store: Store, pipeline: Pipeline, table: str, wanted: Wanted) -> AdoptResult:
    """Adopts the table and tells what became of its rows. *Errors*: ProjectError `unknown-table`; those of `adopt`."""
    flow = _flow(pipeline, table)
    entries = adopt(store, flow, wanted)
    first, facts = entries[0], entries[0].facts
    waiting = 0 if wanted.source == "seen" else len([one for one in flow.source.partitions({}) if one.name])
    return AdoptResult(
        flow.name,
        wanted.author,
        "" if wanted.trial else str(first.id),
        wanted.trial,
        first.rows_read,
        first.rows_loaded,
        first.rows_quarantined,
        facts.get("reasons", {}),
        tuple(phrase(change) for change in facts.get("changes", ())),
        tuple(facts.get("sql", ())),
        len(entries) - 1,
        sum(entry.rows_skipped for entry in entries),
        waiting,
        tuple(_warnings(first)),
    )


def _flow(pipeline: Pipeline, table: str) -> Flow:
    wanted = str(TableRef.parse(table)).lower()
    names = [flow.name for flow in pipeline.flows]
    found = next((flow for flow in pipeline.flows if flow.name.lower() == wanted), None)
    if found is None:
        what = f"no ingest file loads a table {table!r}{nearest(table, names)}"
        fix = "write one first: it says what the table's rows must be, and where the next ones come from"
        raise ProjectError(Finding("unknown-table", "error", what, table, fix))
    return found


def _warnings(entry: Entry) -> list[Finding]:
    return [
        Finding(
            "rule-warning", "warning", f"{rows:,} rows break {rule}", entry.table_name, "", {"rule": rule, "rows": rows}
        )
        for rule, rows in entry.facts.get("warnings", {}).items()
    ]

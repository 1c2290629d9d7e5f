"""The contract of a table in any form, and what changed between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headgate.api.results import ContractChange, ContractDiff, ContractText
from headgate.contracts import diff, render
from headgate.contracts.model import Child, Contract
from headgate.core.errors import ContractError, Finding, ProjectError, nearest
from headgate.core.protocols import StoreSession
from headgate.core.values import TableRef
from headgate.gate.scan import RECORD
from headgate.project import contractfile, ingest, yaml
from headgate.project.fields import Notes
from headgate.run import landing
from headgate.run.flow import Flow, typed
from headgate.run.learned import as_known

FORMS = ("short", "odcs", "json-schema")


def shown(flow: Flow, session: StoreSession, form: str) -> ContractText:
    """The contract of a flow as text of one of FORMS. *Errors*: ContractError `no-types`, ProjectError `usage`."""
    contract = of_flow(flow, session)
    findings: Sequence[Finding] = contract.notes
    if form == "odcs":
        from headgate.contracts.odcs import write as odcs

        text = odcs.text(odcs.document(contract, flow.name))
    elif form == "json-schema":
        from headgate.contracts.json_schema import write as schemas

        found, notes = schemas.schema(contract, flow.name)
        text, findings = schemas.text(found), (*contract.notes, *notes, *map(_not_carried, contract.children))
    else:
        text = render.render(contract)
    return ContractText(flow.name, form, text, tuple(findings))


def _not_carried(child: Child) -> Finding:
    what = f"the lines of {child.table} are not in the text: a schema is written of the record's own columns"
    return Finding("not-written", "warning", what, str(child.where or ""))


def of_flow(flow: Flow, session: StoreSession) -> Contract:
    """The contract as the next load would judge by it; types from the books where the ingest file has none."""
    flow = as_known(session, flow)
    if flow.contract is not None:
        return flow.contract
    known = landing.known(session, flow)
    if known is None:
        what = f"the types of {flow.name} are taken from its first load, which was not yet"
        raise ContractError.of("no-types", what, flow.ingest.where or flow.name, f"headgate run {flow.name}")
    if flow.ingest.land == "raw":
        return replace(known, columns=tuple(one for one in known.columns if one.name != RECORD))
    return typed(flow, known)


def flow_of(flows: Sequence[Flow], name: str) -> Flow | None:
    """The flow that loads the table of this name."""
    wanted = str(TableRef.parse(name)).lower()
    return next((flow for flow in flows if flow.name.lower() == wanted), None)


def of_file(path: Path, shown_as: str, table: str) -> Contract:
    """The contract in a file: an ingest file, or one of a kind that its name tells.

    *Errors*: HeadgateError of the reader; ProjectError `unknown-format` for a suite, which has no types.
    """
    kind = contractfile.kind_of(shown_as)
    if kind is not None:
        found = contractfile.open_file(path, shown_as, kind, table)
        assert isinstance(found, Contract)
        return found
    notes = Notes()
    node = yaml.read(contractfile.read_text(path, shown_as), shown_as) if path.suffix in (".yml", ".yaml") else None
    if isinstance(node, yaml.Mapping) and node.get("columns") is not None:
        entry = ingest.read(notes, node, node.where, path.parent)
        if entry is not None and entry.contract is not None and not notes.findings:
            return entry.contract
    if notes.findings:
        raise ProjectError(*notes.findings)
    fix = f"name an ingest file with columns:, or a file that ends in {', '.join(contractfile.SUFFIXES)}"
    raise ProjectError.of("unknown-format", f"{shown_as} holds no contract with types", shown_as, fix)


def compared(
    old: tuple[str, Contract], new: tuple[str, Contract], table: TableRef, fail_on: str | None
) -> ContractDiff:
    """What changed from one contract to the other."""
    changes = diff.compare(old[1], new[1], table)
    verdict = diff.overall(changes)
    listed = tuple(ContractChange(one.what, one.column, one.verdict, one.sql) for one in changes)
    return ContractDiff(old[0], new[0], verdict, fail_on is not None and verdict == fail_on, listed)


def unknown(name: str, flows: Sequence[Flow]) -> ProjectError:
    """The error about a name that is neither a file nor a table."""
    names = [flow.name for flow in flows]
    what = f"{name!r} is no file, and no table of the project{nearest(name, names)}"
    return ProjectError(
        Finding("unknown-step", "error", what, name, "name a contract's file, or a table: headgate plan")
    )

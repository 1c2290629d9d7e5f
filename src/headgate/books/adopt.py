"""A table that somebody else made gets books: its rows stay where they are, and become those of the first entry.

What its contract refuses goes to the quarantine, or keeps the table from being adopted. Rows, refused records, columns,
entries and positions change in one transaction; no accepted row is written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from headgate.books import evolve, ledger, quarantine, tables
from headgate.books.commit import claim_seats, in_transaction, settled
from headgate.books.evolve import Edit, Evolution
from headgate.books.history import HASH_COLUMN
from headgate.books.ledger import DATA, Counts, Entry, dumps
from headgate.books.record import rows_by_entry
from headgate.books.work import LOAD_COLUMN, Committed, Outcome, Part
from headgate.books.write import pin, shape
from headgate.contracts.evolution import Standing
from headgate.core.clock import stamp
from headgate.core.errors import AdapterError, CommitError, ContractError, Finding, InternalError
from headgate.core.faults import fault
from headgate.core.protocols import Promise, StoreSession, Takeover
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote

FIRST = 1
"""The entry that the adopted rows name."""
ADOPTED = "adopted"
"""In the position of a partition whose rows the table had before: which of them are its own is not known."""


class Judgement(Protocol):
    """What the gate knows of the rows that stand in the table."""

    def judge(self, session: StoreSession) -> Mapping[int, Counts]: ...

    def refused(self, session: StoreSession) -> quarantine.Refused: ...

    def digests(self) -> str:
        """SELECT, for the engine, of `_hg_row` and the digest of each version; "" where the table has none."""
        ...


class Gate(Protocol):
    """Makes the judgement of the table's rows, within the transaction that holds them."""

    def __call__(self, takeover: Takeover, found: Evolution, rows: int) -> Judgement: ...


@dataclass(frozen=True)
class Adoption:
    """What is to be adopted, and how.

    `edit`: the contract that the table is to keep, and how far its columns may follow. `parts`: what of its source
    counts as read already, numbered from 1. `quarantine`: rows that break the contract go there; else one of them keeps
    the table as it is. `deletes`: loads of this kind take rows away. `lookups`: columns by which rows will be found.
    `trial`: all of it is done, told and undone. `versions`: rows are versions of a history, of which none may go.
    """

    table: TableRef
    edit: Edit
    gate: Gate
    parts: tuple[Part, ...] = ()
    quarantine: bool = False
    deletes: bool = False
    lookups: tuple[tuple[str, ...], ...] = ()
    pin: str = ""
    trial: bool = False
    versions: bool = False


class _Undone(Exception):
    """The end of a trial."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        super().__init__()
        self.entries = entries


def adopt(session: StoreSession, work: Adoption) -> tuple[Entry, ...]:
    """The entries of the adopted table: the first about its rows, one for each part.

    *Guarantee*: all of it or nothing; killed anywhere, the table is as it was, or has books that balance.
    *Errors*: CommitError `adopt-known`, `adopt-missing`, `adopt-unfit`, `contract-misfit`, `evolve-required`,
    `evolve-lossy`; ContractError `adopt-refused`, `refuse-limit`; AdapterError `needed-by`.
    """
    if not work.trial:
        outcome = settled(session, work.table, lambda: _inside(session, work))
        if not isinstance(outcome, Committed):
            raise _known(work.table)
        return outcome.entries

    def tried() -> Outcome:
        outcome = _inside(session, work)
        assert isinstance(outcome, Committed)
        raise _Undone(outcome.entries)

    try:
        in_transaction(session, tried, lambda made: False)
    except _Undone as undone:
        return undone.entries
    raise AssertionError("a trial ends by being undone")


def _inside(session: StoreSession, work: Adoption) -> Outcome:
    table, takeover = work.table, session.takeover(work.table)
    must_be_new(session, table)
    tables.register(session, str(table))
    fault("after_begin")
    takeover.hold()
    reason = takeover.unfit()
    if reason is not None:
        raise unfit(table, *reason)
    found = _planned(session, work)
    _must_be_fit(takeover, work)
    before = shape(session, table)
    rows = _count(session, table)
    judgement = work.gate(takeover, found, rows)
    counts = judgement.judge(session).get(0, Counts())
    fault("after_stage")
    _must_be_allowed(work, counts, takeover.promises())
    fault("after_decide")
    refused = judgement.refused(session)
    quarantine.insert(session, refused, table, work.edit.attempt, DATA, 0)
    _change(session, takeover, work, found, counts.quarantined, judgement.digests())
    for columns in ((LOAD_COLUMN,), *work.lookups):
        session.lookup(table, columns)
    entries = _entries(session, work, replace(counts, read=rows), _details(session, work, found, before))
    _close(session, work, entries, rows)
    return Committed(tuple(entries))


def must_be_new(session: StoreSession, table: TableRef) -> None:
    """Raises CommitError `adopt-known`, `adopt-missing`, `adopt-unfit` unless a table stands there without books."""
    if ledger.table_state(session, table) is not None:
        raise _known(table)
    standing = session.standing(table)
    if not standing:
        what, fix = f"the warehouse has no table {table} to adopt", f"make it: headgate run {table}"
        raise CommitError(Finding("adopt-missing", "error", what, str(table), fix))
    if standing == "view":
        raise unfit(table, "it is a view", "make a table of its rows, and adopt that one")


def _planned(session: StoreSession, work: Adoption) -> Evolution:
    """How the columns will follow the contract. None is dropped, whatever the policy says of edits."""
    have = [
        Standing(name, kind, session.engine_type(kind))
        for name, kind in session.columns(work.table) or []
        if name not in work.edit.beside
    ]
    own = [one.name for one in have if one.name.lower().startswith("_hg_")]
    if own:
        raise unfit(work.table, f"it has a column {own[0]!r} already", "drop or rename it: names with _hg_ are our own")
    why = session.unfit(work.table, [column.name for column in work.edit.contract.columns])
    if why is not None:
        raise AdapterError.of("name-unfit", why, str(work.table), "choose another name")
    edit = replace(work.edit, policy=replace(work.edit.policy, missing="freeze"))
    try:
        return evolve.planned(session, work.table, edit, have)
    except CommitError as error:
        raise _misfit(error.finding, have, work) from None


def _misfit(finding: Finding, have: Sequence[Standing], work: Adoption) -> CommitError:
    """The same for a table that can't be loaded anew: what its contract must say."""
    known = {column.name.lower() for column in work.edit.contract.columns}
    lines = ", ".join(f"{one.name} ({one.stored})" for one in have if one.name.lower() not in known)
    fix = f"write these columns into the contract: {lines}" if lines else "let the contract say what the table has"
    if finding.code == "evolve-required":
        fix = "add it without required, fill it, and require it then"
    cases = [word for word in finding.evidence.get("cases", ()) if word != "missing"]
    if cases:
        fix += f"; or let the table follow: evolution: {{{', '.join(f'{word}: evolve' for word in cases)}}}"
    return CommitError(replace(finding, fix=fix))


def _must_be_fit(takeover: Takeover, work: Adoption) -> None:
    why = takeover.exchanges()
    if work.deletes and why:
        fix = "make the table anew without it (CREATE TABLE ... AS): the contract says what is unique"
        raise unfit(work.table, why, fix)
    promises = takeover.promises()
    referred = [one for one in promises if one.kind == "referred"]
    if work.deletes and referred:
        what = f"loads of this kind take rows away, and a foreign key refers to them: {referred[0].text}"
        raise unfit(work.table, what, "drop the foreign key: a contract's references(...) says the same of its table")
    unsaid = [one for one in promises if not _said(one, work)]
    if unsaid:
        what = "; ".join(f"{', '.join(one.columns) or 'it'} is {one.text}" for one in unsaid)
        word = "required" if unsaid[0].kind == "required" else "unique"
        fix = f"say it in the contract, too ({word}), so that a record that breaks it is refused and not the whole load"
        raise unfit(work.table, what, fix)


def _said(promise: Promise, work: Adoption) -> bool:
    """Whether the contract refuses what the table would: only of checks and foreign keys that can't be told."""
    contract, columns = work.edit.contract, {name.lower() for name in promise.columns}
    if promise.kind == "required":
        needed = {column.name.lower() for column in contract.columns if column.required or column.key}
        return columns <= needed
    if promise.kind == "unique":
        known = [{name.lower() for name in rule.columns} for rule in contract.uniques]
        known += [{name.lower() for name in names} for names in work.lookups]
        return any(one and one <= columns for one in known)
    return True


def _must_be_allowed(work: Adoption, counts: Counts, promises: Sequence[Promise]) -> None:
    refused, table = counts.quarantined, work.table
    if not refused or (work.trial and not work.quarantine and not work.versions):
        return
    reasons = counts.details.get("reasons", {})
    told = ", ".join(f"{name} {rows:,}" for name, rows in sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
    evidence = {"read": counts.read, "refused": refused, "reasons": dict(reasons)}
    what = f"{refused:,} of {counts.read:,} rows of {table} break its contract ({told})"
    if work.versions:
        fix = "mend them or the contract: a version that goes to the quarantine would leave a hole in its history"
    else:
        fix = "mend them or the contract, or have them moved to the quarantine: add --quarantine"
    if work.versions or not work.quarantine:
        raise ContractError(
            Finding("adopt-refused", "error", f"{what}; nothing was changed", str(table), fix, evidence)
        )
    limit = work.edit.contract.refuse_at_most
    if limit is not None and limit.exceeded(refused, counts.read):
        what += ", more than its refuse_at_most allows; nothing was changed"
        raise ContractError(
            Finding("refuse-limit", "error", what, str(table), "mend the rows or the contract", evidence)
        )
    referred = [one for one in promises if one.kind == "referred"]
    if referred:
        what = f"rows would go to the quarantine, and a foreign key refers to them: {referred[0].text}"
        raise unfit(table, what, "mend the rows, or drop the foreign key")


def _change(
    session: StoreSession, takeover: Takeover, work: Adoption, found: Evolution, refused: int, digests: str
) -> None:
    """Takes the refused rows away and lets the columns follow, in the order that the store can do it in."""
    table = work.table
    gone = f"""SELECT record FROM _headgate.quarantine
               WHERE table_name = {quote.literal(str(table))} AND entry = {FIRST}"""
    staying = f"SELECT *, CAST({FIRST} AS BIGINT) AS {LOAD_COLUMN} FROM ({takeover.rows()}) AS held"
    staying += f" WHERE _hg_row NOT IN ({gone})" if refused else ""
    evolve.must_fit(session, table, found, work.edit.attempt, staying)
    struck = takeover.strike(gone) if refused and takeover.strikes_first else 0
    if digests and takeover.strikes_first:
        takeover.fill(HASH_COLUMN, session.bring(digests, f"hg_{work.edit.attempt}_digests"))
    takeover.mark(LOAD_COLUMN, FIRST)
    if found.changes:
        session.alter(table, found.statements, any(one.case not in ("new", "renamed") for one in found.changes))
    if refused and not takeover.strikes_first:
        struck = takeover.strike(gone)
    if digests and not takeover.strikes_first:
        takeover.fill(HASH_COLUMN, session.bring(digests, f"hg_{work.edit.attempt}_digests"))
    if struck != refused:
        raise _unbalanced(work, f"{refused} rows were refused, {struck} were taken away")


def _details(session: StoreSession, work: Adoption, found: Evolution, before: list[list[str]]) -> Mapping[str, Any]:
    details: dict[str, Any] = {"columns": shape(session, work.table)}
    if found.changes:
        changes = [change.to_json() for change in found.changes]
        details |= {"changes": changes, "sql": list(found.statements), "columns_before": before}
    if work.pin:
        details["pinned"] = ledger.fingerprint(work.pin)
    return details


def _entries(session: StoreSession, work: Adoption, counts: Counts, details: Mapping[str, Any]) -> list[Entry]:
    """The sealed entries, measured: the rows that stand and those in quarantine by scans of both."""
    table, rows = str(work.table), rows_by_entry(session, work.table).get(FIRST, 0)
    found = session.execute(
        "SELECT count(*) FROM _headgate.quarantine WHERE table_name = ? AND entry = ?", [table, FIRST]
    )
    quarantined = int(found[0][0])
    if counts.read != rows + quarantined or quarantined != counts.quarantined:
        what = f"{counts.read} rows stood in the table, {rows} stand there now, {quarantined} are in quarantine"
        raise _unbalanced(work, what)
    said = {name: value for name, value in counts.details.items() if value}
    whole = Part(0, "", None, 1, {}, {ADOPTED: counts.read}, counts.read)
    first = _entry(work, whole, dumps({**said, **details}), rows)
    made = [
        replace(first, rows_loaded=rows, rows_inserted=rows, rows_quarantined=quarantined, rows_before=0).sealed("")
    ]
    for part in work.parts:
        skips = dumps({"skips": {ADOPTED: part.records}} if part.records else {})
        made.append(replace(_entry(work, part, skips, rows), rows_skipped=part.records).sealed(made[-1].digest))
    return made


def _entry(work: Adoption, part: Part, details: str, rows: int) -> Entry:
    return Entry(
        str(work.table),
        FIRST + part.number,
        str(work.table),
        DATA,
        part.partition,
        part.generation,
        part.seq,
        work.edit.attempt,
        "adopt",
        stamp(),
        dumps(part.start),
        dumps(part.end),
        rows_read=part.records,
        rows_before=rows,
        rows_after=rows,
        details=details,
        contract=work.edit.contract.digest(),
        author=work.edit.author,
    )


def _close(session: StoreSession, work: Adoption, entries: Sequence[Entry], rows: int) -> None:
    table, digest = str(work.table), work.edit.contract.digest()
    whole = Part(0, "", None, 1, {}, {ADOPTED: rows}, rows)
    if not claim_seats(session, table, DATA, [whole, *work.parts]):
        raise RuntimeError("a seat moved of a table that had no books")
    ledger.insert_entries(session, entries)
    session.execute(
        "UPDATE _headgate.table_state SET version = ?, contract = ? WHERE table_name = ?",
        [entries[-1].id, digest, table],
    )
    if work.pin:
        pin(session, work.table, digest, work.pin)


def _known(table: TableRef) -> CommitError:
    what, fix = f"{table} has books already", f"see them: headgate ledger {table}"
    return CommitError(Finding("adopt-known", "error", what, str(table), fix))


def _count(session: StoreSession, table: TableRef) -> int:
    return int(session.execute(f"SELECT coalesce(sum(1), 0) FROM {quote.table(table)}")[0][0])


def unfit(table: TableRef, why: str, fix: str) -> CommitError:
    """A table that can't have books as it is."""
    what = f"{table} can't be adopted: {why}; nothing was changed"
    return CommitError(Finding("adopt-unfit", "error", what, str(table), fix))


def _unbalanced(work: Adoption, what: str) -> InternalError:
    fix = "see that nobody else writes into it, and report it otherwise: a defect of Headgate"
    return InternalError(Finding("books-unbalanced", "error", f"{what}; nothing was committed", str(work.table), fix))

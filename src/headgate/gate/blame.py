"""Which condition of a contract it was that the engine could not evaluate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from headgate.core.errors import AdapterError, ContractError, Finding, HeadgateError, Location
from headgate.core.protocols import Session
from headgate.core.values import Batch
from headgate.gate.scan import Scan
from headgate.sql import quote

_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![\w.])-?\d[\w.,:+-]*")


@contextmanager
def blaming(scan: Scan, table: str, places: Mapping[str, Location]) -> Iterator[None]:
    """Makes an error of the engine that a condition of the contract causes a ContractError `rule-failed`, and one that
    a file causes, because it can't be read, an AdapterError `corrupt-file`.

    `places` maps `rules.<name>` and `skip.<name>` to where they are written. Leave it outside of any transaction: the
    conditions are tried again, one by one. Every other error passes as it is.
    """
    try:
        yield
    except HeadgateError:
        raise
    except Exception as error:
        broken = _unreadable(scan) if _of_data(error) else None
        if broken is not None:
            raise broken from error
        finding = _culprit(scan, table, places)
        if finding is None:
            raise
        raise ContractError(finding) from error


def _of_data(error: Exception) -> bool:
    """Whether the engine may have stopped over what it read: not over another transaction, nor over the user."""
    kind = type(error)
    return "duckdb" in kind.__module__ and kind.__name__ not in ("TransactionException", "InterruptException")


def _unreadable(scan: Scan) -> HeadgateError | None:
    """The first file whose columns can't even be read."""
    found = (unreadable(scan.session, span.batch) for span in scan.spans)
    return next((error for error in found if error is not None), None)


def unreadable(session: Session, batch: Batch) -> HeadgateError | None:
    """AdapterError `corrupt-file` where reading or grouping the values of the file, and nothing else, fails; None where
    it works. (What a file says of its values, and the engine plans by, may be wrong: grouping shows it.)

    Only of files that are read in place: any other is taken apart by Headgate itself.
    """
    if not batch.rescan or not batch.location or not batch.columns:
        return None
    names = [quote.ident(column.name) for column in batch.columns]
    try:
        session.execute(f"SELECT {' + '.join(f'count({name})' for name in names)} FROM ({batch.relation}) AS src")
        for name in names:
            session.execute(f"SELECT {name}, count(*) FROM ({batch.relation}) AS src GROUP BY 1 LIMIT 1")
    except HeadgateError:
        raise
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(": ")
        fix = "have the file delivered again (nothing of it was loaded), then run again"
        return AdapterError.of("corrupt-file", f"the file can't be read: {said}", batch.location, fix)
    return None


def _culprit(scan: Scan, table: str, places: Mapping[str, Location]) -> Finding | None:
    """The first condition that fails where merely reading its columns does not."""
    every = " + ".join(f"count({quote.ident(column.name)})" for column in scan.contract.columns) or "count(*)"
    if not scan.spans or _error(scan, f"SELECT {every} FROM ({scan.sql}) AS scan") is not None:
        return None
    for kind, name, sql, where in _conditions(scan, places):
        error = _error(scan, f"SELECT count(*) FROM ({scan.sql}) AS scan WHERE ({sql})")
        if error is not None:
            return _finding(kind, name, error, str(where or table))
    return None


def _conditions(scan: Scan, places: Mapping[str, Location]) -> Iterator[tuple[str, str, str, Location | None]]:
    for rule in scan.contract.rows:
        name = rule.code if rule.column is None else f"{rule.column}.{rule.code}"
        yield (
            "rule",
            name,
            rule.sql,
            places.get(f"rules.{rule.code}", rule.where) if rule.column is None else rule.where,
        )
    for name, sql in scan.contract.skips:
        yield "skip", name, sql, places.get(f"skip.{name}", scan.contract.where)
    if scan.deleted_if:
        yield "load", "deleted_if", scan.deleted_if, places.get("load.deleted_if")


def _error(scan: Scan, sql: str) -> Exception | None:
    try:
        scan.session.execute(sql)
    except Exception as error:
        return error
    return None


def _finding(kind: str, name: str, error: Exception, where: str) -> Finding:
    return Finding(
        "rule-failed",
        "error",
        f"{kind} {name!r} can't be evaluated for some record; nothing was loaded. The engine says: {said(error)}",
        where,
        "write it so that it gives true, false or NULL for every record: try_cast(x as int) instead of cast(x as int)",
        {"rule": name},
    )


def said(error: Exception) -> str:
    """The engine's message without the value that it stumbled over: values of records stay out of messages."""
    text = str(error).strip()
    return _VALUES.sub("...", text.splitlines()[0]) if text else type(error).__name__

"""One SELECT on the warehouse as an answer."""

from __future__ import annotations

from headgate.api.results import QueryResult
from headgate.core.errors import Finding, ProjectError
from headgate.core.protocols import StoreSession

_FIX = (
    'give one SELECT; see the tables: headgate query "SELECT table_schema, table_name FROM information_schema.tables"'
)


def query_result(session: StoreSession, sql: str, limit: int | None) -> QueryResult:
    """The rows of one statement. Raises ProjectError `query-failed`, with the system's words about the user's text."""
    try:
        found = session.answer(sql, limit)
    except Exception as error:
        what = str(error).strip() or type(error).__name__
        raise ProjectError(Finding("query-failed", "error", what, sql.strip()[:200], _FIX)) from None
    return QueryResult.of(found.columns, found.rows, found.total)

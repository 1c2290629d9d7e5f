"""Views that read a table, taken down before it is replaced and put up again over its successor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from headgate.core.errors import AdapterError
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.adapters.postgres.session import PostgresSession

_READERS = """
WITH RECURSIVE reader(oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = ?::regclass AND r.ev_class <> d.refobjid
    UNION
    SELECT r.ev_class, reader.depth + 1 FROM reader
    JOIN pg_depend AS d ON d.refobjid = reader.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    WHERE r.ev_class <> reader.oid)
SELECT n.nspname, c.relname, c.relkind::text, pg_get_viewdef(c.oid), max(reader.depth)
FROM reader JOIN pg_class AS c ON c.oid = reader.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
GROUP BY n.nspname, c.relname, c.relkind, c.oid ORDER BY max(reader.depth), n.nspname, c.relname"""


@dataclass(frozen=True)
class View:
    """A view and the SELECT that it shows."""

    ref: TableRef
    select: str
    grants: tuple[str, ...] = ()


TRIES = 5


def drop(session: PostgresSession, table: TableRef, kind: Literal["table", "view"]) -> list[View]:
    """Drops the relation after the views that read it; returns these. Again where another session came in between.

    *Errors*: AdapterError `needed-by` where something else holds on to it.
    """
    from psycopg import errors

    for _ in range(TRIES):
        session.execute("SAVEPOINT hg_drop")
        try:
            made = take_down(session, table)
            session.execute(f"DROP {kind.upper()} {quote.table(table)}")
            session.execute("RELEASE SAVEPOINT hg_drop")
            return made
        except (errors.DependentObjectsStillExist, errors.UndefinedTable, errors.InternalError_) as error:
            why = " ".join((error.diag.message_detail or str(error)).split())
            session.execute("ROLLBACK TO SAVEPOINT hg_drop")
    what = f"{table} is to be replaced, and something in the database needs it: {why}"
    raise AdapterError.of("needed-by", what, str(table), "drop what needs it first, and make it again after")


def take_down(session: PostgresSession, table: TableRef) -> list[View]:
    """Drops every view that reads the relation, directly or through others; returns them, nearest first.

    *Errors*: AdapterError `needed-by` where a materialized view reads it: its rows could not be brought back.
    """
    found = session.execute(_READERS, [quote.table(table)])
    for schema, name, kind, *_ in found:
        if kind != "v":
            what = f"the materialized view {schema}.{name} reads {table}, which is to be replaced"
            raise AdapterError.of("needed-by", what, str(table), f"drop {schema}.{name} first, and make it again after")
    refs = [(TableRef(row[0], row[1]), row[3]) for row in found]
    made = [View(ref, select, tuple(grants(session, ref))) for ref, select in refs]
    for view in reversed(made):
        session.execute(f"DROP VIEW {quote.table(view.ref)}")
    return made


def grants(session: PostgresSession, table: TableRef) -> list[str]:
    """The statements that give others the rights on this name which they have on the table now."""
    found = session.execute(
        """SELECT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,
                  g.privilege_type, g.is_grantable
           FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS g LEFT JOIN pg_roles AS r ON r.oid = g.grantee
           WHERE c.oid = CAST(? AS regclass) AND g.grantee <> c.relowner AND (g.grantee = 0 OR r.oid IS NOT NULL)
           ORDER BY 1, 2""",
        [quote.table(table)],
    )
    option = {True: " WITH GRANT OPTION", False: ""}
    return [f"GRANT {what} ON {quote.table(table)} TO {role}{option[passes]}" for role, what, passes in found]


def guarded(session: PostgresSession, table: TableRef, statement: str) -> None:
    """Runs a statement that changes the relation. Raises AdapterError `needed-by` where something holds on to it."""
    from psycopg import errors

    try:
        session.execute(statement)
    except (errors.DependentObjectsStillExist, errors.FeatureNotSupported) as error:
        why = " ".join((error.diag.message_detail or str(error)).split())
        what = f"{table} is to be changed, and something in the database needs it: {why}"
        fix = "drop what needs it first, and make it again after"
        raise AdapterError.of("needed-by", what, str(table), fix) from error


def put_up(session: PostgresSession, made: Sequence[View], table: TableRef) -> None:
    """Makes the views again. One that no longer fits stays away if it is a model: its own build makes it anew.

    *Errors*: AdapterError `needed-by` for any other.
    """
    for view in made:
        session.execute("SAVEPOINT hg_view")
        try:
            session.execute(f"CREATE VIEW {quote.table(view.ref)} AS {view.select}")
            for grant in view.grants:
                session.execute(grant)
        except Exception as error:
            trouble = session.trouble(error)
            if trouble is None or trouble.kind != "text":
                raise
            session.execute("ROLLBACK TO SAVEPOINT hg_view")
            known = "SELECT 1 FROM _headgate.table_state WHERE table_name = ?"
            if not session.execute(known, [str(view.ref)]) and not view.ref.schema.startswith("_hg_"):
                what = f"the view {view.ref} reads {table} and does not fit what replaces it: {trouble.message}"
                raise AdapterError.of("needed-by", what, str(table), f"change or drop {view.ref} first") from error
        session.execute("RELEASE SAVEPOINT hg_view")

"""A query in which a relation is replaced by the rows that it stands for."""

from __future__ import annotations

from sqlglot import exp

from headgate.core.values import TableRef
from headgate.sql.lineage.known import Dialect
from headgate.sql.parse import Unparsed, parse


def inlined(sql: str, dialect: Dialect, relation: TableRef, rows: str) -> str:
    """The query with the SELECT `rows` wherever it reads `relation`, under the same alias.

    A text that can't be taken apart stays as it is.
    """
    tree, put = parse(sql, dialect), parse(rows, dialect)
    if isinstance(tree, Unparsed) or isinstance(put, Unparsed) or not isinstance(put, exp.Query):
        return sql
    tree = tree.copy()
    wanted = (relation.schema.casefold(), relation.name.casefold())
    for table in list(tree.find_all(exp.Table)):
        if (table.db.casefold(), table.name.casefold()) == wanted:
            table.replace(put.subquery(table.alias or table.name, copy=True))
    return tree.sql(dialect)

"""The lines of one child table as they are judged, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headgate.contracts.children import Kin
from headgate.contracts.model import Child
from headgate.core.errors import ContractError, Finding, InternalError
from headgate.core.protocols import Session
from headgate.gate import lines as taking
from headgate.gate.bits import Reason
from headgate.gate.lines import DOC, EXTRA, ODD, PART, Lists, Taken, Wanted, place
from headgate.gate.scan import Scan
from headgate.gate.verdict import Verdict
from headgate.sql import quote
from headgate.types.jsonvalue import PHYSICAL as JSON_VALUE


@dataclass
class ChildTable:
    """The lines of one child table. `tables`: where they are kept, each with the type of its inner lists."""

    kin: Kin
    wanted: Wanted
    scan: Scan
    verdict: Verdict
    own: Mapping[str, int]
    """The bits of what is no rule of the contract: a line that is no object, and so on."""
    tables: list[tuple[str, Taken]] = field(default_factory=list)
    not_lists: list[str] = field(default_factory=list)
    """SELECTs of `_hg_doc, _hg_part` and the line (text, or NULL) whose list is none."""
    read: dict[int, int] = field(default_factory=dict)
    """Lines by part, as the lists say."""

    @property
    def lines(self) -> str:
        """SELECT of `_hg_id, _hg_doc, _hg_part`, places, the contract's columns and the words of the mask."""
        return self.scan.sql

    @property
    def path(self) -> str:
        """SQL of the line as reasons call it: 2, or 2.1 for a line inside of line 2."""
        return " || '.' || ".join(f"CAST({place(level)} AS VARCHAR)" for level in range(self.wanted.level + 1))


def by_part(session: Session, name: str) -> dict[int, int]:
    return dict(session.execute(f"SELECT {PART}, count(*) FROM {name} GROUP BY 1"))


def keys_of_first(table: ChildTable, name: str, lists: Lists) -> set[str]:
    """The keys of the first line that has one which nobody asks for."""
    if lists.physical != JSON_VALUE:
        return set(taking.members(lists.physical))
    levels = range(table.wanted.level)
    same = "".join(f" AND n.{place(level)} = o.{place(level)}" for level in levels)
    element = f"json_extract(o.l, '$[' || (n.{place(table.wanted.level)} - 1) || ']')"
    [(keys,)] = table.scan.session.execute(
        f"""SELECT json_keys(CAST({element} AS VARCHAR))
            FROM (SELECT * FROM {name} WHERE {EXTRA} ORDER BY rowid LIMIT 1) AS n
            JOIN ({lists.select}) AS o ON o.{DOC} = n.{DOC}{same} LIMIT 1"""
    )
    return set(keys)


def repeated(table: ChildTable, columns: Sequence[str]) -> str:
    """The lines that have these values in common with another of their list: `_hg_id, _hg_part`."""
    names = [DOC, *(place(level) for level in range(table.wanted.level)), *map(quote.ident, columns)]
    known = " AND ".join(f"{quote.ident(one)} IS NOT NULL" for one in columns)
    listed, same = ", ".join(names), " AND ".join(f"s.{one} = d.{one}" for one in names)
    return f"""SELECT s._hg_id, s.{PART} FROM ({table.lines}) AS s JOIN (
                   SELECT {listed} FROM ({table.lines}) AS s WHERE {known} GROUP BY {listed} HAVING count(*) > 1
               ) AS d ON {same}"""


def documents_of(table: ChildTable) -> str:
    """The records of the lines that broke a rule: `_hg_id, _hg_part`."""
    return f"""SELECT DISTINCT r.{DOC} AS _hg_id, r.{PART} FROM ({table.verdict.records}) AS r
               JOIN {table.verdict.table} AS v ON v._hg_id = r._hg_id"""


def reasons(table: ChildTable) -> Iterator[tuple[int, Reason, str]]:
    """Every reason that some line has, under the names of its table, and the condition on the verdict `v`.

    Of what is no object, nothing else is told.
    """
    bits, name = table.scan.bits, table.kin.child.table
    merged = ", ".join(f"bit_or({word})" for word in bits.mask_columns())
    [words] = table.scan.session.execute(f"SELECT {merged} FROM {table.verdict.table}")
    odd = table.own[ODD]
    for bit, reason in bits.numbered(words):
        columns = [f"{name}.{column}" for column in reason.column.split(", ")] if reason.column else [name]
        alone = "" if bit == odd else f" AND NOT ({bits.any_of([odd], 'v')})"
        yield bit, replace(reason, column=", ".join(columns)), f"({bits.any_of([bit], 'v')}){alone}"


def never_fits(child: Child, wanted: str, physical: str, where: str) -> ContractError:
    return ContractError(
        Finding(
            "type-never-fits",
            "error",
            f"{child.source!r} is to be {wanted} for {child.table}: no value of type {physical} is",
            f"{child.where or ''} against {where}" if where else str(child.where or child.table),
            "correct the child's from:, or take the value as a json column",
        )
    )


def lost_lines(child: Child, rows: int, count: int) -> InternalError:
    return InternalError(
        Finding(
            "parser-disagrees",
            "error",
            f"the lists for {child.table} have {rows} lines, {count} were taken from them; nothing was loaded",
            str(child.where or child.table),
            "report it with the file: this is a defect of Headgate",
        )
    )

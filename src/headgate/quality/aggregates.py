"""Many numbers of one relation in one scan; where one of them can't be computed, the others are found all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from headgate.core.protocols import Session, Trouble

AT_ONCE = 300
"""Numbers that one query asks for: the engine is slow to plan thousands of them."""

Explain = Callable[[BaseException], Trouble | None]


def ask(session: Session, explain: Explain, relation: str, wanted: Sequence[str]) -> list[Any]:
    """The value of each expression over the relation (a SELECT); a Trouble in the place of one that has none.

    `explain` is the session's own `trouble`. An error that is not about the text or a value is raised.
    """
    found: list[Any] = []
    for first in range(0, len(wanted), AT_ONCE):
        found += _some(session, explain, relation, wanted[first : first + AT_ONCE])
    return found


def _some(session: Session, explain: Explain, relation: str, wanted: Sequence[str]) -> list[Any]:
    try:
        ((*values,),) = session.execute(f"SELECT {', '.join(wanted)} FROM ({relation}) AS asked")
    except Exception as error:
        trouble = explain(error)
        if trouble is None or trouble.kind not in ("text", "value"):
            raise
        return [trouble] if len(wanted) == 1 else list(_halves(session, explain, relation, wanted))
    return values


def _halves(session: Session, explain: Explain, relation: str, wanted: Sequence[str]) -> Iterator[Any]:
    middle = len(wanted) // 2
    yield from _some(session, explain, relation, wanted[:middle])
    yield from _some(session, explain, relation, wanted[middle:])

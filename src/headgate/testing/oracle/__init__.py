"""The executable form of SEMANTICS: what a warehouse and its books must look like after any sequence of operations.

Plain Python over lists and dicts: no SQL, and nothing imported from the rest of Headgate. Readable and obviously right
beats fast. Property tests compare the real system with it by `view`.
"""

from headgate.testing.oracle.bench import fix, purge
from headgate.testing.oracle.commits import adjust
from headgate.testing.oracle.evolution import Kept, evolve
from headgate.testing.oracle.judge import Reading, Verdict, judge
from headgate.testing.oracle.laws import check_laws, differences, lines_of, same_state, view
from headgate.testing.oracle.loads import full_refresh, load, replay
from headgate.testing.oracle.model import (
    Call,
    Child,
    Column,
    Contract,
    CrossRule,
    Entry,
    File,
    Flow,
    Limit,
    Malformed,
    Point,
    Position,
    Reason,
    Reference,
    Refusal,
    Refused,
    Rule,
    State,
    Unique,
)
from headgate.testing.oracle.restore import restore
from headgate.testing.oracle.values import NotAccepted, accept, canonical_spelling, written

__all__ = [
    "Call",
    "Child",
    "Column",
    "Contract",
    "CrossRule",
    "Entry",
    "File",
    "Flow",
    "Kept",
    "Limit",
    "Malformed",
    "NotAccepted",
    "Point",
    "Position",
    "Reading",
    "Reason",
    "Reference",
    "Refusal",
    "Refused",
    "Rule",
    "State",
    "Unique",
    "Verdict",
    "accept",
    "adjust",
    "canonical_spelling",
    "check_laws",
    "differences",
    "evolve",
    "fix",
    "full_refresh",
    "judge",
    "lines_of",
    "load",
    "purge",
    "replay",
    "restore",
    "same_state",
    "view",
    "written",
]

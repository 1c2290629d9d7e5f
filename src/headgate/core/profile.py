"""What an engine says of a query that it ran: its operators with time and rows, alike for every engine."""

from __future__ import annotations

from typing import Literal

from headgate.core.records import dataclass

Role = Literal["scan", "join", "cross", "other"]


@dataclass(frozen=True)
class Operator:
    """One operator of a plan. `depth`: how far below the last one, from 0. `about`: the table, keys or conditions.

    `rows` that it gave; `inputs` those that each side of a join gave it (0: not known); `scanned`: rows of a scan that
    were read (None: not known), `filtered`: it leaves rows out by a condition; `estimated`: what the engine expected;
    `seconds` of its own, over all threads. `role` cross: every row of one side with every row of the other.
    """

    depth: int
    name: str
    about: str
    rows: int
    seconds: float
    role: Role = "other"
    estimated: int | None = None
    scanned: int | None = None
    filtered: bool = False
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Profile:
    """One run of a query: `seconds` by the clock, `spilled` bytes that did not fit in memory, operators from the last
    one down, each before those that feed it."""

    seconds: float
    spilled: int
    operators: tuple[Operator, ...]

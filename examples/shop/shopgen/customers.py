"""Customers: the full list on the first day, then one file a day with those who are new or have changed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from shopgen.lines import Line, assemble, csv_line
from shopgen.truth import Kind, Truth

TABLE = "raw.customers"
FIRST, DAYS = date(2026, 6, 1), 30
HEADER = b"id,name,email,country,newsletter,signed_up,updated_at"
COUNTRIES = ("DE", "DE", "DE", "FR", "FR", "ES", "IT", "NL", "BE", "AT", "PL", "NO")
GIVEN = ("Ana", "Jürgen", "Zoë", "Łukasz", "Marie", "Søren", "Paul", "Inés", "Chloé", "Tom", "Mia", "Noah")
FAMILY = ("Müller", "García", "Lefèvre", "Rossi", "de Vries", "Nowak", "O'Neill", "Hansen", "Weiß", "Smith, Jr.")


def _kind(name: str, rate: float, *reasons: tuple[str, str | None], fate: str = "quarantined") -> Kind:
    return Kind(name, TABLE, fate, rate, reasons)


BAD_EMAIL = _kind("e-mail without an @", 0.0002, ("pattern", "email"))
NO_EMAIL = _kind("customer without an e-mail", 0.0001, ("required", "email"))
NO_COUNTRY = _kind("unknown country code", 0.0001, ("in", "country"))
LONG_COUNTRY = _kind("country name where a code belongs", 0.0001, ("type", "country"))
MAYBE = _kind("neither yes nor no", 0.00005, ("type", "newsletter"))
NO_TIME = _kind("change without its time", 0.00005, ("order_by", "updated_at"))
CUT_OFF = _kind("customer line cut off", 0.00005, ("record", None))
NEVER_GOOD = _kind("new customer with a bad e-mail", 0.0001, ("pattern", "email"))
LATE = _kind("older version arrives late", 0.0004, fate="deduplicated")
TWICE = _kind("customer twice in one file", 0.0004, fate="deduplicated")
REPLACED = _kind("replaced by a newer version in the same load", 0.0, fate="deduplicated")
CHANGES = (BAD_EMAIL, NO_EMAIL, NO_COUNTRY, LONG_COUNTRY, MAYBE, NO_TIME, CUT_OFF)
KINDS = (*CHANGES, NEVER_GOOD, LATE, TWICE, REPLACED)


@dataclass(frozen=True)
class Version:
    """A customer as of a moment."""

    id: int
    name: str
    email: str
    country: str
    newsletter: str
    signed_up: str
    updated_at: str

    def line(self) -> bytes:
        return csv_line((str(self.id), *list(self.__dict__.values())[1:]))


@dataclass
class Customers:
    """`known[day]`: how many of the ids 1, 2, 3 ... are good customers by then. `refused`: ids that never got in.

    `doubled`: ids that came late or twice, by kind, once for each time.
    """

    known: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    doubled: dict[Kind, list[int]] = field(default_factory=lambda: {LATE: [], TWICE: []})


def write_customers(folder: Path, rng: random.Random, orders: int, truth: Truth) -> Customers:
    """Writes 30 files; everything that can be wrong with a customer happens to a change of one that got in before."""
    made = Customers()
    state: dict[int, Version] = {}
    earlier: dict[int, Version] = {}
    base, growth = max(200, orders // 15), max(1, orders // 3000)
    plan = _plan(rng, orders)
    for day in range(DAYS):
        lines = []
        for number in range(len(state) + 1, len(state) + 1 + (growth if day else base)):
            state[number] = _newcomer(rng, number, day)
            lines.append(Line(state[number].line()))
        made.known.append(len(state))
        if day == 0:
            lines += _never_good(rng, base * 10, orders, made)
        else:
            lines += _changes(rng, day, made, state, earlier, plan[day], max(2, base // 100))
        name = f"{FIRST + timedelta(day)}.csv"
        (folder / name).write_bytes(assemble(HEADER, lines, name, TABLE, truth))
    truth.facts["customers"] = len(state)
    truth.move(REPLACED, truth.tables[TABLE]["loaded"] - len(state))
    for kind in (LATE, TWICE):
        truth.survivors[kind.name] = [(number, state[number].updated_at) for number in made.doubled[kind]]
    return made


def _plan(rng: random.Random, orders: int) -> list[list[Kind]]:
    """Which faults happen on which day; a version can be late only when some customers have changed."""
    plan: list[list[Kind]] = [[] for _ in range(DAYS)]
    for kind in (*CHANGES, LATE, TWICE):
        days = range(5 if kind is LATE else 1, DAYS)
        for _ in range(kind.count(orders)):
            plan[days[int(rng.random() * len(days))]].append(kind)
    return plan


def _newcomer(rng: random.Random, number: int, day: int) -> Version:
    given, family = GIVEN[int(rng.random() * len(GIVEN))], FAMILY[int(rng.random() * len(FAMILY))]
    signed_up = FIRST + timedelta(day if day else -int(rng.random() * 900))
    return Version(
        number,
        f"{given} {family}",
        f"customer{number}@example.com",
        COUNTRIES[int(rng.random() * len(COUNTRIES))],
        "yes" if rng.random() < 0.4 else "no",
        str(signed_up),
        f"{signed_up} {_clock(rng)}",
    )


def _clock(rng: random.Random) -> str:
    return f"{int(rng.random() * 24):02}:{int(rng.random() * 60):02}:{int(rng.random() * 60):02}"


def _never_good(rng: random.Random, start: int, orders: int, made: Customers) -> list[Line]:
    lines = []
    for number in range(start, start + NEVER_GOOD.count(orders)):
        made.refused.append(number)
        version = replace(_newcomer(rng, number, 0), email=f"customer{number}.example.com")
        lines.append(Line(version.line(), NEVER_GOOD))
    return lines


def _changes(
    rng: random.Random,
    day: int,
    made: Customers,
    state: dict[int, Version],
    earlier: dict[int, Version],
    faults: list[Kind],
    number: int,
) -> list[Line]:
    """The day's changes, faulty ones among them; no customer occurs twice in a file except where that is the fault."""
    late, others = faults.count(LATE), [kind for kind in faults if kind is not LATE]
    assert len(earlier) >= late, "too few customers have changed to send so many older versions"
    resent = [earlier[customer] for customer in rng.sample(sorted(earlier), late)]
    taken = {version.id for version in resent}
    made.doubled[LATE] += sorted(taken)
    pool = rng.sample(range(1, made.known[day - 1] + 1), number + len(others) + late)
    groups = [[Line(version.line(), LATE)] for version in resent]
    for position, customer in enumerate(customer for customer in pool if customer not in taken):
        fault = others[position] if position < len(others) else None
        version = _changed(rng, state[customer], day)
        if fault is not None and fault is not TWICE:
            groups.append([Line(_spoil(fault, version), fault)])
            continue
        earlier[customer], state[customer] = state[customer], version
        made.doubled[TWICE] += [customer] * (fault is TWICE)
        groups.append([Line(version.line(), TWICE)] * (fault is TWICE) + [Line(version.line())])
    rng.shuffle(groups)
    return [line for group in groups for line in group]


def _changed(rng: random.Random, version: Version, day: int) -> Version:
    changed_at = f"{FIRST + timedelta(day)} {_clock(rng)}"
    if rng.random() < 0.5:
        return replace(version, newsletter="no" if version.newsletter == "yes" else "yes", updated_at=changed_at)
    return replace(version, email=f"customer{version.id}.{day}@example.org", updated_at=changed_at)


def _spoil(kind: Kind, version: Version) -> bytes:
    if kind is CUT_OFF:
        return version.line().rsplit(b",", 2)[0]
    spoiled = {
        BAD_EMAIL: {"email": version.email.replace("@", " at ")},
        NO_EMAIL: {"email": ""},
        NO_COUNTRY: {"country": "XX"},
        LONG_COUNTRY: {"country": "Germany"},
        MAYBE: {"newsletter": "maybe"},
        NO_TIME: {"updated_at": ""},
    }
    return replace(version, **spoiled[kind]).line()  # type: ignore[arg-type]

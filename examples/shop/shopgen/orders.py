"""Orders: one gzip CSV a day, with the habits and the faults of a real shop."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shopgen.customers import DAYS, FIRST, Customers
from shopgen.faults import AGAIN, BLANK, DOUBLED, HEADER, OF_REFUSED, SPOILED, TABLE, TEST, TWIN, Order, Spoil
from shopgen.lines import Line, assemble
from shopgen.products import Row
from shopgen.truth import Kind, Truth

STATUSES = ("delivered",) * 12 + ("shipped",) * 4 + ("paid",) * 2 + ("new", "cancelled", "returned")
NOTES = (
    'ring twice, "Smith" is the bell',
    "leave at the door,\nnot at the gate",
    "gift wrapping, please",
    "Grüße an die Kollegen",
    "call before",
)
WEEKDAYS = (1.0, 0.95, 0.95, 1.0, 1.2, 1.5, 1.4)
TWIN_DAY, WINDOWS_DAY, REORDERED_DAY = 16, 12, 21

Spoiled = dict[int, tuple[Kind, Spoil]]


class Plan:
    """Which orders of the month have which fault; every fault takes an order of its own."""

    def __init__(self, rng: random.Random, orders: int, days: list[range]) -> None:
        counts = [(kind, spoil, kind.count(orders)) for kind, spoil in SPOILED]
        others = [kind.count(orders) for kind in (DOUBLED, OF_REFUSED, TEST, BLANK)]
        again = AGAIN.count(orders)
        picks = rng.sample(range(orders), again * 2 + sum(count for *_, count in counts) + sum(others))
        self.again = set([pick for pick in picks if pick < days[-1].start][:again])
        picks = [pick for pick in picks if pick not in self.again]
        self.spoiled: Spoiled = {picks.pop(): (kind, spoil) for kind, spoil, count in counts for _ in range(count)}
        self.doubled, self.of_refused, self.tests, self.blanks = (
            {picks.pop() for _ in range(count)} for count in others
        )
        self.copies = _copies(rng, self, days)


def _copies(rng: random.Random, plan: Plan, days: list[range]) -> dict[int, list[tuple[int, Kind]]]:
    """After which order (by index) a copy of which other order stands."""
    copies: dict[int, list[tuple[int, Kind]]] = {}
    for day in days:
        for index in sorted(plan.doubled & set(day)):
            copies.setdefault(index + int(rng.random() * (day.stop - index)), []).append((index, DOUBLED))
        for index in sorted(plan.again & set(day)):
            copies.setdefault(day.stop + int(rng.random() * (days[-1].stop - day.stop)), []).append((index, AGAIN))
    return copies


def write_orders(
    folder: Path, rng: random.Random, orders: int, customers: Customers, products: list[Row], truth: Truth
) -> None:
    """Writes 30 daily files and one of them again under another name."""
    days = split_days(orders)
    plan = Plan(rng, orders, days)
    made = [
        _order(
            rng, index, day, (index - days[day].start + rng.random()) / len(days[day]), customers.known[day], products
        )
        for day in range(DAYS)
        for index in days[day]
    ]
    for index in plan.of_refused:
        made[index] = replace(made[index], customer_id=str(customers.refused[index % len(customers.refused)]))
    for day in range(DAYS):
        _write_day(folder, day, _lines(made, days[day], plan, truth), truth)


def split_days(orders: int) -> list[range]:
    """The indices of each day's orders; more at the week-end."""
    weights = [WEEKDAYS[(FIRST + timedelta(day)).weekday()] for day in range(DAYS)]
    bounds = [round(orders * sum(weights[:day]) / sum(weights)) for day in range(DAYS + 1)]
    return [range(bounds[day], bounds[day + 1]) for day in range(DAYS)]


def _order(rng: random.Random, index: int, day: int, share: float, customers: int, products: list[Row]) -> Order:
    """A good order, when this `share` of the day's orders is in. A few customers and products have most of them."""
    draw = rng.random
    product = products[int(len(products) * draw() ** 2)]
    quantity = 1 + int(5 * draw() ** 3)
    cents = round(product[3] * 100)
    total = quantity * cents
    second = int(86_400 * share**0.7)
    return Order(
        str(1_000_000 + index),
        f"2026-06-{day + 1:02} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}",
        str(1 + int(customers * draw() ** 2)),
        str(product[0]),
        str(quantity),
        f"{cents // 100}.{cents % 100:02}",
        f"{total // 100}.{total % 100:02}",
        STATUSES[int(len(STATUSES) * draw())],
        "web" if draw() < 0.7 else "app",
        f"2026-07-{1 + int(9 * draw()):02}" if day > 20 else f"2026-06-{day + 2 + int(7 * draw()):02}",
        NOTES[int(len(NOTES) * draw())] if draw() < 0.04 else "",
    )


def _lines(made: list[Order], day: range, plan: Plan, truth: Truth) -> list[Line]:
    lines = []
    for index in day:
        lines.append(_line(made[index], index, plan, truth))
        if index in plan.blanks:
            lines.append(Line(b"", BLANK))
        for original, kind in plan.copies.get(index, ()):
            lines.append(Line(made[original].line(), kind))
    return lines


def _line(order: Order, index: int, plan: Plan, truth: Truth) -> Line:
    if index in plan.spoiled:
        kind, spoil = plan.spoiled[index]
        return Line(spoil(order), kind)
    if index in plan.of_refused:
        return Line(order.line(), OF_REFUSED)
    if index in plan.tests:
        return Line(replace(order, channel="test").line(), TEST)
    truth.facts["cents"] = truth.facts.get("cents", 0) + int(order.amount.replace(".", ""))
    return Line(order.line())


def _write_day(folder: Path, day: int, lines: list[Line], truth: Truth) -> None:
    """One day as gzip without a time stamp. One file has Windows line ends, in one two columns changed places."""
    name = f"{FIRST + timedelta(day)}.csv.gz"
    header, end = HEADER, b"\r\n" if day == WINDOWS_DAY else b"\n"
    if day == REORDERED_DAY:
        header, lines = _reordered(HEADER), [replace(line, data=_reordered(line.data)) for line in lines]
    packed = gzip.compress(assemble(header, lines, name, TABLE, truth, end), compresslevel=4, mtime=0)
    (folder / name).write_bytes(packed)
    if day == TWIN_DAY:
        again = name.replace(".csv", "_again.csv")
        (folder / again).write_bytes(packed)
        truth.planted_file(TWIN, again, sum(line.kind is not BLANK for line in lines))


def _reordered(line: bytes) -> bytes:
    """The line with customer and product exchanged, as that day's header says: read by position, all of it is wrong."""
    parts = line.split(b",", 4)
    if len(parts) == 5:
        parts[2], parts[3] = parts[3], parts[2]
    return b",".join(parts)

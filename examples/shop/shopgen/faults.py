"""What goes wrong with an order, as it happens in life: functions from a good order to the faulty line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shopgen.lines import csv_line
from shopgen.truth import Kind, Reasons

TABLE = "raw.orders"
COLUMNS = (
    "order_id",
    "ordered_at",
    "customer_id",
    "product_id",
    "quantity",
    "unit_price",
    "amount",
    "status",
    "channel",
    "deliver_by",
    "note",
)
HEADER = ",".join(COLUMNS).encode()
UNKNOWN_ID = 90_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the texts of its fields."""

    order_id: str
    ordered_at: str
    customer_id: str
    product_id: str
    quantity: str
    unit_price: str
    amount: str
    status: str
    channel: str
    deliver_by: str
    note: str

    def fields(self) -> tuple[str, ...]:
        return (
            self.order_id,
            self.ordered_at,
            self.customer_id,
            self.product_id,
            self.quantity,
            self.unit_price,
            self.amount,
            self.status,
            self.channel,
            self.deliver_by,
            self.note,
        )

    def line(self) -> bytes:
        return csv_line(self.fields())


Spoil = Callable[[Order], bytes]
MALFORMED: Reasons = (("record", None),)


def _cut_off(order: Order) -> bytes:
    return csv_line(order.fields()[:7])


def _bare_comma(order: Order) -> bytes:
    return csv_line(order.fields()[:-1]) + b",ring, then knock"


def _unclosed(order: Order) -> bytes:
    return csv_line(order.fields()[:-1]) + b',"leave with the neighbour'


def _latin_1(order: Order) -> bytes:
    return csv_line(order.fields()[:-1]) + ",für Frau Müller".encode("latin-1")


def _footer(order: Order) -> bytes:
    return f"-- end of page {int(order.order_id) % 97} --".encode()


def _header(order: Order) -> bytes:
    return HEADER


def _next_year(order: Order) -> bytes:
    return replace(order, ordered_at=_year_later(order.ordered_at), deliver_by=_year_later(order.deliver_by)).line()


def _year_later(day: str) -> str:
    return str(int(day[:4]) + 1) + day[4:]


def _swapped(order: Order) -> bytes:
    return replace(order, amount=order.customer_id, customer_id=order.amount).line()


def _american(order: Order) -> bytes:
    year, month, day = order.deliver_by.split("-")
    return replace(order, deliver_by=f"{month}/{day}/{year}").line()


def _short_date(order: Order) -> bytes:
    year, month, day = order.deliver_by.split("-")
    return replace(order, deliver_by=f"{year}-{int(month)}-{day}").line()


def _wrong_total(order: Order) -> bytes:
    return replace(order, amount=_money(_cents(order.amount) + 100)).line()


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _scientific(order: Order) -> bytes:
    digits = str(_cents(order.amount))
    return replace(order, amount=f"{digits[0]}.{digits[1:]}E{len(digits) - 3}").line()


def _set(**fields: str) -> Spoil:
    return lambda order: replace(order, **fields).line()


def _edit(column: str, edit: Callable[[str], str]) -> Spoil:
    return lambda order: replace(order, **{column: edit(getattr(order, column))}).line()


_UNREADABLE = ("order_id", "ordered_at", "customer_id", "product_id", "quantity", "unit_price", "amount")
_HEADER_REASONS: Reasons = (
    *((("type", column)) for column in _UNREADABLE),
    ("in", "status"),
    ("in", "channel"),
    ("type", "deliver_by"),
)
_FAULTS: tuple[tuple[str, float, Reasons, Spoil], ...] = (
    ("line cut off", 0.0003, MALFORMED, _cut_off),
    ("comma in an unquoted note", 0.0004, MALFORMED, _bare_comma),
    ("quote never closed", 0.0002, MALFORMED, _unclosed),
    ("Latin-1 bytes in a UTF-8 file", 0.0003, MALFORMED, _latin_1),
    ("page footer of an export tool", 0.0001, MALFORMED, _footer),
    ("NUL byte in a number", 0.0001, MALFORMED, _edit("quantity", "{}\0".format)),
    ("header line in the middle", 0.00005, _HEADER_REASONS, _header),
    (
        "unknown customer",
        0.0008,
        (("references", "customer_id"),),
        _edit("customer_id", lambda c: str(UNKNOWN_ID + int(c))),
    ),
    (
        "unknown product",
        0.0005,
        (("references", "product_id"),),
        _edit("product_id", lambda p: str(UNKNOWN_ID + int(p))),
    ),
    ("no customer", 0.0004, (("required", "customer_id"),), _set(customer_id="")),
    ("no amount", 0.0003, (("required", "amount"),), _set(amount="")),
    ("negative amount", 0.0005, (("min", "amount"), ("total_is_right", None)), _edit("amount", "-{}".format)),
    ("total is not quantity times price", 0.0006, (("total_is_right", None),), _wrong_total),
    ("amount and customer swapped", 0.0003, (("type", "customer_id"), ("total_is_right", None)), _swapped),
    ("amount with three decimals", 0.0004, (("type", "amount"),), _edit("amount", "{}5".format)),
    ("amount with a decimal comma", 0.0004, (("type", "amount"),), _edit("amount", lambda a: a.replace(".", ","))),
    ("amount with its currency", 0.0003, (("type", "amount"),), _edit("amount", "{} EUR".format)),
    ("amount is NaN", 0.0002, (("type", "amount"),), _set(amount="NaN")),
    ("amount in scientific notation", 0.0002, (("type", "amount"),), _scientific),
    ("blank before a number", 0.0002, (("type", "quantity"),), _edit("quantity", " {}".format)),
    ("half a piece", 0.0002, (("type", "quantity"),), _edit("quantity", "{}.5".format)),
    ("quantity zero", 0.0003, (("between", "quantity"),), _set(quantity="0", amount="0.00")),
    ("a day that never was", 0.0004, (("type", "deliver_by"),), _set(deliver_by="2026-02-30")),
    ("date the American way", 0.0003, (("type", "deliver_by"),), _american),
    ("date without its zero", 0.0002, (("type", "deliver_by"),), _short_date),
    ("order from the future", 0.0004, (("not_from_the_future", None),), _next_year),
    ("delivered before it was ordered", 0.0003, (("delivered_after_ordered", None),), _set(deliver_by="2026-05-20")),
    ("unknown status", 0.0005, (("in", "status"),), _set(status="shiped")),
    ("note too long", 0.0002, (("type", "note"),), _set(note="please " * 40)),
)
SPOILED = tuple((Kind(name, TABLE, "quarantined", rate, reasons), spoil) for name, rate, reasons, spoil in _FAULTS)
"""Faults that spoil an order in its place."""

DOUBLED = Kind("order twice in one file", TABLE, "quarantined", 0.0006, (("key", "order_id"),))
AGAIN = Kind("order again on a later day", TABLE, "quarantined", 0.0006, (("key", "order_id"),))
OF_REFUSED = Kind("order of a customer who was refused", TABLE, "quarantined", 0.0002, (("references", "customer_id"),))
TEST = Kind("test order", TABLE, "skipped", 0.0008)
TWIN = Kind("file delivered twice", TABLE, "skipped", 0.0)
BLANK = Kind("blank line", TABLE, "no record", 0.0003)
KINDS = (*(kind for kind, _ in SPOILED), DOUBLED, AGAIN, OF_REFUSED, TEST, TWIN, BLANK)

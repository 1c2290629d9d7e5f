"""The shop's truth against a second opinion: the written bytes are split and judged here by other means."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
sys.path.insert(0, str(SHOP))

import generate  # noqa: E402

ORDERS = 3000
FIELD = rb'(?:"(?:[^"]|"")*"(?=,|\r?\n|\Z)|(?!")[^,\r\n]*)'
RECORD = re.compile(FIELD + rb"(?:," + FIELD + rb")*(?:\r?\n|\Z)")
Reasons = list[list[str | None]]
Places = set[tuple[str, int]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    generate.generate(root, ORDERS, seed=7)
    return root / "data"


@pytest.fixture(scope="module")
def truth(shop: Path) -> dict[str, Any]:
    return json.loads((shop / "truth.json").read_text(encoding="utf-8"))


class Record:
    """One record of a file: `row` by column name, or None if it is no record of that header."""

    def __init__(self, number: int, line: int, data: bytes, header: list[str] | None) -> None:
        self.number, self.line = number, line
        try:
            fields = next(csv.reader(data.decode("utf-8").splitlines(keepends=True), strict=True))
        except (UnicodeDecodeError, csv.Error):
            fields = []
        fields = [] if b"\0" in data else fields
        self.fields = fields
        self.row = dict(zip(header, fields, strict=True)) if header and len(fields) == len(header) else None


def records(data: bytes) -> Iterator[Record]:
    """The header (number 0), then every record; a line that begins no record is one, a blank line is none."""
    position, line, number = 0, 1, 0
    header: list[str] | None = None
    while position < len(data):
        match = RECORD.match(data, position)
        end = match.end() if match else data.index(b"\n", position) + 1
        piece = data[position:end]
        if piece.strip(b"\r\n"):
            record = Record(number, line, piece if match else b'"', header)
            header = header or record.fields
            number += 1
            yield record
        line += piece.count(b"\n")
        position = end


def day_files(shop: Path, folder: str) -> Iterator[tuple[str, list[Record]]]:
    for path in sorted((shop / folder).iterdir()):
        data = path.read_bytes()
        yield path.name, list(records(gzip.decompress(data) if path.suffix == ".gz" else data))[1:]


def is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def is_moment(text: str) -> bool:
    return is_day(text[:10]) and re.fullmatch(r"\d\d:\d\d:\d\d", text[11:]) is not None


def is_int(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None


def is_money(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+(\.[0-9]{0,2})?", text) is not None


def cents(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(2, "0"))


ORDER_TYPES = {
    "order_id": is_int,
    "ordered_at": is_moment,
    "customer_id": is_int,
    "product_id": is_int,
    "quantity": is_int,
    "unit_price": is_money,
    "amount": is_money,
    "deliver_by": is_day,
    "note": lambda text: len(text) <= 200,
}
COUNTRIES = {"AT", "BE", "DE", "ES", "FR", "IT", "NL", "NO", "PL"}
STATUSES = {"new", "paid", "shipped", "delivered", "cancelled", "returned"}


def judge_order(row: dict[str, str], day: str) -> tuple[Reasons, dict[str, str]]:
    """Reasons by the row rules of ingest/orders.yml, and the values that convert."""
    reasons: Reasons = []
    good: dict[str, str] = {}
    for column, text in row.items():
        if not text and column != "note":
            reasons.append(["required", column])
        elif text and column in ORDER_TYPES and not ORDER_TYPES[column](text):
            reasons.append(["type", column])
        elif text:
            good[column] = text
    if "quantity" in good and not 1 <= int(good["quantity"]) <= 100:
        reasons.append(["between", "quantity"])
    reasons += [["min", name] for name in ("unit_price", "amount") if name in good and cents(good[name]) < 0]
    reasons += [["in", "status"]] * (good["status"] not in STATUSES)
    reasons += [["in", "channel"]] * (good["channel"] not in {"web", "app"})
    order = list(row)
    reasons.sort(key=lambda reason: order.index(str(reason[1])))
    return reasons + judge_across(good, day), good


def judge_across(good: dict[str, str], day: str) -> Reasons:
    reasons: Reasons = []
    if {"amount", "quantity", "unit_price"} <= good.keys():
        right = cents(good["amount"]) == int(good["quantity"]) * cents(good["unit_price"])
        reasons += [["total_is_right", None]] * (not right)
    if "ordered_at" in good:
        reasons += [["not_from_the_future", None]] * (good["ordered_at"][:10] > day)
    if {"ordered_at", "deliver_by"} <= good.keys():
        reasons += [["delivered_after_ordered", None]] * (good["deliver_by"] < good["ordered_at"][:10])
    return reasons


@pytest.fixture(scope="module")
def judged_customers(shop: Path) -> tuple[dict[str, dict[str, str]], dict[tuple[str, int], Reasons], Places]:
    """The table by id, the refused records, the records that lost against another version."""
    table: dict[str, dict[str, str]] = {}
    refused: dict[tuple[str, int], Reasons] = {}
    lost: Places = set()
    for name, items in day_files(shop, "customers"):
        for record in items:
            reasons = judge_customer(record.row)
            if reasons:
                refused[name, record.number] = reasons
                continue
            assert record.row is not None
            before = table.get(record.row["id"])
            if before is not None and before["updated_at"] >= record.row["updated_at"]:
                lost.add((name, record.number))
            else:
                table[record.row["id"]] = record.row
    return table, refused, lost


def judge_customer(row: dict[str, str] | None) -> Reasons:
    if row is None:
        return [["record", None]]
    checks = (
        ("required", "email", bool(row["email"])),
        ("pattern", "email", not row["email"] or bool(re.fullmatch("[^@ ]+@[^@ ]+[.][^@ ]+", row["email"]))),
        ("type", "country", len(row["country"]) <= 2),
        ("in", "country", len(row["country"]) > 2 or row["country"] in COUNTRIES),
        ("type", "newsletter", row["newsletter"] in ("yes", "no")),
        ("type", "signed_up", is_day(row["signed_up"])),
        ("order_by", "updated_at", bool(row["updated_at"])),
    )
    assert is_int(row["id"])
    assert 0 < len(row["name"]) <= 80
    return [[rule, column] for rule, column, fine in checks if not fine]


@pytest.fixture(scope="module")
def judged_orders(
    shop: Path, judged_customers: tuple[dict[str, dict[str, str]], Any, Any]
) -> tuple[Counter[str], dict[tuple[str, int], Reasons], int]:
    """Fates, the refused records, and the cents of the loaded orders. The twin is not judged."""
    taken: set[str] = set()
    fates: Counter[str] = Counter()
    refused: dict[tuple[str, int], Reasons] = {}
    total = 0
    for name, items in day_files(shop, "orders"):
        for record in [] if "_again" in name else items:
            if record.row is not None and record.row["channel"] == "test":
                fates["skipped"] += 1
                continue
            reasons, good = judge_order(reorder(record.row), name[:10]) if record.row else ([["record", None]], {})
            reasons = reasons + set_rules(good, taken, judged_customers[0])
            if reasons:
                refused[name, record.number] = reasons
                continue
            taken.add(good["order_id"])
            fates["loaded"] += 1
            total += cents(good["amount"])
    return fates, refused, total


def reorder(row: dict[str, str]) -> dict[str, str]:
    """The row in the order of the contract, whatever the order in the file."""
    order = "order_id ordered_at customer_id product_id quantity unit_price amount status channel deliver_by note"
    return {column: row[column] for column in order.split()}


def set_rules(good: dict[str, str], taken: set[str], customers: dict[str, Any]) -> Reasons:
    reasons: Reasons = [["key", "order_id"]] * (good.get("order_id") in taken)
    reasons += [["references", "customer_id"]] * ("customer_id" in good and good["customer_id"] not in customers)
    product = good.get("product_id")
    return reasons + [["references", "product_id"]] * (product is not None and not 1 <= int(product) <= 1000)


def planted(truth: dict[str, Any], table: str, fate: str) -> dict[tuple[str, int], Reasons]:
    return {
        (file, record): kind["reasons"]
        for kind in truth["kinds"]
        if kind["table"] == table and kind["fate"] == fate
        for file, places in kind["places"].items()
        for record, _ in places
    }


def test_the_same_parameters_give_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate.generate(tmp_path / name, 2000, seed)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_refused_orders_are_the_planted_ones(truth: dict[str, Any], judged_orders: tuple[Any, Any, int]) -> None:
    assert judged_orders[1] == planted(truth, "raw.orders", "quarantined")


def test_refused_customers_are_the_planted_ones(truth: dict[str, Any], judged_customers: tuple[Any, Any, Any]) -> None:
    assert judged_customers[1] == planted(truth, "raw.customers", "quarantined")


def test_older_and_double_versions_are_the_planted_ones(
    truth: dict[str, Any], judged_customers: tuple[Any, Any, Any]
) -> None:
    # of two equal versions in one file, this judge drops the later one and the truth names the earlier one
    lost = Counter(file for file, _ in judged_customers[2])
    assert lost == Counter(file for file, _ in planted(truth, "raw.customers", "deduplicated"))


def test_survivors_are_the_newest_versions(truth: dict[str, Any], judged_customers: tuple[Any, Any, Any]) -> None:
    named = [kind for kind in truth["kinds"] if kind["survivors"]]
    assert [kind["kind"] for kind in named] == ["older version arrives late", "customer twice in one file"]
    for kind in named:
        assert len(kind["survivors"]) == kind["planted"]
        for number, version in kind["survivors"]:
            assert judged_customers[0][str(number)]["updated_at"] == version


def test_one_load_keeps_one_version_of_each_customer(
    truth: dict[str, Any], judged_customers: tuple[Any, Any, Any]
) -> None:
    counts = truth["tables"]["raw.customers"]
    assert counts["loaded"] == len(judged_customers[0])
    assert counts["deduplicated"] == counts["read"] - len(judged_customers[1]) - len(judged_customers[0])


def test_refused_products_are_the_planted_ones(shop: Path, truth: dict[str, Any]) -> None:
    query = "select file_row_number + 1, name is null, price < 0, round(price, 2) <> price from read_parquet(?)"
    path = str(shop / "products" / "products.parquet")
    with duckdb.connect() as connection:
        rows = connection.execute(query.replace("?", "?, file_row_number=true"), [path]).fetchall()
    labels = ([["required", "name"]], [["min", "price"]], [["type", "price"]])
    found = {
        ("products.parquet", number): label
        for number, *wrong in rows
        for label, is_wrong in zip(labels, wrong, strict=True)
        if is_wrong
    }
    assert found == planted(truth, "raw.products", "quarantined")
    assert truth["tables"]["raw.products"]["read"] == len(rows)


def test_the_books_of_the_truth_add_up(truth: dict[str, Any]) -> None:
    for table, counts in truth["tables"].items():
        assert counts["read"] == sum(counts[fate] for fate in ("loaded", "quarantined", "deduplicated", "skipped"))
        for fate in ("quarantined", "deduplicated", "skipped"):
            kinds = [kind for kind in truth["kinds"] if (kind["table"], kind["fate"]) == (table, fate)]
            assert counts[fate] == sum(kind["planted"] for kind in kinds)
    for kind in truth["kinds"]:
        places = sum(map(len, kind["places"].values()))
        assert kind["planted"] == (places or kind["planted"]) > 0, kind["kind"]


def test_counts_and_money_are_those_of_the_files(
    shop: Path,
    truth: dict[str, Any],
    judged_orders: tuple[Counter[str], Any, int],
    judged_customers: tuple[dict[str, Any], Any, Any],
) -> None:
    twin = [items for name, items in day_files(shop, "orders") if "_again" in name]
    counts = truth["tables"]["raw.orders"]
    assert counts["loaded"] == judged_orders[0]["loaded"]
    assert counts["skipped"] == judged_orders[0]["skipped"] + len(twin[0])
    assert truth["facts"]["cents"] == judged_orders[2]
    assert truth["facts"]["customers"] == len(judged_customers[0])
    read = sum(len(items) for _, items in day_files(shop, "customers"))
    assert truth["tables"]["raw.customers"]["read"] == read


def test_planted_lines_stand_where_the_truth_says(shop: Path, truth: dict[str, Any]) -> None:
    lines = {(name, item.number): item.line for name, items in day_files(shop, "orders") for item in items}
    checked = 0
    for kind in truth["kinds"]:
        for file, places in kind["places"].items() if kind["table"] == "raw.orders" else ():
            for record, line in places if kind["fate"] != "no record" else ():
                assert lines[file, record] == line
                checked += 1
    assert checked > 30


def test_blank_lines_are_there(shop: Path, truth: dict[str, Any]) -> None:
    (kind,) = [kind for kind in truth["kinds"] if kind["kind"] == "blank line"]
    assert kind["planted"] == sum(map(len, kind["places"].values()))
    for file, places in kind["places"].items():
        lines = gzip.decompress((shop / "orders" / file).read_bytes()).split(b"\n")
        assert all(lines[line - 1].strip() == b"" for _, line in places)


def test_the_twin_is_the_same_file_and_sorts_behind_it(shop: Path) -> None:
    names = sorted(path.name for path in (shop / "orders").iterdir())
    place = names.index("2026-06-17_again.csv.gz")
    assert names[place - 1] == "2026-06-17.csv.gz"
    first, again = ((shop / "orders" / name).read_bytes() for name in names[place - 1 : place + 1])
    assert first == again


def test_there_are_harmless_oddities(shop: Path) -> None:
    texts = {name: gzip.decompress((shop / "orders" / name).read_bytes()) for name, _ in day_files(shop, "orders")}
    assert texts["2026-06-13.csv.gz"].count(b"\r\n") > 50
    assert texts["2026-06-22.csv.gz"].startswith(b"order_id,ordered_at,product_id,customer_id,")
    assert any(b"door,\nnot" in text for text in texts.values())


def test_all_orders_are_in_june_and_more_come_at_the_week_end(shop: Path, truth: dict[str, Any]) -> None:
    sizes = {name: len(items) for name, items in day_files(shop, "orders")}
    assert len(sizes) == 31
    week_end = [size for name, size in sizes.items() if datetime.fromisoformat(name[:10]).weekday() >= 5]
    assert min(week_end) > sizes["2026-06-02.csv.gz"]


def test_too_small_a_shop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 2000 orders"):
        generate.generate(tmp_path, 1999)


def test_data_are_made_once(tmp_path: Path) -> None:
    assert not generate.is_made(tmp_path, 2000)
    generate.generate(tmp_path, 2000)
    assert generate.is_made(tmp_path, 2000)
    assert not generate.is_made(tmp_path, 2001)
    assert not generate.is_made(tmp_path, 2000, seed=1)


def test_faults_stay_below_the_limit_of_the_contracts(truth: dict[str, Any], tmp_path: Path) -> None:
    generate.generate(tmp_path, generate.LEAST)
    small = json.loads((tmp_path / "data" / "truth.json").read_text(encoding="utf-8"))
    for counts in (*truth["tables"].values(), *small["tables"].values()):
        assert counts["quarantined"] < 0.05 * counts["read"]


def test_the_page_names_every_kind(truth: dict[str, Any]) -> None:
    page = (SHOP / "README.md").read_text(encoding="utf-8")
    assert [kind["kind"] for kind in truth["kinds"] if kind["kind"] not in page] == []
    assert len(truth["kinds"]) >= 15

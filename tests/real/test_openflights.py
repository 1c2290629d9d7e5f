"""Airports, airlines and routes of the world: every record is loaded or has its reason, and plain Python agrees."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.real.kit import (
    Contract,
    Lab,
    Reason,
    Row,
    Truth,
    as_json,
    differences,
    exact,
    fates,
    is_off,
    is_unlike,
    judge,
    lacking,
    read,
    real,
    whole,
    words,
)

TABLES = ("countries", "planes", "airlines", "airports", "routes")
NULLS = {"routes": ("\\N", "")}
Truths = dict[str, Truth]
pytestmark = pytest.mark.slow


def countries() -> Contract:
    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "name")
        if row["name"] is not None and is_off(len(row["name"]), 2, 60):
            yield "length", "name"
        if is_unlike(row["iso"], "[A-Z]{2}"):
            yield "pattern", "iso"

    def warns(row: Row) -> Iterable[str]:
        if row["dafif"] is None:
            yield "dafif.required"
        if is_unlike(row["dafif"], "[A-Z]{2}"):
            yield "dafif.pattern"

    types = {"name": words(), "iso": words(2), "dafif": words(2)}
    return Contract(types, breaks, keys=[("key", ("name",))], warns=warns)


def planes() -> Contract:
    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "name")
        if row["name"] is not None and is_off(len(row["name"]), 1, 80):
            yield "length", "name"
        if is_unlike(row["iata"], "[A-Z0-9]{3}"):
            yield "pattern", "iata"
        if is_unlike(row["icao"], "[A-Z0-9]{3,4}"):
            yield "pattern", "icao"

    types = {"name": words(), "iata": words(3), "icao": words(4)}
    return Contract(types, breaks, keys=[("key", ("name",)), ("unique", ("icao",))])


def airlines(known_countries: set[str], active: str = "YN") -> Contract:
    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "id", "name", "active")
        if row["name"] is not None and is_off(len(row["name"]), 1, 100):
            yield "length", "name"
        if is_unlike(row["iata"], "([A-Z0-9]{2})?"):
            yield "pattern", "iata"
        if row["active"] is not None and row["active"] not in list(active):
            yield "in", "active"

    def warns(row: Row) -> Iterable[str]:
        if is_unlike(row["icao"], "([A-Z]{3})?"):
            yield "icao.pattern"
        if row["country"] is not None and row["country"] not in known_countries:
            yield "country.references"

    types = {"id": whole, "name": words(), "alias": words(), "iata": words(2), "icao": words(5)}
    types |= {"callsign": words(), "country": words(), "active": words()}
    return Contract(types, breaks, warns=warns, skips=lambda row: row["id"] in (-1, 1))


def airports(known_countries: set[str]) -> Contract:
    dst = {"E", "A", "S", "O", "Z", "N", "U"}

    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "id", "name", "latitude", "longitude", "altitude_ft", "type", "source")
        if row["id"] is not None and row["id"] < 1:
            yield "min", "id"
        if row["name"] is not None and is_off(len(row["name"]), 1, 80):
            yield "length", "name"
        if is_unlike(row["iata"], "[A-Z]{3}"):
            yield "pattern", "iata"
        ranges = {"latitude": 90, "longitude": 180}
        yield from (("between", column) for column, far in ranges.items() if is_off(row[column], -far, far))
        if is_off(row["altitude_ft"], -1300, 14500):
            yield "between", "altitude_ft"
        if is_off(row["utc_offset"], -12, 14):
            yield "between", "utc_offset"
        if row["dst"] is not None and row["dst"] not in dst:
            yield "in", "dst"
        if is_unlike(row["tz"], r"[A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+)+"):
            yield "pattern", "tz"
        for column, word in (("type", "airport"), ("source", "OurAirports")):
            if row[column] not in (None, word):
                yield "in", column
        if row["tz"] is not None and row["utc_offset"] is None:
            yield "zone_with_offset", None
        if row["latitude"] == 0 and row["longitude"] == 0:
            yield "null_island", None

    def warns(row: Row) -> Iterable[str]:
        if row["country"] is None:
            yield "country.required"
        elif row["country"] not in known_countries:
            yield "country.references"
        if row["icao"] is None:
            yield "icao.required"
        if is_unlike(row["icao"], "[A-Z]{4}"):
            yield "icao.pattern"

    types: dict[str, Callable[[str], Any]] = {"id": whole, "name": words(), "city": words(60), "country": words()}
    types |= {"iata": words(3), "icao": words(4), "latitude": real, "longitude": real, "altitude_ft": whole}
    types |= {"utc_offset": exact(4, 2), "dst": words(), "tz": words(), "type": words(), "source": words()}
    return Contract(types, breaks, keys=[("unique", ("iata",))], warns=warns)


ROUTE = ("airline", "source_airport", "destination_airport")


def routes(known_airlines: set[int], known_airports: set[int], needs_airline: bool = True) -> Contract:
    known = {"airline_id": known_airlines, "source_airport_id": known_airports}
    known["destination_airport_id"] = known_airports
    needed = [column for column in known if needs_airline or column != "airline_id"]

    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, *ROUTE, *needed, "stops")
        if is_unlike(row["airline"], "[A-Z0-9]{2,3}"):
            yield "pattern", "airline"
        for column in ROUTE[1:]:
            if is_unlike(row[column], "[A-Z]{3}"):
                yield "pattern", column
        for column, ids in known.items():
            if row[column] is not None and row[column] not in ids:
                yield "references", column
        if row["codeshare"] not in (None, "Y"):
            yield "in", "codeshare"
        if is_off(row["stops"], 0, 3):
            yield "between", "stops"
        if None not in (row["source_airport"], row["destination_airport"]) and (
            row["source_airport"] == row["destination_airport"]
        ):
            yield "goes_somewhere", None

    def warns(row: Row) -> Iterable[str]:
        if row["equipment"] is None:
            yield "equipment.required"
        if is_unlike(row["equipment"], "[A-Z0-9]{3}( [A-Z0-9]{3})*"):
            yield "equipment.pattern"

    types: dict[str, Callable[[str], Any]] = {"airline": words(), "airline_id": whole}
    types |= {"source_airport": words(3), "source_airport_id": whole}
    types |= {"destination_airport": words(3), "destination_airport_id": whole}
    types |= {"codeshare": words(), "stops": whole, "equipment": words()}
    skips = lambda row: row["stops"] is not None and row["stops"] > 0  # noqa: E731
    return Contract(types, breaks, keys=[("key", ROUTE)], warns=warns, skips=skips)


def records(data: Path, table: str, contract: Contract) -> list[dict[str, str | None]]:
    return read(data / f"{table}.dat", NULLS.get(table, ("\\N",)), list(contract.types))


def judged(data: Path, table: str, contract: Contract) -> Truth:
    return judge(records(data, table, contract), contract)


@pytest.fixture(scope="module")
def data(real_data: Path) -> Path:
    return real_data / "openflights"


@pytest.fixture(scope="module")
def truths(data: Path) -> Truths:
    found = {"countries": judged(data, "countries", countries()), "planes": judged(data, "planes", planes())}
    names = found["countries"].values("name")
    found["airlines"] = judged(data, "airlines", airlines(names))
    found["airports"] = judged(data, "airports", airports(names))
    known = found["airlines"].values("id"), found["airports"].values("id")
    found["routes"] = judged(data, "routes", routes(*known))
    return found


@pytest.fixture(scope="module")
def fresh(make: Callable[[str, str], Lab]) -> tuple[Lab, dict[str, Any]]:
    """The project after its first run, and the steps of that run."""
    lab = make("openflights", "openflights")
    assert lab.ok("check") == {"ok": True, "findings": [], "applied": [], "diff": []}
    return lab, lab.steps()


@pytest.fixture(scope="module")
def lab(fresh: tuple[Lab, dict[str, Any]]) -> Lab:
    """The loaded project, to look at."""
    return fresh[0]


@pytest.mark.parametrize("table", TABLES)
def test_every_record_is_loaded_or_has_its_reason(
    fresh: tuple[Lab, dict[str, Any]], truths: Truths, table: str
) -> None:
    lab, steps = fresh
    truth = truths[table]
    assert truth.loaded
    assert fates(steps[f"raw.{table}"]) == truth.fates()
    rows = lab.rows(f"select * exclude (_hg_load) from raw.{table}")
    assert differences(rows, map(as_json, truth.loaded)) == []


@pytest.mark.parametrize("table", TABLES)
def test_reasons_are_the_right_ones_record_by_record(lab: Lab, data: Path, truths: Truths, table: str) -> None:
    truth = truths[table]
    assert truth.refused
    found = lab.reasons(f"raw.{table}")
    assert found == truth.refused
    counted = Counter(reason for reasons in found.values() for reason in reasons)
    assert counted == truth.reasons()
    # No field of these files holds a line end, so a record is a line, and is kept as it came.
    lines = (data / f"{table}.dat").read_bytes().decode().replace("\r\n", "\n").split("\n")
    kept = {number: record.raw for number, record in lab.quarantine(f"raw.{table}").items()}
    assert kept == {number: lines[number - 1] for number in truth.refused}


@pytest.mark.parametrize("table", TABLES)
def test_what_only_warns_is_counted_and_loaded(fresh: tuple[Lab, dict[str, Any]], truths: Truths, table: str) -> None:
    told = fresh[1][f"raw.{table}"]["warnings"]
    assert {one["evidence"]["rule"]: one["evidence"]["rows"] for one in told} == dict(truths[table].warned)


def test_the_data_has_the_dirt_that_the_contracts_speak_of(truths: Truths) -> None:
    reasons = truths["routes"].reasons()
    assert {("required", "airline_id"), ("references", "source_airport_id"), ("goes_somewhere", None)} <= set(reasons)
    assert any(len(reasons) > 1 for reasons in truths["routes"].refused.values())
    assert truths["routes"].skipped > 0
    assert truths["airlines"].skipped == 2
    assert truths["airports"].warned["country.references"] > 100


def test_books_balance_and_a_second_run_does_nothing(lab: Lab, tmp_path: Path) -> None:
    copy = lab.copy(tmp_path / "lab")
    before = copy.ok("ledger")
    steps = copy.steps()
    assert {step["status"] for step in steps.values()} == {"skipped"}
    assert copy.ok("ledger") == before
    audit = copy.ok("audit")
    assert (audit["balanced"], audit["findings"]) == (True, [])
    assert {law["failed"] for law in audit["laws"]} == {0}


def test_busiest_airports(lab: Lab, truths: Truths) -> None:
    departures: Counter[int] = Counter()
    arrivals: Counter[int] = Counter()
    neighbours: dict[int, set[int]] = defaultdict(set)
    for row in truths["routes"].loaded:
        start, end = row["source_airport_id"], row["destination_airport_id"]
        departures[start] += 1
        arrivals[end] += 1
        neighbours[start].add(end)
        neighbours[end].add(start)
    expected = [
        {name: row[name] for name in ("id", "iata", "name", "country")}
        | {"departures": departures[row["id"]], "arrivals": arrivals[row["id"]]}
        | {"routes": departures[row["id"]] + arrivals[row["id"]], "neighbours": len(neighbours[row["id"]])}
        for row in truths["airports"].loaded
        if row["id"] in neighbours
    ]
    assert differences(lab.rows("from gold.busiest_airports"), expected) == []


def test_airline_routes(lab: Lab, truths: Truths) -> None:
    flown: dict[int, list[Row]] = defaultdict(list)
    for row in truths["routes"].loaded:
        flown[row["airline_id"]].append(row)
    expected = [
        {"id": row["id"], "name": row["name"], "country": row["country"], "routes": len(flown[row["id"]])}
        | {"codeshares": sum(route["codeshare"] == "Y" for route in flown[row["id"]])}
        | {"origins": len({route["source_airport_id"] for route in flown[row["id"]]})}
        for row in truths["airlines"].loaded
        if row["active"] == "Y"
    ]
    assert differences(lab.rows("from gold.airline_routes"), expected) == []


def test_country_pairs(lab: Lab, truths: Truths) -> None:
    country = {row["id"]: row["country"] for row in truths["airports"].loaded}
    flown: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in truths["routes"].loaded:
        ends = country[row["source_airport_id"]], country[row["destination_airport_id"]]
        flown[tuple(sorted(ends))].append(row)
    expected = [
        {"country_a": a, "country_b": b, "pair": f"{a} - {b}", "routes": len(rows)}
        | {"codeshares": sum(row["codeshare"] == "Y" for row in rows)}
        | {"airlines": len({row["airline"] for row in rows})}
        for (a, b), rows in flown.items()
    ]
    assert differences(lab.rows("from gold.country_pairs"), expected) == []


def test_equipment(fresh: tuple[Lab, dict[str, Any]], truths: Truths) -> None:
    lab, steps = fresh
    names: dict[str, list[str]] = defaultdict(list)
    for row in truths["planes"].loaded:
        names[row["iata"]].append(row["name"])
    mentions = Counter(code for row in truths["routes"].loaded for code in (row["equipment"] or "").split())
    plane = {code: one[0] if len(one) == 1 else f"{len(one)} types" for code, one in names.items()}
    expected = [{"code": code, "plane": plane.get(code), "mentions": many} for code, many in mentions.items()]
    assert differences(lab.rows("from gold.equipment"), expected) == []
    (told,) = steps["equipment"]["warnings"]
    assert (told["code"], told["evidence"]["rows"]) == ("check-failed", len(mentions.keys() - plane.keys()))


def test_a_replay_after_loosening_loads_what_passes_now(lab: Lab, data: Path, truths: Truths, tmp_path: Path) -> None:
    copy = lab.copy(tmp_path / "lab")
    copy.edit("ingest/routes.yml", "int, required, references(raw.airlines.id)", "int, references(raw.airlines.id)")
    known = truths["airlines"].values("id"), truths["airports"].values("id")
    now = judged(data, "routes", routes(*known, needs_airline=False))
    before = truths["routes"]
    mended = before.refused.keys() - now.refused.keys()
    assert mended
    assert len(mended) < len(before.refused)
    answer = copy.ok("quarantine", "replay", "--table", "raw.routes")
    assert fates(answer) == (len(before.refused), len(mended), len(now.refused), 0, 0)
    assert copy.reasons("raw.routes") == now.refused
    assert copy.quarantine("raw.routes", "replayed").keys() >= mended
    rows = copy.rows("select * exclude (_hg_load) from raw.routes")
    assert differences(rows, map(as_json, now.loaded)) == []
    assert copy.ok("audit")["balanced"] is True
    # The models see the rows of the replay with the next run, which reads no file again.
    steps = copy.steps()
    assert (steps["raw.routes"]["status"], steps["equipment"]["status"]) == ("skipped", "ok")
    mentions = Counter(code for row in now.loaded for code in (row["equipment"] or "").split())
    assert {row["code"]: row["mentions"] for row in copy.rows("from gold.equipment")} == mentions


def test_new_deliveries_take_the_place_of_the_old(lab: Lab, truths: Truths, tmp_path: Path) -> None:
    """Airlines (upsert) come again with one more word for active, routes (reload) mended here and broken there."""
    copy = lab.copy(tmp_path / "lab")
    data = copy.own_data()
    airline_file, route_file = data / "airlines.dat", data / "routes.dat"
    text = airline_file.read_text(encoding="utf-8")
    airline_file.write_text(re.sub(r'"n"$', '"Y"', text, flags=re.MULTILINE), encoding="utf-8")
    lines = route_file.read_bytes().splitlines(keepends=True)[:-500]
    for number in range(0, len(lines), 997):
        lines[number] = lines[number].replace(b",0,", b",none,").replace(b"\\N", b"1.0")
    route_file.write_bytes(b"".join(lines + lines[:20]))

    steps = copy.steps()
    now = judged(data, "airlines", airlines(truths["countries"].values("name")))
    assert now.fates() != truths["airlines"].fates()
    assert fates(steps["raw.airlines"]) == now.fates()
    assert copy.reasons("raw.airlines") == now.refused
    rows = copy.rows("select * exclude (_hg_load) from raw.airlines")
    assert differences(rows, map(as_json, now.loaded)) == []

    again = judged(data, "routes", routes(now.values("id"), truths["airports"].values("id")))
    assert {("type", "stops"), ("key", ", ".join(ROUTE))} <= set(again.reasons())
    assert fates(steps["raw.routes"]) == again.fates()
    assert copy.reasons("raw.routes") == again.refused
    rows = copy.rows("select * exclude (_hg_load) from raw.routes")
    assert differences(rows, map(as_json, again.loaded)) == []
    assert copy.ok("audit")["balanced"] is True

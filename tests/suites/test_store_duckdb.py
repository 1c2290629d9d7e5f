"""The DuckDB store keeps what every store must keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.adapters.duckdb.store import DuckDBStore
from headgate.testing.adoption_suite import AdoptionSuite
from headgate.testing.evolution_suite import EvolutionSuite
from headgate.testing.restore_suite import RestoreSuite
from headgate.testing.store_suite import StoreKit, StoreSuite


class DuckDBKit:
    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self) -> DuckDBStore:
        return DuckDBStore(self.path)


class TestDuckDB(StoreSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> StoreKit:
        return DuckDBKit(tmp_path / "w.duckdb")


class TestDuckDBEvolution(EvolutionSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> StoreKit:
        return DuckDBKit(tmp_path / "w.duckdb")


class TestDuckDBRestore(RestoreSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> StoreKit:
        return DuckDBKit(tmp_path / "w.duckdb")


class TestDuckDBAdoption(AdoptionSuite):
    @pytest.fixture
    def kit(self, tmp_path: Path) -> StoreKit:
        return DuckDBKit(tmp_path / "w.duckdb")

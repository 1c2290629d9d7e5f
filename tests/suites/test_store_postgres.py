"""The PostgreSQL store keeps what every store must keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.adapters.postgres.store import PostgresStore
from headgate.testing.adoption_suite import AdoptionSuite
from headgate.testing.evolution_suite import EvolutionSuite
from headgate.testing.restore_suite import RestoreSuite
from headgate.testing.store_suite import StoreKit, StoreSuite


class PostgresKit:
    def __init__(self, address: str, temp: Path) -> None:
        self.address = address
        self.temp = temp

    def store(self) -> PostgresStore:
        return PostgresStore(self.address, "the warehouse", self.temp)


@pytest.mark.services
@pytest.mark.slow
class TestPostgres(StoreSuite):
    @pytest.fixture
    def kit(self, postgres: str, tmp_path: Path) -> StoreKit:
        return PostgresKit(postgres, tmp_path)


@pytest.mark.services
@pytest.mark.slow
class TestPostgresEvolution(EvolutionSuite):
    @pytest.fixture
    def kit(self, postgres: str, tmp_path: Path) -> StoreKit:
        return PostgresKit(postgres, tmp_path)


@pytest.mark.services
@pytest.mark.slow
class TestPostgresRestore(RestoreSuite):
    @pytest.fixture
    def kit(self, postgres: str, tmp_path: Path) -> StoreKit:
        return PostgresKit(postgres, tmp_path)


@pytest.mark.services
@pytest.mark.slow
class TestPostgresAdoption(AdoptionSuite):
    @pytest.fixture
    def kit(self, postgres: str, tmp_path: Path) -> StoreKit:
        return PostgresKit(postgres, tmp_path)

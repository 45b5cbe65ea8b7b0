"""One server for the whole run, and the engines."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import engines
from life import Life


@pytest.fixture(scope="session")
def binary() -> Path:
    """The server that is tested."""
    named = os.environ.get("TRAILBOOK_BIN")
    if not named or not os.access(named, os.X_OK):
        pytest.fail("TRAILBOOK_BIN names no binary: run scripts/lake target/debug/trailbook")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def life(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A server with a past, today."""
    life = Life(binary, tmp_path_factory.mktemp("lake"))
    yield life
    life.server.stop()


@pytest.fixture(scope="session")
def readers() -> Iterator[dict[str, Callable[[Path, int], engines.Answer]]]:
    """What reads a version of the table, by name."""
    sail = engines.Sail()
    yield {
        "deltalake": engines.deltalake,
        "DataFusion": engines.datafusion,
        "DuckDB": engines.duckdb,
        "ClickHouse": engines.clickhouse,
        "Polars": engines.polars,
        "Sail": sail,
    }
    sail.stop()

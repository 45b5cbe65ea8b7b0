"""PostgreSQL and an S3 server for the whole run; each test has nodes, a database and a prefix of its own on them.

A test that breaks PostgreSQL breaks it for nobody else: tests run one after another, and leave it running.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from machines.cluster import EAGER, KEYS, Cluster, fresh
from machines.postgres import Postgres, url
from machines.proxy import Proxy
from machines.s3 import S3


def program(variable: str) -> Path:
    named = os.environ.get(variable)
    if not named or not os.access(named, os.X_OK):
        pytest.fail(f"{variable} names no binary: run scripts/cluster target/debug/trailbook")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def binary() -> Path:
    """The server that is tested."""
    return program("TRAILBOOK_BIN")


@pytest.fixture(scope="session")
def minutes() -> float:
    """How long each of the long stories goes on."""
    return float(os.environ.get("TRAILBOOK_CLUSTER_MINUTES", "1"))


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Where databases are: on a disk, and where another user may go."""
    path = Path(tempfile.mkdtemp(prefix="trailbook-cluster-", dir=os.environ.get("TRAILBOOK_CLUSTER_PLACE", "/var/tmp")))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_postgres(place: Path) -> Iterator[Postgres]:
    postgres = Postgres(place / "postgres")
    yield postgres
    postgres.stop("immediate")


@pytest.fixture
def postgres(shared_postgres: Postgres) -> Iterator[Postgres]:
    """The server that all tests share, running."""
    yield shared_postgres
    if not shared_postgres.runs:
        shared_postgres.start()


@pytest.fixture(scope="session")
def shared_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    s3 = S3(program("TRAILBOOK_S3"), tmp_path_factory.mktemp("s3") / "s3")
    yield s3
    s3.stop()


@pytest.fixture
def s3(shared_s3: S3) -> Iterator[S3]:
    """The server that all tests share, on a good day."""
    yield shared_s3
    shared_s3.calm()


@pytest.fixture
def proxies(postgres: Postgres) -> Iterator[list[Proxy]]:
    """One for each of three nodes."""
    made = [Proxy(postgres.port) for _ in range(3)]
    yield made
    for proxy in made:
        proxy.stop()


class Assembly:
    """Makes clusters of three nodes that are eager to seal, each with a database and a prefix of its own."""

    def __init__(self, binary: Path, folder: Path, postgres: Postgres, s3: S3) -> None:
        self.binary, self.folder, self.postgres, self.s3 = binary, folder, postgres, s3
        self.made: list[Cluster] = []

    def __call__(self, ports: list[tuple[int, ...]] | None = None, source: Postgres | None = None, **settings: str) -> Cluster:
        """`ports` are where each node finds PostgreSQL, unless it is where `source` is, or the shared one."""
        postgres, name = source or self.postgres, fresh("log")
        postgres.database(name)
        common = KEYS | EAGER | self.s3.settings(name) | settings
        places = [url(name, *of) for of in ports or [(postgres.port,)] * 3]
        self.made.append(Cluster(self.binary, self.folder / name, [common | {"database": place} for place in places], name))
        return self.made[-1]

    def stop(self) -> None:
        for cluster in self.made:
            cluster.stop()


@pytest.fixture
def assemble(binary: Path, tmp_path: Path, postgres: Postgres, s3: S3) -> Iterator[Assembly]:
    """Clusters of one test."""
    made = Assembly(binary, tmp_path, postgres, s3)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def assemble_once(binary: Path, tmp_path_factory: pytest.TempPathFactory, shared_postgres: Postgres, shared_s3: S3) -> Iterator[Assembly]:
    """Clusters that all tests of a module share."""
    made = Assembly(binary, tmp_path_factory.mktemp("shared"), shared_postgres, shared_s3)
    yield made
    made.stop()


@pytest.fixture
def alone(binary: Path, tmp_path: Path) -> Iterator[Cluster]:
    """One node with SQLite and a directory: the same is demanded of it."""
    cluster = Cluster(binary, tmp_path / "alone", [EAGER])
    yield cluster
    cluster.stop()


@pytest.fixture
def organizations() -> list[str]:
    """Whose events are written and read."""
    return [fresh("acme"), fresh("globex")]

"""One comparison: everything is run in turn, and the turns repeated, so that what disturbs the machine disturbs all."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import clickhouse, machine, postgresql, trailbook, workload
from .outcome import Outcome

BURST = "Trailbook, 500 a request, 2 connections"
CLIENT_IDS = "Trailbook, the same with client ids"
SINGLE = "Trailbook, 1 a request, 64 connections"
POSTGRESQL_4 = "PostgreSQL, 500-row commits, 4 connections"
POSTGRESQL_2 = "PostgreSQL, 500-row commits, 2 connections"
CLICKHOUSE_500 = "ClickHouse (embedded), 500-row inserts"
CLICKHOUSE_1000 = "ClickHouse (embedded), 1,000-row inserts"


@dataclass
class Sizes:
    """Events of each part. Peers get fewer, so that the whole takes minutes; their rates do not grow with more."""

    burst: int = 2_000_000
    client_ids: int = 500_000
    single: int = 250_000
    memory: int = 200_000
    peers: int = 100_000


QUICK = Sizes(burst=200_000, client_ids=50_000, single=20_000, memory=200_000, peers=10_000)


@dataclass
class Subjects:
    """What is measured, with what, and where."""

    server: Path
    client: Path
    scratch: Path


@dataclass
class Measured:
    """Everything that was measured, and on what."""

    sizes: Sizes
    repeat: int
    runs: dict[str, list[Outcome]] = field(default_factory=dict)
    anonymous_bytes: list[int] = field(default_factory=list)
    machine: str = ""
    filesystem: str = ""
    loads: list[float] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, outcome: Outcome) -> None:
        """Takes note of a run and tells whoever waits."""
        self.runs.setdefault(name, []).append(outcome)
        print(f"  {name}: {outcome.events_per_second:,.0f} events/s", file=sys.stderr, flush=True)


def measure(subjects: Subjects, sizes: Sizes, repeat: int) -> Measured:
    """Runs everything `repeat` times."""
    postgresql.install()
    measured = Measured(sizes, repeat, machine=machine.description())
    measured.filesystem = machine.filesystem(subjects.scratch)
    for turn in range(repeat):
        print(f"turn {turn + 1} of {repeat}", file=sys.stderr, flush=True)
        measured.loads.append(machine.load())
        seed = turn + 1
        _trailbook(subjects, sizes, seed, measured)
        _postgresql(subjects, sizes, seed, measured)
        _clickhouse(subjects, sizes, seed, measured)
    return measured


def _trailbook(subjects: Subjects, sizes: Sizes, seed: int, measured: Measured) -> None:
    def server():
        return trailbook.running(subjects.server, subjects.client, subjects.scratch)

    with server() as subject:
        outcome = subject.ingest(sizes.burst, seed)
        subject.check_stored(outcome.events)
        measured.add(BURST, outcome)
    with server() as subject:
        outcome = subject.ingest(sizes.client_ids, seed, client_ids=True)
        subject.check_stored(outcome.events)
        measured.add(CLIENT_IDS, outcome)
    with server() as subject:
        outcome = subject.single(sizes.single, seed)
        subject.check_stored(outcome.events)
        measured.add(SINGLE, outcome)
    with server() as subject:
        subject.check_stored(subject.ingest(sizes.memory, seed).events)
        measured.anonymous_bytes.append(subject.anonymous_bytes())


def _postgresql(subjects: Subjects, sizes: Sizes, seed: int, measured: Measured) -> None:
    rows = workload.rows(subjects.client, sizes.peers, seed)
    with postgresql.running(subjects.scratch) as peer:
        measured.versions["PostgreSQL"] = peer.version()
        measured.add(POSTGRESQL_4, peer.ingest(rows, 4))
        measured.add(POSTGRESQL_2, peer.ingest(rows, 2))


def _clickhouse(subjects: Subjects, sizes: Sizes, seed: int, measured: Measured) -> None:
    for name, batch in ((CLICKHOUSE_500, 500), (CLICKHOUSE_1000, 1_000)):
        outcome = clickhouse.ingest(subjects.client, subjects.scratch, sizes.peers, batch, seed)
        measured.versions["ClickHouse"] = outcome.details["version"]
        measured.add(name, outcome)

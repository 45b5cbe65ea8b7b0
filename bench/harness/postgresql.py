"""The first peer: PostgreSQL 15 with its durability on, and a table with the indexes that listings, lookups and search need.

The statements' parameters are encoded before the clock starts and sent by libpq as they are, so that next to nothing
is measured but the server.
"""

import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import psycopg
from psycopg import pq

from . import machine
from .outcome import Outcome, from_durations
from .workload import Row, batches

BINARIES = Path("/usr/lib/postgresql/15/bin")

TABLE = """
create table events (
    id uuid primary key,
    organization text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    action text not null,
    action_type text not null,
    area text not null,
    security boolean not null,
    result text not null,
    actor_id text not null,
    actor_name text not null,
    actor_email text,
    target_type text not null,
    target_id text not null,
    target_name text not null,
    ip inet,
    trace_id text,
    search tsvector not null,
    event json not null
);
create index on events (organization, occurred_at desc, id desc);
create index on events (organization, actor_id, occurred_at desc);
create index on events (organization, action, occurred_at desc);
create index on events (trace_id) where trace_id is not null;
create index on events using gin (search);
"""

TYPES = dict.fromkeys(Row._fields, "text") | {
    "id": "uuid",
    "occurred_at": "timestamptz",
    "security": "boolean",
    "ip": "inet",
    "event": "json",
}
COLUMNS = ", ".join("search" if name == "words" else name for name in Row._fields)
VALUES = ", ".join("to_tsvector('simple', words)" if name == "words" else name for name in Row._fields)
ARRAYS = ", ".join(f"${position}::{TYPES[name]}[]" for position, name in enumerate(Row._fields, 1))
INSERT = f"insert into events ({COLUMNS}) select {VALUES} from unnest({ARRAYS}) as rows ({', '.join(Row._fields)})"


def install() -> None:
    """Installs Debian's package when it is not there. Needs to be root for that."""
    if (BINARIES / "postgres").exists():
        return
    if os.geteuid() != 0:
        raise RuntimeError("PostgreSQL 15 is not installed; run `apt-get install postgresql-15` as root")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "postgresql-15"]):
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


class Server:
    """A running server."""

    def __init__(self, port: int, postmaster: int):
        self._where = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        self._postmaster = postmaster

    def version(self) -> str:
        with psycopg.connect(self._where) as connection:
            return connection.execute("show server_version").fetchone()[0]

    def ingest(self, rows: list[Row], connections: int) -> Outcome:
        """500-row inserts, each its own commit, into an empty table."""
        with psycopg.connect(self._where, autocommit=True) as connection:
            connection.execute("drop table if exists events")
            connection.execute(TABLE)
            connection.execute("checkpoint")
        waiting = [(len(batch), _parameters(batch)) for batch in batches(rows, 500)]
        senders = [_Sender(self._where, waiting[number::connections]) for number in range(connections)]
        engine, client = machine.family_cpu_seconds(self._postmaster), time.process_time()
        started = time.perf_counter()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        seconds = time.perf_counter() - started
        engine, client = machine.family_cpu_seconds(self._postmaster) - engine, time.process_time() - client
        durations = [duration for sender in senders for duration in sender.finished()]
        with psycopg.connect(self._where) as connection:
            stored = connection.execute("select count(*) from events").fetchone()[0]
        if stored != len(rows):
            raise RuntimeError(f"{len(rows)} events were sent, but the table holds {stored}")
        return from_durations(stored, seconds, durations, engine, client)


class _Sender(threading.Thread):
    """One connection, prepared before the clock starts. libpq waits without holding Python's lock."""

    def __init__(self, where: str, waiting: list[tuple[int, list[bytes]]]):
        super().__init__()
        self._connection = psycopg.connect(where, autocommit=True)
        self._waiting = waiting
        self._durations: list[float] = []
        self._fault: str | None = None
        prepared = self._connection.pgconn.prepare(b"store", INSERT.encode())
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise RuntimeError(prepared.error_message.decode())

    def run(self) -> None:
        for count, parameters in self._waiting:
            sent = time.perf_counter()
            result = self._connection.pgconn.exec_prepared(b"store", parameters)
            self._durations.append(time.perf_counter() - sent)
            if result.status != pq.ExecStatus.COMMAND_OK or result.command_tuples != count:
                self._fault = result.error_message.decode() or "rows are missing"
                return

    def finished(self) -> list[float]:
        """The duration of every commit."""
        self._connection.close()
        if self._fault:
            raise RuntimeError(f"PostgreSQL refused a batch: {self._fault}")
        return self._durations


def _parameters(batch: list[Row]) -> list[bytes]:
    return [_array(column) for column in zip(*batch)]


def _array(values: tuple[object, ...]) -> bytes:
    return ("{" + ",".join(map(_element, values)) + "}").encode()


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Cluster:
    """A cluster in a directory, with a server that can be started and stopped again and again."""

    def __init__(self, data: Path):
        self._data = data
        # It refuses to run as root.
        self._prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def initialise(self) -> None:
        """Makes the directory and an empty cluster."""
        self._data.mkdir()
        if self._prefix:
            shutil.chown(self._data, "postgres")
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        _quietly([*self._prefix, BINARIES / "initdb", "-D", self._data, *options])

    def start(self) -> int:
        """Starts the server; returns its port."""
        port = machine.free_port()
        (self._data / "postgresql.auto.conf").write_text(_configuration(port, self._data))
        self._control("-l", self._data / "server.log", "start")
        return port

    def postmaster(self) -> int:
        """The id of the server's first process."""
        return int((self._data / "postmaster.pid").read_text().splitlines()[0])

    def stop(self) -> None:
        """Stops the server, if it runs."""
        if (self._data / "postmaster.pid").exists():
            self._control("-m", "fast", "-t", "300", "stop")

    def _control(self, *arguments) -> None:
        _quietly([*self._prefix, BINARIES / "pg_ctl", "-D", self._data, "-w", *arguments])


@contextmanager
def running(scratch: Path) -> Iterator[Server]:
    """A server on an empty cluster; stopped and its directory removed at the end."""
    data = scratch / "postgresql"
    cluster = Cluster(data)
    cluster.initialise()
    try:
        yield Server(cluster.start(), cluster.postmaster())
    finally:
        cluster.stop()
        shutil.rmtree(data, ignore_errors=True)


def _quietly(command: list) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed: {done.stderr.decode().strip()}")


def _configuration(port: int, data: Path) -> str:
    megabytes = machine.memory_bytes() // 2**20
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": data,
        "shared_buffers": f"{megabytes // 4}MB",
        "effective_cache_size": f"{megabytes // 2}MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "wal_buffers": "64MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    }
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())

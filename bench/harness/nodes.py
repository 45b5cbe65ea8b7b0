"""Nodes on one PostgreSQL and one local S3 server, for `bench/cluster`."""

import http.client
import json
import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterator

import psycopg

from . import machine, trailbook
from .postgresql import Cluster

KEYS = {"TRAILBOOK_SIGNING_KEY": "5e" * 32, "TRAILBOOK_ENCRYPTION_KEY": "ec" * 32}
#: For ingest figures the tail takes everything: it is not sealed before the run is over.
NOTHING_IS_SEALED = {
    "TRAILBOOK_TAIL_EVENTS_MAX": str(trailbook.TAIL_EVENTS_MAX),
    "TRAILBOOK_TAIL_BYTES_MAX": str(trailbook.TAIL_BYTES_MAX),
    "TRAILBOOK_SEAL_EVENTS": str(trailbook.TAIL_EVENTS_MAX),
    "TRAILBOOK_SEAL_AGE_MS": "86400000",
}


class Node:
    """A server, and one kept-alive connection to it."""

    def __init__(self, binary: Path, data: Path, settings: dict[str, str]):
        self._binary, self._data, self.settings = binary, data, settings
        self.start()

    def start(self) -> None:
        started = time.perf_counter()
        self.process, self.url = trailbook.start(self._binary, self._data, self.settings)
        while self._status("/readyz") != 200:
            time.sleep(0.01)
        self.ready_seconds = time.perf_counter() - started

    def _status(self, path: str) -> int:
        self._connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=600)
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """What is answered; anything but well is an error."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {trailbook.KEY}"} | ({"Content-Type": "application/json"} if body else {})
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path} answers {answer.status}: {text[:500]!r}")
        return text

    def get(self, path: str) -> Any:
        return json.loads(self.ask("GET", path))

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.ask("GET", "/metrics").decode(), re.MULTILINE)
        if not found:
            raise RuntimeError(f"there is no metric {name}")
        return float(found.group(1))

    def kill(self) -> None:
        self._connection.close()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self._connection.close()
        trailbook.stop(self.process, patience_seconds=120)

    def forget_everything(self) -> None:
        """Its directory is gone: what it had in its cache has to be fetched again."""
        shutil.rmtree(self._data)


class Backends:
    """PostgreSQL and an S3 server that run; each measurement has a database and a prefix of its own."""

    def __init__(self, binary: Path, scratch: Path, port: int, endpoint: str):
        self._binary, self._scratch, self._port, self._endpoint = binary, scratch, port, endpoint
        self._names = 0

    @contextmanager
    def nodes(self, count: int, settings: dict[str, str]) -> Iterator[list[Node]]:
        """So many equal nodes on a new database."""
        self._names += 1
        name = f"log{self._names}"
        with psycopg.connect(f"host=127.0.0.1 port={self._port} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f"create database {name}")
        common = KEYS | {
            "TRAILBOOK_DATABASE": f"postgres://postgres@127.0.0.1:{self._port}/{name}?sslmode=disable",
            "TRAILBOOK_OBJECTS": f"s3://bench/{name}",
            "TRAILBOOK_OBJECTS_ENDPOINT": self._endpoint,
            "TRAILBOOK_OBJECTS_REGION": "us-east-1",
            "TRAILBOOK_OBJECTS_ACCESS_KEY": "access",
            "TRAILBOOK_OBJECTS_SECRET_KEY": "secret",
        }
        with running(self._binary, [(self._scratch / f"{name}-{number}", common | settings) for number in range(count)]) as nodes:
            yield nodes


@contextmanager
def running(binary: Path, of: list[tuple[Path, dict[str, str]]]) -> Iterator[list[Node]]:
    """Nodes on these directories with these settings; stopped and their directories removed at the end."""
    nodes: list[Node] = []
    try:
        for number, (data, settings) in enumerate(of):
            nodes.append(Node(binary, data, settings | {"TRAILBOOK_NODE_NAME": f"node{number}"}))
        yield nodes
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.stop()
        for data, _ in of:
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def backends(binary: Path, scratch: Path) -> Iterator[Backends]:
    """PostgreSQL with its durability on, and the S3 server of the tests, which lies beside the binary."""
    with ExitStack() as stack:
        postgres = Cluster(scratch / "postgresql")
        postgres.initialise()
        port = postgres.start()
        stack.callback(postgres.stop)
        objects = scratch / "objects"
        objects.mkdir()
        keys = ["--access-key", "access", "--secret-key", "secret"]
        command = [binary.parent / "testkit-s3", "--directory", objects, "--bucket", "bench", *keys]
        s3 = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        stack.callback(s3.wait)
        stack.callback(s3.terminate)
        said = re.match(r"S3 (http://\S+) ", s3.stdout.readline())
        if not said:
            raise RuntimeError("the S3 server ended before it was ready")
        yield Backends(binary, scratch, port, said.group(1))


def load(client: Path, node: Node, command: str, events: int, seed: int, *options: str) -> subprocess.Popen:
    """The load client at work on one node."""
    arguments = [client, command, "--server", node.url, "--events", str(events), "--seed", str(seed), "--batch", "500", *options]
    environment = os.environ | {"TRAILBOOK_KEY": trailbook.KEY}
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: subprocess.Popen) -> dict[str, Any]:
    """What the load client measured, once it has ended well."""
    out, err = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the load client failed: {err.strip()}")
    return json.loads(out)


def forget_files(scratch: Path) -> None:
    """Objects and database come from the disk, not from memory."""
    machine.forget_files(scratch)

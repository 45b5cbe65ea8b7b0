"""The subject: a Trailbook server on a directory of its own, loaded by `trailbook-bench`."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from . import machine
from .outcome import Outcome

# For burst figures the tail takes everything: it is not sealed before the run is over.
TAIL_EVENTS_MAX = 50_000_000
TAIL_BYTES_MAX = 64 * 2**30
KEY = "benchmark-key-of-one-run"


class Server:
    """A running server."""

    def __init__(self, client: Path, process: subprocess.Popen, url: str):
        self._client = client
        self._process = process
        self._url = url

    def anonymous_bytes(self) -> int:
        """Anonymous resident memory now."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the kernel does not tell RssAnon")

    def ingest(self, events: int, seed: int, *, client_ids: bool = False) -> Outcome:
        """500 events a request over 2 connections."""
        options = ["--batch", "500", "--connections", "2"] + (["--client-ids"] if client_ids else [])
        return self._load("ingest", events, seed, options)

    def single(self, events: int, seed: int) -> Outcome:
        """One event a request over 64 connections."""
        return self._load("single", events, seed, ["--connections", "64"])

    def check_stored(self, events: int) -> None:
        """Every acknowledged event is counted by the server itself, or there is no figure."""
        request = urllib.request.Request(f"{self._url}/metrics", headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        stored = [float(line.split()[-1]) for line in lines if line.startswith("trailbook_events_accepted_total ")]
        if stored != [events]:
            raise RuntimeError(f"{events} events were acknowledged, but the server counts {stored}")

    def _load(self, command: str, events: int, seed: int, options: list[str]) -> Outcome:
        arguments = [self._client, command, "--server", self._url, "--events", str(events), "--seed", str(seed)]
        arguments += ["--pid", str(self._process.pid), "--stages", *options]
        environment = os.environ | {"TRAILBOOK_KEY": KEY}
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"trailbook-bench {command} failed: {done.stderr.strip()}")
        return _outcome(json.loads(done.stdout))


def _outcome(told: dict[str, Any]) -> Outcome:
    acknowledgement = told["acknowledgement_ms"]
    return Outcome(
        events=told["events"],
        seconds=told["seconds"],
        p50_ms=acknowledgement["p50"],
        p99_ms=acknowledgement["p99"],
        max_ms=acknowledgement["max"],
        engine_cpu_seconds=told["server_cpu_seconds"],
        client_cpu_seconds=told["client_cpu_seconds"],
        details={
            "anonymous_bytes": told["server_rss_anonymous_bytes"],
            "peak_bytes": told["server_rss_peak_bytes"],
            **(told["stages"] or {}),
        },
    )


def start(binary: Path, data: Path, settings: dict[str, str]) -> tuple[subprocess.Popen, str]:
    """A server on this directory, ready, and its URL. Settings are variables of its environment beside the key."""
    environment = os.environ | {"TRAILBOOK_ROOT_KEY": KEY, "TRAILBOOK_LOG": "warn"} | settings
    listen = f"127.0.0.1:{machine.free_port()}"
    command = [binary, "serve", "--data", data, "--listen", listen]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # It prints one line, once it answers.
    if not process.stdout.readline():
        raise RuntimeError(f"{binary} ended with {process.wait()} before it was ready")
    return process, f"http://{listen}"


def stop(process: subprocess.Popen, patience_seconds: float = 30) -> None:
    """Stops a server as an operator would."""
    process.terminate()
    try:
        process.wait(timeout=patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(binary: Path, client: Path, scratch: Path) -> Iterator[Server]:
    """A server with an empty ledger; stopped and its directory removed at the end."""
    data = scratch / "trailbook"
    tail = {
        "TRAILBOOK_TAIL_EVENTS_MAX": str(TAIL_EVENTS_MAX),
        "TRAILBOOK_TAIL_BYTES_MAX": str(TAIL_BYTES_MAX),
        "TRAILBOOK_SEAL_EVENTS": str(TAIL_EVENTS_MAX),
        "TRAILBOOK_SEAL_AGE_MS": "86400000",
    }
    try:
        process, url = start(binary, data, tail)
        try:
            yield Server(client, process, url)
        finally:
            stop(process)
    finally:
        shutil.rmtree(data, ignore_errors=True)

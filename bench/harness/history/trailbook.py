"""Trailbook: the release binary with its own settings, loaded and asked over HTTP, one kept-alive connection."""

import http.client
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from .. import machine, trailbook
from ..outcome import quantile_ms
from .questions import DAY_MS, DAYS, END_MS, FACETS, FACET_VALUES, PAGE, Question
from .system import CSV_COLUMNS, Prepared, System, peak_memory
from .table import millis

REST_SECONDS = 10
"""It is at rest when it used no more than a twentieth of a core for so long."""
PATIENCE_SECONDS = 3600
PROOFS = 200
EVIDENCE_EVENTS = 500_000
"""Evidence of about so many events is checked at most, the newest: it has two kilobytes for each."""


class Trailbook(System):
    """A server of its own on loopback."""

    def __init__(self, binary: Path, client: Path, directory: Path, stream: list[str]):
        self._binary, self._client, self._directory, self._stream = binary, client, directory, stream
        self._data = directory / "trailbook"

    def open(self) -> None:
        started = time.perf_counter()
        self._process, self._url = trailbook.start(self._binary, self._data, {})
        self.ready_seconds = time.perf_counter() - started
        self._connection = http.client.HTTPConnection(self._url.removeprefix("http://"), timeout=600)

    def close(self) -> None:
        self._connection.close()
        trailbook.stop(self._process, patience_seconds=120)

    def process(self) -> int:
        return self._process.pid

    def version(self) -> str:
        return f"Trailbook {json.loads(self._get('/version'))['version']}"

    def load(self, events: int) -> dict[str, Any]:
        command = [self._client, "stream", "--server", self._url, "--pid", str(self._process.pid), "--stages"]
        command += ["--events", str(events), *self._stream]
        environment = os.environ | {"TRAILBOOK_KEY": trailbook.KEY}
        with peak_memory(self._process.pid) as peak:
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"trailbook-bench stream failed: {done.stderr.strip()}")
            told = json.loads(done.stdout) | {"peak_bytes": peak(), "metrics_after_load": self._metrics()}
        told["ready_after_kill_seconds"] = self._killed_and_started()
        with peak_memory(self._process.pid) as peak:
            told["rest_seconds"] = self._come_to_rest()
            told["rest_peak_bytes"] = peak()
        return told | {"metrics_at_rest": self._metrics()}

    def _killed_and_started(self) -> float:
        """Seconds until it is ready again after it was killed with whatever its tail held."""
        self._connection.close()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.open()
        return self.ready_seconds

    def _come_to_rest(self) -> float:
        started = quiet = time.monotonic()
        used = machine.family_cpu_seconds(self._process.pid)
        while time.monotonic() - quiet < REST_SECONDS:
            if time.monotonic() - started > PATIENCE_SECONDS:
                raise RuntimeError("it does not come to rest")
            time.sleep(1)
            now = machine.family_cpu_seconds(self._process.pid)
            if now - used > 0.05:
                quiet = time.monotonic()
            used = now
        return time.monotonic() - started - REST_SECONDS

    def _metrics(self) -> dict[str, float]:
        """What the server tells of its tail and history; names that it does not have are absent."""
        lines = self._get("/metrics").decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("trailbook_"))
        history = re.compile("seal|compact|segment|tail|lag|debt|garbage|cache")
        return {name: float(value) for name, value in pairs if history.search(name) and "_bucket" not in name}

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {trailbook.KEY}"} | ({"Content-Type": "application/json"} if body else {})
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} answers {answer.status}: {text[:500]!r}")
        return text

    def _get(self, path: str) -> bytes:
        return self._request("GET", path)

    def prepare(self, question: Question) -> Prepared:
        return getattr(self, f"_prepare_{question.kind}", self._prepare_page)(question)

    def _path(self, question: Question, what: str, **more: Any) -> str:
        wanted = question.filter
        parameters: list[tuple[str, Any]] = [("from", _time(wanted.from_ms)), ("to", _time(wanted.to_ms))]
        parameters += [("action", action) for action in wanted.actions]
        optional = {"actor": wanted.actor, "metadata.plan": wanted.plan, "q": " ".join(f'"{word}"' for word in wanted.words)}
        parameters += [(name, value) for name, value in optional.items() if value]
        parameters += [("security", "true")] if wanted.security else []
        parameters += list(more.items())
        return f"{_below(question)}/{what}?{urlencode(parameters, doseq=True)}"

    def _asking(self, path: str, read) -> Prepared:
        return Prepared(lambda: self._get(path), lambda text: read(json.loads(text)))

    def _prepare_page(self, question: Question, **more: Any) -> Prepared:
        return self._asking(self._path(question, "events", limit=PAGE, **more), _times)

    def _prepare_deep(self, question: Question) -> Prepared:
        left, more = question.depth, {}
        while left > 0:
            page = json.loads(self._get(self._path(question, "events", limit=min(left, 1000), **more)))
            left -= len(page["events"])
            more = {"cursor": page["next"]}
        return self._prepare_page(question, **more)

    def _prepare_words_count(self, question: Question) -> Prepared:
        return self._asking(self._path(question, "events/count"), lambda told: told["count"])

    _prepare_actor_count = _prepare_words_count

    def _prepare_facets(self, question: Question) -> Prepared:
        path = self._path(question, "events/facets", field=list(FACETS), limit=FACET_VALUES)
        return self._asking(path, lambda told: {name: [one["count"] for one in values] for name, values in told["facets"].items()})

    def _prepare_histogram(self, question: Question) -> Prepared:
        return self._asking(self._path(question, "events/histogram", interval="day"), _histogram)

    def _prepare_aggregate(self, question: Question) -> Prepared:
        wanted = {
            "from": _time(question.filter.from_ms),
            "to": _time(question.filter.to_ms),
            "group_by": ["area"],
            "metrics": [{"name": "events", "op": "count"}, {"name": "p95", "op": "p95", "field": "metadata.duration_ms"}],
        }
        path, body = f"{_below(question)}/events/aggregate", json.dumps(wanted).encode()
        return Prepared(lambda: self._request("POST", path, body), lambda text: _aggregate(json.loads(text)))

    def _prepare_record(self, question: Question) -> Prepared:
        page = json.loads(self._get(self._path(question, "events", limit=1)))
        path = f"{_below(question)}/events/{page['events'][0]['id']}"
        return self._asking(path, lambda event: millis(event["occurred_at"]))

    def _prepare_trace(self, question: Question) -> Prepared:
        page = json.loads(self._get(self._path(question, "events", limit=1, q="trace_id:*")))
        path = f"{_below(question)}/traces/{page['events'][0]['trace_id']}"
        return self._asking(path, _times)

    def export(self, organization: str) -> int:
        path = f"/v1/organizations/{quote(organization)}/events.csv?columns={','.join(CSV_COLUMNS)}"
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {trailbook.KEY}"})
        answer = self._connection.getresponse()
        lines = 0
        while piece := answer.read(1 << 20):
            lines += piece.count(b"\n")
        if answer.status != 200:
            raise RuntimeError(f"{path} answers {answer.status}")
        return lines - 1

    def bytes_on_disk(self) -> dict[str, int]:
        """By kind of file. Segments that were merged into others and wait for their removal are apart."""
        found: Counter = Counter()
        garbage = self._garbage()
        for path in self._data.rglob("*"):
            if path.is_file():
                waits = any("/".join(path.parts[begin:]) in garbage for begin in range(len(path.parts)))
                found["garbage (not counted)" if waits else _kind(path)] += path.stat().st_blocks * 512
        return dict(found)

    def _garbage(self) -> set[str]:
        """Names of objects that no reader needs any more."""
        for path in self._data.rglob("*.db"):
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                if database.execute("select 1 from sqlite_master where name = 'garbage'").fetchone():
                    return {name for (name,) in database.execute("select object from garbage")}
        return set()

    def extras(self, organization: str) -> dict[str, Any]:
        return {"proof_ms": self._proofs(organization)} | self._verified(organization)

    def _proofs(self, organization: str) -> dict[str, float]:
        base = f"/v1/organizations/{quote(organization)}/events"
        page = json.loads(self._get(f"{base}?order=asc&limit={PROOFS}"))
        durations = []
        for event in page["events"]:
            started = time.perf_counter()
            self._get(f"{base}/{event['id']}/proof")
            durations.append(time.perf_counter() - started)
        return {"p50": quantile_ms(durations, 0.50), "p95": quantile_ms(durations, 0.95)}

    def _verified(self, organization: str) -> dict[str, Any]:
        """Exports evidence and checks it offline. Events per second of the checker's own CPU time, so: per core."""
        base = f"/v1/organizations/{quote(organization)}"
        held = json.loads(self._get(f"{base}/events/count"))["count"]
        since = END_MS - round(min(1, EVIDENCE_EVENTS / held) * DAYS * DAY_MS)
        events = json.loads(self._get(f"{base}/events/count?from={_time(since)}"))["count"]
        path = self._directory / "evidence.zip"
        environment = os.environ | {"TRAILBOOK_SERVER": self._url, "TRAILBOOK_KEY": trailbook.KEY}
        wanted = ["--organization", organization, "--format", "evidence", "--from", _time(since), "--output", path]
        subprocess.run([self._binary, "export", *wanted], env=environment, check=True, capture_output=True)
        key = json.loads(self._get(f"{base}/checkpoint-key"))["vkey"]
        before, started = _children_cpu_seconds(), time.perf_counter()
        done = subprocess.run([self._binary, "verify", path, "--key", key], capture_output=True, text=True)
        seconds, cpu = time.perf_counter() - started, _children_cpu_seconds() - before
        if done.returncode != 0:
            raise RuntimeError(f"the evidence does not verify: {done.stdout[:500]}{done.stderr[:500]}")
        size = path.stat().st_size
        path.unlink()
        figures = {"events": events, "events_per_second": events / seconds, "per_cpu_second": events / cpu, "bytes": size}
        return {"verify": figures}


def _children_cpu_seconds() -> float:
    """CPU seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _below(question: Question) -> str:
    return f"/v1/organizations/{quote(question.organization)}"


def _time(value: int) -> str:
    text = datetime.fromtimestamp(value / 1000, timezone.utc).replace(tzinfo=None).isoformat("T", "milliseconds")
    return f"{text}Z"


def _times(page: dict[str, Any]) -> list[int]:
    return [millis(event["occurred_at"]) for event in page["events"]]


def _histogram(told: dict[str, Any]) -> list[list[int]]:
    buckets = [[millis(one["start"]) // DAY_MS, one["count"], one["security"]] for one in told["buckets"]]
    return [bucket for bucket in buckets if bucket[1]]


def _aggregate(told: dict[str, Any]) -> dict[str, list]:
    return {row["group"]["area"]: [row["metrics"]["events"], row["metrics"]["p95"]] for row in told["rows"]}


def _kind(path: Path) -> str:
    if ".db" in path.name:
        return "SQL"
    return {".parquet": "truth (parquet)"}.get(path.suffix, "hashes and index (bundle)" if "segments" in path.parts else "other")

"""The server as a process, and somebody who talks to it: as root, with a key, or with a browser's cookie."""

import gzip
import http.client
import json
import os
import re
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from harness.process import Program, free_port
from harness.waiting import until

ROOT_KEY = "deliveries-root-key-0123456789abcdef"
REPOSITORY = Path(__file__).resolve().parents[3]
#: Formats that the binary knows; the others have a mapping in testdata.
BUILT_IN = {"cloudtrail", "okta", "google-workspace", "github", "windows"}


@dataclass
class Answer:
    """What the server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def expect(self, *statuses: int) -> "Answer":
        """Itself, when the status is one of these."""
        assert self.status in (statuses or (200, 201, 202, 204)), f"{self.status}: {self.body[:2000]!r}"
        return self

    def pointers(self) -> list[str]:
        """Where a refused body is wrong."""
        return [error["pointer"] for error in self.json.get("errors", [])]


class Trailbook:
    """One data directory, and a server on it that can be killed and started again at the same address."""

    def __init__(self, binary: Path, folder: Path, **settings: str) -> None:
        self.binary, self.data = binary, folder / "data"
        self.port = free_port()
        self.log = folder / "server-log"
        # What whoever runs the tests has set must not show.
        own = {name: value for name, value in os.environ.items() if not name.startswith("TRAILBOOK_")}
        self.environment = {
            **own,
            "TRAILBOOK_ROOT_KEY": ROOT_KEY,
            **{f"TRAILBOOK_{name.upper()}": value for name, value in settings.items() if name != "ssl_cert_file"},
        }
        if "ssl_cert_file" in settings:
            self.environment["SSL_CERT_FILE"] = settings["ssl_cert_file"]
        self.program: Program | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it can store and read."""
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        self.program = Program(command, self.log, self.environment)
        self.program.ready("trailbook", self.port)
        until("trailbook is ready", lambda: self.call("GET", "/readyz", key=None).status == 200)

    def kill(self) -> None:
        """SIGKILL: nothing is written that was not written."""
        self.program.kill()

    def stop(self) -> None:
        """SIGTERM."""
        self.program.stop()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = ROOT_KEY,
        session: str | None = None,
        project: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request. With `session` it is a browser's, of our own page."""
        send = dict(headers or {})
        if session is not None:
            send |= {"Cookie": f"__Host-trailbook={session}", "Trailbook-Console": "1"}
        elif key is not None:
            send["Authorization"] = f"Bearer {key}"
        if project is not None:
            send["Trailbook-Project"] = project
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            send.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, send)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            connection.close()

    def get(self, path: str, **how: object) -> Answer:
        """What is there; it must be."""
        return self.call("GET", path, **how).expect(200)

    def post(self, path: str, body: object, **how: object) -> Answer:
        """What came of it; it must be well."""
        return self.call("POST", path, body, **how).expect()

    def send(self, events: list[dict], **how: object) -> list[dict]:
        """Stores events, at most 10,000; their ids and sequences."""
        return self.post("/v1/events", {"events": events}, **how).json["events"]

    def command(self, *arguments: object, **how: object) -> str:
        """Runs a command against this server; what it printed."""
        environment = {**self.environment, "TRAILBOOK_SERVER": self.url, "TRAILBOOK_KEY": ROOT_KEY}
        done = subprocess.run([self.binary, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=120, **how)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def import_real(self, name: str, organization: str, project: str | None = None) -> None:
        """Imports a file of `testdata/real`."""
        how = (
            ["--from", name]
            if name in BUILT_IN
            else ["--from", "generic", "--mapping", REPOSITORY / "testdata" / "mappings" / f"{name}.toml"]
        )
        where = ["--project", project] if project else []
        environment = {**self.environment, "TRAILBOOK_SERVER": self.url, "TRAILBOOK_KEY": ROOT_KEY}
        path = REPOSITORY / "testdata" / "real" / f"{name}.jsonl.gz"
        rejects = self.data.parent / f"{organization}.rejects"
        command = [self.binary, "import", *how, "--organization", organization, "--rejects", rejects, *where, path]
        # 1: some records were rejected, and it is said why.
        done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode in (0, 1), f"{done.returncode}: {done.stderr}"

    def stored(self, organization: str, query: str = "", **how: object) -> list[dict]:
        """All events of a ledger in the order of their sequences, as `events.jsonl` has them: what deliveries are held against."""
        parameters = "?from=0001-01-01T00:00:00Z" + (f"&q={urllib.parse.quote(query)}" if query else "")
        answer = self.get(f"/v1/organizations/{organization}/events.jsonl{parameters}", headers={"Accept-Encoding": "gzip"}, **how)
        body = gzip.decompress(answer.body) if answer.headers.get("Content-Encoding") == "gzip" else answer.body
        # Only the line feed ends a line; other separators may be within a text.
        events = [json.loads(line) for line in body.split(b"\n") if line]
        return sorted(events, key=lambda event: event["sequence"])

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    def metric(self, name: str) -> float:
        """A number of `/metrics`."""
        found = re.search(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", self.get("/metrics").text, re.MULTILINE)
        assert found, f"no metric {name}"
        return float(found.group(1))


class Streams:
    """The streams of an organization, or of a whole project."""

    def __init__(self, server: Trailbook, organization: str | None = None, **how: object) -> None:
        self.server, self.how, self.organization = server, how, organization
        self.path = f"/v1/organizations/{organization}/streams" if organization else "/v1/streams"

    def create(self, place: "object", **fields: object) -> "Stream":
        """A stream to a counterpart's place, from the beginning and without waiting, unless told otherwise."""
        known = f"/v1/organizations/{self.organization}"
        # An organization that nobody has heard of has no streams; the first event would make it, or whoever sets it up.
        if self.organization and self.server.call("GET", known).status == 404:
            self.server.call("PUT", known, {}).expect(201)
        fields = {"mapping": "native", "filter": "", "start": "beginning", "interval_seconds": 1} | fields
        body = {"name": fields.pop("name", "to a counterpart"), "destination": place.destination, "secrets": place.secrets, **fields}
        return Stream(self, self.server.call("POST", self.path, body, **self.how).expect(201).json)


class Stream:
    """One stream, by its id."""

    def __init__(self, streams: Streams, made: dict) -> None:
        self.streams, self.made, self.id = streams, made, made["id"]

    def call(self, method: str, rest: str = "", body: object = None, **how: object) -> Answer:
        return self.streams.server.call(method, f"{self.streams.path}/{self.id}{rest}", body, **(self.streams.how | how))

    def shown(self) -> dict:
        return self.call("GET").expect(200).json

    def health(self) -> dict:
        return self.shown()["health"]

    def do(self, what: str, body: dict | None = None) -> dict:
        """test, pause, resume, replay, parked/retry."""
        return self.call("POST", f"/{what}", body or {}).expect(200).json

    def change(self, **fields: object) -> dict:
        """Replaces what is named, and keeps the rest, secrets included."""
        answer = self.call("GET").expect(200)
        shown = answer.json
        kept = ("name", "destination", "mapping", "filter", "batch_events", "interval_seconds")
        body = {name: shown[name] for name in kept} | fields
        return self.call("PUT", "", body, headers={"If-Match": answer.headers["ETag"]}).expect(200).json

    def delete(self) -> None:
        self.call("DELETE").expect(204)

    def caught_up(self, seconds: float = 30) -> dict:
        """Its health once nothing is left to deliver."""

        def look() -> dict | None:
            health = self.health()
            assert health["lag_events"] == 0, health
            return health

        return until("the stream has delivered everything", look, seconds)

"""Exports as jobs, and the files that they make."""

import csv
import io

from harness.trailbook import Answer, Trailbook
from harness.waiting import until


class Exports:
    """The exports of an organization, asked for by root, with a key, or by somebody signed in."""

    def __init__(self, server: Trailbook, organization: str, **how: object) -> None:
        self.server, self.how, self.path = server, how, f"/v1/organizations/{organization}/exports"

    def ask(self, **body: object) -> Answer:
        """What was answered to a request."""
        return self.server.call("POST", self.path, body, **self.how)

    def shown(self, id: str) -> dict:
        """An export as it is now."""
        return self.server.call("GET", f"{self.path}/{id}", **self.how).expect(200).json

    def ready(self, seconds: float = 60, **body: object) -> dict:
        """An export once it is there."""
        asked = self.ask(**body).expect(202).json
        assert asked["state"] in ("queued", "running", "ready") and asked["format"] == body["format"], asked
        return self.until_ready(asked["id"], seconds)

    def until_ready(self, id: str, seconds: float = 60) -> dict:
        """The export once it is there; fails as soon as it failed."""

        def look() -> dict | None:
            shown = self.shown(id)
            if shown["state"] == "failed":
                raise RuntimeError(shown)
            return shown if shown["state"] == "ready" else None

        return until("the export is ready", look, seconds)

    def download(self, export: dict) -> Answer:
        """The file, with the credential that asked for it."""
        return self.server.call("GET", f"{self.path}/{export['id']}/download", **self.how)


def by_link(server: Trailbook, url: str, **headers: str) -> Answer:
    """What a link leads to, for somebody without any other credential."""
    path = url.removeprefix("https://log.trailbook.example")
    assert path.startswith("/downloads/"), url
    return server.call("GET", path, key=None, headers={name.replace("_", "-"): text for name, text in headers.items()})


def cells(body: bytes) -> list[list[str]]:
    """A CSV file as Python reads it."""
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))

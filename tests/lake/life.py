"""The life of a server whose lake is read: it stored events two days ago and yesterday, of which the older ones have expired, and stores more
while others read.

Yesterday is made by libfaketime, as the server takes the time from the machine's clock.
"""

import datetime
import glob
import os
import threading
from pathlib import Path
from unittest import mock

from harness.events import event
from harness.trailbook import Trailbook
from harness.waiting import until

ORGANIZATIONS = ["acme", "bolt", "crow", "dune"]
#: Events of a request; sealing takes 1000 at a time, the fewest that can be set.
BATCH = 500
SETTINGS = {"seal_events": "1000", "seal_age_ms": "1000", "retention_days": "1"}


def clock(hours_ago: int) -> dict[str, str]:
    """What lets a process live some hours ago; time passes as it does elsewhere."""
    libraries = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert libraries, "libfaketime is not installed: scripts/lake does that"
    return {"LD_PRELOAD": libraries[0], "FAKETIME": f"-{hours_ago}h", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def moment(number: int) -> str:
    """When the event of this number happened: a second after the one before."""
    return (datetime.datetime(2026, 10, 1) + datetime.timedelta(seconds=number)).isoformat() + "Z"


class Life:
    """A server, and the events that it was sent."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.number = 0
        #: Events are stored while the log is below this version.
        self.limit = 0
        self.ingest: threading.Thread | None = None
        self.is_over = threading.Event()
        self.failure: BaseException | None = None
        two_days_ago, yesterday = clock(46), clock(23)
        with mock.patch.dict(os.environ, two_days_ago):
            self.server = Trailbook(binary, folder, **SETTINGS)
        self.send(10)
        self.sealed()
        self.server.stop()
        self.server.environment |= yesterday
        self.server.start()
        self.send(10)
        self.sealed()
        self.server.stop()
        for name in yesterday:
            del self.server.environment[name]
        self.server.start()

    @property
    def table(self) -> Path:
        """Where the lake's table is."""
        return self.server.data / "objects"

    def send(self, batches: int) -> None:
        """Stores some batches of events, numbered in `metadata.number`."""
        for _ in range(batches):
            numbers = range(self.number, self.number + BATCH)
            self.server.send([event(ORGANIZATIONS[min(number % 7, 3)], number, occurred_at=moment(number)) for number in numbers])
            self.number += BATCH

    def begin(self, limit: int) -> None:
        """Stores events all the time from here on, as long as the log is below some version, which may be raised."""
        self.limit = limit

        def run() -> None:
            try:
                while not self.is_over.is_set():
                    if self.newest() < self.limit:
                        self.send(1)
                    else:
                        self.is_over.wait(0.05)
            except BaseException as error:  # whoever waits for the end says it
                self.failure = error

        self.is_over.clear()
        self.ingest = threading.Thread(target=run, daemon=True)
        self.ingest.start()

    def end(self) -> None:
        """Stores no more, and waits until all is sealed and in the lake."""
        self.is_over.set()
        if self.ingest is not None:
            self.ingest.join()
        assert self.failure is None, self.failure
        self.sealed()

    def sealed(self) -> None:
        """Waits until the lake has everything."""
        until("everything is sealed", lambda: self.server.metric("trailbook_tail_events") == 0)
        until("the log has every version", lambda: self.server.metric("trailbook_lake_versions_waiting") == 0)

    def newest(self) -> int:
        """The newest version in the log; -1 when there is none. The versions before it are there as well."""
        names = sorted(path.name for path in (self.table / "_delta_log").glob("*.json"))
        versions = [int(name.removesuffix(".json")) for name in names]
        assert versions == list(range(len(versions))), versions
        return len(versions) - 1

    def says(self, organization: str, through: int) -> tuple[int, int, int]:
        """What the server itself answers of the events up to a number: how many there are, the sum of their numbers, and the least."""
        field = "metadata.number"
        metrics = [{"name": "events", "op": "count"}, *({"name": op, "op": op, "field": field} for op in ("sum", "min"))]
        body = {"from": moment(0), "to": moment(through + 1), "metrics": metrics}
        (row,) = self.server.post(f"/v1/organizations/{organization}/events/aggregate", body).json["rows"]
        return tuple(int(row["metrics"][name]) for name in ("events", "sum", "min"))

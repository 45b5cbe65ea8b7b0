"""One server and one of each counterpart for the whole run, each started when a test first asks for it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterparts.azure import Azure
from counterparts.datadog import Datadog
from counterparts.gcs import Gcs
from counterparts.mailbox import Mailbox
from counterparts.otlp import Collector, Otlp
from counterparts.place import Place
from counterparts.s3 import S3
from counterparts.search import Search
from counterparts.splunk import Splunk
from counterparts.syslog import Syslog
from counterparts.webhook import Webhooks
from harness.certificates import Authority
from harness.destinations import PLACES
from harness.trailbook import Trailbook

#: What mail says it is from, and where links lead.
MAIL_FROM = "Audit log <log@trailbook.example>"


@pytest.fixture(scope="session")
def binary() -> Path:
    """The server that is tested."""
    named = os.environ.get("TRAILBOOK_BIN")
    if not named or not os.access(named, os.X_OK):
        pytest.fail("TRAILBOOK_BIN names no binary: run scripts/deliveries target/debug/trailbook")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the run's logs and data."""
    return tmp_path_factory.mktemp("deliveries")


@pytest.fixture(scope="session")
def authority(scratch: Path) -> Authority:
    """The certificate authority that the server and the counterparts trust."""
    return Authority(scratch, "known")


@pytest.fixture(scope="session")
def stranger(scratch: Path) -> Authority:
    """One that nobody trusts."""
    return Authority(scratch, "unknown")


def kept(make: Callable) -> Iterator:
    """A counterpart, stopped at the end."""
    yield make
    make.stop()


@pytest.fixture(scope="session")
def s3(scratch: Path) -> Iterator[S3]:
    yield from kept(S3(scratch))


@pytest.fixture(scope="session")
def gcs(scratch: Path) -> Iterator[Gcs]:
    yield from kept(Gcs(scratch))


@pytest.fixture(scope="session")
def azure(scratch: Path) -> Iterator[Azure]:
    yield from kept(Azure(scratch))


@pytest.fixture(scope="session")
def search(scratch: Path) -> Iterator[Search]:
    yield from kept(Search(scratch))


@pytest.fixture(scope="session")
def syslog(scratch: Path, authority: Authority) -> Iterator[Syslog]:
    yield from kept(Syslog(scratch, authority))


@pytest.fixture(scope="session")
def webhooks() -> Iterator[Webhooks]:
    yield from kept(Webhooks())


@pytest.fixture(scope="session")
def otlp() -> Iterator[Otlp]:
    yield from kept(Otlp())


@pytest.fixture(scope="session")
def behind_collector() -> Iterator[Otlp]:
    """Takes what the collector passes on."""
    yield from kept(Otlp(token=None))


@pytest.fixture(scope="session")
def collector(scratch: Path, behind_collector: Otlp) -> Iterator[Collector]:
    yield from kept(Collector(scratch, behind_collector))


@pytest.fixture(scope="session")
def datadog() -> Iterator[Datadog]:
    yield from kept(Datadog())


@pytest.fixture(scope="session")
def splunk() -> Iterator[Splunk]:
    yield from kept(Splunk())


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    yield from kept(Mailbox())


@pytest.fixture(scope="session")
def settings(mailbox: Mailbox, authority: Authority) -> dict[str, str]:
    """How a server is set up that may deliver to loopback and sends mail."""
    return {
        "private_destinations": "127.0.0.0/8",
        "smtp_url": f"smtp://127.0.0.1:{mailbox.port}",
        "mail_from": MAIL_FROM,
        "ssl_cert_file": str(authority.ca),
    }


@pytest.fixture(scope="session")
def start(binary: Path, tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Callable[..., Trailbook]]:
    """Starts a server on a data directory of its own; settings are those of all, but for what is named (`None` is without)."""
    running: list[Trailbook] = []

    def start(**other: str | None) -> Trailbook:
        chosen = {name: value for name, value in (settings | other).items() if value is not None}
        chosen.setdefault("public_url", "https://log.trailbook.example")
        running.append(Trailbook(binary, tmp_path_factory.mktemp("server"), **chosen))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def server(start: Callable[..., Trailbook]) -> Trailbook:
    """The server that all tests share; each has organizations of its own on it."""
    return start()


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Callable[[str, str], Place]:
    """A place of a kind for an organization's events; what it goes through has no bad day afterwards."""
    made: list[Place] = []

    def place(kind: str, organization: str) -> Place:
        made.append(PLACES[kind](request, organization))
        return made[-1]

    yield place
    for one in made:
        if one.door is not None:
            if one.door.server is None:
                one.door.up()
            one.door.calm()

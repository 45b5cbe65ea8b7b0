"""Writers and readers as threads. Every try and every look goes into the history, with its times and its node.

A writer sends an event, or some at once, in one of three ways: under an `Idempotency-Key`, with client ids, or with neither.
The first two it repeats on another node until they are acknowledged; what has neither is sent once, and may be there or not.
"""

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import quote

from harness.trailbook import Answer
from harness.waiting import TooLate, until
from history.record import NO, UNKNOWN, Checkpoint, History, Place, Read, Write
from history.tree import opened
from machines.node import Node, Unanswered

#: From the beginning of time: reads are of the whole ledger.
ALL = "from=0001-01-01T00:00:00Z"
#: How long a request is repeated before the log counts as one that takes nothing any more.
GIVE_UP_AFTER = 90.0
#: Between two tries of a request, and between two requests of a client: at most, seconds.
PAUSE, PACE = 0.15, 0.02
EVENTS_MAX = 30


@dataclass
class Request:
    """Events that are sent together until they are stored."""

    name: str
    organization: str
    marks: tuple[str, ...]
    body: dict
    headers: dict[str, str]
    repeatable: bool


@dataclass
class Load:
    """A crowd of clients; `with` starts them, and ends when all they began is acknowledged."""

    nodes: list[Node]
    organizations: list[str]
    history: History = field(default_factory=History)
    writers: int = 3
    readers: int = 3
    seed: int = 7

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        #: The story has failed: nothing needs to be acknowledged any more.
        self.abandoned = False
        #: Some events that were acknowledged, the newest last: what readers look for.
        self.known: deque[tuple[str, str, str]] = deque(maxlen=200)
        self.keys: dict[str, str] = {}
        self.faults: list[BaseException] = []
        self.threads = [threading.Thread(target=self.guarded, args=(self.write, number), daemon=True) for number in range(self.writers)]
        self.threads += [threading.Thread(target=self.guarded, args=(self.read, number), daemon=True) for number in range(self.readers)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stopping.set()
        if kind is not None:
            self.abandoned = True
            return
        for thread in self.threads:
            thread.join(GIVE_UP_AFTER + 30)
        if self.faults:
            raise self.faults[0]

    def guarded(self, work, number: int) -> None:
        try:
            work(random.Random(f"{self.seed} {work.__name__} {number}"), number)
        except BaseException as fault:
            self.faults.append(fault)

    def acknowledged(self) -> int:
        """Tries that were acknowledged so far."""
        return sum(write.acknowledged for write in list(self.history.writes))

    def goes_on(self, tries: int, seconds: float = 60) -> None:
        """Waits until so many more tries were acknowledged."""
        goal = self.acknowledged() + tries

        def look() -> bool:
            if self.faults:
                raise RuntimeError("a client has ended") from self.faults[0]
            return self.acknowledged() >= goal

        until(f"{tries} more tries are acknowledged", look, seconds)

    # Writing.

    def write(self, chance: random.Random, number: int) -> None:
        count = 0
        while not self.stopping.is_set():
            count += 1
            request = self.compose(chance, f"w{self.seed}-{number}-{count}")
            self.carry(request, chance)
            time.sleep(chance.uniform(0, PACE))

    def compose(self, chance: random.Random, name: str) -> Request:
        organization = chance.choice(self.organizations)
        how = chance.choice(["key", "ids", "both", "neither"])
        events = 1 if chance.random() < 0.6 else chance.randrange(2, EVENTS_MAX)
        marks = tuple(f"{name}-{index}" for index in range(events))
        body = [event(organization, mark, client_id=mark if how in ("ids", "both") else None) for mark in marks]
        headers = {"Idempotency-Key": name} if how in ("key", "both") else {}
        return Request(name, organization, marks, {"events": body} if events > 1 else body[0], headers, how != "neither")

    def carry(self, request: Request, chance: random.Random) -> None:
        """Sends it until it is acknowledged, each time to another node."""
        deadline = time.monotonic() + GIVE_UP_AFTER
        before = None
        while True:
            node = chance.choice([node for node in self.nodes if node is not before or len(self.nodes) == 1])
            tried = self.attempt(request, node)
            self.history.writes.append(tried)
            if tried.acknowledged:
                self.known.extend((request.organization, place.id, mark) for place, mark in zip(tried.receipt[:1], request.marks))
                return
            if not request.repeatable or self.abandoned:
                return
            if time.monotonic() > deadline:
                raise TooLate(f"{request.name} is not acknowledged after {GIVE_UP_AFTER} s; the last answer was {tried}")
            before = node
            time.sleep(chance.uniform(0, PAUSE))

    def attempt(self, request: Request, node: Node) -> Write:
        began = time.monotonic()
        try:
            answer = node.ask("POST", "/v1/events", request.body, request.headers)
        except Unanswered as unanswered:
            stored = UNKNOWN if unanswered.sent else NO
            return Write(node.number, began, time.monotonic(), request.organization, None, request.name, request.marks, stored=stored)
        ended = time.monotonic()
        told = Write(node.number, began, ended, request.organization, answer.status, request.name, request.marks, stored=UNKNOWN)
        if answer.status == 201:
            receipt = tuple(Place(one["id"], one["sequence"]) for one in answer.json["events"])
            return Write(**(told.__dict__ | {"receipt": receipt}))
        # Only a 503 may have stored something.
        return Write(**(told.__dict__ | {"stored": answer.json.get("stored", NO)}))

    # Reading.

    def read(self, chance: random.Random, number: int) -> None:
        looks = [self.page, self.count, self.search, self.search, self.lookup, self.lookup, self.checkpoint]
        while not self.stopping.is_set():
            look, node = chance.choice(looks), chance.choice(self.nodes)
            began = time.monotonic()
            try:
                look(node, chance, began)
            except Unanswered:
                self.history.reads.append(Read(node.number, began, time.monotonic(), chance.choice(self.organizations), None, look.__name__))
            time.sleep(chance.uniform(0, PACE))

    def page(self, node: Node, chance: random.Random, began: float) -> None:
        """The newest events."""
        organization = chance.choice(self.organizations)
        self.saw(node, began, organization, "page", node.ask("GET", f"/v1/organizations/{organization}/events?{ALL}&limit=50"))

    def count(self, node: Node, chance: random.Random, began: float) -> None:
        """All events."""
        organization = chance.choice(self.organizations)
        self.saw(node, began, organization, "count", node.ask("GET", f"/v1/organizations/{organization}/events/count?{ALL}"))

    def search(self, node: Node, chance: random.Random, began: float) -> None:
        """One event by what is in it."""
        if known := self.some(chance):
            organization, _, mark = known
            path = f"/v1/organizations/{organization}/events?{ALL}&metadata.mark={quote(mark)}"
            self.saw(node, began, organization, "search", node.ask("GET", path), mark)

    def lookup(self, node: Node, chance: random.Random, began: float) -> None:
        """One event by its id."""
        if known := self.some(chance):
            organization, id, mark = known
            self.saw(node, began, organization, "lookup", node.ask("GET", f"/v1/organizations/{organization}/events/{id}"), mark)

    def checkpoint(self, node: Node, chance: random.Random, began: float) -> None:
        """The newest signed tree head."""
        organization = chance.choice(self.organizations)
        path = f"/v1/organizations/{organization}"
        answer = node.ask("GET", f"{path}/checkpoint")
        ended = time.monotonic()
        if answer.status != 200:
            self.history.checkpoints.append(Checkpoint(node.number, began, ended, organization, answer.status))
            return
        if organization not in self.keys:
            self.keys[organization] = node.ask("GET", f"{path}/checkpoint-key").expect(200).json["vkey"]
        # Any node's signature must be by the one key.
        origin, size, root = opened(answer.body, self.keys[organization])
        self.history.checkpoints.append(Checkpoint(node.number, began, ended, organization, 200, origin, size, root))

    def some(self, chance: random.Random) -> tuple[str, str, str] | None:
        """An acknowledged event, often the newest: the one that is hardest to have seen everywhere."""
        known = list(self.known)
        return (known[-1] if chance.random() < 0.5 else chance.choice(known)) if known else None

    def saw(self, node: Node, began: float, organization: str, kind: str, answer: Answer, mark: str | None = None) -> None:
        ended = time.monotonic()
        told = answer.json if answer.status == 200 else {}
        shown = told.get("events", [told] if kind == "lookup" and told else [])
        seen = tuple((Place(one["id"], one["sequence"]), (one["metadata"] or {}).get("mark")) for one in shown)
        self.history.reads.append(
            Read(node.number, began, ended, organization, answer.status, kind, mark, told.get("size"), told.get("count"), seen)
        )


def event(organization: str, mark: str | None = None, **fields: object) -> dict:
    """An event that is known by its mark, if it has one."""
    return {
        "organization": organization,
        "action": "report.exported",
        "actor": {"type": "user", "id": "u_1", "name": "Ann"},
        "metadata": {"mark": mark} if mark else {},
        **{name: value for name, value in fields.items() if value is not None},
    }

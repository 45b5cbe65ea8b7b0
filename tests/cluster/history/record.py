"""What is written down of a run: each request with its beginning, its end, its node and its answer.

Times are of one monotonic clock. An operation *precedes* another when it ended before the other began; all that the judge
demands rests on that alone. A *mark* is a text that a client gave to one event and to no other.
"""

from dataclasses import dataclass, field

#: What a refused or unanswered write says of whether it happened.
NO, UNKNOWN = "no", "unknown"


@dataclass(frozen=True)
class Place:
    """Where an event stands: its Log ID and its sequence."""

    id: str
    sequence: int


@dataclass(frozen=True)
class Operation:
    """A request to one node; `status` is `None` when no answer came."""

    node: int
    began: float
    ended: float
    organization: str
    status: int | None


@dataclass(frozen=True)
class Write(Operation):
    """One try to store events. Tries of the same request have the same name."""

    name: str
    marks: tuple[str, ...]
    #: Where the events stand, in the order of `marks`, when it was acknowledged.
    receipt: tuple[Place, ...] | None = None
    #: What is known when it was not: whether the events were stored all the same.
    stored: str = UNKNOWN

    @property
    def acknowledged(self) -> bool:
        return self.receipt is not None


@dataclass(frozen=True)
class Read(Operation):
    """One look: a page, a search for one mark, a lookup by id, a count."""

    kind: str
    #: The mark that was looked for, if one was.
    mark: str | None = None
    #: The ledger's size that the answer speaks of, where it says so.
    size: int | None = None
    #: What an unfiltered count said.
    count: int | None = None
    #: The events that were shown, with their marks; Trailbook's own events have none.
    seen: tuple[tuple[Place, str | None], ...] = ()


@dataclass(frozen=True)
class Checkpoint(Operation):
    """A signed tree head, its signature already checked."""

    origin: str = ""
    size: int = 0
    root: bytes = b""


@dataclass(frozen=True)
class Stored:
    """An event as a node shows it at the end."""

    place: Place
    mark: str | None
    received_at: str


@dataclass(frozen=True)
class Ledger:
    """All events of an organization as one node shows them at the end, in its order."""

    node: int
    organization: str
    events: tuple[Stored, ...]


@dataclass
class History:
    """A whole run. Many threads add to its lists."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    ledgers: list[Ledger] = field(default_factory=list)

    def acknowledged(self) -> int:
        """Events that somebody was told are stored."""
        return len({mark for write in self.writes if write.acknowledged for mark in write.marks})

    def summary(self) -> str:
        """One line for whoever reads the log of a run."""
        tries = len(self.writes)
        unanswered = sum(write.status is None for write in self.writes)
        refused = sum(write.status is not None and not write.acknowledged for write in self.writes)
        return (
            f"{self.acknowledged()} events acknowledged in {tries} tries ({unanswered} unanswered, {refused} refused), "
            f"{len(self.reads)} reads, {len(self.checkpoints)} checkpoints"
        )

"""The judge: whether a history is one that a single, durable, append-only log could have made.

Each rule answers what it found wrong, as sentences; an empty list is a good history. A rule that is broken a thousand times
says so with few examples.

Not here: signatures (checked when a checkpoint is fetched) and consistency proofs (`tree`).
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise

from history.record import NO, History, Ledger, Operation, Place, Stored

#: Answers that faults explain: refused for now, or not yet decided.
EXPLAINED = {409, 429, 503}
#: Examples of one kind of fault that are told.
EXAMPLES = 5

Rule = Callable[[History], Iterator[str]]


def check(history: History) -> list[str]:
    """Everything that is wrong with a history."""
    return [fault for rule in RULES for fault in few(rule(history))]


def few(faults: Iterable[str]) -> Iterator[str]:
    """The first of them, and how many more there are."""
    faults = list(faults)
    yield from faults[:EXAMPLES]
    if len(faults) > EXAMPLES:
        yield f"… and {len(faults) - EXAMPLES} more of that kind"


def nodes_agree(history: History) -> Iterator[str]:
    """Every node shows the same ledgers."""
    for organization, ledgers in by_organization(history.ledgers).items():
        first = ledgers[0]
        for other in ledgers[1:]:
            if other.events != first.events:
                index, here, there = difference(first, other)
                yield f"{organization}: nodes {first.node} and {other.node} differ from position {index} on: {here} and {there}"


def sequences_are_gapless(history: History) -> Iterator[str]:
    """Sequences are 0, 1, 2 …, and time does not go back along them."""
    for ledger in history.ledgers:
        sequences = [event.place.sequence for event in ledger.events]
        if sequences != list(range(len(sequences))):
            wrong = next(index for index, sequence in enumerate(sequences) if sequence != index)
            yield f"{ledger.organization} on node {ledger.node}: at position {wrong} stands sequence {sequences[wrong]}"
        for one, next_one in pairwise(ledger.events):
            if next_one.received_at < one.received_at:
                sequence = next_one.place.sequence
                yield f"{ledger.organization} on node {ledger.node}: {sequence} was received before the one before it"


def nothing_is_doubled(history: History) -> Iterator[str]:
    """A mark and an id are in a ledger once at most, and nobody's marks are there but clients'."""
    sent = {mark for write in history.writes for mark in write.marks}
    for ledger in history.ledgers:
        where = f"{ledger.organization} on node {ledger.node}"
        for mark, times in Counter(event.mark for event in ledger.events if event.mark is not None).items():
            if times > 1:
                yield f"{where}: {mark} is stored {times} times"
            if mark not in sent:
                yield f"{where}: nobody sent {mark}"
        for id, times in Counter(event.place.id for event in ledger.events).items():
            if times > 1:
                yield f"{where}: the id {id} was given {times} times"


def acknowledged_is_stored(history: History) -> Iterator[str]:
    """Every acknowledged event stands where its receipt says, on every node."""
    for organization, ledgers in by_organization(history.ledgers).items():
        for ledger in ledgers:
            events = {event.place: event.mark for event in ledger.events}
            for write in of(history.writes, organization):
                for mark, place in zip(write.marks, write.receipt or (), strict=bool(write.receipt)):
                    if events.get(place) != mark:
                        there = events.get(place)
                        yield f"{organization} on node {ledger.node}: {mark} was acknowledged as {place}; there is {there}"


def refused_is_absent(history: History) -> Iterator[str]:
    """What every answer said is not stored is not stored."""
    tries = defaultdict(list)
    for write in history.writes:
        tries[write.name].append(write)
    absent = {mark for writes in tries.values() if all(refused(write) for write in writes) for mark in writes[0].marks}
    for ledger in history.ledgers:
        for event in ledger.events:
            if event.mark in absent:
                yield f"{ledger.organization} on node {ledger.node}: {event.mark} is stored, though every answer said that it is not"


def repetitions_answer_the_same(history: History) -> Iterator[str]:
    """A request that is acknowledged twice is told the same."""
    receipts: dict[str, tuple[Place, ...]] = {}
    for write in history.writes:
        if write.receipt is not None and receipts.setdefault(write.name, write.receipt) != write.receipt:
            yield f"{write.organization}: {write.name} was told {receipts[write.name]} and then {write.receipt}"


def places_never_change(history: History) -> Iterator[str]:
    """Whoever sees an event sees it with the id and the sequence that it has at the end."""
    for organization, ledgers in by_organization(history.ledgers).items():
        places = {event.mark: event.place for event in ledgers[0].events if event.mark is not None}
        for read in of(history.reads, organization):
            for place, mark in read.seen:
                if mark is not None and places.get(mark) != place:
                    yield f"{organization}: {read.kind} on node {read.node} showed {mark} as {place}; at the end it is {places.get(mark)}"


def acknowledged_is_visible(history: History) -> Iterator[str]:
    """A read that begins after an acknowledgement anywhere sees the event."""
    for organization in {read.organization for read in history.reads}:
        known = Acknowledged(history, organization)
        for read in of(history.reads, organization):
            if read.status not in (200, 404):
                continue
            where = f"{organization}: {read.kind} on node {read.node}"
            size = known.size_before(read.began)
            if read.size is not None and read.size < size:
                yield f"{where} speaks of {read.size} events, but {size} were acknowledged before it began"
            if read.count is not None and read.size is not None and read.count != read.size:
                yield f"{where} counts {read.count} of {read.size} events without a filter"
            if read.mark is not None and known.at(read.mark) <= read.began and all(mark != read.mark for _, mark in read.seen):
                yield f"{where} does not find {read.mark}, which was acknowledged before it began"


def reads_are_monotonic(history: History) -> Iterator[str]:
    """A read that follows another does not see less."""
    for organization in {read.organization for read in history.reads}:
        reads = [read for read in of(history.reads, organization) if read.size is not None]
        ended = sorted(reads, key=lambda read: read.ended)
        most = list(accumulate((read.size for read in ended), max))
        ends = [read.ended for read in ended]
        for read in reads:
            before = bisect_right(ends, read.began)
            if before and read.size < most[before - 1]:
                yield f"{organization}: {read.kind} on node {read.node} speaks of {read.size} events after {most[before - 1]} had been seen"


def checkpoints_do_not_contradict(history: History) -> Iterator[str]:
    """All checkpoints of one origin and size have one root, and none speaks of more than there is."""
    sizes = {ledger.organization: len(ledger.events) for ledger in history.ledgers}
    roots: dict[tuple[str, int], bytes] = {}
    for checkpoint in history.checkpoints:
        if roots.setdefault((checkpoint.origin, checkpoint.size), checkpoint.root) != checkpoint.root:
            yield f"{checkpoint.origin}: two roots are signed for size {checkpoint.size}, one by node {checkpoint.node}"
        if checkpoint.size > sizes.get(checkpoint.organization, checkpoint.size):
            yield f"{checkpoint.origin}: size {checkpoint.size} is signed and {sizes[checkpoint.organization]} events are there"


def faults_explain_answers(history: History) -> Iterator[str]:
    """What is refused is refused as something that passes; nothing is answered that a bug would answer."""
    for operation in [*history.writes, *history.reads, *history.checkpoints]:
        good = operation.status is None or 200 <= operation.status < 300 or operation.status in EXPLAINED
        # A lookup may come before what it looks for, which is another rule's; a ledger may not exist yet.
        if not good and operation.status != 404:
            yield f"{type(operation).__name__} on node {operation.node} at {operation.began:.3f} was answered {operation.status}"


RULES: list[Rule] = [
    nodes_agree,
    sequences_are_gapless,
    nothing_is_doubled,
    acknowledged_is_stored,
    refused_is_absent,
    repetitions_answer_the_same,
    places_never_change,
    acknowledged_is_visible,
    reads_are_monotonic,
    checkpoints_do_not_contradict,
    faults_explain_answers,
]


class Acknowledged:
    """What was acknowledged in one organization, by time."""

    def __init__(self, history: History, organization: str) -> None:
        writes = sorted((write for write in of(history.writes, organization) if write.acknowledged), key=lambda write: write.ended)
        self._ends = [write.ended for write in writes]
        self._sizes = list(accumulate((1 + max(place.sequence for place in write.receipt) for write in writes), max))
        self._at: dict[str, float] = {}
        for write in writes:
            for mark in write.marks:
                self._at.setdefault(mark, write.ended)

    def size_before(self, moment: float) -> int:
        """The least size that a ledger has whose acknowledgements up to a moment are true."""
        known = bisect_right(self._ends, moment)
        return self._sizes[known - 1] if known else 0

    def at(self, mark: str) -> float:
        """When a mark was first acknowledged; never is the end of time."""
        return self._at.get(mark, float("inf"))


def refused(write) -> bool:
    """Whether a try is known to have stored nothing."""
    return not write.acknowledged and write.stored == NO


def of(operations: Iterable[Operation], organization: str) -> Iterator:
    """Those of one organization."""
    return (operation for operation in operations if operation.organization == organization)


def by_organization(ledgers: list[Ledger]) -> dict[str, list[Ledger]]:
    found = defaultdict(list)
    for ledger in ledgers:
        found[ledger.organization].append(ledger)
    return found


def difference(one: Ledger, other: Ledger) -> tuple[int, Stored | None, Stored | None]:
    """Where two ledgers begin to differ, and what stands there."""
    length = max(len(one.events), len(other.events))
    padded = [events + (None,) * (length - len(events)) for events in (one.events, other.events)]
    return next((index, here, there) for index, (here, there) in enumerate(zip(*padded)) if here != there)

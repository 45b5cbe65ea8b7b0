"""Where one stream delivers to at a counterpart, and what is found there."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.door import Door


@dataclass
class Place:
    """A destination for a stream, and the way to read back what arrived, by other means than ours."""

    #: What a stream is set up with.
    destination: dict
    secrets: dict
    #: Everything that arrived, oldest first, repetitions included where the counterpart keeps them: what the mapping made of each event.
    read: Callable[[], list[dict]]
    #: What the requests go through, where it is HTTP.
    door: Door | None = None
    #: Secrets that are wrong, which the counterpart refuses; `None` where it does not look.
    wrong: dict | None = None
    #: Whether the counterpart keeps an event that came twice as one.
    overwrites: bool = False
    extra: dict = field(default_factory=dict)


def events(place: Place, organization: str | None = None) -> list[dict]:
    """What arrived, in its order, an event that came again left out; of one organization when asked so. Native mapping only."""
    seen, kept = set(), []
    for event in place.read():
        if organization is not None and event["organization"] != organization:
            continue
        if event["id"] not in seen:
            seen.add(event["id"])
            kept.append(event)
    return kept

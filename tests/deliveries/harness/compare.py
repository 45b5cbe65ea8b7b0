"""What arrived, held against the ledger."""

from counterparts.place import Place, events
from harness.trailbook import Stream, Trailbook
from harness.waiting import TooLate, until


def ids(events: list[dict]) -> list[str]:
    return [event["id"] for event in events]


def arrived(server: Trailbook, organization: str, place: Place, query: str = "", seconds: float = 30, **how: object) -> list[dict]:
    """Waits until all that the ledger holds arrived, and holds it against the ledger: in order, equal, each once or again as it was."""

    def look() -> bool:
        missing = set(ids(server.stored(organization, query, **how))) - set(ids(events(place, organization)))
        assert not missing, f"{len(missing)} events of {organization} did not arrive"
        return True

    until("everything arrived", look, seconds)
    expected, got = server.stored(organization, query, **how), events(place, organization)
    assert ids(got) == ids(expected), "the same events in the order of the ledger"
    for here, there in zip(expected, got):
        assert there == here, f"event {here['sequence']} arrived as another"
    for again in (event for event in place.read() if event["organization"] == organization):
        assert again == expected[ids(expected).index(again["id"])], "what came again is what it was"
    return expected


def delivered(server: Trailbook, organization: str, stream: Stream, place: Place, **how: object) -> list[dict]:
    """`arrived`, and the stream says so as well, and nothing came twice."""
    try:
        expected = arrived(server, organization, place, **how)
    except TooLate as late:
        raise TooLate(f"{late}; the stream says {stream.health()}") from None
    health = stream.caught_up()
    assert health["last_error"] is None and health["failing_since"] is None and health["parked"] == 0, health
    came = [event["id"] for event in place.read() if event["organization"] == organization]
    assert len(came) == len(set(came)), "nothing came twice"
    return expected

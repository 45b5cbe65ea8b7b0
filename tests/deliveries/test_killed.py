"""Servers that are killed in the middle of everything: nothing is lost, and what comes twice is the same."""

import random

import pytest

from counterparts.place import events as events_of
from harness import events
from harness.compare import arrived, ids
from harness.door import Trouble
from harness.trailbook import Streams
from harness.waiting import until

#: Names the run: the same seed kills at the same counts.
SEED = 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["webhook", "s3", "elasticsearch with a key"])
def test_a_server_that_is_killed_while_it_delivers_goes_on_where_it_was(start, place, kind):
    server = start()
    organization = events.organization("killed")
    chance = random.Random(SEED)
    there = place(kind, organization)
    for number in range(0, 1500, 500):
        server.send(events.plain(organization, 500, first=number))
    stream = Streams(server, organization).create(there, batch_events=25)
    requests = there.door.requests
    for _ in range(4):
        goal = len(requests) + chance.randrange(1, 12)
        until("it delivers", lambda: len(requests) >= goal or not stream.health()["lag_events"])
        server.kill()
        server.start()
    server.send(events.plain(organization, 10, first=1500))
    stored = arrived(server, organization, there, seconds=60)
    assert len(stored) >= 1510
    came = [event["id"] for event in there.read() if event["organization"] == organization]
    assert len(came) - len(set(came)) <= 4 * 25, "at most the batch that was on its way comes again"
    assert until("no lag is left", lambda: not stream.health()["lag_events"])
    server.stop()


@pytest.mark.slow
def test_a_server_that_is_killed_between_delivery_and_answer_delivers_the_same_batch_again(start, webhooks):
    server = start()
    organization = events.organization("killed-between")
    there = webhooks.place(organization)
    hook = there.extra["hook"]
    server.send(events.plain(organization, 20))
    webhooks.door.seconds_slow = 30
    webhooks.door.trouble(Trouble.SLOW, times=1, concerns=lambda request: request.path == f"/{organization}")
    Streams(server, organization).create(there)
    until("it was stored and not answered", lambda: hook.messages)
    server.kill()
    # What is stored meanwhile must not become part of the repeated batch.
    server.start()
    server.send(events.plain(organization, 20, first=20))
    arrived(server, organization, there)
    assert hook.headers[0]["webhook-id"] == hook.headers[1]["webhook-id"] and hook.messages[0] == hook.messages[1]
    assert ids(events_of(there, organization)) == ids(server.stored(organization))
    server.stop()


@pytest.mark.slow
def test_parked_events_pauses_and_health_survive_a_kill(start, webhooks):
    server = start()
    organization = events.organization("survives")
    there = webhooks.place(organization)
    stream = Streams(server, organization).create(there)
    server.send(events.plain(organization, 5))
    arrived(server, organization, there)
    stream.caught_up()
    stream.do("pause")
    before = stream.shown()
    server.kill()
    server.start()
    after = stream.shown()
    assert {**after, "health": None} == {**before, "health": None}
    assert after["health"]["delivered"] == before["health"]["delivered"] and after["health"]["last_success_at"]
    stream.do("resume")
    arrived(server, organization, there)
    server.stop()

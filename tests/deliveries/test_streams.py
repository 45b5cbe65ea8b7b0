"""What one can say to a stream: from where, which events, wait, go on, again, and what becomes of events that nobody takes."""

import time

import pytest

from counterparts.place import events as events_of
from harness import events
from harness.compare import arrived, delivered, ids
from harness.door import Answer
from harness.trailbook import Stream, Streams
from harness.waiting import never, until


def acts(server, organization: str) -> list[str]:
    """What was done to streams, oldest first."""
    return [event["action"].removeprefix("trailbook.stream.") for event in server.stored(organization, "action:trailbook.stream.*")]


def test_only_events_that_the_filter_lets_through_are_delivered(server, s3):
    organization = events.organization("filtered")
    server.send(events.plain(organization, 60))
    there = s3.place(organization)
    stream = Streams(server, organization).create(there, filter="security:true action:user.role.updated")
    arrived(server, organization, there, "security:true action:user.role.updated")
    health = stream.caught_up()
    assert health["delivered"] == 6 and health["lag_events"] == 0
    stream.change(filter="action:report.exported")
    server.send(events.plain(organization, 10, first=60))
    until("the other ones come", lambda: len(events_of(there, organization)) == 6 + 5)
    later = [event for event in events_of(there, organization)][6:]
    assert {event["action"] for event in later} == {"report.exported"}
    refused = stream.streams.server.call(
        "POST", stream.streams.path, {"name": "x", "destination": there.destination, "secrets": there.secrets, "filter": "nofield:(x"}
    )
    assert refused.status == 422 and refused.pointers() == ["/filter"]
    stream.delete()


def test_a_stream_begins_now_at_a_time_or_at_the_beginning(server, webhooks):
    organization = events.organization("begins")
    first = server.send(events.plain(organization, 5))
    second = server.send(events.plain(organization, 5, first=5))
    stored = {event["id"]: event for event in server.stored(organization)}
    at = stored[second[0]["id"]]["received_at"]
    streams = Streams(server, organization)
    places = {start: webhooks.place(f"{organization}-{number}") for number, start in enumerate(("now", at, "beginning"))}
    made = [streams.create(there, start=start, filter="-action:trailbook.*") for start, there in places.items()]
    third = server.send(events.plain(organization, 5, first=10))
    want = {
        "now": [event["id"] for event in third],
        at: [event["id"] for event in stored.values() if event["received_at"] >= at] + [event["id"] for event in third],
        "beginning": [event["id"] for event in first + second + third],
    }
    for start, there in places.items():
        until(f"everything from {start} is there", lambda: len(events_of(there)) >= len(want[start]))
        assert ids(events_of(there)) == want[start], start
    for stream in made:
        stream.caught_up()
        stream.delete()
    for wrong in ("yesterday", "2026-10-01T00:00:00", ""):
        body = {"name": "x", "destination": places["now"].destination, "secrets": places["now"].secrets, "start": wrong}
        assert server.call("POST", streams.path, body).pointers() == ["/start"], wrong


def test_nothing_is_delivered_while_a_stream_is_paused_and_everything_after(server, webhooks):
    organization = events.organization("paused")
    there = webhooks.place(organization)
    stream = Streams(server, organization).create(there)
    server.send(events.plain(organization, 5))
    delivered(server, organization, stream, there)
    assert stream.do("pause")["state"] == "paused"
    count = len(there.extra["hook"].messages)
    server.send(events.plain(organization, 5, first=5))
    never("something came while it was paused", lambda: len(there.extra["hook"].messages) > count, seconds=2.5)
    assert stream.health()["lag_events"] >= 5
    assert stream.do("resume")["state"] == "active"
    delivered(server, organization, stream, there)
    assert acts(server, organization)[-2:] == ["paused", "resumed"]
    stream.delete()
    assert stream.call("GET").status == 404 and acts(server, organization)[-1] == "deleted"


def test_events_wait_for_others_until_the_interval_is_over_or_the_batch_is_full(server, webhooks):
    organization = events.organization("batched")
    there = webhooks.place(organization)
    hook = there.extra["hook"]
    stream = Streams(server, organization).create(there, interval_seconds=3, batch_events=10, start="now", filter="-action:trailbook.*")
    sent = time.monotonic()
    server.send(events.plain(organization, 1))
    server.send(events.plain(organization, 1, first=1))
    until("they are there", lambda: hook.messages, seconds=10)
    assert 1 < time.monotonic() - sent <= 3 + 2 and len(hook.messages) == 1, "two events, one request"
    server.send(events.plain(organization, 25, first=2))
    until("they are there", lambda: len(events_of(there)) == 27, seconds=10)
    assert [len(message["events"]) for message in hook.messages[1:]] == [10, 10, 5]
    stream.delete()


def test_a_projects_stream_carries_every_organization_in_its_own_order_and_those_to_come(server, s3):
    project = events.organization("project")
    server.call("PUT", f"/v1/projects/{project}", {"name": project, "organizations": "auto", "policy": {}}).expect()
    names = [events.organization("of-project") for _ in range(3)]
    for number, name in enumerate(names[:2]):
        server.send(events.plain(name, 30 + number), project=project)
    there = s3.place(project)
    stream = Streams(server, None, project=project).create(there, batch_events=7)
    server.send(events.plain(names[2], 12), project=project)
    for name in names:
        arrived(server, name, there, project=project)
    stream.caught_up()
    positions = {position["organization"]: (position["next"], position["size"]) for position in stream.shown()["positions"]}
    assert set(names) <= set(positions) and all(next == size for next, size in positions.values())
    # What another project has is not delivered.
    other = events.organization("of-another-project")
    server.send(events.plain(other, 3))
    server.send(events.plain(names[0], 1, first=100), project=project)
    arrived(server, names[0], there, project=project)
    assert not events_of(there, other)
    stream.delete()


@pytest.fixture
def fussy(webhooks):
    """A receiver that does not take events with a certain word, which can be told to take them."""
    door, known = webhooks.door, webhooks.door.answer
    state = {"refuses": True}

    def answer(request):
        if state["refuses"] and b"poison" in request.body:
            return Answer(400, b"no poison here")
        return known(request)

    door.answer = answer
    yield state
    door.answer = known


def test_events_that_nobody_takes_are_parked_told_of_and_can_be_sent_again_while_the_rest_goes_on(server, webhooks, fussy):
    organization = events.organization("parked")
    poisoned = {3, 17, 18}
    texts = ["poison" if number in poisoned else "fine" for number in range(30)]
    server.send([events.event(organization, number, message=text) for number, text in enumerate(texts)])
    there = webhooks.place(organization)
    stream = Streams(server, organization).create(there)
    until("three are parked", lambda: stream.health()["parked"] == 3, seconds=60)
    stored = server.stored(organization)
    wanted = [event["id"] for event in stored if event["message"] != "poison"]
    until("the rest is there", lambda: set(wanted) <= set(ids(events_of(there, organization))))
    assert [event["sequence"] for event in events_of(there, organization)] == sorted(
        event["sequence"] for event in events_of(there, organization)
    )
    assert stream.shown()["state"] == "active" and stream.caught_up()["last_error"] is None
    parked = stream.call("GET", "/parked").expect(200).json
    assert parked["total"] == 3 and [one["sequence"] for one in parked["parked"]] == sorted(poisoned)
    for one in parked["parked"]:
        assert one["event"] == stored[one["sequence"]]["id"] and "400" in one["reason"] and one["organization"] == organization
    assert acts(server, organization).count("events_parked") >= 1
    assert stream.do("parked/retry") == {"delivered": 0, "parked": 3, "detail": None}
    fussy["refuses"] = False
    assert stream.do("parked/retry") == {"delivered": 3, "parked": 0, "detail": None}
    assert set(ids(events_of(there, organization))) >= {event["id"] for event in stored}
    assert stream.call("GET", "/parked").expect(200).json == {"parked": [], "total": 0}
    stream.delete()


def test_parked_events_can_be_given_up_and_that_is_recorded(server, webhooks, fussy):
    organization = events.organization("given-up")
    server.send([events.event(organization, 0, message="poison"), events.event(organization, 1)])
    there = webhooks.place(organization)
    stream = Streams(server, organization).create(there)
    until("one is parked", lambda: stream.health()["parked"] == 1, seconds=60)
    stream.call("DELETE", "/parked").expect(204)
    assert stream.health()["parked"] == 0 and "parked_dropped" in acts(server, organization)
    stream.delete()


def test_a_document_that_the_index_refuses_is_parked_with_the_clusters_reason(server, search):
    organization = events.organization("index")
    there = search.place(organization)
    mapping = {"properties": {"metadata": {"properties": {"when": {"type": "date"}}}}}
    search.client.indices.delete(index=there.extra["index"])
    search.client.indices.create(index=there.extra["index"], body={"mappings": mapping})
    whens = ["2026-10-01", "not a date at all", "2026-10-02"]
    server.send([events.event(organization, number, metadata={"when": when}) for number, when in enumerate(whens)])
    stream = Streams(server, organization).create(there)
    until("it is parked", lambda: stream.health()["parked"] == 1, seconds=60)
    (parked,) = stream.call("GET", "/parked").json["parked"]
    assert parked["sequence"] == 1 and "pars" in parked["reason"], parked
    until("the others are there", lambda: {0, 2} <= {event["sequence"] for event in there.read()})
    stream.delete()


def test_what_a_stream_may_be_is_checked_field_by_field_and_a_change_needs_the_version_it_is_of(server, webhooks):
    organization = events.organization("checked")
    server.send(events.plain(organization, 1))
    there = webhooks.place(organization)
    path = Streams(server, organization).path
    good = {"name": "x", "destination": there.destination, "secrets": there.secrets}
    for change, pointer in [
        ({"name": ""}, "/name"),
        ({"mapping": "xml"}, "/mapping"),
        ({"mapping": "catalog:unheard-of"}, "/mapping"),
        ({"batch_events": 0}, "/batch_events"),
        ({"batch_events": 10_001}, "/batch_events"),
        ({"interval_seconds": 0}, "/interval_seconds"),
        ({"interval_seconds": 3601}, "/interval_seconds"),
        ({"secrets": {"secret": "not-a-secret"}}, "/secrets/secret"),
        ({"secrets": {"unheard-of": "x"}}, "/secrets/unheard-of"),
        ({"destination": {"type": "pigeon"}}, "/destination"),
        ({"surprise": 1}, "/surprise"),
    ]:
        answer = server.call("POST", path, good | change)
        assert answer.status == 422 and any(found.startswith(pointer) for found in answer.pointers()), (change, answer.text)
    stream = Streams(server, organization).create(there, start="now")
    shown = stream.call("GET")
    body = {name: shown.json[name] for name in ("name", "destination", "mapping", "filter", "batch_events", "interval_seconds")}
    stream.change(name="y")
    assert stream.call("PUT", "", body, headers={"If-Match": shown.headers["ETag"]}).status == 412
    assert stream.shown()["name"] == "y" and acts(server, organization) == ["created", "changed"]
    stream.delete()


def test_who_may_not_see_the_log_has_no_streams_and_a_key_only_with_its_scopes(server, webhooks):
    organization = events.organization("rights")
    server.send(events.plain(organization, 1))
    there = webhooks.place(organization)
    path = Streams(server, organization).path
    body = {"name": "x", "destination": there.destination, "secrets": there.secrets}

    def key(*scopes: str, **bound: str) -> str:
        answer = server.post("/v1/keys", {"name": "k", "scopes": list(scopes), **bound}).json
        return answer["key"]

    both = key("streams", "events:read", organization=organization)
    assert server.call("POST", path, body, key=both).status == 201
    for scopes in (["streams"], ["events:read"], ["events:write"], ["exports"]):
        assert server.call("POST", path, body, key=key(*scopes, organization=organization)).status == 403, scopes
    assert server.call("POST", "/v1/streams", body, key=both).status == 403, "a bound key has no project"
    assert server.call("GET", path, key=None).status == 401
    elsewhere = key("streams", "events:read", organization=events.organization("elsewhere"))
    assert server.call("GET", path, key=elsewhere).status in (403, 404)
    for stream in server.get(path).json["streams"]:
        server.call("DELETE", f"{path}/{stream['id']}").expect(204)


@pytest.mark.slow
def test_the_command_line_does_all_of_it(server, webhooks, tmp_path):
    import json

    organization = events.organization("by-hand")
    server.send(events.plain(organization, 3))
    there = webhooks.place(organization)
    file = tmp_path / "stream.json"
    file.write_text(
        json.dumps(
            {"name": "by hand", "destination": there.destination, "secrets": there.secrets, "start": "beginning", "interval_seconds": 1}
        )
    )
    of = ["--organization", organization]
    server.command("stream", "create", file, *of)
    (listed,) = server.get(Streams(server, organization).path).json["streams"]
    stream = Stream(Streams(server, organization), listed)
    arrived(server, organization, there)
    assert "by hand" in server.command("stream", "list", *of)
    for what in ("show", "test", "pause", "resume", "parked", "delete"):
        server.command("stream", what, stream.id, *of)
    assert stream.call("GET").status == 404

"""What holds for every kind of destination: everything arrives, as it is stored, in order, and bad days change nothing about that."""

import pytest

from harness import events
from harness.compare import arrived, delivered, ids
from harness.destinations import ANSWERING, PLACES, PROTOCOLS
from harness.door import Trouble
from harness.trailbook import Streams
from harness.waiting import until

#: Real events for each kind, so that all of `testdata/real` are on their way somewhere.
REAL = {
    "s3": ["cloudtrail", "okta"],
    "gcs": ["github", "windows"],
    "azure with a key": ["google-workspace"],
    "azure with a signature": ["gcp_iam_flattened"],
    "webhook": ["slack", "salesforce", "jira", "rule-tests"],
    "splunk": ["confluence", "duo_admin"],
    "datadog": ["gitlab", "snowflake"],
    "elasticsearch with a key": ["onelogin", "zoom"],
    "elasticsearch with a password": ["zeronetworks"],
    "otlp": ["prisma_cloud", "alicloud"],
    "syslog over tcp": ["cloudtrail", "slack_flattened"],
    "syslog over tls": ["okta"],
}


@pytest.mark.parametrize("kind", PLACES)
def test_real_and_awkward_events_arrive_as_they_are_stored_in_the_order_of_the_ledger(server, place, kind):
    organization = events.organization("real")
    for name in REAL[kind]:
        server.import_real(name, organization)
    there = place(kind, organization)
    stream = Streams(server, organization).create(there)
    server.send(events.awkward(organization))
    stored = delivered(server, organization, stream, there)
    texts = [event["description"] for event in stored]
    assert len(stored) > len(events.AWKWARD) + 1 and all(text in texts for text in events.AWKWARD)
    server.send(events.plain(organization, 25))
    delivered(server, organization, stream, there)
    shown = stream.shown()
    size = len(server.stored(organization))
    assert shown["state"] == "active" and shown["health"]["delivered"] == size
    assert [(position["organization"], position["next"], position["size"]) for position in shown["positions"]] == [
        (organization, size, size)
    ]
    stream.delete()


@pytest.mark.parametrize("kind", PLACES)
def test_a_made_up_event_is_sent_on_request_and_is_nowhere_else(server, place, kind):
    organization = events.organization("tested")
    server.send(events.plain(organization, 3))
    there = place(kind, organization)
    stream = Streams(server, organization).create(there, start="now", filter="action:never.happens")
    told = stream.do("test")
    assert told["delivered"] is True and 0 <= told["took_ms"] < 10_000, told
    made_up = until("the made-up event is there", there.read)
    assert len(made_up) == 1 and made_up[0]["id"] not in ids(server.stored(organization))
    assert stream.health()["delivered"] == 0
    stream.delete()


@pytest.mark.parametrize("kind", ANSWERING)
def test_a_wrong_credential_is_told_without_being_shown_and_nothing_is_lost_until_it_is_right(server, place, kind):
    organization = events.organization("credentials")
    server.send(events.plain(organization, 5))
    there = place(kind, organization)
    right, there.secrets = there.secrets, there.wrong
    stream = Streams(server, organization).create(there)
    told = stream.do("test")
    assert told["delivered"] is False and told["detail"], told
    failing = until("it is failing", lambda: (shown := stream.shown())["state"] == "failing" and shown)
    health = failing["health"]
    assert health["lag_events"] >= 5 and health["failures"] >= 1 and health["failing_since"] and health["last_error"], health
    for secret in there.wrong.values():
        assert secret not in str(failing) and secret not in str(told) and secret not in server.said()
    assert not there.read()
    stream.change(secrets=right | {name: None for name in there.wrong if name not in right})
    there.secrets = right
    arrived(server, organization, there)
    until("it is well again", lambda: stream.shown()["state"] == "active")
    stream.delete()


@pytest.mark.slow
def test_bad_days_of_every_destination_lose_nothing_and_change_no_order(server, place):
    """All at once, because each trouble costs a pause of every stream. After each all has arrived before the next begins."""
    organization = events.organization("troubled")
    server.send(events.plain(organization, 30))
    there = {kind: place(kind, organization) for kind in PROTOCOLS}
    streams = {kind: Streams(server, organization).create(there[kind], name=kind, batch_events=20) for kind in PROTOCOLS}
    troubles = [Trouble.RESET, Trouble.HALF, Trouble.STORED_500, Trouble.UNAVAILABLE, Trouble.BUSY, Trouble.SILENT, Trouble.SLOW]
    for number, trouble in enumerate(troubles, 1):
        for one in there.values():
            one.door.calm()
            one.door.trouble(trouble, times=1, concerns=lambda request: request.method in ("POST", "PUT"))
        server.send(events.plain(organization, 30, first=30 * number))
        for kind, one in there.items():
            try:
                arrived(server, organization, one, seconds=60)
            except AssertionError as error:
                raise AssertionError(f"{kind}, {trouble}: {error}") from error
    for kind, stream in streams.items():
        health = stream.caught_up()
        assert health["last_error"] is None and health["parked"] == 0, (kind, health)
        stream.delete()


@pytest.mark.slow
def test_destinations_that_are_down_are_told_of_and_get_everything_once_they_are_up(server, place, syslog):
    organization = events.organization("down")
    kinds = [*PROTOCOLS, "syslog over tcp", "syslog over tls"]
    server.send(events.plain(organization, 10))
    there = {kind: place(kind, organization) for kind in kinds}
    streams = {kind: Streams(server, organization).create(there[kind], name=kind) for kind in kinds}
    for kind in kinds:
        delivered(server, organization, streams[kind], there[kind])
    for one in there.values():
        if one.door is not None:
            one.door.down()
    syslog.stop()
    server.send(events.plain(organization, 40, first=10))
    for kind, stream in streams.items():
        shown = until(f"{kind} is failing", lambda: (shown := stream.shown())["state"] == "failing" and shown)
        health = shown["health"]
        assert health["lag_events"] >= 40 and health["lag_seconds"] >= 0 and health["retry_at"], (kind, health)
    for one in there.values():
        if one.door is not None:
            one.door.up()
    syslog.start()
    for kind in kinds:
        arrived(server, organization, there[kind], seconds=60)
        until(f"{kind} is well again", lambda: streams[kind].shown()["state"] == "active")
    # A lag is told after a quarter of an hour, which `crates/deliver` has with a clock that is set; until then nobody is bothered.
    assert not server.stored(organization, "action:trailbook.stream.lagging,trailbook.stream.recovered")
    for stream in streams.values():
        stream.delete()


def test_a_collector_that_is_not_ours_takes_the_stream_and_passes_every_record_on(server, collector, behind_collector):
    organization = events.organization("collected")
    server.import_real("okta", organization)
    there = behind_collector.place(organization)
    there.destination["url"] = f"http://127.0.0.1:{collector.port}/v1/logs"
    stream = Streams(server, organization).create(there)
    stored = arrived(server, organization, there)
    by_id = {event["id"]: event for event in stored}
    for resource, scope, record in behind_collector.records:
        if resource.get("trailbook.organization") != organization:
            continue
        about = {pair.key: pair.value for pair in record.attributes}
        event = by_id[about["audit.id"].string_value]
        assert record.event_name == event["action"] and scope["name"] == "trailbook" and resource["service.name"] == "trailbook"
        assert about["audit.sequence"].int_value == event["sequence"]
        assert record.time_unix_nano and record.observed_time_unix_nano and record.severity_number
        assert record.trace_id.hex() in ("", (event["trace_id"] or "").replace("-", "").lower())
    stream.delete()

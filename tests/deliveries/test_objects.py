"""Objects in buckets: their names, forms and types, delivery again over what is there, and Omni's batches."""

import io
import json
import re
import time
import tomllib

import duckdb
import pyarrow.parquet
import pytest

from counterparts.place import events as events_of
from harness import events
from harness.compare import arrived, delivered, ids
from harness.trailbook import REPOSITORY, Streams
from harness.waiting import until

FORMS = [
    ({"format": "jsonl", "compression": "gzip"}, ".jsonl.gz", b"\x1f\x8b"),
    ({"format": "jsonl", "compression": "zstd"}, ".jsonl.zst", b"\x28\xb5\x2f\xfd"),
    ({"format": "jsonl", "compression": "none"}, ".jsonl", b"{"),
]


@pytest.mark.parametrize("store", ["s3", "gcs", "azure"])
@pytest.mark.parametrize(("form", "ending", "begins"), FORMS)
def test_json_lines_are_compressed_as_asked(server, request, store, form, ending, begins):
    counterpart = request.getfixturevalue(store)
    organization = events.organization("form")
    server.send(events.awkward(organization))
    there = counterpart.place(organization, **form)
    stream = Streams(server, organization).create(there)
    delivered(server, organization, stream, there)
    objects = counterpart.objects(there.extra["prefix"])
    assert objects and all(key.endswith(ending) and body.startswith(begins) for key, body in objects.items())
    stream.delete()


def test_keys_say_whose_events_they_hold_and_sort_like_the_ledger(server, s3):
    organization = events.organization("keys")
    server.send(events.plain(organization, 45))
    there = s3.place(organization)
    stream = Streams(server, organization).create(there, batch_events=10)
    stored = delivered(server, organization, stream, there)
    keys = sorted(s3.objects(there.extra["prefix"]))
    assert len(keys) >= 5
    for key in keys:
        assert f"organization={organization}/" in key and re.search(r"/date=\d{4}-\d\d-\d\d/hour=\d\d/", key), key
    spans = [tuple(map(int, re.search(r"e1-(\d{20})-(\d{20})\.", key).groups())) for key in keys]
    assert spans[0][0] == 0 and spans[-1][1] == len(stored) - 1
    assert all(before[1] + 1 == after[0] for before, after in zip(spans, spans[1:])), spans
    head = s3.head(keys[0])
    assert head["ContentType"] == "application/gzip" and "ContentEncoding" not in head, "it is a gzip file, not a text on its way"
    stream.delete()


def test_parquet_objects_are_read_by_other_engines_with_the_same_rows(server, s3, tmp_path):
    organization = events.organization("parquet")
    server.import_real("cloudtrail", organization)
    server.send(events.awkward(organization))
    there = s3.place(organization, format="parquet")
    stream = Streams(server, organization).create(there, batch_events=100)
    stream.caught_up()
    stored = server.stored(organization)
    objects = s3.objects(there.extra["prefix"])
    assert len(objects) > 1 and all(key.endswith(".parquet") for key in objects)
    rows = [row for key in sorted(objects) for row in pyarrow.parquet.read_table(io.BytesIO(objects[key])).to_pylist()]
    assert [(str(row["id"]), row["sequence"]) for row in rows] == [(event["id"], event["sequence"]) for event in stored]
    for row, event in zip(rows, stored):
        assert (row["action"], row["description"], row["organization"]) == (event["action"], event["description"], organization)
    for number, body in enumerate(objects.values()):
        (tmp_path / f"{number}.parquet").write_bytes(body)
    files = f"read_parquet('{tmp_path}/*.parquet')"
    counted = dict(duckdb.sql(f"SELECT action, count(*) FROM {files} GROUP BY action").fetchall())
    expected = {action: sum(event["action"] == action for event in stored) for action in {event["action"] for event in stored}}
    assert counted == expected
    stream.delete()


@pytest.mark.parametrize("store", ["s3", "gcs", "azure"])
def test_a_replay_has_the_same_ids_and_writes_the_same_keys_again(server, request, store):
    counterpart = request.getfixturevalue(store)
    organization = events.organization("replayed")
    server.send(events.plain(organization, 250))
    there = counterpart.place(organization)
    stream = Streams(server, organization).create(there, batch_events=50)
    before = delivered(server, organization, stream, there)
    first = counterpart.objects(there.extra["prefix"])
    puts = len([request for request in there.door.requests if request.method == "PUT"])
    stream.do("replay", {"from_sequence": 0})
    until("it was delivered again", lambda: stream.health()["delivered"] >= 2 * len(before))
    stream.caught_up()
    after = counterpart.objects(there.extra["prefix"])
    full = [key for key in first if re.search(r"-(\d{20})-(\d{20})\.", key) and len(json_lines(first[key])) == 50]
    assert len(full) >= 5 and all(after[key] == first[key] for key in full), "what was there is there as it was"
    assert len([request for request in there.door.requests if request.method == "PUT"]) >= puts + len(full)
    assert ids(events_of(there, organization)) == ids(server.stored(organization))
    stream.delete()


def json_lines(body: bytes) -> list[dict]:
    from counterparts.objects import lines_of

    return lines_of("an object", body)


def test_a_replay_begins_at_a_sequence_or_a_time(server, webhooks):
    organization = events.organization("replayed-from")
    server.send(events.plain(organization, 20))
    there = webhooks.place(organization)
    stream = Streams(server, organization).create(there)
    stored = delivered(server, organization, stream, there)
    hook = there.extra["hook"]
    count = len(hook.messages)
    stream.do("replay", {"from_sequence": 15})
    until("it comes again", lambda: len(hook.messages) > count)
    stream.caught_up()
    again = [event["sequence"] for message in hook.messages[count:] for event in message["events"]]
    assert again[: len(stored) - 15] == [event["sequence"] for event in stored[15:]]
    count = len(hook.messages)
    stream.do("replay", {"from": stored[-1]["received_at"]})
    until("it comes again", lambda: len(hook.messages) > count)
    stream.caught_up()
    again = [event["sequence"] for message in hook.messages[count:] for event in message["events"]]
    received = [event["sequence"] for event in server.stored(organization) if event["received_at"] >= stored[-1]["received_at"]]
    assert again == received
    for body in ({"from_sequence": 0, "from": stored[0]["received_at"]}, {}, {"from_sequence": -1}, {"from": "yesterday"}):
        assert stream.call("POST", "/replay", body).status == 422, body
    arrived(server, organization, there)
    stream.delete()


PROFILE = tomllib.loads((REPOSITORY / "profiles" / "omni.toml").read_text())
#: The seven kinds of payload as the product writes them.
PAYLOADS = [json.loads(example["payload"]) for example in PROFILE["foreign_examples"]]


@pytest.fixture(scope="module")
def omni(start):
    """A server with Omni's catalog."""
    server = start()
    server.command("profile", "apply", "omni")
    return server


@pytest.mark.parametrize("store", ["s3", "gcs"])
def test_omnis_payloads_lie_in_the_bucket_as_they_were_sent_within_the_interval_and_two_seconds(omni, request, store):
    """Rows N-1 to N-3 of the table of profiles; with Google's storage N-11."""
    counterpart = request.getfixturevalue(store)
    organization = events.organization("omni")
    there = counterpart.place(organization, format="jsonl", compression="gzip")
    stream = Streams(omni, organization).create(
        there, mapping="catalog:omni", filter="-action:trailbook.*", start="now", interval_seconds=1
    )
    assert len({payload["event"] for payload in PAYLOADS}) == 7
    for payload in PAYLOADS:
        omni.post(f"/v1/events?mapping=omni&organization={organization}", payload)
    sent = time.monotonic()
    until("all payloads are there", lambda: len(there.read()) == len(PAYLOADS), seconds=10)
    delay = time.monotonic() - sent
    assert delay <= 1 + 2, f"{delay:.1f} s"
    assert there.read() == PAYLOADS, "field for field, in order"
    objects = counterpart.objects(there.extra["prefix"])
    assert all(key.endswith(".jsonl.gz") and body.startswith(b"\x1f\x8b") for key, body in objects.items())
    omni.post(f"/v1/events?mapping=omni&organization={organization}", PAYLOADS[0] | {"traceID": "0f0f0f0f-0000-4000-8000-00000000000f"})
    until("a later one follows in a batch of its own", lambda: len(counterpart.objects(there.extra["prefix"])) > len(objects))
    stream.delete()

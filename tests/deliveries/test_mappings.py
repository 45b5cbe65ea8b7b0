"""What events become on the way: OCSF, ECS and CEF, by what others read of them. `scripts/check_payloads.py` holds them against the schemas."""

from harness import events
from harness.trailbook import Streams
from harness.waiting import until


def all_there(server, organization, there):
    """What arrived once it is as much as the ledger has."""
    until("all are there", lambda: len(there.read()) >= len(server.stored(organization)))
    return there.read(), server.stored(organization)


def test_ocsf_objects_name_each_event_in_order(server, s3):
    organization = events.organization("ocsf")
    server.import_real("okta", organization)
    server.send(events.awkward(organization))
    there = s3.place(organization)
    stream = Streams(server, organization).create(there, mapping="ocsf")
    stream.caught_up()
    payloads, stored = all_there(server, organization, there)
    assert [payload["metadata"]["uid"] for payload in payloads] == [event["id"] for event in stored]
    for payload, event in zip(payloads, stored):
        assert payload["type_uid"] == payload["class_uid"] * 100 + payload["activity_id"]
        assert payload["category_uid"] == payload["class_uid"] // 1000
        assert payload["metadata"]["tenant_uid"] == organization and payload["metadata"]["sequence"] == event["sequence"]
        assert payload["message"] == (event["description"] or event["action"])
    stream.delete()


def test_ecs_documents_are_indexed_and_found_by_their_fields(server, search):
    organization = events.organization("ecs")
    server.import_real("google-workspace", organization)
    server.send(events.plain(organization, 30))
    there = search.place(organization)
    stream = Streams(server, organization).create(there, mapping="ecs")
    assert stream.caught_up()["parked"] == 0
    stored = until("all are there", lambda: len(search.found(there.extra["index"])) == len(found := server.stored(organization)) and found)
    documents = {hit["_id"]: hit["_source"] for hit in search.found(there.extra["index"])}
    assert set(documents) == {event["id"] for event in stored}, "a document's id is the event's"
    for event in stored:
        document = documents[event["id"]]
        assert document["event"]["action"] == event["action"] and document["event"]["sequence"] == event["sequence"]
        assert document["@timestamp"] == event["occurred_at"] and document["organization"]["id"] == organization
        assert document["event"]["kind"] == "event" and document["ecs"]["version"]
    search.client.indices.refresh(index=there.extra["index"])
    found = search.client.search(index=there.extra["index"], body={"query": {"match": {"event.action": "report.exported"}}, "size": 1000})
    assert {hit["_id"] for hit in found["hits"]["hits"]} >= {event["id"] for event in stored if event["action"] == "report.exported"}
    stream.delete()


def test_cef_is_read_by_a_parser_that_is_not_ours(server, syslog):
    organization = events.organization("cef")
    server.send(events.awkward(organization) + events.plain(organization, 20))
    there = syslog.place("plain", organization, format="cef")
    stream = Streams(server, organization).create(there)
    stream.caught_up()
    payloads, stored = all_there(server, organization, there)
    assert [payload["externalId"] for payload in payloads] == [event["id"] for event in stored]
    for payload, event in zip(payloads, stored):
        assert (payload["CEFVersion"], payload["DeviceVendor"], payload["DeviceProduct"]) == ("0", "Trailbook", "Trailbook")
        assert (payload["act"], payload["cat"], payload["outcome"]) == (event["action"], event["action_type"], event["result"])
    stream.delete()


def test_syslog_messages_say_what_rsyslog_reads_of_them(server, syslog):
    organization = events.organization("headers")
    server.send(events.plain(organization, 20) + events.awkward(organization))
    there = syslog.place("tls", organization, tls=True)
    stream = Streams(server, organization).create(there)
    stream.caught_up()
    _, stored = all_there(server, organization, there)
    for message, event in zip(there.extra["messages"](), stored):
        serious = event["security"] or event["result"] != "success"
        assert (message["syslogfacility"], message["syslogseverity"]) == ("13", "4" if serious else "5")
        assert (message["app-name"], message["msgid"], message["protocol-version"]) == ("trailbook", event["action"][:32], "1")
        assert message["timereported"] == event["occurred_at"]
        assert message["structured-data"].startswith(
            f'[trailbook@32473 organization="{organization}" id="{event["id"]}" sequence="{event["sequence"]}"'
        )
    stream.delete()


def test_a_syslog_receiver_with_a_certificate_of_another_authority_is_told_nothing(server, syslog, stranger):
    organization = events.organization("unknown-syslog")
    server.send(events.plain(organization, 3))
    there = syslog.place("tls", organization, tls=True)
    there.destination["ca"] = stranger.ca.read_text()
    stream = Streams(server, organization).create(there)
    until("it is failing", lambda: stream.shown()["state"] == "failing")
    assert not there.read()
    stream.delete()

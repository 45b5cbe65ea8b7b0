"""Signatures, rotation of secrets, TLS, and what a receiver's answer may not do."""

import pytest

from counterparts.webhook import SECRET, Webhooks
from harness import events
from harness.compare import arrived, ids
from harness.door import Answer, Trouble
from harness.trailbook import Streams
from harness.waiting import never, until

NEWER = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_a_secret_is_made_when_none_is_given_and_shown_once(server, webhooks):
    organization = events.organization("made-secret")
    server.send(events.plain(organization, 3))
    there = webhooks.place(organization)
    there.secrets = {}
    stream = Streams(server, organization).create(there)
    secret = stream.made["secret"]
    assert secret.startswith("whsec_") and secret not in stream.call("GET").text and stream.shown()["secrets"] == ["secret"]
    there.extra["hook"].secrets[:] = [secret]
    arrived(server, organization, there)
    stream.delete()


def test_while_a_secret_is_changed_both_the_old_and_the_new_verify(server, webhooks):
    organization = events.organization("rotated")
    there = webhooks.place(organization)
    hook = there.extra["hook"]
    hook.secrets[:] = [SECRET, NEWER]
    stream = Streams(server, organization).create(there)

    def verified_by(number: int) -> list[str]:
        count = len(hook.messages)
        server.send(events.plain(organization, 1, first=number))
        until("the next message is there", lambda: len(hook.messages) > count)
        stream.caught_up()
        return hook.verified_by[-1]

    assert verified_by(0) == [SECRET]
    stream.change(secrets={"secret": NEWER, "previous_secret": SECRET})
    assert verified_by(1) == [SECRET, NEWER]
    assert stream.shown()["secrets"] == ["previous_secret", "secret"]
    stream.change(secrets={"previous_secret": None})
    assert verified_by(2) == [NEWER] and stream.shown()["secrets"] == ["secret"]
    assert not hook.disbelieved
    stream.delete()


def test_a_message_that_is_sent_again_has_the_same_id_and_body_and_a_signature_of_its_own_time(server, webhooks):
    organization = events.organization("again")
    there = webhooks.place(organization)
    there.door.trouble(Trouble.STORED_500, times=1)
    server.send(events.plain(organization, 4))
    stream = Streams(server, organization).create(there)
    hook = there.extra["hook"]
    until("it was sent again", lambda: len(hook.messages) >= 2, seconds=60)
    first, second = hook.headers[0], hook.headers[1]
    assert first["webhook-id"] == second["webhook-id"] and hook.messages[0] == hook.messages[1]
    assert hook.messages[0]["organization"] == organization and hook.messages[0]["type"] == "trailbook.events"
    stream.caught_up()
    others = {headers["webhook-id"] for headers in hook.headers[2:]}
    assert first["webhook-id"] not in others
    stream.delete()


def test_headers_are_sent_and_those_that_are_credentials_are_secrets(server, webhooks):
    organization = events.organization("headers")
    server.send(events.plain(organization, 1))
    there = webhooks.place(organization, **{"X-Team": "security"})
    there.secrets["header.X-Api-Key"] = "canary-of-a-header"
    stream = Streams(server, organization).create(there)
    hook = there.extra["hook"]
    until("it is there", lambda: hook.headers)
    sent = hook.headers[0]
    assert (sent["x-team"], sent["x-api-key"], sent["content-type"]) == ("security", "canary-of-a-header", "application/json")
    assert "canary-of-a-header" not in stream.call("GET").text
    path = stream.streams.path
    for header in ("Host", "Content-Length", "webhook-signature", "Authorization"):
        body = {"name": "x", "destination": there.destination | {"headers": {header: "x"}}, "secrets": there.secrets}
        assert server.call("POST", path, body).status == 422, header
    stream.delete()


def test_a_receiver_is_believed_with_a_certificate_of_a_known_authority_and_told_nothing_without(server, authority, stranger):
    organization = events.organization("encrypted")
    server.send(events.plain(organization, 5))
    known, unknown = Webhooks(authority.server()), Webhooks(stranger.server())
    try:
        there, nowhere = known.place(organization), unknown.place(organization)
        good, bad = (Streams(server, organization).create(place) for place in (there, nowhere))
        arrived(server, organization, there)
        health = until("the other fails", lambda: (health := bad.health())["failures"] and health)
        assert "TLS" in health["last_error"] and not unknown.door.requests
        good.delete()
        bad.delete()
    finally:
        known.stop()
        unknown.stop()


def test_a_redirect_is_no_delivery_and_is_not_followed(server, webhooks):
    organization = events.organization("redirected")
    server.send(events.plain(organization, 2))
    there, elsewhere = webhooks.place(organization), webhooks.place(f"{organization}-elsewhere")
    known = webhooks.door.answer
    to = elsewhere.destination["url"]
    webhooks.door.answer = lambda request: Answer(307, b"", {"Location": to}) if request.path == f"/{organization}" else known(request)
    try:
        stream = Streams(server, organization).create(there)
        until("it is failing", lambda: stream.shown()["state"] == "failing")
        never("it was followed", lambda: any(request.path == f"/{organization}-elsewhere" for request in webhooks.door.requests), seconds=1)
    finally:
        webhooks.door.answer = known
    arrived(server, organization, there, seconds=60)
    stream.delete()


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410, 429, 500, 503])
def test_an_answer_that_is_about_the_receiver_parks_nothing_and_switches_nothing_off(server, webhooks, status):
    organization = events.organization(f"says-{status}")
    server.send(events.plain(organization, 3))
    there = webhooks.place(organization)
    known = webhooks.door.answer
    webhooks.door.answer = lambda request: Answer(status, b"no") if request.path == f"/{organization}" else known(request)
    try:
        stream = Streams(server, organization).create(there)
        health = until("it is failing", lambda: (health := stream.health())["failures"] and health)
        assert str(status) in health["last_error"] and health["parked"] == 0
    finally:
        webhooks.door.answer = known
    assert ids(arrived(server, organization, there, seconds=60))
    stream.delete()

"""Saved queries that tell somebody: any event, so many within a window, the first of its kind, and the digest."""

import urllib.parse

import pytest

from counterparts.webhook import SECRET
from harness import events
from harness.people import Person
from harness.waiting import never, until


class Alert:
    """An alert with an address and a webhook of its own."""

    def __init__(self, server, webhooks, organization, name, condition, **fields):
        self.server, self.path = server, f"/v1/organizations/{organization}/alerts"
        self.hook = webhooks.open(f"/alerts/{organization}/{name}", SECRET)
        self.email = f"{name}@{organization}.example"
        body = {
            "name": name,
            "filter": "-action:trailbook.*",
            "condition": condition,
            "quiet_seconds": 0,
            "emails": [self.email],
            "webhook": {"url": f"{webhooks.door.url}/alerts/{organization}/{name}"},
            "secrets": {"secret": SECRET},
            **fields,
        }
        self.made = server.call("POST", self.path, body).expect(201).json
        self.id = self.made["id"]

    def shown(self):
        return self.server.get(f"{self.path}/{self.id}").json

    def told(self, count, seconds=20):
        """The webhook's messages once there are so many."""
        until(f"{count} messages", lambda: len(self.hook.messages) >= count, seconds)
        return self.hook.messages


def link_leads_to(server, link, organization, wanted):
    """Whether the link opens the viewer at these events: its query finds them."""
    assert link.startswith("https://log.trailbook.example/")
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    query = {name: asked[name][0] for name in ("q", "from", "to") if name in asked}
    query.setdefault("from", "2026-01-01T00:00:00Z")
    found = server.get(f"/v1/organizations/{organization}/events?{urllib.parse.urlencode(query)}&limit=1000").json["events"]
    assert {event["id"] for event in found} >= wanted, (link, asked)


def test_any_event_is_told_by_mail_and_signed_webhook_with_a_link_that_opens_it(server, webhooks, mailbox):
    organization = events.organization("any")
    server.send(events.plain(organization, 1))
    alert = Alert(server, webhooks, organization, "any", {"type": "any"}, filter="action:report.exported")
    server.send([events.event(organization, 2)])
    (sent,) = server.send([events.event(organization, 1, action="report.exported")])
    (message,) = alert.told(1)
    assert message["type"] == "trailbook.alert" and message["alert"]["id"] == alert.id and message["organization"] == organization
    assert message["count"] == 1 and message["first"]["id"] == message["last"]["id"] == sent["id"]
    link_leads_to(server, message["link"], organization, {sent["id"]})
    letter = mailbox.letter(alert.email)
    assert "any" in letter.subject + letter.text and message["link"] in letter.text and message["link"] in letter.html.replace("&amp;", "&")
    shown = until("it is counted", lambda: (shown := alert.shown())["fired"] == 1 and shown)
    assert shown["last_fired_at"] and shown["last_error"] is None and SECRET not in str(shown) and shown["secrets"] == ["secret"]
    (fired,) = server.stored(organization, "action:trailbook.alert.fired")
    assert alert.id in str(fired)
    assert not alert.hook.disbelieved


def test_the_same_alert_is_told_once_while_it_is_quiet(server, webhooks, mailbox):
    organization = events.organization("quiet")
    server.send(events.plain(organization, 1))
    alert = Alert(server, webhooks, organization, "quiet", {"type": "any"}, quiet_seconds=3600)
    server.send(events.plain(organization, 5, first=1))
    alert.told(1)
    mailbox.letter(alert.email)
    server.send(events.plain(organization, 5, first=6))
    never("it was told again", lambda: len(alert.hook.messages) > 1 or mailbox.waiting(alert.email), seconds=3)


def test_an_alert_about_everything_does_not_tell_of_itself(server, webhooks):
    organization = events.organization("echo")
    server.send(events.plain(organization, 1))
    alert = Alert(server, webhooks, organization, "echo", {"type": "any"}, filter="", quiet_seconds=0, emails=[])
    server.send(events.plain(organization, 1, first=1))
    alert.told(1)
    settled = until("it settles", lambda: alert.shown()["fired"])
    never("it tells of having told", lambda: alert.shown()["fired"] > settled + 1, seconds=3)


def test_so_many_within_a_window_are_told_for_each_actor(server, webhooks):
    organization = events.organization("threshold")
    server.send(events.plain(organization, 1))
    alert = Alert(
        server,
        webhooks,
        organization,
        "threshold",
        {"type": "threshold", "count": 3, "window_seconds": 60, "by": "actor"},
        filter="result:failure",
        quiet_seconds=600,
    )

    def fails(actor, count):
        now = {"result": "failure", "occurred_at": None}
        made = [events.event(organization, number, actor={"type": "user", "id": actor}) | now for number in range(count)]
        return server.send([{name: value for name, value in event.items() if value is not None} for event in made])

    fails("u_calm", 2)
    never("two are no three", lambda: alert.hook.messages, seconds=1.5)
    sent = fails("u_wild", 3)
    (message,) = alert.told(1)
    assert message["count"] >= 3 and "u_wild" in str(message["group"]) and message["first"]["id"] == sent[0]["id"]
    fails("u_calm", 1)
    assert "u_calm" in str(alert.told(2)[1]["group"]), "each actor counts by itself, and is quiet by itself"
    fails("u_wild", 5)
    never("a group that was told of is quiet", lambda: len(alert.hook.messages) > 2, seconds=2)


def test_the_first_time_that_an_actor_comes_from_somewhere_is_told(server, webhooks):
    organization = events.organization("first")

    def signs_in(actor, ip):
        event = events.event(organization, 0, action="user.logged_in", actor={"type": "user", "id": actor}, context={"ip": ip})
        return server.send([{name: value for name, value in event.items() if name != "occurred_at"}])[0]["id"]

    signs_in("u_ann", "203.0.113.1")
    alert = Alert(server, webhooks, organization, "first", {"type": "first_seen", "field": "ip"}, filter="action:user.logged_in")
    signs_in("u_ann", "203.0.113.1")
    never("known, and told", lambda: alert.hook.messages, seconds=1.5)
    new = signs_in("u_ann", "198.51.100.7")
    (message,) = alert.told(1)
    assert message["last"]["id"] == new and "198.51.100.7" in str(message)
    signs_in("u_ann", "198.51.100.7")
    never("told twice", lambda: len(alert.hook.messages) > 1, seconds=1.5)


def test_a_digest_is_sent_on_request_with_counts_and_security_actions(server, webhooks, mailbox):
    organization = events.organization("digest")
    recent = [{name: value for name, value in event.items() if name != "occurred_at"} for event in events.plain(organization, 20)]
    server.send(recent)
    alert = Alert(server, webhooks, organization, "digest", {"type": "digest", "every": "day"}, webhook=None, secrets={})
    told = server.post(f"{alert.path}/{alert.id}/test", {}).json
    assert told["delivered"] is True, told
    letter = mailbox.letter(alert.email)
    for text in (letter.text, letter.html):
        assert "update" in text.lower() and "export" in text.lower() and "https://log.trailbook.example/" in text


def test_a_test_is_told_and_is_no_firing(server, webhooks, mailbox):
    organization = events.organization("tried")
    server.send(events.plain(organization, 1))
    alert = Alert(server, webhooks, organization, "tried", {"type": "any"})
    assert server.post(f"{alert.path}/{alert.id}/test", {}).json["delivered"] is True
    assert alert.told(1)[0]["type"].startswith("trailbook.alert") and mailbox.letter(alert.email)
    assert alert.shown()["fired"] == 0


def test_a_receiver_that_is_down_is_told_later_and_the_reason_is_shown(server, webhooks):
    organization = events.organization("alert-down")
    server.send(events.plain(organization, 1))
    alert = Alert(server, webhooks, organization, "down", {"type": "any"}, emails=[], quiet_seconds=3600)
    webhooks.door.down()
    try:
        server.send(events.plain(organization, 1, first=1))
        until("the reason is shown", lambda: alert.shown()["last_error"])
    finally:
        webhooks.door.up()
    alert.told(1, seconds=60)


def test_an_alert_that_is_off_or_gone_tells_nothing(server, webhooks):
    organization = events.organization("off")
    server.send(events.plain(organization, 1))
    off = Alert(server, webhooks, organization, "off", {"type": "any"}, enabled=False)
    gone = Alert(server, webhooks, organization, "gone", {"type": "any"})
    server.call("DELETE", f"{gone.path}/{gone.id}").expect(204)
    server.send(events.plain(organization, 3, first=1))
    never("it was told", lambda: off.hook.messages or gone.hook.messages, seconds=2.5)


def test_letters_go_only_to_people_who_may_see_the_log_unless_root_says_otherwise(server, webhooks, mailbox):
    organization = events.organization("recipients")
    server.send(events.plain(organization, 1))
    owner = Person(server, mailbox, organization, f"olivia@{organization}.example", "owner", "Olivia")
    member = Person(server, mailbox, organization, f"mia@{organization}.example", "member", "Mia")
    path = f"/v1/organizations/{organization}/alerts"
    alert = {"name": "x", "filter": "", "condition": {"type": "any"}}
    assert owner.browse("POST", path, alert | {"emails": [owner.email]}).status == 201
    for email in (member.email, "stranger@elsewhere.example"):
        answer = owner.browse("POST", path, alert | {"emails": [email]})
        assert answer.status == 422 and answer.pointers()[0].startswith("/emails"), answer.text
    assert member.browse("POST", path, alert | {"emails": [owner.email]}).status == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"filter": "nofield:(x"}, "/filter"),
        ({"condition": {"type": "threshold", "count": 1, "window_seconds": 60, "by": None}}, "/condition"),
        ({"condition": {"type": "threshold", "count": 2, "window_seconds": 59, "by": None}}, "/condition"),
        ({"condition": {"type": "threshold", "count": 2, "window_seconds": 86_401, "by": None}}, "/condition"),
        ({"condition": {"type": "threshold", "count": 2, "window_seconds": 60, "by": "moon"}}, "/condition"),
        ({"condition": {"type": "first_seen", "field": "no.such.field"}}, "/condition"),
        ({"condition": {"type": "digest", "every": "hour"}}, "/condition"),
        ({"quiet_seconds": 86_401}, "/quiet_seconds"),
        ({"emails": ["not an address"]}, "/emails"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_what_an_alert_may_be_is_checked_field_by_field(server, change, pointer):
    organization = events.organization("alert-checked")
    server.send(events.plain(organization, 1))
    body = {"name": "x", "filter": "", "condition": {"type": "any"}, "emails": ["ann@customer.example"]} | change
    answer = server.call("POST", f"/v1/organizations/{organization}/alerts", body)
    assert answer.status == 422 and any(found.startswith(pointer) for found in answer.pointers()), answer.text

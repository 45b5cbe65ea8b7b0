"""Exports by e-mail: MoEngage's filtered CSV (rows M-21 to M-24), and letters over encrypted connections."""

import pytest

from counterparts.mailbox import PASSWORD, USER, Mailbox
from harness import events
from harness.exports import Exports, by_link, cells
from harness.people import Person
from harness.waiting import never, until


@pytest.fixture(scope="module")
def account(start, mailbox):
    """A server with MoEngage's profile, an account with its examples, and its admin."""
    server = start()
    server.command("profile", "apply", "moengage")
    name = events.organization("travel")
    server.command("profile", "apply", "moengage", "--organization", name, "--examples")
    return server, name, Person(server, mailbox, name, f"priya@{name}.example", "admin", "Priya")


def test_the_admin_gets_the_filtered_csv_by_mail_with_a_link_and_the_file(account, mailbox):
    server, organization, priya = account
    # The page's columns in its order, with its words (M-14 to M-20), as the button on the screen asks for them.
    columns = ["occurred_at", "actor.team", "area", "description", "action_type", "actor.email", "context.ip"]
    form = {"format": "csv", "columns": columns, "labels": True}
    body = form | {"scope": "filtered", "filter": "area:team", "from": "2026-01-01T00:00:00Z", "email": True}
    asked = priya.browse("POST", f"/v1/organizations/{organization}/exports", body)
    # What the page knows when it confirms (M-24): that it is on its way, and to whom it goes.
    assert asked.status == 202 and asked.json["email"] is True, asked.text
    letter = mailbox.letter(priya.email, "export", seconds=60)
    export = Exports(server, organization, session=priya.session).until_ready(asked.json["id"])
    assert (
        letter.to == [priya.email] and export["download_url"] in letter.text and export["download_url"] in letter.html.replace("&amp;", "&")
    )
    ((name, attached),) = letter.attachments().items()
    assert name.endswith(".csv") and attached == by_link(server, export["download_url"]).expect(200).body
    header, *rows = cells(attached)
    shown = server.get(f"/v1/organizations/{organization}/events?from=2026-01-01T00:00:00Z&area=team&limit=1000").json["events"]
    assert len(rows) == len(shown) == export["rows"] and len(rows) >= 3
    assert header == ["Time", "Team", "Entity", "Activity", "Action", "Actor", "IP"]
    assert [row[3] for row in rows] == [event["description"] for event in shown]


def test_without_filters_all_of_it_comes(account, mailbox):
    server, organization, priya = account
    asked = priya.browse("POST", f"/v1/organizations/{organization}/exports", {"format": "csv", "scope": "all", "email": True}).expect(202)
    letter = mailbox.letter(priya.email, "export", seconds=60)
    export = Exports(server, organization, session=priya.session).until_ready(asked.json["id"])
    (attached,) = letter.attachments().values()
    assert len(cells(attached)) - 1 == export["rows"] >= 12
    assert server.stored(organization, "action:trailbook.export.requested")


def test_who_may_not_export_gets_no_letter_and_a_key_has_no_address(account, mailbox):
    server, organization, _ = account
    elif_ = Person(server, mailbox, organization, f"elif@{organization}.example", "analyst", "Elif")
    path = f"/v1/organizations/{organization}/exports"
    assert elif_.browse("POST", path, {"format": "csv", "email": True}).status == 403
    made = server.post("/v1/keys", {"name": "k", "scopes": ["exports", "events:read"], "organization": organization}).json
    answer = server.call("POST", path, {"format": "csv", "email": True}, key=made["key"])
    assert answer.status == 422 and answer.pointers() == ["/email"]
    never("a letter came", lambda: mailbox.waiting(elif_.email), seconds=1)


def test_a_letter_that_is_refused_for_now_comes_later(account, mailbox):
    server, organization, priya = account
    mailbox.refusals = 1
    priya.browse("POST", f"/v1/organizations/{organization}/exports", {"format": "csv", "scope": "all", "email": True}).expect(202)
    assert mailbox.letter(priya.email, "export", seconds=60).attachments() and mailbox.refusals == 0


@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_letters_go_over_an_encrypted_connection_to_a_server_that_asks_for_a_password(start, authority, how):
    encrypted = Mailbox(**{how: authority.server()}, password=True)
    scheme, more = ("smtp", "?tls=required") if how == "starttls" else ("smtps", "")
    server = start(smtp_url=f"{scheme}://{USER}:{PASSWORD}@localhost:{encrypted.port}{more}")
    organization = events.organization("encrypted-mail")
    server.send(events.plain(organization, 3))
    try:
        ann = Person(server, encrypted, organization, f"ann@{organization}.example", "owner")
        ann.browse("POST", f"/v1/organizations/{organization}/exports", {"format": "csv", "scope": "all", "email": True}).expect(202)
        letter = encrypted.letter(ann.email, "export", seconds=60)
        assert letter.encrypted and len(cells(*letter.attachments().values())) > 3
    finally:
        server.stop()
        encrypted.stop()


def test_a_mail_server_with_a_certificate_that_nobody_knows_gets_no_letter(start, stranger):
    unknown = Mailbox(tls=stranger.server(), password=True)
    server = start(smtp_url=f"smtps://{USER}:{PASSWORD}@localhost:{unknown.port}")
    organization = events.organization("no-mail")
    server.send(events.plain(organization, 1))
    try:
        server.post(f"/v1/organizations/{organization}/users", {"email": f"ann@{organization}.example", "role": "owner"})
        until("it is in the log", lambda: "could not be sent" in server.said())
        assert not unknown.letters
    finally:
        server.stop()
        unknown.stop()

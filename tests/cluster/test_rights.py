"""What is set up on one node counts on every other from the next request on: keys, policies, catalogs, sessions, tokens."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from counterparts.mailbox import Mailbox
from harness.people import Person
from harness.waiting import until
from load.clients import ALL, event
from machines.cluster import Cluster, fresh

#: Each is done so often: a node that learns of changes a little late is found by few of many tries.
TIMES = 15


@pytest.fixture(scope="module")
def mailbox():
    made = Mailbox()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster(assemble_once, mailbox: Mailbox) -> Cluster:
    """Three nodes that send mail, for all tests here."""
    mail = {"smtp_url": f"smtp://127.0.0.1:{mailbox.port}", "mail_from": "Audit log <log@trailbook.example>"}
    return assemble_once(**mail, public_url="https://log.trailbook.example")


@pytest.fixture
def organization(cluster: Cluster) -> str:
    name = fresh("acme")
    cluster[0].send([event(name)])
    return name


def pairs(cluster: Cluster):
    """One node and another, again and again."""
    return itertools.islice(itertools.cycle(itertools.permutations(cluster.nodes, 2)), TIMES)


def test_a_key_works_everywhere_once_it_is_made_and_nowhere_once_it_is_revoked(cluster, organization):
    for here, there in pairs(cluster):
        made = here.post("/v1/keys", {"name": "reader", "scopes": ["events:read"], "organization": organization}).json
        path = f"/v1/organizations/{organization}/events?{ALL}"
        assert there.call("GET", path, key=made["key"]).status == 200
        here.call("DELETE", f"/v1/keys/{made['id']}").expect(204)
        assert there.call("GET", path, key=made["key"]).status == 401


def test_a_viewer_token_works_everywhere_and_nowhere_once_it_is_revoked(cluster, organization):
    tokens = f"/v1/organizations/{organization}/viewer-tokens"
    for here, there in pairs(cluster):
        made = here.post(tokens, {"actor": {"id": "u_1", "name": "Ann", "role": "owner"}}).json
        path = f"/v1/organizations/{organization}/events?{ALL}"
        assert there.call("GET", path, key=made["token"]).status == 200
        here.call("DELETE", f"{tokens}/{made['id']}").expect(204)
        assert there.call("GET", path, key=made["token"]).status == 401


def test_a_policy_counts_on_every_node_from_the_next_request_on(cluster, organization):
    path = f"/v1/organizations/{organization}"
    for number, (here, there) in enumerate(pairs(cluster), 1):
        here.call("PUT", path, {"policy": {"max_range_days": number}}).expect(200)
        assert there.get(f"{path}/policy").json["max_range_days"] == number
        wide = there.call("GET", f"{path}/events?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z")
        assert wide.status == 400 and str(number) in wide.text


def test_of_two_changes_from_the_same_version_one_is_made(cluster, organization):
    path = f"/v1/organizations/{organization}"
    for here, there in pairs(cluster):
        version = {"If-Match": here.get(path).headers["ETag"]}
        here.call("PUT", path, {"policy": {"title": fresh("one")}}, headers=version).expect(200)
        assert there.call("PUT", path, {"policy": {"title": "other"}}, headers=version).status == 412


def test_a_catalog_counts_on_every_node_from_the_next_request_on(cluster, organization):
    for number, (here, there) in enumerate(pairs(cluster)):
        catalog = {"actions": [{"id": "report.exported", "name": "Exported", "description": f"Version {number}"}]}
        here.call("PUT", "/v1/projects/default/catalog", catalog).expect(200, 201)
        (stored,) = there.send([event(organization, fresh("mark"))])
        shown = here.get(f"/v1/organizations/{organization}/events/{stored['id']}").json
        assert shown["description"] == f"Version {number}"


def test_a_session_is_one_for_all_nodes(cluster, organization, mailbox):
    here, there, third = cluster
    person = Person(here, mailbox, organization, "ann@customer.example", "owner")
    look = ("GET", f"/v1/organizations/{organization}/events?{ALL}")
    for node in (here, there, third):
        assert node.call(*look, session=person.session).status == 200, f"signed in on node 0, unknown to node {node.number}"
    there.call("PATCH", person.path, {"role": "member"}).expect(200)
    for node in (here, third):
        assert node.call(*look, session=person.session).status == 403, "a role counts everywhere at once"
    third.call("PATCH", person.path, {"role": "owner"}).expect(200)
    third.call("POST", "/auth/sign-out", {}, session=person.session).expect(204)
    for node in (here, there, third):
        assert node.call(*look, session=person.session).status == 401


def test_organizations_that_come_to_be_are_known_everywhere(cluster):
    for here, there in pairs(cluster):
        name = fresh("new")
        here.send([event(name)])
        assert there.get(f"/v1/organizations/{name}/events/count?{ALL}").json["count"] >= 1
        assert any(one["name"] == name for one in there.get("/v1/organizations").json["organizations"])


def test_two_nodes_make_the_same_organization_at_once(cluster):
    """The first events of an organization arrive on all nodes at the same moment: they are one ledger."""
    with ThreadPoolExecutor(3) as together:
        for _ in range(5):
            name = fresh("born")
            sent = [together.submit(node.send, [event(name, f"{name}-{node.number}")]) for node in cluster]
            places = [one.result()[0] for one in sent]
            stored = cluster[0].stored(name)
            assert [one["sequence"] for one in stored] == list(range(len(stored)))
            assert {one["id"] for one in places} <= {one["id"] for one in stored}


def test_a_session_outlives_the_node_that_gave_it(cluster, organization, mailbox):
    here, there, _ = cluster
    person = Person(here, mailbox, organization, "bob@customer.example", "owner")
    here.kill()
    until("node 1 goes on", there.is_ready)
    assert there.call("GET", f"/v1/organizations/{organization}/events?{ALL}", session=person.session).status == 200
    here.start()
    assert here.call("GET", f"/v1/organizations/{organization}/events?{ALL}", session=person.session).status == 200

"""Where deliveries may not go: without the operator's word no destination of any kind leads into the network that the server stands in.

Addresses that are not of this machine are only ever named, never called: a stream that was made by mistake has nothing to deliver
and is deleted at once.
"""

import json

import pytest

from counterparts.gcs import Key
from harness import events
from harness.door import Answer, Door

#: Ways to write an address of this machine.
LOOPBACK = [
    "127.0.0.1",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "127.8.8.8",
    "①②⑦.⓪.⓪.①",
]
#: Addresses of private networks, of machines' metadata and of nothing at all.
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b::7f00:1]",
    "[::127.0.0.1]",
    "[2002:a00:1::]",
    "[ff02::1]",
    "[2001:db8::1]",
]


def destinations(host: str, port: int) -> dict[str, tuple[dict, dict]]:
    """One of every kind that a customer could point there, with its secrets."""
    url, objects = f"https://{host}:{port}", {"prefix": "p/"}
    key = json.loads(Key().file)
    return {
        "s3": (
            {"type": "s3", "bucket": "bucket", "region": "eu-central-1", "endpoint": url, "objects": objects},
            {"access_key_id": "a", "secret_access_key": "b"},
        ),
        "gcs": ({"type": "gcs", "bucket": "bucket", "endpoint": url, "objects": objects}, {"service_account_key": json.dumps(key)}),
        "gcs by its key": (
            {"type": "gcs", "bucket": "bucket", "objects": objects},
            {"service_account_key": json.dumps(key | {"gcs_base_url": url, "disable_oauth": True, "token_uri": url})},
        ),
        "azure": (
            {"type": "azure_blob", "account": "account", "container": "container", "endpoint": url, "objects": objects},
            {"access_key": "YWJj"},
        ),
        "azure by its account": (
            {"type": "azure_blob", "account": f"{host}:{port}/x#", "container": "container", "objects": objects},
            {"access_key": "YWJj"},
        ),
        "webhook": ({"type": "webhook", "url": f"{url}/x"}, {}),
        "webhook with a user": ({"type": "webhook", "url": f"https://example.com@{host}:{port}/"}, {}),
        "splunk": ({"type": "splunk_hec", "url": url}, {"token": "t"}),
        "datadog": ({"type": "datadog", "site": "datadoghq.eu", "url": url}, {"api_key": "k"}),
        "datadog by its site": ({"type": "datadog", "site": f"x@{host}:{port}/?"}, {"api_key": "k"}),
        "elasticsearch": ({"type": "elasticsearch", "url": url, "index": "audit"}, {"api_key": "k"}),
        "otlp": ({"type": "otlp", "url": f"{url}/v1/logs"}, {}),
        "syslog": ({"type": "syslog", "host": host.strip("[]"), "port": port, "tls": False}, {}),
        "syslog over tls": ({"type": "syslog", "host": host.strip("[]"), "port": port, "tls": True}, {}),
    }


KINDS = list(destinations("host", 1))
#: These name no server of the customer's; they are fine, and must not lead where the secret says.
ELSEWHERE = {"gcs by its key"}


@pytest.fixture(scope="module")
def guarded(start):
    """A server whose operator allows nothing private."""
    return start(private_destinations=None)


@pytest.fixture(scope="module")
def inside():
    """Something that listens within, and should never be called."""
    door = Door(lambda _: Answer(200, b"{}"))
    yield door
    door.down()


def refused(server, organization: str, destination: dict, secrets: dict, look: bool) -> str | None:
    """What was wrong, when it was not refused. `look`: whether it may be tried out."""
    path = f"/v1/organizations/{organization}/streams"
    answer = server.call(
        "POST", path, {"name": "inside", "destination": destination, "secrets": secrets, "start": "now", "interval_seconds": 3600}
    )
    if answer.status == 422:
        return None if all(pointer.startswith(("/destination", "/secrets")) for pointer in answer.pointers()) else answer.text
    if answer.status != 201:
        return f"{answer.status}: {answer.text}"
    stream = f"{path}/{answer.json['id']}"
    told = server.call("POST", f"{stream}/test", {}) if look else None
    server.call("DELETE", stream).expect(204)
    if told is None:
        return "it was accepted"
    return None if told.json["delivered"] is False else "it was delivered"


@pytest.mark.parametrize("kind", KINDS)
def test_no_destination_of_any_kind_leads_to_this_machine_however_it_is_written(guarded, inside, kind):
    organization = events.organization("guarded")
    guarded.send(events.plain(organization, 1))
    for host in LOOPBACK:
        destination, secrets = destinations(host, inside.port)[kind]
        # What is accepted without a server of its own would look for the vendor's.
        look = kind not in ELSEWHERE
        fault = refused(guarded, organization, destination, secrets, look)
        assert fault is None or kind in ELSEWHERE, f"{host}: {fault}"
    assert inside.connections == 0, "and nothing was connected to"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ELSEWHERE])
def test_addresses_of_private_networks_and_of_metadata_are_refused_when_they_are_named(guarded, kind):
    organization = events.organization("guarded")
    guarded.send(events.plain(organization, 1))
    for host in PRIVATE:
        destination, secrets = destinations(host, 443)[kind]
        assert (fault := refused(guarded, organization, destination, secrets, look=False)) is None, f"{host}: {fault}"


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "gopher"])
def test_what_is_not_https_on_its_port_is_refused_unless_the_operator_allows_the_host(guarded, scheme):
    organization = events.organization("schemes")
    guarded.send(events.plain(organization, 1))
    for url in (f"{scheme}://example.com/x", "https://example.com:22/x"):
        assert refused(guarded, organization, {"type": "webhook", "url": url}, {}, look=False) is None, url


def test_alerts_go_through_the_same_guard(guarded, inside):
    organization = events.organization("guarded-alerts")
    guarded.send(events.plain(organization, 1))
    path = f"/v1/organizations/{organization}/alerts"
    for host in LOOPBACK + PRIVATE:
        alert = {
            "name": "x",
            "filter": "",
            "condition": {"type": "any"},
            "webhook": {"url": f"https://{host}:{inside.port}/"},
            "emails": [],
        }
        answer = guarded.call("POST", path, alert)
        if answer.status == 201 and host in LOOPBACK:
            told = guarded.call("POST", f"{path}/{answer.json['id']}/test", {})
            guarded.call("DELETE", f"{path}/{answer.json['id']}").expect(204)
            assert told.json["delivered"] is False, host
            continue
        assert answer.status == 422 and all(pointer.startswith("/webhook") for pointer in answer.pointers()), (host, answer.text)
    assert inside.connections == 0


def test_an_allowed_server_is_no_way_to_one_that_is_not(start, inside):
    """The operator allows one port of this machine; that one answers with the way to another."""
    before = inside.connections
    allowed = Door(lambda request: Answer(302, b"", {"Location": f"{inside.url}{request.path}"}))
    server = start(private_destinations=f"127.0.0.1:{allowed.port}")
    organization = events.organization("detour")
    server.send(events.plain(organization, 1))
    try:
        for kind, (destination, secrets) in destinations("127.0.0.1", allowed.port).items():
            if kind in ELSEWHERE or kind.endswith(("account", "site", "user", "tls")):
                continue
            plain = json.loads(json.dumps(destination).replace("https://", "http://"))
            fault = refused(server, organization, plain, secrets, look=True)
            # Syslog has no answers, so what it says was delivered was.
            assert fault is None or kind == "syslog", f"{kind}: {fault}"
        for kind, (destination, secrets) in destinations("127.0.0.1", inside.port).items():
            if kind not in ELSEWHERE:
                assert (fault := refused(server, organization, destination, secrets, look=True)) is None, f"{kind}: {fault}"
        assert allowed.requests, "the allowed one was asked"
        assert inside.connections == before
    finally:
        allowed.down()
        server.stop()


def test_a_refusal_does_not_tell_an_open_port_from_a_closed_one(guarded, inside):
    organization = events.organization("silent")
    guarded.send(events.plain(organization, 1))
    path = f"/v1/organizations/{organization}/streams"

    def said(port: int) -> str:
        body = {"name": "x", "destination": {"type": "webhook", "url": f"https://localhost:{port}/"}, "secrets": {}}
        answer = guarded.call("POST", path, body)
        if answer.status == 201:
            told = guarded.call("POST", f"{path}/{answer.json['id']}/test", {}).json["detail"]
            guarded.call("DELETE", f"{path}/{answer.json['id']}").expect(204)
            return told
        return json.dumps(answer.json["errors"])

    assert said(inside.port).replace(str(inside.port), "PORT") == said(1).replace(":1/", ":PORT/")

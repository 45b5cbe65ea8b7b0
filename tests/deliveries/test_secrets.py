"""Secrets of destinations: nowhere to be read again, whoever asks and wherever one looks."""

import json

from counterparts.gcs import Key
from harness import events
from harness.door import Answer, Door
from harness.trailbook import Streams
from harness.waiting import until

CANARY = "canary-5f3e9a"


def secrets_of(kind: str) -> dict[str, str]:
    """Secrets of a kind, with the canary in each."""
    key = json.loads(Key().file) | {"private_key_id": CANARY, "client_email": f"{CANARY}@project.example"}
    return {
        "s3": {"access_key_id": f"{CANARY}-id", "secret_access_key": f"{CANARY}-secret", "session_token": f"{CANARY}-token"},
        "gcs": {"service_account_key": json.dumps(key)},
        "azure_blob": {"sas_token": f"sv=2026&sig={CANARY}"},
        "webhook": {"secret": "whsec_" + "Y2FuYXJ5" * 4, "header.X-Key": f"{CANARY}-header"},
        "splunk_hec": {"token": f"{CANARY}-token"},
        "datadog": {"api_key": f"{CANARY}-key"},
        "elasticsearch": {"username": f"{CANARY}-name", "password": f"{CANARY}-password"},
        "otlp": {"header.Authorization": f"Bearer {CANARY}"},
    }[kind]


def destinations(url: str) -> list[dict]:
    return [
        {"type": "s3", "bucket": "bucket", "region": "eu-central-1", "endpoint": url},
        {"type": "gcs", "bucket": "bucket", "endpoint": url},
        {"type": "azure_blob", "account": "account", "container": "container", "endpoint": url},
        {"type": "webhook", "url": f"{url}/hook"},
        {"type": "splunk_hec", "url": url},
        {"type": "datadog", "site": "datadoghq.eu", "url": url},
        {"type": "elasticsearch", "url": url, "index": "audit"},
        {"type": "otlp", "url": f"{url}/v1/logs"},
    ]


def test_a_secret_is_in_no_answer_no_log_no_event_and_no_file_even_when_the_destination_repeats_it(start):
    """The destination answers with everything that it was sent, which is what careless servers do."""
    echo = Door(
        lambda request: Answer(400, f"{request.path} {dict(request.headers)} ".encode() + request.body, {"Content-Type": "text/plain"})
    )
    server = start()
    organization = events.organization("canary")
    server.send(events.plain(organization, 2))
    hidden = {CANARY, "Y2FuYXJ5Y2FuYXJ5"}
    streams, told = [], []
    try:
        for destination in destinations(echo.url):
            secrets = secrets_of(destination["type"])
            body = {
                "name": destination["type"],
                "destination": destination,
                "secrets": secrets,
                "start": "beginning",
                "interval_seconds": 1,
            }
            answer = server.call("POST", Streams(server, organization).path, body).expect(201)
            assert [name.lower() for name in answer.json["secrets"]] == sorted(name.lower() for name in secrets)
            assert not answer.json.get("secret"), "one that was given is not given back"
            told.append(answer.text)
            streams.append(f"{Streams(server, organization).path}/{answer.json['id']}")
        for stream in streams:
            told.append(server.post(f"{stream}/test", {}).text)
            until("it was tried", lambda: (health := server.get(stream).json["health"])["failures"] or health["parked"])
            told += [server.get(stream).text, server.get(f"{stream}/parked").text]
        sent = b"".join(str(request.headers).encode() + request.body + request.path.encode() for request in echo.requests).decode(
            errors="replace"
        )
        assert CANARY in sent, "the destinations themselves were given their secrets"
        # What was made of secrets opens doors as well: tokens, and names with passwords in base64.
        for header in (request.headers.get("Authorization", "") for request in echo.requests):
            if header.startswith(("Bearer ", "Basic ", "ApiKey ", "Splunk ")):
                hidden.add(header.split(" ", 1)[1])
        assert len(hidden) >= 5, "of Google, Elasticsearch, Splunk"
        told += [server.get(Streams(server, organization).path).text, server.get("/metrics").text, server.said()]
        told.append(json.dumps(server.stored(organization)))
        for text in told:
            for secret in hidden:
                assert secret not in text, text[max(0, text.find(secret) - 200) :][:400]
        server.stop()
        for file in (path for path in server.data.rglob("*") if path.is_file()):
            body = file.read_bytes()
            for secret in hidden:
                assert secret.encode() not in body, file
    finally:
        echo.down()


def test_secrets_need_the_deployments_key_to_be_used_again(start, s3):
    """With another key they are useless, which is said, and with the right one all goes on."""
    server = start()
    organization = events.organization("key")
    server.send(events.plain(organization, 2))
    there = s3.place(organization)
    stream = Streams(server, organization).create(there)
    until("it is delivered", lambda: there.read())
    server.stop()
    key = server.data / "encryption-key"
    right = key.read_bytes()
    key.unlink()
    server.start()
    server.send(events.plain(organization, 2, first=2))
    health = until("it is told", lambda: (health := stream.health())["last_error"] and health)
    assert health["lag_events"] >= 2
    server.stop()
    key.write_bytes(right)
    server.start()
    until("it goes on", lambda: len(there.read()) >= 4, seconds=60)
    server.stop()

"""Each counterpart by itself, with a client that is not ours either: that it takes what is right, and refuses what is wrong.

A destination that takes anything proves nothing. These tests need no server of ours.
"""

import json
import logging
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from datetime import datetime, timezone

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from botocore.exceptions import ClientError
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Unauthorized
from google.auth import jwt
from google.cloud import storage
from opensearchpy import AuthenticationException, OpenSearch, helpers
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from splunk_hec_handler import SplunkHecHandler
from standardwebhooks import Webhook

from counterparts import azure as azure_blob
from counterparts import datadog as datadog_logs
from counterparts import gcs as google
from counterparts import mailbox as mail
from counterparts import s3 as amazon
from counterparts import splunk as hec
from counterparts.mailbox import Mailbox
from counterparts.otlp import TOKEN, attributes, value
from counterparts.search import API_KEY
from counterparts.webhook import SECRET
from harness.door import Answer, Door, Trouble
from harness.waiting import until


def ask(url: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """One POST; the status and the body."""
    request = urllib.request.Request(url, body, {name.replace("_", "-"): text for name, text in headers.items()}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_s3_takes_what_is_signed_by_its_key_and_nothing_else(s3):
    s3.client_with(s3.credentials, s3.door.url).put_object(Bucket=amazon.BUCKET, Key="direct/a", Body=b"{}\n")
    assert s3.objects("direct/") == {"direct/a": b"{}\n"}
    wrong = {**s3.credentials, "secret_access_key": "not-the-secret"}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.client_with(wrong, s3.door.url).put_object(Bucket=amazon.BUCKET, Key="direct/b", Body=b"")
    nobody = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI"}
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        s3.client_with(nobody).put_object(Bucket=amazon.BUCKET, Key="direct/b", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.client.create_bucket(Bucket="another-bucket", CreateBucketConfiguration={"LocationConstraint": amazon.REGION})
    assert list(s3.objects("direct/")) == ["direct/a"]


def test_google_storage_takes_what_the_service_account_signed_and_nothing_else(gcs):
    def client(key: str) -> storage.Client:
        account = jwt.Credentials.from_service_account_info(json.loads(key), audience="https://storage.googleapis.com/")
        options = ClientOptions(api_endpoint=gcs.door.url)
        return storage.Client(project="project", credentials=account, client_options=options)

    client(gcs.key.file).bucket(google.BUCKET).blob("direct/a").upload_from_string(b"{}\n")
    # The XML interface, which is the other way to put an object there.
    account = jwt.Credentials.from_service_account_info(json.loads(gcs.key.file), audience="https://storage.googleapis.com/")
    account.refresh(None)
    token = {"Authorization": f"Bearer {account.token.decode()}"}
    put = urllib.request.Request(f"{gcs.door.url}/{google.BUCKET}/direct/x%3D1", b"{}\n", token, method="PUT")
    with urllib.request.urlopen(put) as answer:
        assert answer.status == 200
    assert gcs.objects("direct/") == {"direct/a": b"{}\n", "direct/x=1": b"{}\n"}
    with pytest.raises(Unauthorized):
        client(google.Key().file).bucket(google.BUCKET).blob("direct/b").upload_from_string(b"", retry=None)
    assert list(gcs.objects("direct/")) == ["direct/a", "direct/x=1"]


def test_azure_takes_its_key_and_its_shared_access_signature_and_nothing_else(azure):
    def client(credential: str):
        url = f"{azure.door.url}/{azure_blob.ACCOUNT}"
        return BlobServiceClient(url, credential=credential, retry_total=0).get_container_client(azure_blob.CONTAINER)

    client(azure_blob.KEY).upload_blob("direct/a", b"{}\n")
    client(azure.sas()).upload_blob("direct/b", b"{}\n")
    assert azure.objects("direct/") == {"direct/a": b"{}\n", "direct/b": b"{}\n"}
    for wrong in ("bm90IHRoZSBrZXk=", azure.sas(key="bm90IHRoZSBrZXk="), azure.sas(hours=-1)):
        with pytest.raises(HttpResponseError) as refused:
            client(wrong).upload_blob("direct/c", b"")
        assert refused.value.status_code == 403
    assert list(azure.objects("direct/")) == ["direct/a", "direct/b"]


def test_the_search_server_takes_bulk_requests_and_names_the_items_that_it_refuses(search):
    client = OpenSearch(search.door.url, headers={"Authorization": f"ApiKey {API_KEY}"})
    action = {"_index": "direct", "_op_type": "create", "_id": "one", "_source": {"sequence": 0, "at": "2026-10-01T00:00:00Z"}}
    assert helpers.bulk(client, [action]) == (1, [])
    assert search.read("direct") == [action["_source"]]
    _, errors = helpers.bulk(client, [action, {**action, "_id": "two", "_source": {"sequence": 1}}], raise_on_error=False)
    assert [error["create"]["status"] for error in errors] == [409], "what is there already is said item by item"
    search.client.indices.create(index="direct-mapped", body={"mappings": {"properties": {"at": {"type": "date"}}}})
    bad = {"_index": "direct-mapped", "_op_type": "index", "_id": "bad", "_source": {"at": "no date"}}
    _, errors = helpers.bulk(client, [bad, {**bad, "_id": "good", "_source": {}}], raise_on_error=False)
    assert [(error["index"]["_id"], error["index"]["status"]) for error in errors] == [("bad", 400)]
    with pytest.raises(AuthenticationException):
        OpenSearch(search.door.url, headers={"Authorization": "ApiKey wrong"}).bulk(body='{"index":{"_index":"direct"}}\n{}\n')


def test_rsyslog_reads_octet_counted_messages_over_tcp_and_tls_and_only_with_a_certificate(syslog, authority, stranger):
    message = (
        '<110>1 2026-11-20T09:14:07.482Z host trailbook - user.role.updated [trailbook@32473 organization="direct" text="a\\"b\\]c"] '
        '\ufeff{"organization":"direct","text":"line\\nfeed, \u2028 and 𝄞"}'
    ).encode()
    framed = str(len(message)).encode() + b" " + message
    with socket.create_connection(("127.0.0.1", syslog.ports["plain"])) as plain:
        plain.sendall(framed + framed)
    known = ssl.create_default_context(cafile=str(authority.ca))
    with known.wrap_socket(socket.create_connection(("127.0.0.1", syslog.ports["tls"])), server_hostname="localhost") as encrypted:
        encrypted.sendall(framed)
    over = {name: syslog.place(name, "direct", tls=name == "tls") for name in ("plain", "tls")}
    until("all three are written", lambda: (len(over["plain"].read()), len(over["tls"].read())) == (2, 1))
    (parsed,) = over["tls"].extra["messages"]()
    understood = [parsed[name] for name in ("syslogfacility", "syslogseverity", "app-name", "msgid", "protocol-version", "timereported")]
    assert understood == ["13", "6", "trailbook", "user.role.updated", "1", "2026-11-20T09:14:07.482Z"]
    assert parsed["structured-data"] == '[trailbook@32473 organization="direct" text="a\\"b\\]c"]'
    assert over["tls"].read() == [{"organization": "direct", "text": "line\nfeed, \u2028 and 𝄞"}]
    with pytest.raises(ssl.SSLCertVerificationError):
        other = ssl.create_default_context(cafile=str(stranger.ca))
        other.wrap_socket(socket.create_connection(("127.0.0.1", syslog.ports["tls"])), server_hostname="localhost")


def test_the_receiver_of_webhooks_believes_the_standards_library_alone(webhooks):
    hook = webhooks.open("/direct", SECRET)
    now = datetime.now(timezone.utc)
    body = b'{"events":[]}'

    def signed(secret: str, at: datetime) -> dict[str, str]:
        signature = Webhook(secret).sign("msg_1", at, body.decode())
        return {"webhook_id": "msg_1", "webhook_timestamp": str(int(at.timestamp())), "webhook_signature": signature}

    assert ask(f"{webhooks.door.url}/direct", body, **signed(SECRET, now))[0] == 204
    refused = [
        (body, signed("whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", now)),
        (body + b" ", signed(SECRET, now)),
        (body, signed(SECRET, datetime.fromtimestamp(now.timestamp() - 3600, timezone.utc))),
        (body, {}),
    ]
    for bytes, headers in refused:
        assert ask(f"{webhooks.door.url}/direct", bytes, **headers)[0] == 401
    assert (len(hook.messages), len(hook.disbelieved)) == (1, 4)


def logs_request() -> ExportLogsServiceRequest:
    """One record."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, event_name="user.role.updated")
    record.body.CopyFrom(AnyValue(string_value='{"organization":"direct"}'))
    record.attributes.add(key="trailbook.id").value.string_value = "one"
    return request


def test_the_receiver_of_telemetry_reads_protobuf_and_json_and_asks_for_its_token(otlp):
    url = f"{otlp.door.url}/v1/logs"
    bytes = logs_request().SerializeToString()
    assert ask(url, bytes, Content_Type="application/x-protobuf", Authorization=TOKEN)[0] == 200
    spoken = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"{}"},"attributes":[]}]}]}]}'
    assert ask(url, spoken, Content_Type="application/json", Authorization=TOKEN)[0] == 200
    assert ask(url, bytes, Content_Type="application/x-protobuf")[0] == 401
    assert ask(url, bytes, Content_Type="text/plain", Authorization=TOKEN)[0] == 415
    assert [payload for payload in otlp.payloads()][:2] == [{"organization": "direct"}, {}]
    assert attributes(otlp.records[0][2].attributes) == {"trailbook.id": "one"}


def test_the_collector_takes_logs_refuses_what_is_none_and_passes_them_on(collector, behind_collector):
    url = f"http://127.0.0.1:{collector.port}/v1/logs"
    assert ask(url, logs_request().SerializeToString(), Content_Type="application/x-protobuf")[0] == 200
    until("the collector passed the record on", lambda: behind_collector.records)
    record = behind_collector.records[0][2]
    assert (value(record.body), record.event_name, attributes(record.attributes)) == (
        '{"organization":"direct"}',
        "user.role.updated",
        {"trailbook.id": "one"},
    )
    assert ask(url, b"\xff\xff\xff", Content_Type="application/x-protobuf")[0] >= 400


def test_datadogs_intake_takes_what_datadogs_client_sends_and_no_other_key(datadog):
    def submit(key: str, *messages: str) -> None:
        settings = Configuration(host=datadog.door.url, api_key={"apiKeyAuth": key}, enable_retry=False)
        with ApiClient(settings) as client:
            items = [HTTPLogItem(ddsource="trailbook", service="direct", message=message, ddtags="env:tests") for message in messages]
            LogsApi(client).submit_log(HTTPLog(items))

    submit(datadog_logs.KEY, '{"sequence":0}', '{"sequence":1}')
    assert datadog.place("direct").read() == [{"sequence": 0}, {"sequence": 1}]
    with pytest.raises(ApiException) as refused:
        submit("0" * 32, "{}")
    assert refused.value.status == 403
    key = {"DD_API_KEY": datadog_logs.KEY, "Content_Type": "application/json"}
    assert ask(f"{datadog.door.url}/api/v2/logs", b'[{"service":"no message"}]', **key)[0] == 400
    assert ask(f"{datadog.door.url}/api/v2/logs", json.dumps([{"message": ""}] * 1001).encode(), **key)[0] == 413
    assert len(datadog.of("direct")) == 2


def test_splunks_collector_takes_what_a_client_of_splunks_users_sends_and_answers_with_splunks_codes(splunk):
    host, port = "127.0.0.1", splunk.door.port
    handler = SplunkHecHandler(host, hec.TOKEN, port=port, proto="http", source="tests", sourcetype="direct", index="audit")
    logger = logging.getLogger("direct to splunk")
    logger.addHandler(handler)
    logger.warning({"sequence": 0})
    (event,) = until("the event is there", lambda: splunk.of("direct"))
    assert event["event"]["sequence"] == 0 and event["index"] == "audit"
    url = f"{splunk.door.url}/services/collector/event"
    for body, token, status, code in [
        (b'{"event":1}', "Splunk wrong", 403, 4),
        (b'{"event":1}', "Bearer x", 401, 3),
        (b"", f"Splunk {hec.TOKEN}", 400, 5),
        (b'{"event":1}{"event"', f"Splunk {hec.TOKEN}", 400, 6),
        (b'{"event":1,"index":"unheard-of"}', f"Splunk {hec.TOKEN}", 400, 7),
        (b'{"time":1}', f"Splunk {hec.TOKEN}", 400, 12),
        (b'{"event":""}', f"Splunk {hec.TOKEN}", 400, 13),
        (b'{"event":1,"fields":{"a":{"b":1}}}', f"Splunk {hec.TOKEN}", 400, 15),
        (b'{"event":{"n":1}}\n{"event":{"n":2}}', f"Splunk {hec.TOKEN}", 200, 0),
    ]:
        got, answer = ask(url, body, Authorization=token)
        assert (got, json.loads(answer)["code"]) == (status, code), body
    assert ask(url, b'{"event":1}')[0] == 401


def test_the_mailbox_takes_letters_plain_with_starttls_and_with_tls(authority):
    known = ssl.create_default_context(cafile=str(authority.ca))
    letter = "Subject: direct\r\nTo: ann@customer.example\r\n\r\ntext\r\n"
    for how in ("plain", "starttls", "tls"):
        box = Mailbox(
            tls=authority.server() if how == "tls" else None,
            starttls=authority.server() if how == "starttls" else None,
            password=how != "plain",
        )
        kind = smtplib.SMTP_SSL if how == "tls" else smtplib.SMTP
        with kind("127.0.0.1", box.port, timeout=10, **({"context": known} if how == "tls" else {})) as client:
            if how == "starttls":
                with pytest.raises(smtplib.SMTPException):
                    client.sendmail("log@trailbook.example", ["ann@customer.example"], letter)
                client.starttls(context=known)
            if how != "plain":
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    client.login(mail.USER, "wrong")
                client.login(mail.USER, mail.PASSWORD)
            client.sendmail("log@trailbook.example", ["ann@customer.example"], letter)
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("log@trailbook.example", ["rejected@customer.example"], letter)
        got = box.letter("ann@customer.example", "direct")
        assert (got.message.get_content().strip(), got.encrypted) == ("text", how != "plain")
        box.stop()


@pytest.mark.parametrize("trouble", [Trouble.RESET, Trouble.HALF, Trouble.STORED_500, Trouble.UNAVAILABLE, Trouble.BUSY, Trouble.SILENT])
def test_a_door_has_the_bad_days_that_it_is_told_to_have(trouble):
    done = []
    door = Door(lambda request: done.append(request.body) or Answer(200, b"x" * 1000))
    door.trouble(trouble, times=1)
    try:
        status, body = ask(door.url, b"first")
        assert (status, len(body)) != (200, 1000)
    except (OSError, urllib.error.URLError, ValueError, AssertionError):
        pass
    except Exception as error:  # http.client has more names for a broken answer than one would list.
        assert "Remote" in type(error).__name__ or "Incomplete" in type(error).__name__ or "BadStatus" in type(error).__name__
    stored = trouble in (Trouble.HALF, Trouble.STORED_500, Trouble.SILENT)
    assert done == ([b"first"] if stored else []), "whether it was done"
    assert ask(door.url, b"second")[0] == 200
    door.down()
    with pytest.raises(urllib.error.URLError):
        ask(door.url, b"third")
    door.up()
    assert ask(door.url, b"fourth")[0] == 200
    door.down()

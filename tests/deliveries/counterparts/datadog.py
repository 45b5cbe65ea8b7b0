"""Datadog: its intake's documented limits, and the model of its own client, which decides what a log entry is."""

import gzip
import json
import threading

from datadog_api_client.configuration import Configuration
from datadog_api_client.exceptions import ApiTypeError, ApiValueError
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

from counterparts.place import Place
from harness.door import Answer, Door, Request

KEY = "0123456789abcdef0123456789abcdef"
#: Documented: bytes of a request once it is unpacked, entries of a request, bytes of an entry.
REQUEST_BYTES, ENTRIES, ENTRY_BYTES = 5_000_000, 1000, 1_000_000


class Datadog:
    """`POST /api/v2/logs`."""

    def __init__(self) -> None:
        self.entries: list[dict] = []
        self.requests: list[list[dict]] = []
        self.lock = threading.Lock()
        self.door = Door(self.answer)

    def answer(self, request: Request) -> Answer:
        if request.method != "POST" or request.path.split("?")[0] != "/api/v2/logs":
            return Answer(404, b"{}")
        if request.headers.get("DD-API-KEY") != KEY:
            return Answer(403, b'{"errors":[{"status":"403","title":"Forbidden"}]}')
        body = gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
        if len(body) > REQUEST_BYTES:
            return Answer(413, b"{}")
        said = json.loads(body)
        said = said if isinstance(said, list) else [said]
        if len(said) > ENTRIES or any(len(json.dumps(entry)) > ENTRY_BYTES for entry in said):
            return Answer(413, b"{}")
        try:
            validate_and_convert_types(said, (HTTPLog,), ["received"], True, True, Configuration())
            # What was received may lack what has to be sent.
            HTTPLog([HTTPLogItem(**entry) for entry in said])
        except (ApiTypeError, ApiValueError, TypeError) as error:
            return Answer(400, json.dumps({"errors": [{"status": "400", "detail": str(error)}]}).encode())
        with self.lock:
            self.entries += said
            self.requests.append(said)
        return Answer(202, b"{}", {"Content-Type": "application/json"})

    def place(self, organization: str) -> Place:
        return Place(
            destination={"type": "datadog", "site": "datadoghq.eu", "url": self.door.url, "service": organization, "tags": ["env:tests"]},
            secrets={"api_key": KEY},
            read=lambda: [json.loads(entry["message"]) for entry in self.of(organization)],
            door=self.door,
            wrong={"api_key": "f" * 32},
            extra={"entries": lambda: self.of(organization)},
        )

    def of(self, service: str) -> list[dict]:
        return [entry for entry in list(self.entries) if entry.get("service") == service]

    def stop(self) -> None:
        self.door.down()

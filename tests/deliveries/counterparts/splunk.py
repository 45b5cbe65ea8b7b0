"""Splunk's HTTP Event Collector, as its documentation says: a fixture of ours, which clients of Splunk's users are content with."""

import gzip
import json
import threading

from counterparts.place import Place
from harness.door import Answer, Door, Request

TOKEN = "b5d2c3a1-7a3e-4a3c-9d5e-0f1e2d3c4b5a"
INDEXES = {"main", "audit"}
#: `http_input_limits`, `max_content_length` of a collector as it is installed.
REQUEST_BYTES = 838_860_800


def said(code: int, text: str, status: int = 400, **more: int) -> Answer:
    """The collector's answers have a code of their own."""
    return Answer(status, json.dumps({"text": text, "code": code, **more}).encode(), {"Content-Type": "application/json"})


class Splunk:
    """`POST /services/collector/event`: JSON objects one after the other, all of which are taken or none."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.lock = threading.Lock()
        self.door = Door(self.answer)

    def answer(self, request: Request) -> Answer:
        if request.path == "/services/collector/health":
            return said(17, "HEC is healthy", 200)
        if request.path not in ("/services/collector", "/services/collector/event", "/services/collector/event/1.0"):
            return Answer(404, b"{}")
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            return said(2, "Token is required", 401)
        if kind != "Splunk":
            return said(3, "Invalid authorization", 401)
        if token != TOKEN:
            return said(4, "Invalid token", 403)
        body = gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
        if not body.strip():
            return said(5, "No data")
        if len(body) > REQUEST_BYTES:
            return Answer(413, b"{}")
        events, fault = taken_apart(body.decode())
        if fault:
            return fault
        with self.lock:
            self.events += events
        return said(0, "Success", 200)

    def place(self, organization: str) -> Place:
        return Place(
            destination={"type": "splunk_hec", "url": self.door.url, "index": "audit", "source_type": organization},
            secrets={"token": TOKEN},
            read=lambda: [event["event"] for event in self.of(organization)],
            door=self.door,
            wrong={"token": "00000000-0000-0000-0000-000000000000"},
            extra={"events": lambda: self.of(organization)},
        )

    def of(self, source_type: str) -> list[dict]:
        return [event for event in list(self.events) if event.get("sourcetype") == source_type]

    def stop(self) -> None:
        self.door.down()


def taken_apart(text: str) -> tuple[list[dict], Answer | None]:
    """The events of a body, or what is wrong with the first that is not one."""
    events, at, reader = [], 0, json.JSONDecoder()
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            event, at = reader.raw_decode(text, at)
        except ValueError:
            return [], said(6, "Invalid data format", **{"invalid-event-number": len(events)})
        number = {"invalid-event-number": len(events)}
        if not isinstance(event, dict) or not set(event) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}:
            return [], said(6, "Invalid data format", **number)
        if "event" not in event:
            return [], said(12, "Event field is required", **number)
        if event["event"] in ("", None):
            return [], said(13, "Event field cannot be blank", **number)
        if event.get("index", "main") not in INDEXES:
            return [], said(7, "Incorrect index", **number)
        fields = event.get("fields", {})
        if not isinstance(fields, dict) or any(isinstance(value, dict) for value in fields.values()):
            return [], said(15, "Error in handling indexed fields", **number)
        if not isinstance(event.get("time", 0), (int, float, str)):
            return [], said(6, "Invalid data format", **number)
        events.append(event)
    return events, None

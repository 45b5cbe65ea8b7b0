"""Elasticsearch and OpenSearch: osmem, a server of that interface, and OpenSearch's own client.

osmem lets everybody in; the door before it asks for the credentials that both products document.
"""

import base64
from pathlib import Path

import osmem_server
from opensearchpy import OpenSearch

from counterparts.place import Place
from harness.door import Answer, Door, Request, passing_on
from harness.process import Program, free_port

API_KEY = base64.b64encode(b"id-of-the-key:its-secret-part").decode()
USERNAME, PASSWORD = "stream-writer", "correct horse: battery"


#: What docs/streams.md says that an index of native events needs: their metadata and changes have values of any type.
MAPPINGS = {"properties": {"metadata": {"type": "object", "enabled": False}, "changes": {"type": "object", "enabled": False}}}


class Search:
    """One cluster; each stream has an index of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [osmem_server.resolve_binary(), "-addr", f"127.0.0.1:{self.port}", "-no-stdin-watch", "-no-ja"]
        self.program = Program(command, folder / "search-log")
        self.program.ready("osmem", self.port)
        self.client = OpenSearch(f"http://127.0.0.1:{self.port}")
        ask = passing_on(self.port)
        self.door = Door(lambda request: ask(request) if self.may(request) else Answer(401, b"{}", {"Content-Type": "application/json"}))

    def may(self, request: Request) -> bool:
        basic = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        return request.headers.get("Authorization") in (f"ApiKey {API_KEY}", f"Basic {basic}")

    def found(self, index: str) -> list[dict]:
        """All documents of an index, with their ids."""
        if not self.client.indices.exists(index=index):
            return []
        self.client.indices.refresh(index=index)
        hits, after = [], 0
        while page := self.client.search(index=index, body={"size": 1000, "from": after, "query": {"match_all": {}}})["hits"]["hits"]:
            hits += page
            after += len(page)
        return hits

    def read(self, index: str) -> list[dict]:
        # An index has no order of arrival; the events have their own.
        return sorted((hit["_source"] for hit in self.found(index)), key=lambda event: event.get("sequence", 0))

    def place(self, name: str, basic: bool = False) -> Place:
        secrets = {"username": USERNAME, "password": PASSWORD} if basic else {"api_key": API_KEY}
        self.client.indices.create(index=name, body={"mappings": MAPPINGS})
        return Place(
            destination={"type": "elasticsearch", "url": self.door.url, "index": name},
            secrets=secrets,
            read=lambda: self.read(name),
            door=self.door,
            wrong={"username": USERNAME, "password": "wrong"} if basic else {"api_key": "bm9ib2R5OmtleQ=="},
            overwrites=True,
            extra={"index": name},
        )

    def stop(self) -> None:
        self.door.down()
        self.program.stop()

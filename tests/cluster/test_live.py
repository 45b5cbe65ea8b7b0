"""The live feed of one node shows what any node stores: each event once, in order, also across what breaks."""

import http.client
import json
import threading

from harness.trailbook import ROOT_KEY
from harness.waiting import until
from load.clients import Load, event
from machines.node import Node


class Feed:
    """Somebody who follows a ledger, and turns to another node when a feed ends."""

    def __init__(self, nodes: list[Node], organization: str) -> None:
        self.nodes, self.organization = nodes, organization
        self.events: list[dict] = []
        self.last: str | None = None
        self.opened, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()
        assert self.opened.wait(20)

    def follow(self) -> None:
        turn = 0
        while not self.ended.is_set():
            node = self.nodes[turn % len(self.nodes)]
            turn += 1
            connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
            headers = {"Authorization": f"Bearer {ROOT_KEY}"} | ({"Last-Event-ID": self.last} if self.last else {})
            try:
                connection.request("GET", f"/v1/organizations/{self.organization}/events/live", headers=headers)
                got = connection.getresponse()
                if got.status == 200:
                    self.read(got)
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            self.ended.wait(0.05)

    def read(self, got: http.client.HTTPResponse) -> None:
        id = None
        while (line := got.readline()) and not self.ended.is_set():
            self.opened.set()
            name, _, text = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                id = text
            elif name == "data":
                self.events.append(json.loads(text))
            elif name == "" and id is not None:
                self.last = id

    def check(self, stored: list[dict], seconds: float = 30) -> None:
        """It showed all events of the ledger after the first, each once and in order, as they are stored."""
        until("the feed has everything", lambda: self.events and self.events[-1]["sequence"] == stored[-1]["sequence"], seconds)
        self.ended.set()
        first = self.events[0]["sequence"]
        assert [one["sequence"] for one in self.events] == list(range(first, len(stored)))
        assert [one["id"] for one in self.events] == [one["id"] for one in stored[first:]]


def test_a_feed_on_one_node_shows_what_the_others_store(assemble, organizations):
    cluster = assemble()
    organization = organizations[0]
    cluster[0].send([event(organization)])
    feeds = [Feed([node], organization) for node in cluster]
    with Load(cluster.nodes, organizations, readers=1) as load:
        load.goes_on(100)
    stored = cluster[1].stored(organization)
    for feed in feeds:
        assert feed.events and feed.events[0]["sequence"] == 1, "from the moment on that it was opened"
        feed.check(stored)
    cluster.proven(load.history, organizations)


def test_a_feed_goes_on_at_another_node_when_its_own_is_killed(assemble, organizations):
    cluster = assemble()
    organization = organizations[0]
    cluster[0].send([event(organization)])
    feed = Feed(cluster.nodes, organization)
    with Load(cluster.nodes, organizations, readers=1) as load:
        for node in cluster:
            load.goes_on(25)
            node.kill()
            load.goes_on(25)
            node.start()
        load.goes_on(20)
    feed.check(cluster[0].stored(organization))
    cluster.proven(load.history, organizations)

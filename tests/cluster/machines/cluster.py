"""Several nodes on one database and one object store, and what is demanded of them at the end of every story."""

import base64
import itertools
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.trailbook import ROOT_KEY
from harness.waiting import until
from history.check import check
from history.record import Checkpoint, History, Ledger, Place, Stored
from history.tree import consistent, opened
from machines.node import Node
from machines.postgres import PASSWORD
from machines.s3 import SECRET_KEY

#: What all nodes have in common.
KEYS = {"signing_key": "5e" * 32, "encryption_key": "ec" * 32}
#: Sealing and compacting go on all the time: as little and as young as the settings allow.
EAGER = {"seal_events": "1000", "seal_age_ms": "1000"}
#: Events that are verified in full on each node; `fsck --deep` looks at all of them.
EVENTS_VERIFIED = 100
_names = itertools.count()


def fresh(name: str) -> str:
    """A name that no other test has, for organizations, databases and folders."""
    return f"{name}{next(_names)}"


class Cluster:
    """Nodes that were started together."""

    def __init__(self, binary: Path, folder: Path, settings: list[dict[str, str]], database: str = "") -> None:
        folder.mkdir()
        #: What its database is called at the PostgreSQL server.
        self.database = database
        with ThreadPoolExecutor() as together:
            starting = [
                together.submit(Node, number, binary, folder / f"node{number}", node_name=f"node{number}", **of)
                for number, of in enumerate(settings)
            ]
            self.nodes = [one.result() for one in starting]

    def __getitem__(self, which: int | slice) -> Node | list[Node]:
        return self.nodes[which]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def until_ready(self, seconds: float = 60) -> None:
        """All nodes can store and read; those that have ended are started again, as a supervisor would."""
        for node in self.nodes:

            def look() -> bool:
                if not node.runs:
                    node.start(ready=False)
                return node.is_ready()

            until(f"node {node.number} is ready", look, seconds)

    def sealed(self, seconds: float = 60) -> None:
        """Waits until no event waits for sealing: the work in the background goes on."""
        until("the tail is sealed", lambda: self.nodes[0].metric("trailbook_tail_events") == 0, seconds)

    def segments(self) -> int:
        """Segments of all levels."""
        numbers = re.findall(r"^trailbook_segments\{[^}]*\} (\d+)", self.nodes[0].get("/metrics").text, re.MULTILINE)
        return sum(map(int, numbers))

    def dump(self, history: History, organizations: list[str]) -> None:
        """Adds to the history what each node shows of each ledger."""
        for node, organization in itertools.product(self.nodes, organizations):
            events = [
                Stored(Place(event["id"], event["sequence"]), (event["metadata"] or {}).get("mark"), event["received_at"])
                for event in node.stored(organization)
            ]
            history.ledgers.append(Ledger(node.number, organization, tuple(events)))

    def checkpoint(self, node: Node, organization: str) -> Checkpoint:
        """The newest signed tree head as a node shows it, its signature checked with the key that this node names."""
        path, began = f"/v1/organizations/{organization}", time.monotonic()
        note = node.get(f"{path}/checkpoint").body
        ended = time.monotonic()
        origin, size, root = opened(note, node.get(f"{path}/checkpoint-key").json["vkey"])
        return Checkpoint(node.number, began, ended, organization, 200, origin, size, root)

    def prove(self, history: History, organizations: list[str]) -> None:
        """All nodes have the whole ledger signed, and every checkpoint that anybody saw is a prefix of it."""
        for organization in organizations:
            path = f"/v1/organizations/{organization}"
            keys = {node.get(f"{path}/checkpoint-key").json["vkey"] for node in self.nodes}
            assert len(keys) == 1, f"one ledger, one key: {keys}"
            size = len(next(one for one in history.ledgers if one.organization == organization).events)
            for node in self.nodes:

                def whole() -> bool:
                    history.checkpoints.append(self.checkpoint(node, organization))
                    return history.checkpoints[-1].size >= size

                until(f"node {node.number} has all of {organization} signed", whole)
            seen = {(one.size, one.root) for one in history.checkpoints if one.organization == organization}
            asked = itertools.cycle(self.nodes)
            for older, newer in itertools.pairwise(sorted(seen)):
                proof = next(asked).get(f"{path}/consistency?from={older[0]}&to={newer[0]}").json["hashes"]
                hashes = [base64.b64decode(one) for one in proof]
                assert consistent(older, newer, hashes), f"{organization}: {newer[0]} does not continue {older[0]}"
            for node in self.nodes:
                self.verified(node, organization, keys.copy().pop())

    def verified(self, node: Node, organization: str, key: str) -> None:
        """`trailbook verify` finds nothing: in the whole tree, and in some of its events."""
        node.command("verify", node.url, "--organization", organization, "--key", key, "--events", EVENTS_VERIFIED, "--api-key", ROOT_KEY)

    def fsck(self) -> None:
        """With all nodes stopped, everything is computed anew from what is stored."""
        self.stop()
        node = self.nodes[0]
        command = [node.binary, "fsck", "--deep", "--data", node.data]
        done = subprocess.run(command, env=node.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"fsck: {done.returncode}\n{done.stdout}\n{done.stderr}"

    def proven(self, history: History, organizations: list[str]) -> None:
        """The end of every story: the history could be one log's, all nodes agree, all is signed and whole, no secret was logged."""
        self.until_ready()
        print(history.summary())
        # As eager as the nodes are, a story whose events are all in the tail has shown half of what it is to show.
        until("some of it is sealed", self.segments)
        self.dump(history, organizations)
        self.prove(history, organizations)
        faults = check(history)
        assert not faults, "\n".join(faults)
        self.fsck()
        for node in self.nodes:
            said = node.said()
            leaked = [secret for secret in (PASSWORD, SECRET_KEY, *KEYS.values(), ROOT_KEY) if secret in said]
            assert not leaked, f"node {node.number} logs secrets"
            assert "panicked at" not in said, f"node {node.number} panicked: {said[said.index('panicked at') - 200:][:2000]}"

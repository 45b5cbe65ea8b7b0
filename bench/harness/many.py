"""What `bench/cluster` measures of many nodes, part by part."""

import json
import statistics
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from . import machine, nodes
from .outcome import quantile_ms

NODES = 3
ALL = "from=0001-01-01T00:00:00Z"
EVENT = {"organization": "acme", "action": "report.exported", "actor": {"id": "u_1", "name": "Ann"}}
#: What, the goal, what was seen.
Row = tuple[str, str, str]


class Measurement:
    """The parts, each of which answers rows of the table: what, goal, seen."""

    def __init__(self, options: Namespace, binary: Path, client: Path, scratch: Path, backends: nodes.Backends):
        self.options, self.binary, self.client, self.scratch, self.backends = options, binary, client, scratch, backends

    def ingest(self) -> list[Row]:
        """The same load on one node with SQLite, on one with PostgreSQL and S3, and spread over three."""
        rates: dict[str, list[float]] = {"sqlite": [], "one": [], "three": []}
        for turn in range(self.options.repeat):
            with nodes.running(self.binary, [(self.scratch / "sqlite", nodes.NOTHING_IS_SEALED)]) as alone:
                rates["sqlite"].append(self.rate(alone, turn))
            for name, count in (("one", 1), ("three", NODES)):
                with self.backends.nodes(count, nodes.NOTHING_IS_SEALED) as many:
                    rates[name].append(self.rate(many, turn))
        seen = {name: statistics.median(of) for name, of in rates.items()}
        spread = {name: f"{seen[name]:,.0f} ({min(of):,.0f} to {max(of):,.0f})" for name, of in rates.items()}
        one = f"{spread['one']}; {seen['one'] / seen['sqlite']:.0%} of SQLite"
        three = f"{spread['three']}; {seen['three'] / seen['one']:.0%} of one node, {seen['three'] / seen['sqlite']:.0%} of SQLite"
        return [
            ("acknowledged events/s, one node, SQLite", "", spread["sqlite"]),
            ("acknowledged events/s, one node, PostgreSQL and S3", "", one),
            ("acknowledged events/s, three nodes, one PostgreSQL", "≥ 60 % of one node", three),
        ]

    def rate(self, many: list[nodes.Node], turn: int) -> float:
        """Events a second that all nodes together acknowledge: 500 a request over 2 connections each; the slowest counts."""
        each = self.options.events // len(many)
        working = [
            nodes.load(self.client, node, "ingest", each, 1 + turn * NODES + number, "--connections", "2")
            for number, node in enumerate(many)
        ]
        outcomes = [nodes.told(process) for process in working]
        return sum(outcome["events"] for outcome in outcomes) / max(outcome["seconds"] for outcome in outcomes)

    def read(self) -> list[Row]:
        """An event is stored through one node and looked up on another as soon as it is acknowledged, idle and under load."""
        rows = []
        with self.backends.nodes(NODES, {}) as many:
            rows.append(("read on another node after a write, idle, p50 / p99 ms", "p99 ≤ 50", self.after_writes(many)))
            # It outlasts the reads, and is ended then.
            busy = nodes.load(self.client, many[2], "stream", 50_000_000, 9, "--connections", "2", "--rate", str(self.options.rate))
            try:
                what = f"the same while {self.options.rate:,} events/s come in on the third"
                rows.append((what, "p99 ≤ 50", self.after_writes(many[:2])))
                if busy.poll() is not None:
                    nodes.told(busy)
            finally:
                busy.terminate()
                busy.communicate()
        return rows

    def after_writes(self, many: list[nodes.Node]) -> str:
        durations = []
        for number in range(self.options.reads):
            here, there = many[number % len(many)], many[(number + 1) % len(many)]
            (stored,) = json.loads(here.ask("POST", "/v1/events", EVENT))["events"]
            began = time.perf_counter()
            there.ask("GET", f"/v1/organizations/acme/events/{stored['id']}")
            durations.append(time.perf_counter() - began)
        return f"{quantile_ms(durations, 0.5):.1f} / {quantile_ms(durations, 0.99):.1f}"

    def takeover(self) -> list[Row]:
        """The node that has all leases, because it was there alone, is killed; how long until another one seals."""
        seconds = []
        eager = {"TRAILBOOK_SEAL_EVENTS": "1000", "TRAILBOOK_SEAL_AGE_MS": "1000"}
        for _ in range(self.options.repeat):
            with (
                self.backends.nodes(1, eager) as (owner,),
                nodes.running(self.binary, [(self.scratch / "other", owner.settings)]) as (other,),
            ):
                for _ in range(3):
                    owner.ask("POST", "/v1/events", EVENT)
                    self.until(lambda: other.metric("trailbook_tail_events") == 0)
                owner.ask("POST", "/v1/events", EVENT)
                owner.kill()
                began = time.perf_counter()
                other.ask("POST", "/v1/events", EVENT)
                self.until(lambda: other.metric("trailbook_tail_events") == 0)
                seconds.append(time.perf_counter() - began)
        seen = f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        return [("a killed node's work goes on at another after, s", "≤ 30", seen)]

    def until(self, look: Callable[[], bool], seconds: float = 120) -> None:
        ends = time.perf_counter() + seconds
        while not look():
            if time.perf_counter() > ends:
                raise RuntimeError("what was waited for did not come")
            time.sleep(0.02)

    def cold(self) -> list[Row]:
        """A node with an empty cache, objects and database out of the page cache: its first questions to a sealed history."""
        events = self.options.cold_events
        with self.backends.nodes(1, {}) as (node,):
            nodes.told(nodes.load(self.client, node, "stream", events, 1, "--connections", "2"))
            node.stop()
            # What is left of the tail is sealed at once.
            node.settings["TRAILBOOK_SEAL_AGE_MS"] = "1000"
            node.start()
            self.until(lambda: node.metric("trailbook_tail_events") == 0, 3_600)
            organization = max(node.get("/v1/organizations")["organizations"], key=lambda one: one["size"])["name"]
            path = f"/v1/organizations/{organization}/events"
            questions = {
                "newest 50": f"{path}?{ALL}&limit=50",
                "a word, newest 50": f"{path}?{ALL}&limit=50&q=exported",
                "count of one action": f"{path}/count?{ALL}&action=report.*",
                "facets of all": f"{path}/facets?{ALL}&field=actor&field=action",
            }
            rows = []
            for name, question in questions.items():
                ready, asked = [], []
                for _ in range(self.options.repeat):
                    node.stop()
                    node.forget_everything()
                    nodes.forget_files(self.scratch)
                    node.start()
                    ready.append(node.ready_seconds)
                    began = time.perf_counter()
                    node.get(question)
                    asked.append(time.perf_counter() - began)
                what = f"cold node, {events:,} events: first question ({name}), s (most); ready after"
                rows.append((what, "≤ 2", f"{statistics.median(asked):.2f} ({max(asked):.2f}); {statistics.median(ready):.2f}"))
        return rows


def written(options: Namespace, rows: list[Row]) -> str:
    """The section of the results."""
    about = (
        f"{options.events:,} events an ingest, {options.reads:,} reads, median of {options.repeat} turns (least to most); "
        "PostgreSQL, S3, nodes and clients on the same cores."
    )
    table = ["| what | goal | seen |", "| --- | --- | --- |", *(f"| {what} | {goal} | {seen} |" for what, goal, seen in rows)]
    return "\n".join(["# Many nodes (`bench/cluster`)", "", machine.description(), "", about, "", *table]) + "\n"

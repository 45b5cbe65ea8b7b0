"""The goals for history, each held against what was measured. Ingest of bursts and single events is run once beside them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from .comparison import TRAILBOOK, Measured
from .questions import LARGEST

STREAM_ROWS = 50_000
"""Exports and evidence of fewer events have no rate."""


@dataclass
class Goal:
    """One line: what, what was wanted in words, and figures with their bounds."""

    what: str
    wanted: str
    measured: str
    met: bool | None
    """None when this run does not measure it."""


def written(measured: Measured) -> list[str]:
    """The table of goals, as lines of Markdown."""
    own = measured.systems.get(TRAILBOOK, {})
    if "warm" not in own:
        return []
    lines = ["| goal | wanted | measured | met |", "| --- | --- | --- | --- |"]
    words = {True: "yes", False: "**no**", None: "not measured here"}
    goals = [*_ingest(measured, own), *_questions(own), *_rest(measured, own)]
    return [*lines, *(f"| {goal.what} | {goal.wanted} | {goal.measured} | {words[goal.met]} |" for goal in goals), ""]


def bytes_per_event(told: dict[str, Any], events: int) -> float:
    """All that a system keeps on disk; parts that are not counted say so in their name."""
    return sum(size for part, size in told["disk"].items() if "not counted" not in part) / events


def _at_least(what: str, wanted: float, value: float, form: str = ",.0f") -> Goal:
    return Goal(what, f"≥ {wanted:{',.0f' if wanted >= 100 else 'g'}}", f"{value:{form}}", value >= wanted)


def _at_most(what: str, wanted: float, value: float, form: str = ",.1f") -> Goal:
    return Goal(what, f"≤ {wanted:{',.0f' if wanted >= 100 else 'g'}}", f"{value:{form}}", value <= wanted)


def _meaning(long: bool, goal: Goal) -> Goal:
    """A rate over a few rows says nothing but how long it takes to begin."""
    return goal if long else replace(goal, measured="–", met=None)


def _ingest(measured: Measured, own: dict[str, Any]) -> Iterable[Goal]:
    sustained = own["load"]["events_per_second"]
    yield _at_least("burst, events/s", 200_000, measured.ingest["burst"])
    for peer, burst, longer in (("clickhouse", 5, 2), ("postgres", 9, 3.6)):
        rate = measured.systems.get(peer, {}).get("load", {}).get("commit_events_per_second")
        if rate:
            yield _at_least(f"burst, × {peer} in 1,000-row commits", burst, measured.ingest["burst"] / rate, ".1f")
            yield _at_least(f"sustained, × {peer} in 1,000-row commits", longer, sustained / rate, ".1f")
    yield _at_least("sustained, events/s", 80_000, sustained)
    yield _at_least("single events on 64 connections, events/s", 25_000, measured.ingest["single"])
    yield _at_most("acknowledgement p99 under sustained load, ms", 25, own["load"]["acknowledgement_ms"]["p99"])


def _largest(by_kind: dict[str, Any], kinds: Iterable[str]) -> list[Any]:
    """What was measured of these kinds for the largest organization."""
    return [by_kind[f"{kind} {LARGEST}"] for kind in kinds if f"{kind} {LARGEST}" in by_kind]


def _pair(own: dict[str, Any], what: str, kinds: Iterable[str], middle: float, high: float) -> Goal:
    """The worst of these kinds, for the largest organization."""
    warm = _largest(own["warm"], kinds)
    p50, p95 = max(one["p50"] for one in warm), max(one["p95"] for one in warm)
    return Goal(what, f"≤ {middle:g} / {high:g}", f"{p50:.2f} / {p95:.2f}", p50 <= middle and p95 <= high)


def _questions(own: dict[str, Any]) -> Iterable[Goal]:
    lookups = ("newest", "actor", "security", "deep", "record", "trace", "metadata")
    yield _pair(own, "listings, cursor, lookups: the slowest kind, p50 / p95 ms", lookups, 1.5, 5)
    yield _pair(own, "word search, newest 50, p50 / p95 ms", ["words"], 2, 10)
    for what, kinds, bound in (
        ("exact counts, p50 ms", ("words_count", "actor_count"), 3),
        ("facets over 30 days, p50 ms", ("facets",), 7),
        ("histogram over 90 days, p50 ms", ("histogram",), 1),
    ):
        yield _at_most(what, bound, max(one["p50"] for one in _largest(own["warm"], kinds)), ".2f")
    cold = [median(turns) for turns in _largest(own["cold"], ("newest", "deep", "actor", "security"))]
    if cold:
        yield _at_most("cold listing: the slowest kind, p50 ms", 15, max(cold))


def _rest(measured: Measured, own: dict[str, Any]) -> Iterable[Goal]:
    extras, load = own["extras"], own["load"]
    long = own["export"]["rows"] >= STREAM_ROWS
    yield _meaning(long, _at_least("CSV export, rows/s", 400_000, own["export"]["rows_per_second"]))
    yield _at_most("bytes on disk an event", 205, bytes_per_event(own, measured.events))
    yield _at_most("inclusion proof p95, ms", 5, extras["proof_ms"]["p95"], ".2f")
    verified = extras["verify"]["per_cpu_second"]
    yield _meaning(long, _at_least("offline verification, events per CPU second", 300_000, verified))
    yield _at_most("memory idle, MB", 300, own["idle_bytes"] / 1e6, ",.0f")
    yield _at_most("memory under sustained ingest, MB", 1_000, max(load["peak_bytes"], load["rest_peak_bytes"]) / 1e6, ",.0f")
    yield _at_most("ready after kill -9 with the tail of a load, s", 5, load["ready_after_kill_seconds"], ".2f")
    yield Goal("ready with 10,000 segments, s", "≤ 5", "–", None)

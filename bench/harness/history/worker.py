"""One phase of one system, in a process of its own: `python -m harness.history.worker PHASE SETTINGS` prints one JSON line.

Every phase opens the system anew, so what it kept in memory before does not count.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable

from .. import machine
from ..outcome import quantile_ms
from . import questions
from .clickhouse import ClickHouse
from .duckdb import DuckDb
from .postgresql import PostgreSql
from .questions import KINDS, LARGEST, Question
from .system import System, peak_memory
from .trailbook import Trailbook

KIND_SECONDS = 60
"""No kind of question is asked for longer than this; at least once it is."""


def make(settings: dict[str, Any]) -> System:
    """The system that the settings name."""
    client, directory, stream = Path(settings["client"]), Path(settings["directory"]), settings["stream"]
    peers = {"postgres": PostgreSql, "clickhouse": ClickHouse, "duckdb": DuckDb}
    if settings["system"] == "trailbook":
        return Trailbook(Path(settings["server"]), client, directory, stream)
    return peers[settings["system"]](client, directory, stream)


def load(system: System, settings: dict[str, Any]) -> dict[str, Any]:
    """Takes everything in; then what it takes up."""
    told = system.load(settings["events"])
    disk = system.bytes_on_disk()
    return {"version": system.version(), "load": told, "disk": disk}


def warm(system: System, settings: dict[str, Any]) -> dict[str, Any]:
    """Every question once untimed and then several rounds; then export and what else there is."""
    idle = machine.held_bytes(system.process())
    asked = _chosen(settings)
    kinds = {}
    for key, those in _by_kind(asked).items():
        print(f"    {key}", file=sys.stderr, flush=True)
        kinds[key] = _rounds(system, those, settings["rounds"])
    largest = next(question.organization for question in asked if question.size == LARGEST)
    with peak_memory(system.process()) as peak:
        started = time.perf_counter()
        rows = system.export(largest)
        export = {"rows": rows, "rows_per_second": rows / (time.perf_counter() - started), "peak_bytes": peak()}
    after = machine.held_bytes(system.process())
    return {"idle_bytes": idle, "asked_bytes": after, "warm": kinds, "export": export, "extras": system.extras(largest)}


def cold(system: System, settings: dict[str, Any]) -> dict[str, Any]:
    """One value of every kind, with the system's files dropped from the page cache before each question."""
    turn = settings["turn"]
    kinds = _by_kind(_chosen(settings))
    order = list(kinds)
    # Each turn begins with another kind, so that each is sometimes the first that the system is asked at all.
    begin = turn * len(order) // max(settings["cold"], 1)
    durations = {}
    for key in order[begin:] + order[:begin]:
        prepared = system.prepare(kinds[key][turn % len(kinds[key])])
        machine.forget_files(Path(settings["directory"]))
        started = time.perf_counter()
        prepared.run()
        durations[key] = 1e3 * (time.perf_counter() - started)
    first = next(iter(durations.values()))
    return {"cold": durations, "first": first, "ready_seconds": getattr(system, "ready_seconds", None)}


def _chosen(settings: dict[str, Any]) -> list[Question]:
    return questions.load(Path(settings["questions"]))


def _by_kind(asked: list[Question]) -> dict[str, list[Question]]:
    grouped: dict[str, list[Question]] = {}
    for size in dict.fromkeys(question.size for question in asked):
        for kind in KINDS:
            grouped[f"{kind} {size}"] = [one for one in asked if (one.kind, one.size) == (kind, size)]
    return {key: those for key, those in grouped.items() if those}


def _rounds(system: System, asked: list[Question], rounds: int) -> dict[str, Any]:
    prepared = [system.prepare(question) for question in asked]
    answers = [one.read(one.run()) for one in prepared]
    durations: list[float] = []
    deadline = time.monotonic() + KIND_SECONDS
    for _ in range(rounds):
        for one in prepared:
            started = time.perf_counter()
            one.run()
            durations.append(time.perf_counter() - started)
            if time.monotonic() > deadline:
                break
    quantiles = {f"p{share}": quantile_ms(durations, share / 100) for share in (50, 95)}
    return quantiles | {"samples": len(durations), "answers": answers}


PHASES: dict[str, Callable[[System, dict[str, Any]], dict[str, Any]]] = {"load": load, "warm": warm, "cold": cold}


def main() -> None:
    phase, settings = sys.argv[1], json.loads(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    system = make(settings)
    if phase == "cold":
        machine.forget_files(Path(settings["directory"]))
    system.open()
    try:
        told = PHASES[phase](system, settings)
    finally:
        system.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()

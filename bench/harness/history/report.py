"""The report of one size: loads, bytes, questions, and whether what happened to Trailbook was as agreed (`goals.py`)."""

from statistics import StatisticsError, median
from typing import Any, Callable

from . import goals
from .comparison import TRAILBOOK, Measured
from .questions import DAYS, KINDS, LARGEST, USUAL
from .table import BULK_ROWS, COMMIT_ROWS

MISSING = "–"
SHAPES = {
    "zipf": "1,000 organizations by Zipf, the largest with a tenth",
    "handful": "100,000 organizations with about as many events each",
}


def written(measured: Measured) -> str:
    """The whole report, as Markdown; its first line is its section's heading."""
    parts = [_preamble, _load, _bytes, _questions, _files, goals.written, _metrics]
    return "\n".join(line for part in parts for line in part(measured)) + "\n"


def _succeeded(measured: Measured) -> dict[str, dict[str, Any]]:
    return {name: told for name, told in measured.systems.items() if "fault" not in told}


def _name(told: dict[str, Any]) -> str:
    return told["version"].split(" (Debian")[0]


def _preamble(measured: Measured) -> list[str]:
    asked = f"{len(measured.differences):,} differed" if measured.differences else "all agreed"
    lines = [
        f"# History at {measured.events:,} events{' of 100,000 organizations' if measured.shape == 'handful' else ''}, measured",
        "",
        f"- Machine: {measured.machine}; data on {measured.filesystem}; "
        f"load average at the beginning: {measured.load_average:.1f}.",
        f"- Events: {SHAPES[measured.shape]}, {DAYS} days, arriving nearly in order of time. Everybody has the same ones.",
        "- Trailbook runs with its own settings and seals, indexes and compacts while it takes in; it is asked over HTTP. "
        "PostgreSQL is asked over its protocol on loopback; ClickHouse and DuckDB run inside the process that asks.",
        f"- Questions: 8 values of each kind, {measured.rounds} timed rounds after an untimed one; p50 and p95 in ms.",
        f"- Cold, in brackets: p50 of {measured.cold} restarts. "
        "A system's files are dropped from the page cache before every question; "
        "what it read for questions of other kinds since its start it may still hold.",
        "- Peers have a typed column with `duration_ms`, and read `metadata.plan` from the event; "
        "Trailbook has not been told of either.",
        f"- Answers: {measured.compared:,} were compared with Trailbook's; {asked}.",
    ]
    lines += [f"- Not measured: {name}: {told['fault']}." for name, told in measured.systems.items() if "fault" in told]
    return [*lines, ""]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [*(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows]), ""]


def _load(measured: Measured) -> list[str]:
    head = ["load", f"events/s in {COMMIT_ROWS:,}-row commits", f"events/s in bulk ({BULK_ROWS:,})", "seconds until at rest"]
    head += ["memory: peak MB", "idle MB", "after questions MB"]
    rows = []
    for told in _succeeded(measured).values():
        load = told["load"]
        committed = load.get("commit_events_per_second", load["events_per_second"])
        bulk = f"{load['events_per_second']:,.0f}" if "commit_events_per_second" in load else MISSING
        held = [load["peak_bytes"], told["idle_bytes"], told["asked_bytes"]]
        rows.append([_name(told), f"{committed:,.0f}", bulk, f"{load['rest_seconds']:,.0f}"])
        rows[-1] += [f"{one / 1e6:,.0f}" for one in held]
    lines = _table(head, rows)
    if TRAILBOOK in _succeeded(measured):
        load = measured.systems[TRAILBOOK]["load"]
        acknowledged = load["acknowledgement_ms"]
        lines += [
            "Trailbook: 500 events a request over 2 connections, "
            f"acknowledged p50 {acknowledged['p50']:.1f}, p99 {acknowledged['p99']:.1f}, longest {acknowledged['max']:.0f} ms; "
            f"{load['refused']:,} tries were refused at its limit and sent again. "
            f"CPU seconds: server {load['server_cpu_seconds']:.1f}, client (it makes the events) {load['client_cpu_seconds']:.1f}. "
            f"Memory while it came to rest: at most {load['rest_peak_bytes'] / 1e6:,.0f} MB.",
            "",
        ]
    return lines


def _bytes(measured: Measured) -> list[str]:
    rows = []
    for told in _succeeded(measured).values():
        parts = [f"{part} {size / measured.events:,.1f}" for part, size in sorted(told["disk"].items())]
        rows.append([_name(told), f"{goals.bytes_per_event(told, measured.events):,.1f}", ", ".join(parts)])
    return _table(["bytes on disk an event", "all", "of which"], rows)


def _questions(measured: Measured) -> list[str]:
    systems = _succeeded(measured)
    lines = []
    for size in (LARGEST, USUAL):
        head = [f"{size} organization: p50 / p95 (cold) ms", *map(_name, systems.values())]
        rows = [[KINDS[kind], *(_cell(told, f"{kind} {size}") for told in systems.values())] for kind in KINDS]
        lines += _table(head, rows)
    return lines


def _cell(told: dict[str, Any], key: str) -> str:
    if key not in told["warm"]:
        return MISSING
    warm, cold = told["warm"][key], told["cold"].get(key)
    text = f"{_figure(warm['p50'])} / {_figure(warm['p95'])}"
    return f"{text} ({_figure(median(cold))})" if cold else text


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _files(measured: Measured) -> list[str]:
    systems = _succeeded(measured)
    head = ["files, proofs, starts", *map(_name, systems.values())]
    wanted: dict[str, Callable[[dict[str, Any]], str]] = {
        "CSV of the largest organization, rows/s": lambda told: f"{told['export']['rows_per_second']:,.0f}",
        "its rows": lambda told: f"{told['export']['rows']:,}",
        "memory meanwhile, peak MB": lambda told: f"{told['export']['peak_bytes'] / 1e6:,.0f}",
        "first question after a start, files cold: p50, longest ms": lambda told: _first(told["first"]),
        "inclusion proof p50 / p95 ms": lambda told: " / ".join(map(_figure, told["extras"]["proof_ms"].values())),
        "offline verification, events per CPU second": lambda told: f"{told['extras']['verify']['per_cpu_second']:,.0f}",
        "evidence, bytes an event": lambda told: f"{told['extras']['verify']['bytes'] / told['extras']['verify']['events']:,.0f}",
        "ready after kill -9 at the end of the load, s": lambda told: f"{told['load']['ready_after_kill_seconds']:.2f}",
        "ready at rest, files cold, s": lambda told: f"{median(told['ready_seconds']):.2f}",
    }
    return _table(head, [[what, *(_or_missing(of, told) for told in systems.values())] for what, of in wanted.items()])


def _first(durations: list[float]) -> str:
    return f"{_figure(median(durations))}, {_figure(max(durations))}"


def _or_missing(of: Callable[[dict[str, Any]], str], told: dict[str, Any]) -> str:
    """Peers have no proofs."""
    try:
        return of(told)
    except (KeyError, TypeError, StatisticsError):
        return MISSING


def _metrics(measured: Measured) -> list[str]:
    load = measured.systems.get(TRAILBOOK, {}).get("load")
    if not load:
        return []
    after, rest = load["metrics_after_load"], load["metrics_at_rest"]
    rows = [[f"`{name}`", _count(after.get(name)), _count(value)] for name, value in rest.items() if value or after.get(name)]
    return _table(["what the server tells", "when the load ended", "at rest"], rows) if rows else []


def _count(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"

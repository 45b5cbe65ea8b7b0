"""The table: medians and ranges, ratios, goals, and where the time went."""

from statistics import median
from typing import Callable

from . import comparison
from .comparison import BURST, CLICKHOUSE_1000, CLICKHOUSE_500, POSTGRESQL_2, POSTGRESQL_4, SINGLE, Measured
from .outcome import Outcome


def written(measured: Measured) -> str:
    """The whole report, as Markdown."""
    return "\n".join([*_preamble(measured), *_table(measured), *_goals(measured), *_stages(measured), *_waits(measured)]) + "\n"


def _preamble(measured: Measured) -> list[str]:
    sizes = measured.sizes
    versions = ", ".join(f"{name} {version}" for name, version in measured.versions.items())
    return [
        "# Ingest, measured",
        "",
        f"- Machine: {measured.machine}; data on {measured.filesystem}; "
        f"load average when each turn began: {', '.join(f'{load:.1f}' for load in measured.loads)}.",
        f"- Peers: {versions}.",
        f"- {measured.repeat} turn{'s' if measured.repeat > 1 else ''} of everything on this machine, client included; "
        "medians, with the lowest and highest in brackets.",
        f"- Events: {sizes.burst:,} in the burst, {sizes.client_ids:,} with client ids, {sizes.single:,} single, "
        f"{sizes.peers:,} for each peer (fewer, so that the whole takes minutes). Peers receive the first events of the same stream.",
        "- Trailbook's tail was allowed to hold the whole burst: `tail_events_max` and `tail_bytes_max` were raised. "
        "The burst repeats 100,000 different events; client ids are always new.",
        "- Everything is durable when it is acknowledged: Trailbook syncs each commit, PostgreSQL has `fsync` and "
        "`synchronous_commit` on, ClickHouse has `fsync_after_insert` and `fsync_part_directory` on.",
        "- CPU is that of the system itself; for the embedded ClickHouse that of its process, the client's part included.",
        "",
    ]


def _values(measured: Measured, name: str, of: Callable[[Outcome], float]) -> list[float]:
    return [of(outcome) for outcome in measured.runs[name]]


def _median(measured: Measured, name: str, of: Callable[[Outcome], float]) -> float:
    return median(_values(measured, name, of))


def _rate(measured: Measured, *names: str) -> float:
    """The highest median among these: a peer is taken at its best."""
    return max(_median(measured, name, lambda outcome: outcome.events_per_second) for name in names)


def _ranged(values: list[float], form: str) -> str:
    middle = format(median(values), form)
    return middle if len(values) == 1 else f"{middle} [{format(min(values), form)}–{format(max(values), form)}]"


def _table(measured: Measured) -> list[str]:
    against_postgresql = _rate(measured, POSTGRESQL_4, POSTGRESQL_2)
    against_clickhouse = _rate(measured, CLICKHOUSE_500, CLICKHOUSE_1000)
    lines = [
        "| way | events/s | acknowledged p50 ms | p99 ms | CPU s per million | client's CPU s per million | × PostgreSQL | × ClickHouse |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, outcomes in measured.runs.items():
        rate = _rate(measured, name)
        clients = [outcome.client_cpu_seconds for outcome in outcomes]
        cells = [
            name,
            _ranged(_values(measured, name, lambda outcome: outcome.events_per_second), ",.0f"),
            _ranged([outcome.p50_ms for outcome in outcomes], ".2f"),
            _ranged([outcome.p99_ms for outcome in outcomes], ".2f"),
            _ranged([outcome.engine_cpu_seconds_per_million for outcome in outcomes], ".1f"),
            "–" if None in clients else format(median(used / one.events * 1e6 for used, one in zip(clients, outcomes)), ".1f"),
            format(rate / against_postgresql, ".2f"),
            format(rate / against_clickhouse, ".2f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", "Ratios are to the better of the two ways of each peer.", ""]


def _goals(measured: Measured) -> list[str]:
    burst, memory = _rate(measured, BURST), median(measured.anonymous_bytes) / 1e6
    ratio = burst / _rate(measured, POSTGRESQL_4, POSTGRESQL_2)
    single = _rate(measured, SINGLE)
    p99 = _median(measured, BURST, lambda outcome: outcome.p99_ms)
    goals = [
        ("burst, events/s", "≥ 200,000", f"{burst:,.0f}", burst >= 200_000),
        ("burst against PostgreSQL", "≥ 9 ×", f"{ratio:.1f} ×", ratio >= 9),
        ("single events on 64 connections, events/s", "≥ 25,000", f"{single:,.0f}", single >= 25_000),
        ("acknowledgement p99 in the burst, ms", "≤ 25", f"{p99:.1f}", p99 <= 25),
        (f"anonymous memory with {measured.sizes.memory:,} unsealed events, MB", "≤ 300", f"{memory:.0f}", memory <= 300),
    ]
    lines = ["| goal | wanted | measured | met |", "| --- | --- | --- | --- |"]
    return [*lines, *(f"| {what} | {wanted} | {got} | {'yes' if met else '**no**'} |" for what, wanted, got, met in goals), ""]


def _own_runs(measured: Measured) -> dict[str, list[Outcome]]:
    return {name: measured.runs[name] for name in (BURST, comparison.CLIENT_IDS, SINGLE)}


def _stages(measured: Measured) -> list[str]:
    """Seconds of each stage per million events; stages run on several threads, so they may add up to more than the wall time."""
    runs = _own_runs(measured)
    names = list(dict.fromkeys(stage for outcomes in runs.values() for one in outcomes for stage in one.details["stage_seconds"]))
    if not names:
        return ["The server's `/metrics` has no stage times.", ""]
    lines = [
        "Where the time went, in seconds per million events, waiting included:",
        "",
        f"| way | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    for name, outcomes in runs.items():
        cells = [
            format(median(one.details["stage_seconds"].get(stage, 0.0) / one.events * 1e6 for one in outcomes), ".2f")
            for stage in names
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _waits(measured: Measured) -> list[str]:
    """The database's checkpoints beside its commits, of the last turn."""
    lines = [
        "SQLite's commits beside the checkpoints of its write-ahead log, last turn (quantiles are upper bounds of buckets):",
        "",
        "| way | what | times | mean ms | p50 ms ≤ | p99 ms ≤ | longest ms ≤ |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, outcomes in _own_runs(measured).items():
        for what, told in outcomes[-1].details["histograms"].items():
            mean = 1e3 * told["sum_seconds"] / told["count"] if told["count"] else None
            cells = [f"{told['count']:,.0f}", _milliseconds(mean)]
            cells += [_milliseconds(told[f"{quantile}_ms_at_most"]) for quantile in ("p50", "p99", "max")]
            lines.append(f"| {name} | {what.removesuffix('_seconds').replace('_', ' ')} | {' | '.join(cells)} |")
    return [*lines, ""]


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"

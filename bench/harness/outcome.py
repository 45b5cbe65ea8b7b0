"""What one run of one system measured."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    """All systems are measured by the same words, so that a table can put them side by side."""

    events: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    engine_cpu_seconds: float
    """CPU of the system itself; for an embedded one, of the process that holds it."""
    client_cpu_seconds: float | None
    """CPU of what sends; None where it cannot be told from the engine's."""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def engine_cpu_seconds_per_million(self) -> float:
        return self.engine_cpu_seconds / self.events * 1e6


def quantile_ms(seconds: list[float], share: float) -> float:
    """The smallest measured duration that at least this share does not exceed, in milliseconds."""
    ordered = sorted(seconds)
    return 1e3 * ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def from_durations(events: int, seconds: float, durations: list[float], engine: float, client: float | None) -> Outcome:
    """An outcome from the duration of every acknowledgement."""
    return Outcome(
        events=events,
        seconds=seconds,
        p50_ms=quantile_ms(durations, 0.50),
        p99_ms=quantile_ms(durations, 0.99),
        max_ms=1e3 * max(durations),
        engine_cpu_seconds=engine,
        client_cpu_seconds=client,
    )

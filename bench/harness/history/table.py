"""What the three peers have in common: a table of rows that are made by the load client, and SQL.

Not here: how each of them runs, stores and words its SQL.
"""

import itertools
import subprocess
import time
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator

from .questions import DAY_MS, FACETS, FACET_VALUES, PAGE, Filter, Question
from .system import Prepared, System, peak_memory

COMMIT_ROWS = 1_000
BULK_ROWS = 100_000
COMMITTED_EVENTS = 100_000
"""So many events are first stored in commits of `COMMIT_ROWS`, as a running product would; the rest in bulk."""

EXPORTED = "occurred_at, action, action_type, area, description, security, result, actor_id, actor_name, actor_email, ip, trace_id"


class Table(System):
    """A system with a table `events` that answers SQL."""

    connections = 1
    """How many commits it takes in side by side."""

    def __init__(self, client: Path, directory: Path, stream: list[str]):
        self._client, self._directory, self._stream = client, directory, stream

    @abstractmethod
    def create(self) -> None:
        """Makes the table with its indexes."""

    @abstractmethod
    def store(self, path: Path) -> None:
        """Stores the rows of a CSV file durably, in one commit."""

    @abstractmethod
    def come_to_rest(self) -> None:
        """Sorts, merges, analyses: whatever a patient operator lets happen after a load."""

    @abstractmethod
    def fetch(self, sql: str) -> Any:
        """Sends a statement and receives the whole answer, in the form in which its client hands it over."""

    @abstractmethod
    def rows_of(self, answer: Any) -> list[tuple]:
        """The rows of an answer."""

    @abstractmethod
    def moment(self, millis: int) -> str:
        """A time as SQL."""

    def identity(self, value: Any) -> str:
        """An id as SQL."""
        return f"'{value}'::uuid"

    @abstractmethod
    def has_words(self, words: tuple[str, ...]) -> str:
        """A condition: all these words occur."""

    @abstractmethod
    def has_plan(self, plan: str) -> str:
        """A condition: the event's `metadata.plan` is this."""

    @abstractmethod
    def percentile_95(self, column: str) -> str:
        """The 95th percentile as an aggregate."""

    def rows(self, sql: str) -> list[tuple]:
        """The rows that a statement gives."""
        return self.rows_of(self.fetch(sql))

    def load(self, events: int) -> dict[str, Any]:
        self.create()
        committed = min(COMMITTED_EVENTS, events // 2)
        with peak_memory(self.process()) as peak:
            lines = self._lines(events)
            commits = self._timed(lines, committed, COMMIT_ROWS)
            bulk = self._timed(lines, events - committed, BULK_ROWS)
            started = time.perf_counter()
            self.come_to_rest()
            rest = time.perf_counter() - started
        [(stored,)] = self.rows("select count(*) from events")
        if stored != events:
            raise RuntimeError(f"{events} events were sent, but the table holds {stored}")
        return {
            "commit_events_per_second": committed / commits,
            "events_per_second": (events - committed) / bulk,
            "rest_seconds": rest,
            "peak_bytes": peak(),
        }

    def _lines(self, events: int) -> Iterator[bytes]:
        command = [self._client, "rows", "--events", str(events), *self._stream]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield from process.stdout
        if process.returncode != 0:
            raise RuntimeError(f"the generator ended with {process.returncode}")

    def _timed(self, lines: Iterator[bytes], events: int, rows: int) -> float:
        """Stores so many events; the files are made before the clock starts, as many at a time as one bulk has rows."""
        seconds = 0.0
        while events > 0:
            paths = []
            for number in range(min(events, BULK_ROWS) // rows or 1):
                paths.append(self._directory / f"rows-{number}.csv")
                with paths[-1].open("wb") as file:
                    file.writelines(itertools.islice(lines, min(rows, events)))
                events -= rows
            started = time.perf_counter()
            if self.connections == 1:
                for path in paths:
                    self.store(path)
            else:
                with ThreadPoolExecutor(self.connections) as pool:
                    list(pool.map(self.store, paths))
            seconds += time.perf_counter() - started
            for path in paths:
                path.unlink()
        return seconds

    def prepare(self, question: Question) -> Prepared:
        return getattr(self, f"_prepare_{question.kind}", self._prepare_page)(question)

    def _where(self, question: Question) -> str:
        wanted: Filter = question.filter
        terms = [f"organization = '{question.organization}'"]
        terms += [f"occurred_at >= {self.moment(wanted.from_ms)}", f"occurred_at < {self.moment(wanted.to_ms)}"]
        if wanted.actor:
            terms.append(f"actor_id = '{wanted.actor}'")
        if wanted.security:
            terms.append("security")
        if wanted.actions:
            terms.append(f"action in ({', '.join(repr(action) for action in wanted.actions)})")
        if wanted.words:
            terms.append(self.has_words(wanted.words))
        if wanted.plan:
            terms.append(self.has_plan(wanted.plan))
        return " and ".join(terms)

    def _asking(self, sql: str, read) -> Prepared:
        return Prepared(lambda: self.fetch(sql), lambda answer: read(self.rows_of(answer)))

    def _prepare_page(self, question: Question, further: str = "") -> Prepared:
        sql = f"select id, occurred_at, event from events where {self._where(question)}{further} {NEWEST} limit {PAGE}"
        return self._asking(sql, lambda rows: [millis(row[1]) for row in rows])

    def _prepare_deep(self, question: Question) -> Prepared:
        place = f"limit 1 offset {max(question.depth - 1, 0)}"
        found = self.rows(f"select id, occurred_at from events where {self._where(question)} {NEWEST} {place}")
        [(identity, occurred_at)] = found
        moment = self.moment(millis(occurred_at))
        return self._prepare_page(
            question, f" and occurred_at <= {moment} and (occurred_at, id) < ({moment}, {self.identity(identity)})"
        )

    def _prepare_words_count(self, question: Question) -> Prepared:
        return self._asking(f"select count(*) from events where {self._where(question)}", lambda rows: rows[0][0])

    _prepare_actor_count = _prepare_words_count

    def _prepare_facets(self, question: Question) -> Prepared:
        columns = list(FACETS.values())
        sets = ", ".join(f"({column})" for column in columns)
        sql = f"select {', '.join(columns)}, count(*) from events where {self._where(question)} group by grouping sets ({sets})"
        return self._asking(sql, _facets)

    def _prepare_histogram(self, question: Question) -> Prepared:
        sql = "select date_trunc('day', occurred_at) as day, count(*), count(*) filter (where security)"
        sql += f" from events where {self._where(question)} group by day order by day"
        return self._asking(sql, lambda rows: [[millis(day) // DAY_MS, count, secured] for day, count, secured in rows])

    def _prepare_aggregate(self, question: Question) -> Prepared:
        sql = f"select area, count(*), {self.percentile_95('duration_ms')} from events where {self._where(question)} group by area"
        return self._asking(sql, lambda rows: {area: [count, None if p95 is None else float(p95)] for area, count, p95 in rows})

    def _prepare_record(self, question: Question) -> Prepared:
        [(identity,)] = self.rows(f"select id from events where {self._where(question)} {NEWEST} limit 1")
        own = f"organization = '{question.organization}' and id = {self.identity(identity)}"
        return self._asking(f"select occurred_at, event from events where {own}", lambda rows: millis(rows[0][0]))

    def _prepare_trace(self, question: Question) -> Prepared:
        traced = f"{self._where(question)} and trace_id is not null"
        [(trace,)] = self.rows(f"select trace_id from events where {traced} {NEWEST} limit 1")
        own = f"organization = '{question.organization}' and trace_id = '{trace}'"
        sql = f"select occurred_at, event from events where {own} order by occurred_at"
        return self._asking(sql, lambda rows: [millis(row[0]) for row in rows])


NEWEST = "order by occurred_at desc, id desc"


def _facets(rows: list[tuple]) -> dict[str, list[int]]:
    """The counts of the most frequent values; values themselves may differ where counts are equal."""
    found: dict[str, list[int]] = {field: [] for field in FACETS}
    for *values, count in rows:
        place = next((place for place, value in enumerate(values) if value not in (None, "")), None)
        if place is not None:
            found[list(FACETS)[place]].append(count)
    return {field: sorted(counts, reverse=True)[:FACET_VALUES] for field, counts in found.items()}


def millis(value: Any) -> int:
    """A time as a system's client hands it over: a datetime or a text, in UTC when it says nothing."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)

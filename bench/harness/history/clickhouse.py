"""ClickHouse inside this process (chdb): a MergeTree ordered by organization and time, with a text index."""

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .system import bytes_below
from .table import EXPORTED, Table

TABLE = """
create table events (
    id UUID,
    organization LowCardinality(String),
    occurred_at DateTime64(3, 'UTC') codec(Delta, ZSTD(1)),
    action LowCardinality(String),
    action_type LowCardinality(String),
    area LowCardinality(String),
    product LowCardinality(Nullable(String)),
    security Bool,
    result LowCardinality(String),
    actor_type LowCardinality(String),
    actor_id String codec(ZSTD(1)),
    actor_name String codec(ZSTD(1)),
    actor_email Nullable(String) codec(ZSTD(1)),
    actor_team LowCardinality(Nullable(String)),
    target_type LowCardinality(String),
    target_id String codec(ZSTD(1)),
    target_name String codec(ZSTD(1)),
    ip String codec(ZSTD(1)),
    trace_id Nullable(String) codec(ZSTD(1)),
    duration_ms Nullable(Float64),
    words String codec(ZSTD(3)),
    event String codec(ZSTD(3)),
    index by_id id type bloom_filter granularity 1,
    index by_trace trace_id type bloom_filter granularity 1,
    index by_word words type text(tokenizer = 'splitByNonAlpha')
) engine = MergeTree order by (organization, occurred_at desc, id desc)
settings fsync_after_insert = 1, fsync_part_directory = 1, allow_experimental_reverse_key = 1
"""
SETTINGS = "settings date_time_input_format = 'best_effort', input_format_csv_empty_as_default = 1"
FORMAT = "JSONCompactEachRow"


class ClickHouse(Table):
    """One engine in this process; a process can hold only one."""

    def __init__(self, client: Path, directory: Path, stream: list[str]):
        super().__init__(client, directory, stream)
        self._data = directory / "clickhouse"

    def open(self) -> None:
        from chdb import session

        self._session = session.Session(str(self._data))
        self._session.query("create database if not exists audit")
        self._session.query("use audit")

    def close(self) -> None:
        self._session.close()

    def process(self) -> int:
        return os.getpid()

    def version(self) -> str:
        return f"ClickHouse {self.rows('select version()')[0][0]} (embedded)"

    def create(self) -> None:
        self._session.query(TABLE)

    def store(self, path: Path) -> None:
        self._session.query(f"insert into events select * from file('{path}', 'CSV') {SETTINGS}")

    def come_to_rest(self) -> None:
        self._session.query("optimize table events final")

    def fetch(self, sql: str) -> Any:
        return self._session.query(sql, FORMAT).bytes()

    def rows_of(self, answer: Any) -> list[tuple]:
        return [tuple(json.loads(line)) for line in answer.splitlines()]

    def moment(self, millis: int) -> str:
        text = datetime.fromtimestamp(millis / 1000, timezone.utc).replace(tzinfo=None).isoformat(" ", "milliseconds")
        return f"toDateTime64('{text}', 3, 'UTC')"

    def identity(self, value: Any) -> str:
        return f"toUUID('{value}')"

    def has_words(self, words: tuple[str, ...]) -> str:
        return f"hasAllTokens(words, [{', '.join(repr(word) for word in words)}])"

    def has_plan(self, plan: str) -> str:
        return f"JSONExtractString(event, 'metadata', 'plan') = '{plan}'"

    def percentile_95(self, column: str) -> str:
        # It takes the value at place ⌊level · n⌋ from 0; a hair less makes that the nearest rank of everybody else.
        return f"quantileExact(0.949999999)({column})"

    def export(self, organization: str) -> int:
        wanted = EXPORTED.replace("description", "JSONExtractString(event, 'description')")
        sql = f"select {wanted} from events where organization = '{organization}' order by organization, occurred_at desc"
        return sum(bytes(piece.bytes()).count(b"\n") for piece in self._session.send_query(sql, "CSV"))

    def bytes_on_disk(self) -> dict[str, int]:
        parts = "system.parts where active and database = 'audit' and table = 'events'"
        [(data, indexes)] = self.rows(f"select sum(bytes_on_disk), sum(secondary_indices_compressed_bytes) from {parts}")
        return {"table": int(data) - int(indexes), "indexes": int(indexes)}

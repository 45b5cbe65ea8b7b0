"""PostgreSQL 15: typed columns, the event as jsonb, and an index for every question that one can help."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg

from ..postgresql import Cluster
from .system import bytes_below
from .table import EXPORTED, Table

TABLE = """
create table events (
    id uuid primary key,
    organization text not null,
    occurred_at timestamptz not null,
    action text not null,
    action_type text not null,
    area text not null,
    product text,
    security boolean not null,
    result text not null,
    actor_type text not null,
    actor_id text not null,
    actor_name text not null,
    actor_email text,
    actor_team text,
    target_type text not null,
    target_id text not null,
    target_name text not null,
    ip inet not null,
    trace_id text,
    duration_ms double precision,
    search tsvector not null,
    event jsonb not null
);
create index on events (organization, occurred_at desc, id desc);
create index on events (organization, actor_id, occurred_at desc);
create index on events (organization, action, occurred_at desc);
create index on events (organization, occurred_at desc) where security;
create index on events (trace_id) where trace_id is not null;
create index on events using gin (search);
"""


class PostgreSql(Table):
    """A server of its own, asked over loopback."""

    connections = 2

    def __init__(self, client: Path, directory: Path, stream: list[str]):
        super().__init__(client, directory, stream)
        self._data = directory / "postgresql"
        self._cluster = Cluster(self._data)

    def open(self) -> None:
        if not self._data.exists():
            self._cluster.initialise()
        port = self._cluster.start()
        self._where_is_it = f"host=127.0.0.1 port={port} user=postgres dbname=postgres options='-c timezone=UTC'"
        self._connection = psycopg.connect(self._where_is_it, autocommit=True)

    def close(self) -> None:
        self._connection.close()
        self._cluster.stop()

    def process(self) -> int:
        return self._cluster.postmaster()

    def version(self) -> str:
        return f"PostgreSQL {self.rows('show server_version')[0][0]}"

    def create(self) -> None:
        self._connection.execute(TABLE)

    def store(self, path: Path) -> None:
        with psycopg.connect(self._where_is_it) as connection, connection.cursor() as cursor:
            # Words between spaces are a tsvector's text form, so they need no parsing on the way in.
            with cursor.copy("copy events from stdin (format csv)") as copy, path.open("rb") as file:
                while piece := file.read(1 << 20):
                    copy.write(piece)

    def come_to_rest(self) -> None:
        self._connection.execute("vacuum analyze events")
        self._connection.execute("checkpoint")

    def fetch(self, sql: str) -> Any:
        return self._connection.execute(sql, prepare=False).fetchall()

    def rows_of(self, answer: Any) -> list[tuple]:
        return answer

    def moment(self, millis: int) -> str:
        return f"timestamptz '{datetime.fromtimestamp(millis / 1000, timezone.utc).isoformat()}'"

    def has_words(self, words: tuple[str, ...]) -> str:
        return f"search @@ '{' & '.join(words)}'::tsquery"

    def has_plan(self, plan: str) -> str:
        return f"event #>> '{{metadata,plan}}' = '{plan}'"

    def percentile_95(self, column: str) -> str:
        return f"percentile_disc(0.95) within group (order by {column})"

    def export(self, organization: str) -> int:
        wanted = EXPORTED.replace("description", "event ->> 'description'")
        sql = f"select {wanted} from events where organization = '{organization}' order by occurred_at"
        with self._connection.cursor() as cursor, cursor.copy(f"copy ({sql}) to stdout (format csv)") as copy:
            return sum(bytes(piece).count(b"\n") for piece in copy)

    def bytes_on_disk(self) -> dict[str, int]:
        [(heap, indexes)] = self.rows("select pg_table_size('events'), pg_indexes_size('events')")
        log = bytes_below(self._data / "pg_wal")
        return {"table": heap, "indexes": indexes, "write-ahead log (not counted)": log}

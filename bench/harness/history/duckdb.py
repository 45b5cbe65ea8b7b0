"""DuckDB inside this process: a table sorted by organization and time."""

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .table import EXPORTED, Table

TABLE = """
create table events (
    id uuid,
    organization varchar,
    occurred_at timestamp_ms,
    action varchar,
    action_type varchar,
    area varchar,
    product varchar,
    security boolean,
    result varchar,
    actor_type varchar,
    actor_id varchar,
    actor_name varchar,
    actor_email varchar,
    actor_team varchar,
    target_type varchar,
    target_id varchar,
    target_name varchar,
    ip varchar,
    trace_id varchar,
    duration_ms double,
    words varchar,
    event varchar
)
"""
SORT = "create table sorted as select * from events order by organization, occurred_at desc, id desc"


class DuckDb(Table):
    """One database file. It has no index of words: they are looked for in the text."""

    def __init__(self, client: Path, directory: Path, stream: list[str]):
        super().__init__(client, directory, stream)
        self._data = directory / "duckdb" / "events.db"

    def open(self) -> None:
        import duckdb

        self._data.parent.mkdir(exist_ok=True)
        self._connection = duckdb.connect(str(self._data))
        self._connection.execute("set timezone = 'UTC'")

    def close(self) -> None:
        self._connection.close()

    def process(self) -> int:
        return os.getpid()

    def version(self) -> str:
        return f"DuckDB {self.rows('select version()')[0][0].removeprefix('v')} (embedded)"

    def create(self) -> None:
        self._connection.execute(TABLE)

    def store(self, path: Path) -> None:
        self._connection.execute(f"insert into events select * from read_csv('{path}', header = false, all_varchar = true)")

    def come_to_rest(self) -> None:
        for statement in (SORT, "drop table events", "alter table sorted rename to events", "checkpoint"):
            self._connection.execute(statement)
        self._compact()

    def _compact(self) -> None:
        """The file keeps the room of dropped tables: copying it is the documented way to give that back."""
        copy = self._data.with_suffix(".copy")
        for statement in (f"attach '{copy}' as copy", "copy from database events to copy", "detach copy"):
            self._connection.execute(statement)
        self.close()
        copy.replace(self._data)
        self.open()

    def fetch(self, sql: str) -> Any:
        return self._connection.execute(sql).fetchall()

    def rows_of(self, answer: Any) -> list[tuple]:
        return answer

    def moment(self, millis: int) -> str:
        text = datetime.fromtimestamp(millis / 1000, timezone.utc).replace(tzinfo=None).isoformat(" ", "milliseconds")
        return f"timestamp_ms '{text}'"

    def has_words(self, words: tuple[str, ...]) -> str:
        return " and ".join(f"contains(words, ' {word} ')" for word in words)

    def has_plan(self, plan: str) -> str:
        return f"json_extract_string(event, '$.metadata.plan') = '{plan}'"

    def percentile_95(self, column: str) -> str:
        return f"quantile_disc({column}, 0.95)"

    def export(self, organization: str) -> int:
        wanted = EXPORTED.replace("description", "json_extract_string(event, '$.description')")
        sql = f"select {wanted} from events where organization = '{organization}' order by occurred_at"
        return self._connection.execute(f"copy ({sql}) to '/dev/null' (format csv)").fetchall()[0][0]

    def bytes_on_disk(self) -> dict[str, int]:
        return {"table": self._data.stat().st_size}

"""The second peer: ClickHouse inside a Python process (chdb), each insert synced before it is acknowledged.

`python -m harness.clickhouse` is that process: one a run, because chdb allows one engine in a process. It reads which
events to store from its arguments and prints one JSON line.
"""

import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .outcome import Outcome, from_durations
from .workload import Row, batches, rows

TABLE = """
create table audit.events (
    id UUID,
    organization LowCardinality(String),
    occurred_at DateTime64(3, 'UTC'),
    action LowCardinality(String),
    action_type LowCardinality(String),
    area LowCardinality(String),
    security Bool,
    result LowCardinality(String),
    actor_id String,
    actor_name String,
    actor_email Nullable(String),
    target_type LowCardinality(String),
    target_id String,
    target_name String,
    ip String,
    trace_id Nullable(String),
    words String,
    event String codec(ZSTD(3)),
    index by_id id type bloom_filter granularity 4,
    index by_trace trace_id type bloom_filter granularity 4,
    index by_word words type text(tokenizer = 'splitByNonAlpha')
) engine = MergeTree order by (organization, occurred_at)
settings fsync_after_insert = 1, fsync_part_directory = 1
"""


def ingest(client: Path, scratch: Path, events: int, batch: int, seed: int) -> Outcome:
    """Inserts of `batch` rows by one client; in a process of its own."""
    data = scratch / "clickhouse"
    arguments = [client, data, str(events), str(batch), str(seed)]
    bench = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": str(bench)}
    command = [sys.executable, "-m", "harness.clickhouse", *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the ClickHouse run failed: {done.stderr.strip()[-2000:]}")
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _statement(batch: list[Row]) -> str:
    lines = (json.dumps(row._asdict(), ensure_ascii=False) for row in batch)
    return "insert into audit.events format JSONEachRow\n" + "\n".join(lines)


def _measured(client: Path, data: Path, events: int, batch: int, seed: int) -> Outcome:
    from chdb import session

    engine = session.Session(str(data))
    try:
        engine.query("create database audit")
        engine.query(TABLE)
        statements = [_statement(each) for each in batches(rows(client, events, seed), batch)]
        durations = []
        cpu, started = _cpu_seconds(), time.perf_counter()
        for statement in statements:
            sent = time.perf_counter()
            engine.query(statement)
            durations.append(time.perf_counter() - sent)
        seconds, cpu = time.perf_counter() - started, _cpu_seconds() - cpu
        stored = int(engine.query("select count() from audit.events", "TabSeparated").bytes())
        version = engine.query("select version()", "TabSeparated").bytes().decode().strip()
    finally:
        engine.close()
    if stored != events:
        raise RuntimeError(f"{events} events were sent, but the table holds {stored}")
    outcome = from_durations(stored, seconds, durations, cpu, None)
    outcome.details["version"] = version
    return outcome


if __name__ == "__main__":
    path, directory, *numbers = sys.argv[1:]
    print(json.dumps(dataclasses.asdict(_measured(Path(path), Path(directory), *map(int, numbers)))))

"""How each engine reads a version of the table. All answer the same: of each organization how many events there are, the sum of the numbers in
their metadata, and the sum of their sequences.
"""

import contextlib
import json
from collections import defaultdict
from pathlib import Path

Answer = dict[str, tuple[int, int, int]]


def answer(rows: object) -> Answer:
    """Rows of organization, count and sums; sums of nothing are null."""
    return {organization: (int(count), int(numbers or 0), int(sequences)) for organization, count, numbers, sequences in rows}


def deltalake(table: Path, version: int) -> Answer:
    import deltalake

    columns = ["organization", "sequence", "details"]
    read = deltalake.DeltaTable(table, version=version).to_pyarrow_table(columns=columns)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for organization, sequence, details in zip(*(read[name].to_pylist() for name in columns)):
        metadata = json.loads(details)["metadata"] or {}
        sums[organization][0] += 1
        sums[organization][1] += metadata.get("number", 0)
        sums[organization][2] += sequence
    return {organization: tuple(values) for organization, values in sums.items()}


def files(table: Path, version: int) -> list[str]:
    """The files of a version."""
    import deltalake

    return sorted(deltalake.DeltaTable(table, version=version).file_uris())


def datafusion(table: Path, version: int) -> Answer:
    """The engine within deltalake: it has no functions for JSON, so that the text is cut."""
    import deltalake

    number = "CAST(regexp_replace(details, '^.*\"number\":([0-9]+).*$', '\\1') AS BIGINT)"
    query = f"""SELECT organization, count(*), sum(CASE WHEN details LIKE '%"number":%' THEN {number} END), sum(sequence)
        FROM events GROUP BY organization"""
    builder = deltalake.QueryBuilder().register("events", deltalake.DeltaTable(table, version=version))
    read = builder.execute(query).read_all()
    return answer(zip(*(read.column(place).to_pylist() for place in range(4))))


def duckdb(table: Path, version: int) -> Answer:
    import duckdb

    query = """SELECT organization, count(*), sum((details->>'$.metadata.number')::BIGINT), sum(sequence)
        FROM read_parquet($files) GROUP BY organization"""
    return answer(duckdb.execute(query, {"files": files(table, version)}).fetchall())


def clickhouse(table: Path, version: int) -> Answer:
    import chdb

    query = f"""SELECT organization, count(), sum(JSONExtractInt(details, 'metadata', 'number')), sum(sequence)
        FROM deltaLakeLocal('{table}') GROUP BY organization
        SETTINGS delta_lake_snapshot_version = {version} FORMAT JSONCompact"""
    # It reads files only below the folder where it is.
    with contextlib.chdir(table):
        return answer(json.loads(str(chdb.query(query)))["data"])


def polars(table: Path, version: int) -> Answer:
    import polars

    # Of its own reader `details` comes as bytes.
    scan = polars.scan_delta(str(table), version=version, use_pyarrow=True)
    number = polars.col("details").str.json_path_match("$.metadata.number").cast(polars.Int64).sum()
    grouped = scan.group_by("organization").agg(polars.len(), number.alias("numbers"), polars.col("sequence").sum())
    return answer(grouped.collect().iter_rows())


class Sail:
    """Sail's server, and a session of Spark's client with it."""

    def __init__(self) -> None:
        from pysail.spark import SparkConnectServer
        from pyspark.sql import SparkSession

        self.server = SparkConnectServer("127.0.0.1", 0)
        self.server.start(background=True)
        _, port = self.server.listening_address
        self.session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()

    def __call__(self, table: Path, version: int) -> Answer:
        query = f"""SELECT organization, count(*), sum(CAST(get_json_object(details, '$.metadata.number') AS BIGINT)), sum(sequence)
            FROM delta.`{table}` VERSION AS OF {version} GROUP BY organization"""
        return answer(self.session.sql(query).collect())

    def stop(self) -> None:
        self.session.stop()
        self.server.stop()

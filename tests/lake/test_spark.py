"""Spark on a small cluster of its own reads the files of a pinned version, while the server goes on."""

import json
from collections.abc import Iterator

import deltalake
import pytest
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import StructType

import engines
from harness.waiting import until


@pytest.fixture
def spark() -> Iterator[SparkSession]:
    """A cluster of two workers with a core and a gigabyte each, processes of their own."""
    loopback = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false"}
    session = SparkSession.builder.master("local-cluster[2,1,1024]").config(map=loopback | {"spark.executor.memory": "1g"}).getOrCreate()
    yield session
    session.stop()


def read(spark: SparkSession, table: object, version: int) -> engines.Answer:
    """The files that the version names, with the table's columns: what Spark makes of the files alone it refuses, for the type of `id`."""
    pinned = deltalake.DeltaTable(table, version=version)
    columns = StructType.fromJson(json.loads(pinned.schema().to_json()))
    events = spark.read.schema(columns).parquet(*pinned.file_uris())
    number = functions.get_json_object("details", "$.metadata.number").cast("long")
    grouped = events.groupBy("organization").agg(functions.count("*"), functions.sum(number), functions.sum("sequence"))
    return engines.answer(grouped.collect())


def test_spark_reads_what_deltalake_reads_while_the_server_goes_on(life, spark):
    life.begin(40)
    until("there is something to compact", lambda: life.newest() >= 30, 120)
    version = life.newest()
    expected = engines.deltalake(life.table, version)
    life.limit += 30
    assert read(spark, life.table, version) == expected
    until("the log has grown", lambda: life.newest() >= life.limit, 120)
    life.end()
    assert read(spark, life.table, version) == expected
    newest = life.newest()
    assert newest > version
    assert read(spark, life.table, newest) == engines.deltalake(life.table, newest)


def test_every_column_is_read(life, spark):
    pinned = deltalake.DeltaTable(life.table)
    columns = StructType.fromJson(json.loads(pinned.schema().to_json()))
    row = spark.read.schema(columns).parquet(*pinned.file_uris()).orderBy("project", "organization", "sequence").first()
    fields = pinned.to_pyarrow_table().sort_by([("project", "ascending"), ("organization", "ascending"), ("sequence", "ascending")]).slice(0, 1)
    for name, value in fields.to_pylist()[0].items():
        if name not in ("received_at", "occurred_at"):
            assert row[name] == value, name
        else:
            # Spark gives the machine's local time.
            assert row[name].astimezone().timestamp() == value.timestamp(), name

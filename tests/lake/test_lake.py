"""The lake as other engines read it, while the server stores, seals, compacts and erases. The tests are one story, in this order."""

import contextlib
import datetime
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import deltalake
import pyarrow.compute as compute
import pyarrow.parquet as parquet
import pytest

import engines
from harness.waiting import until
from life import ORGANIZATIONS, Life, moment

#: Versions of the story: one more than there are from one checkpoint to the next.
VERSIONS = 112
#: How many versions the log is let grow while one is read.
STEP = 30

#: What deltalake read of each version, when it was the newest.
read: dict[int, engines.Answer] = {}


def rows(table: Path, version: int) -> dict[str, dict[int, tuple[int, int]]]:
    """Of each organization and sequence the commit and the number of its event. Nothing may be there twice."""
    columns = ["organization", "sequence", "commit", "details"]
    found = deltalake.DeltaTable(table, version=version).to_pyarrow_table(columns=columns)
    rows: dict[str, dict[int, tuple[int, int]]] = {}
    for organization, sequence, commit, details in zip(*(found[name].to_pylist() for name in columns)):
        number = (json.loads(details)["metadata"] or {}).get("number")
        known = rows.setdefault(organization, {})
        assert sequence not in known, f"version {version} has {organization} {sequence} twice"
        known[sequence] = (commit, number)
    return rows


def actions(table: Path, version: int) -> list[dict]:
    """What a version says."""
    text = (table / "_delta_log" / f"{version:020}.json").read_text()
    return [json.loads(line) for line in text.splitlines()]


def info(table: Path, version: int) -> dict:
    return actions(table, version)[0]["commitInfo"]


def sealed_through(table: Path, version: int) -> int:
    return int(info(table, version)["operationParameters"]["sealedThrough"])


def assert_like_server(life: Life, version: int) -> int:
    """Of each organization the version has one interval of sequences, and in it what the server has up to the last event that was sealed. What
    the server does not show any more, as it expired, may still be there: answers how many such events."""
    found, expired = rows(life.table, version), 0
    for organization in ORGANIZATIONS:
        lake = found[organization]
        assert sorted(lake) == list(range(min(lake), max(lake) + 1)), f"{organization} has a gap in version {version}"
        numbers = [number for _, number in lake.values()]
        events, total, first = life.says(organization, max(numbers))
        shown = [number for number in numbers if number >= first]
        assert (len(shown), sum(shown)) == (events, total), (version, organization)
        expired += len(numbers) - len(shown)
    return expired


def test_all_engines_read_the_same_while_everything_goes_on(life, readers):
    life.begin(STEP)
    pinned = []
    while life.newest() < VERSIONS:
        until("the log has grown", lambda: life.newest() >= life.limit - STEP // 2, 60)
        version = life.newest()
        life.limit += STEP
        answers = {name: read_by(life.table, version) for name, read_by in readers.items()}
        read[version] = answers["deltalake"]
        for name, answer in answers.items():
            assert answer == read[version], f"{name} reads version {version} otherwise"
        assert_like_server(life, version)
        pinned.append(version)
    life.end()
    assert len(pinned) >= 3
    operations = {info(life.table, version)["operation"] for version in range(life.newest() + 1)}
    assert operations == {"WRITE", "OPTIMIZE", "DELETE"}


def test_a_version_has_what_was_sealed_until_then(life):
    later = rows(life.table, life.newest())
    for version in read:
        through = sealed_through(life.table, version)
        for organization, found in rows(life.table, version).items():
            then = {sequence for sequence, (commit, _) in later[organization].items() if commit <= through}
            first = min(later[organization])
            assert then == {sequence for sequence in found if sequence >= first}, (version, organization)


def test_a_version_that_was_read_reads_the_same_again(life, readers):
    assert read
    for version, answer in read.items():
        for name, read_by in readers.items():
            assert read_by(life.table, version) == answer, f"{name} reads version {version} otherwise now"


def test_what_expired_is_gone_in_the_end(life):
    assert assert_like_server(life, life.newest()) == 0
    found = rows(life.table, life.newest())
    assert all(min(found[organization]) > 0 for organization in ORGANIZATIONS)


def test_what_is_said_of_files_without_reading_them_is_true(life):
    said = deltalake.DeltaTable(life.table).get_add_actions(flatten=True).to_struct_array().to_pylist()
    assert said
    for file in said:
        times = parquet.read_table(life.table / file["path"], columns=["occurred_at", "received_at"])
        assert file["num_records"] == times.num_rows
        for name in times.column_names:
            bounds = compute.min_max(times[name]).as_py()
            assert (file[f"min.{name}"], file[f"max.{name}"]) == (bounds["min"], bounds["max"])


def test_filters_find_what_they_should(life, readers):
    """An engine that misunderstands what is said of files finds nothing, and says nothing."""
    import chdb
    import polars

    version, organization, since = life.newest(), "bolt", life.number // 2
    expected = sum(1 for _, number in rows(life.table, version)[organization].values() if number >= since)
    assert expected
    table, when = deltalake.DeltaTable(life.table, version=version), datetime.datetime.fromisoformat(moment(since))
    where = f"organization = '{organization}' AND occurred_at >= '{moment(since)}'"
    query = f"SELECT count(*) FROM {{}} WHERE {where}"
    arrow = table.to_pyarrow_table(columns=["id"], filters=[("organization", "=", organization), ("occurred_at", ">=", when)])
    assert arrow.num_rows == expected
    of_datafusion = deltalake.QueryBuilder().register("events", table).execute(query.format("events")).read_all()
    assert of_datafusion.column(0).to_pylist() == [expected]
    scan = polars.scan_delta(str(life.table), version=version, use_pyarrow=True)
    assert scan.filter(organization=organization).filter(polars.col("occurred_at") >= when).collect().height == expected
    of_sail = readers["Sail"].session.sql(query.format(f"delta.`{life.table}` VERSION AS OF {version}")).collect()
    assert of_sail[0][0] == expected
    with contextlib.chdir(life.table):
        of_clickhouse = chdb.query(query.format(f"deltaLakeLocal('{life.table}')").replace(">= '", ">= toDateTime64('").replace("Z'", "', 3, 'UTC')"))
    assert int(str(of_clickhouse)) == expected


def test_a_checkpoint_stands_for_the_versions_before_it(life, readers, tmp_path):
    (last,) = (life.table / "_delta_log").glob("*.checkpoint.parquet")
    version = int(last.name.split(".")[0])
    copy = copied(life, tmp_path)
    for path in (copy / "_delta_log").glob("*.json"):
        if int(path.stem) < version:
            path.unlink()
    for wanted in (version, life.newest()):
        expected = engines.deltalake(life.table, wanted)
        for name, read_by in readers.items():
            assert read_by(copy, wanted) == expected, f"{name} reads version {wanted} otherwise from the checkpoint"


def copied(life: Life, folder: Path) -> Path:
    """A copy of the table that may be spoilt."""
    return Path(shutil.copytree(life.table, folder / "table", ignore=shutil.ignore_patterns("scratch")))


def test_others_cannot_write_to_the_table(life, tmp_path):
    copy = copied(life, tmp_path)
    table = deltalake.DeltaTable(copy)
    before = sorted(path for path in copy.rglob("*"))
    for write in (
        lambda: table.delete("sequence = 1"),
        lambda: table.optimize.compact(),
        lambda: table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True),
        lambda: deltalake.write_deltalake(copy, table.to_pyarrow_table().slice(0, 1), mode="append"),
    ):
        with pytest.raises(Exception, match="trailbook"):
            write()
    # The short form of the last looks only for what the log says is removed, which the log's checkpoint does not.
    assert sorted(path for path in copy.rglob("*")) == before


def test_a_server_that_is_killed_goes_on_with_the_log(life, readers):
    before = life.newest()
    life.begin(before + 10)
    until("the log grows", lambda: life.newest() > before + 3)
    life.is_over.set()
    life.server.kill()
    life.ingest.join()
    life.failure = None
    killed = life.newest()
    bodies = {version: (life.table / "_delta_log" / f"{version:020}.json").read_bytes() for version in range(killed + 1)}
    life.server.start()
    life.send(4)
    life.sealed()
    assert life.newest() > killed
    for version, body in bodies.items():
        assert (life.table / "_delta_log" / f"{version:020}.json").read_bytes() == body
    newest = life.newest()
    assert_like_server(life, newest)
    answers = [read_by(life.table, newest) for read_by in readers.values()]
    assert all(answer == answers[0] for answer in answers)


def documented() -> list[str]:
    """The blocks of Python in the document."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "operate" / "lake.md").read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", documented(), ids=lambda code: code.split()[1])
def test_what_is_documented_runs(life, code):
    program = code.replace("/var/lib/trailbook/objects", str(life.table))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "acme" in done.stdout

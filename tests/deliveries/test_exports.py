"""Files on request: every form with the same rows, links that are only for whom they are meant, and jobs that survive a kill."""

import gzip
import io
import json
import subprocess
import sys
import urllib.parse
import zipfile

import duckdb
import pyarrow.parquet
import pytest

from harness import events
from harness.compare import ids
from harness.exports import Exports, by_link, cells
from harness.people import Person
from harness.waiting import until

#: What a spreadsheet takes for the beginning of something to run.
RUNS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def organization(server):
    """Plain and awkward events that all tests of this file export."""
    name = events.organization("exported")
    server.send(events.plain(name, 120) + events.awkward(name))
    return name


def test_csv_has_the_same_rows_in_python_and_duckdb_and_no_cell_runs(server, organization, tmp_path):
    exports = Exports(server, organization)
    export = exports.ready(
        format="csv", scope="all", columns=["id", "occurred_at", "action", "actor.name", "description", "metadata.number"]
    )
    body = exports.download(export).expect(200).body
    assert export["bytes"] == len(body) and export["progress"] == 1.0
    header, *rows = cells(body)
    assert header == ["id", "occurred_at", "action", "actor.name", "description", "metadata.number"]
    stored = {event["id"]: event for event in server.stored(organization)}
    # Being asked for is an event of this ledger too, and may have come before or after the rows were read.
    assert len(rows) == export["rows"] and {row[0] for row in rows} >= {
        id for id, event in stored.items() if not event["action"].startswith("trailbook.")
    }
    file = tmp_path / "rows.csv"
    file.write_bytes(body)
    reader = f"read_csv('{file}', header=true, all_varchar=true, delim=',', quote='\"', escape='\"', nullstr='\\N', new_line='\\r\\n', max_line_size=10000000)"
    engine = duckdb.sql(f"SELECT * FROM {reader}").fetchall()
    assert [[cell or "" for cell in row] for row in engine] == rows
    for row in rows:
        event = stored[row[0]]
        assert row[1:3] == [event["occurred_at"], event["action"]]
        for cell, text in ((row[3], event["actor"]["name"]), (row[4], event["description"])):
            assert not cell.startswith(RUNS), cell
            assert cell in (text or "", f"'{text}"), "a quote before what would run, and nothing else"


def test_columns_labels_and_a_time_zone_are_as_asked(server, organization):
    exports = Exports(server, organization)
    export = exports.ready(
        format="csv",
        scope="filtered",
        filter="action:user.role.updated",
        columns=["occurred_at", "actor.email"],
        time_zone="Europe/Berlin",
        labels=True,
    )
    header, *rows = cells(exports.download(export).body)
    assert len(header) == 2 and header != ["occurred_at", "actor.email"] and rows
    # In October Berlin is two hours before UTC until the 25th, then one.
    assert any("+02:00" in row[0] or "12:" in row[0] for row in rows), rows[0]
    assert (export["columns"], export["time_zone"], export["labels"]) == (["occurred_at", "actor.email"], "Europe/Berlin", True)


def test_json_lines_are_the_events_as_they_are_read_and_all_ignores_the_filter(server, organization):
    exports = Exports(server, organization)
    export = exports.ready(format="jsonl", scope="all", filter="action:never.happens", **{"from": "2026-12-01T00:00:00Z"})
    lines = [json.loads(line) for line in exports.download(export).body.split(b"\n") if line]
    stored = {event["id"]: event for event in server.stored(organization)}
    assert len(lines) == export["rows"] >= 134 and all(stored[line["id"]] == line for line in lines)
    export = exports.ready(
        format="jsonl", scope="filtered", filter="action:report.exported", **{"from": "2026-10-01T00:00:00Z", "to": "2026-10-11T00:00:00Z"}
    )
    lines = [json.loads(line) for line in exports.download(export).body.split(b"\n") if line]
    wanted = [
        event["id"]
        for event in stored.values()
        if event["action"] == "report.exported" and "2026-10-01" <= event["occurred_at"] < "2026-10-11"
    ]
    assert sorted(ids(lines)) == sorted(wanted) and wanted


def test_parquet_has_the_same_rows_in_arrow_and_duckdb_as_a_job_and_as_a_stream(server, organization, tmp_path):
    exports = Exports(server, organization)
    export = exports.ready(format="parquet", scope="filtered", filter="-action:trailbook.*", **{"from": "2026-01-01T00:00:00Z"})
    body = exports.download(export).expect(200).body
    stored = [event for event in server.stored(organization) if not event["action"].startswith("trailbook.")]
    rows = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    assert sorted(str(row["id"]) for row in rows) == sorted(ids(stored)) and export["rows"] == len(rows)
    by_id = {event["id"]: event for event in stored}
    assert all(row["description"] == by_id[str(row["id"])]["description"] for row in rows)
    query = urllib.parse.urlencode({"from": "2026-01-01T00:00:00Z", "q": "-action:trailbook.*"})
    streamed = server.get(f"/v1/organizations/{organization}/events.parquet?{query}").body
    for number, content in enumerate((body, streamed)):
        (tmp_path / f"{number}.parquet").write_bytes(content)
    counts = [
        duckdb.sql(f"SELECT count(*), count(DISTINCT id), sum(sequence) FROM '{tmp_path}/{number}.parquet'").fetchall()[0] for number in (0, 1)
    ]
    assert counts[0] == counts[1] and counts[0][0] == len(stored)


def test_evidence_is_verified_by_the_command_and_by_the_script_that_comes_with_it(server, organization, tmp_path):
    exports = Exports(server, organization)
    export = exports.ready(format="evidence", scope="all")
    file = tmp_path / "evidence.zip"
    file.write_bytes(exports.download(export).expect(200).body)
    key = server.get(f"/v1/organizations/{organization}/checkpoint-key").json["vkey"]
    server.command("verify", file, "--key", key)
    archive = zipfile.ZipFile(file)
    (script,) = [name for name in archive.namelist() if name.endswith(".py")]
    (tmp_path / "check.py").write_bytes(archive.read(script))

    def check(path):
        # Python's standard library and nothing else: -I and -S leave out what is installed.
        return subprocess.run(
            [sys.executable, "-I", "-S", tmp_path / "check.py", "--key", key, path], capture_output=True, text=True, timeout=60
        )

    done = check(file)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("authentic", "complete", "filtered"):
        assert word in done.stdout.lower()
    for member in ("leaves.bin", "events.jsonl"):
        forged = tmp_path / f"forged-{member}.zip"
        with zipfile.ZipFile(forged, "w") as out:
            for name in archive.namelist():
                body = bytearray(archive.read(name))
                if name == member:
                    body[len(body) // 2] ^= 1
                out.writestr(name, bytes(body))
        assert check(forged).returncode in (1, 2), member


def test_a_link_needs_nothing_else_gives_ranges_and_is_refused_when_one_letter_is_another(server, organization):
    exports = Exports(server, organization)
    export = exports.ready(format="csv", scope="all")
    url = export["download_url"]
    assert url.startswith("https://log.trailbook.example/downloads/") and export["expires_at"] > export["finished_at"]
    whole = by_link(server, url).expect(200)
    assert whole.body == exports.download(export).body and "attachment" in whole.headers["Content-Disposition"]
    part = by_link(server, url, Range="bytes=10-19")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, whole.body[10:20], f"bytes 10-19/{len(whole.body)}")
    assert by_link(server, url, Range=f"bytes={len(whole.body)}-").status == 416
    token = url.rpartition("/")[2]
    for at in (0, len(token) // 2, len(token) - 2):
        other = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert by_link(server, url.replace(token, other)).status in (403, 404), at
    assert by_link(server, url.replace(token, token[:-5])).status in (403, 404)
    acts = [event["action"] for event in server.stored(organization)]
    assert "trailbook.export.requested" in acts and "trailbook.export.downloaded" in acts


def test_the_rights_of_who_asked_are_looked_up_again_when_the_link_is_opened(server, mailbox):
    organization = events.organization("rights-again")
    server.send(events.plain(organization, 5))
    ann = Person(server, mailbox, organization, f"ann@{organization}.example", "owner")
    exports = Exports(server, organization, session=ann.session)
    export = exports.ready(format="csv", scope="all")
    assert by_link(server, export["download_url"]).status == 200
    ann.becomes("member")
    assert by_link(server, export["download_url"]).status in (403, 404)
    assert exports.download(export).status in (403, 404)
    ann.becomes("auditor")
    assert by_link(server, export["download_url"]).status == 200
    server.call("DELETE", ann.path).expect(204)
    assert by_link(server, export["download_url"]).status in (403, 404)


def test_an_export_is_there_for_who_asked_and_for_root(server, mailbox):
    organization = events.organization("whose")
    server.send(events.plain(organization, 5))
    ann, bob = (Person(server, mailbox, organization, f"{name}@{organization}.example", "owner") for name in ("ann", "bob"))
    export = Exports(server, organization, session=ann.session).ready(format="jsonl", scope="all")
    path = f"/v1/organizations/{organization}/exports"
    assert export["requested_by"]["id"]
    assert [one["id"] for one in ann.browse("GET", path).json["exports"]] == [export["id"]]
    assert bob.browse("GET", path).json["exports"] == []
    assert bob.browse("GET", f"{path}/{export['id']}").status == 404
    assert bob.browse("GET", f"{path}/{export['id']}/download").status == 404
    assert bob.browse("DELETE", f"{path}/{export['id']}").status == 404
    assert [one["id"] for one in server.get(path).json["exports"]] == [export["id"]]


def test_an_export_can_be_dropped_and_is_gone(server, organization):
    exports = Exports(server, organization)
    export = exports.ready(format="csv", scope="all")
    server.call("DELETE", f"{exports.path}/{export['id']}").expect(204)
    assert by_link(server, export["download_url"]).status in (403, 404, 410)
    assert exports.download(export).status in (404, 409, 410)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"format": "pdf"}, "/format"),
        ({"scope": "some"}, "/scope"),
        ({"filter": "nofield:(x"}, "/filter"),
        ({"from": "yesterday"}, "/from"),
        ({"columns": ["no.such.column"]}, "/columns"),
        ({"format": "jsonl", "columns": ["id"]}, "/columns"),
        ({"format": "evidence", "columns": ["id"]}, "/columns"),
        ({"format": "jsonl", "time_zone": "Europe/Berlin"}, "/time_zone"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"format": "parquet", "labels": True}, "/labels"),
        ({"mapping": "omni"}, "/mapping"),
        ({"format": "jsonl", "mapping": "unheard-of"}, "/mapping"),
        ({"email": True}, "/email"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(server, organization, change, pointer):
    answer = Exports(server, organization).ask(**({"format": "csv"} | change))
    assert answer.status == 422 and any(found.startswith(pointer) for found in answer.pointers()), answer.text


@pytest.fixture(scope="module")
def many(start):
    """A server with so many events that an export takes a while."""
    server, organization = start(), events.organization("many")
    plain = events.plain(organization, 40_000)
    for begin in range(0, len(plain), 8_000):
        body = gzip.compress(json.dumps({"events": plain[begin : begin + 8_000]}).encode(), 1)
        server.post("/v1/events", body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    return server, organization


@pytest.mark.slow
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "evidence"])
def test_an_export_goes_on_after_the_server_was_killed_and_is_whole(many, format, tmp_path):
    server, organization = many
    exports = Exports(server, organization)
    query = urllib.parse.urlencode({"from": "2026-01-01T00:00:00Z", "q": "-action:trailbook.*"})
    size = server.get(f"/v1/organizations/{organization}/events/count?{query}").json["count"]
    asked = exports.ask(format=format, scope="filtered", filter="-action:trailbook.*", **{"from": "2026-01-01T00:00:00Z"}).expect(202).json
    until("it has begun", lambda: (shown := exports.shown(asked["id"]))["progress"] > 0 or shown["state"] == "ready")
    server.kill()
    server.start()
    export = exports.until_ready(asked["id"], seconds=120)
    assert export["rows"] == size
    body = exports.download(export).expect(200).body
    if format == "csv":
        assert len(cells(body)) == size + 1
    elif format == "jsonl":
        lines = [json.loads(line)["id"] for line in body.split(b"\n") if line]
        assert len(lines) == len(set(lines)) == size
    elif format == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(body)).num_rows == size
    else:
        file = tmp_path / "evidence.zip"
        file.write_bytes(body)
        key = server.get(f"/v1/organizations/{organization}/checkpoint-key").json["vkey"]
        server.command("verify", file, "--key", key)
    leftovers = [path for path in server.data.rglob("*") if path.suffix in (".part", ".partial", ".tmp")]
    assert not leftovers, leftovers


@pytest.mark.slow
def test_progress_only_grows_and_a_running_export_can_be_cancelled(many):
    server, organization = many
    exports = Exports(server, organization)
    asked = exports.ask(format="evidence", scope="all").expect(202).json
    seen = []
    until("it is ready", lambda: (shown := exports.shown(asked["id"]), seen.append(shown["progress"]))[0]["state"] == "ready", seconds=120)
    assert seen == sorted(seen) and 0 <= seen[0] and seen[-1] == 1.0
    asked = exports.ask(format="evidence", scope="all").expect(202).json
    server.call("DELETE", f"{exports.path}/{asked['id']}").expect(204)
    answer = server.call("GET", f"{exports.path}/{asked['id']}")
    assert answer.status == 404 or answer.json["state"] == "cancelled"
    until("that is in the ledger", lambda: server.stored(organization, "action:trailbook.export.cancelled"))

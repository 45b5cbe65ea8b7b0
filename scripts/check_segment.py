#!/usr/bin/env python3
"""Whether other engines read segments as docs/formats/segment.md says: DuckDB and pandas (pyarrow) on testdata/segment.

Both read the Parquet file, the event is put together again as the document says, and the result is held against
events.jsonl, which the ledger's tests wrote. Then the document's own lines are run. Installs the engines into target/engines when they are not there.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path

ENGINES = ["duckdb==2.0.1", "pandas==3.1.1", "pyarrow==26.0.1", "pytz==2026.6"]
ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "testdata" / "segment"
CORE = ["action", "action_type", "area", "client_id", "description", "occurred_at", "organization", "product", "result"]
CORE += ["security", "trace_id"]


def use_engines() -> None:
    """Goes on in an environment that has the engines."""
    home = ROOT / "target" / "engines" / hashlib.sha256(" ".join(ENGINES).encode()).hexdigest()[:12]
    python = home / "bin" / "python"
    if Path(sys.prefix).resolve() == home.resolve():
        return
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *ENGINES], check=True)
        (home / "complete").touch()
    os.execv(python, [python, *sys.argv])


def member(row: dict, prefix: str, names: list[str]) -> dict:
    return {name: row[prefix + name] for name in names}


def line(row: dict) -> dict:
    """What a row says, as in events.jsonl."""
    targets = []
    if row["targets"] is not None:
        targets = json.loads(row["targets"])
    elif row["target_type"] is not None:
        targets = [member(row, "target_", ["email", "id", "name", "type"])]
    envelope = ["project", "sequence", "commit", "id", "epoch", "received_at", "country"]
    return {
        **{name: row[name] for name in envelope},
        "redacted": row["redaction"] is not None,
        **{name: row[name] for name in CORE},
        "actor": member(row, "actor_", ["email", "id", "name", "team", "type"]),
        "targets": targets,
        "context": member(row, "", ["ip", "referrer", "url", "user_agent"]),
        **json.loads(row["details"]),
    }


def by_duckdb(path: Path) -> list[dict]:
    import duckdb

    # The session's zone must not show; years before 1 AD must not be lost on the way to Python.
    text = "strftime({0} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS {0}"
    times = ", ".join(text.format(name) for name in ["occurred_at", "received_at"])
    relation = duckdb.sql(f"SELECT * REPLACE (id::VARCHAR AS id, {times}) FROM '{path}'")
    return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def by_pandas(path: Path) -> list[dict]:
    import uuid

    import pandas

    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for row in rows:
        row["id"] = str(row["id"] if isinstance(row["id"], uuid.UUID) else uuid.UUID(bytes=row["id"]))
        for name in ["occurred_at", "received_at"]:
            row[name] = row[name].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return rows


def documented(language: str) -> str:
    """The code of this language in the document."""
    text = (ROOT / "docs" / "formats" / "segment.md").read_text()
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return code


def run_documented(events: list[dict]) -> None:
    """Runs the document's lines where the sample is a data directory's only segment."""
    import duckdb

    organization = events[0]["organization"]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(SAMPLE, Path(directory) / "objects" / "segments")
        os.chdir(directory)
        counts = dict(duckdb.sql(documented("sql").replace("fashion", organization)).fetchall())
        names: dict = {}
        exec(documented("python"), names)
        os.chdir(ROOT)
    if counts != Counter(event["action"] for event in events if event["organization"] == organization):
        sys.exit(f"DuckDB counts otherwise: {counts}")
    if names["actions"].to_dict() != Counter(event["action"] for event in events):
        sys.exit(f"pandas counts otherwise: {names['actions']}")


def main() -> None:
    use_engines()
    expected = [json.loads(text) for text in (SAMPLE / "events.jsonl").read_text().splitlines()]
    for engine, read in {"DuckDB": by_duckdb, "pandas": by_pandas}.items():
        found = [line(row) for row in read(SAMPLE / "segment.parquet")]
        if len(found) != len(expected):
            sys.exit(f"{engine} reads {len(found)} rows of {len(expected)}")
        for number, (row, event) in enumerate(zip(found, expected)):
            if row != event:
                sys.exit(f"{engine} reads row {number} otherwise:\n  {row}\nshould be\n  {event}")
        print(f"{engine} reads all {len(found)} events of the sample")
    run_documented(expected)


main()

#!/usr/bin/env python3
"""Whether exports say the same in other programs, and whether none of them runs what an event says.

    scripts/check_exports.py [--without-office] [FILE.csv] [FILE.parquet] [FILE.jsonl]

The files are of the same question to a server, in UTC. CSV is opened by Python's csv, DuckDB and LibreOffice, Parquet by DuckDB and pandas
(pyarrow). All have to show the same rows; with a file of JSON lines the cells are also held against the events in it, as
docs/formats/export.md says. Without files, `cargo run -p trailbook-deliver --example export_files` makes them, of generated events and of
ones that try to be formulas. Installs the engines into target/engines when they are not there; LibreOffice has to be installed:
apt-get install --no-install-recommends libreoffice-calc-nogui (90 MB to fetch, 280 MB on disk).
"""

import csv
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ENGINES = ["duckdb==2.0.1", "pandas==3.1.1", "pyarrow==26.0.1", "pytz==2026.6"]
ROOT = Path(__file__).resolve().parent.parent
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
TIMES = ["occurred_at", "received_at", "expires_at"]
JSON_TEXTS = ["changes", "metadata", "targets"]
# A spreadsheet has no more.
OFFICE_ROWS_MAX = 1_048_576
OFFICE = "soffice"
# Comma, double quote, UTF-8, from the first line.
OFFICE_CSV = "CSV:44,34,76,1"
# Columns of the full Parquet file that do not have the name of a CSV column.
PATHS = {name.replace(".", "_"): name for name in ["actor.type", "actor.id", "actor.name", "actor.email", "actor.team"]}
PATHS |= {name.split(".")[1]: name for name in ["context.ip", "context.user_agent", "context.url", "context.referrer"]}
PATHS |= {"target_types": "targets.type", "target_ids": "targets.id", "target_names": "targets.name", "target_emails": "targets.email"}


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


def stop(sentence: str) -> None:
    sys.exit(f"check_exports: {sentence}")


def same(what: str, found: list, expected: list) -> None:
    """Stops at the first row that differs."""
    if len(found) != len(expected):
        stop(f"{what} has {len(found)} rows of {len(expected)}")
    for number, (row, other) in enumerate(zip(found, expected)):
        for place, (cell, wanted) in enumerate(zip(row, other, strict=True)):
            if cell != wanted:
                stop(f"{what}, row {number}, column {place}:\n  {cell!r}\nshould be\n  {wanted!r}")
    print(f"  {what}: the same {len(found)} rows")


# CSV.


def by_python(path: Path) -> list[list[str]]:
    csv.field_size_limit(1 << 30)
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


def by_duckdb(path: Path) -> list[list[str]]:
    import duckdb

    relation = duckdb.sql(f"SELECT * FROM read_csv('{path}', header = false, all_varchar = true)")
    return [[cell or "" for cell in row] for row in relation.fetchall()]


def office(path: Path, directory: Path, import_filter: str, convert_to: str) -> Path:
    """A file as LibreOffice writes it after reading it."""
    profile = f"-env:UserInstallation=file://{directory}/profile"
    # The directory is new: a page that a cell asks for, or a file that it writes, would be seen there.
    command = [OFFICE, profile, "--headless", "--norestore", f"--infilter={import_filter}", "--convert-to", convert_to]
    run = subprocess.run([*command, "--outdir", str(directory), str(path)], capture_output=True, text=True, cwd=directory)
    written = directory / (path.stem + "." + convert_to.split(":")[0])
    if run.returncode != 0 or not written.exists():
        stop(f"LibreOffice does not convert {path}: {run.stdout}{run.stderr}")
    return written


def check_office(path: Path, rows: list[list[str]]) -> None:
    if len(rows) > OFFICE_ROWS_MAX:
        print(f"  LibreOffice: left out, {len(rows)} rows are more than a spreadsheet has")
        return
    with tempfile.TemporaryDirectory() as name:
        # As the file opens when somebody clicks on it: whatever looks like a formula would become one.
        sheet = office(path, Path(name), OFFICE_CSV, "fods").read_text(encoding="utf-8")
        formulas = re.findall(r'table:formula="[^"]*"|<text:a [^>]*>', sheet)
        if formulas:
            stop(f"LibreOffice makes formulas or links of {len(formulas)} cells: {formulas[:3]}")
    with tempfile.TemporaryDirectory() as name:
        # All columns as text, and back.
        texts = "/".join(f"{column}/2" for column in range(1, len(rows[0]) + 1))
        written = office(path, Path(name), f"{OFFICE_CSV},{texts}", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false")
        shown = [[one_kind_of_newline(cell) for cell in row] for row in by_python(written)]
    same("LibreOffice", shown, [[one_kind_of_newline(cell) for cell in row] for row in rows])
    print("  LibreOffice: no cell became a formula or a link")


def one_kind_of_newline(cell: str) -> str:
    """A spreadsheet has one kind of newline within a cell."""
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def check_csv(path: Path, with_office: bool) -> tuple[list[str], list[list[str]]]:
    print(path)
    rows = by_python(path)
    for number, row in enumerate(rows):
        for cell in row:
            if cell.startswith(FORMULA):
                stop(f"a cell of row {number} begins like a formula: {cell!r}")
    print(f"  Python: {len(rows) - 1} events, and no cell begins like a formula")
    same("DuckDB", by_duckdb(path), rows)
    if with_office:
        check_office(path, rows)
    return rows[0], rows[1:]


# Parquet.


def check_parquet(path: Path) -> tuple[list[str], list[list]]:
    """The columns' names, and the rows with times as UTC texts."""
    import duckdb
    import pandas

    print(path)
    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    names = list(frame.columns)
    columns = [[plain(value) for value in frame[name].array.__arrow_array__().to_pylist()] for name in names]
    rows = [list(row) for row in zip(*columns)]
    text = "strftime({0} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS {0}"
    times = [text.format(name) for name in names if name in TIMES]
    replaced = f"REPLACE ({', '.join(times)})" if times else ""
    relation = duckdb.sql(f"SELECT * {replaced} FROM '{path}'")
    if relation.columns != names:
        stop(f"DuckDB sees the columns {relation.columns}, pandas {names}")
    same("DuckDB and pandas", [list(row) for row in relation.fetchall()], rows)
    return names, rows


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def as_cell(value) -> str:
    """How CSV writes a value of Parquet."""
    if value is None:
        return ""
    if isinstance(value, list):
        return neutral(", ".join(text for text in value if text is not None))
    if isinstance(value, bool):
        return str(value).lower()
    return neutral(str(value))


def neutral(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) else text


def check_against_csv(parquet: tuple, table: tuple) -> None:
    (names, rows), (header, cells) = parquet, table
    names = [PATHS.get(name, name) if name not in header else name for name in names]
    shared = [name for name in header if name in names]
    if not shared:
        print("  CSV and Parquet have no column in common: the header has labels")
        return
    expected = [[row[header.index(name)] for name in shared] for row in cells]
    found = [[as_cell(row[names.index(name)]) for name in shared] for row in rows]
    same(f"Parquet and CSV in {len(shared)} columns", found, expected)


# JSON lines.


def at(event: dict, path: str):
    """The value at a column's path, as docs/formats/export.md says; lists joined."""
    keys = [key.replace("\\.", ".") for key in re.split(r"(?<!\\)\.", path)]
    if keys[0] == "targets" and len(keys) == 2:
        return ", ".join(target[keys[1]] for target in event["targets"] if target[keys[1]] is not None)
    if path == "changes.field":
        return ", ".join(change["field"] for change in event["changes"])
    if path == "redacted":
        return ", ".join(event["redacted"])
    value = event
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return None if value == [] and path in JSON_TEXTS else value


def check_against_lines(path: Path, table: tuple) -> None:
    print(path)
    header, rows = table
    with open(path, encoding="utf-8", newline="\n") as file:
        events = [json.loads(line) for line in file]
    known = [name for name in header if name.split(".")[0] in events[0]] if events else []
    found = [[row[header.index(name)] for name in known] for row in rows]
    expected = [[expected_cell(at(event, name), row[header.index(name)]) for name in known] for event, row in zip(events, rows)]
    if len(events) != len(rows):
        stop(f"there are {len(events)} lines and {len(rows)} rows of CSV")
    same(f"CSV and JSON lines in {len(known)} columns", found, expected)


def expected_cell(value, cell: str) -> str:
    if isinstance(value, (dict, list)) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        # Any spelling of the same JSON will do: spelling is for the tests of canonical JSON.
        spelled = cell.removeprefix("'")
        return cell if spelled and json.loads(spelled) == value else json.dumps(value)
    return as_cell(value)


# Which files.


def check_files(paths: list[Path], with_office: bool) -> None:
    of_kind = {path.suffix: path for path in paths}
    if len(of_kind) < len(paths) or not set(of_kind) <= {".csv", ".parquet", ".jsonl"}:
        stop("name one file at most of each kind: .csv, .parquet, .jsonl")
    table = check_csv(of_kind[".csv"], with_office) if ".csv" in of_kind else None
    rows = check_parquet(of_kind[".parquet"]) if ".parquet" in of_kind else None
    if table and rows:
        check_against_csv(rows, table)
    if table and ".jsonl" in of_kind:
        check_against_lines(of_kind[".jsonl"], table)


def main() -> None:
    use_engines()
    arguments = sys.argv[1:]
    with_office = "--without-office" not in arguments
    paths = [Path(argument).resolve() for argument in arguments if argument != "--without-office"]
    if with_office and not shutil.which(OFFICE):
        stop("there is no LibreOffice (soffice); install libreoffice-calc-nogui, or say --without-office")
    if paths:
        check_files(paths, with_office)
        return
    with tempfile.TemporaryDirectory() as name:
        example = ["cargo", "run", "--quiet", "--locked", "-p", "trailbook-deliver", "--example", "export_files", name]
        subprocess.run(example, cwd=ROOT, check=True)
        directory = Path(name)
        check_files([directory / "events.csv", directory / "events.parquet", directory / "events.jsonl"], with_office)
        shutil.copy(directory / "events.jsonl", directory / "chosen.jsonl")
        check_files([directory / "chosen.csv", directory / "chosen.parquet", directory / "chosen.jsonl"], with_office)


main()

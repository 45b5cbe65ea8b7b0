"""The questions that every system is asked: kinds of them, each with several values, for a large and a usual organization.

Values come from the first events of the stream, so they are the same for every system and every size.
"""

import json
import random
import re
import subprocess
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator

DAY_MS = 86_400_000
START_MS = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() * 1000)
DAYS = 90
END_MS = START_MS + DAYS * DAY_MS
SAMPLE = 500_000
ELSEWHERE_SAMPLE = 50_000
USUAL_SAMPLE = 50
"""So many events of the sample are of the usual organization, at least."""
VALUES = 8
PAGE = 50
DEPTH = 10_000
"""How many events precede a deep page, where the organization has that many."""

FACETS = {"action": "action", "area": "area", "actor": "actor_id", "result": "result", "target_type": "target_type"}
"""The facets' fields, and the column of other systems' tables."""
FACET_VALUES = 20

LARGEST, USUAL = "largest", "median"

KINDS = {
    "newest": "newest 50 of 30 days",
    "deep": "page 200 and later, by cursor",
    "actor": "actor, 7 days, newest 50",
    "security": "security and 3 actions, newest 50",
    "words": "word search, newest 50",
    "words_count": "count of a word search, 90 days",
    "actor_count": "count of actor, 7 days",
    "facets": "facets of 5 fields, 30 days",
    "histogram": "histogram by day, 90 days",
    "aggregate": "p95 of a number by area, 30 days",
    "record": "lookup by id",
    "trace": "trace",
    "metadata": "metadata.plan=value, newest 50",
}


@dataclass(frozen=True)
class Filter:
    """Which events: all that are given must hold."""

    from_ms: int = START_MS
    to_ms: int = END_MS
    actor: str | None = None
    actions: tuple[str, ...] = ()
    security: bool = False
    words: tuple[str, ...] = ()
    plan: str | None = None


@dataclass(frozen=True)
class Question:
    """One question; which of the filter and the others it uses depends on its kind."""

    kind: str
    organization: str
    size: str
    filter: Filter = field(default_factory=Filter)
    depth: int = 0


def load(path: Path) -> list[Question]:
    """Questions that :func:`store` wrote."""
    told = json.loads(path.read_text())
    return [Question(**(one | {"filter": _filter(one["filter"])})) for one in told]


def store(path: Path, questions: list[Question]) -> None:
    """Writes the questions to a file."""
    told = [vars(question) | {"filter": vars(question.filter)} for question in questions]
    path.write_text(json.dumps(told))


def _filter(told: dict[str, Any]) -> Filter:
    return Filter(**(told | {"actions": tuple(told["actions"]), "words": tuple(told["words"])}))


def choose(client: Path, events: int, stream: list[str]) -> list[Question]:
    """All questions about a stream of so many events."""
    sample = min(events, SAMPLE)
    lines = _generated(client, sample, stream)
    ordered = Counter(map(_organization, lines)).most_common()
    # In a small run the one in the middle may have too few events to ask about.
    usual = min(len(ordered) // 2, max(sum(count >= USUAL_SAMPLE for _, count in ordered) - 1, 0))
    elsewhere = _words_elsewhere(map(json.loads, lines[:ELSEWHERE_SAMPLE]))
    chosen = []
    for size, (organization, _) in ((LARGEST, ordered[0]), (USUAL, ordered[usual])):
        own = [json.loads(line) for line in lines if _organization(line) == organization]
        depth = min(DEPTH, len(own) * events // sample // 2)
        chosen += _questions(organization, size, own, depth, elsewhere, random.Random(len(own)))
    return chosen


def _generated(client: Path, count: int, stream: list[str]) -> list[str]:
    command = [client, "generate", "--events", str(count), *stream]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True).stdout.splitlines()


def _organization(line: str) -> str:
    """The first member's value: cheaper than reading the whole event."""
    return line.split('"', 4)[3]


def _questions(
    organization: str, size: str, own: list[dict[str, Any]], depth: int, elsewhere: set[str], chance: random.Random
) -> list[Question]:
    moments = [chance.randrange(START_MS + 30 * DAY_MS, END_MS) for _ in range(VALUES)]
    spans = {days: [Filter(moment - days * DAY_MS, moment) for moment in moments] for days in (7, 30)}
    # Before any of these even a small organization has events and traces.
    late = [Filter(START_MS, max(moment, START_MS + 60 * DAY_MS)) for moment in moments]
    # Ends that differ by a millisecond after the last event: other questions with the same answer.
    ends = [Filter(START_MS, END_MS + number) for number in range(VALUES)]
    actors = _spread(Counter(event["actor"]["id"] for event in own))
    secured = _common(event["action"] for event in own if event.get("security"))
    actions = [tuple(chance.sample(secured, min(3, len(secured)))) for _ in range(VALUES)]
    words = _searches(own, elsewhere, chance)
    plans = ["free", "silver", "gold", "enterprise"]
    filters = {
        "newest": spans[30],
        "deep": ends,
        "actor": [replace(span, actor=actor) for span, actor in zip(spans[7], actors)],
        "security": [replace(end, security=True, actions=three) for end, three in zip(ends, actions)],
        "words": [replace(end, words=search) for end, search in zip(ends, words)],
        "words_count": [replace(end, words=search) for end, search in zip(ends, words)],
        "actor_count": [replace(span, actor=actor) for span, actor in zip(spans[7], actors)],
        "facets": spans[30],
        "histogram": ends,
        "aggregate": spans[30],
        "record": late,
        "trace": late,
        "metadata": [replace(span, plan=plan) for span, plan in zip(spans[30], plans * VALUES)],
    }
    if len(own) < USUAL_SAMPLE:
        # Nobody turns pages there, and there may be no trace.
        filters |= {"deep": [], "trace": [], "record": filters["record"][:1]}
    return [Question(kind, organization, size, one, depth) for kind in KINDS for one in filters[kind]]


def _common(values: Iterator[str]) -> list[str]:
    return [value for value, _ in Counter(values).most_common()]


def _spread(counted: Counter) -> list[str]:
    """Values from the most to the least frequent, in steps that double."""
    ordered = [value for value, _ in counted.most_common()]
    return [ordered[min(2**step - 1, len(ordered) - 1)] for step in range(VALUES)]


def _searches(own: list[dict[str, Any]], elsewhere: set[str], chance: random.Random) -> list[tuple[str, ...]]:
    """Half of them one word, frequent to rare; half two words of one description."""
    usable = [[word for word in tokens(event["description"]) if word not in elsewhere] for event in own]
    single = [(word,) for word in _spread(Counter(word for words in usable for word in words))]
    several = [words for words in usable if len(set(words)) > 1]
    double = [tuple(sorted(chance.sample(sorted(set(chance.choice(several))), 2))) for _ in range(VALUES)]
    return single[: VALUES // 2] + double[: VALUES - VALUES // 2]


def _words_elsewhere(sample: Iterator[dict[str, Any]]) -> set[str]:
    """Words of texts that Trailbook searches too, but that are not in other systems' column of words."""
    found: set[str] = set()
    for event in sample:
        found.update(tokens(event["actor"].get("team", "")))
        found.update(token for target in event["targets"] for token in tokens(target["type"]))
        found.update(tokens(json.dumps([event.get("changes"), event.get("metadata")], ensure_ascii=False)))
    return found


def tokens(text: str) -> list[str]:
    """The words of a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)

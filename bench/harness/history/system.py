"""What every measured system has in common, as the rest of the harness sees it."""

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

from .. import machine
from .questions import Question

CSV_COLUMNS = ["occurred_at", "action", "action_type", "area", "description", "security", "result"]
CSV_COLUMNS += ["actor.id", "actor.name", "actor.email", "context.ip", "trace_id"]
"""The twelve columns of exports."""


@dataclass
class Prepared:
    """A question that only has to be sent."""

    run: Callable[[], Any]
    """What is timed: sends it and receives the whole answer."""
    read: Callable[[Any], Any]
    """Turns the answer into what can be compared between systems."""


class System(ABC):
    """A system on a directory of its own. It runs only between `open` and `close`."""

    @abstractmethod
    def open(self) -> None:
        """Starts it; ready to answer when this returns."""

    @abstractmethod
    def close(self) -> None:
        """Stops it in good order."""

    @abstractmethod
    def process(self) -> int:
        """The process, or the first of them, whose memory counts."""

    @abstractmethod
    def version(self) -> str:
        """Its version."""

    @abstractmethod
    def load(self, events: int) -> dict[str, Any]:
        """Takes in the first events of the stream and comes to rest; returns what it measured."""

    @abstractmethod
    def prepare(self, question: Question) -> Prepared:
        """Finds out what a question needs beforehand, such as an id or a cursor."""

    @abstractmethod
    def export(self, organization: str) -> int:
        """Writes everything of an organization as CSV to nowhere; returns the number of rows."""

    @abstractmethod
    def bytes_on_disk(self) -> dict[str, int]:
        """What it keeps, by kind."""

    def extras(self, organization: str) -> dict[str, Any]:
        """Measurements that only this system has."""
        return {}


@contextmanager
def peak_memory(process: int) -> Iterator[Callable[[], int]]:
    """Watches a process and its children; the function tells the most that they held."""
    most, ended = [machine.held_bytes(process)], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            most[0] = max(most[0], machine.held_bytes(process))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        ended.set()
        thread.join()


def bytes_below(directory: Path) -> int:
    """Bytes that the files below a directory occupy."""
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())

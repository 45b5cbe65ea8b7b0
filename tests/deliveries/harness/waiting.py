"""Waiting for conditions, with a deadline and a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Between two looks.
REST = 0.05


class TooLate(AssertionError):
    """What was waited for did not come."""


def until(what: str, look: Callable[[], T], seconds: float = 30) -> T:
    """Looks again and again until there is something, and answers it. An `AssertionError` of `look` is a no that explains itself."""
    deadline = time.monotonic() + seconds
    while True:
        reason = ""
        try:
            found = look()
            if found:
                return found
        except AssertionError as error:
            reason = f": {error}"
        if time.monotonic() > deadline:
            raise TooLate(f"after {seconds} s still not: {what}{reason}")
        time.sleep(REST)


def never(what: str, look: Callable[[], object], seconds: float) -> None:
    """Looks for so long, and fails as soon as there is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert not look(), what
        time.sleep(REST)

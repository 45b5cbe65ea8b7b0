"""Programs that tests start, on loopback, and stop again."""

import atexit
import signal
import socket
import subprocess
import time
from pathlib import Path

from harness.waiting import until


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


class Program:
    """A process with a log file. Stopped with SIGTERM, and with SIGKILL when it does not listen."""

    def __init__(self, command: list, log: Path, environment: dict | None = None, folder: Path | None = None) -> None:
        self.log = log
        # Text that comes before is another run's.
        self.output = log.open("ab")
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, env=environment, cwd=folder
        )
        # Nothing outlives the tests, whatever becomes of the fixture that started it.
        atexit.register(self.stop)

    def ready(self, what: str, port: int, seconds: float = 60) -> None:
        """Waits until it listens; fails at once when it ended."""

        def look() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"{what} ended with {self.process.returncode}: {self.said()[-2000:]}")
            return listens(port)

        until(f"{what} listens", look, seconds)

    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """As a power failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.output.close()

    def stop(self) -> None:
        """Asks it to end, and insists."""
        if self.process.poll() is None:
            self.process.terminate()
            deadline = time.monotonic() + 20
            while self.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        self.output.close()

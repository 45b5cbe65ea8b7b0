"""A node: the server as a process that can be killed, paused and drained, and somebody with patience who asks it."""

import http.client
import json
import signal
import time
from pathlib import Path

from harness.process import Program
from harness.trailbook import ROOT_KEY, Answer, Trailbook
from harness.waiting import until

#: How long a client waits for an answer before it turns to another node.
PATIENCE = 3.0


class Unanswered(Exception):
    """No answer came; `sent` is whether the request may have arrived."""

    def __init__(self, sent: bool, why: object) -> None:
        super().__init__(f"{'no answer' if sent else 'not reached'}: {why}")
        self.sent = sent


class Node(Trailbook):
    """One of several equal servers. `number` names it in histories."""

    def __init__(self, number: int, binary: Path, folder: Path, **settings: str) -> None:
        folder.mkdir()
        self.number, self.paused = number, False
        super().__init__(binary, folder, **settings)

    def start(self, ready: bool = True) -> None:
        """Starts it and waits until it answers, and until it can store and read unless told otherwise."""
        command = [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        self.program = Program(command, self.log, self.environment)
        self.program.ready(f"node {self.number}", self.port)
        if ready:
            self.until_ready()

    def until_ready(self, seconds: float = 30) -> None:
        until(f"node {self.number} is ready", self.is_ready, seconds)

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/readyz").status == 200
        except Unanswered:
            return False

    def kill(self) -> None:
        """SIGKILL, also for one that is paused."""
        super().kill()
        self.paused = False

    def pause(self) -> None:
        """SIGSTOP: it believes that no time passes."""
        self.program.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        self.program.process.send_signal(signal.SIGCONT)
        self.paused = False

    def drain(self, seconds: float = 20) -> float:
        """SIGTERM; the seconds until it has ended, well."""
        began = time.monotonic()
        self.program.process.terminate()
        code = self.program.process.wait(seconds)
        assert code == 0, f"node {self.number} ended with {code}: {self.said()[-2000:]}"
        self.program.output.close()
        return time.monotonic() - began

    def stop(self) -> None:
        if self.paused:
            self.resume()
        super().stop()

    @property
    def runs(self) -> bool:
        return self.program.process.poll() is None

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, seconds: float = PATIENCE) -> Answer:
        """One request on a connection of its own; raises `Unanswered`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise Unanswered(False, error) from None
            send = {"Authorization": f"Bearer {ROOT_KEY}", **(headers or {})}
            if body is not None:
                body = json.dumps(body).encode()
                send.setdefault("Content-Type", "application/json")
            try:
                connection.request(method, path, body, send)
                got = connection.getresponse()
                return Answer(got.status, got.headers, got.read())
            except (OSError, http.client.HTTPException) as error:
                raise Unanswered(True, error) from None
        finally:
            connection.close()

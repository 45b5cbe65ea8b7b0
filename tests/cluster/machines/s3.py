"""An S3 server as a process of its own that has bad days on demand."""

import json
import re
import urllib.request
from pathlib import Path

from harness.process import Program
from harness.waiting import until

ACCESS_KEY, SECRET_KEY = "access-key-of-a-test", "secret-key-of-a-test"
BUCKET, REGION = "trailbook", "us-east-1"


class S3:
    """One bucket, kept in a directory."""

    def __init__(self, binary: Path, folder: Path) -> None:
        folder.mkdir()
        keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
        command = [binary, "--directory", folder / "objects", "--bucket", BUCKET, *keys]
        (folder / "objects").mkdir()
        self.program = Program(command, folder / "log")
        said = until("the S3 server says where it is", lambda: re.search(r"S3 (http://\S+) control (http://\S+)", self.program.said()))
        self.endpoint, self.control = said.groups()

    def settings(self, prefix: str) -> dict[str, str]:
        """How a node finds its objects."""
        return {
            "objects": f"s3://{BUCKET}/{prefix}",
            "objects_endpoint": self.endpoint,
            "objects_region": REGION,
            "objects_access_key": ACCESS_KEY,
            "objects_secret_key": SECRET_KEY,
        }

    def trouble(self, **faults: object) -> None:
        """From now on: `error_rate`, `status`, `delay_ms`, `cut_before`, `cut_after`, `only` a method."""
        self.ask("PUT", "/faults", faults)

    def calm(self) -> None:
        self.ask("DELETE", "/faults")

    def asked(self, method: str) -> int:
        """How many requests of a method it had so far."""
        return json.loads(self.ask("GET", "/count")).get(method, 0)

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def stop(self) -> None:
        self.program.stop()

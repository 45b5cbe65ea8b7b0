"""What `bench/run` and `bench/history` need before they can measure: the peers' packages, the load client, a place for data."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ENVIRONMENT = TARGET / "bench-venv"
SERVER = TARGET / "release" / "trailbook"


def enter_environment(script: Path) -> None:
    """Continues the script in a virtual environment that has the peers' packages; makes it at the first run."""
    if Path(sys.prefix).resolve() == ENVIRONMENT.resolve():
        return
    python = ENVIRONMENT / "bin" / "python"
    complete = ENVIRONMENT / "complete"
    wanted = (BENCH / "requirements.txt").read_text()
    if not complete.exists() or complete.read_text() != wanted:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(BENCH / "requirements.txt")]
        subprocess.run([python, *install], check=True)
        complete.write_text(wanted)
    os.execv(python, [str(python), str(script.resolve()), *sys.argv[1:]])


def server(binary: Path) -> Path:
    """The server's binary, which somebody has to have built."""
    if not binary.exists():
        sys.exit(f"{binary} is not there; build it with `cargo build --release` or name another with --binary")
    return binary.resolve()


def load_client() -> Path:
    """The load client, built if need be."""
    command = ["cargo", "build", "--release", "--quiet", "--package", "trailbook-bench", "--target-dir", str(TARGET)]
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "release" / "trailbook-bench"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """A directory that is gone at the end, whatever happens."""
    path = Path(tempfile.mkdtemp(prefix="trailbook-bench-", dir=parent))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

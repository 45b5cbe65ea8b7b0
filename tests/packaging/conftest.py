"""What the tests of `packaging/` share: where things are, the programs that judge them, and how one is run."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
# Where scripts/packaging put programs that are not on the path: helm, promtool, caddy.
TOOLS = Path(os.environ["TRAILBOOK_PACKAGING_TOOLS"])


def run(*command, **options):
    """A command's output; the test fails with all that it said when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def known_settings():
    """The names of all settings, `_file` ones included, from their document."""
    document = (ROOT / "docs/operate/settings.md").read_text()
    names = set(re.findall(r"^\| `([a-z_]+)` \|", document, re.MULTILINE))
    return names | {f"{name}_file" for name in names}


@pytest.fixture
def check_settings():
    """`trailbook config check` with a file's text or an environment; skipped where no binary was given."""
    binary = os.environ.get("TRAILBOOK_BIN")
    if not binary:
        pytest.skip("TRAILBOOK_BIN names no binary")

    def check(directory, toml="", environment=None):
        (directory / "trailbook.toml").write_text(toml)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRAILBOOK_")}
        run(binary, "config", "check", "--config", directory / "trailbook.toml", env={**clean, **(environment or {})})

    return check


@pytest.fixture
def secrets(tmp_path):
    """The folder of secrets that compose's script makes, as in a copy of the repository."""
    (tmp_path / "make-secrets").write_bytes((PACKAGING / "compose/make-secrets").read_bytes())
    run("bash", tmp_path / "make-secrets")
    return tmp_path / "secrets"

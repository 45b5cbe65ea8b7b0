"""The unit for systemd, judged by systemd's own programs. It is started nowhere here."""

import shutil

import pytest
from conftest import PACKAGING, known_settings, run

UNIT = PACKAGING / "systemd/trailbook.service"

# Tenths of what `systemd-analyze security` calls exposure; a plain service has 96.
EXPOSURE_MAX = 15


@pytest.fixture
def unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on this machine")
    # What it starts need not be installed here.
    (tmp_path / "trailbook.service").write_text(UNIT.read_text().replace("/usr/bin/trailbook", "/bin/true"))
    drop_in = tmp_path / "trailbook.service.d/secrets.conf"
    drop_in.parent.mkdir()
    drop_in.write_bytes((PACKAGING / "systemd/secrets.conf").read_bytes())
    return tmp_path / "trailbook.service"


def test_systemd_understands_it(unit):
    run("systemd-analyze", "verify", "--man=no", unit)


def test_it_stays_hardened(unit):
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)


def test_it_waits_for_the_server_to_finish_and_gives_up_on_bad_settings_alone():
    text = UNIT.read_text()
    assert "Restart=always" in text and "RestartPreventExitStatus=78" in text and "TimeoutStopSec=30" in text


def test_its_secrets_are_settings():
    text = (PACKAGING / "systemd/secrets.conf").read_text()
    given = dict(line.removeprefix("Environment=TRAILBOOK_").split("=%d/") for line in text.splitlines() if line.startswith("Environment="))
    loaded = [line.split("=")[1].split(":")[0] for line in text.splitlines() if line.startswith("LoadCredential=")]
    assert {name.lower() for name in given} == {f"{name}_file" for name in loaded} <= known_settings()
    assert sorted(given.values()) == sorted(loaded)


def test_the_server_takes_the_example_of_settings(check_settings, tmp_path):
    example = (PACKAGING / "systemd/trailbook.toml").read_text()
    check_settings(tmp_path, example)
    # What is commented out is meant to be taken as well.
    commented = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ") and " = " in line]
    assert len(commented) >= 3
    check_settings(tmp_path, "\n".join(commented))

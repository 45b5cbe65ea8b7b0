"""The image's recipe. No image is built here: that takes an engine for containers."""

import fnmatch

from conftest import PACKAGING, ROOT, run

RECIPE = PACKAGING / "Dockerfile"


def lines():
    joined = RECIPE.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def test_hadolint_finds_nothing():
    assert run("hadolint", RECIPE) == ""


def test_what_is_copied_is_there_and_not_left_out_of_the_context():
    left_out = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    sources = [word for line in lines() if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert len(sources) >= 4
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not any(fnmatch.fnmatch(source, pattern) for pattern in left_out), source
    # What the sources embed when they are compiled.
    for embedded in ["docs/verify.py", "docs/openapi.json", "mappings", "Cargo.lock"]:
        assert (ROOT / embedded).exists() and embedded.split("/")[0] not in left_out


def test_nobody_runs_it_as_root_and_it_stops_in_order():
    last = lines()[max(number for number, line in enumerate(lines()) if line.startswith("FROM")) :]
    assert "USER 10001:10001" in last and "STOPSIGNAL SIGTERM" in last and "VOLUME /data" in last
    assert 'ENTRYPOINT ["trailbook"]' in last
    assert any(line.startswith("HEALTHCHECK") and '"trailbook", "ready"' in line for line in last)


def test_the_versions_are_those_that_the_repository_asks_for():
    bases = [line.split()[1] for line in lines() if line.startswith("FROM")]
    rust = (ROOT / "Cargo.toml").read_text().split('rust-version = "')[1].split('"')[0]
    assert f"rust:{rust}-bookworm" in bases and "node:20-bookworm-slim" in bases

"""The files for Docker Compose, and the proxy before three nodes. Nothing is started here."""

import os

import pytest
import yaml
from conftest import PACKAGING, TOOLS, known_settings, run

FILES = sorted((PACKAGING / "compose").glob("*.yaml"))


def services(path):
    return yaml.safe_load(path.read_text())["services"]


def nodes(path):
    return {name: service for name, service in services(path).items() if "TRAILBOOK_PUBLIC_URL" in service.get("environment", {})}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_what_compose_takes(path):
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_closed_to_others_and_comes_back_by_itself(path):
    assert nodes(path)
    for name, service in services(path).items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert service["restart"] == ("no" if name == "bucket" else "unless-stopped"), name
    for name, node in nodes(path).items():
        assert node["read_only"] and node["cap_drop"] == ["ALL"] and "no-new-privileges:true" in node["security_opt"], name
        given = {setting.removeprefix("TRAILBOOK_").lower() for setting in node["environment"]}
        assert given <= known_settings(), given - known_settings()


def test_three_nodes_differ_in_their_name_alone():
    three = nodes(PACKAGING / "compose/three-nodes.yaml")
    names = [node["environment"].pop("TRAILBOOK_NODE_NAME") for node in three.values()]
    assert names == ["node1", "node2", "node3"] == list(three)
    settings = [node["environment"] for node in three.values()]
    assert settings[0] == settings[1] == settings[2]
    proxy = (PACKAGING / "compose/Caddyfile").read_text()
    assert all(f"{name}:8321" in proxy for name in three)


def test_every_secret_is_made_once_and_read_by_whom_it_is_for(secrets):
    path = PACKAGING / "compose/three-nodes.yaml"
    declared = {name: given["file"] for name, given in yaml.safe_load(path.read_text())["secrets"].items()}
    assert declared == {name: f"./secrets/{name}" for name in declared}
    assert set(os.listdir(secrets)) == set(declared)
    assert secrets.stat().st_mode & 0o777 == 0o700
    before = {name: (secrets / name).read_text() for name in declared}
    run("bash", secrets.parent / "make-secrets")
    assert before == {name: (secrets / name).read_text() for name in declared}
    for service in services(path).values():
        read = {value.removeprefix("/run/secrets/") for value in service.get("environment", {}).values() if "/run/secrets/" in value}
        assert read <= set(service.get("secrets", []))


def test_the_server_takes_the_settings_of_a_node(check_settings, secrets, tmp_path):
    node = nodes(PACKAGING / "compose/three-nodes.yaml")["node1"]["environment"]
    here = {name: value.replace("/run/secrets", str(secrets)).replace("${TRAILBOOK_PUBLIC_URL:-", "").rstrip("}") for name, value in node.items()}
    check_settings(tmp_path, environment=here)


def test_the_proxy_takes_its_file(tmp_path):
    run(TOOLS / "caddy", "validate", "--adapter", "caddyfile", "--config", PACKAGING / "compose/Caddyfile", env={"HOME": str(tmp_path)})

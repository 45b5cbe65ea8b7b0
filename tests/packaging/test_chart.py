"""The Helm chart, rendered by Helm itself and held against the schemas of Kubernetes. It is installed nowhere here."""

import json
import subprocess

import pytest
import yaml
from conftest import PACKAGING, ROOT, TOOLS, run

CHART = PACKAGING / "helm/trailbook"
VALUES = sorted((PACKAGING / "helm/values").glob("*.yaml"))
HELM = TOOLS / "helm"

names = pytest.mark.parametrize("values", VALUES, ids=lambda values: values.stem)


def rendered(values, *more):
    return run(HELM, "template", "log", CHART, "--namespace", "audit", "--kube-version", "1.35", "--values", values, *more)


def documents(values, *more):
    return {document["kind"]: document for document in yaml.safe_load_all(rendered(values, *more)) if document}


@names
def test_helm_finds_nothing(values):
    run(HELM, "lint", "--strict", CHART, "--values", values)


@names
@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_kubernetes_knows_every_field(values, version, tmp_path):
    (tmp_path / "rendered.yaml").write_text(rendered(values))
    run("kubernetes-validate", "--strict", "--kubernetes-version", version, "--quiet", "--no-warn", tmp_path / "rendered.yaml")


@names
def test_a_node_has_no_right_that_it_does_not_need(values):
    pod = documents(values)["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not any("KEY" in variable["name"] or "DATABASE" in variable["name"] for variable in container["env"])


@names
def test_probes_ask_what_the_server_answers_and_stopping_has_its_time(values):
    pod = documents(values)["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    asked = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert asked == ["/healthz", "/healthz", "/readyz"] and set(asked) <= set(paths)
    # The server takes at most 12 seconds: 8 for requests, 2 for deliveries, 2 for the ledger.
    assert pod["terminationGracePeriodSeconds"] >= container["lifecycle"]["preStop"]["sleep"]["seconds"] + 12


@names
def test_the_server_takes_the_settings(values, check_settings, secrets, tmp_path):
    toml = documents(values)["ConfigMap"]["data"]["trailbook.toml"]
    (secrets / "smtp_url").write_text("smtps://user:password@mail.example.com\n")
    assert "/run/secrets/trailbook" in toml
    check_settings(tmp_path, toml.replace("/run/secrets/trailbook", str(secrets)))


def test_what_is_switched_off_is_not_there():
    small, full = (documents(PACKAGING / f"helm/values/{name}.yaml") for name in ("small", "full"))
    assert set(full) - set(small) == {"Ingress", "NetworkPolicy", "ServiceMonitor"}
    assert "PodDisruptionBudget" not in documents(PACKAGING / "helm/values/small.yaml", "--set", "replicaCount=1")


@pytest.mark.parametrize(
    "wrong",
    [
        "settings.root_key=secret",
        "settings.smtp_url=smtp://host",
        "settings.database_file=/file",
        "replicaCount=0",
        "existingSecret=",
        "image.repository=",
        "secretSettings={database}",
        "ingress.enabled=true",
        "terminationGracePeriodSeconds=5",
        "replicas=3",
    ],
)
def test_values_that_cannot_work_are_refused(wrong):
    command = [HELM, "template", "log", CHART, "--values", PACKAGING / "helm/values/small.yaml", "--set", wrong]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0 and "values don't meet the specifications of the schema" in done.stderr, done.stderr

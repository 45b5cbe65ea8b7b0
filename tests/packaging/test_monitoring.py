"""Alert rules and dashboard. Whether the metrics exist is asked by the Rust test `metrics`, of a running server."""

import itertools
import json

import yaml
from conftest import PACKAGING, TOOLS, run
from grafana_foundation_sdk.models.dashboard import Dashboard

MONITORING = PACKAGING / "monitoring"
PROMTOOL = TOOLS / "promtool"


def panels():
    return json.loads((MONITORING / "dashboard.json").read_text())["panels"]


def test_prometheus_takes_the_rules():
    run(PROMTOOL, "check", "rules", MONITORING / "alerts.yaml")


def test_rules_tell_what_they_are_for_and_nothing_in_good_order():
    run(PROMTOOL, "test", "rules", MONITORING / "alerts_test.yaml")


def test_every_rule_says_how_bad_it_is_and_what_to_do():
    rules = [rule for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


def test_grafana_knows_the_dashboard_and_its_panels_lie_side_by_side():
    assert len(Dashboard.from_json(json.loads((MONITORING / "dashboard.json").read_text())).panels) == len(panels())
    assert [panel["id"] for panel in panels()] == list(range(1, len(panels()) + 1))
    places = [panel["gridPos"] for panel in panels()]
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_prometheus_understands_what_every_panel_asks(tmp_path):
    asked = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    assert len(asked) > 30
    asked = [expression.replace("$__rate_interval", "1m").replace("$instance", ".*") for expression in asked]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run(PROMTOOL, "check", "rules", tmp_path / "panels.yaml")

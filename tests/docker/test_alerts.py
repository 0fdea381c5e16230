"""What Prometheus asks of goodmany, for alerts and in the dashboard, is what goodmany tells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.docs.pages import names

ROOT = Path(__file__).parents[2]
SUFFIXES = re.compile(r"_(bucket|sum|count)$")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docker/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    dashboard = json.loads((ROOT / "docker/grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$__rate_interval", "5m")


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_is_promql_of_metrics_that_there_are(expression: str):
    promql_parser.parse(expression)
    known = set(names("docs/operations.md", "Metrics"))
    asked = {SUFFIXES.sub("", name) for name in re.findall(r"goodmany_\w+", expression)}
    assert asked <= known


def test_every_alert_has_a_name_of_its_own_a_severity_and_a_sentence():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_the_docs_list_the_alerts():
    assert sorted(names("docs/operations.md", "Alerts")) == sorted(rule["alert"] for rule in RULES)


def test_prometheus_reads_the_rules_where_compose_puts_them():
    config = yaml.safe_load((ROOT / "docker/prometheus.yml").read_text())
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    mounted = [mount.split(":")[:2] for mount in compose["services"]["prometheus"]["volumes"]]
    assert [["./docker/alerts.yml", path] for path in config["rule_files"]] == mounted[1:2]

"""The dashboard and what the compose file's profile `monitoring` is made of."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dashboard() -> dict[str, Any]:
    return json.loads((ROOT / "docker/grafana-dashboard.json").read_text())


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_panels_have_ids_and_places_of_their_own(dashboard: dict[str, Any]):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
        assert one["x"] + one["w"] <= 24


def test_every_panel_says_what_it_shows_and_takes_the_chosen_data_source(
    dashboard: dict[str, Any],
):
    (variable,) = dashboard["templating"]["list"]
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["title"]
        assert panel["description"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        for source in (panel, *panel["targets"]):
            assert source["datasource"] == {
                "type": variable["query"],
                "uid": f"${{{variable['name']}}}",
            }


def test_prometheus_finds_the_api_by_its_name_in_the_compose_file(compose: dict[str, Any]):
    (scrape,) = yaml.safe_load((ROOT / "docker/prometheus.yml").read_text())["scrape_configs"]
    (discovery,) = scrape["dns_sd_configs"]
    for name in discovery["names"]:
        assert any(
            port.endswith(f":{discovery['port']}") for port in compose["services"][name]["ports"]
        )


def test_the_monitoring_services_are_asked_for_and_their_files_exist(compose: dict[str, Any]):
    for name in ("prometheus", "grafana"):
        service = compose["services"][name]
        assert service["profiles"] == ["monitoring"]
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (ROOT / source).is_file()
        for config in service.get("configs", []):
            assert yaml.safe_load(compose["configs"][config["source"]]["content"])

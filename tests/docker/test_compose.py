"""What compose lets a service have is what the service's own limits may make it take."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.http.services import MAX_DECODING
from app.settings import Settings

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
UNITS = {"M": 2**20, "G": 2**30}


def memory_bytes(service: str, kind: str) -> int:
    """The `limits` or `reservations` of memory that compose has for a service."""
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    text = services[service]["deploy"]["resources"][kind]["memory"]
    return int(text[:-1]) * UNITS[text[-1]]


@pytest.mark.parametrize(
    ("service", "num_decoders"), [("api", MAX_DECODING), ("worker", 1), ("worker-gpu", 1)]
)
def test_a_limit_leaves_room_for_all_decoders_beside_what_the_service_has_reserved(
    service: str, num_decoders: int
):
    decoders = num_decoders * Settings().decoding_memory_bytes
    assert memory_bytes(service, "limits") >= memory_bytes(service, "reservations") + decoders

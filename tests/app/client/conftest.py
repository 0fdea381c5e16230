from collections.abc import Iterator
from pathlib import Path

import pytest

from goodmany import Client
from tests.app.client.service import Service, running
from tests.conftest import encode, texture


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("client")) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.address) as client:
        yield client


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "nut.png"
    path.write_bytes(encode(texture()))
    return path

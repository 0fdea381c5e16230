from collections.abc import Iterator
from pathlib import Path

import pytest

from goodmany import Client, Job, Result
from tests.app.client.held_by_name import HELD
from tests.app.client.service import Service, running
from tests.conftest import encode, texture
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY


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


@pytest.fixture(scope="module")
def result(service: Service) -> Result:
    """One that nobody changes."""
    with Client(service.address) as client:
        return client.generate(texture(), "fine nut", num_images=3, seed=5)


@pytest.fixture
def held(service: Service, client: Client, image: Path) -> Iterator[Job]:
    """A job that waits for leave with all its images made."""
    service.connection.delete(GO_KEY, HELD_KEY)
    job = client.submit(image, HELD, num_images=8)
    service.wait_held()
    yield job
    if not job.refresh().is_over:
        service.release()
        job.wait()

"""A service that all clients share."""

from collections.abc import Iterator

import httpx2
import pytest

from benchmarks.contract import served
from tests.conftest import encode, texture


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("contract") / "data") as address:
        yield address


def plain_files(address: str) -> tuple[bytes, bytes]:
    """The archive and an image of a new job, as plain HTTP gets them."""
    with httpx2.Client(base_url=address, timeout=90) as http:
        files = {"images": ("a.png", encode(texture()))}
        link = http.post("/v1/jobs", data={"object_name": "nut"}, files=files).json()["links"]
        job = http.get(link["self"], headers={"Prefer": "wait=20"}).json()
        archive = http.get(job["links"]["archive"]).raise_for_status().content
        image = http.get(f"{link['self']}/images/1").raise_for_status().content
    return archive, image

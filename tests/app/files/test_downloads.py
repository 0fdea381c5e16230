"""Files come out of S3 byte for byte, whole and in parts, and no more is fetched than is asked."""

import io
import random
import zipfile

import httpx2
import pytest

from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import finish, post
from tests.conftest import encode, texture
from tests.s3_server import Wire

IMAGE_BYTES = 500_000


@pytest.fixture
def settings(settings: Settings, bucket: str) -> Settings:
    return settings.model_copy(update={"storage_url": f"s3://{bucket}/jobs"})


@pytest.fixture
def images() -> list[bytes]:
    """20 MB in all."""
    return [random.Random(number).randbytes(IMAGE_BYTES) for number in range(40)]


@pytest.fixture
def archive(images: list[bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number, image in enumerate(images):
            file.writestr(f"nut/train/good/{number:03d}.png", image)
    return buffer.getvalue()


@pytest.fixture
def link(api: httpx2.Client, store: JobStore, settings: Settings, archive: bytes) -> str:
    job = post(api, encode(texture())).json()
    finish(store, settings, job["id"], archive)
    return str(job["links"]["self"])


def test_the_archive_comes_out_of_s3_as_it_went_in(api: httpx2.Client, link: str, archive: bytes):
    whole = api.get(f"{link}/archive")
    assert whole.content == archive
    assert whole.headers["content-length"] == str(len(archive))
    etag = whole.headers["etag"]
    for first, last in ((0, 0), (255_999, 256_001), (7_000_000, 9_000_000), (len(archive) - 9, "")):
        asked = {"range": f"bytes={first}-{last}", "if-range": etag}
        part = api.get(f"{link}/archive", headers=asked)
        end = len(archive) if last == "" else int(last) + 1
        assert (part.status_code, part.content) == (206, archive[first:end])
    assert api.get(f"{link}/archive", headers={"if-none-match": etag}).status_code == 304


def test_little_is_fetched_for_a_little(
    api: httpx2.Client, link: str, archive: bytes, images: list[bytes], wire: Wire
):
    before = wire.num_bytes_down
    assert api.get(f"{link}/images/17").content == images[17]
    assert wire.num_bytes_down - before < 3 * IMAGE_BYTES
    before = wire.num_bytes_down
    assert api.get(f"{link}/archive", headers={"range": "bytes=5000000-5000009"}).status_code == 206
    assert wire.num_bytes_down - before < IMAGE_BYTES
    before = wire.num_bytes_down
    assert api.get(f"{link}/archive").content == archive
    assert wire.num_bytes_down - before < 1.1 * len(archive)


def test_files_in_s3_expire(
    api: httpx2.Client, link: str, settings: Settings, s3_server, bucket: str
):
    mark = "jobs/.goodmany/instance"
    assert len(s3_server.keys(bucket)) == 3
    assert api.delete(link).status_code == 204
    assert s3_server.keys(bucket) == [mark]
    assert api.get(f"{link}/archive").status_code == 410
    filesystem = Storage(settings.storage_address).filesystem
    assert filesystem.find(f"{bucket}/jobs") == [f"{bucket}/{mark}"]

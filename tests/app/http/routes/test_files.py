"""What a finished job hands out, over real HTTP."""

import io
import zipfile

import httpx2
import pytest

from app.files.storage import Storage, outputs_of
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post, slug


def test_job_without_archive(api: httpx2.Client):
    job = post(api, PNG).json()
    api.post(job["links"]["cancel"])
    answer = api.get(f"/v1/jobs/{job['id']}/archive")
    assert (answer.status_code, slug(answer)) == (409, "job-without-archive")


def test_the_archive_is_sent_whole_and_in_parts(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job_id = post(api, PNG).json()["id"]
    finish(store, settings, job_id)
    job = api.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["percent"], job["num_images"]) == ("succeeded", 100, 2)
    link = job["links"]["archive"]
    whole = api.get(link)
    assert whole.headers["content-type"] == "application/zip"
    assert whole.content == b"0123456789"
    etag = whole.headers["etag"]
    parts = {"bytes=2-4": b"234", "bytes=7-": b"789", "bytes=-2": b"89", "bytes=5-99": b"56789"}
    for asked, expected in parts.items():
        part = api.get(link, headers={"range": asked, "if-range": etag})
        assert (part.status_code, part.content) == (206, expected)
    assert part.headers["content-range"] == "bytes 5-9/10"
    assert api.get(link, headers={"range": "bytes=2-4", "if-range": '"old"'}).status_code == 200
    assert api.get(link, headers={"if-none-match": etag}).status_code == 304
    # What is no range is passed over (RFC 9110, 14.2), as is one that no file can have.
    for asked in ("bytes=x", "bytes=-", "bytes=" + "9" * 5000 + "-", "bytes=-" + "9" * 5000):
        assert api.get(link, headers={"range": asked}).status_code == 200
    behind = api.get(link, headers={"range": "bytes=10-"})
    assert (behind.status_code, slug(behind)) == (416, "range-not-satisfiable")
    assert behind.headers["content-range"] == "bytes */10"


def test_single_images_come_out_of_the_archive(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nut/train/good/000.png", b"first")
        archive.writestr("nut/train/good/001.png", b"second")
        archive.writestr("manifest.json", b"{}")
    job = post(api, PNG).json()
    finish(store, settings, job["id"], buffer.getvalue())
    link = f"{job['links']['self']}/images"
    assert api.get(f"{link}/1").content == b"second"
    missing = api.get(f"{link}/2")
    assert (missing.status_code, slug(missing)) == (404, "image-not-found")
    wrong = api.get(f"{link}/-1")
    assert (wrong.status_code, slug(wrong)) == (422, "invalid-request")


@pytest.mark.parametrize(("preset", "is_there"), [("goodmany", False), ("varied", True)])
def test_there_is_a_map_of_the_variance_where_sigma_varied_images(
    api: httpx2.Client, store: JobStore, settings: Settings, preset: str, *, is_there: bool
):
    job = post(api, PNG, preset=preset).json()
    here = f"/v1/jobs/{job['id']}"
    if is_there:
        name = f"{outputs_of('attempt')}/variance.png"
        Storage(settings.storage_address).write(job["id"], name, PNG)
    finish(store, settings, job["id"])
    assert api.get(here).json()["links"]["variance"] == (f"{here}/variance" if is_there else None)
    answer = api.get(f"{here}/variance")
    if is_there:
        assert answer.content == PNG
    else:
        assert (answer.status_code, slug(answer)) == (404, "image-not-found")

"""Whole jobs by the client, against the real service."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from app.access.api_keys import ApiKeys
from goodmany import Client, Job, JobCanceledError, Result, errors
from tests.app.client.service import Service
from tests.conftest import texture
from tests.workers.generation.quick_pipeline import FAILING


def test_images_in_a_bucket_are_the_services_to_fetch(client: Client):
    for none in (None, []):
        with pytest.raises(errors.InvalidRequestError, match="takes no images from a bucket"):
            client.submit(none, "nut", images_url="s3://line-3/good/")
    with pytest.raises(ValueError, match="at least one image"):
        client.submit(None, "nut")


def test_images_that_are_held_out_judge_the_set(client: Client):
    apart = [texture(seed=seed) for seed in range(1, 7)]
    result = client.generate(texture(), "nut", held_out=apart, num_images=2)
    assert [image["field"] for image in result.job.raw["held_out"]] == [
        f"held_out_images[{number}]" for number in range(6)
    ]
    judged = result.manifest["held_out"]
    assert judged["num_images"] == 6
    assert set(judged["new"]) == {"precision", "coverage"}
    with pytest.raises(errors.InvalidRequestError, match="at least 6"):
        client.submit(texture(), "nut", held_out=apart[1:])


def test_images_come_with_what_the_manifest_says(result: Result):
    images = list(result.images())
    assert len(images) == result.manifest["num_images"] == result.job.num_images == 3
    for number, (image, entry) in enumerate(images):
        assert (image.size, image.mode) == ((64, 64), "RGB")
        assert entry["file"] == f"fine_nut/train/good/{number:03d}.png"
    assert result.manifest["request"]["seed"] == 5


def test_a_result_is_saved_as_its_archive(result: Result, tmp_path: Path):
    paths = result.save(tmp_path / "new")
    with zipfile.ZipFile(io.BytesIO(result.archive)) as archive:
        assert archive.testzip() is None
        unpacked = {str(path.relative_to(tmp_path / "new")) for path in paths}
        assert unpacked == {name for name in archive.namelist() if name.endswith(".png")}
        for name in archive.namelist():
            assert (tmp_path / "new" / name).read_bytes() == archive.read(name)
    result.save_archive(tmp_path / "set.zip")
    assert (tmp_path / "set.zip").read_bytes() == result.archive


def test_every_form_of_an_image_arrives_with_the_same_pixels(client: Client, image: Path):
    picture = Image.open(image)
    deep = np.asarray(picture).astype(np.uint16) * 257
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, deep, photometric="rgb")
    # The file that is named twice is one.
    forms = [image, str(image), image.read_bytes(), picture, np.asarray(picture)]
    job = client.submit([*forms, deep, tiff.getvalue()], "nut", num_images=1)
    same_as = [[warning["same_as"] for warning in one["warnings"]] for one in job.status.inputs]
    assert same_as == [[], [0], [0], [0], [], [4]]
    assert [one["white"] for one in job.status.inputs] == [255] * 4 + [65535] * 2


def test_options_reach_the_service(client: Client, image: Path):
    asked = {
        "num_images": 2,
        "seed": 3,
        "image_size": 96,
        "prompt": "a nut",
        "bit_depth": 12,
        "effort": "draft",
        "strict": True,
        "priority": "batch",
        "expires_in_s": 600,
    }
    for invariances in (["shift", "scale"], [], None):
        job = client.submit(image, "nut", invariances=invariances, **asked)
        request = job.status.raw["request"]
        assert {name: request[name] for name in asked} == asked
        assert request["invariances"] == invariances
        assert (job.status.width, job.status.height) == (96, 96)
        job.cancel()


def test_a_job_is_found_again_by_another_client(service: Service, result: Result):
    with Client(service.address) as client:
        job = client.job(result.job.id)
        assert job.status.state == "succeeded"
        assert job.result().archive == result.archive
        preview = io.BytesIO()
        job.download("preview", preview)
        assert Image.open(preview).format == "PNG"
        shorter = io.BytesIO()
        job.download("archive", shorter, without="0,2")
        with zipfile.ZipFile(shorter) as archive:
            pictures = [name for name in archive.namelist() if name.endswith(".png")]
        assert pictures == ["fine_nut/train/good/001.png"]


def test_a_canceled_job_is_told_and_can_be_deleted(client: Client, held: Job):
    with pytest.raises(errors.JobNotFinishedError):
        held.delete()
    assert held.cancel().state == "canceled"
    # As after an answer that was lost.
    assert held.cancel().state == "canceled"
    with pytest.raises(JobCanceledError) as canceled:
        held.wait()
    assert canceled.value.job.id == held.id
    held.delete()
    assert held.refresh().state == "expired"
    with pytest.raises(errors.JobExpiredError):
        held.result()


def test_a_job_that_is_over_cannot_be_canceled(client: Client, result: Result):
    with pytest.raises(errors.JobAlreadyOverError):
        client.job(result.job.id).cancel()


def test_a_failed_job_raises_its_problem(client: Client, image: Path):
    with pytest.raises(errors.TooFewImagesError, match="failed") as failed:
        client.generate(image, FAILING, num_images=4)
    error = failed.value
    assert error.job is not None
    assert (error.job.state, error.status) == ("failed", 422)
    assert error.__notes__ == [
        f"It was job {error.job.id}; client.job({error.job.id!r}) finds it again."
    ]


def test_jobs_are_listed_page_by_page(client: Client, image: Path, monkeypatch: pytest.MonkeyPatch):
    ids = [client.submit(image, "listed nut", num_images=1).id for _ in range(3)]
    page = client._service.page
    monkeypatch.setattr(
        client._service, "page", lambda query, cursor: page({**query, "limit": 2}, cursor)
    )
    assert [job.id for job in client.jobs(object_name="Listed Nut")] == ids[::-1]
    for job in client.jobs(object_name="listed nut"):
        job.wait()
    states = {job.status.state for job in client.jobs(state=["succeeded", "failed"])}
    assert {"succeeded"} <= states <= {"succeeded", "failed"}


def test_a_key_opens_and_a_wrong_one_does_not(
    service: Service, image: Path, monkeypatch: pytest.MonkeyPatch
):
    _, text = ApiKeys(service.connection).create("a machine")
    with service.other(require_api_key="always", max_unfinished_jobs=1) as address:
        with Client(address, "gm_0_0") as client, pytest.raises(errors.UnauthorizedError):
            client.job("0" * 32)
        monkeypatch.setenv("GOODMANY_API_KEY", text)
        monkeypatch.setenv("GOODMANY_SERVER", address)
        with Client(patience_s=0) as client:
            assert len(list(client.generate(image, "nut", num_images=1).images())) == 1
            long = client.submit(image, "nut", num_images=1000)
            with pytest.raises(errors.TooManyJobsError):
                client.submit(image, "nut")
            long.cancel()
            with pytest.raises(errors.JobNotFoundError):
                client.job("0" * 32)


def test_a_key_of_ones_own_finds_the_job_again(client: Client, image: Path):
    first = client.submit(image, "nut", num_images=1, idempotency_key="line 3, monday")
    again = client.submit(image, "nut", num_images=1, idempotency_key="line 3, monday")
    assert first.id == again.id
    with pytest.raises(errors.IdempotencyKeyReusedError):
        client.submit(image, "bolt", num_images=1, idempotency_key="line 3, monday")


def test_a_download_that_fails_leaves_no_file(client: Client, held: Job, tmp_path: Path):
    for name in ("new.zip", "old.zip"):
        (tmp_path / "old.zip").write_bytes(b"old")
        with pytest.raises(errors.JobNotFinishedError):
            held.download("archive", tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"nut.png", "old.zip"}
    assert (tmp_path / "old.zip").read_bytes() == b"old"


def test_a_wait_can_be_given_up(held: Job):
    with pytest.raises(errors.WaitTimeoutError):
        held.wait(timeout_s=0.2)
    assert held.refresh().state == "running"

"""Whole jobs by the client, against the real service."""

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from app.access.api_keys import ApiKeys
from goodmany import Client, Job, JobCanceledError, JobStatus, Result, errors
from tests.app.client.held_by_name import HELD
from tests.app.client.service import BreaksOnce, Restarted, Service
from tests.conftest import encode, texture, wait_until
from tests.workers.generation.held_pipeline import GO_KEY, HELD_KEY
from tests.workers.generation.quick_pipeline import FAILING


def port_of(address: str) -> int:
    return int(address.rstrip("/").rpartition(":")[2])


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


class Follower(threading.Thread):
    """Waits for a job as another program would."""

    def __init__(self, address: str, job_id: str):
        super().__init__()
        self.address, self.job_id = address, job_id
        self.told: list[JobStatus] = []
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with Client(self.address) as client:
                client.job(self.job_id).wait(self.told.append)
        except Exception as error:
            self.error = error

    def has_heard(self) -> bool:
        return any(status.state == "running" for status in self.told)

    def end(self) -> list[JobStatus]:
        self.join(90)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.told


def check_told(told: list[JobStatus]) -> None:
    """Nothing came twice, and nothing was missed at the end."""
    percents = [status.percent for status in told]
    assert percents == sorted(percents)
    assert told[-1].state == "succeeded"
    assert told[-1].percent == 100


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


REFUSED = {
    "field": ({"num_images": 0}, errors.InvalidRequestError),
    "name": ({"object_name": "123"}, errors.InvalidRequestError),
    "no image": ({"images": b"no image"}, errors.NotAnImageError),
    "empty": ({"images": b""}, errors.EmptyImageError),
    "damaged": ({"images": encode(texture())[:300]}, errors.DamagedImageError),
    "small": ({"images": texture((8, 8))}, errors.ImageTooSmallError),
    "narrow": ({"images": texture((1280, 32))}, errors.ImageTooNarrowError),
    "shapes": ({"images": [texture(), texture((64, 128))]}, errors.ShapeMismatchError),
    "many": ({"images": [texture(seed=seed) for seed in range(9)]}, errors.TooManyImagesError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_raises_its_problem(client: Client, image: Path, case: str):
    changes, kind = REFUSED[case]
    with pytest.raises(kind) as refused:
        client.submit(**{"images": image, "object_name": "nut", **changes})
    assert refused.value.job is None
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"max_upload_bytes": 100}, errors.UploadTooLargeError),
        ({"max_image_pixels": 1000}, errors.ImageTooLargeError),
        ({"require_api_key": "always"}, errors.UnauthorizedError),
    ],
)
def test_limits_and_keys_raise_their_problem(
    service: Service, image: Path, settings: dict[str, object], kind: type[errors.ProblemError]
):
    with service.other(**settings) as address, Client(address) as client, pytest.raises(kind):
        client.submit(image, "nut")


def test_a_service_that_lies_elsewhere_has_no_such_route(service: Service, image: Path):
    with (
        Client(f"{service.address}/nowhere") as client,
        pytest.raises(errors.RouteNotFoundError),
    ):
        client.submit(image, "nut")


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


def test_a_request_that_lost_its_answer_makes_one_job(service: Service, image: Path):
    wire = BreaksOnce(port_of(service.address), 0)
    with Client(wire.address) as client:
        job = client.submit(image, "nut that is sent again", num_images=1)
        assert wire.has_broken
        found = [one.id for one in client.jobs(object_name="nut that is sent again")]
    wire.cut()
    assert found == [job.id]


def test_a_key_of_ones_own_finds_the_job_again(client: Client, image: Path):
    first = client.submit(image, "nut", num_images=1, idempotency_key="line 3, monday")
    again = client.submit(image, "nut", num_images=1, idempotency_key="line 3, monday")
    assert first.id == again.id
    with pytest.raises(errors.IdempotencyKeyReusedError):
        client.submit(image, "bolt", num_images=1, idempotency_key="line 3, monday")


def test_a_download_that_broke_off_goes_on(service: Service, result: Result):
    wire = BreaksOnce(port_of(service.address), len(result.archive) // 2)
    with Client(wire.address) as client:
        job = client.job(result.job.id)
        file = io.BytesIO(b"before")
        file.seek(6)
        job.download("archive", file)
    wire.cut()
    assert wire.has_broken
    assert file.getvalue() == b"before" + result.archive


def test_a_download_that_fails_leaves_no_file(client: Client, held: Job, tmp_path: Path):
    for name in ("new.zip", "old.zip"):
        (tmp_path / "old.zip").write_bytes(b"old")
        with pytest.raises(errors.JobNotFinishedError):
            held.download("archive", tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"nut.png", "old.zip"}
    assert (tmp_path / "old.zip").read_bytes() == b"old"


def test_a_download_that_cannot_go_on_begins_again(service: Service, result: Result):
    """What is made while it is sent has no ETag."""
    with Client(service.address) as client:
        whole = io.BytesIO()
        client.job(result.job.id).download("archive", whole, without="0")
    wire = BreaksOnce(port_of(service.address), len(whole.getvalue()) // 2)
    with Client(wire.address) as client:
        file = io.BytesIO()
        client.job(result.job.id).download("archive", file, without="0")
    wire.cut()
    assert wire.has_broken
    assert file.getvalue() == whole.getvalue()


def test_events_that_broke_off_go_on(service: Service, held: Job):
    wire = BreaksOnce(port_of(service.address), 10**9)
    follower = Follower(wire.address, held.id)
    wait_until(follower.has_heard)
    wire.cut()
    wire.mend()
    service.release()
    check_told(follower.end())
    wire.cut()


def test_a_service_that_is_started_anew_is_waited_for(service: Service, held: Job):
    api = Restarted(service.settings)
    follower = Follower(api.address, held.id)
    wait_until(follower.has_heard)
    api.stop()
    service.release()
    wait_until(lambda: held.refresh().is_over)
    api.start()
    check_told(follower.end())
    api.stop()


def test_a_service_that_does_not_come_back_is_told(service: Service, held: Job):
    wire = BreaksOnce(port_of(service.address), 10**9)
    with Client(wire.address, patience_s=0.5) as client:
        job = client.job(held.id)
        with pytest.raises(errors.UnreachableError, match=f"Job {held.id} may go on there"):
            job.wait(lambda _: wire.cut())


def test_where_no_events_come_through_it_asks(
    service: Service, held: Job, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goodmany.http.waiting.SILENCE_S", 0.2)
    asked: list[str] = []
    with Client(service.address) as client:
        client.http.event_hooks["request"] = [lambda one: asked.append(one.headers.get("prefer"))]
        told: list[JobStatus] = []
        thread = threading.Thread(target=lambda: client.job(held.id).wait(told.append))
        thread.start()
        wait_until(lambda: any(asked))
        service.release()
        thread.join()
    check_told(told)


def test_too_many_questions_are_asked_later(service: Service, image: Path):
    _, text = ApiKeys(service.connection).create("a machine")
    with (
        service.other(require_api_key="always", max_requests_per_minute=60) as address,
        Client(address, text) as client,
    ):
        refusals: list[int] = []
        client.http.event_hooks["response"] = [lambda answer: refusals.append(answer.status_code)]
        job = client.submit(image, "nut", num_images=1)
        while 429 not in refusals:
            job.refresh()
        assert job.wait().state == "succeeded"


def test_a_wait_can_be_given_up(held: Job):
    with pytest.raises(errors.WaitTimeoutError):
        held.wait(timeout_s=0.2)
    assert held.refresh().state == "running"


def test_nobody_there(image: Path):
    with (
        Client("http://127.0.0.1:1", max_retries=1) as client,
        pytest.raises(errors.UnreachableError, match="cannot be reached"),
    ):
        client.submit(image, "nut")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "nonsense", "http://[::1", "ftp://127.0.0.1"])
def test_what_is_no_address(url: str):
    with pytest.raises(ValueError, match="is no address of a service"):
        Client(url)


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a b", "ä"])
def test_what_is_no_id(client: Client, job_id: str):
    with pytest.raises(ValueError, match="is no id of a job"):
        client.job(job_id)

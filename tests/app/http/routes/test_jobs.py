"""The jobs' routes over real HTTP, with a real Redis and no worker."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from app.files.storage import Storage, outputs_of
from app.jobs.model import JobRequest
from app.jobs.store import JobStore
from app.settings import Settings
from tests.conftest import encode, texture

pytestmark = pytest.mark.slow

PNG = encode(texture())


def post(api: httpx2.Client, *images: bytes, **fields: object) -> httpx2.Response:
    files = [("images", (f"{n}.png", image)) for n, image in enumerate(images)]
    return api.post("/v1/jobs", data={"object_name": "hazelnut", **fields}, files=files)


def slug(answer: httpx2.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem["type"].removeprefix("urn:goodmany:problem:")


def finish(store: JobStore, settings: Settings, job_id: str, archive: bytes = b"0123456789"):
    """What a worker does at the end."""
    store.start(job_id, "attempt")
    name = f"{outputs_of('attempt')}/archive.zip"
    Storage(settings.storage_address).write(job_id, name, archive)
    assert store.succeed(job_id, "attempt", {"num_images": "2", "prompt": "a good nut"})


def test_a_job_is_accepted_and_reported(api: httpx2.Client):
    answer = post(api, PNG, PNG, num_images=5, seed=7)
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "queued"
    assert job["queue_position"] == 1
    assert job["stage"] is job["prompt"] is job["started_at"] is job["problem"] is None
    assert (job["num_images_requested"], job["num_images"], job["percent"]) == (5, 0, 0)
    assert api.get(answer.headers["location"]).json() == job
    assert post(api, PNG).json()["queue_position"] == 2


@pytest.mark.parametrize(("size", "expected"), [((96, 64), (240, 160)), ((1024, 32), (1024, 32))])
def test_the_size_of_the_new_images_is_told_at_once(
    api: httpx2.Client, size: tuple[int, int], expected: tuple[int, int]
):
    job = post(api, encode(texture(size)), image_size=240).json()
    assert (job["width"], job["height"]) == expected
    assert api.get(job["links"]["self"]).json() == job


def test_the_uploads_are_kept_as_they_came(api: httpx2.Client, settings: Settings):
    job_id = post(api, PNG, encode(texture(seed=1), "JPEG")).json()["id"]
    storage = Storage(settings.storage_address)
    assert storage.names(job_id, "inputs") == ["inputs/000", "inputs/001"]
    assert storage.read(job_id, "inputs/000") == PNG


def test_every_field_reaches_the_record(api: httpx2.Client, store: JobStore):
    asked = {
        "object_name": "metal nut",
        "num_images": 3,
        "seed": 5,
        "image_size": 128,
        "prompt": "a shiny nut",
        "invariances": ["rotate", "flip_horizontal"],
        "effort": "draft",
        "preset": "varied",
        "strict": True,
        "callback_url": "https://example.com/hook",
        "expires_in_s": 600,
        "priority": "batch",
        "bit_depth": 12,
    }
    job_id = post(api, PNG, **asked).json()["id"]
    recorded = JobRequest.model_validate_json(store.get_record(job_id)["request"])
    assert recorded.model_dump(mode="json", exclude_none=True) == asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("object_name", ""),
        ("object_name", "   "),
        ("object_name", "n" * 101),
        ("object_name", "nut\x00"),
        ("object_name", "nut\nnut"),
        ("object_name", "1234"),
        ("num_images", 0),
        ("num_images", 1001),
        ("num_images", "NaN"),
        ("image_size", 63),
        ("image_size", 4097),
        ("seed", -1),
        ("seed", 2**32),
        ("effort", "heroic"),
        ("preset", "secret"),
        ("bit_depth", 7),
        ("bit_depth", 17),
        ("invariances", "melt"),
        ("prompt", "p" * 301),
        ("colour", "blue"),
    ],
)
def test_invalid_request_names_the_field(api: httpx2.Client, field: str, value: object):
    answer = post(api, PNG, **{field: value})
    assert answer.status_code == 422
    assert slug(answer) == "invalid-request"
    assert {e["field"].split(".")[0] for e in answer.json()["errors"]} == {field}


def test_no_images(api: httpx2.Client):
    answer = api.post("/v1/jobs", data={"object_name": "nut"})
    assert (answer.status_code, slug(answer)) == (422, "no-images")


def test_an_image_is_sent_as_a_file(api: httpx2.Client):
    files = [("object_name", (None, "nut")), ("images", (None, PNG))]
    answer = api.post("/v1/jobs", files=files)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert "file name" in answer.json()["errors"][0]["detail"]


def test_too_many_images(api: httpx2.Client):
    answer = post(api, *[PNG] * 5)
    assert (answer.status_code, slug(answer)) == (422, "too-many-images")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty-image"),
        (b"GIF89a not an image", "not-an-image"),
        (PNG[: len(PNG) // 2], "damaged-image"),
        (encode(texture((1008, 1000))), "image-too-large"),
        (encode(texture((64, 24))), "image-too-small"),
        (encode(texture((32 * 32 + 1, 32))), "image-too-narrow"),
        (encode(texture(), save_all=True, append_images=[texture(seed=1)]), "several-frames"),
    ],
)
def test_an_unusable_image_is_named_and_leaves_nothing(
    api: httpx2.Client, settings: Settings, content: bytes, expected: str
):
    answer = post(api, PNG, content)
    assert (answer.status_code, slug(answer)) == (422, expected)
    assert [e["field"] for e in answer.json()["errors"]] == ["images[1]"]
    assert api.get("/v1/jobs").json()["items"] == []
    assert not list(settings.data_dir.rglob("inputs"))


def test_mixed_sizes_of_one_shape_are_allowed(api: httpx2.Client):
    assert post(api, PNG, encode(texture((96, 96))), encode(texture((48, 40)))).status_code == 202


def test_malformed_body(api: httpx2.Client):
    answer = api.post(
        "/v1/jobs",
        content=b"--x\r\nnonsense",
        headers={"content-type": "multipart/form-data; boundary=y"},
    )
    assert (answer.status_code, slug(answer)) == (400, "malformed-body")


def test_upload_too_large_by_its_declared_length(api: httpx2.Client):
    answer = api.post("/v1/jobs", content=b"x" * 2_000_001)
    assert (answer.status_code, slug(answer)) == (413, "upload-too-large")


def test_upload_too_large_by_the_bytes_that_arrive(api: httpx2.Client):
    def endless():
        yield b'--y\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 100_000

    answer = api.post(
        "/v1/jobs",
        content=endless(),
        headers={"content-type": "multipart/form-data; boundary=y"},
    )
    assert (answer.status_code, slug(answer)) == (413, "upload-too-large")


def test_not_found(api: httpx2.Client):
    answer = api.get("/v2/nothing")
    assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_method_not_allowed(api: httpx2.Client):
    answer = api.put("/v1/jobs")
    assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert api.post(f"/v1/jobs/{'0' * 32}").headers["allow"] == "DELETE, GET, HEAD"


@pytest.mark.parametrize("path", ["", "/archive", "/preview", "/variance"])
def test_job_not_found(api: httpx2.Client, path: str):
    answer = api.get(f"/v1/jobs/{'0' * 32}{path}")
    assert (answer.status_code, slug(answer)) == (404, "job-not-found")


@pytest.mark.parametrize("path", ["", "/events", "/archive"])
def test_an_id_that_would_name_another_key_of_redis_is_no_job(api: httpx2.Client, path: str):
    job_id = post(api, PNG).json()["id"]
    answer = api.get(f"/v1/jobs/{job_id}:events{path}")
    assert (answer.status_code, slug(answer)) == (404, "job-not-found")


@pytest.mark.parametrize("path", ["archive", "preview", "variance"])
def test_job_not_finished(api: httpx2.Client, path: str):
    job = post(api, PNG).json()
    answer = api.get(f"/v1/jobs/{job['id']}/{path}")
    assert (answer.status_code, slug(answer)) == (409, "job-not-finished")


def test_cancel_is_certain_and_told_only_once(api: httpx2.Client, store: JobStore):
    job = post(api, PNG).json()
    other = post(api, PNG).json()
    answer = api.post(job["links"]["cancel"])
    assert answer.status_code == 202
    assert answer.json()["state"] == "canceled"
    assert answer.json()["links"]["cancel"] is None
    again = api.post(job["links"]["cancel"])
    assert (again.status_code, slug(again)) == (409, "job-already-over")
    # Only this job, and the other moves up.
    assert api.get(other["links"]["self"]).json()["state"] == "queued"
    assert api.get(other["links"]["self"]).json()["queue_position"] == 1
    unknown = api.post(f"/v1/jobs/{'0' * 32}/cancel")
    assert (unknown.status_code, slug(unknown)) == (404, "job-not-found")


def test_the_list_goes_back_in_time_without_gaps(api: httpx2.Client):
    ids = [post(api, PNG).json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = api.get("/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [job["id"] for job in page.json()["items"]]
        # A job that comes in meanwhile moves nothing.
        post(api, PNG)
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


def test_invalid_cursor(api: httpx2.Client):
    answer = api.get("/v1/jobs", params={"cursor": "[x"})
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_a_fault_of_ours_tells_no_internals(api: httpx2.Client, store: JobStore):
    job = post(api, PNG).json()
    store.connection.set(f"goodmany:job:{job['id']}", "secret")
    answer = api.get(job["links"]["self"])
    assert (answer.status_code, slug(answer)) == (500, "internal-error")
    assert "secret" not in answer.text


def test_the_same_idempotency_key_gives_the_same_job(api: httpx2.Client, settings: Settings):
    def send(number: int) -> httpx2.Response:
        files = [("images", ("a.png", PNG))]
        return api.post(
            "/v1/jobs",
            data={"object_name": "nut", "seed": number // 10},
            files=files,
            headers={"idempotency-key": "order 66"},
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(api.get("/v1/jobs").json()["items"]) == 1
    assert len(list(settings.data_dir.rglob("inputs"))) == 1
    other = send(10)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


def test_a_long_poll_answers_when_the_job_is_over(api: httpx2.Client, store: JobStore):
    job = post(api, PNG).json()
    link = job["links"]["self"]
    start = time.monotonic()
    early = api.get(link, headers={"prefer": "wait=1"})
    assert 0.9 < time.monotonic() - start < 3
    assert early.json()["state"] == "queued"
    assert early.headers["preference-applied"] == "wait=1"

    cancel = threading.Timer(0.5, store.cancel, [job["id"]])
    cancel.start()
    start = time.monotonic()
    late = api.get(link, headers={"prefer": "respond-async, wait=20"})
    cancel.join()
    assert late.json()["state"] == "canceled"
    assert time.monotonic() - start < 5


def events(answer: httpx2.Response) -> list[dict[str, str]]:
    blocks = [block for block in answer.text.split("\n\n") if "data:" in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_are_replayed_from_where_a_client_broke_off(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    finish(store, settings, job["id"])
    link = f"{job['links']['self']}/events"
    answer = api.get(link)
    assert answer.headers["content-type"].startswith("text/event-stream")
    everything = events(answer)
    states = [json.loads(event["data"])["state"] for event in everything]
    assert states == ["queued", "running", "succeeded"]
    rest = events(api.get(link, headers={"last-event-id": everything[0]["id"]}))
    assert rest == everything[1:]
    wrong = api.get(link, headers={"last-event-id": "yesterday"})
    assert (wrong.status_code, slug(wrong)) == (422, "invalid-request")
    # Whoever has them all need not come again.
    answer = api.get(link, headers={"last-event-id": everything[-1]["id"]})
    assert (answer.status_code, answer.content) == (204, b"")
    unknown = api.get(f"/v1/jobs/{'0' * 32}/events")
    assert (unknown.status_code, slug(unknown)) == (404, "job-not-found")


def test_a_stream_says_when_to_come_again_and_what_its_events_are(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    finish(store, settings, job["id"])
    answer = api.get(f"{job['links']['self']}/events")
    assert answer.text.startswith("retry: 2000\n\n")
    assert {event["event"] for event in events(answer)} == {"job"}
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-accel-buffering"] == "no"
    last = json.loads(events(answer)[-1]["data"])
    assert last == {
        "state": "succeeded",
        "stage": "prompt",
        "percent": 100,
        "prompt": "a good nut",
        "num_images": 2,
    }


def test_a_stream_without_news_is_kept_alive(
    api: httpx2.Client, store: JobStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.1)
    job = post(api, PNG).json()
    with api.stream("GET", f"{job['links']['self']}/events") as answer:
        lines = answer.iter_lines()
        for _ in range(3):
            assert next(line for line in lines if line.startswith(":")) == ": ping"
        store.cancel(job["id"])
        (data,) = [line for line in lines if line.startswith("data:")]
    assert '"canceled"' in data


def test_events_come_as_they_happen(api: httpx2.Client, store: JobStore):
    job = post(api, PNG).json()
    cancel = threading.Timer(0.5, store.cancel, [job["id"]])
    cancel.start()
    states = [
        json.loads(event["data"])["state"]
        for event in events(api.get(f"{job['links']['self']}/events"))
    ]
    cancel.join()
    assert states == ["queued", "canceled"]


def test_a_deleted_job_is_expired_and_its_files_are_gone(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    link = job["links"]["self"]
    early = api.delete(link)
    assert (early.status_code, slug(early)) == (409, "job-not-finished")
    finish(store, settings, job["id"])
    assert api.delete(link).status_code == 204
    assert api.delete(link).status_code == 204
    assert api.get(link).json()["state"] == "expired"
    gone = api.get(f"{link}/archive")
    assert (gone.status_code, slug(gone)) == (410, "job-expired")
    canceled = api.post(f"{link}/cancel")
    assert (canceled.status_code, slug(canceled)) == (410, "job-expired")
    assert not [path for path in settings.data_dir.rglob("*") if job["id"] in path.name]

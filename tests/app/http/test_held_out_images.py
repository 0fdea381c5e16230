"""Images that are held out: kept apart from those that a set is made from, over real HTTP."""

import httpx2
import pytest

from app.files.storage import Storage
from app.jobs.inputs import MIN_HELD_OUT
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, slug
from tests.app.http.routes.test_views import idle_viewer  # noqa: F401
from tests.app.http.test_zip_uploads import zipped
from tests.conftest import encode, served, texture

APART = [encode(texture(seed=seed)) for seed in range(1, MIN_HELD_OUT + 1)]
OTHER = encode(texture(seed=20))


@pytest.fixture(scope="module")
def packed() -> bytes:
    return zipped(**{f"apart{number}": content for number, content in enumerate(APART)})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_images": 9})


def post(
    api: httpx2.Client, given: list[bytes], apart: list[bytes], key: str = ""
) -> httpx2.Response:
    files = [("images", ("a.png", image)) for image in given]
    files += [("held_out_images", ("b.png", image)) for image in apart]
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/v1/jobs", data={"object_name": "nut"}, files=files, headers=headers)


def test_they_are_understood_and_kept_beside_the_others(
    api: httpx2.Client, settings: Settings, packed: bytes
):
    job = post(api, [PNG, OTHER], [packed]).json()
    assert [image["field"] for image in job["inputs"]] == ["images[0]", "images[1]"]
    fields = [f"held_out_images[0]/apart{number}.png" for number in range(MIN_HELD_OUT)]
    assert [image["field"] for image in job["held_out"]] == fields
    assert api.get(f"/v1/jobs/{job['id']}").json() == job
    storage = Storage(settings.storage_address)
    assert storage.read(job["id"], "inputs/002") == APART[0]
    assert api.get(f"/v1/jobs/{job['id']}/inputs/2").content == APART[0]
    assert post(api, [PNG], []).json()["held_out"] == []


@pytest.mark.parametrize(
    ("given", "apart", "kind", "said"),
    [
        ([PNG], APART[1:], "invalid-request", "5 different images are too few to judge a set by"),
        ([PNG], [*APART[1:], APART[1]], "invalid-request", "at least 6 are needed"),
        ([APART[2]], APART, "invalid-request", "held_out_images[2]. It has the same pixels"),
        ([PNG], [*APART, b"no image"], "not-an-image", "held_out_images[6]: The content"),
        ([PNG], [*APART, encode(texture((96, 64)))], "shape-mismatch", "held_out_images[6]: 96 x"),
        ([PNG, OTHER, PNG], [*APART, OTHER], "too-many-images", "Maximum number of files is 9"),
        ([], APART, "no-images", "in the field `images`"),
    ],
)
def test_what_cannot_judge_is_one_clear_answer(
    api: httpx2.Client, given: list[bytes], apart: list[bytes], kind: str, said: str
):
    answer = post(api, given, apart)
    assert (answer.status_code, slug(answer)) == (422, kind)
    assert said in answer.json()["detail"]
    assert api.get("/v1/jobs").json()["items"] == []


def test_they_take_their_room(settings: Settings, packed: bytes):
    with served(settings.model_copy(update={"max_images": 7})) as api:
        assert post(api, [PNG], [packed]).status_code == 202
        assert slug(post(api, [PNG, OTHER], [packed])) == "too-many-images"


def test_who_judges_and_who_is_given_is_not_the_same_request(api: httpx2.Client, packed: bytes):
    first = post(api, [PNG], [packed], key="k").json()["id"]
    assert post(api, [PNG], APART, key="k").json()["id"] == first
    assert slug(post(api, [PNG, *APART], [], key="k")) == "idempotency-key-reused"


@pytest.mark.usefixtures("idle_viewer")
def test_the_dry_run_knows_none(api: httpx2.Client):
    files = [("images", ("a.png", PNG)), ("held_out_images", ("b.png", OTHER))]
    answer = api.post("/v1/views", files=files)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")

"""A ZIP among the uploads is its images, for a job and for the dry run of views."""

import io
from zipfile import ZipFile

import httpx2
import pytest

from app.files.storage import Storage
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post, slug
from tests.app.http.routes.test_views import ask, idle_viewer  # noqa: F401
from tests.conftest import encode, texture

OTHER, THIRD = encode(texture(seed=1)), encode(texture(seed=2), "BMP")


def zipped(**files: bytes) -> bytes:
    """A ZIP; `__` stands for `/` and the name's ending is added."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name.replace('__', '/')}.png", content)
    return buffer.getvalue()


def test_its_images_are_the_jobs_in_their_order(api: httpx2.Client, settings: Settings):
    answer = post(api, THIRD, zipped(b__z=PNG, a=OTHER), PNG)
    assert answer.status_code == 202
    job = answer.json()
    fields = ["images[0]", "images[1]/a.png", "images[1]/b/z.png", "images[2]"]
    assert [image["field"] for image in job["inputs"]] == fields
    assert job["inputs"][3]["warnings"][0]["same_as"] == 2
    storage = Storage(settings.storage_address)
    stored = [storage.read(job["id"], f"inputs/{number:03d}") for number in range(4)]
    assert stored == [THIRD, OTHER, PNG, PNG]
    assert api.get(f"/v1/jobs/{job['id']}/inputs/1").content == OTHER


def test_one_key_is_one_job_however_the_images_are_packed(api: httpx2.Client, settings: Settings):
    api.headers["Idempotency-Key"] = "k"
    first = post(api, zipped(a=PNG, b=OTHER))
    assert post(api, zipped(a=PNG, b=OTHER)).json()["id"] == first.json()["id"]
    assert post(api, PNG, OTHER).json()["id"] == first.json()["id"]
    assert slug(post(api, zipped(a=OTHER, b=PNG))) == "idempotency-key-reused"
    assert set(Storage(settings.storage_address).job_ids()) <= {first.json()["id"], ".goodmany"}


@pytest.mark.parametrize(
    ("uploads", "kind", "said"),
    [
        ([b"PK\3\4 and no more"], "unusable-archive", "images[0]: The ZIP is broken"),
        ([PNG, zipped(a=PNG)[:-40]], "unusable-archive", "images[1]: The ZIP is broken"),
        ([zipped(up__a=PNG).replace(b"up/", b"../")], "unusable-archive", "none within it"),
        ([zipped(a=zipped(a=PNG))], "not-an-image", "images[0]/a.png: The content is not"),
        ([zipped()], "no-images", "images[0]: The ZIP holds no image"),
        ([zipped(a=PNG, b=b"")], "empty-image", "images[0]/b.png"),
        ([zipped(a=PNG, b=PNG[:-30])], "damaged-image", "images[0]/b.png"),
        ([PNG, PNG, zipped(a=PNG, b=PNG, c=PNG)], "too-many-images", "for 2 more images"),
        ([zipped(a=bytes(1_000_001))], "image-too-large", "at most 1000000 are read"),
        ([zipped(**dict.fromkeys("abc", bytes(800_000)))], "upload-too-large", "2000000 more"),
    ],
)
def test_what_cannot_be_used_is_one_clear_answer_and_nothing_stays(
    api: httpx2.Client, settings: Settings, uploads: list[bytes], kind: str, said: str
):
    # A ZIP that is only packed well is not refused by the size of what is sent.
    sent = [repacked(upload) if len(upload) > 1_000_000 else upload for upload in uploads]
    answer = post(api, *sent)
    assert slug(answer) == kind
    assert answer.status_code == (413 if kind == "upload-too-large" else 422)
    assert said in answer.json()["detail"]
    assert set(Storage(settings.storage_address).job_ids()) <= {".goodmany"}
    assert api.get("/v1/jobs").json()["items"] == []


def repacked(archive: bytes) -> bytes:
    packed = io.BytesIO()
    with ZipFile(io.BytesIO(archive)) as loose, ZipFile(packed, "w", 8) as tight:
        for name in loose.namelist():
            tight.writestr(name, loose.read(name))
    return packed.getvalue()


@pytest.mark.usefixtures("idle_viewer")
def test_the_dry_run_refuses_what_a_job_is_refused_for(api: httpx2.Client):
    for upload in (b"PK\3\4", zipped(), zipped(a=PNG, b=b"no image")):
        answer, as_job = ask(api, upload), post(api, upload)
        assert (answer.status_code, answer.json()) == (as_job.status_code, as_job.json())
        assert answer.status_code == 422

"""Images from a bucket, over real HTTP and from a real S3 server."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from obstore.store import S3Store

from app.files import image_buckets, s3
from app.files.storage import Storage
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post, slug
from tests.app.http.routes.test_views import ask, idle_viewer  # noqa: F401
from tests.app.http.test_zip_uploads import zipped
from tests.conftest import encode, texture
from tests.s3_server import S3Server, Wire

OTHER = encode(texture(seed=1))


@dataclass(frozen=True)
class Line:
    """A bucket with images of a line."""

    bucket: str

    def put(self, content: bytes, *keys: str) -> None:
        store = S3Store(self.bucket, client_options={"allow_http": True})
        for key in keys:
            store.put(key, content)

    def url(self, path: str) -> str:
        return f"s3://{self.bucket}/{path}"


@pytest.fixture
def line(bucket: str) -> Line:
    return Line(bucket)


@pytest.fixture
def api(serve_api: Callable[..., httpx2.Client], line: Line) -> httpx2.Client:
    """It may take images from one folder of the bucket, and from one of another."""
    places = f"{line.url('good/')}, s3://no-such-bucket-here/x"
    return serve_api(images_url_prefixes=places)


@pytest.fixture
def locked(s3_server: S3Server, line: Line) -> Iterator[None]:
    """The server refuses everybody."""
    s3_server.http.post("/moto-api/reset-auth", content=b"0").raise_for_status()
    yield
    s3_server.http.post("/moto-api/reset-auth", content=b"inf").raise_for_status()


def left_over(settings: Settings) -> set[str]:
    return set(Storage(settings.storage_address).job_ids()) - {".goodmany"}


def test_all_images_below_a_place_are_the_jobs(api: httpx2.Client, line: Line, settings: Settings):
    line.put(PNG, "good/b.PNG", "goods/c.png", "d.png", "good/c.d/e.jpg")
    line.put(OTHER, "good/a/z.tif")
    line.put(b"no image", "good/__MACOSX/b.png", "good/.a.png", "good/a/", "good/a.txt")
    url = line.url("good/")
    job = post(api, images_url=url).json()
    fields = ["images_url/a/z.tif", "images_url/b.PNG", "images_url/c.d/e.jpg"]
    assert [image["field"] for image in job["inputs"]] == fields
    assert job["request"]["images_url"] == url
    stored = Storage(settings.storage_address)
    assert [stored.read(job["id"], f"inputs/{n:03d}") for n in range(3)] == [OTHER, PNG, PNG]


def test_what_is_sent_comes_first(api: httpx2.Client, line: Line):
    line.put(PNG, "good/b.png")
    inputs = post(api, OTHER, images_url=line.url("good/b.png")).json()["inputs"]
    assert [image["field"] for image in inputs] == ["images[0]", "images_url"]
    answer = post(api, OTHER, zipped(a=PNG, b=PNG, c=PNG), images_url=line.url("good/b.png"))
    assert slug(answer) == "too-many-images"


def test_an_object_may_be_a_zip(api: httpx2.Client, line: Line, settings: Settings):
    line.put(zipped(z=PNG, b__a=OTHER), "good/parts")
    job = post(api, images_url=line.url("good/parts")).json()
    fields = ["images_url/b/a.png", "images_url/z.png"]
    assert [image["field"] for image in job["inputs"]] == fields
    stored = Storage(settings.storage_address)
    assert stored.read(job["id"], "inputs/000") == OTHER


def test_one_key_is_one_job_as_long_as_the_images_are_the_same(
    api: httpx2.Client, line: Line, settings: Settings
):
    line.put(PNG, "good/a.png", "good/b.png")
    api.headers["Idempotency-Key"] = "k"
    first = post(api, images_url=line.url("good/")).json()
    assert first["inputs"][1]["warnings"][0]["code"] == "duplicate"
    assert post(api, images_url=line.url("good/")).json()["id"] == first["id"]
    line.put(OTHER, "good/b.png")
    assert slug(post(api, images_url=line.url("good/"))) == "idempotency-key-reused"
    assert left_over(settings) == {first["id"]}


@pytest.mark.parametrize(
    "url",
    [
        "s3://{bucket}/",
        "s3://{bucket}/goods/",
        "s3://{bucket}/good/../d.png",
        "s3://{bucket}x/good/",
        "s3://other/good/a.png",
        "s3://x@{bucket}/good/",
        "http://127.0.0.1:1/good/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "/etc/passwd",
        "s3://{bucket}/good/\r\nHost: x",
    ],
)
def test_nothing_else_can_be_reached(api: httpx2.Client, line: Line, wire: Wire, url: str):
    line.put(PNG, "good/a.png", "goods/a.png", "d.png")
    before = wire.num_bytes_down
    answer = post(api, images_url=url.format(bucket=line.bucket))
    assert slug(answer) == "invalid-request"
    assert answer.json()["errors"][0]["field"] == "images_url"
    assert wire.num_bytes_down == before
    assert api.get("/v1/jobs").json()["items"] == []


def test_it_is_off_unless_a_place_is_named(serve_api: Callable[..., httpx2.Client], line: Line):
    line.put(PNG, "good/a.png")
    answer = post(serve_api(), images_url=line.url("good/"))
    assert slug(answer) == "invalid-request"
    assert answer.json()["errors"][0]["code"] == "not_allowed"


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("good/none.png", "unreadable-images", "images_url: There is no s3://"),
        ("good/none/", "no-images", "images_url: Below s3://"),
        ("good/many/", "too-many-images", "more than 4 images"),
        ("good/bad/", "not-an-image", "images_url/b.png: The content is not"),
        ("good/large/", "image-too-large", "at most 1000000 are read"),
        ("good/large/a.png", "image-too-large", "at most 1000000 are read"),
        ("good/heavy/", "upload-too-large", "2000000 more bytes"),
        ("good/broken.zip", "unusable-archive", "images_url: The ZIP is broken"),
    ],
)
def test_what_cannot_be_used_is_one_clear_answer(
    api: httpx2.Client, line: Line, path: str, kind: str, said: str
):
    line.put(PNG, "good/bad/a.png", *(f"good/many/{number}.png" for number in range(5)))
    line.put(b"no image", "good/bad/b.png")
    line.put(zipped(a=PNG)[:-30], "good/broken.zip")
    line.put(bytes(1_000_001), "good/large/a.png")
    line.put(bytes(900_000), *(f"good/heavy/{number}.png" for number in range(3)))
    answer = post(api, images_url=line.url(path))
    assert slug(answer) == kind
    assert said in answer.json()["detail"]
    assert api.get("/v1/jobs").json()["items"] == []


def test_nothing_stays_of_what_is_refused(api: httpx2.Client, line: Line, settings: Settings):
    line.put(PNG, "good/a.png")
    line.put(b"no image", "good/b.png")
    assert slug(post(api, OTHER, images_url=line.url("good/"))) == "not-an-image"
    assert left_over(settings) == set()


def test_a_bucket_that_is_not_there_is_told(api: httpx2.Client):
    answer = post(api, images_url="s3://no-such-bucket-here/x/")
    assert slug(answer) == "unreadable-images"


def test_a_place_with_objects_without_number_is_not_listed_to_its_end(
    api: httpx2.Client, line: Line, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(image_buckets, "MAX_LISTED", 3)
    line.put(b"x", *(f"good/{number}.txt" for number in range(4)))
    assert slug(post(api, images_url=line.url("good/"))) == "too-many-images"


def test_a_long_list_comes_in_pages(
    api: httpx2.Client, line: Line, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(s3, "PAGE_OBJECTS", 2)
    line.put(b"x", *(f"good/{number}.txt" for number in range(5)))
    line.put(PNG, "good/6.png", "good/7.png")
    assert len(post(api, images_url=line.url("good/")).json()["inputs"]) == 2


@pytest.mark.usefixtures("locked")
def test_what_the_service_may_not_read_is_told(api: httpx2.Client, line: Line):
    for path in ("good/", "good/a.png"):
        answer = post(api, images_url=line.url(path))
        assert slug(answer) == "unreadable-images"
        assert "that this service may read" in answer.json()["detail"]


def test_a_bucket_that_is_away_is_no_fault_of_the_request(
    api: httpx2.Client, wire: Wire, line: Line, settings: Settings
):
    wire.cut()
    answer = post(api, images_url=line.url("good/"))
    assert (answer.status_code, slug(answer)) == (503, "storage-unavailable")
    assert answer.headers["retry-after"] == "10"
    assert left_over(settings) == set()


@pytest.mark.usefixtures("idle_viewer")
def test_the_dry_run_refuses_what_a_job_is_refused_for(api: httpx2.Client, line: Line):
    line.put(b"no image", "good/b.png")
    for path in ("good/", "none/", "good/none/"):
        asked = {"images_url": line.url(path)}
        answer, as_job = ask(api, **asked), post(api, **asked)
        assert (answer.status_code, answer.json()) == (as_job.status_code, as_job.json())
        assert answer.status_code == 422


def test_the_places_must_not_reach_the_jobs_files():
    allowed = "s3://bucket/jobs2,s3://other/jobs"
    Settings(storage_url="s3://bucket/jobs", images_url_prefixes=allowed)
    for place in ("s3://bucket", "s3://bucket/jobs/", "s3://bucket/jobs/inputs", "nonsense"):
        with pytest.raises(ValueError, match=r"jobs' own files|no address"):
            Settings(storage_url="s3://bucket/jobs", images_url_prefixes=place)

"""HEAD is answered wherever GET is: the same status and headers, no body, and soon."""

from collections.abc import Callable

import httpx2
import pytest

from app.jobs.store import JobStore
from app.main import create_app
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post

# What belongs to one answer alone, or says how its body comes.
OF_ONE_ANSWER = {"date", "x-request-id", "transfer-encoding", "ratelimit"}


def paths(settings: Settings) -> list[str]:
    documented = create_app(settings).openapi()["paths"]
    found = [path for path, operations in documented.items() if "get" in operations]
    return [*found, "/metrics", "/", "/docs", "/openapi.json", "/v1/nothing"]


def told(answer: httpx2.Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k not in OF_ONE_ANSWER}


def test_every_get_has_its_head(api: httpx2.Client, store: JobStore, settings: Settings):
    job_id = post(api, PNG).json()["id"]
    finish(store, settings, job_id)
    checked = 0
    for path in paths(settings):
        link = path.format(job_id=job_id, number=0, kind="real")
        query = {"object_name": "nut"} if path == "/v1/prompts" else {}
        if path == "/v1/prompts" or path.endswith(("/images/{number}", "/manifest")):
            # There is no courier, and no real archive.
            assert api.head(link, params=query).status_code in (500, 503)
            continue
        with api.stream("GET", link, params=query) as got:
            head = api.head(link, params=query)
            assert (path, head.status_code) == (path, got.status_code)
            if path != "/metrics":
                # It counts itself.
                assert told(head) == told(got)
            assert head.content == b""
        checked += 1
    assert checked >= 12


def test_head_of_a_stream_that_does_not_end(api: httpx2.Client):
    link = post(api, PNG).json()["links"]["self"]
    head = api.head(f"{link}/events")
    assert (head.status_code, head.headers["content-type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
    # The connection is as good as new.
    assert api.get(link).is_success


def test_head_of_what_is_only_posted_is_refused(api: httpx2.Client):
    link = post(api, PNG).json()["links"]["cancel"]
    answer = api.head(link)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = api.put("/v1/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_head_with_a_range_says_what_get_would(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    finish(store, settings, job["id"])
    answer = api.head(f"{job['links']['self']}/archive", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.headers["content-range"]) == (206, "bytes 2-4/10")
    assert answer.headers["content-length"] == "3"


def test_head_needs_a_key_where_get_does(serve_api: Callable[..., httpx2.Client]):
    answer = serve_api(require_api_key="always").head("/v1/jobs")
    assert answer.status_code == 401
    assert answer.content == b""


def test_head_is_counted_by_its_route(api: httpx2.Client):
    api.head("/v1/jobs")
    assert 'method="HEAD",route="/v1/jobs",status="200"' in api.get("/metrics").text


@pytest.mark.parametrize("tags", ["*", '"x", {etag}', "W/{etag}", "{etag}"])
def test_what_the_client_has_is_not_sent_again(
    api: httpx2.Client, store: JobStore, settings: Settings, tags: str
):
    job = post(api, PNG).json()
    finish(store, settings, job["id"])
    link = f"{job['links']['self']}/archive"
    etag = api.head(link).headers["etag"]
    for method in ("GET", "HEAD"):
        asked = {"if-none-match": tags.format(etag=etag)}
        answer = api.request(method, link, headers=asked)
        assert (answer.status_code, answer.headers["etag"]) == (304, etag)
    for other in ('"x"', etag[:-1], "**", f"{etag}x"):
        assert api.get(link, headers={"if-none-match": other}).status_code == 200

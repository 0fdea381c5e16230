"""Bodies that come slowly, or not at all, hold nothing up; what is answered is not cut off."""

import json
import socket
import threading
import time
from collections.abc import Callable

import httpx2
import pytest

from app.jobs.store import JobStore
from tests.app.http.routes.test_jobs import PNG, post, slug

Serve = Callable[..., httpx2.Client]

HEAD = (
    b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=y\r\nContent-Length: 100000\r\n\r\n"
    b'--y\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
)


def connect(api: httpx2.Client) -> socket.socket:
    return socket.create_connection((api.base_url.host, api.base_url.port), timeout=20)


def split(answer: bytes) -> tuple[bytes, dict[str, object]]:
    head, body = answer.split(b"\r\n\r\n", 1)
    return head.lower(), json.loads(body)


@pytest.mark.parametrize("drip", [b"", b"x"])
def test_upload_too_slow(serve_api: Serve, drip: bytes):
    api = serve_api(upload_timeout_s=0.5)
    with connect(api) as connection:
        connection.sendall(HEAD)
        for _ in range(3):
            connection.sendall(drip)
            time.sleep(0.05)
        # Somebody else is served meanwhile.
        assert post(api, PNG).status_code == 202
        # The service ends it: there is an end to read.
        head, problem = split(connection.makefile("rb").read())
    assert head.startswith(b"http/1.1 408 ")
    assert b"connection: close" in head
    assert b"content-type: application/problem+json" in head
    assert problem["type"] == "urn:goodmany:problem:upload-too-slow"
    assert len(api.get("/v1/jobs").json()["items"]) == 1


def test_the_time_of_an_answer_is_not_limited(serve_api: Serve, store: JobStore):
    api = serve_api(upload_timeout_s=0.2)
    job = post(api, PNG).json()
    cancel = threading.Timer(1.0, store.cancel, [job["id"]])
    cancel.start()
    # A stream looks out for its client to hang up, by the same way that a body comes.
    answer = api.get(f"{job['links']['self']}/events")
    cancel.join()
    assert '"canceled"' in answer.text


@pytest.mark.parametrize("path", ["/v2/nothing", "/v1/jobs/1/cancel"])
def test_an_answer_before_the_end_of_the_body_closes_the_connection(api: httpx2.Client, path: str):
    with connect(api) as connection:
        connection.sendall(HEAD.replace(b"/v1/jobs", path.encode()))
        head, problem = split(connection.makefile("rb").read())
    assert head.startswith(b"http/1.1 404 ")
    assert b"connection: close" in head
    assert problem["status"] == 404


@pytest.mark.parametrize("num_times", range(5))
def test_a_client_that_is_still_sending_gets_the_answer_whole(api: httpx2.Client, num_times: int):
    """Closed with bytes unread, the connection would be reset and the answer lost."""
    head = HEAD.replace(b"100000", b"3000000")
    with connect(api) as connection:
        connection.sendall(head)
        for _ in range(20):
            time.sleep(0.01)
            connection.sendall(b"x" * 100_000)
        answer, problem = split(connection.makefile("rb").read())
    assert answer.startswith(b"http/1.1 413 ")
    assert problem["type"] == "urn:goodmany:problem:upload-too-large"


def test_a_whole_body_leaves_the_connection_open(api: httpx2.Client):
    refused = post(api, b"no image")
    assert (refused.status_code, slug(refused)) == (422, "not-an-image")
    assert "connection" not in refused.headers
    assert "connection" not in api.post(f"/v1/jobs/{'0' * 32}/cancel").headers

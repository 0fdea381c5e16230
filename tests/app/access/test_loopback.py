"""At a loopback address no key is asked for, except of those who only got there by a detour."""

import socket
from collections.abc import Callable

import httpx2
import pytest

from app.access.api_keys import ApiKeys
from app.jobs.store import JobStore
from tests.app.http.routes.test_jobs import PNG, post, slug

EVIL = "https://evil.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1"}, 200),
        ({"host": "localhost:9000"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"host": "evil.example"}, 401),
        ({"host": "evil.example:8000"}, 401),
        ({"host": "localhost.evil.example"}, 401),
        ({"host": "[::1"}, 401),
        ({"host": ""}, 401),
        ({"origin": "http://localhost:3000"}, 200),
        ({"origin": EVIL}, 401),
        ({"origin": "null"}, 401),
        ({"origin": "http://[::1"}, 401),
        ({"origin": EVIL, "host": "evil.example"}, 401),
        ({"x-forwarded-for": "10.0.0.1"}, 401),
        ({"x-forwarded-for": ""}, 401),
        ({"x-forwarded-proto": "http"}, 401),
        ({"x-forwarded-host": "localhost"}, 401),
        ({"x-forwarded-anything": "new"}, 401),
        ({"forwarded": "for=127.0.0.1"}, 401),
        ({"x-real-ip": "127.0.0.1"}, 401),
        ({"via": "1.1 proxy"}, 401),
        ({"x-request-id": "mine"}, 200),
    ],
)
def test_a_detour_shows_in_the_headers(api: httpx2.Client, headers: dict[str, str], status: int):
    assert api.get("/v1/jobs", headers=headers).status_code == status


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_plain_proxy_pass_of_nginx_is_a_detour(api: httpx2.Client, connection: str):
    """It sends our own address as the host and no header of its own, but in HTTP/1.0."""
    place = (api.base_url.host, api.base_url.port)
    with socket.create_connection(place) as stream:
        lines = ["GET /v1/jobs HTTP/1.0", f"Host: {place[0]}:{place[1]}"]
        stream.sendall("\r\n".join([*lines, f"Connection: {connection}", "\r\n"]).encode())
        assert stream.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("text", ["gm_0_0", "nonsense"])
def test_a_key_that_is_sent_must_be_a_key(api: httpx2.Client, text: str):
    answer = api.get("/v1/jobs", headers={"authorization": f"Bearer {text}"})
    assert (answer.status_code, slug(answer)) == (401, "unauthorized")


def test_a_key_is_its_owners_at_loopback_too(api: httpx2.Client, store: JobStore):
    key, text = ApiKeys(store.connection).create("a machine")
    headers = {"authorization": f"Bearer {text}"}
    job_id = post(api, PNG).json()["id"]
    assert api.get(f"/v1/jobs/{job_id}", headers=headers).status_code == 404
    api.headers.update(headers)
    own_id = post(api, PNG).json()["id"]
    assert store.get_record(own_id)["owner"] == key.id
    # Another kind of authorization is somebody else's.
    api.headers["authorization"] = "Basic Z206Z20="
    assert api.get(f"/v1/jobs/{job_id}").status_code == 200


def test_a_form_of_another_page_makes_no_job(api: httpx2.Client):
    api.headers["origin"] = EVIL
    assert post(api, PNG).status_code == 401
    del api.headers["origin"]
    assert api.get("/v1/jobs").json()["items"] == []


def test_with_a_key_every_way_is_open(api: httpx2.Client, store: JobStore):
    _, text = ApiKeys(store.connection).create("behind a proxy")
    headers = {"host": "goodmany.example", "authorization": f"Bearer {text}"}
    assert api.get("/v1/jobs", headers=headers).status_code == 200


def test_listed_pages_and_the_setting_never_need_none(serve_api: Callable[..., httpx2.Client]):
    listed = serve_api(cors_origins=f"https://a.example, {EVIL}")
    assert listed.get("/v1/jobs", headers={"origin": EVIL}).status_code == 200
    never = serve_api(require_api_key="never")
    assert never.get("/v1/jobs", headers={"host": "goodmany.example"}).status_code == 200

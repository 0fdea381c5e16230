"""At a loopback address no key is asked for, except of those who only got there by a detour."""

from collections.abc import Callable

import httpx2
import pytest

from app.access.api_keys import ApiKeys
from app.jobs.store import JobStore
from tests.app.http.routes.test_jobs import PNG, post

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
    ],
)
def test_a_detour_shows_in_the_headers(api: httpx2.Client, headers: dict[str, str], status: int):
    assert api.get("/v1/jobs", headers=headers).status_code == status


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

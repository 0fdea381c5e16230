"""A query parameter that nobody knows, or that came twice, is a 422 that names it."""

import re

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post, slug


def operations(settings: Settings) -> list[tuple[str, str]]:
    documented = create_app(settings).openapi()["paths"]
    return [
        (method.upper(), path)
        for path, found in documented.items()
        if path.startswith("/v1/")
        for method in found
    ]


def test_every_route_refuses_what_it_does_not_know(api: httpx2.Client, settings: Settings):
    job_id = post(api, PNG).json()["id"]
    for method, path in operations(settings):
        link = re.sub(r"{(?!job_id)\w+}", "0", path).format(job_id=job_id)
        form = {"data": {"object_name": "nut"}, "files": [("images", ("a.png", PNG))]}
        known = {"object_name": "nut"} if path == "/v1/prompts" else {}
        answer = api.request(
            method, link, params={**known, "stat": "queued"}, **(form if method == "POST" else {})
        )
        assert (method, path, answer.status_code) == (method, path, 422)
        assert slug(answer) == "invalid-request"
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("stat", "unknown")
    assert [job["id"] for job in api.get("/v1/jobs").json()["items"]] == [job_id]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=1&limit=2", ["limit"]),
        ("states=queued&Limit=1&page=2", ["states", "Limit", "page"]),
        ("state[]=queued", ["state[]"]),
        ("=1", [""]),
    ],
)
def test_each_fault_is_named(api: httpx2.Client, query: str, fields: list[str]):
    answer = api.get(f"/v1/jobs?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == fields


def test_what_is_known_is_heard(api: httpx2.Client):
    answer = api.get("/v1/jobs?limit=1&state=queued&state=running&object_name=nut")
    assert answer.status_code == 200
    assert api.get("/livez?anything=1").status_code == 200

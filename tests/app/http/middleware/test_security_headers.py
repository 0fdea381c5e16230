"""Every answer has them, whatever it is, and other web pages see nothing unless they are listed."""

import re
from collections.abc import Callable

import httpx2
import pytest

from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post

Serve = Callable[..., httpx2.Client]

PAGE = "https://line.example"
EXPECTED = {
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def check(answer: httpx2.Response, status: int) -> None:
    assert answer.status_code == status
    assert EXPECTED.items() <= dict(answer.headers).items()
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


def test_good_answers_have_them(api: httpx2.Client, store: JobStore, settings: Settings):
    job = post(api, PNG).json()
    finish(store, settings, job["id"])
    here = job["links"]["self"]
    for path in ("/livez", "/openapi.json", "/docs", here, f"{here}/archive", f"{here}/events"):
        check(api.get(path), 200)
    assert api.get(here).headers["cache-control"] == "no-store"
    # A finished file may be kept by the client itself.
    assert api.get(f"{here}/archive").headers["cache-control"].startswith("private, max-age")


def test_problems_have_them(serve_api: Serve, store: JobStore):
    api = serve_api()
    check(api.get("/v2/nothing"), 404)
    check(api.put("/v1/jobs"), 405)
    check(api.post("/v1/jobs", data={"object_name": "nut"}), 422)
    check(api.post("/v1/jobs", content=b"x" * 2_000_001), 413)
    check(serve_api(require_api_key="always").get("/v1/jobs"), 401)
    check(serve_api(redis_url="unix:///nowhere/redis.sock").get("/v1/jobs"), 503)
    job = post(api, PNG).json()
    store.connection.set(f"goodmany:job:{job['id']}", "secret")
    check(api.get(job["links"]["self"]), 500)


def test_over_https_the_browser_is_told_to_stay_there(api: httpx2.Client):
    # A proxy on this machine is believed when it says how the client came.
    answer = api.get("/livez", headers={"x-forwarded-proto": "https"})
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_docs_page_may_run_its_own_script_and_no_other(api: httpx2.Client):
    page = api.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'unsafe-inline'" not in scripts
    assert len(re.findall(r"'sha256-[\w+/]{43}='", scripts)) == 1
    assert "//" not in policy


@pytest.mark.parametrize("origins", ["", "https://other.example"])
def test_no_other_page_may_read_an_answer(serve_api: Serve, origins: str):
    api = serve_api(cors_origins=origins)
    answer = api.get("/v1/jobs", headers={"origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in api.options("/v1/jobs", headers=asked).headers


def test_a_listed_page_may_with_a_key_and_sees_faults_too(serve_api: Serve):
    api = serve_api(cors_origins=f"https://a.example, {PAGE}", require_api_key="always")
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, idempotency-key",
    }
    # A browser asks without the key.
    allowed = api.options("/v1/jobs", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    check(allowed, 200)
    refused = api.get("/v1/jobs", headers={"origin": PAGE})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == PAGE
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in refused.headers

"""Keys over real HTTP: who comes in, what each one sees, and how much each one may."""

import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from app.access.api_keys import ApiKeys
from app.files.storage import Storage
from app.http.middleware.require_key import OPEN_PATHS, needs_api_key
from app.jobs.keys import jobs_key, unfinished_key
from app.jobs.store import JobStore
from app.main import create_app
from app.retention.sweep import remove_files
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post, slug
from tests.conftest import encode, texture

Serve = Callable[..., httpx2.Client]


@pytest.fixture
def api_keys(store: JobStore) -> ApiKeys:
    return ApiKeys(store.connection)


@pytest.fixture
def guarded(serve_api: Serve) -> httpx2.Client:
    return serve_api(require_api_key="always")


def with_key(client: httpx2.Client, api_keys: ApiKeys) -> tuple[httpx2.Client, str]:
    """Another client of the same service, with a key of its own; and the key's id."""
    key, text = api_keys.create("a machine")
    headers = {"authorization": f"Bearer {text}"}
    return httpx2.Client(base_url=client.base_url, headers=headers, timeout=90), key.id


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.0.7", True),
        ("localhost.example", True),
        ("", True),
        (None, True),
    ],
)
def test_only_a_loopback_address_asks_for_no_key(host: str | None, asked: bool):
    assert needs_api_key(Settings(), host) is asked
    assert needs_api_key(Settings(require_api_key="always"), host)
    assert not needs_api_key(Settings(require_api_key="never"), host)


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer nonsense", "Basic Z206Z20=", "Bearer gm_0_0"]
)
def test_unauthorized(guarded: httpx2.Client, authorization: str | None):
    headers = {} if authorization is None else {"authorization": authorization}
    for path in ("/v1/jobs", f"/v1/jobs/{'0' * 32}", "/v2/nothing"):
        answer = guarded.get(path, headers=headers)
        assert (answer.status_code, slug(answer)) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'Bearer realm="goodmany"'


def test_a_revoked_key_is_unauthorized_from_its_next_request_on(
    guarded: httpx2.Client, api_keys: ApiKeys
):
    client, key_id = with_key(guarded, api_keys)
    with client:
        assert client.get("/v1/jobs").status_code == 200
        api_keys.revoke(key_id)
        answer = client.get("/v1/jobs")
        assert (answer.status_code, slug(answer)) == (401, "unauthorized")


def test_the_scheme_s_case_does_not_matter(guarded: httpx2.Client, api_keys: ApiKeys):
    _, text = api_keys.create("a machine")
    answer = guarded.get("/v1/jobs", headers={"authorization": f"bEARER {text}"})
    assert answer.status_code == 200


def test_health_and_description_stay_open(guarded: httpx2.Client):
    for path in OPEN_PATHS - {"/metrics", "/readyz"}:
        assert guarded.get(path).status_code == 200
    # No worker is there.
    assert guarded.get("/readyz").status_code == 503


def test_an_upload_without_a_key_is_refused_before_it_is_read(guarded: httpx2.Client):
    with socket.create_connection((guarded.base_url.host, guarded.base_url.port)) as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=y\r\n\r\n--y\r\n"
        )
        # The other megabyte never comes, and the answer does not wait for it.
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()


def paths_of_a_job(settings: Settings) -> list[tuple[str, str]]:
    """Method and path of every operation on one job, from the document itself."""
    paths = create_app(settings).openapi()["paths"]
    return [
        (method.upper(), path)
        for path, operations in paths.items()
        if "{job_id}" in path
        for method in operations
    ]


def test_another_key_s_job_is_unknown_on_every_route(
    guarded: httpx2.Client, api_keys: ApiKeys, store: JobStore, settings: Settings
):
    (mine, my_id), (theirs, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    operations = paths_of_a_job(settings)
    assert len(operations) >= 8
    with mine, theirs:
        job_id = post(mine, PNG).json()["id"]
        finish(store, settings, job_id)
        for method, path in operations:
            named = path.replace("{kind}", "real").replace("{job_id}", job_id)
            link = re.sub(r"{\w+}", "0", named)
            answer = theirs.request(method, link)
            assert (answer.status_code, slug(answer)) == (404, "job-not-found"), (method, path)
        job = mine.get(f"/v1/jobs/{job_id}").json()
        assert job["state"] == "succeeded"
        assert mine.get(job["links"]["archive"]).content == b"0123456789"
    assert store.get_record(job_id)["owner"] == my_id


def test_a_job_of_a_key_is_unknown_to_whoever_comes_without(
    guarded: httpx2.Client, serve_api: Serve, api_keys: ApiKeys
):
    client, _ = with_key(guarded, api_keys)
    open_api = serve_api()
    with client:
        link = post(client, PNG).json()["links"]["self"]
        open_link = post(open_api, PNG).json()["links"]["self"]
        assert open_api.get(link).status_code == 404
        assert client.get(open_link).status_code == 404
        assert len(open_api.get("/v1/jobs").json()["items"]) == 1


def test_every_key_lists_its_own_jobs_page_by_page(guarded: httpx2.Client, api_keys: ApiKeys):
    (a, _), (b, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    with a, b:
        made = {a: [], b: []}
        for client in (a, b, b, a, a):
            made[client].append(post(client, PNG).json()["id"])
        for client, ids in made.items():
            first = client.get("/v1/jobs", params={"limit": 2}).json()
            seen = [job["id"] for job in first["items"]]
            if first["next_cursor"]:
                rest = client.get("/v1/jobs", params={"cursor": first["next_cursor"]}).json()
                seen += [job["id"] for job in rest["items"]]
            assert seen == ids[::-1]


def test_an_idempotency_key_is_its_owner_s(guarded: httpx2.Client, api_keys: ApiKeys):
    (a, _), (b, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    with a, b:
        for client in (a, b):
            client.headers["idempotency-key"] = "order 66"
        ids = [post(client, PNG).json()["id"] for client in (a, b, a, b)]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_a_forgotten_job_leaves_its_owner_s_indexes(
    guarded: httpx2.Client, api_keys: ApiKeys, store: JobStore, settings: Settings
):
    client, key_id = with_key(guarded, api_keys)
    with client:
        job_ids = [post(client, PNG).json()["id"] for _ in range(2)]
    assert store.connection.scard(unfinished_key(key_id)) == 2
    finish(store, settings, job_ids[0])
    assert store.connection.smembers(unfinished_key(key_id)) == {job_ids[1].encode()}
    remove_files(store, Storage(settings.storage_address), job_ids[0])
    assert store.connection.zcard(jobs_key(key_id)) == 2
    for job_id in job_ids:
        store.forget(job_id)
    assert not store.connection.exists(jobs_key(key_id), unfinished_key(key_id))


def test_too_many_requests(serve_api: Serve, api_keys: ApiKeys):
    guarded = serve_api(require_api_key="always", max_requests_per_minute=2)
    (client, _), (other, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    with client, other, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/v1/jobs"), range(12)))
        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 10
        refusal = next(answer for answer in answers if answer.status_code == 429)
        assert slug(refusal) == "too-many-requests"
        assert 1 <= int(refusal.headers["retry-after"]) <= 30
        assert refusal.headers["ratelimit"].startswith('"key";r=0;t=')
        answer = other.get("/v1/jobs")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"key";q=2;w=60'
        assert answer.headers["ratelimit"].startswith('"key";r=1;t=')


def test_too_many_jobs(serve_api: Serve, api_keys: ApiKeys, settings: Settings, store: JobStore):
    guarded = serve_api(require_api_key="always", max_unfinished_jobs=2)
    (client, _), (other, _) = with_key(guarded, api_keys), with_key(guarded, api_keys)
    with client, other, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, PNG), range(8)))
        assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 6
        refusal = next(answer for answer in answers if answer.status_code == 429)
        assert slug(refusal) == "too-many-jobs"
        assert int(refusal.headers["retry-after"]) >= 1
        # A refused job leaves no file.
        assert len(list(settings.data_dir.rglob("inputs"))) == 2
        assert post(other, PNG).status_code == 202
        ended, running = (a.json() for a in answers if a.status_code == 202)
        client.post(ended["links"]["cancel"])
        store.start(running["id"], "attempt")
        assert post(client, PNG).status_code == 202
        assert post(client, PNG).status_code == 429


def test_a_repeated_request_is_no_new_job_when_there_is_no_room(
    serve_api: Serve, api_keys: ApiKeys
):
    guarded = serve_api(require_api_key="always", max_unfinished_jobs=1)
    client, _ = with_key(guarded, api_keys)
    with client:
        client.headers["idempotency-key"] = "order 66"
        assert post(client, PNG).json()["id"] == post(client, PNG).json()["id"]
        client.headers["idempotency-key"] = "order 67"
        assert post(client, encode(texture(seed=1))).status_code == 429


def test_a_limit_of_zero_is_none(serve_api: Serve, api_keys: ApiKeys):
    guarded = serve_api(require_api_key="always", max_requests_per_minute=0, max_unfinished_jobs=0)
    client, _ = with_key(guarded, api_keys)
    with client:
        answers = [post(client, PNG) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert "ratelimit" not in answers[0].headers


def test_without_redis_nobody_comes_in(serve_api: Serve):
    away = serve_api(require_api_key="always", redis_url="unix:///nowhere/redis.sock")
    answer = away.get("/v1/jobs", headers={"authorization": "Bearer gm_0_0"})
    assert (answer.status_code, slug(answer)) == (503, "not-ready")

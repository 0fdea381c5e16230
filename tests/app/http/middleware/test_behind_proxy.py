"""Below a path of a reverse proxy every link leads back through the proxy.

The proxy is a real one, as small as can be; it takes the prefix off or leaves it there, and tells
it or not.
"""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest
from openapi_spec_validator import validate

from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post

PREFIX = "/plant/goodmany"


@contextmanager
def proxied(
    target: httpx2.URL, *, strips: bool, headers: dict[str, str]
) -> Iterator[httpx2.Client]:
    """A client that reaches the target only below PREFIX of another server."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.startswith(PREFIX):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.removeprefix(PREFIX) if strips else self.path
            upstream = http.client.HTTPConnection(target.host, target.port or 80)
            upstream.request(self.command, path, body, {**self.headers, **headers})
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_POST = do_GET  # noqa: N815
        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with httpx2.Client(base_url=address, timeout=30) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


WAYS = [
    pytest.param({"root_path": PREFIX}, {}, id="setting"),
    pytest.param({}, {"X-Forwarded-Prefix": PREFIX}, id="header"),
    pytest.param({}, {"X-Forwarded-Prefix": "/plant, /goodmany/"}, id="two proxies"),
]


@pytest.mark.parametrize("strips", [True, False])
@pytest.mark.parametrize(("changes", "headers"), WAYS)
def test_every_link_leads_back_through_the_proxy(
    serve_api: Callable[..., httpx2.Client],
    store: JobStore,
    settings: Settings,
    *,
    changes: dict[str, str],
    headers: dict[str, str],
    strips: bool,
):
    api = serve_api(require_api_key="never", **changes)
    with proxied(api.base_url, strips=strips, headers=headers) as client:
        files = [("images", ("a.png", PNG))]
        answer = client.post(f"{PREFIX}/v1/jobs", data={"object_name": "nut"}, files=files)
        assert answer.status_code == 202
        job = answer.json()
        here = f"{PREFIX}/v1/jobs/{job['id']}"
        assert answer.headers["location"] == job["links"]["self"] == here
        assert client.get(here).json()["links"]["self"] == here
        assert client.get(f"{PREFIX}/v1/jobs").json()["items"][0]["links"]["self"] == here
        finish(store, settings, job["id"])
        links = client.get(here).json()["links"]
        assert client.get(links["archive"]).content == b"0123456789"
        other = client.post(
            f"{PREFIX}/v1/jobs", data={"object_name": "nut", "seed": "1"}, files=files
        ).json()
        assert client.post(other["links"]["cancel"]).json()["links"]["self"].startswith(PREFIX)
        assert client.request("DELETE", here).status_code == 204
        assert client.get(f"{PREFIX}/livez").is_success

        document = client.get(f"{PREFIX}/openapi.json").json()
        assert [server["url"] for server in document["servers"]] == [PREFIX]
        validate(document)
        page = client.get(f"{PREFIX}/docs")
        places = re.findall(r'(?:src|href)="(/[^"]*)"', page.text)
        assert len(places) >= 3
        for place in (*places, f"{PREFIX}/openapi.json"):
            assert client.get(place).is_success, place
        assert f"'{PREFIX}/openapi.json'" in page.text.replace('"', "'")
        wrong = client.request("DELETE", f"{PREFIX}/v1/jobs")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize(
    "prefix", ["", "/", "plant", "//evil.example", "/a b", "/../x?", "https://evil.example", "/é"]
)
def test_a_prefix_that_is_none_is_not_heard(api: httpx2.Client, prefix: str):
    headers = {"X-Forwarded-Prefix": prefix.encode(), "Authorization": ""}
    document = api.get("/openapi.json", headers=headers).json()
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_only_a_trusted_proxy_is_heard(serve_api: Callable[..., httpx2.Client]):
    api = serve_api(trusted_proxies="10.1.2.3")
    answer = api.get(
        "/openapi.json", headers={"X-Forwarded-Prefix": PREFIX, "X-Forwarded-Proto": "https"}
    )
    assert answer.json()["servers"][0]["url"] == "/"
    assert "strict-transport-security" not in answer.headers


def test_without_a_proxy_nothing_changes(api: httpx2.Client):
    job = post(api, PNG).json()
    assert job["links"]["self"] == f"/v1/jobs/{job['id']}"

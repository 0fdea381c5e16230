"""A connection on which no request comes is closed; one with a request is not."""

import socket
import threading
from collections.abc import Callable

import httpx2
import pytest

from app.http import protocol
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, post
from tests.conftest import wait_until
from workers.serve.api_server import ApiServer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, serve_api: Callable[..., httpx2.Client]) -> httpx2.Client:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.5)
    return serve_api()


def connect(api: httpx2.Client) -> socket.socket:
    return socket.create_connection((api.base_url.host, api.base_url.port), timeout=20)


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_end_ends_the_connection(api: httpx2.Client, sent: bytes):
    with connect(api) as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b""


def test_a_second_head_must_end_too(api: httpx2.Client):
    with connect(api) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /li")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        # uvicorn's own timer for idle connections stops at every byte.
        connection.sendall(b"v")
        while part := connection.recv(65536):
            answer += part
    assert answer.count(b"HTTP/1.1") == 1


def test_a_request_may_take_its_time(api: httpx2.Client, store: JobStore):
    job = post(api, PNG).json()
    cancel = threading.Timer(1.2, store.cancel, [job["id"]])
    cancel.start()
    answer = api.get(job["links"]["self"], headers={"prefer": "wait=20"})
    cancel.join()
    assert answer.json()["state"] == "canceled"


def test_no_answer_waits_until_its_head_is_acknowledged(settings: Settings):
    server = ApiServer(settings, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]})
    thread.start()
    try:
        with httpx2.Client(base_url=server.address, timeout=90, verify=False) as client:
            wait_until(lambda: server.started)
            client.get("/livez").raise_for_status()
            (connection,) = server.server_state.connections
            sent_from = connection.transport.get_extra_info("socket")
            assert sent_from.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        server.should_exit = True
        thread.join()

"""One POST goes to a checked address and nowhere else, in bounded time."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import trustme

from app.base.addresses import parse_networks
from tests.workers.courier.receiver import Receiver
from workers.courier.webhook_post import Answer, post


def send(url: str, allowed: str = "127.0.0.0/8,::1/128") -> Answer:
    return post(
        url,
        b"{}",
        {"a": "b"},
        timeout_s=1,
        allowed=parse_networks(allowed),
        tls=httpx2.create_ssl_context(),
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "0", "[::ffff:127.0.0.1]"])
def test_nothing_private_is_reached_by_whatever_name(receiver: Receiver, host: str):
    answer = send(receiver.url("/200", host), allowed="")
    assert (answer.refused, answer.status_code) == (True, None)
    assert answer.error == "the host has a private address"
    assert receiver.received == []


def test_one_private_address_among_public_ones_refuses_the_name(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    assert send(receiver.url("/200", "two.test")).refused


def test_the_name_is_asked_for_once_and_that_answer_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    real = socket.getaddrinfo

    def rebind(host: str | bytes, *rest: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        asked.append(name)
        first = asked.count("rebind.test") == 1
        return real("127.0.0.1" if name == "rebind.test" and first else name, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    assert send(receiver.url("/200", "rebind.test"), "127.0.0.1/32") == Answer(status_code=200)
    assert asked.count("rebind.test") == 1
    assert receiver.received[0].headers["host"] == f"rebind.test:{receiver.port}"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example"])
def test_a_name_that_leads_nowhere(host: str):
    assert send(f"http://{host}/") == Answer(error="the host's name cannot be resolved")


def test_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch, receiver: Receiver):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: receiver.released.wait(30) and [])
    assert send("http://slow.test/") == Answer(error="no answer within 1 s")


class TestTls:
    """A receiver whose certificate is from an authority that is trusted here."""

    @pytest.fixture
    def authority(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        return authority

    @pytest.fixture
    def secure(self, authority: trustme.CA) -> Iterator[Receiver]:
        receiver = Receiver()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        receiver.server.handle_error = lambda *_: None
        yield receiver
        receiver.close()

    def test_verified_against_the_name_and_not_the_address(self, secure: Receiver):
        url = secure.url("/200", "localhost").replace("http:", "https:")
        assert send(url) == Answer(status_code=200)
        url = secure.url("/200", "127.0.0.1").replace("http:", "https:")
        assert send(url) == Answer(error="TLS failed")
        assert len(secure.received) == 1

    def test_an_unknown_authority(self, secure: Receiver, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("SSL_CERT_FILE")
        url = secure.url("/200", "localhost").replace("http:", "https:")
        assert send(url) == Answer(error="TLS failed")

    def test_no_tls_at_all(self, receiver: Receiver):
        url = receiver.url("/200").replace("http:", "https:")
        assert send(url) == Answer(error="TLS failed")

"""One POST to an address that a stranger chose: checked, bounded, and led nowhere else.

The name is resolved once, its addresses are checked, and the connection goes to one of those, so
that a name server cannot answer differently a second time. TLS is still verified against the name.
No redirect is followed, no proxy is used, and the answer's body is not read.
"""

import socket
import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from queue import SimpleQueue

import httpcore2
from rq.timeouts import BaseTimeoutException, UnixSignalDeathPenalty

from app.base.addresses import Network, is_refused


@dataclass(frozen=True)
class Answer:
    """What came of one POST.

    Attributes:
        status_code: None when there was no answer.
        error: why there was none.
        refused: the address may not be connected to.
    """

    status_code: int | None = None
    error: str | None = None
    refused: bool = False


class RefusedAddressError(Exception):
    """The name leads to an address that nothing may be sent to."""


class UnknownNameError(Exception):
    """The name leads nowhere."""


class _TookTooLongError(BaseTimeoutException):
    """The time of the whole try is over."""


def post(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    timeout_s: int,
    allowed: tuple[Network, ...],
    tls: ssl.SSLContext,
) -> Answer:
    """Sends the body and says how it went; must be called in the main thread.

    Args:
        url: http or https.
        body: what is sent.
        headers: with the content type.
        timeout_s: of everything together: a receiver that drips gets no more.
        allowed: private networks that may be connected to nevertheless.
        tls: how https is verified; costly to make, so made once.
    """
    try:
        # An alarm also ends what no socket's own time limit ends.
        with (
            UnixSignalDeathPenalty(timeout_s, _TookTooLongError),
            httpcore2.ConnectionPool(
                ssl_context=tls, network_backend=CheckedBackend(allowed)
            ) as pool,
            pool.stream("POST", url, headers=[*headers.items()], content=body) as response,
        ):
            return Answer(status_code=response.status)
    except RefusedAddressError as error:
        return Answer(error=str(error), refused=True)
    except (_TookTooLongError, httpcore2.TimeoutException):
        return Answer(error=f"no answer within {timeout_s} s")
    except UnknownNameError:
        return Answer(error="the host's name cannot be resolved")
    except httpcore2.ConnectError as error:
        is_tls = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
        return Answer(error="TLS failed" if is_tls else "the connection was refused")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
        return Answer(error="the connection broke off or its answer is no HTTP")


class CheckedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked, and never resolves a name twice."""

    def __init__(self, allowed: tuple[Network, ...]):
        self.allowed = allowed
        self.sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002, nobody here asks for one
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first of the host's addresses that answers.

        Raises:
            RefusedAddressError: one of the addresses is refused; then none is tried.
            UnknownNameError: there is no address.
            httpcore2.ConnectError: none answers.
        """
        addresses = resolve(host, port)
        if any(is_refused(ip_address(address), self.allowed) for address in addresses):
            raise RefusedAddressError("the host has a private address")
        for address in addresses[:-1]:
            try:
                return self.sockets.connect_tcp(address, port, timeout, None, socket_options)
            except httpcore2.ConnectError:
                continue
        return self.sockets.connect_tcp(addresses[-1], port, timeout, None, socket_options)


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, as the system's resolver has them.

    It is asked in a thread, because an alarm cannot interrupt the resolver itself.

    Raises:
        UnknownNameError: there is none.
    """
    answers: SimpleQueue[list[str]] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            answers.put([])
        else:
            answers.put([str(entry[4][0]) for entry in found])

    threading.Thread(target=ask, daemon=True).start()
    addresses = answers.get()
    if not addresses:
        raise UnknownNameError(host)
    return addresses

"""uvicorn's HTTP/1.1, without its endless patience for the head of a request.

uvicorn closes a connection that is idle after an answer, but waits for ever for the rest of a head,
and for the first byte of a new connection. A client could so hold any number of connections.

It writes head and body of an answer one after the other. By default the kernel keeps the body back
until the client has acknowledged the head, and a client that has nothing to say does so after 40 ms
only. asyncio knows this, but leaves a listener's connections as they are that names no protocol.
"""

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S = 20.0


class HttpProtocol(H11Protocol):
    """One connection; closed when a request's head takes longer than `HEAD_TIMEOUT_S`.

    What is written to it is sent at once.
    """

    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request from now on."""
        super().connection_made(transport)
        self._wait_for_head()
        connection = transport.get_extra_info("socket")
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Takes what has come, and waits for the rest if it is only the beginning of a head."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self.head_timer is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self.head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

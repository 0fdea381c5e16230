"""A webhook receiver on loopback that does as the path says, one step a request."""

import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`/500/hang/200`: status 500, then no answer at all, then status 200 for ever."""

    received: list[Received] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                steps = self.path.split("?")[0].strip("/").split("/")
                step = steps[min(len(outer.at(self.path)), len(steps) - 1)]
                outer.received.append(request)
                outer.answer(self, step)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def answer(self, handler: BaseHTTPRequestHandler, step: str) -> None:
        raw = handler.connection
        if step == "hang":
            self.released.wait(60)
        elif step == "wait":
            self.released.wait(60)
            handler.send_response(200)
            handler.end_headers()
        elif step == "drip":
            self._drip(raw, b"HTTP/1.1 200 OK\r\nx-slow: " + b"z" * 1000)
        elif step == "close":
            raw.shutdown(socket.SHUT_RDWR)
        elif step == "garbage":
            raw.sendall(b"220 mail.example ESMTP\r\n")
        elif step == "redirect":
            handler.send_response(307)
            handler.send_header("location", self.url("/redirected"))
            handler.end_headers()
        elif step == "endless":
            head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n"
            self._drip(raw, head + b"z" * 1000, len(head))
        else:
            handler.send_response(int(step))
            handler.end_headers()
        handler.close_connection = True

    def _drip(self, raw: socket.socket, content: bytes, num_bytes: int = 1) -> None:
        try:
            for start in range(0, len(content), num_bytes):
                raw.sendall(content[start : start + num_bytes])
                time.sleep(0.1)
        except OSError:
            pass

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

"""A TCP proxy before Redis that loses one answer: Redis has executed the command, nobody hears."""

import contextlib
import select
import socket
import threading
from pathlib import Path

# Sent behind the request whose answer is to be lost: when it comes back, that one is executed.
BEHIND = b"*2\r\n$4\r\nECHO\r\n$6\r\nbehind\r\n"
ANSWER_BEHIND = b"$6\r\nbehind\r\n"


class RedisProxy:
    """Between any number of clients and a Redis on a unix socket.

    Attributes:
        url: for the clients.
        num_lost: answers that were lost so far.
    """

    def __init__(self, socket_path: Path):
        self.socket_path = socket_path
        self.words: tuple[bytes, ...] = ()
        self.num_lost = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answer(self, *words: str) -> None:
        """Of the next request that holds all the words: executed, and then its client is cut.

        One connection at a time must send such requests.
        """
        with self.lock:
            self.words = tuple(word.encode() for word in words)

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self.socket_path))
            while True:
                ready, _, _ = select.select([client, server], [], [])
                source, sink = (server, client) if server in ready else (client, server)
                if not (data := source.recv(2**20)):
                    return
                sink.sendall(data)
                if source is client and self._is_meant(data):
                    answer = self._read_answer(server)
                    # A script that Redis does not know yet was not executed.
                    if b"NOSCRIPT" not in answer:
                        self.words = ()
                        self.num_lost += 1
                        return
                    client.sendall(answer)

    def _is_meant(self, request: bytes) -> bool:
        with self.lock:
            return bool(self.words) and all(word in request for word in self.words)

    def _read_answer(self, server: socket.socket) -> bytes:
        """What Redis says to the last request, after it has executed it."""
        server.sendall(BEHIND)
        answer = b""
        while not answer.endswith(ANSWER_BEHIND):
            answer += server.recv(2**20)
        return answer.removesuffix(ANSWER_BEHIND)

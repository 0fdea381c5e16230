"""A real S3 server on loopback, and a wire to it that can be cut."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2

PROGRAM = Path(sys.prefix) / "moto" / "bin" / "moto_server"


class S3Server:
    """moto's server, in an environment of its own (`make` puts it there)."""

    def __init__(self, log: Path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [str(PROGRAM), "-H", "127.0.0.1", "-p", str(self.port)],
                env={"PATH": os.environ["PATH"]},
                stdout=file,
                stderr=file,
            )
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}")

    def answers(self) -> bool:
        """Whether it has started."""
        try:
            return self.http.get("/").status_code == 200
        except httpx2.TransportError:
            return False

    def unfinished_uploads(self, bucket: str) -> int:
        """How many multipart uploads were begun and neither completed nor aborted."""
        return self.http.get(f"/{bucket}", params={"uploads": ""}).text.count("<UploadId>")

    def keys(self, bucket: str) -> list[str]:
        """Every object of the bucket."""
        listing = self.http.get(f"/{bucket}", params={"list-type": "2"}).text
        return [part.split("</Key>")[0] for part in listing.split("<Key>")[1:]]

    def stop(self) -> None:
        """Ends the process; what it held is gone."""
        self.http.close()
        self.process.terminate()
        self.process.wait()


class Wire:
    """A port that leads to another one, as long as it is not cut.

    Attributes:
        num_bytes_down: what has come from the server so far.
    """

    def __init__(self, server_port: int):
        self.server_port, self.port, self.num_bytes_down = server_port, 0, 0
        self._open: set[socket.socket] = set()
        self.mend()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Lets connections through, again or for the first time."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuses new connections and breaks those that are open."""
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.server_port))
                self._open |= {near, far}
                for ends in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, down: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                self.num_bytes_down += len(content) if down else 0
                target.sendall(content)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()

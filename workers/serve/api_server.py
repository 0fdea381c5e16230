"""The API as a server in the foreground."""

import signal
import socket
import threading
import time
from collections.abc import Callable

import uvicorn

from app.files.decoders import Decoders
from app.http.protocol import HttpProtocol
from app.main import create_app
from app.settings import Settings
from workers.serve.listening import Tls, listen

WATCH_EVERY_S = 0.25
SHUTDOWN_S = 5


class ApiServer(uvicorn.Server):
    """The API in the foreground, which also ends when `fault` names one.

    Args:
        settings: of the whole service.
        host: address to listen at.
        port: 0 for any free one.
        fault: asked four times a second; a sentence ends the server.
        tls: for https; http without.
        listener: what `listen` has made of host and port already.
        decoders: as of `create_app`.

    Raises:
        ListenError: nothing can listen there.
    """

    def __init__(
        self,
        settings: Settings,
        host: str,
        port: int,
        fault: Callable[[], str | None] = lambda: None,
        *,
        tls: Tls | None = None,
        listener: socket.socket | None = None,
        decoders: Decoders | None = None,
    ):
        self.app = create_app(settings, host, decoders)
        config = uvicorn.Config(
            self.app,
            http=HttpProtocol,
            log_config=None,
            access_log=False,
            # The application itself knows which proxies to believe.
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
            ssl_certfile=tls.certfile if tls else None,
            ssl_keyfile=tls.keyfile if tls else None,
            ssl_keyfile_password=tls.password if tls else None,
        )
        super().__init__(config)
        self.fault = fault
        self.failure: str | None = None
        self.socket = listener or listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{'https' if tls else 'http'}://{shown}:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.socket.getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, which waits for every answer; those that only wait end at once."""
        self.app.state.services.news.end()
        await super().shutdown(sockets)

    def serve_until_stopped(self) -> str | None:
        """Serves until a signal (None) or a fault, which is returned."""
        # uvicorn raises the signal again when it is done; what is to be stopped then is ours.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        self.run(sockets=[self.socket])
        return self.failure

    def _watch(self) -> None:
        while not self.should_exit:
            self.failure = self.fault()
            if self.failure is not None:
                self.should_exit = True
            time.sleep(WATCH_EVERY_S)

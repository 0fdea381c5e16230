"""The embedded Redis with room held for it on its disk, started again when it lacked that room."""

import contextlib
import logging
import subprocess
import time
from pathlib import Path

from app.base.redis_connection import REDIS_AWAY, connect
from app.jobs.admission.full_disk import note_full_disk
from app.settings import Settings
from workers.serve.data_folder import REDIS_FOLDER
from workers.serve.disk_reserve import DiskReserve
from workers.serve.embedded_redis import EmbeddedRedis

log = logging.getLogger("goodmany.serve")

RESTART_EVERY_S = 2.0


class KeptRedis:
    """Redis ends when its disk is full; it goes on in the reserve, and no job is accepted then.

    Args:
        data_dir: where its folder and the reserve lie.
        settings: of the whole service.

    Raises:
        RuntimeError: Redis does not start.
    """

    def __init__(self, data_dir: Path, settings: Settings):
        self.data_dir = data_dir
        self.reserve = DiskReserve(data_dir, settings.disk_reserve_bytes)
        # A full disk leaves Redis no room to start in.
        self.reserve.look()
        self.server = EmbeddedRedis(data_dir / REDIS_FOLDER, settings.redis_server)
        self.url = self.server.url
        self.told_full: bool | None = None
        self.next_start = 0.0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process; another one after a restart."""
        return self.server.process

    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self.process.poll() is None

    def look_after(self) -> str | None:
        """Looks at the disk and starts Redis again if that ended it; to be called often.

        Returns:
            Why it stays dead; None as long as it lives or will be started again.
        """
        is_full = self.reserve.look()
        if self.is_alive():
            self._tell(is_full=is_full)
        elif is_full or (self.reserve.num_bytes and self.server.lacked_room()):
            self.reserve.give_up()
            self._start()
        else:
            return f"Redis ended with exit code {self.process.returncode}"
        return None

    def stop(self) -> None:
        """Ends the server after it has written everything to its file."""
        self.server.stop()

    def _tell(self, *, is_full: bool) -> None:
        """Has the API refuse new jobs, or take them again."""
        if is_full == self.told_full:
            return
        with connect(self.url) as connection, contextlib.suppress(*REDIS_AWAY):
            note_full_disk(connection, is_full=is_full)
            if is_full:
                log.warning("the disk of %s is full; no job is accepted", self.data_dir)
            elif self.told_full:
                log.info("the disk of %s has room again; jobs are accepted", self.data_dir)
            self.told_full = is_full

    def _start(self) -> None:
        """Starts Redis again, if there is any room for what it will write."""
        if time.monotonic() < self.next_start or not self.reserve.has_some_room():
            return
        self.next_start = time.monotonic() + RESTART_EVERY_S
        log.warning("Redis ended for want of room in %s and is started again", self.data_dir)
        try:
            self.server.start()
        except RuntimeError as error:
            log.warning("%s", error)

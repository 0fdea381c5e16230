"""A part of the service in a process of its own, started again when it dies."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from workers.runtime.child_process import tied

log = logging.getLogger("goodmany.serve")

FIRST_PAUSE_S = 0.5
MAX_DEATHS = 5
# A process that has lived for so long was well: deaths before it count no more.
LIVED_WELL_S = 60.0


class KeptProcess:
    """Runs a command; `look_after` starts it again after a pause that doubles with each death.

    It does not know whether the process does its work, only whether it lives. It must be started
    and looked after by threads that live as long as the process should: Linux ends it with them.

    Args:
        name: for people, such as "worker".
        command: the program and its arguments.
        variables: what its environment has beside this process's.
        before_restart: called before each start but the first; a sentence says that another start
            would be in vain.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        before_restart: Callable[[], str | None] = lambda: None,
    ):
        self.name, self.before_restart = name, before_restart
        # A signal that it could heed would have a worker finish its job first.
        self.command = tied(command, signal.SIGKILL)
        self.environment = {**os.environ, **variables}
        self.num_deaths = 0
        self.restart_at: float | None = None
        self.process = self._start()

    def look_after(self) -> str | None:
        """Starts the process again if it has died and its pause is over; to be called often.

        Returns:
            Why it stays dead; None as long as it lives or will be started again.
        """
        code = self.process.poll()
        if code is None:
            return None
        now = time.monotonic()
        if self.restart_at is None:
            self.num_deaths = 1 if now - self.started > LIVED_WELL_S else self.num_deaths + 1
            if self.num_deaths >= MAX_DEATHS:
                return f"The {self.name} ended with exit code {code}, time and again"
            pause_s = FIRST_PAUSE_S * 2 ** (self.num_deaths - 1)
            self.restart_at = now + pause_s
            log.warning(
                "the %s ended with exit code %d; a new one in %g s", self.name, code, pause_s
            )
        elif now >= self.restart_at:
            if reason := self.before_restart():
                return f"The {self.name} ended with exit code {code}: {reason}"
            self.restart_at = None
            self.process = self._start()
        return None

    def stop(self, *waits_s: float) -> None:
        """Asks the process to end, once for each of the waits, and ends it when it does not."""
        for wait_s in waits_s:
            self.process.terminate()
            try:
                self.process.wait(wait_s)
                return
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        self.process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self.started = time.monotonic()
        return subprocess.Popen(self.command, env=self.environment, start_new_session=True)

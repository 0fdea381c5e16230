"""The long-lived child process that holds the models, and the parent's grip on it.

It says READY when it has what it cannot be without, and LOADED when the rest is loaded that every
job begins with. A job that is sent in between waits in the pipe.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum, auto
from multiprocessing.connection import Connection, wait
from pkgutil import resolve_name
from typing import cast

from app.observability.logs import start_logging
from app.observability.tracing import start_tracing
from app.settings import Settings
from workers.generation.child_worker import ChildWorker

log = logging.getLogger("goodmany.worker")

DEFAULT_LOADER = "workers.generation.tasks:load_models"
# What a child says, unless it is the sentence that tells why it cannot load its models.
READY, LOADED, DONE = "ready", "loaded", "done"
STOP_WITHIN_S = 5.0


class ModelLoadError(RuntimeError):
    """The child could not load its models; the message is one sentence for the operator."""


class ChildEvent(Enum):
    """What has become of a job in the child; `unloaded`: it was not begun, nor will the next be."""

    nothing = auto()
    done = auto()
    dead = auto()
    unloaded = auto()


class WarmChild:
    """One spawned process: loads once, then performs the jobs that it is sent, one by one.

    Args:
        settings: of the whole service.
        worker_name: of the parent.
        loader: `module:function` that loads what the process cannot be without, called with the
            settings; what it returns, if anything, is called to load the rest.
        tasks: what may be called for a job, by the names that it may have in a queue.

    Attributes:
        is_loaded: it has said that the rest is loaded, as far as it was listened to.
        failure: why the rest cannot be loaded; None as long as nobody knows of any reason.
    """

    def __init__(self, settings: Settings, worker_name: str, loader: str, tasks: Mapping[str, str]):
        context = multiprocessing.get_context("spawn")
        self.connection, childs_end = context.Pipe()
        # What the child tells of itself, it tells under its worker's name.
        self.process = context.Process(
            target=child_main,
            name=worker_name,
            args=(childs_end, settings, worker_name, loader, dict(tasks)),
        )
        self.started = time.monotonic()
        self.load_s = 0.0
        self.failure: str | None = None
        self.is_loaded = False
        self._was_killed = False
        self.process.start()
        # With the parent's copy closed, the pipe ends when the child does.
        childs_end.close()

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def death(self) -> str:
        """How a process that is gone has ended, as the end of a sentence."""
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "it was killed, as the system does when memory runs out"
        return f"it ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.is_alive()

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether jobs can be sent; waits up to `timeout_s` for it.

        Raises:
            ModelLoadError: the models cannot be loaded.
        """
        if not self.connection.poll(timeout_s):
            return False
        try:
            answer = self.connection.recv()
        except EOFError:
            raise ModelLoadError(self._death_while_loading()) from None
        if answer != READY:
            raise ModelLoadError(answer)
        self.load_s = time.monotonic() - self.started
        return True

    def send_job(self, job_id: str, queue_name: str, execution_id: str) -> None:
        """Gives the child its next job; one that has just died shows in `wait_event`."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((job_id, queue_name, execution_id))

    def wait_event(self, timeout_s: float) -> ChildEvent:
        """What has become of the job; waits up to `timeout_s` for news."""
        if not wait([self.connection, self.process.sentinel], timeout_s):
            return ChildEvent.nothing
        if self.connection.poll():
            with contextlib.suppress(EOFError, ConnectionResetError):
                return self._understand(self.connection.recv())
        self.join()
        # A death that was wished for says nothing about the models.
        if self.is_loaded or self._was_killed:
            return ChildEvent.dead
        self.failure = self._death_while_loading()
        return ChildEvent.unloaded

    def look(self) -> None:
        """Takes note of what the child has said, or that it has died, without a job."""
        # The pipe of a dead child has its end to tell, for ever.
        while self.failure is None and self.connection.poll():
            if self.wait_event(0) is ChildEvent.dead:
                return

    def kill(self) -> None:
        """Ends the process at once; it has no chance to object."""
        self._was_killed = True
        self.process.kill()

    def join(self) -> None:
        """Waits until the process is gone."""
        self.process.join()

    def stop(self) -> None:
        """Ends an idle child by closing its pipe, and kills it when that takes too long."""
        self.connection.close()
        self.process.join(STOP_WITHIN_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _understand(self, said: str) -> ChildEvent:
        if said == DONE:
            return ChildEvent.done
        if said == LOADED:
            self.is_loaded = True
            return ChildEvent.nothing
        self.failure = said
        return ChildEvent.unloaded

    def _death_while_loading(self) -> str:
        self.join()
        return f"The child died while loading (exit code {self.process.exitcode})."


def child_main(
    connection: Connection,
    settings: Settings,
    worker_name: str,
    loader: str,
    tasks: dict[str, str],
) -> None:
    """What the child does: load, say so, load the rest, perform jobs until the pipe ends."""
    # Ctrl+C and the like are for the parent, which knows what is to become of the job.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start_logging(settings)
    start_tracing("goodmany-worker")
    logging.getLogger("rq.worker").setLevel(settings.log_level)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # The parent may be gone at any time.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            load = cast(Callable[[Settings], Callable[[], None] | None], resolve_name(loader))
            load_rest = load(settings)
            child_worker = ChildWorker(settings, worker_name, tasks)
            connection.send(READY)
            if load_rest is not None:
                load_rest()
        # Whatever is wrong with a model, the operator gets one sentence and no crashed child.
        except Exception as error:
            log.debug("loading failed", exc_info=error)
            connection.send(" ".join(str(error).split()) or type(error).__name__)
            return
        connection.send(LOADED)
        while True:
            child_worker.perform(*connection.recv())
            connection.send(DONE)


def _die_with_parent() -> None:
    """A killed parent cannot take its child along, so the child watches for that itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

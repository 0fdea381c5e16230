"""Light work beside the GPU worker, in small processes: each is replaced when it dies."""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import redis

from app.settings import Settings
from workers.runtime.child_process import die_with_parent

log = logging.getLogger("goodmany.worker")

Task = Callable[[Settings], None]

LOOK_EVERY_S = 1.0
RESTART_AFTER_S = 2.0
STOP_WITHIN_S = 3.0


class LightProcesses:
    """The parent of some light processes; it does nothing but replace a child that has died.

    Args:
        name: for people, such as "courier".
        tasks: what each child does, until it is ended.
        settings: of the whole service.
        end_within_s: how long a child may take to end what it does.
    """

    def __init__(
        self, name: str, tasks: Sequence[Task], settings: Settings, *, end_within_s: float
    ):
        self.name, self.tasks = name, tasks
        self.settings, self.end_within_s = settings, end_within_s
        # A forked child shares what is imported; this process has no thread and no connection.
        self.context = multiprocessing.get_context("fork")
        self.stopping = False

    def run(self) -> None:
        """Keeps the children alive until a signal; then each ends what it does."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        children = [(task, self._start(task)) for task in self.tasks]
        while not self.stopping:
            dead = wait([child.sentinel for _, child in children], LOOK_EVERY_S)
            if self.stopping or not dead:
                continue
            log.warning("a process of the %s died and is replaced", self.name)
            time.sleep(RESTART_AFTER_S)
            children = [
                (task, child if child.is_alive() else self._start(task)) for task, child in children
            ]
        self._end([child for _, child in children])

    def _start(self, task: Task) -> BaseProcess:
        child = self.context.Process(target=_run_child, args=(self.name, task, self.settings))
        child.start()
        return child

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end(self, children: list[BaseProcess]) -> None:
        for child in children:
            child.terminate()
        give_up = time.monotonic() + self.end_within_s + STOP_WITHIN_S
        for child in children:
            child.join(max(0.0, give_up - time.monotonic()))
            child.kill()
            child.join()


def _run_child(name: str, task: Task, settings: Settings) -> None:
    die_with_parent(signal.SIGKILL)
    # RQ handles signals only once it works.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        task(settings)
    except (RuntimeError, redis.exceptions.RedisError) as error:
        log.error("a process of the %s cannot work: %s", name, error)
        raise SystemExit(1) from error

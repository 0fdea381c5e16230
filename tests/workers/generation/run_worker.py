"""A worker as `goodmany worker` runs it, without models; a process of its own."""

import os
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from app.observability.logs import start_logging
from app.settings import Settings
from tests.workers.generation.known_tasks import TASKS
from workers.generation.worker import WarmWorker

LOADER_VARIABLE = "TEST_LOADER"


def work(
    settings: Settings,
    loader: str,
    queue_names: Sequence[str],
    variables: Mapping[str, str],
    outputs: Sequence[Connection],
) -> None:
    """Works until it is told to stop; exits with 1 if it could not load.

    Args:
        settings: of the whole service.
        loader: what its child loads.
        queue_names: where it takes jobs from.
        variables: its whole environment.
        outputs: where it writes what it says, and its errors.
    """
    os.environ.clear()
    os.environ.update(variables)
    for number, output in enumerate(outputs, 1):
        os.dup2(output.fileno(), number)
        output.close()
    worker = WarmWorker(settings, loader=loader, queue_names=queue_names, tasks=TASKS)
    worker.work(logging_level="INFO")
    raise SystemExit(0 if worker.load_failure is None else 1)


if __name__ == "__main__":
    loader = os.environ.get(LOADER_VARIABLE, "tests.workers.generation.job_functions:load_nothing")
    settings = Settings()
    start_logging(settings)
    WarmWorker(settings, loader=loader, tasks=TASKS).work()

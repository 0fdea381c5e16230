"""A worker as `goodmany worker` runs it, without models; a process of its own."""

import os

from app.observability.logs import start_logging
from app.settings import Settings
from tests.workers.generation.known_tasks import TASKS
from workers.generation.worker import WarmWorker

LOADER_VARIABLE = "TEST_LOADER"

if __name__ == "__main__":
    loader = os.environ.get(LOADER_VARIABLE, "tests.workers.generation.job_functions:load_nothing")
    settings = Settings()
    start_logging(settings)
    WarmWorker(settings, loader=loader, tasks=TASKS).work()

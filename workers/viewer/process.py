"""The viewer's process: an RQ worker on its own queue, which has torch but no generator.

It holds what decides about views and nothing else, computes in one thread, and so leaves memory and
processors to the worker.
"""

import math

from app.base.redis_connection import connect
from app.jobs.queues.enqueue import VIEWS_QUEUE
from app.settings import Settings
from models.runtime.loading import nothing_collected
from workers.runtime.light_processes import LightProcesses
from workers.runtime.light_worker import RQ_LOG_LEVEL, LightWorker
from workers.runtime.task_names import VIEWS_TASKS

VIEWS_TTL_S = 15 + 30


def answer_views(settings: Settings) -> None:
    """The one process that answers; torch is loaded here, and not by its parent."""
    with nothing_collected():
        import torch  # noqa: PLC0415

        from workers.viewer.show_views import load_viewer  # noqa: PLC0415

        torch.set_num_threads(1)
        load_viewer(settings)
    connection = connect(settings.redis_url, patience_s=math.inf)
    worker = LightWorker(VIEWS_QUEUE, VIEWS_TASKS, connection, VIEWS_TTL_S)
    worker.work(logging_level=RQ_LOG_LEVEL)


def viewer_processes(settings: Settings) -> LightProcesses:
    """The viewer and its parent, which replaces it when it dies."""
    return LightProcesses("viewer", [answer_views], settings, end_within_s=0.0)

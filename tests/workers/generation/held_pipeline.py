"""The quick pipeline, which holds each job between its last image and its archive.

So a test can change the world at exactly that moment, however slow the machine is.
"""

import time

import redis

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from tests.workers.generation.quick_pipeline import QuickPipeline
from workers.generation import tasks

HELD_KEY, GO_KEY = "test:held", "test:go"


class HeldPipeline(QuickPipeline):
    """Tells that its images are made and waits for leave to return them."""

    def __init__(self, connection: redis.Redis):
        self.connection = connection

    def generate(
        self, request: GenerationRequest, on_progress: ProgressCallback
    ) -> GenerationResult:
        result = super().generate(request, on_progress)
        self.connection.rpush(HELD_KEY, 1)
        while not self.connection.lpop(GO_KEY):
            time.sleep(0.05)
        return result


def load(settings: Settings) -> None:
    connection = connect(settings.redis_url)
    pipeline = HeldPipeline(connection)
    store, storage = JobStore(connection, settings), Storage(settings.storage_address)
    tasks._warm[:] = [tasks.WarmModels(settings, pipeline, store, storage)]

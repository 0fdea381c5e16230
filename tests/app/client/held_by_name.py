"""The quick pipeline, which holds the jobs of one name between last image and archive."""

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from tests.workers.generation.held_pipeline import HeldPipeline
from tests.workers.generation.quick_pipeline import QuickPipeline
from workers.generation import tasks

HELD = "held nut"


class HeldByName(HeldPipeline):
    """Waits for leave with the jobs of that name alone."""

    def generate(
        self, request: GenerationRequest, on_progress: ProgressCallback
    ) -> GenerationResult:
        if request.object_name == HELD:
            return super().generate(request, on_progress)
        return QuickPipeline.generate(self, request, on_progress)


def load(settings: Settings) -> None:
    connection = connect(settings.redis_url)
    pipeline = HeldByName(connection)
    store, storage = JobStore(connection, settings), Storage(settings.storage_address)
    tasks._warm[:] = [tasks.WarmModels(settings, pipeline, store, storage)]

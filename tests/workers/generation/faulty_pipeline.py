"""The quick pipeline, with the fault that a job's name asks for; the task around it is real."""

import os
import shutil
import signal
import sys
import time

import numpy as np

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from models.job.request import GenerationRequest, GenerationResult, ProgressCallback
from models.runtime.errors import DeviceMemoryError, StrictError
from tests.workers.generation.quick_pipeline import QuickPipeline
from workers.generation import tasks


class FaultyPipeline(QuickPipeline):
    """Fails as `GenerationRequest.object_name` says."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def generate(
        self, request: GenerationRequest, on_progress: ProgressCallback
    ) -> GenerationResult:
        match request.object_name:
            case "device memory":
                raise DeviceMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            case "host memory":
                np.zeros(2**60, np.uint8)
            case "too strict":
                raise StrictError("1 of 2 images passed the normality guard")
            case "a fault":
                raise ZeroDivisionError("the secret reason")
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "endless":
                while True:
                    time.sleep(0.05)
            case "storage away":
                shutil.move(self.settings.storage_address, f"{self.settings.storage_address}-away")
        return super().generate(request, on_progress)


def load(settings: Settings) -> None:
    store = JobStore(connect(settings.redis_url), settings)
    storage = Storage(settings.storage_address)
    tasks._warm[:] = [tasks.WarmModels(settings, FaultyPipeline(settings), store, storage)]


def load_without_decoder(settings: Settings) -> None:
    """Another process cannot be started from this one."""
    load(settings)
    sys.executable = "/nowhere/python"

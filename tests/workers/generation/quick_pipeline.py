"""A pipeline that makes noise in a fraction of a second, for the real task around it.

Everything else of `run_job` is real: inputs and outputs in the storage, progress, the archive. How
many steps a job takes is its `num_images`; each step takes STEP_S and tells its progress.
"""

import time
from typing import Any

import numpy as np

from app.base.redis_connection import connect
from app.files.storage import Storage
from app.jobs.store import JobStore
from app.settings import Settings
from models.job.request import (
    GeneratedImage,
    GenerationRequest,
    GenerationResult,
    ProgressCallback,
    RejectedImage,
)
from models.runtime.errors import StrictError
from workers.generation import tasks

STEP_S = 0.05
SIDE_PX = 64
INVARIANCES = {
    "allowed": ["shift"],
    "decided_by": "images",
    "factors": {
        "shift": {"belief": 0.9, "reason": "It lies elsewhere in each image."},
        "rotate": {"belief": 0.5, "share": 0.35, "reason": "It may lie turned."},
        "scale": {"belief": 0.1, "share": 0.0, "reason": "It is always as large."},
    },
}
# An object whose jobs fail.
FAILING = "broken nut"
GREY = np.full((SIDE_PX, SIDE_PX, 3), 128, np.uint8)
REJECTED = (
    RejectedImage(GREY, 0, "anomalous", 1.25, 0.5, (0.5, 0.25, 0.125, 0.125)),
    RejectedImage(GREY, 0, "near_copy", None, 0.01, None),
)


class QuickPipeline:
    """An `ImageMaker` of noise."""

    def generate(
        self, request: GenerationRequest, on_progress: ProgressCallback
    ) -> GenerationResult:
        if request.object_name == FAILING:
            raise StrictError("0 of 4 images passed")
        rng = np.random.default_rng(request.seed)
        images = []
        for number in range(request.num_images):
            time.sleep(STEP_S)
            on_progress("fill", 99.0 * number / request.num_images, {"num_images": number})
            pixels = rng.integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
            images.append(
                GeneratedImage(
                    lambda pixels=pixels: pixels, number, 0, "view", {}, {"guard_distance": 0.5}
                )
            )
        report: dict[str, Any] = {
            "prompt": {},
            "invariances": INVARIANCES,
            "integration": {},
            "rejections": {"anomalous": 1, "near_copy": 1},
            "models": {},
            "timings_s": {"fill": STEP_S * request.num_images},
        }
        shape = (len(request.images), SIDE_PX, SIDE_PX)
        variance = None if request.preset == "goodmany" else np.zeros(shape, np.float32)
        return GenerationResult(
            images, "a quick nut", report, variance, (SIDE_PX, SIDE_PX), rejected=REJECTED
        )


def load(settings: Settings) -> None:
    store = JobStore(connect(settings.redis_url), settings)
    pipeline = QuickPipeline()
    storage = Storage(settings.storage_address)
    tasks._warm[:] = [tasks.WarmModels(settings, pipeline, store, storage)]

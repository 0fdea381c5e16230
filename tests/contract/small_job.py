"""A job without models whose files are real: an archive of some chunks, two pictures.

The object's name decides what becomes of it and the seed how soon, so that a client can bring about
every end.
"""

import io
import itertools
import time
import zipfile
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.base.redis_connection import connect
from app.files.storage import Storage, outputs_of
from app.jobs.store import JobStore
from app.problems import TooFewImages
from app.settings import Settings
from tests.conftest import encode

ENDLESS, FAILING = "endless thread", "broken hazelnut"
NUM_IMAGES = 2
ATTEMPT = "attempt"


@dataclass(frozen=True)
class Loaded:
    store: JobStore
    storage: Storage
    image: bytes
    archive: bytes


_loaded: list[Loaded] = []


def load(settings: Settings) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    image = encode(Image.fromarray(noise))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(NUM_IMAGES):
            archive.writestr(f"hazelnut/train/good/{number:03d}.png", image)
        archive.writestr("manifest.json", b'{"text": "\r\n\r\n"}')
    store = JobStore(connect(settings.redis_url), settings)
    _loaded[:] = [Loaded(store, Storage(settings.storage_address), image, buffer.getvalue())]


def run(job_id: str) -> None:
    (loaded,) = _loaded
    store = loaded.store
    store.start(job_id, ATTEMPT)
    job = store.get(job_id)
    if job.object_name == FAILING:
        raise TooFewImages("1 of 2 images passed.")
    rounds = itertools.count() if job.object_name == ENDLESS else range(job.seed % 4)
    for _ in rounds:
        time.sleep(0.1)
        if not store.progress(job_id, ATTEMPT, {"stage": "fill", "percent": "50"}):
            return
    for name in ("preview.png", "variance.png"):
        loaded.storage.write(job_id, f"{outputs_of(ATTEMPT)}/{name}", loaded.image)
    loaded.storage.write(job_id, f"{outputs_of(ATTEMPT)}/archive.zip", loaded.archive)
    facts = {"num_images": str(NUM_IMAGES), "prompt": "a hazelnut with a shell"}
    store.succeed(job_id, ATTEMPT, facts)

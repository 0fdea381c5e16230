"""A job without models whose files are real: an archive of some chunks, two pictures.

The object's name decides what becomes of it and the seed how soon, so that a client can bring about
every end.
"""

import io
import itertools
import json
import time
import zipfile
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.base.redis_connection import connect
from app.files.storage import Storage, outputs_of
from app.jobs.evidence import (
    EVIDENCE_FILE,
    INDEX_FILE,
    Evidence,
    EvidenceKind,
    Place,
    RejectedImage,
    picture_name,
)
from app.jobs.store import JobStore
from app.problems import TooFewImages
from app.settings import Settings
from tests.conftest import encode, texture

ENDLESS, FAILING = "endless thread", "broken hazelnut"
NUM_IMAGES = 2
ATTEMPT = "attempt"


@dataclass(frozen=True)
class Loaded:
    store: JobStore
    storage: Storage
    image: bytes
    archive: bytes
    evidence: bytes


_loaded: list[Loaded] = []


def load(settings: Settings) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    image = encode(Image.fromarray(noise))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(NUM_IMAGES):
            archive.writestr(f"hazelnut/train/good/{number:03d}.png", image)
        files = [f"hazelnut/train/good/{number:03d}.png" for number in range(NUM_IMAGES)]
        images = [{"file": file, "source": 0, "scores": {}} for file in files]
        manifest = {
            "text": "\r\n\r\n",
            "request": {"object_name": "hazelnut", "images": [{"width_px": 320, "height_px": 320}]},
            **{"num_images_requested": NUM_IMAGES, "num_images": NUM_IMAGES},
            **{"width_px": 320, "height_px": 320},
            "images": images,
        }
        archive.writestr("manifest.json", json.dumps(manifest))
    store = JobStore(connect(settings.redis_url), settings)
    storage = Storage(settings.storage_address)
    _loaded[:] = [Loaded(store, storage, image, buffer.getvalue(), some_evidence())]


def some_evidence() -> bytes:
    """A picture of each kind."""
    buffer = io.BytesIO()
    place = Place(left=0, top=0, width=0.5, height=0.5)
    strange = RejectedImage(
        reason="anomalous", source=0, guard_distance=2, nearest_distance=0.5, place=place
    )
    index = Evidence(num_real=1, rejections={"anomalous": 1}, rejected=[strange])
    with zipfile.ZipFile(buffer, "w") as evidence:
        evidence.writestr(INDEX_FILE, index.model_dump_json())
        for kind, number in itertools.product(EvidenceKind, range(NUM_IMAGES)):
            evidence.writestr(picture_name(kind, number), encode(texture(), "JPEG"))
    return buffer.getvalue()


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
    loaded.storage.write(job_id, f"{outputs_of(ATTEMPT)}/{EVIDENCE_FILE}", loaded.evidence)
    loaded.storage.write(job_id, f"{outputs_of(ATTEMPT)}/archive.zip", loaded.archive)
    facts = {"num_images": str(NUM_IMAGES), "prompt": "a hazelnut with a shell"}
    store.succeed(job_id, ATTEMPT, facts)

"""A made-up request and result, and the archive of them."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from functools import partial

import numpy as np
from PIL import Image

from models.job.request import GeneratedImage, GenerationRequest, GenerationResult
from workers.archive.write import write_archive

CREATED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def made_request(num_inputs: int = 2, **fields) -> GenerationRequest:
    draw = np.random.default_rng(5)
    images = [
        Image.fromarray(draw.integers(0, 256, (40, 48, 3), dtype=np.uint8))
        for _ in range(num_inputs)
    ]
    return GenerationRequest(images=images, **{"object_name": "metal nut", "seed": 7, **fields})


def made_result(num_images: int = 3, **report) -> GenerationResult:
    draw = np.random.default_rng(6)
    images = [
        GeneratedImage(
            render=partial(np.copy, draw.integers(0, 256, (32, 48, 3), dtype=np.uint8)),
            seed=100 + n,
            source=n % 2,
            kind=("view", "varied")[n % 2],
            transform={"angle_deg": 1.5 * n, "sigma_scale": 2.0 * (n % 2)},
            scores={
                "prompt_cosine": 0.25 + n / 1000,
                "guard_distance": 1 / 3,
                "nearest_distance": 0.5,
            },
        )
        for n in range(num_images)
    ]
    return GenerationResult(
        images=images,
        prompt="a metal nut with a hole",
        report={
            "prompt": {"text": "a metal nut with a hole", "candidates": [{"text": "a nut"}]},
            "rounds": [{"cosine": 0.2}, {"cosine": 0.3}],
            "rejections": {"defect": 2},
            "models": {"encoder": {"name": "embedded", "revision": "1"}},
            "timings_s": {"adapt": 1.25},
            **report,
        },
        variance=np.zeros((2, 32, 48), dtype=np.float32),
        size=(48, 32),
    )


def archive_bytes(
    result: GenerationResult,
    request: GenerationRequest,
    *,
    job_id: str = "job-1",
    created_at: datetime = CREATED_AT,
    include_reference: bool = False,
) -> bytes:
    file = io.BytesIO()
    write_archive(
        file,
        result,
        request,
        job_id=job_id,
        created_at=created_at,
        include_reference=include_reference,
    )
    return file.getvalue()


def contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rows_of(files: dict[str, bytes], path: str = "metal_nut/train/metadata.csv") -> list[dict]:
    return list(csv.DictReader(io.StringIO(files[path].decode(), newline="")))

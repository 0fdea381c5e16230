"""The archive's `manifest.json`: what was asked for, what was made, how, and with what.

What differs between two runs of one request stands under the key `run` alone (job id, times); all
the rest is a function of the request, the seed and the device.
"""

import hashlib
import platform
from datetime import datetime
from importlib.metadata import version

import numpy as np
from PIL import Image

from models.job.request import GeneratedImage, GenerationRequest, GenerationResult

SCHEMA_VERSION = "1.0"
PACKAGES = ("goodmany", "torch", "diffusers", "transformers", "numpy", "pillow")


def describe_generation(
    result: GenerationResult,
    request: GenerationRequest,
    *,
    file_names: list[str],
    job_id: str,
    created_at: datetime,
) -> dict[str, object]:
    """The whole manifest, JSON-able.

    Args:
        result: what was made; its report is taken over key by key.
        request: what was asked for.
        file_names: the path in the archive of each of `result.images`.
        job_id: the job's id.
        created_at: when the job was accepted.
    """
    width, height = result.size
    report = dict(result.report)
    timings_s = report.pop("timings_s", {})
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "job_id": job_id,
            "created_at": created_at.isoformat(),
            "timings_s": timings_s,
        },
        "request": _describe_request(request),
        "num_images_requested": request.num_images,
        "num_images": len(result.images),
        "width_px": width,
        "height_px": height,
        **report,
        "images": [
            _describe_image(name, image)
            for name, image in zip(file_names, result.images, strict=True)
        ],
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _describe_request(request: GenerationRequest) -> dict[str, object]:
    invariances = request.invariances
    return {
        "object_name": request.object_name,
        "num_images": request.num_images,
        "image_size": request.image_size,
        "seed": request.seed,
        "prompt": request.prompt,
        "invariances": None if invariances is None else sorted(invariances),
        "effort": request.effort,
        "strict": request.strict,
        "images": [_describe_input(image) for image in request.images],
    }


def _describe_input(image: Image.Image) -> dict[str, object]:
    pixels = np.asarray(image.convert("RGB"))
    return {
        "width_px": image.width,
        "height_px": image.height,
        "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
    }


def _describe_image(file_name: str, image: GeneratedImage) -> dict[str, object]:
    return {
        "file": file_name,
        "seed": image.seed,
        "source": image.source,
        "transform": image.transform,
        "scores": image.scores,
    }

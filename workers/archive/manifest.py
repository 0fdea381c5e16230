"""The archive's `manifest.json`: what was asked for, what was made, how, and with what.

What differs between two runs of one request stands under the key `run` alone (job id, times); all
the rest is a function of the request, the seed and the device.
"""

import hashlib
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import numpy as np
from PIL import Image

from app.jobs.inputs import InputImage
from models.job.request import GeneratedImage, GenerationRequest, GenerationResult

SCHEMA_VERSION = "1.0"
PACKAGES = ("goodmany", "torch", "diffusers", "transformers", "numpy", "pillow")


@dataclass(frozen=True, kw_only=True)
class ManifestFacts:
    """What the manifest says that neither request nor result knows.

    Attributes:
        job_id: the job's id.
        created_at: when the job was accepted.
        inputs: what was understood of each of the request's images; empty when nobody has looked.
        bit_depth: what the request said of them.
    """

    job_id: str
    created_at: datetime
    inputs: tuple[InputImage, ...] = ()
    bit_depth: int | None = None


def describe_generation(
    result: GenerationResult,
    request: GenerationRequest,
    facts: ManifestFacts,
    *,
    file_names: list[str],
    held_out: dict[str, object] | None = None,
) -> dict[str, object]:
    """The whole manifest, JSON-able.

    Args:
        result: what was made; its report is taken over key by key.
        request: what was asked for.
        facts: what else is to be said.
        file_names: the path in the archive of each of `result.images`.
        held_out: how the set lies among real images that are held out; None without such.
    """
    width, height = result.size
    report = dict(result.report)
    timings_s = report.pop("timings_s", {})
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "job_id": facts.job_id,
            "created_at": facts.created_at.isoformat(),
            "timings_s": timings_s,
        },
        "request": _describe_request(request, facts),
        "num_images_requested": request.num_images,
        "num_images": len(result.images),
        "num_by_kind": dict(Counter(sorted(image.kind for image in result.images))),
        "width_px": width,
        "height_px": height,
        **report,
        "images": [
            _describe_image(name, image)
            for name, image in zip(file_names, result.images, strict=True)
        ],
        "held_out": held_out,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _describe_request(request: GenerationRequest, facts: ManifestFacts) -> dict[str, object]:
    invariances = request.invariances
    inputs = facts.inputs or (None,) * len(request.images)
    return {
        "object_name": request.object_name,
        "sense": request.sense,
        "num_images": request.num_images,
        "image_size": request.image_size,
        "seed": request.seed,
        "prompt": request.prompt,
        "invariances": None if invariances is None else sorted(invariances),
        "effort": request.effort,
        "preset": request.preset,
        "strict": request.strict,
        "bit_depth": facts.bit_depth,
        "images": [
            _describe_input(image, understood)
            for image, understood in zip(request.images, inputs, strict=True)
        ],
    }


def _describe_input(image: Image.Image, understood: InputImage | None) -> dict[str, object]:
    """The image as it was used, and its file as it was understood."""
    pixels = np.asarray(image.convert("RGB"))
    return {
        "width_px": image.width,
        "height_px": image.height,
        "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        **({} if understood is None else {"file": understood.model_dump(mode="json")}),
    }


def _describe_image(file_name: str, image: GeneratedImage) -> dict[str, object]:
    return {
        "file": file_name,
        "seed": image.seed,
        "source": image.source,
        "source_kind": image.kind,
        "transform": image.transform,
        "scores": image.scores,
    }

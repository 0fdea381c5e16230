"""The loaded pipeline and one prepared draft, made once: each takes many seconds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

from models.job.generation import Generation
from models.job.models import Models
from models.job.options import PRESETS, PipelineOptions
from models.job.pipeline import Pipeline, load_pipeline
from models.job.prepare import Prepared
from models.job.request import GenerationRequest, GenerationResult
from models.job.run import prepare
from tests.models.conftest import part_image, small_guard


def picture(angle_deg: float, seed: int = 0) -> Image.Image:
    pixels = part_image(angle_deg=angle_deg, size=96, seed=seed).permute(1, 2, 0).numpy()
    return Image.fromarray((pixels * 255).astype(np.uint8))


def draft(**changes: object) -> GenerationRequest:
    """A draft of two small images from one, or what the changes make of it."""
    fields: dict[str, object] = {
        "images": [picture(33)],
        "object_name": "hazelnut",
        "num_images": 2,
        "image_size": 64,
        "seed": 5,
        "effort": "draft",
    }
    return GenerationRequest(**{**fields, **changes})


def generation_of(models: Models, options: PipelineOptions | None = None, **changes: object):
    return Generation.of(models, draft(**changes), options)


@dataclass
class Made:
    """A result and all that was told on the way to it."""

    result: GenerationResult
    told: list[tuple[str, float, dict[str, object]]] = field(default_factory=list)


@pytest.fixture(scope="package")
def pipeline() -> Iterator[Pipeline]:
    with small_guard():
        yield load_pipeline(device="cpu")


@pytest.fixture(scope="package")
def made(pipeline) -> Made:
    told: list[tuple[str, float, dict[str, object]]] = []
    return Made(pipeline.generate(draft(), lambda *news: told.append(news)), told)


@pytest.fixture(scope="package")
def prepared_once(pipeline) -> Prepared:
    return prepare(generation_of(pipeline.models, PRESETS["varied"]))


@pytest.fixture
def prepared(prepared_once) -> Prepared:
    """What the stages before the rounds leave behind for a draft, as they leave it."""
    prepared_once.guard.forget_generated(1)
    prepared_once.generator.load_decoder_state(prepared_once.adapted_decoder)
    return prepared_once

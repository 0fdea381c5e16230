"""The whole method on a device that is not the processor."""

from dataclasses import replace

import numpy as np
import pytest

from models.job.fill import fill
from models.job.options import EFFORTS
from models.job.pipeline import Pipeline, load_pipeline
from models.job.run import prepare
from tests.models.accelerator import DEVICE, Accelerator
from tests.models.job.conftest import draft, generation_of, picture

# For its view's fractions of a pixel, what it adds to the known ones, its pixels: not for each of
# its patches, nor for what a batch can ask at once.
MOST_WAITS_AN_IMAGE = 5


@pytest.fixture(scope="module")
def elsewhere() -> Pipeline:
    with Accelerator():
        return load_pipeline(device=str(DEVICE))


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor may be fast in bfloat16; the other device is not."""
    monkeypatch.setattr("models.runtime.precision.is_fast_in_bfloat16", lambda _: False)


@pytest.fixture
def short_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a standard job does, and less often: a step more shows no other operation."""
    less = {"adaptation_steps": 6, "num_rounds": 2, "round_size": 2}
    monkeypatch.setitem(EFFORTS, "standard", replace(EFFORTS["standard"], **less))


REQUESTS = {
    "one": {},
    "several": {
        "images": [picture(angle) for angle in (33, 60, 95)],
        "preset": "paper",  # the decoder learns
        "effort": "standard",
        "invariances": frozenset({"rotate", "lighting"}),
    },
    "large": {"preset": "varied", "image_size": 480, "num_images": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REQUESTS)
def test_another_device_makes_the_images_of_the_processor(
    pipeline: Pipeline, elsewhere: Pipeline, full_precision: None, short_effort: None, name: str
):
    request = draft(**REQUESTS[name])
    with Accelerator():
        there = elsewhere.generate(request)
        pixels = [image.pixels for image in there.images]
    here = pipeline.generate(request)
    assert there.prompt == here.prompt
    assert [image.transform for image in there.images] == [i.transform for i in here.images]
    learned, here_learned = (made.report["adaptation"] for made in (there, here))
    if learned["psnr_after_db"] is not None:
        # Steps under the prompt make much of a last digit: another round may be the best one.
        assert learned["psnr_after_db"] == pytest.approx(here_learned["psnr_after_db"], abs=0.1)
        assert len(pixels) == len(here.images)
    else:
        for one, other in zip(pixels, here.images, strict=True):
            # Sums of another order round otherwise; a latent here and there takes another code.
            difference = np.abs(one.astype(int) - other.pixels.astype(int))
            assert difference.mean() < 0.2
            assert np.quantile(difference, 0.99) <= 2
    if here.variance is None:
        assert there.variance is None
    else:
        np.testing.assert_allclose(there.variance, here.variance, rtol=0.05, atol=0.02)


@pytest.mark.slow
def test_an_image_costs_few_waits_for_the_device(elsewhere: Pipeline, monkeypatch):
    monkeypatch.setattr("models.job.fill.images_at_once", lambda _: 8)
    with Accelerator() as accelerator:
        prepared = prepare(generation_of(elsewhere.models))

        def waits(count: int) -> tuple[int, int]:
            """How many there are, and how many images are made for so many that pass."""
            prepared.guard.forget_generated(1)
            before = accelerator.num_waits
            accepted = fill(generation_of(elsewhere.models, num_images=count), prepared)
            assert len(accepted.images) == count
            num_made = count + sum(accepted.rejections.values())
            return accelerator.num_waits - before, num_made

        (few, of_few), (many, of_many) = waits(4), waits(8)
        assert of_many > of_few
        assert many - few <= (of_many - of_few) * MOST_WAITS_AN_IMAGE

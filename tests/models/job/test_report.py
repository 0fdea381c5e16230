from dataclasses import replace

import numpy as np
import pytest

from models.catalog.chosen import chosen
from models.job.options import EFFORTS
from models.job.pipeline import Pipeline
from tests.models.job.conftest import draft, picture


@pytest.fixture(scope="module")
def result(pipeline: Pipeline):
    """Of two images of other shapes, in four rounds."""
    images = [picture(10).resize((128, 96)), picture(80, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            EFFORTS,
            "draft",
            replace(EFFORTS["draft"], is_thorough=True, num_rounds=4, num_updates=2),
        )
        return pipeline.generate(draft(images=images, preset="varied"))


def test_the_report_says_what_was_done(result):
    report = result.report
    assert set(report["timings_s"]) == {"prompt", "adapt", "rounds", "fill"}
    assert set(report["models"]) == {model.role for model in chosen()}
    assert set(report["rejections"]) == {"anomalous", "near_copy"}
    assert report["num_accepted"] >= len(result.images)
    assert report["prompt"]["text"] == result.prompt


def test_the_kept_round_is_the_one_of_the_highest_cosine(result):
    integration = result.report["integration"]
    assert [r["round"] for r in integration["rounds"]] == [0, 1, 2, 3]
    cosines = [r["cosine"] for r in integration["rounds"]]
    assert len(set(cosines)) == 4
    assert integration["kept"] == cosines.index(max(cosines))


def test_shapes_follow_the_first_image(result):
    assert result.size == (64, 48)
    assert {image.pixels.shape for image in result.images} == {(48, 64, 3)}
    assert result.variance.shape == (2, 48, 64)
    assert result.variance.dtype == np.float32
    assert 0.0 <= float(result.variance.min()) <= float(result.variance.max()) == 1.0


def test_where_sigma_varies_nothing_it_is_not_learned(pipeline: Pipeline):
    made = pipeline.generate(draft(images=[picture(10)]))
    assert made.variance is None
    assert made.report["adaptation"]["same_distance"] is None


def test_images_are_as_large_as_the_input_and_the_same_at_every_call(pipeline: Pipeline):
    large = picture(10).resize((320, 240))
    made = pipeline.generate(draft(images=[large], image_size=None))
    assert made.size == (320, 240)
    for image in made.images:
        assert image.pixels.shape == (240, 320, 3)
        assert np.array_equal(image.pixels, image.pixels)

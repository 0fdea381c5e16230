import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from models.evaluation.rows.generated import OPTIONS, VIEWS, draws, generate, pictures
from models.evaluation.rows.plain import ABLATION_ROWS, GENERATED_ROWS, RowInput, find_row
from models.generator.latents import LatentDistribution
from models.generator.noise import noise
from models.generator.sampling import VarianceAwareGenerator
from models.views.draws import FILL_SEEDS
from tests.models.conftest import small_guard
from tests.models.evaluation.conftest import tile


@pytest.fixture(scope="module", autouse=True)
def _small_guard() -> Iterator[None]:
    with small_guard():
        yield


@pytest.fixture(scope="module")
def data() -> RowInput:
    return RowInput(
        images=[Image.fromarray(tile(0, side=64))],
        object_name="tile",
        seed=0,
        train=(),
        num_images=2,
        image_size=64,
        effort="draft",
    )


def test_every_generated_row_of_the_table_has_options():
    assert set(OPTIONS) == {*GENERATED_ROWS, *ABLATION_ROWS}


def test_rows_that_claim_one_sigma_draw_with_one_sigma(vqgan):
    """`unit-sigma` draws z = mu + eps, `paper` z = mu + sigma * eps with white eps."""
    generator = VarianceAwareGenerator(vqgan)
    mean, logvar = torch.randn(1, 4, 16, 16), torch.full((1, 4, 16, 16), -2.0)
    for row, sigma, smooth in (("unit-sigma", 1.0, True), ("paper", math.exp(-1.0), False)):
        settings = OPTIONS[row].sampling
        z = generator.draw_latents(LatentDistribution(mean, logvar), [3], settings)
        eps = noise(mean.shape[1:], 3, smooth=smooth)
        torch.testing.assert_close(z, mean + sigma * eps)


def test_a_generated_row_keeps_the_real_images_and_adds_views_and_their_reconstructions(data):
    """The decoder's output resembles its own view more than another one."""
    rows = [find_row(name)(data) for name in ("views", "reconstruct")]
    for images in rows:
        assert images[0] is data.images[0]
        assert [image.size for image in images] == [(64, 64)] * 3
    views, decoded = (np.stack(images[1:]) / 255 for images in rows)
    difference = abs(views[:, None] - decoded[None]).mean(axis=(2, 3, 4))
    assert (difference.argmin(axis=1) == [0, 1]).all()
    assert difference.diagonal().min() > 0


def test_the_short_way_to_the_views_leads_to_the_same_images(data):
    short, whole = find_row(VIEWS)(data)[1:], pictures(generate(data, OPTIONS[VIEWS]))
    for one, other in zip(short, whole, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))


def test_views_follow_what_a_person_says_may_vary(data):
    """Told that nothing may, and that it is mirrored."""
    nothing, mirrored = (
        draws(replace(data, num_images=8, invariances=names)) for names in ((), ("flip_vertical",))
    )
    for views, flips in ((nothing, {False}), (mirrored, {False, True})):
        assert {plan.view.flip_vertical for plan in views.plans(FILL_SEEDS, 8)} == flips


def test_a_row_is_the_same_whatever_rows_came_before_it(data):
    """Rows share the adapted generator and the guard, and leave no trace in them."""
    first = generate(data, OPTIONS["goodmany"])
    generate(data, OPTIONS["no-adaptation"])
    again = generate(data, OPTIONS["goodmany"])
    assert [image.seed for image in first.images] == [image.seed for image in again.images]
    for before, after in zip(first.images, again.images, strict=True):
        assert np.array_equal(before.pixels, after.pixels)


def test_a_generated_row_adds_as_many_images_for_each_real_one(data):
    two = replace(data, images=[*data.images, Image.fromarray(tile(1, side=64))])
    assert len(find_row("views")(two)) == 2 + 2 * 2

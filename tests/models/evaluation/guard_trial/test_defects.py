import numpy as np
import pytest
from PIL import Image

from models.evaluation.guard_trial.defects import AT_A_GLANCE, KINDS, DefectSpec, plant, visibility
from tests.models.evaluation.conftest import tile


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return Image.fromarray(tile(0, side=128))


@pytest.mark.parametrize("kind", KINDS)
def test_only_pixels_near_the_mask_change(image, kind):
    planted = plant(image, DefectSpec(kind, 0.2, 0.9, seed=3))
    changed = (np.asarray(planted.image) != np.asarray(image)).any(axis=2)
    assert planted.mask.any()
    assert changed.any()
    far = np.ones_like(changed)
    rows, columns = np.nonzero(planted.mask)
    far[max(0, rows.min() - 3) : rows.max() + 4, max(0, columns.min() - 3) : columns.max() + 4] = 0
    assert not (changed & far).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_spec_gives_the_same_defect(image, kind):
    first, again, other = (plant(image, DefectSpec(kind, 0.2, 0.9, s)) for s in (3, 3, 4))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_more_contrast_is_more_visible(image, kind):
    seen = [plant(image, DefectSpec(kind, 0.2, c, seed=3)).visibility for c in (0.0, 0.2, 0.5, 0.9)]
    assert seen[0] == 0.0
    assert seen == sorted(seen)
    assert seen[1] < seen[3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_defect_covers_more(image, kind):
    areas = [plant(image, DefectSpec(kind, s, 0.9, seed=3)).mask.sum() for s in (0.05, 0.12, 0.3)]
    assert areas[0] < areas[1] < areas[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defect_lies_where_it_may(image, kind):
    where = np.zeros((128, 128), dtype=bool)
    where[10:50, 70:110] = True
    for seed in range(5):
        mask = plant(image, DefectSpec(kind, 0.1, 0.9, seed), where).mask
        assert (mask & where).any()


def test_texture_hides_what_a_plain_ground_shows():
    plain = Image.new("RGB", (128, 128), (128, 128, 128))
    noise = np.random.default_rng(0).integers(60, 196, (128, 128, 1), dtype=np.uint8)
    grain = Image.fromarray(noise.repeat(3, axis=2))
    spec = DefectSpec("spot", 0.1, 0.4, seed=0)
    assert plant(plain, spec).visibility > 2 * plant(grain, spec).visibility
    assert plant(plain, spec).visibility > AT_A_GLANCE
    assert visibility(plain, plain) == 0.0


def test_an_unknown_kind_and_an_empty_place_are_refused(image):
    with pytest.raises(ValueError, match="no kind 'dent'"):
        plant(image, DefectSpec("dent", 0.1, 0.5, 0))
    with pytest.raises(ValueError, match="allows no pixel"):
        plant(image, DefectSpec("spot", 0.1, 0.5, 0), np.zeros((128, 128), dtype=bool))

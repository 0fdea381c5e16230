import pytest

from models.evaluation.data.dataset import Category
from models.evaluation.fidelity.halves import draw_halves


@pytest.mark.parametrize("shots", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_training_image_is_given_or_in_one_half(tiles, shots, seed):
    halves = draw_halves(tiles, shots, seed)
    parts = [halves.given, halves.reference, halves.others]
    assert sorted(path for part in parts for path in part) == sorted(tiles.train)
    assert halves.given == tiles.choose(shots, seed)
    assert 0 <= len(halves.reference) - len(halves.others) <= 1


def test_the_seed_decides(tiles):
    assert draw_halves(tiles, 1, 0) == draw_halves(tiles, 1, 0)
    first, second = (draw_halves(tiles, 1, seed) for seed in (0, 1))
    assert set(first.reference) != set(second.reference)


def test_test_images_are_in_no_half(tiles):
    halves = draw_halves(tiles, 1, 0)
    tested = {image.path for image in tiles.test}
    assert tested.isdisjoint([*halves.given, *halves.reference, *halves.others])


def test_too_few_images_are_refused(tiles):
    few = Category("tile", tiles.train[:12], tiles.test)
    with pytest.raises(ValueError, match="tile has 11 training images besides the 1 given; 12"):
        draw_halves(few, 1, 0)

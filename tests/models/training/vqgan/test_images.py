import random
from pathlib import Path

from models.training.vqgan.images import CROP_PX, ImagePool, split_images


def test_held_out_images_are_never_trained_on(images: Path):
    training, held_out = split_images(images)
    assert held_out
    assert not set(training) & set(held_out)
    assert len(training) + len(held_out) == 4
    assert not any("plasma-workspace-wallpapers" in p.parts for p in held_out)


def test_crops_follow_the_seed(pool: ImagePool):
    first, again, other = (pool.crop(random.Random(seed)) for seed in (3, 3, 4))
    assert first.size == (CROP_PX, CROP_PX)
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_square_is_no_larger_than_its_image(pool: ImagePool):
    rng = random.Random(0)
    sides = {pool.square(rng, 256).size for _ in range(40)}
    assert sides == {(160, 160), (256, 256)}

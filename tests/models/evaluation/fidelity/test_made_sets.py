import numpy as np
import pytest

from models.evaluation.experiment import Plan, Settings
from models.evaluation.fidelity.halves import draw_halves
from models.evaluation.fidelity.made_sets import MadeSets

SETTINGS = Settings(num_images=4, image_size=64)


def made(tmp_path, category, *, shots=1, settings=SETTINGS, row="small"):
    plan = Plan(category, shots, 0, row)
    sets = MadeSets(tmp_path, settings)
    return sets.get(plan, draw_halves(category, shots, 0))


def test_a_set_is_what_was_made_without_the_real_images(tmp_path, tiles):
    images = made(tmp_path, tiles).images
    assert [image.size for image in images] == [(64, 64)] * 4


@pytest.mark.parametrize("shots", [1, 3])
def test_a_set_has_the_same_size_however_many_are_given(tmp_path, tiles, shots):
    assert len(made(tmp_path, tiles, shots=shots).images) == 4


def test_a_kept_set_is_read_and_not_made_again(tmp_path, tiles):
    first = made(tmp_path, tiles)
    (folder,) = tmp_path.iterdir()
    written = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = made(tmp_path, tiles)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == written
    assert again.seconds == first.seconds
    for one, other in zip(first.images, again.images, strict=True):
        assert np.array_equal(one, other)


def test_a_set_that_was_cut_short_is_made_anew(tmp_path, tiles):
    made(tmp_path, tiles)
    (folder,) = tmp_path.iterdir()
    partial = folder.with_suffix(".partial")
    folder.rename(partial)
    next(partial.glob("*.png")).write_bytes(b"")
    assert len(made(tmp_path, tiles).images) == 4
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_other_settings_and_rows_have_sets_of_their_own(tmp_path, tiles):
    made(tmp_path, tiles)
    made(tmp_path, tiles, settings=Settings(num_images=5, image_size=64))
    made(tmp_path, tiles, row="augment")
    assert len(list(tmp_path.iterdir())) == 3
    # What only the pipeline reads is nothing to a recipe.
    made(tmp_path, tiles, settings=Settings(num_images=4, image_size=64, effort="high"))
    assert len(list(tmp_path.iterdir())) == 3

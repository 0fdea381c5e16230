import pytest

from models.evaluation.data.dataset import load_image, read_dataset


def test_a_category_is_read_in_the_mvtec_layout(category_folder):
    (category,) = read_dataset(str(category_folder))
    assert category.name == "tile"
    assert [path.name for path in category.train] == ["000.png", "001.png", "002.png", "003.png"]
    assert sum(image.is_defective for image in category.test) == 3
    for image in category.test:
        expected = f"{image.path.stem}_mask.png" if image.is_defective else None
        assert (image.mask.name if image.mask else None) == expected


def test_a_folder_of_categories_is_read_too(category_folder):
    assert read_dataset(str(category_folder.parent)) == read_dataset(str(category_folder))


def test_test_images_are_limited_to_a_fixed_choice(category_folder):
    few = [read_dataset(str(category_folder), max_test_images=2)[0].test for _ in range(2)]
    every = read_dataset(str(category_folder), max_test_images=None)[0].test
    assert few[0] == few[1]
    assert [image.is_defective for image in few[0]] == [False, False, True, True]
    assert set(few[0]) < set(every)


def test_the_seed_chooses_and_fewer_shots_are_a_part_of_more(category_folder):
    (category,) = read_dataset(str(category_folder))
    for seed in range(5):
        assert category.choose(3, seed)[:1] == category.choose(1, seed)
        assert len(set(category.choose(3, seed))) == 3
    assert len({category.choose(1, seed) for seed in range(20)}) > 1


def test_one_image_is_two_draws_only_when_all_were_drawn(category_folder):
    category = read_dataset(str(category_folder))[0]
    number = len(category.train)
    for start in (0, number):
        drawn = [category.choose(1, seed) for seed in range(start, start + number)]
        assert {image for (image,) in drawn} == set(category.train)


def test_too_many_shots_are_refused(category_folder):
    (category,) = read_dataset(str(category_folder))
    with pytest.raises(ValueError, match="tile has 4 training images, 5 are asked for"):
        category.choose(5, 0)


def test_a_place_without_categories_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no category in the MVTec layout"):
        read_dataset(str(tmp_path))


def test_a_category_without_test_images_is_refused(tmp_path):
    (tmp_path / "train" / "good").mkdir(parents=True)
    (tmp_path / "test").mkdir()
    with pytest.raises(ValueError, match="0 training, 0 good and 0 defective"):
        read_dataset(str(tmp_path))


@pytest.mark.parametrize("name", ["textile", "conformal-clip-data:textile"])
def test_the_packaged_textile_set_is_cut_to_a_category(name):
    (category,) = read_dataset(name, max_test_images=None)
    assert (len(category.train), len(category.test)) == (60, 100)
    good = {image.path for image in category.test if not image.is_defective}
    assert not good & set(category.train)
    assert {image.defect for image in category.test} == {"good", "local", "global"}
    assert load_image(category.train[0]).size == (250, 250)

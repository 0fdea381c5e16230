import argparse
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.generator.vqgan import load_vqgan
from models.training.train_vqgan import CodebookAverage, ImagePool, find_images, train


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(4):
        small = rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((160, 160), Image.Resampling.BICUBIC)
        image.save(tmp_path / f"{number}.png")
    return tmp_path


def test_held_out_images_are_never_trained_on(images: Path):
    training, held_out = find_images(images)
    assert held_out
    assert not set(training) & set(held_out)
    assert len(training) + len(held_out) == 4
    assert not any("plasma-workspace-wallpapers" in p.parts for p in held_out)


def test_crops_are_in_range_and_follow_the_seed(images: Path):
    pool = ImagePool(sorted(images.glob("*.png")))
    first, second = (pool.batch(random.Random(3), 2) for _ in range(2))
    assert first.shape == (2, 3, 128, 128)
    assert -1.0 <= float(first.min()) < float(first.max()) <= 1.0
    assert torch.equal(first, second)


def test_the_codebook_moves_to_its_codes_and_dead_entries_restart():
    weight = torch.tensor([[0.0, 0.0], [50.0, 50.0]])
    average = CodebookAverage(weight, decay=0.5)
    z = torch.tensor([[1.0, 1.0]]).repeat(100, 1)
    for _ in range(20):
        average.update(z, torch.zeros(100, dtype=torch.long))
    torch.testing.assert_close(weight[0], torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(weight[1], torch.tensor([1.0, 1.0]))  # 50, 50 won nothing


def test_a_short_training_writes_weights_that_load(images: Path, tmp_path: Path):
    out = tmp_path / "out"
    args = argparse.Namespace(
        images=images,
        out=out,
        minutes=0.05,
        save_minutes=10,
        batch_size=2,
        lr=1e-3,
        channels=[8, 16],
        patch_size=2,
        latent_channels=4,
        codes=32,
        continuous_steps=1,
        feature_weight=0.05,
        seed=0,
        resume=False,
    )
    train(args)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps"] >= 1
    assert 0.0 < metrics["codes_used"] <= 1.0
    assert load_vqgan(out).config.num_vq_embeddings == 32

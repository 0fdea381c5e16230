import itertools
from dataclasses import replace

import pytest

from models.training.vqgan.recipe import Recipe


def test_the_learning_rate_rises_stays_and_falls():
    recipe = Recipe(lr=1.0, warm_up_steps=10, full_lr_steps=100)
    rates = [recipe.learning_rate(step) for step in range(1, 1001)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:100] == [1.0] * 91
    assert rates[399] == pytest.approx(0.5)
    assert all(a >= b > 0 for a, b in itertools.pairwise(rates[99:]))


def test_another_recipe_is_named():
    recipe = Recipe()
    recipe.check_same(recipe.as_dict())
    with pytest.raises(ValueError, match=r"lr was 0.0006, is 0.1"):
        replace(recipe, lr=0.1).check_same(recipe.as_dict())

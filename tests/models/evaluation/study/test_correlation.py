import dataclasses

import numpy as np
import pytest
from scipy import stats

from models.evaluation.study.correlation import GeneratedSet, correlations, spearman, write_study

SET = GeneratedSet(
    category="nut",
    shots=1,
    seed=0,
    variant="goodmany",
    uplift=0.1,
    similarity=0.9,
    visual_variance=0.2,
    score_chosen_prompt=0.3,
    score_plain_prompt=0.2,
    score_bare_word=0.1,
)


def varied(category: str, uplifts: list[float], similarities: list[float]) -> list[GeneratedSet]:
    return [
        dataclasses.replace(SET, category=category, uplift=u, similarity=s)
        for u, s in zip(uplifts, similarities, strict=True)
    ]


@pytest.mark.parametrize("levels", [3, 10_000])
def test_spearmans_rho_equals_scipys(levels):
    rng = np.random.default_rng(0)
    x = rng.integers(levels, size=40)
    y = x + rng.integers(levels, size=40)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)


def test_rho_sees_only_order_and_changes_sign_with_it():
    x = [0.1, 0.5, 0.2, 0.9]
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -np.array(x)) == pytest.approx(-1.0)
    assert np.isnan(spearman(x, [1, 1, 1, 1]))


def test_categories_of_different_height_do_not_hide_what_holds_within_each():
    sets = varied("nut", [0.1, 0.2, 0.3], [0.9, 0.8, 0.7])
    sets += varied("tile", [1.1, 1.2, 1.3], [1.9, 1.8, 1.7])
    rho = correlations(sets)["similarity"]
    assert rho["within"] == pytest.approx(-1.0)
    assert rho["pooled"] > 0


def test_the_page_lists_every_property(tmp_path):
    page = write_study(tmp_path, varied("nut", [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
    assert "| similarity | +1.00 | +1.00 |" in page.read_text()
    assert "score bare word" in page.read_text()
    assert len((tmp_path / "study.csv").read_text().splitlines()) == 4

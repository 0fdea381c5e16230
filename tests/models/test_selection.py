import numpy as np
import torch

from models.generation import GeneratedImage
from models.selection import Candidate, select


def candidate(cosine: float, value: float) -> Candidate:
    image = GeneratedImage(
        pixels=np.zeros((1, 1, 3), np.uint8),
        seed=0,
        source=0,
        transform={},
        scores={"prompt_cosine": cosine},
    )
    return Candidate(image, torch.full((4,), value))


def has(chosen: list[Candidate], wanted: Candidate) -> bool:
    return any(c is wanted for c in chosen)


def test_too_few_candidates_are_all_taken():
    candidates = [candidate(0.1, 0.0), candidate(0.2, 1.0)]
    assert select(candidates, 5) is candidates


def test_the_best_cosine_is_always_in():
    candidates = [candidate(c, v) for c, v in [(0.1, 0.0), (0.9, 0.5), (0.2, 1.0), (0.3, 0.2)]]
    assert has(select(candidates, 1), candidates[1])
    assert has(select(candidates, 2), candidates[1])


def test_of_equal_scores_the_different_one_is_taken():
    same = [candidate(0.5, 0.5), candidate(0.5, 0.5), candidate(0.5, 0.51), candidate(0.5, 1.0)]
    assert has(select(same, 2), same[3])


def test_selection_has_no_doubles():
    candidates = [candidate(i / 10, i / 10) for i in range(10)]
    chosen = select(candidates, 7)
    assert len({id(c) for c in chosen}) == 7

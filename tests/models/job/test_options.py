from models.job.options import EFFORTS, MAX_SPARE


def test_candidates_are_a_multiple_of_the_images_but_never_too_many_more():
    assert EFFORTS["draft"].num_candidates(16) == 16
    assert EFFORTS["standard"].num_candidates(16) == 16
    assert EFFORTS["high"].num_candidates(16) == 48
    assert EFFORTS["high"].num_candidates(1000) == 1000 + MAX_SPARE

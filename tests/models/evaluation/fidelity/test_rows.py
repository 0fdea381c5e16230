import pytest

from models.evaluation.fidelity.rows import FIDELITY_ROWS, REAL_ROWS, find_making_row
from models.evaluation.rows import moved
from models.evaluation.rows.plain import find_row


def test_every_row_of_the_trial_is_found():
    for name in FIDELITY_ROWS:
        if name not in REAL_ROWS:
            assert callable(find_making_row(name))


def test_augmentation_has_the_filter_of_the_trial_and_not_that_of_the_table():
    assert find_making_row("augment") is moved.augment is not find_row("augment")


@pytest.mark.parametrize(
    ("name", "message"), [("magic", "no row 'magic'"), ("real", "given, real-half are the real")]
)
def test_a_row_that_makes_nothing_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        find_making_row(name)

import gc

import pytest

from models.runtime.loading import nothing_collected


def test_nothing_is_collected_in_the_block_and_all_is_as_before_behind_it():
    assert gc.isenabled()
    with nothing_collected():
        assert not gc.isenabled()
        with nothing_collected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failure_leaves_all_as_before():
    with pytest.raises(RuntimeError, match="no model"), nothing_collected():
        raise RuntimeError("no model")
    assert gc.isenabled()

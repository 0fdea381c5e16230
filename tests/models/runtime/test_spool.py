import gc

import numpy as np
import pytest

from models.runtime.spool import Spool


@pytest.mark.parametrize("memory_bytes", [1, 2**20])
def test_arrays_come_back_as_they_were_in_any_order(memory_bytes):
    spool, rng = Spool(memory_bytes), np.random.default_rng(0)
    arrays = [
        rng.integers(256, size=(5, 7, 3)).astype(np.uint8),
        rng.random((4, 3)).astype(np.float16),
        rng.random((6, 8)).T,
        np.array(2.5),
    ]
    kept = [spool.put(array) for array in arrays]
    for array, get in [*zip(arrays, kept, strict=True)][::-1]:
        given = get()
        assert given.dtype == array.dtype
        np.testing.assert_array_equal(given, array)


def test_what_is_given_is_a_copy():
    get = Spool().put(np.zeros(3))
    get()[:] = 1
    assert get().sum() == 0


def test_arrays_outlive_the_spool_that_keeps_them():
    get = Spool(1).put(np.arange(3))
    gc.collect()
    assert get().tolist() == [0, 1, 2]

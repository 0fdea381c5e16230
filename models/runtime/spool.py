"""Arrays that wait until they are asked for, so that memory does not grow with their number."""

import tempfile
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np

# As long as all of it is no more than this, it stays in memory.
MEMORY_BYTES = 32 * 2**20


class Spool:
    """Arrays in memory while they are few, else in a temporary file without a name.

    The file goes when neither the spool nor what `put` gave is held any more. Used by one thread.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES):
        self._file = tempfile.SpooledTemporaryFile(memory_bytes)  # noqa: SIM115, closed below
        weakref.finalize(self, self._file.close)
        self._end = 0

    def put(self, array: np.ndarray) -> Callable[[], np.ndarray]:
        """Keeps the array; returns what gives a copy of it."""
        start, self._end = self._end, self._end + array.nbytes
        self._file.seek(start)
        self._file.write(np.ascontiguousarray(array).data.cast("B"))
        return partial(self._get, start, array.shape, array.dtype)

    def _get(self, start: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        array = np.empty(shape, dtype)
        self._file.seek(start)
        self._file.readinto(array.data.cast("B"))
        return array

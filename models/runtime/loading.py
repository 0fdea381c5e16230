"""How what stays is loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """In the block nobody looks for objects that nobody needs any more.

    What is imported and loaded stays. As it grows, Python looks it all through again and again,
    which takes a quarter to a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

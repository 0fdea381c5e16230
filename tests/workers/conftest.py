"""A webhook receiver for every test of the courier."""

from collections.abc import Iterator

import pytest

from tests.workers.courier.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()

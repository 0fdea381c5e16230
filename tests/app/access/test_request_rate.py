"""A key never gets more requests than its bucket holds, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.access.request_rate import WINDOW_S, RequestRate
from app.jobs.store import JobStore
from app.problems import TooManyRequests


@pytest.mark.parametrize("limit", [1, 3])
def test_exactly_the_limit_passes_under_concurrency(store: JobStore, limit: int):
    rates = [RequestRate(store.connection, limit) for _ in range(2)]

    def passes(number: int) -> bool:
        try:
            rates[number % 2].take("a")
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(passes, range(24))) == limit


def test_what_is_left_goes_down_to_the_refusal_which_says_when_to_come_again(store: JobStore):
    rate = RequestRate(store.connection, 3)
    left = [rate.take("a") for _ in range(3)]
    assert [allowance.remaining for allowance in left if allowance] == [2, 1, 0]
    with pytest.raises(TooManyRequests) as refusal:
        rate.take("a")
    headers = refusal.value.headers
    assert headers["RateLimit-Policy"] == '"key";q=3;w=60'
    assert headers["RateLimit"] == f'"key";r=0;t={headers["Retry-After"]}'
    # A third of the minute brings one request back.
    assert 1 <= int(headers["Retry-After"]) <= WINDOW_S / 3


def test_keys_do_not_share_and_a_bucket_is_forgotten_when_it_is_full(store: JobStore):
    rate = RequestRate(store.connection, 1)
    rate.take("a")
    rate.take("b")
    assert 0 < store.connection.ttl("goodmany:request-rate:a") <= WINDOW_S


def test_a_request_comes_back_with_time(store: JobStore):
    rate = RequestRate(store.connection, 2)
    rate.take("a")
    rate.take("a")
    bucket = "goodmany:request-rate:a"
    # As if 30 of the 60 seconds had passed.
    store.connection.incrbyfloat(bucket, -30)
    rate.take("a")
    with pytest.raises(TooManyRequests):
        rate.take("a")


def test_zero_is_no_limit_and_counts_nothing(store: JobStore):
    rate = RequestRate(store.connection, 0)
    assert [rate.take("a") for _ in range(5)] == [None] * 5
    assert not store.connection.exists("goodmany:request-rate:a")

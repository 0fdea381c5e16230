"""What an answer asks for before it is asked again."""

import email.utils
import time

import httpx2
import pytest

from goodmany.http.talk import FIRST_PAUSE_S, LONGEST_PAUSE_S, _asked_pause_s, _pause_s


def answer(retry_after: str | None) -> httpx2.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx2.Response(503, headers=headers)


def test_seconds_and_dates_are_understood():
    assert _asked_pause_s(answer("7")) == 7
    in_an_hour = email.utils.formatdate(time.time() + 3600, usegmt=True)
    asked = _asked_pause_s(answer(in_an_hour))
    assert asked is not None
    assert 3500 < asked <= 3600
    assert _asked_pause_s(answer(email.utils.formatdate(0, usegmt=True))) == 0


@pytest.mark.parametrize("nonsense", [None, "", "soon", "-1"])
def test_nonsense_asks_for_nothing(nonsense: str | None):
    assert _asked_pause_s(answer(nonsense)) is None
    assert _asked_pause_s(None) is None


def test_pauses_grow_up_to_a_longest():
    pauses = [_pause_s(number) for number in range(20)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_S, LONGEST_PAUSE_S)

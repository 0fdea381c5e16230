import pytest

from models.job.progress import Progress


def test_a_counter_goes_from_start_to_end_in_equal_steps():
    told = []
    count = Progress(lambda *news: told.append(news)).counter("fill", 70.0, 90.0, 4)
    for _ in range(4):
        count()
    assert told == [("fill", percent, {}) for percent in (75.0, 80.0, 85.0, 90.0)]


def test_facts_are_told_and_nobody_need_listen():
    told = []
    Progress(lambda *news: told.append(news)).tell("prompt", 8.0, prompt="a nut")
    assert told == [("prompt", 8.0, {"prompt": "a nut"})]
    Progress().tell("prompt", 8.0)


def test_a_stage_is_timed_when_it_has_ended():
    progress = Progress()
    with progress.stage("prompt"):
        assert progress.timings_s == {}
    with pytest.raises(InterruptedError), progress.stage("adapt"):
        raise InterruptedError
    assert list(progress.timings_s) == ["prompt"]
    assert progress.timings_s["prompt"] >= 0.0

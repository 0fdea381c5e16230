"""What a person sees of a job: in a terminal a bar, in a log a line now and then, else nothing."""

import pytest

from goodmany import JobStatus
from goodmany.progress_bar import progress_display

QUEUED = JobStatus(id="7", state="queued", queue_position=3, raw={})
RUNNING = JobStatus(id="7", state="running", stage="fill", percent=50, prompt="a nut", raw={})


def test_a_script_is_quiet(capsys: pytest.CaptureFixture[str]):
    with progress_display(None, None) as display:
        assert display is None
    assert capsys.readouterr() == ("", "")


def test_a_bar_that_is_wanted_is_on_the_standard_error_and_the_users_function_is_called(
    capsys: pytest.CaptureFixture[str],
):
    told: list[JobStatus] = []
    with progress_display(True, told.append) as display:
        assert display is not None
        for status in (QUEUED, RUNNING):
            display(status)
    said = capsys.readouterr()
    assert told == [QUEUED, RUNNING]
    assert said.out == ""
    assert "no. 3 0%" in said.err
    assert 'prompt: "a nut"' in said.err
    assert "fill 50%" in said.err


def test_without_a_bar_the_users_function_is_all_there_is():
    with progress_display(False, print) as display:
        assert display is print

"""Log lines of a real process, read back."""

import json
import subprocess
import sys

PROGRAM = """
import logging, sys, warnings
from app.observability.logs import log_fields, start_logging
from app.settings import Settings

start_logging(Settings(log_format=sys.argv[1]))
log = logging.getLogger("goodmany.test")
with log_fields(request_id="r-1"):
    with log_fields(job_id="j-1"):
        log.info("two\\nlines, a %s and \\u2028 \\ud800", "quote\\"", extra={"fields": {"num": 3}})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("it broke")
log.debug("unheard")
warnings.warn("an old way")
raise SystemExit("bye") if sys.argv[1] == "text" else KeyError("lost")
"""


def said(log_format: str) -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    return answer.stderr.splitlines()


def test_every_line_is_one_event_in_json():
    events = [json.loads(line) for line in said("json")]
    assert [event["level"] for event in events] == ["INFO", "ERROR", "WARNING", "CRITICAL"]
    first, broke, warned, lost = events
    assert first["message"] == 'two\nlines, a quote" and \u2028 \ud800'
    assert (first["request_id"], first["job_id"], first["num"]) == ("r-1", "j-1", 3)
    assert first["logger"] == "goodmany.test"
    assert broke["request_id"] == "r-1"
    assert "job_id" not in broke
    assert broke["exception"].endswith("ZeroDivisionError: division by zero")
    assert "request_id" not in warned
    assert "an old way" in warned["message"]
    assert lost["exception"].endswith("KeyError: 'lost'")


def test_times_are_rfc_3339_in_utc():
    times = [json.loads(line)["time"] for line in said("json")]
    assert times == sorted(times)
    for time in times:
        assert len(time) == len("2026-01-31T12:00:00.123Z")
        assert time.endswith("Z")


def test_text_is_for_people():
    lines = said("text")
    assert " INFO goodmany.test: two" in lines[0]
    assert lines[-1] == "bye"

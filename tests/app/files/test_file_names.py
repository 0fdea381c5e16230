"""A download has the object's name, in every alphabet, and no file system chokes on it."""

import re
from email.message import Message

import httpx2
import pytest

from app.files.file_names import content_disposition
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish

NAMES = [
    ("hazelnut", "hazelnut.zip", "hazelnut.zip"),
    ("hex nut M8 (left)", "hex nut M8 (left).zip", "hex nut M8 (left).zip"),
    ("Schraubenschlüssel", "Schraubenschlüssel.zip", "Schraubenschlussel.zip"),
    ("螺丝", "螺丝.zip", "object.zip"),
    ("гайка", "гайка.zip", "object.zip"),
    ('a "quoted" nut', "a _quoted_ nut.zip", "a _quoted_ nut.zip"),
    ("../../etc/passwd", "etc_passwd.zip", "etc_passwd.zip"),
    ("nut; filename=evil.exe", "nut; filename=evil.exe.zip", "nut_ filename_evil.exe.zip"),
    ("50% nut's", "50% nut's.zip", "50_ nut_s.zip"),
    (".hidden.", "hidden.zip", "hidden.zip"),
    ("a\r\nX: y", "a_X_ y.zip", "a_X_ y.zip"),
]


def read(header: str) -> tuple[str, str]:
    """(name, name for those who know no RFC 8187), by Python's own parser of such headers."""
    message = Message()
    message["content-disposition"] = header
    plain = re.search(r'filename="([^"]*)"', header)
    assert plain is not None
    encoded = re.search(r"filename\*=UTF-8''(\S+)$", header)
    if encoded is None:
        return str(message.get_filename()), plain[1]
    only = Message()
    only["content-disposition"] = f"attachment; filename*=UTF-8''{encoded[1]}"
    return str(only.get_filename()), plain[1]


@pytest.mark.parametrize(("name", "full", "plain"), NAMES)
def test_the_name_comes_back(name: str, full: str, plain: str):
    header = content_disposition(name, ".zip")
    assert header.isascii()
    assert header.isprintable()
    assert read(header) == (full, plain)


@pytest.mark.parametrize(("name", "stem"), [("hazelnut", "hazelnut"), ("螺丝", "螺丝")])
def test_every_file_of_a_job_is_named_after_its_object(
    api: httpx2.Client, store: JobStore, settings: Settings, name: str, stem: str
):
    files = [("images", ("a.png", PNG))]
    job = api.post("/v1/jobs", data={"object_name": name}, files=files).json()
    finish(store, settings, job["id"])
    header = api.get(f"{job['links']['self']}/archive").headers["content-disposition"]
    assert read(header)[0] == f"{stem}-{job['id'][-8:]}.zip"

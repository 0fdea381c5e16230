"""What a job is judged by, over real HTTP."""

import base64
import hashlib
import io
import re
import zipfile

import httpx2
import pytest

from app.files.storage import Storage, outputs_of
from app.http.report.write import write_report
from app.jobs.evidence import EVIDENCE_FILE, INDEX_FILE, Evidence, EvidenceKind, picture_name
from app.jobs.store import JobStore
from app.settings import Settings
from tests.app.http.routes.test_jobs import PNG, finish, post, slug
from tests.workers.archive.made import archive_bytes, made_request
from tests.workers.archive.test_evidence import STRANGE, with_rejected
from workers.archive.evidence import write_evidence

EVIDENCE = Evidence(num_real=1, rejections={"anomalous": 2}, rejected=[])


def finish_with_evidence(api: httpx2.Client, store: JobStore, settings: Settings) -> str:
    """The address of a job that is over and has one picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as evidence:
        evidence.writestr(INDEX_FILE, EVIDENCE.model_dump_json())
        evidence.writestr(picture_name(EvidenceKind.real, 0), b"a picture")
    job = post(api, PNG).json()
    path = f"{outputs_of('attempt')}/{EVIDENCE_FILE}"
    Storage(settings.storage_address).write(job["id"], path, buffer.getvalue())
    finish(store, settings, job["id"])
    return str(job["links"]["self"])


def test_the_evidence_is_handed_out(api: httpx2.Client, store: JobStore, settings: Settings):
    here = finish_with_evidence(api, store, settings)
    assert api.get(f"{here}/evidence").json() == EVIDENCE.model_dump()
    picture = api.get(f"{here}/evidence/real/0")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == b"a picture"
    assert picture.headers["vary"] == "Authorization"
    for path in ("real/1", "rejected/0"):
        answer = api.get(f"{here}/evidence/{path}")
        assert (answer.status_code, slug(answer)) == (404, "image-not-found")
    for path in ("unreal/0", "real/-1", "real/x"):
        answer = api.get(f"{here}/evidence/{path}")
        assert (answer.status_code, slug(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("path", ["evidence", "evidence/real/0"])
def test_a_job_of_an_older_version_has_none(
    path: str, api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    assert slug(api.get(f"{job['links']['self']}/{path}")) == "job-not-finished"
    finish(store, settings, job["id"])
    answer = api.get(f"{job['links']['self']}/{path}")
    assert (answer.status_code, slug(answer)) == (404, "image-not-found")


def test_inputs_come_back_as_they_were_sent(api: httpx2.Client):
    job = post(api, PNG).json()
    here = job["links"]["self"]
    answer = api.get(f"{here}/inputs/0")
    assert answer.content == PNG
    # No browser shows it as a page of ours.
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    missing = api.get(f"{here}/inputs/1")
    assert (missing.status_code, slug(missing)) == (404, "image-not-found")
    api.post(job["links"]["cancel"])
    assert api.get(f"{here}/inputs/0").content == PNG
    api.delete(here)
    gone = api.get(f"{here}/inputs/0")
    assert (gone.status_code, slug(gone)) == (410, "job-expired")


def test_a_job_tells_its_request(api: httpx2.Client, store: JobStore):
    job = post(api, PNG, num_images=3, seed=5, effort="draft", invariances="shift,scale").json()
    asked = job["request"]
    assert asked["object_name"] == "hazelnut"
    assert (asked["num_images"], asked["seed"], asked["effort"]) == (3, 5, "draft")
    assert asked["invariances"] == ["shift", "scale"]
    # Of another version's request only what is known is told.
    store.connection.hset(f"goodmany:job:{job['id']}", "request", '{"object_name": "a", "x": 1}')
    other = api.get(job["links"]["self"]).json()
    assert (other["request"], other["object_name"]) == (None, "a")


def test_the_report_needs_nothing_beside_it(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG, object_name="<script>alert(1)</script>").json()
    here = job["links"]["self"]
    evidence = io.BytesIO()
    result = with_rejected(STRANGE)
    write_evidence(evidence, made_request().images, result)
    storage = Storage(settings.storage_address)
    storage.write(job["id"], f"{outputs_of('attempt')}/{EVIDENCE_FILE}", evidence.getvalue())
    request = made_request(object_name="<script>alert(1)</script>")
    finish(store, settings, job["id"], archive_bytes(result, request))
    answer = api.get(f"{here}/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"].startswith("inline; ")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "img-src data:"} < set(policy)
    page = answer.text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    # Two real images, their maps, three new ones, one rejected.
    assert page.count("data:image/jpeg;base64,") == 2 + 2 + 3 + 1
    assert page.count('class="mark"') == 1
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("decided_by", ["images", "request"])
def test_the_report_says_what_may_differ_and_why(decided_by: str):
    result = with_rejected()
    factors = {
        "shift": {"belief": 0.9, "reason": "It lies elsewhere in each image."},
        "rotate": {"belief": 0.1, "share": 0.0, "reason": "It never lies turned."},
        "flip_vertical": {"belief": 0.9, "share": 0.15, "reason": "Its mirror image looks so."},
    }
    decision = {"allowed": ["shift"], "decided_by": decided_by, "factors": factors}
    result.report["invariances"] = decision
    evidence = io.BytesIO()
    write_evidence(evidence, made_request().images, result)
    whole = io.BytesIO(archive_bytes(result, made_request()))
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(evidence) as pictures:
        page = "".join(write_report(archive, pictures))
    assert "moved on its ground" in page
    # A user's own word needs no reason.
    assert ("It never lies turned." in page) == (decided_by == "images")
    assert ("<td>15 %</td><td>Its mirror image looks so." in page) == (decided_by == "images")
    assert page.count('<tr class="chosen">') == 2 * (decided_by == "images")


def test_a_job_without_evidence_has_no_report(
    api: httpx2.Client, store: JobStore, settings: Settings
):
    job = post(api, PNG).json()
    assert slug(api.get(f"{job['links']['self']}/report")) == "job-not-finished"
    finish(store, settings, job["id"], archive_bytes(with_rejected(), made_request()))
    assert slug(api.get(f"{job['links']['self']}/report")) == "image-not-found"
